/* worker_edit.c: parameters that change under way, to the same bits whatever is killed.
 *
 * An edit is stored with the number of steps after which it takes effect, and that is durable before the next step is taken:
 * a run that repeats steps after a kill meets it at the same one. A new edit waits until such a run is past the last step of
 * which anything was told, so that no curve holds steps that were taken twice in different ways.
 */
#include "server/worker_internal.h"

#include "api/edit.h"
#include "server/log.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RETRY_S = 1 };

int run_read_edits(struct run *r, struct err *err)
{
	int code = store_edits(r->config->store, r->job.id, &r->edits, err);
	if (code || !r->edits.n)
		return code;
	char *first = strdup(r->edits.params_first);
	if (!first)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	free(r->job.params);
	r->job.params = first;
	return OK;
}

/* What the job's parameters are with the edit: the struct of its family, malloc'd. */
static int work_out(const struct run *r, const struct edit_row *e, void **ret, struct err *err)
{
	const struct family *f = r->model.family;
	struct json *patch;
	int code = json_parse(&patch, e->params, strlen(e->params), err);
	if (code)
		return code;
	void *params = malloc(f->params_size);
	if (params)
		memcpy(params, r->model.family_params, f->params_size);
	code = params ? spec_params_read(f, patch, params, err, NULL) : err_set(err, ERR_NO_MEMORY, "out of memory");
	json_free(patch);
	if (code)
		free(params);
	else
		*ret = params;
	return code;
}

static int print_params(const struct run *r, char **ret, struct err *err)
{
	struct buf b = BUF_INIT;
	struct jsonw w;
	jw_init(&w, &b, false);
	spec_params_write(&w, r->model.family, r->model.family_params);
	*ret = buf_take(&b, NULL);
	return *ret ? OK : err_set(err, ERR_NO_MEMORY, "out of memory");
}

/* The edit is in force from the step after `step` on; r->job.params say so. `message` (or NULL) gets what changed. */
static int enforce(struct run *r, const struct edit_row *e, int64_t step, struct buf *message, struct err *err)
{
	const struct family *f = r->model.family;
	void *then, *before = malloc(f->params_size);
	char *text;
	if (!before)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	memcpy(before, r->model.family_params, f->params_size);
	int code = work_out(r, e, &then, err);
	if (!code) {
		trainer_edit(r->trainer, then, step);
		free(then);
		if (message)
			edit_describe(message, f, before, r->model.family_params);
		code = print_params(r, &text, err);
	}
	free(before);
	if (code)
		return code;
	free(r->job.params);
	r->job.params = text;
	r->edited = e->number;
	return OK;
}

static const struct edit_row *next_edit(const struct run *r)
{
	int i = 0;
	while (i < r->edits.n && r->edits.row[i].number <= r->edited)
		i++;
	return i < r->edits.n ? &r->edits.row[i] : NULL;
}

int run_redo_edits(struct run *r, int64_t step, struct err *err)
{
	int code = OK;
	const struct edit_row *e;
	while (!code && (e = next_edit(r)) && e->step >= 0 && e->step <= step)
		code = enforce(r, e, e->step, NULL, err);
	return code;
}

/* A full disk holds the run up: no step is taken with an edit that is not on disk. Told to leave meanwhile, the run leaves it
 * as one that has not taken effect. */
static int make_durable(struct run *r, int64_t number, int64_t step, const char *message, struct err *err)
{
	const struct timespec pause = {.tv_sec = RETRY_S};
	const struct train_params *p = model_train(&r->model);
	for (;;) {
		int code = store_edit_settle(r->config->store, r->job.id, number, step, r->job.params, p->epochs, message, err);
		bool may_pass = code == ERR_NO_SPACE || code == ERR_IO || code == ERR_NO_MEMORY;
		if (!may_pass)
			return code;
		if (run_order(r) != RUN_ON)
			return OK;
		log_warn("change of a job not stored", "job=%s error=%s", r->job.id, log_quote(err->message));
		nanosleep(&pause, NULL);
	}
}

static int settle(struct run *r, const struct edit_row *e, int64_t step, struct err *err)
{
	struct buf message = BUF_INIT;
	int code = enforce(r, e, step, &message, err);
	buf_printf(&message, "%s at step %lld", message.len ? "" : "nothing changed", (long long)step);
	if (!code)
		code = message.failed ? err_set(err, ERR_NO_MEMORY, "out of memory")
							  : make_durable(r, e->number, step, message.data, err);
	if (!code)
		log_info("job edited", "job=%s change=%s", r->job.id, log_quote(message.data));
	buf_free(&message);
	return code;
}

static int read_new(struct run *r, struct err *err)
{
	struct edit_list l;
	atomic_store(&r->worker->edit, false); /* before the reading: what comes after it is told again */
	int code = store_edits(r->config->store, r->job.id, &l, err);
	if (code)
		return code;
	edit_list_free(&r->edits);
	r->edits = l;
	return OK;
}

int run_take_edits(struct run *r, struct err *err)
{
	bool asked = atomic_load(&r->worker->edit);
	const struct edit_row *e = next_edit(r);
	if (!asked && !e)
		return OK;
	int64_t step = trainer_progress(r->trainer).step;
	int code = asked ? read_new(r, err) : OK;
	while (!code && (e = next_edit(r))) {
		if (e->step > step || (e->step < 0 && step < r->edits.told_step))
			break;
		code = e->step < 0 ? settle(r, e, step, err) : enforce(r, e, e->step, NULL, err);
		run_measure(r);
	}
	return code;
}
