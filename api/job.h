/* job.h: the job record, as the store keeps it and the API shows it, and the diagram of its states.
 *
 * Why: one struct between SQL rows and JSON; one table that says which change of state is legal and whose it is.
 * Owner: whoever filled it; job_free gives the texts back. Times are Unix milliseconds, 0 = not yet.
 * Not here: SQL (server/store.h), JSON (api/view.h).
 */
#ifndef LATENTD_API_JOB_H
#define LATENTD_API_JOB_H

#include "core/base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* A name has JOB_NAME_MAX characters at most, of UTF-8 up to four bytes each. */
enum { JOB_ID_SIZE = 32, JOB_NAME_MAX = 128, JOB_NAME_SIZE = 4 * JOB_NAME_MAX + 1, JOB_WORD = 32 };

/* status, name, terminal */
#define JOB_STATUSES(X)                    \
	X(JOB_QUEUED, "queued", false)         \
	X(JOB_RUNNING, "running", false)       \
	X(JOB_CANCELLING, "cancelling", false) \
	X(JOB_SUCCEEDED, "succeeded", true)    \
	X(JOB_FAILED, "failed", true)          \
	X(JOB_CANCELLED, "cancelled", true)

enum job_status {
#define X(status, name, terminal) status,
	JOB_STATUSES(X)
#undef X
		JOB_STATUS_COUNT
};

const char *job_status_name(enum job_status s);
bool job_status_parse(const char *name, enum job_status *ret);
bool job_terminal(enum job_status s);

/* Who moves a job: the rows of the diagram. */
enum job_actor { ACTOR_USER, ACTOR_WORKER, ACTOR_RESTART, ACTOR_DEPENDENCY };
struct job_move {
	enum job_status from, to;
	enum job_actor who;
};
extern const struct job_move job_moves[]; /* ends with from == to */
bool job_may_move(enum job_status from, enum job_status to);

struct job {
	char id[JOB_ID_SIZE]; /* "job_" + 16 characters */
	int64_t number;       /* order of submission, from 1 */
	char kind[JOB_WORD], preset[JOB_WORD], dataset[72], dataset_sha256[72];
	char name[JOB_NAME_SIZE]; /* "" = none */
	enum job_status status;
	char stop_reason[JOB_WORD]; /* "" until it ended: completed, user_cancel, diverged, … */
	int64_t created_at_ms, started_at_ms, finished_at_ms;
	int priority;
	uint64_t seed;
	int attempt; /* starts so far: 1 on the first */
	/* progress */
	int epoch, epochs;
	int64_t step, steps;
	double eta_ms, samples_per_s, train_s; /* eta < 0: unknown */
	/* what it goes on from: "" and 0 if nothing */
	char from_job[JOB_ID_SIZE];
	int from_epoch;
	double ancestors_train_s; /* of that job and those it goes on from */
	int64_t queue_position;   /* 1 = next; 0: not queued. Worked out when read */
	/* results */
	char best_metric[JOB_WORD];
	double best_value;
	int best_epoch;                               /* 0: none yet */
	char error_code[JOB_WORD], error_detail[480]; /* "" = none */
	/* texts, malloc'd JSON or NULL */
	char *params;             /* resolved, an object */
	char *metadata;           /* an object */
	char *depends_on;         /* an array of ids: what must have succeeded before; NULL: none */
	char *metrics;            /* {"train_loss":0.01,…}: the newest of each series */
	char *warnings;           /* an array of strings */
	char *test;               /* {"loss":0.02,…}: of the served weights, once it succeeded */
	char *generalisation_gap; /* {"metric":"loss","train":…,"val":…,"gap":…,"relative":…}, where there is validation */
};

/* Steps taken when `epoch` ends; 0 where the job has not begun. */
int64_t job_step_at(const struct job *job, int epoch);
void job_free(struct job *job);
/* A fresh "job_…" id from the kernel's random numbers: 16 of [0-9a-z], so that a list of names never needs quoting. */
int job_make_id(char id[JOB_ID_SIZE], struct err *err);

#endif
