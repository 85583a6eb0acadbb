/* worker_internal.h: one run of one job, shared by worker.c (life), worker_hooks.c (what the loop calls),
 * worker_orders.c (what is asked of it), worker_report.c (what it says to the store), worker_settle.c (how it ends),
 * worker_results.c (what its end is worth) and worker_task.c (in place of the loop, where no net is trained).
 *
 * Owner: the worker's thread, alone.
 */
#ifndef LATENTD_SERVER_WORKER_INTERNAL_H
#define LATENTD_SERVER_WORKER_INTERNAL_H

#include "server/look.h"
#include "server/preview.h"
#include "server/worker.h"

#include "core/model/train.h"

enum { RUN_SERIES_MAX = 40 };

/* A row of the kind's series: its newest point; where it has a point per step, also what the epochs are told by. Curves of
 * units have none. */
struct run_series {
	const struct series *row;
	int64_t step; /* of the newest point; 0: none yet */
	double value;
	double sum; /* of the points in the present epoch */
	int64_t n;
	double mean; /* of the epoch before */
};

/* What is asked of a run, between two steps. */
enum run_order {
	RUN_ON,
	RUN_HOLD,    /* checkpoint, then paused */
	RUN_STOP,    /* end here and keep the model */
	RUN_LIMIT,   /* the same, because its time is up */
	RUN_PRUNED,  /* the same, because other trials of its study did better */
	RUN_GIVE_UP, /* cancelled */
	RUN_LOST,    /* it is no longer this worker's: cancelled by force */
	RUN_DRAIN,   /* checkpoint; it goes on at the next start */
};

struct task;

struct run {
	struct worker *worker;
	const struct sched_config *config;
	struct job job; /* the row; its progress fields are what is reported next */
	const struct family *family;
	struct dataset *data;
	/* of a kind that trains no net: what it does instead, where it stands, and its own */
	const struct task *task; /* NULL: it trains */
	struct progress at;      /* steps 0: not opened yet */
	void *work;
	const char *work_name; /* what its speed is of, and the FLOPs of an epoch of that */
	double epoch_flops;
	/* of the others */
	struct model model; /* family NULL: not planned yet */
	struct trainer *trainer;
	struct look look; /* at its samples */

	int64_t begin_ms, begin_step; /* of this run, monotonic */
	double train_s_before;        /* in earlier runs */
	int64_t published_ms, saved_ms, seen_ms, stored_ms;
	enum run_order order;   /* what the row said when it was read last */
	enum run_order leaving; /* why it leaves the loop; RUN_ON: it does not */
	bool halted;            /* a pass was given up for that */
	int64_t saved_step; /* of the newest checkpoint; -1: none */
	size_t saved_bytes;
	unsigned save_answered; /* of worker->save_asked */
	size_t counted; /* samples told to metrics */

	struct pruning *pruning; /* of a trial; NULL: nothing ends it early */

	struct edit_list edits; /* of the job's parameters */
	int64_t edited;         /* number of the last one in force */

	int epoch;                    /* newest one whose end was reported */
	int64_t epoch_ms, epoch_step; /* where the present one (or this run's part of it) began */
	int rows;
	struct run_series series[RUN_SERIES_MAX];
};

/* worker.c: its data set, which is the one that it began with; the name of its kind's file for people; what it says at its start. */
int run_take_data(struct run *r, struct err *err);
int run_begun(struct run *r, struct err *err);

/* worker_hooks.c: ctx is the run. */
extern const struct hooks run_hooks;
/* Now and then: how far it is. */
void run_report_progress(struct run *r, int64_t now_ms);
/* It is time to save. */
bool run_save_due(const struct run *r, int64_t now_ms);
/* What was said up to here is stored, and heard: ERR_CONFLICT once the job is no longer this run's. Before a state is written. */
int run_flush(struct run *r, struct err *err);

/* worker_task.c: train_loop of a run that has a task, from where it stands to the last step or until something else is asked; at
 * first run_task_begin. */
int run_task_begin(struct run *r, struct err *err);
int run_task(struct run *r, enum loop_end *ret_end, struct err *err);
/* ctx is the run, for struct halt (core/lab/halt.h): it is to leave now. What only ends it sooner waits for the pass. */
bool run_told_to_halt(void *ctx);
/* A point of its step. */
void run_point(struct run *r, const char *series, double value);

/* worker_orders.c: what is asked of it now: reads the row if somebody told, looks at the clock and at the daemon. */
enum run_order run_order(struct run *r);
/* Reads the row, told or not. */
enum run_order run_ask(struct run *r);
/* Somebody asked for a checkpoint that has not been written yet. */
bool run_save_asked(const struct run *r);
/* Whoever asked before `asked` was read is answered: `code`, or the checkpoint of `epoch` (0: inside one). */
void run_answer_save(struct run *r, unsigned asked, int epoch, int code, const struct err *err);

/* worker_prune.c: a trial of a study. Once it stands where it begins: what the others have come to, if the study wants to know. */
int run_pruning_open(struct run *r, struct err *err);
void run_pruning_close(struct run *r);
/* Between two steps: whether an epoch has ended after which it is not worth going on. */
bool run_is_pruned(struct run *r);

/* worker_settle.c: the verdict goes to the store. False: there is none after all, the run goes on. */
bool run_settle(struct run *r, enum loop_end end);
void run_settle_failed(struct run *r, const struct err *why);
/* Told to leave in the middle of a pass that was given up: what is stored is from before it. */
void run_settle_halted(struct run *r);
/* It does not fit beside the others that run: the queue has it again. */
void run_settle_waits(struct run *r);

/* worker_results.c: what the weights that will be served are worth, as JSON; NULL where there is nothing to tell. */
struct run_results {
	char *test, *generalisation_gap;
};
int run_results(struct run *r, struct run_results *ret, struct err *err);
void run_results_free(struct run_results *results);

/* worker_judge.c: once the trainer is there, who judges its samples, if the kind asks for it and somebody knows the data set. */
int run_judge(struct run *r, struct err *err);
/* What it says of samples of weights w, as members of an object that is open. */
int run_score(struct run *r, const real *w, struct jsonw *out, struct err *err);

/* worker_edit.c: parameters that change under way. */
/* Before the model is planned: the parameters become what they were at the first step. */
int run_read_edits(struct run *r, struct err *err);
/* A checkpoint is being restored: what had taken effect after so many steps is in force. */
int run_redo_edits(struct run *r, int64_t step, struct err *err);
/* Between two steps: edits that took effect here before a kill do so again; a new one does, once that is on disk. */
int run_take_edits(struct run *r, struct err *err);

/* worker_report.c */
void run_log(struct run *r, const char *level, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Works out speed and the time left; shows them to sched_live. */
void run_measure(struct run *r);
/* Once the model is planned: no point of any series yet. */
void run_series_init(struct run *r);
void run_note_point(struct run *r, const struct point *p);
/* After a restore: the headlines' sums over the epoch so far, from the stored curves. */
int run_recall(struct run *r, struct err *err);
/* Once per epoch, when its points are in. */
void run_epoch_end(struct run *r);
/* The checkpoint of the epoch that just ended (or was resumed from): its event, and the best so far. */
void run_checkpointed(struct run *r, int epoch, size_t bytes);
/* One inside an epoch, which somebody asked for. */
void run_checkpointed_inside(struct run *r);
/* Tells it as an event, and among the job's warnings. */
void run_alert(struct run *r, const struct alert *a);
/* n pictures of one moment; step 0: the end of `epoch`. */
void run_previewed(struct run *r, int epoch, int64_t step, const char *const *what, int n);
/* Where it stands, whoever takes the steps. */
struct progress run_progress(const struct run *r);
/* Samples drawn in the first `step` steps. */
size_t run_samples(const struct progress *p, int64_t step);

#endif
