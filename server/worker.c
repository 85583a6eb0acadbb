#include "server/worker.h"

#include "api/manifest.h"
#include "server/blob.h"
#include "server/checkpoint.h"
#include "server/clock.h"
#include "server/log.h"
#include "server/origin.h"
#include "server/task.h"
#include "server/worker_internal.h"

#include "core/model/fork.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- build --- */

/* The folder explains itself, should the database be lost. What it says never changes: once is enough, whichever attempt. */
static int write_manifest(struct run *r, struct err *err)
{
	char path[BLOB_PATH_MAX];
	struct buf b = BUF_INIT;
	blob_path(path, sizeof path, r->config->data_dir, r->job.id, "job.json");
	if (!access(path, F_OK))
		return OK;
	manifest_print(&b, &r->job, true);
	int code = b.failed ? err_set(err, ERR_NO_MEMORY, "out of memory") : blob_write(path, b.data, b.len, err);
	buf_free(&b);
	return code;
}

static int check_sha256(struct run *r, const char *then, struct err *err)
{
	if (!*then || !strcmp(then, r->data->sha256))
		return OK;
	return err_set(err, ERR_DATASET_CHANGED,
		"data set %s is not what this job began with (sha256 %.12s… then, %.12s… now); put the old files back or submit a "
		"new job",
		r->job.dataset, then, r->data->sha256);
}

static int plan(struct run *r, const struct family *family, const struct model_base *base, struct err *err)
{
	void *params;
	int code = spec_params_parse(family, r->job.params, &params, err);
	if (code)
		return code;
	const struct map image = {.c = r->data->c, .h = r->data->h, .w = r->data->w};
	code = model_plan_on(&r->model, family, params, base, image, r->data->classes, err);
	free(params);
	if (!code)
		run_series_init(r);
	return code;
}

/* The daemon that it was submitted to measured it; of one that came from a lost database nobody knows yet what it needs. */
static int measure(struct run *r, struct err *err)
{
	if (r->job.memory_bytes)
		return OK;
	r->job.memory_bytes = (int64_t)trainer_bytes(&r->model, r->data, pool_threads(r->config->pool));
	return store_measured(r->config->store, r->job.id, r->job.memory_bytes, err);
}

static int open_trainer(struct run *r, struct err *err)
{
	int code = measure(r, err);
	if (code)
		return code;
	return trainer_open(&r->trainer, &r->model, r->data, r->config->pool, r->config->kern, r->job.seed, err);
}

/* A fork never begins anew, nor from an earlier state that its folder has as well (the best one). */
static int fail_lost(const struct run *r, struct err *err)
{
	return err_set(err, ERR_CORRUPT,
		"the checkpoint of epoch %d that this fork goes on from is lost or damaged; fork %s again", r->job.from_epoch,
		r->job.from_job);
}

/* Its own checkpoints hold what a job that has begun goes on from. */
static int build_again(struct run *r, const struct family *family, struct err *err)
{
	struct checkpoint c;
	struct model m;
	real *w;
	int code = checkpoint_newest(&c, r->config->data_dir, r->job.id, NULL, NULL, err);
	if (code)
		return code;
	code = checkpoint_model(&c, &m, &w, err);
	checkpoint_free(&c);
	if (code)
		return code;
	free(w);
	code = plan(r, family, &m.base, err);
	model_free(&m);
	return code ? code : open_trainer(r, err);
}

/* At its first start it takes over what the other job has left. */
static int build_on(struct run *r, const struct family *family, struct err *err)
{
	struct origin o;
	int code = build_again(r, family, err);
	if (code != ERR_NOT_FOUND)
		return code;
	if (r->job.fork_step)
		return fail_lost(r, err);
	code = origin_load(&o, r->config->data_dir, r->job.from_job, r->job.from_epoch, err);
	if (code)
		return code;
	code = plan(r, family, &(struct model_base){o.model.family, o.model.family_params}, err);
	if (!code)
		code = open_trainer(r, err);
	if (!code)
		code = trainer_adopt(r->trainer, &o.model, o.w, &o.codes, err);
	origin_free(&o);
	return code;
}

int run_take_data(struct run *r, struct err *err)
{
	int code = cache_dataset(r->config->cache, r->job.dataset, &r->data, err);
	return code ? code : check_sha256(r, r->job.dataset_sha256, err);
}

static int build(struct run *r, struct err *err)
{
	int code = run_read_edits(r, err);
	if (!code)
		code = run_take_data(r, err);
	if (code)
		return code;
	if (r->family->adopt)
		return build_on(r, r->family, err);
	code = plan(r, r->family, &(struct model_base){0}, err);
	return code ? code : open_trainer(r, err);
}

/* --- resume --- */

static void skipped(void *ctx, const struct err *why)
{
	struct run *r = ctx;
	log_warn("checkpoint skipped", "job=%s error=%s", r->job.id, log_quote(why->message));
	run_log(r, "warn", "a damaged checkpoint was skipped: %s", why->message);
}

static bool kept(struct run *r, int epoch)
{
	char path[BLOB_PATH_MAX], name[64];
	blob_checkpoint_name(name, sizeof name, epoch);
	blob_path(path, sizeof path, r->config->data_dir, r->job.id, name);
	return !access(path, F_OK);
}

/* The other job's checkpoint, with the parameters of this one from here on. What the state points back to may be gone there. */
static int branch_off(struct run *r, const struct checkpoint *c, struct err *err)
{
	void *before;
	int code = checkpoint_params(c, r->model.family, &before, err);
	if (code)
		return code;
	trainer_fork(r->trainer, before);
	free(before);
	const int best = trainer_best(r->trainer).epoch, sound = trainer_sound_epoch(r->trainer);
	if (best && !kept(r, best)) {
		trainer_best_is_lost(r->trainer);
		run_log(r, "warn", "the checkpoint of epoch %d, the best so far, is no longer kept: epoch %d stands for it",
			best, c->number);
	}
	if (sound && !kept(r, sound))
		trainer_sound_is_lost(r->trainer);
	return OK;
}

static int restore(struct run *r, const struct checkpoint *c, struct err *err)
{
	char sha256[72] = "", level[24] = "";
	const char *now = cpu_name(r->config->kern->level);
	safetensors_metadata(&c->st, "dataset_sha256", sha256, sizeof sha256);
	safetensors_metadata(&c->st, "level", level, sizeof level);
	int code = check_sha256(r, sha256, err);
	if (!code)
		code = run_redo_edits(r, c->step - 1, err);
	if (!code)
		code = checkpoint_restore(c, r->trainer, err);
	if (!code && c->step == r->job.fork_step)
		code = branch_off(r, c, err);
	if (!code) /* took effect after the checkpoint, or before it: then they change nothing a second time */
		code = run_redo_edits(r, c->step, err);
	if (code)
		return code;
	run_log(
		r, "info", "goes on from step %lld of %lld", (long long)c->step, (long long)trainer_progress(r->trainer).steps);
	if (strcmp(level, now))
		run_log(r, "warn", "the numeric level changed from %s to %s: the last bits may differ", level, now);
	return OK;
}

/* A kill may have come right after the rename of a numbered file: what follows it is done now. */
static void finish_checkpoint(struct run *r, const struct checkpoint *c)
{
	if (!c->number)
		return;
	checkpoint_drop_inside(r->config->data_dir, r->job.id);
	run_checkpointed(r, c->number, c->size);
}

static int resume(struct run *r, struct err *err)
{
	struct checkpoint c;
	int code = checkpoint_newest(&c, r->config->data_dir, r->job.id, skipped, r, err);
	if (code)
		return code != ERR_NOT_FOUND ? code : r->job.fork_step ? fail_lost(r, err) : OK;
	code = c.step < r->job.fork_step ? fail_lost(r, err) : restore(r, &c, err);
	if (!code)
		code = run_recall(r, err);
	if (!code) {
		r->begin_step = r->epoch_step = r->saved_step = trainer_progress(r->trainer).step;
		r->saved_bytes = c.size;
		finish_checkpoint(r, &c);
	}
	checkpoint_free(&c);
	return code;
}

/* --- one run --- */

int run_begun(struct run *r, struct err *err)
{
	int code = write_manifest(r, err);
	if (code)
		return code;
	run_measure(r);
	store_progress(r->config->store, &r->job);
	log_info("job started", "job=%s kind=%s attempt=%d step=%lld steps=%lld", r->job.id, r->job.kind, r->job.attempt,
		(long long)r->job.step, (long long)r->job.steps);
	return OK;
}

static int begin(struct run *r, struct err *err)
{
	int code = build(r, err);
	if (code)
		return code;
	snprintf(r->job.dataset_sha256, sizeof r->job.dataset_sha256, "%s", r->data->sha256);
	r->begin_ms = r->epoch_ms = r->saved_ms = clock_ms();
	code = run_judge(r, err);
	if (!code)
		code = resume(r, err);
	if (!code)
		code = run_pruning_open(r, err);
	return code ? code : run_begun(r, err);
}

static int find_family(struct run *r, struct err *err)
{
	r->family = family_find(r->job.kind);
	if (!r->family)
		return err_set(err, ERR_INVALID, "this latentd knows no kind '%s'", r->job.kind);
	r->task = task_find(r->family);
	return OK;
}

/* Told to leave and then to go on, it takes up the loop again. */
static void work(struct run *r)
{
	struct hooks hooks = run_hooks;
	enum loop_end end;
	struct err err = {0};
	hooks.ctx = r;
	int code = find_family(r, &err);
	if (!code)
		code = r->task ? run_task_begin(r, &err) : begin(r, &err);
	do
		code = code ? code : r->task ? run_task(r, &end, &err) : train_loop(r->trainer, &hooks, &end, &err);
	while (!code && !run_settle(r, end));
	if (code && r->halted)
		run_settle_halted(r);
	else if (code == ERR_UNAVAILABLE)
		run_settle_waits(r);
	else if (code)
		run_settle_failed(r, &err);
}

void worker_run(struct worker *w, struct job *claimed)
{
	struct run *r = calloc(1, sizeof *r);
	if (!r) { /* it stays `running` and is taken up at the next start */
		log_error("job not started", "job=%s error=\"out of memory\"", claimed->id);
		job_free(claimed);
		return;
	}
	r->worker = w;
	r->config = w->config;
	r->job = *claimed;
	r->train_s_before = claimed->train_s;
	r->saved_step = -1;
	r->save_answered = atomic_load(&w->save_asked);
	work(r);
	if (r->task)
		r->task->close(r);
	cache_retire(r->config->cache, r->job.id);
	trainer_close(r->trainer);
	if (r->model.family)
		model_free(&r->model);
	if (r->data)
		dataset_put(r->data);
	edit_list_free(&r->edits);
	run_pruning_close(r);
	job_free(&r->job);
	free(r);
}
