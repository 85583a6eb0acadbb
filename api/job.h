/* job.h: the job record, as the store keeps it and the API shows it, the diagram of its states, and what may be asked of it there.
 *
 * Why: one struct between SQL rows and JSON; one table that says which change of state is legal and whose it is, another that says
 * what each command makes of a job: the scheduler's verbs, the `allowed` of a job and of a refusal, and the tests walk both.
 * Owner: whoever filled it; job_free gives the texts back. Times are Unix milliseconds, 0 = not yet.
 * Not here: SQL (server/store/store.h), JSON (api/view.h).
 */
#ifndef LATENTD_API_JOB_H
#define LATENTD_API_JOB_H

#include "core/base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* A name has JOB_NAME_MAX characters at most, of UTF-8 up to four bytes each. */
enum { JOB_ID_SIZE = 32, JOB_NAME_MAX = 128, JOB_NAME_SIZE = 4 * JOB_NAME_MAX + 1, JOB_WORD = 32 };

/* status, name, terminal, live: it is a worker's */
#define JOB_STATUSES(X)                          \
	X(JOB_QUEUED, "queued", false, false)        \
	X(JOB_RUNNING, "running", false, true)       \
	X(JOB_PAUSING, "pausing", false, true)       \
	X(JOB_PAUSED, "paused", false, false)        \
	X(JOB_CANCELLING, "cancelling", false, true) \
	X(JOB_SUCCEEDED, "succeeded", true, false)   \
	X(JOB_FAILED, "failed", true, false)         \
	X(JOB_CANCELLED, "cancelled", true, false)

enum job_status {
#define X(status, name, terminal, live) status,
	JOB_STATUSES(X)
#undef X
		JOB_STATUS_COUNT
};

const char *job_status_name(enum job_status s);
bool job_status_parse(const char *name, enum job_status *ret);
bool job_terminal(enum job_status s);
bool job_live(enum job_status s);

/* Who moves a job: the rows of the diagram. */
enum job_actor { ACTOR_USER, ACTOR_WORKER, ACTOR_RESTART, ACTOR_DEPENDENCY };
struct job_move {
	enum job_status from, to;
	enum job_actor who;
};
extern const struct job_move job_moves[]; /* ends with from == to */
bool job_may_move(enum job_status from, enum job_status to);
/* The row of the start after a kill: what a job that was in `from` becomes; NULL: it stays. */
const struct job_move *job_restart_move(enum job_status from);

/* What a worker is asked beside what the status says; survives a kill. */
enum job_wish { WISH_NONE, WISH_STOP, WISH_COUNT };
const char *job_wish_name(enum job_wish w); /* "" for none */
bool job_wish_parse(const char *name, enum job_wish *ret);

/* What a user may ask of a job: command, name. One with force is another command of the same name. */
#define JOB_COMMANDS(X)               \
	X(COMMAND_PAUSE, "pause")         \
	X(COMMAND_RESUME, "resume")       \
	X(COMMAND_STOP, "stop")           \
	X(COMMAND_CANCEL, "cancel")       \
	X(COMMAND_FORCE_CANCEL, "cancel") \
	X(COMMAND_RETRY, "retry")         \
	X(COMMAND_CHECKPOINT, "checkpoint")

enum job_command {
#define X(command, name) command,
	JOB_COMMANDS(X)
#undef X
		JOB_COMMAND_COUNT
};
const char *job_command_name(enum job_command c);

/* What a command makes of a job that is in `from`; where there is no row it is refused. */
struct job_command_row {
	enum job_command command;
	enum job_status from, to; /* equal: it is there, or on its way */
	enum job_wish wish;       /* and this is wished then */
	bool begun;               /* only of a job that has taken a step */
};
extern const struct job_command_row job_command_rows[]; /* ends with command == JOB_COMMAND_COUNT */

struct job {
	char id[JOB_ID_SIZE]; /* "job_" + 16 characters */
	int64_t number;       /* order of submission, from 1 */
	char kind[JOB_WORD], preset[JOB_WORD], dataset[72], dataset_sha256[72];
	char name[JOB_NAME_SIZE]; /* "" = none */
	char study[JOB_ID_SIZE];  /* whose child it is; "" = nobody's */
	enum job_status status;
	char stop_reason[JOB_WORD]; /* "" until it ended: completed, user_cancel, diverged, … */
	enum job_wish wish;
	int64_t created_at_ms, started_at_ms, finished_at_ms;
	int priority;
	uint64_t seed;
	int attempt;              /* starts so far: 1 on the first */
	int64_t time_limit_s;     /* of train_s; 0: none */
	int max_retries, retries; /* after failures that may pass: at most, so far */
	/* progress */
	int epoch, epochs;
	int64_t step, steps;
	double eta_ms, samples_per_s, train_s; /* eta < 0: unknown */
	/* what it goes on from: "" and 0 if nothing */
	char from_job[JOB_ID_SIZE];
	int from_epoch;
	int64_t memory_bytes;     /* that it needs to be trained, measured before it began; 0: not known */
	int64_t fork_step;        /* a fork: the steps it took over with that job's state; else 0 */
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
	char *trial;              /* of a study's child: {"study":"job_…","phase":"trial","number":3,…}; NULL: nobody's */
	char *metrics;            /* {"train_loss":0.01,…}: the newest of each series */
	char *warnings;           /* an array of strings */
	char *test;               /* {"loss":0.02,…}: of the served weights, once it succeeded */
	char *generalisation_gap; /* {"metric":"loss","train":…,"val":…,"gap":…,"relative":…}, where there is validation */
};

/* A job of this kind can be asked that at all: a checkpoint is of those that train. */
bool job_command_exists(const struct job *job, enum job_command command);
/* The row for a command now; NULL: it is refused. */
const struct job_command_row *job_command_find(const struct job *job, enum job_command command);
/* The command would change something. */
bool job_command_changes(const struct job *job, enum job_command command);
/* The command has had its effect. */
bool job_command_done(const struct job *job, enum job_command command);
/* The command was taken and has not had its effect yet. */
bool job_command_waits(const struct job *job, enum job_command command);

/* OK, or ERR_UNSUPPORTED (family_check_trains): its kind trains no net. A kind that nobody knows here may have. */
int job_check_trains(const struct job *job, struct err *err);
/* Steps taken when `epoch` ends; 0 where the job has not begun. */
int64_t job_step_at(const struct job *job, int epoch);
void job_free(struct job *job);
/* A fresh "job_…" id from the kernel's random numbers: 16 of [0-9a-z], so that a list of names never needs quoting. */
int job_make_id(char id[JOB_ID_SIZE], struct err *err);

#endif
