/* seal.h: whether the database is, byte for byte, what the last clean stop left.
 *
 * Why: SQLite finds a broken page, not a changed letter in a job's name. So a clean stop leaves a seal beside the file, a sum of each
 * MiB, and a start breaks it before the first write. No seal: the daemon was killed, and SQLite's own check must do.
 * Not here: what follows (store.c, recover.c).
 */
#ifndef LATENTD_SERVER_STORE_SEAL_H
#define LATENTD_SERVER_STORE_SEAL_H

#include "core/base/err.h"

#include <stdbool.h>

/* How long a start looks at a large database, whichever way; what it did not get to is logged. */
enum { STORE_CHECK_MS = 1000 };

/* The database is closed everywhere. */
int seal_write(const char *db_path, struct err *err);
/* *ret_sealed false: there is no seal. ERR_CORRUPT: the database is not what was sealed. */
int seal_check(const char *db_path, bool *ret_sealed, struct err *err);
/* Durable when it returns. */
int seal_break(const char *db_path, struct err *err);

#endif
