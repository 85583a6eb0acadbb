/* worker.h: one job from claim to verdict: build, resume, train, settle.
 *
 * Why: everything a running job owns (data set, model, trainer) lives and dies in worker_run, on one thread.
 * Invariants: a checkpoint is written only after every point up to its step is committed, so a curve has no gap after a
 * kill; a job that is told to stop for a drain stays `running` in the store and goes on at the next start. What is asked of a run
 * its row says: a worker that is told reads it between two steps, and again when its verdict meets a row that has changed.
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
	char work[JOB_WORD]; /* of the newest measurement of speed: a kind that trains, or what another does; "" = none yet */
	double flops_per_s;
};

/* The newest checkpoint since somebody asked for one; guarded by the lock. It outlives the run. */
struct worker_saved {
	char job_id[JOB_ID_SIZE];
	unsigned asked; /* the ticket that it answers, and all before */
	int code;       /* not OK: it failed, and `message` says why */
	char message[240];
	int64_t step;
	int epoch;
	bool inside; /* an epoch; `epoch` have been finished */
	size_t bytes;
};

struct worker {
	const struct sched_config *config;
	const atomic_bool *drain; /* checkpoint and leave */
	atomic_bool told;         /* the row of its job has changed */
	atomic_bool edit;         /* the store has a change of its parameters */
	atomic_uint save_asked;   /* ticket of the newest request for a checkpoint */
	pthread_mutex_t lock;
	struct worker_view view;
	struct worker_saved saved;
};

/* Runs the job that was claimed. Takes over its texts. */
void worker_run(struct worker *w, struct job *claimed);

#endif
