/* worker.h: one job from claim to verdict: build, resume, train, settle.
 *
 * Why: everything a running job owns (data set, model, trainer) lives and dies in worker_run, on one thread.
 * Invariants: a checkpoint is written only after every point up to its step is committed, so a curve has no gap after a
 * kill; a job that is told to stop for a drain stays `running` in the store and goes on at the next start.
 * Not here: which job, how many at once (sched.h).
 */
#ifndef LATENTD_SERVER_WORKER_H
#define LATENTD_SERVER_WORKER_H

#include "server/sched.h"

#include <pthread.h>
#include <stdatomic.h>

/* What others may see of a worker while it runs; guarded by its lock. */
struct worker_view {
	char job_id[JOB_ID_SIZE]; /* "" = idle */
	int epoch;
	int64_t step, steps;
	double eta_ms, samples_per_s, train_s;
	char kind[JOB_WORD]; /* of the newest measurement of speed; "" = none yet */
	double flops_per_s;
};

struct worker {
	const struct sched_config *config;
	const atomic_bool *drain; /* checkpoint and leave */
	atomic_bool cancel;       /* leave: the user gave the job up */
	atomic_bool edit;         /* the store has a change of its parameters */
	pthread_mutex_t lock;
	struct worker_view view;
};

/* Runs the job that was claimed. Takes over its texts. */
void worker_run(struct worker *w, struct job *claimed);

#endif
