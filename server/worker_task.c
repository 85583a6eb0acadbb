/* worker_task.c: the loop of a run that trains no net: steps of its task, and between them what every run owes to those who watch it. */
#include "server/worker_internal.h"

#include "server/clock.h"
#include "server/log.h"
#include "server/task.h"

#include <stdio.h>

int run_task_begin(struct run *r, struct err *err)
{
	int code = run_take_data(r, err);
	if (code)
		return code;
	snprintf(r->job.dataset_sha256, sizeof r->job.dataset_sha256, "%s", r->data->sha256);
	r->begin_ms = r->epoch_ms = r->saved_ms = clock_ms();
	run_series_init(r);
	code = r->task->open(r, err);
	if (code)
		return code;
	r->begin_step = r->epoch_step = r->saved_step = r->at.step;
	if (r->at.steps_per_epoch > 1) /* else what came before is part of the one step there is */
		r->epoch_ms = clock_ms();
	if (r->at.step)
		run_log(r, "info", "goes on from step %lld of %lld", (long long)r->at.step, (long long)r->at.steps);
	code = run_recall(r, err);
	if (!code)
		code = run_begun(r, err);
	if (!code && !r->at.step && r->task->show)
		code = r->task->show(r, err);
	return code;
}

void run_point(struct run *r, const char *series, double value)
{
	const struct point p = {.step = r->at.step,
		.epoch = (double)r->at.step / (double)r->at.steps_per_epoch,
		.series = series,
		.value = value};
	store_point(r->config->store, r->job.id, p.series, p.step, p.epoch, p.value);
	run_note_point(r, &p);
}

/* Inside a run it only saves time after a kill: the run goes on without. */
static void save(struct run *r)
{
	struct err err = {0};
	r->saved_ms = clock_ms();
	if (!r->task->save || r->saved_step == r->at.step)
		return;
	int code = run_flush(r, &err);
	if (!code)
		code = r->task->save(r, &err);
	if (!code) {
		r->saved_step = r->at.step;
		return;
	}
	log_warn("state not saved", "job=%s error=%s", r->job.id, log_quote(err.message));
	if (code != ERR_CONFLICT)
		run_log(r, "warn", "the state of step %lld was not saved: %s", (long long)r->at.step, err.message);
}

static bool must_leave(struct run *r)
{
	r->leaving = run_order(r);
	if (r->leaving == RUN_ON)
		return false;
	if (r->leaving != RUN_GIVE_UP && r->leaving != RUN_LOST)
		save(r);
	return true;
}

bool run_told_to_halt(void *ctx)
{
	struct run *r = ctx;
	const enum run_order order = run_order(r);
	r->halted = order == RUN_HOLD || order == RUN_GIVE_UP || order == RUN_LOST || order == RUN_DRAIN;
	if (r->halted)
		r->leaving = order;
	return r->halted;
}

static int step(struct run *r, struct err *err)
{
	r->at.step++;
	int code = r->task->step(r, err);
	if (code) {
		r->at.step--;
		return code;
	}
	const bool last = r->at.step == r->at.steps;
	if (!last && r->at.step % r->at.steps_per_epoch)
		return OK;
	r->at.epoch++;
	run_epoch_end(r);
	return r->task->show ? r->task->show(r, err) : OK;
}

int run_task(struct run *r, enum loop_end *ret_end, struct err *err)
{
	while (r->at.step < r->at.steps) {
		const int64_t now = clock_ms();
		if (must_leave(r)) {
			*ret_end = LOOP_STOPPED;
			return OK;
		}
		if (run_save_due(r, now))
			save(r);
		run_report_progress(r, now);
		int code = step(r, err);
		if (code)
			return code;
	}
	save(r); /* what follows may take its time */
	*ret_end = LOOP_COMPLETED;
	return OK;
}
