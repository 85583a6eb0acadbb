/* worker_orders.c: what is asked of a run, and by whom: its row, its own time limit, the daemon. */
#include "server/worker_internal.h"

#include "server/clock.h"
#include "server/log.h"

#include <stdio.h>
#include <string.h>

static enum run_order order_of(enum job_status status, enum job_wish wish)
{
	static const enum run_order orders[JOB_STATUS_COUNT] = {
		[JOB_QUEUED] = RUN_LOST,
		[JOB_RUNNING] = RUN_ON,
		[JOB_PAUSING] = RUN_HOLD,
		[JOB_PAUSED] = RUN_LOST,
		[JOB_CANCELLING] = RUN_GIVE_UP,
		[JOB_SUCCEEDED] = RUN_LOST,
		[JOB_FAILED] = RUN_LOST,
		[JOB_CANCELLED] = RUN_LOST,
	};
	return orders[status] == RUN_ON && wish == WISH_STOP ? RUN_STOP : orders[status];
}

enum run_order run_ask(struct run *r)
{
	enum job_status status;
	enum job_wish wish;
	struct err err = {0};
	atomic_store(&r->worker->told, false); /* before the reading: what comes after it is told again */
	int code = store_state(r->config->store, r->job.id, &status, &wish, &err);
	if (!code || code == ERR_NOT_FOUND) {
		r->order = code ? RUN_LOST : order_of(status, wish);
		return r->order;
	}
	log_warn("a job's state could not be read", "job=%s error=%s", r->job.id, log_quote(err.message));
	atomic_store(&r->worker->told, true);
	return r->order;
}

static bool over_time(const struct run *r)
{
	return r->job.time_limit_s &&
		   r->train_s_before + (double)(clock_ms() - r->begin_ms) / 1000 >= (double)r->job.time_limit_s;
}

/* What keeps what there is waits for the first step: there must be something to keep. */
static enum run_order once_begun(const struct run *r, enum run_order order)
{
	bool keeps = order == RUN_STOP || order == RUN_LIMIT;
	return keeps && run_progress(r).step == 0 ? RUN_ON : order;
}

enum run_order run_order(struct run *r)
{
	if (atomic_load(&r->worker->told))
		run_ask(r);
	enum run_order order = r->order;
	if (order == RUN_ON && atomic_load(r->worker->drain))
		order = RUN_DRAIN;
	if (order == RUN_ON && over_time(r))
		order = RUN_LIMIT;
	return once_begun(r, order);
}

bool run_save_asked(const struct run *r)
{
	return atomic_load(&r->worker->save_asked) != r->save_answered;
}

void run_answer_save(struct run *r, unsigned asked, int epoch, int code, const struct err *err)
{
	struct worker *w = r->worker;
	const struct progress at = trainer_progress(r->trainer);
	struct worker_saved saved = {.asked = asked,
		.code = code,
		.step = at.step,
		.epoch = epoch ? epoch : at.epoch,
		.inside = epoch == 0,
		.bytes = r->saved_bytes};
	memcpy(saved.job_id, r->job.id, sizeof saved.job_id);
	if (code)
		snprintf(saved.message, sizeof saved.message, "%.*s", (int)sizeof saved.message - 1, err->message);
	pthread_mutex_lock(&w->lock);
	w->saved = saved;
	pthread_mutex_unlock(&w->lock);
	r->save_answered = asked;
}
