/* conductor.h: the thread that moves studies: it submits their trials, takes their verdicts and settles them.
 *
 * Why: a study is a job that takes no worker; what it does follows from its rows (core/lab/trials.h), so that a kill at any instant
 * changes nothing: whoever comes next reads the rows and goes on.
 * Threads: one, which sleeps until something has ended or somebody asks it to look. conductor_commit and conductor_wake may be called
 * by any; they take one lock, and nothing else under it.
 * Invariants: a trial's row and its job are there together (store/study.h); a point is a pure function of the study's seed, its number
 * and the trials 0 … number - parallel.
 * Not here: what a study is (api/study.h), which trials are ended early (worker_prune.c).
 */
#ifndef LATENTD_SERVER_CONDUCTOR_H
#define LATENTD_SERVER_CONDUCTOR_H

#include "api/study.h"
#include "server/sched.h"
#include "server/store/study.h"

struct conductor;
int conductor_open(struct conductor **ret, struct store *store, struct sched *sched, struct err *err);
/* Joins the thread; studies stay `running` in the store and go on at the next start. */
void conductor_stop(struct conductor *c);
/* After the store is closed: until then it may be told of commits. */
void conductor_close(struct conductor *c);
/* Look at all studies. NULL: nobody does. */
void conductor_wake(struct conductor *c);
/* Of a store_notify_fn, for each job that a commit has changed. */
void conductor_commit(struct conductor *c, enum job_status status);

#endif
