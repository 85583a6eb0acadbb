/* store.h: all SQL: jobs, points, events. The truth about jobs is here and nowhere else.
 *
 * Threads: one writer thread owns the only read-write connection and the checkpoints of the WAL (SQLite before 3.51.3
 * corrupts otherwise); readers use read-only connections of their own. Any thread may call anything.
 * Durability: a call that answers OK is committed with synchronous=FULL. What a worker reports is queued and committed in
 * batches at most STORE_BATCH_MS apart, in order, together with any blocking call. An fsync that fails ends the process
 * (EXIT_IO) as a kill would: nobody is told of a commit that may not be on disk, nor that it is not.
 * Invariants: a change of status repeats `from` in its WHERE, so a race is ERR_CONFLICT, never corruption; an event gets
 * its number in the transaction that stores it and is visible only after COMMIT; a point whose step its series has already
 * is dropped (after a kill the worker repeats steps, bit-equal).
 * Not here: what a job computes (worker.h), files (blob.h).
 */
#ifndef LATENTD_SERVER_STORE_STORE_H
#define LATENTD_SERVER_STORE_STORE_H

#include "api/job.h"
#include "api/sse.h"
#include "api/view.h"
#include "core/base/err.h"

enum { STORE_BATCH_MS = 200 };

struct store;

/* Opens or creates data_dir/latentd.db, migrates, and moves the jobs that a killed daemon left as the rows of the restart say. */
int store_open(struct store **ret, const char *data_dir, struct err *err);
/* Commits what is queued, then closes. */
void store_close(struct store *s);
/* Called on the writer thread after each COMMIT, once per job that got an event or changed: wakes streams and waiters. Set
 * before the first write. */
typedef void store_notify_fn(void *ctx, const char *job_id, int64_t last_seq, enum job_status status);
void store_on_commit(struct store *s, store_notify_fn *fn, void *ctx);
/* At most so many jobs wait (0, as opened: no limit). */
void store_set_queue_limit(struct store *s, int jobs);
/* All jobs that run need at most so much (0, as opened: no limit): the next one in order waits until it fits beside them, and no other
 * overtakes it. */
void store_set_memory_limit(struct store *s, size_t bytes);

/* --- blocking writes --- */
/* Queues the job: sets number and created_at_ms; writes its first event (status queued). ERR_FULL at the queue's limit; ERR_INVALID
 * at #/depends_on if one of those is gone or has failed.. A fork (fork_step > 0) begins with the points that from_job has
 * up to that step, and with epoch, step, dataset_sha256 and best_* as they are in `job`. */
int store_insert(struct store *s, struct job *job, struct err *err);
/* A request that makes a job, under its client's key: however often and whenever it is repeated, it makes one, and each repetition
 * has the first reply. Kept for STORE_KEY_HOURS. */
enum { STORE_KEY_MAX = 255, STORE_KEY_HOURS = 24 };
struct store_key {
	const char *key, *digest; /* the client's word; the sha256 of all it asked for */
	int status;               /* of the reply */
	/* The reply, malloc'd: of the job as it stands when it is inserted, in that very transaction. */
	char *(*print)(void *ctx, struct job *job);
	void *ctx;
	/* found or made */
	bool replayed; /* the job was there already */
	char job_id[JOB_ID_SIZE];
	char *reply; /* malloc'd */
};
/* As store_insert, with a key (or NULL). ERR_KEY_REUSED when the key was another request's. */
int store_insert_once(struct store *s, struct job *job, struct store_key *key, struct err *err);
/* ERR_NOT_FOUND (no message) for a key that is new here, ERR_KEY_REUSED. */
int store_key_find(struct store *s, struct store_key *key, struct err *err);
/* from → to with its status event (and the end event when terminal). `change` may be NULL. ERR_CONFLICT "job_… is
 * running" if it is not in `from`. Earlier reports of the job are committed before. from == to: only a wish is set. Who leaves a
 * terminal state leaves its verdict behind; who enters one, its wish. */
struct store_change {
	const char *stop_reason, *error_code, *error_detail;
	const char *test, *generalisation_gap; /* JSON objects, or NULL */
	bool first_start;      /* a worker takes it: sets started_at_ms if unset, adds 1 to attempt, and the job is held */
	bool finished;         /* sets finished_at_ms */
	bool wishes;           /* sets wish */
	enum job_wish wish;
	int64_t not_before_ms; /* > 0: one more retry, not before then (monotonic) */
};
int store_move(struct store *s, const char *job_id, enum job_status from, enum job_status to,
	const struct store_change *change, struct err *err);
/* Next job by priority, then number, of those that wait for no other, that nobody holds and whose time has come: queued → running in one step.
 * ERR_NOT_FOUND when there is none, or the queue is paused. Whoever claims it holds it until store_release: no other claims it, and
 * what is reported of a job that is held and no longer running, pausing or cancelling (it was cancelled by force) is dropped. */
int store_claim(struct store *s, struct job *ret, struct err *err);
int store_release(struct store *s, const char *job_id, struct err *err);
/* A job that came without it (from a lost database) says what it needs, once it is claimed. ERR_UNAVAILABLE: not beside the others that
 * run; it is for its worker to let it wait. */
int store_measured(struct store *s, const char *job_id, int64_t memory_bytes, struct err *err);
/* When the next job's time comes (monotonic); 0: of none. */
int store_later(struct store *s, int64_t *ret_ms, struct err *err);
/* Paused, no job is claimed; kept over restarts. */
int store_pause_queue(struct store *s, bool paused, struct err *err);
enum { STORE_QUEUE_NEXT = 20 };
struct store_queue {
	bool paused;
	int64_t count[JOB_STATUS_COUNT]; /* of those that have not ended */
	int64_t memory_held, memory_limit; /* bytes, of those that run; limit 0: none */
	int n;
	char next[STORE_QUEUE_NEXT][JOB_ID_SIZE]; /* in the order in which they are claimed */
};
int store_queue(struct store *s, struct store_queue *ret, struct err *err);

/* --- a job goes --- */
/* All rows of a job that has ended; its files are the caller's to remove, and then to say so (store_buried). Until that is said the
 * id is kept as a tombstone, so that a kill in between leaves nothing half. ERR_CONFLICT for a job that has not ended, or that one
 * which has not ended needs. */
int store_delete(struct store *s, const char *job_id, struct err *err);
int store_buried(struct store *s, const char *job_id, struct err *err);
/* For an id whose folder is made before its row: a tombstone until store_insert takes it away. */
int store_promise(struct store *s, const char *job_id, struct err *err);
/* The next tombstone after `after` ("": the first). ERR_NOT_FOUND (no message): none. */
int store_tombstone(struct store *s, const char *after, char ret_id[JOB_ID_SIZE], struct err *err);
/* The daemon crashed while it worked for the job, as `mark` says: adds 1 to its crashes, unless that mark is the last one counted. A
 * job that waits and has had CRASHES_MAX of them fails (quarantined). An id that is no job's is passed over. */
int store_crashed(struct store *s, const char *job_id, const char *mark, const char *signal_name, struct err *err);

/* --- a job's parameters change while it waits or runs --- */
/* What is there (not NULL) is changed at once. Parameters take effect when the worker says at which step (store_edit_settle);
 * ERR_CONFLICT if the job has ended or its parameters are not params_now any more. One event tells of the others. A job that ends
 * before has its parameters back. */
struct store_edit {
	const char *name, *metadata;
	bool has_priority;
	int priority;
	const char *params_now, *params_then, *params; /* all before, all after, those that differ; epochs: among them after */
	int64_t epochs;
	const char *message; /* of the event; NULL: none */
};
int store_edit(struct store *s, const char *job_id, const struct store_edit *edit, struct err *err);
struct edit_row {
	int64_t number, step; /* taken effect after so many steps; -1: not yet */
	char *params;
};
/* All of them in order, the parameters before the first, and the last step of which any point tells. A job that was killed may
 * repeat steps: what is new takes effect after those. */
struct edit_list {
	int n;
	struct edit_row *row;
	char *params_first;
	int64_t told_step;
};
int store_edits(struct store *s, const char *job_id, struct edit_list *ret, struct err *err);
void edit_list_free(struct edit_list *l);
/* Durable before it returns, and before the step that follows is taken: edit `number` took effect after `step` steps; params and
 * epochs of the job are these now, unless further edits wait; a log event says `message`. */
int store_edit_settle(struct store *s, const char *job_id, int64_t number, int64_t step, const char *params, int64_t epochs,
	const char *message, struct err *err);

/* --- reports of workers: queued, never wait, copied --- */
void store_point(struct store *s, const char *job_id, const char *series, int64_t step, double epoch, double value);
/* body: JSON members without braces ("\"epoch\":3,\"step\":1266"). `unique` (or NULL): an event of this job, type and
 * unique text that is stored already is not stored again (repeated steps after a kill). */
void store_event(struct store *s, const char *job_id, enum event_type type, const char *unique, const char *body);
/* The running job's row: epoch, step, steps, eta_ms, samples_per_s, train_s, best_*, dataset_sha256, warnings. */
void store_progress(struct store *s, const struct job *job);
/* A result too large for the row: JSON by name ("confusion"); the one before is replaced. */
void store_result(struct store *s, const char *job_id, const char *name, const char *body);
/* Waits until everything this thread reported for the job is committed. */
int store_flush(struct store *s, struct err *err);

/* --- reads --- */
/* What a worker asks of its job between two steps. */
int store_state(struct store *s, const char *job_id, enum job_status *ret_status, enum job_wish *ret_wish, struct err *err);
/* The job has ended, and its last event is `seq`. */
int store_ended(struct store *s, const char *job_id, int64_t seq, bool *ret, struct err *err);
/* id, name (the newest job so named) or "latest". ERR_NOT_FOUND "no job 'x'; newest: job_…". */
int store_get(struct store *s, const char *ref, struct job *ret, struct err *err);
struct store_filter {
	const char *status, *kind, *name, *dataset; /* NULL: any; status may be a comma list */
	const char *study;                /* an id: its children; "": nobody's; not with dataset */
	const char *after;                /* job id, or NULL */
	int limit;
	bool ascending;
};
/* *ret_jobs: malloc'd, *ret_n of them, each to be job_free'd. */
int store_list(
	struct store *s, const struct store_filter *f, struct job **ret_jobs, int *ret_n, bool *ret_more, struct err *err);
/* Numbers of jobs per kind and status, for /metrics. */
int store_counts(struct store *s, void (*fn)(void *ctx, const char *kind, enum job_status status, int64_t n), void *ctx,
	struct err *err);
/* *ret malloc'd. ERR_NOT_FOUND when the job has no such result. */
int store_result_get(struct store *s, const char *job_id, const char *name, char **ret, struct err *err);
/* Events with seq > after, at most `limit`, oldest first; *ret_events malloc'd, each data to be freed. */
int store_events(struct store *s, const char *job_id, int64_t after, int limit, struct event **ret_events, int *ret_n,
	struct err *err);
/* Of types in a list by commas, at most `limit`: oldest first those with seq > after, or newest first those with seq < after (0: all). */
int store_events_of(struct store *s, const char *job_id, const char *types, int64_t after, bool newest_first, int limit,
	struct event **ret_events, int *ret_n, struct err *err);
/* Number of the job's newest event; 0: none. */
int store_last_seq(struct store *s, const char *job_id, int64_t *ret_seq, struct err *err);
/* Steps, both included. */
struct steps {
	int64_t from, to;
};
/* Names of the job's series in order of appearance, then one of them with steps >= from_step. */
int store_series(struct store *s, const char *job_id, char (**ret_names)[JOB_WORD], int *ret_n, struct err *err);
int store_curve(
	struct store *s, const char *job_id, const char *series, int64_t from_step, struct curve *ret, struct err *err);
/* The same for who will thin it to `points`: of a long curve not its points but means of some in a row, at least twice as many as
 * that, each with the least and greatest of them (curve->weight). */
int store_curve_about(struct store *s, const char *job_id, const char *series, struct steps span, size_t points,
	struct curve *ret, struct err *err);

#endif
