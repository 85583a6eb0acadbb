/* sched.h: which job runs next, on which worker; the verbs that change a job's fate.
 *
 * Threads: N worker threads live here; each claims a job, trains it, settles it. Any thread may call the verbs.
 * Invariants: a job acknowledged is on disk; only the worker that claimed a job moves it out of running.
 */
#ifndef LATENTD_SERVER_SCHED_H
#define LATENTD_SERVER_SCHED_H

#include "api/spec.h"
#include "api/view.h"
#include "core/base/pool.h"
#include "core/kern/kern.h"
#include "server/cache.h"
#include "server/store/store.h"

struct sched;

struct sched_config {
	struct store *store;
	struct cache *cache;
	struct pool *pool;
	const struct kern *kern;
	const char *data_dir;
	int workers;
	size_t memory_limit_bytes; /* for one job, and for all that run; 0: three quarters of the machine's */
	int queue_limit;
	/* optional */
	struct evaluator *evaluator; /* judges the samples of kinds that want it; NULL: nobody does */
	const char *path_prefix; /* of the urls in preview events; NULL: "" */
	int checkpoint_ms;       /* longest time between checkpoints; 0: within ten seconds */
};

int sched_open(struct sched **ret, const struct sched_config *config, struct err *err);
/* Stop taking work, have running jobs checkpoint at their next step, join the workers. They stay "running" in the store and
 * go on at the next start. */
void sched_close(struct sched *s);

/* Parameters, bytes, FLOPs; seconds per epoch, a guess from this machine's speed (speed.h) until this kind has run here. Fails where submit would. Both settle in
 * the spec what it leaves to the job that it goes on from: from_job, from_epoch, dataset. */
int sched_estimate(struct sched *s, struct spec *spec, struct estimate *ret, struct err *err);
/* ERR_INVALID for a net that cannot be built or does not fit, ERR_DATASET for a missing data set, ERR_FULL. With a key (or NULL): as
 * store_insert_once; *ret is the job, also one that the key made before. */
int sched_submit(struct sched *s, struct spec *spec, struct store_key *key, struct job *ret, struct err *err);
/* A job that goes on from a checkpoint of another (api/fork.h): `spec` and `changes` as fork_parse gave them, key as above. */
int sched_fork(struct sched *s, const char *ref, struct spec *spec, const struct json *changes, struct store_key *key,
	struct job *ret, struct err *err, struct err_more *more);
/* What such a job would be: as sched_estimate; the spec is then what it would be submitted with. */
int sched_estimate_fork(struct sched *s, const char *ref, struct spec *spec, const struct json *changes,
	struct estimate *ret, struct err *err, struct err_more *more);
/* What the rows of the command say (api/job.h); a worker that has the job is told. Idempotent. *ret: the job then; *ret_done: the
 * command has had its effect, else it is on its way. ERR_CONFLICT where there is no row. Not of COMMAND_CHECKPOINT. */
int sched_command(
	struct sched *s, const char *ref, enum job_command command, bool *ret_done, struct job *ret, struct err *err);
/* A worker writes a checkpoint as soon as it has finished its step: a ticket, which asks whether it is there. 0: none has the job. */
unsigned sched_ask_checkpoint(struct sched *s, const char *job_id);
/* The job that a spec would be, with an id, for whoever inserts it together with something else; then sched_wake. job_free. Fails where
 * submit would. */
int sched_prepare(struct sched *s, struct spec *spec, struct job *ret, struct err *err);
/* A job may be claimed now. */
void sched_wake(struct sched *s);
struct saved_checkpoint {
	int64_t step;
	int epoch;
	bool inside; /* an epoch; `epoch` have been finished */
	size_t bytes;
};
/* *ret_there: it is, or it failed, which is then the error. */
int sched_checkpoint(
	struct sched *s, const char *job_id, unsigned ticket, bool *ret_there, struct saved_checkpoint *ret, struct err *err);
/* Paused, no worker takes another job; what runs goes on. Kept over restarts. */
int sched_pause_queue(struct sched *s, bool paused, struct err *err);
/* As store_edit; a worker that has the job is told. */
int sched_edit(struct sched *s, const char *job_id, const struct store_edit *edit, struct err *err);
/* A worker has the job in hand, whatever its status. */
bool sched_holds(struct sched *s, const char *job_id);
/* Overlays what a running worker knows and the store does not yet: step, eta, speed. */
void sched_live(struct sched *s, struct job *job);

#endif
