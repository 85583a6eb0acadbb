/* crash.h: which job the daemon died of, if it was a job: a mark on disk for each, counted at the next start.
 *
 * Why: a job whose work makes the process crash would be taken up again at each start, and take its neighbours with it for ever.
 * Counted is what is raised inside the process (SEGV, BUS, FPE, ILL, ABRT), never SIGKILL, a signal of somebody else's, or a lost
 * machine. A crash on a thread that works for a job counts for that job: its worker, and a compute thread on its behalf
 * (pool_owner). On a thread that serves requests it counts for nobody; on any other, for all the jobs that run.
 * Owner: main opens it once the directory is locked. The handler writes to a descriptor opened before, syncs it and lets the
 * signal do what it would have done: exit status and core dump are those of the crash.
 * Not here: what follows (store_crashed: after CRASHES_MAX of them the job fails, "quarantined").
 */
#ifndef LATENTD_SERVER_CRASH_H
#define LATENTD_SERVER_CRASH_H

#include "core/base/err.h"

#include <signal.h>

struct store;

enum { CRASHES_MAX = 3 };

/* Tells the store of the marks that the daemons before left, then watches for crashes of this one. */
int crash_open(struct store *store, const char *data_dir, struct err *err);
/* This thread works for the job until crash_job_end. At most CRASH_JOBS_MAX threads at a time are told apart. */
enum { CRASH_JOBS_MAX = 64 };
void crash_job_begin(const char *job_id);
void crash_job_end(void);
/* This thread serves requests. */
void crash_serves_requests(void);
/* All signals but those of a crash: blocked, these would end the process without a mark. */
void crash_mask(sigset_t *ret);

#endif
