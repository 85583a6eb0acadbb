/* backup.h: `latentd backup`: a data directory like this one, while a daemon works in it or not.
 *
 * Order: first the files of all jobs, then the database, then what was added meanwhile to jobs that have ended in it. So a job that runs
 * has no checkpoint there that is ahead of its curve, and goes on as after a kill. Files never change once they have their name, so they
 * are linked where that is possible.
 * Invariant: the directory has its name only when all is there and durable.
 */
#ifndef LATENTD_SERVER_STORE_BACKUP_H
#define LATENTD_SERVER_STORE_BACKUP_H

#include "core/base/err.h"

#include <stdint.h>

struct backup {
	int64_t jobs, files;
};
/* `to` must not be there yet. */
int store_backup(const char *data_dir, const char *to, struct backup *ret, struct err *err);

#endif
