/* journal.h: the list of jobs beside the database, should the database be lost: a file that is only appended to.
 *
 * Why: a job that runs has a folder that explains itself (job.json); one that waits has only its row. A line per job that was
 * submitted, ended or deleted, with a checksum of its own, is enough to know all of them again.
 * When: after the commit, not synchronised by itself: the database is the truth, the journal what is read when that is broken. Cut down
 * to what is needed at a start and when it has grown.
 * Threads: the writer's (and of open and close, when there is none).
 */
#ifndef LATENTD_SERVER_STORE_JOURNAL_H
#define LATENTD_SERVER_STORE_JOURNAL_H

#include "core/base/buf.h"
#include "core/base/err.h"

#include "api/job.h"

#include <stddef.h>

enum journal_word { JOURNAL_SUBMITTED = '+', JOURNAL_STATUS = '=', JOURNAL_DELETED = '-' };

void journal_path(char *path, size_t size, const char *data_dir);
/* Lines, appended to b. */
void journal_submitted(struct buf *b, const struct job *job);
void journal_status(struct buf *b, const char *job_id, enum job_status status, const char *stop_reason);
void journal_deleted(struct buf *b, const char *job_id);
/* Calls fn for each line that is whole, in order; text: what follows the word, ended by a NUL. ERR_NOT_FOUND. */
typedef int journal_fn(void *ctx, enum journal_word word, char *text, struct err *err);
int journal_read(const char *path, journal_fn *fn, void *ctx, struct err *err);

#endif
