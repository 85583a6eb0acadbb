/* worker_settle.c: how a run ends: its verdict, or that it waits for another start. */
#include "server/worker_internal.h"

#include "server/checkpoint.h"
#include "server/clock.h"
#include "server/log.h"
#include "server/mixture_file.h"
#include "server/task.h"

#include "core/model/mixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Where samples of the served weights come from, kept for whoever serves them. A run without it is a result all the same. */
static void keep_mixture(struct run *r)
{
	struct checkpoint c;
	struct model m;
	struct gmm g;
	real *w;
	struct err err = {0};
	if (!r->model.family->fitted_distribution ||
		checkpoint_pick(&c, r->config->data_dir, &r->job, r->job.best_epoch ? "best" : "last", &err))
		return;
	int code = checkpoint_model(&c, &m, &w, &err);
	if (!code) {
		code = mixture_fit(&g, &m, w, r->data, r->config->kern, r->config->pool, &err);
		if (!code) {
			code = mixture_write(r->config->data_dir, r->job.id, c.number, &g, &err);
			gmm_free(&g);
		}
		free(w);
		model_free(&m);
	}
	checkpoint_free(&c);
	if (!code)
		return;
	log_warn("no mixture", "job=%s error=%s", r->job.id, log_quote(err.message));
	run_log(r, "warn", "no mixture was fitted to the codes: %s", err.message);
}

/* Commands move a live job at any moment; from wherever they left it, it may end. */
static int move_from_here(struct run *r, enum job_status to, const struct store_change *change, struct err *err)
{
	enum { TRIES = 8 };
	enum job_status from;
	enum job_wish wish;
	int code = ERR_CONFLICT;
	for (int i = 0; i < TRIES && code == ERR_CONFLICT; i++) {
		code = store_state(r->config->store, r->job.id, &from, &wish, err);
		if (!code && !(job_live(from) && job_may_move(from, to)))
			return err_set(err, ERR_CONFLICT, "%s is %s", r->job.id, job_status_name(from));
		if (!code)
			code = store_move(r->config->store, r->job.id, from, to, change, err);
	}
	return code;
}

/* Of disks and memory; the run would not do the same again. */
static bool may_pass(int code)
{
	return code == ERR_NO_SPACE || code == ERR_IO || code == ERR_NO_MEMORY;
}

/* A full disk holds the verdict up, not back: until it is stored the job stays as it is. ERR_CONFLICT: something else is asked of
 * the job by now. */
static int settle(struct run *r, enum job_status to, const struct store_change *change)
{
	const struct timespec pause = {.tv_sec = 1};
	struct err err = {0};
	if (r->trainer || r->at.steps)
		run_measure(r);
	r->job.eta_ms = to == JOB_SUCCEEDED ? 0 : -1; /* also of a run that stopped early */
	store_progress(r->config->store, &r->job);
	int code = move_from_here(r, to, change, &err);
	while (may_pass(code) && !atomic_load(r->worker->drain)) {
		nanosleep(&pause, NULL);
		code = move_from_here(r, to, change, &err);
	}
	if (code && code != ERR_CONFLICT)
		log_error(
			"verdict not stored", "job=%s status=%s error=%s", r->job.id, job_status_name(to), log_quote(err.message));
	else
		log_info(code ? "verdict overtaken" : "job left", "job=%s status=%s reason=%s train_s=%.1f", r->job.id,
			job_status_name(to), change->stop_reason ? change->stop_reason : "", r->job.train_s);
	return code;
}

/* --- failed --- */

/* The wait doubles each time. */
static bool try_again(struct run *r, const struct err *why)
{
	enum { FIRST_MS = 1000 };
	const int64_t wait_ms = (int64_t)FIRST_MS << r->job.retries;
	if (!may_pass(why->code) || r->job.retries >= r->job.max_retries)
		return false;
	log_warn(
		"job will be tried again", "job=%s code=%s error=%s", r->job.id, err_slug(why->code), log_quote(why->message));
	run_log(r, "warn", "%s: %s; tried again in %lld s (%d of %d)", err_slug(why->code), why->message,
		(long long)wait_ms / 1000, r->job.retries + 1, r->job.max_retries);
	const struct store_change change = {.not_before_ms = clock_ms() + wait_ms};
	return settle(r, JOB_QUEUED, &change) == OK;
}

void run_settle_failed(struct run *r, const struct err *why)
{
	const struct store_change change = {.stop_reason = err_slug(why->code),
		.error_code = err_slug(why->code),
		.error_detail = why->message,
		.finished = true};
	if (try_again(r, why))
		return;
	log_warn("job failed", "job=%s code=%s error=%s", r->job.id, err_slug(why->code), log_quote(why->message));
	settle(r, JOB_FAILED, &change);
}

/* --- succeeded --- */

/* Where nothing tells epochs apart the newest weights are the best: here those inside an epoch, which have no number. */
static void forget_older_best(struct run *r)
{
	const struct progress at = trainer_progress(r->trainer);
	if (trainer_monitored(r->trainer) || at.step == r->job.best_epoch * at.steps_per_epoch)
		return;
	r->job.best_epoch = 0;
	r->job.best_value = 0;
	*r->job.best_metric = '\0';
}

/* What it leaves lies in its folder by then. */
static void settle_task(struct run *r, const char *reason)
{
	const struct store_change change = {.stop_reason = reason, .finished = true};
	struct err err = {0};
	const int64_t done_ms = clock_ms();
	int code = r->task->finish(r, &err);
	r->begin_ms += clock_ms() - done_ms; /* that is no step */
	if (code && r->halted)
		run_settle_halted(r);
	else if (code)
		run_settle_failed(r, &err);
	else if (!settle(r, JOB_SUCCEEDED, &change) && r->task->settled)
		r->task->settled(r);
}

static void settle_succeeded(struct run *r, const char *reason)
{
	struct run_results results;
	struct err err = {0};
	if (r->task) {
		settle_task(r, reason);
		return;
	}
	forget_older_best(r);
	if (run_results(r, &results, &err)) {
		run_settle_failed(r, &err);
		return;
	}
	const struct store_change change = {.stop_reason = reason,
		.test = results.test,
		.generalisation_gap = results.generalisation_gap,
		.finished = true};
	int64_t trained_ms = clock_ms();
	keep_mixture(r);
	r->begin_ms += clock_ms() - trained_ms; /* that is no training */
	settle(r, JOB_SUCCEEDED, &change);
	run_results_free(&results);
}

/* --- told to leave --- */

/* It goes on at the next start; until then the row says how far it is. */
static void put_by(struct run *r)
{
	if (r->trainer || r->at.steps)
		run_measure(r);
	store_progress(r->config->store, &r->job);
	log_info("job put by", "job=%s step=%lld", r->job.id, (long long)r->job.step);
}

static bool leave(struct run *r, enum run_order order)
{
	static const struct store_change paused = {0}, cancelled = {.stop_reason = "user_cancel", .finished = true};
	switch (order) {
	case RUN_ON:
		return false;
	case RUN_HOLD:
		if (settle(r, JOB_PAUSED, &paused) == ERR_CONFLICT)
			return leave(r, run_ask(r));
		return true;
	case RUN_STOP:
		settle_succeeded(r, "user_stop");
		return true;
	case RUN_LIMIT:
		settle_succeeded(r, "time_limit");
		return true;
	case RUN_PRUNED:
		settle_succeeded(r, "pruned");
		return true;
	case RUN_GIVE_UP:
		settle(r, JOB_CANCELLED, &cancelled);
		return true;
	case RUN_LOST:
		log_info("job given up", "job=%s", r->job.id);
		return true;
	case RUN_DRAIN:
		put_by(r);
		return true;
	}
	return true;
}

void run_settle_waits(struct run *r)
{
	static const struct store_change none = {0};
	if (settle(r, JOB_QUEUED, &none) == ERR_CONFLICT)
		leave(r, run_ask(r));
}

void run_settle_halted(struct run *r)
{
	if (!leave(r, r->leaving)) /* it is to go on by now */
		run_settle_waits(r);
}

bool run_settle(struct run *r, enum loop_end end)
{
	static const char *const reasons[] = {
		[LOOP_COMPLETED] = "completed", [LOOP_EARLY] = "early_stop", [LOOP_COLLAPSED] = "collapsed"};
	if (end == LOOP_STOPPED)
		return leave(r, r->leaving);
	settle_succeeded(r, reasons[end]);
	return true;
}
