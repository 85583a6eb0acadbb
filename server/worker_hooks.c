#include "server/worker_internal.h"

#include "server/blob.h"
#include "server/checkpoint.h"
#include "server/clock.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/retention.h"

#include <stdlib.h>

/* "At least once a second" and "at least every ten": a step and a write fit into what is left. The state of a task is small. */
enum { PUBLISH_MS = 800, SAVE_MS = 9000, TASK_SAVE_MS = 3000, SEE_MS = 100, STORE_MS = 1000 };

static void hook_point(void *ctx, const struct point *p)
{
	struct run *r = ctx;
	store_point(r->config->store, r->job.id, p->series, p->step, p->epoch, p->value);
	run_note_point(r, p);
}

void run_report_progress(struct run *r, int64_t now)
{
	if (now - r->seen_ms < SEE_MS)
		return;
	r->seen_ms = now;
	run_measure(r);
	if (now - r->stored_ms >= STORE_MS) {
		r->stored_ms = now;
		store_progress(r->config->store, &r->job);
	}
}

bool run_save_due(const struct run *r, int64_t now)
{
	const int64_t usual_ms = r->task ? TASK_SAVE_MS : SAVE_MS;
	return now - r->saved_ms >= (r->config->checkpoint_ms ? r->config->checkpoint_ms : usual_ms);
}

static int hook_edit(void *ctx, struct trainer *t, struct err *err)
{
	(void)t;
	return run_take_edits(ctx, err);
}

static unsigned hook_poll(void *ctx)
{
	static const unsigned answers[] = {
		[RUN_ON] = 0,
		[RUN_HOLD] = LOOP_SAVE | LOOP_STOP,
		[RUN_STOP] = LOOP_SAVE | LOOP_STOP,
		[RUN_LIMIT] = LOOP_SAVE | LOOP_STOP,
		[RUN_PRUNED] = LOOP_SAVE | LOOP_STOP,
		[RUN_GIVE_UP] = LOOP_STOP,
		[RUN_LOST] = LOOP_STOP,
		[RUN_DRAIN] = LOOP_SAVE | LOOP_STOP,
	};
	struct run *r = ctx;
	int64_t now = clock_ms();
	unsigned answer = 0;
	r->leaving = run_order(r);
	if (r->leaving == RUN_ON && run_is_pruned(r))
		r->leaving = RUN_PRUNED;
	if (r->leaving != RUN_ON)
		return answers[r->leaving];
	if (now - r->published_ms >= PUBLISH_MS)
		answer |= LOOP_PUBLISH;
	if (run_save_due(r, now) || run_save_asked(r))
		answer |= LOOP_SAVE;
	run_report_progress(r, now);
	return answer;
}

static void hook_alert(void *ctx, struct trainer *t, const struct alert *a)
{
	struct run *r = ctx;
	(void)t;
	log_warn("alert", "job=%s code=%s", r->job.id, a->code);
	run_alert(r, a);
}

static int hook_publish(void *ctx, struct trainer *t, struct err *err)
{
	struct run *r = ctx;
	int code = cache_publish(r->config->cache, r->job.id, t, err);
	r->published_ms = clock_ms();
	if (!code && trainer_progress(t).epoch > r->epoch)
		run_epoch_end(r);
	return code;
}

/* A preview is for looking at: that it failed is told, and training goes on. */
static int hook_preview(void *ctx, struct trainer *t, int epoch, struct err *err)
{
	struct run *r = ctx;
	const struct progress at = trainer_progress(t);
	const struct preview p = {.trainer = t,
		.data = r->data,
		.kern = r->config->kern,
		.seed = r->job.seed,
		.data_dir = r->config->data_dir,
		.job_id = r->job.id,
		.epoch = epoch,
		.step = at.epoch == epoch ? 0 : at.step};
	bool reconstructions, samples;
	if (preview_write(&p, &reconstructions, &samples, err)) {
		log_warn("preview failed", "job=%s step=%lld error=%s", r->job.id, (long long)at.step, log_quote(err->message));
		run_log(r, "warn", "the preview of step %lld failed: %s", (long long)at.step, err->message);
		*err = (struct err){0};
	} else if (reconstructions || samples) {
		const char *const what[2] = {reconstructions ? "reconstructions" : "samples", "samples"};
		run_previewed(r, p.epoch, p.step, what, reconstructions + samples);
	}
	return OK;
}

/* Of a job that was cancelled by force what was said is dropped: whoever goes on with it must find no state that is ahead of it. */
static int check_heard(struct run *r, struct err *err)
{
	enum job_status status;
	enum job_wish wish;
	int code = store_state(r->config->store, r->job.id, &status, &wish, err);
	if (!code && !job_live(status))
		code = err_set(err, ERR_CONFLICT, "%s is %s", r->job.id, job_status_name(status));
	return code;
}

int run_flush(struct run *r, struct err *err)
{
	int code = store_flush(r->config->store, err);
	return code ? code : check_heard(r, err);
}

/* First what was said up to this step, then the state: after a kill the curve must reach as far as the checkpoint. */
static int save(struct run *r, struct trainer *t, int epoch, struct err *err)
{
	const struct checkpoint_facts facts = {.job = &r->job, .level = cpu_name(r->config->kern->level)};
	struct buf file = BUF_INIT;
	int64_t begin = clock_us();
	int code = checkpoint_print(&file, t, &facts, err);
	if (!code)
		code = run_flush(r, err);
	if (!code)
		code = checkpoint_write(r->config->data_dir, r->job.id, epoch, &file, err);
	if (!code) {
		r->saved_bytes = file.len;
		r->saved_step = trainer_progress(t).step;
		metrics_observe(METRIC_CHECKPOINT_SECONDS, (double)(clock_us() - begin) / 1e6);
	}
	buf_free(&file);
	r->saved_ms = clock_ms();
	return code;
}

/* A file too many does no harm: whatever goes wrong here is tried again at the next one. */
static void thin(struct run *r, struct trainer *t)
{
	const struct train_params *p = r->model.family_params;
	struct checkpoint_info *all;
	int n;
	if (export_list(r->config->store, r->config->data_dir, &r->job, &all, &n, NULL))
		return;
	const int needed[2] = {r->job.best_epoch, trainer_sound_epoch(t)};
	retention_apply(&p->retention, needed, RETENTION_BUDGET_BYTES, all, &n);
	retention_remove(r->config->data_dir, r->job.id, all, n);
	free(all);
}

/* What was asked for is told as an event, too: whoever asked wakes by it. */
static void tell_inside(struct run *r, bool asked, int code, const struct err *err)
{
	if (code) {
		log_warn("checkpoint failed", "job=%s error=%s", r->job.id, log_quote(err->message));
		run_log(r, "warn", "a checkpoint inside the epoch failed: %s", err->message);
	} else if (asked) {
		run_checkpointed_inside(r);
	}
}

/* Inside an epoch a checkpoint only saves time after a kill: the run goes on without it. Where it is what is kept of the run, it
 * is needed. */
static int save_inside(struct run *r, struct trainer *t, struct err *err)
{
	const unsigned ask = atomic_load(&r->worker->save_asked);
	const bool asked = run_save_asked(r), needed = r->leaving == RUN_STOP || r->leaving == RUN_LIMIT || r->leaving == RUN_PRUNED;
	const struct progress at = trainer_progress(t);
	const bool there = at.step == r->saved_step;
	int code = there ? OK : save(r, t, 0, err);
	const bool numbered = there && at.step % at.steps_per_epoch == 0; /* which has been told */
	if (asked)
		run_answer_save(r, ask, numbered ? at.epoch : 0, code, err);
	tell_inside(r, asked && !numbered, code, err);
	if (code && needed)
		return err_wrap(err, "the checkpoint of step %lld", (long long)at.step);
	if (code)
		*err = (struct err){0};
	return OK;
}

/* At an epoch's end it is the result. */
static int hook_save(void *ctx, struct trainer *t, int epoch, struct err *err)
{
	struct run *r = ctx;
	if (epoch == 0)
		return save_inside(r, t, err);
	const unsigned ask = atomic_load(&r->worker->save_asked);
	int code = save(r, t, epoch, err);
	if (run_save_asked(r))
		run_answer_save(r, ask, epoch, code, err);
	if (code)
		return err_wrap(err, "the checkpoint of epoch %d", epoch);
	run_checkpointed(r, epoch, r->saved_bytes);
	thin(r, t);
	return OK;
}

static int hook_recall(void *ctx, struct trainer *t, int epoch, struct err *err)
{
	struct run *r = ctx;
	return checkpoint_roll_back(t, r->config->data_dir, r->job.id, epoch, err);
}

const struct hooks run_hooks = {
	.point = hook_point,
	.edit = hook_edit,
	.poll = hook_poll,
	.alert = hook_alert,
	.recall = hook_recall,
	.publish = hook_publish,
	.preview = hook_preview,
	.save = hook_save,
};
