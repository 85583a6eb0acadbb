#include "server/verify.h"

#include "server/blob.h"
#include "server/checkpoint.h"
#include "server/look.h"

#include "api/spec.h"
#include "core/model/fork.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CURVES_MAX = 64 + LATENT_DIM_MAX };

/* One job, some of whose steps are taken again. */
struct again {
	const struct verify_config *config;
	struct verification *report;
	struct job job;
	struct checkpoint from;
	struct edit_list edits;
	struct dataset *data;
	struct model model; /* family NULL: not planned yet */
	struct trainer *trainer;
	struct look look;
	struct curve curve[CURVES_MAX]; /* from from_step on, as they are asked for */
	int curves;
	int stored_code; /* of a curve that could not be read */
	struct err stored_err;
};

const char *verify_what_name(enum verify_what w)
{
	static const char *const names[] = {
		[VERIFY_TENSOR] = "tensor", [VERIFY_POINT] = "point", [VERIFY_FILE] = "file", [VERIFY_END] = "end"};
	return names[w];
}

static bool same_so_far(const struct again *a)
{
	return a->report->what == VERIFY_SAME && !a->stored_code;
}

/* --- from where, and how far --- */

static int fail_checkpoint(struct err *err, const char *text)
{
	char copy[sizeof err->message];
	snprintf(copy, sizeof copy, "%s", text);
	return err_field(err, ERR_INVALID, "#/checkpoint", "%s", copy);
}

static int list_epochs(const struct again *a, int **ret, int *ret_n, struct err *err)
{
	return blob_epochs(a->config->data_dir, a->job.id, "checkpoints/epoch-", ".safetensors", ret, ret_n, err);
}

static int pick(struct again *a, const char *which, struct err *err)
{
	char number[24];
	int *epochs, n;
	if (!*which) {
		int code = list_epochs(a, &epochs, &n, err);
		if (code)
			return code;
		snprintf(number, sizeof number, "%d", n ? epochs[n > 1 ? n - 2 : 0] : 0);
		free(epochs);
		which = n ? number : "last";
	}
	int code = checkpoint_pick_numbered(&a->from, a->config->data_dir, &a->job, which, err);
	return code == ERR_NOT_FOUND || code == ERR_INVALID ? fail_checkpoint(err, err ? err->message : "") : code;
}

/* The step of the numbered checkpoint that follows; 0: there is none. */
static int next_step(const struct again *a, int64_t *ret, struct err *err)
{
	int *epochs, n, code = list_epochs(a, &epochs, &n, err);
	*ret = 0;
	if (code)
		return code;
	for (int i = n - 1; i >= 0; i--)
		if (epochs[i] > a->from.number)
			*ret = a->from.step / a->from.number * epochs[i];
	free(epochs);
	return OK;
}

static int choose_steps(struct again *a, int64_t steps, struct err *err)
{
	const int64_t known =
		a->edits.told_step - a->from.step; /* of every later checkpoint the points were stored before */
	int64_t next;
	char text[160];
	int code = next_step(a, &next, err);
	if (code)
		return code;
	if (known <= 0) {
		snprintf(text, sizeof text, "nothing is known of what follows epoch %d; choose an earlier one", a->from.number);
		return fail_checkpoint(err, text);
	}
	if (steps > known)
		return err_field(err, ERR_INVALID, "#/steps",
			"must be 1..%lld, so many the job has done since epoch %d; got %lld", (long long)known, a->from.number,
			(long long)steps);
	if (!steps) {
		steps = next ? next - a->from.step : known;
		steps = steps < VERIFY_STEPS ? steps : VERIFY_STEPS;
	}
	a->report->epoch = a->from.number;
	a->report->from_step = a->from.step;
	a->report->to_step = a->from.step + (steps < known ? steps : known);
	return OK;
}

/* --- the same trainer --- */

/* A fork goes on from the other job's checkpoint with parameters of its own. */
static bool branches_off(const struct again *a)
{
	return a->job.fork_step && a->from.step == a->job.fork_step;
}

static int plan(struct again *a, struct err *err)
{
	struct model saved;
	void *params = NULL;
	real *w;
	int code = checkpoint_model(&a->from, &saved, &w, err);
	if (code)
		return code;
	free(w);
	if (!branches_off(a)) {
		a->model = saved;
		return OK;
	}
	code = spec_params_parse(saved.family, a->edits.params_first, &params, err);
	if (!code)
		code = model_plan_on(&a->model, saved.family, params, &saved.base, saved.image, saved.classes, err);
	free(params);
	model_free(&saved);
	return code;
}

static int check_data(struct again *a, struct err *err)
{
	char sha256[72] = "";
	safetensors_metadata(&a->from.st, "dataset_sha256", sha256, sizeof sha256);
	int code = cache_dataset(a->config->cache, a->job.dataset, &a->data, err);
	if (code || !strcmp(sha256, a->data->sha256))
		return code;
	return err_set(err, ERR_DATASET_CHANGED, "data set %s is not what %s was trained on; put the old files back",
		a->job.dataset, a->job.id);
}

static bool kept(const struct again *a, int epoch)
{
	char path[BLOB_PATH_MAX], name[64];
	blob_checkpoint_name(name, sizeof name, epoch);
	blob_path(path, sizeof path, a->config->data_dir, a->job.id, name);
	return !access(path, F_OK);
}

static int branch_off(struct again *a, struct err *err)
{
	void *before;
	int code = checkpoint_params(&a->from, a->model.family, &before, err);
	if (code)
		return code;
	trainer_fork(a->trainer, before);
	free(before);
	const int best = trainer_best(a->trainer).epoch, sound = trainer_sound_epoch(a->trainer);
	if (best && !kept(a, best))
		trainer_best_is_lost(a->trainer);
	if (sound && !kept(a, sound))
		trainer_sound_is_lost(a->trainer);
	return OK;
}

static int check_memory(const struct again *a, struct err *err)
{
	enum { MIB = 1 << 20 };
	const size_t needed = trainer_bytes(&a->model, a->data, pool_threads(a->config->pool)),
				 limit = a->config->memory_bytes;
	if (!limit || needed <= limit)
		return OK;
	return err_set(err, ERR_UNAVAILABLE,
		"this needs %zu MiB, %zu MiB are left beside the jobs that run; ask again later", needed / MIB, limit / MIB);
}

static int open_trainer(struct again *a, struct err *err)
{
	const struct verify_config *c = a->config;
	int code = plan(a, err);
	if (!code)
		code = check_data(a, err);
	if (!code)
		code = check_memory(a, err);
	if (!code)
		code = trainer_open(&a->trainer, &a->model, a->data, c->pool, c->kern, a->job.seed, err);
	if (code)
		return code;
	a->look = (struct look){.model = &a->model,
		.trainer = a->trainer,
		.data = a->data,
		.pool = c->pool,
		.kern = c->kern,
		.seed = a->job.seed};
	code = look_open(&a->look, c->evaluator, err);
	if (!code)
		code = checkpoint_restore(&a->from, a->trainer, err);
	return !code && branches_off(a) ? branch_off(a, err) : code;
}

/* --- comparing --- */

static void differ(struct again *a, enum verify_what what, int64_t step, const char *name, const char *detail)
{
	struct verification *r = a->report;
	if (!same_so_far(a))
		return;
	r->what = what;
	r->step = step;
	r->index = -1;
	snprintf(r->name, sizeof r->name, "%s", name);
	snprintf(r->detail, sizeof r->detail, "%s", detail);
}

/* NULL: it could not be read. */
static struct curve *find_curve(struct again *a, const char *series)
{
	for (int i = 0; i < a->curves; i++)
		if (!strcmp(a->curve[i].series, series))
			return &a->curve[i];
	if (a->curves == CURVES_MAX)
		return NULL;
	struct curve *c = &a->curve[a->curves];
	a->stored_code = store_curve(a->config->store, a->job.id, series, a->from.step + 1, c, &a->stored_err);
	if (a->stored_code)
		return NULL;
	a->curves++;
	return c;
}

static const double *value_at(const struct curve *c, int64_t step)
{
	size_t low = 0, high = c->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (c->step[middle] < step)
			low = middle + 1;
		else
			high = middle;
	}
	return low < c->n && c->step[low] == step ? &c->value[low] : NULL;
}

static void on_point(void *ctx, const struct point *p)
{
	struct again *a = ctx;
	const struct curve *c = same_so_far(a) ? find_curve(a, p->series) : NULL;
	if (!c)
		return;
	const double *stored = value_at(c, p->step);
	a->report->points++;
	if (stored && (!memcmp(stored, &p->value, sizeof p->value) || (isnan(*stored) && isnan(p->value))))
		return;
	differ(a, VERIFY_POINT, p->step, p->series, stored ? "" : "the curve has no such point");
	a->report->expected = stored ? *stored : (double)NAN;
	a->report->got = p->value;
}

static void compare_state(struct again *a, const struct state *saved)
{
	struct verification *r = a->report;
	struct state live;
	struct state_difference d;
	trainer_state(a->trainer, &live);
	if (!live.failed && state_differs(&live, saved, &d)) {
		differ(a, VERIFY_TENSOR, trainer_progress(a->trainer).step, d.name,
			d.index < 0 ? "it is missing, or has another shape or type" : "");
		r->index = d.index;
		r->got = d.live;
		r->expected = d.saved;
	} else {
		r->checkpoints++;
		r->tensors += live.n;
	}
	state_free(&live);
}

static int on_save(void *ctx, struct trainer *t, int epoch, struct err *err)
{
	struct again *a = ctx;
	struct checkpoint c;
	if (!epoch || !same_so_far(a) || !kept(a, epoch))
		return OK;
	struct err why = {0};
	int code = checkpoint_load(&c, a->config->data_dir, a->job.id, epoch, &why);
	if (code == ERR_CORRUPT) {
		differ(a, VERIFY_FILE, trainer_progress(t).step, "", why.message);
		return OK;
	}
	if (code == ERR_NOT_FOUND) /* thinned out right now */
		return OK;
	if (code) {
		if (err)
			*err = why;
		return code;
	}
	compare_state(a, &c.st.state);
	checkpoint_free(&c);
	return OK;
}

/* --- on the way --- */

static int apply_edit(struct again *a, const struct edit_row *e, struct err *err)
{
	const struct family *f = a->model.family;
	struct json *patch;
	int code = json_parse(&patch, e->params, strlen(e->params), err);
	if (code)
		return code;
	void *then = malloc(f->params_size);
	if (then)
		memcpy(then, a->model.family_params, f->params_size);
	code = then ? spec_params_read(f, patch, then, err, NULL) : err_set(err, ERR_NO_MEMORY, "out of memory");
	if (!code)
		trainer_edit(a->trainer, then, e->step);
	free(then);
	json_free(patch);
	return code;
}

static int on_edit(void *ctx, struct trainer *t, struct err *err)
{
	struct again *a = ctx;
	const int64_t step = trainer_progress(t).step;
	int code = OK;
	for (int i = 0; i < a->edits.n && !code; i++)
		if (a->edits.row[i].step == step)
			code = apply_edit(a, &a->edits.row[i], err);
	return code;
}

static unsigned on_poll(void *ctx)
{
	struct again *a = ctx;
	const bool there = trainer_progress(a->trainer).step >= a->report->to_step;
	return there || !same_so_far(a) || atomic_load(a->config->stop) ? LOOP_STOP : 0;
}

static int on_recall(void *ctx, struct trainer *t, int epoch, struct err *err)
{
	struct again *a = ctx;
	return checkpoint_roll_back(t, a->config->data_dir, a->job.id, epoch, err);
}

static void hash_state(struct again *a)
{
	struct state s;
	struct sha256 h;
	uint8_t digest[SHA256_BYTES];
	trainer_state(a->trainer, &s);
	sha256_init(&h);
	for (int i = 0; i < s.n; i++) {
		const struct tensor *t = &s.tensor[i];
		sha256_update(&h, t->name, strlen(t->name) + 1);
		sha256_update(&h, dtype_name(t->dtype), strlen(dtype_name(t->dtype)) + 1);
		sha256_update(&h, t->data, t->bytes);
	}
	sha256_digest(&h, digest);
	sha256_hex(digest, a->report->sha256);
	state_free(&s);
}

static int take_steps(struct again *a, struct err *err)
{
	const struct hooks hooks = {
		.ctx = a, .point = on_point, .edit = on_edit, .poll = on_poll, .recall = on_recall, .save = on_save};
	enum loop_end end;
	struct err why = {0};
	int code = train_loop(a->trainer, &hooks, &end, &why);
	const int64_t step = trainer_progress(a->trainer).step;
	if (code && code != ERR_DIVERGED) {
		if (err)
			*err = why;
		return code;
	}
	if (a->stored_code) {
		if (err)
			*err = a->stored_err;
		return a->stored_code;
	}
	if (step < a->report->to_step && same_so_far(a)) {
		if (atomic_load(a->config->stop))
			return err_set(err, ERR_UNAVAILABLE, "the daemon is stopping");
		differ(a, VERIFY_END, step, "", code ? why.message : "it ended here, and the job went on");
	}
	a->report->to_step = step;
	hash_state(a);
	return OK;
}

static int run(struct again *a, const char *which, int64_t steps, struct err *err)
{
	struct err why = {0};
	int code = pick(a, which, &why);
	if (code == ERR_CORRUPT) { /* an answer, too */
		differ(a, VERIFY_FILE, 0, "", why.message);
		return OK;
	}
	if (!code)
		code = store_edits(a->config->store, a->job.id, &a->edits, &why);
	if (!code)
		code = choose_steps(a, steps, &why);
	if (!code)
		code = open_trainer(a, &why);
	if (!code)
		code = take_steps(a, &why);
	if (code && err)
		*err = why;
	return code;
}

static void close_again(struct again *a)
{
	trainer_close(a->trainer);
	if (a->model.family)
		model_free(&a->model);
	if (a->data)
		dataset_put(a->data);
	for (int i = 0; i < a->curves; i++)
		curve_free(&a->curve[i]);
	edit_list_free(&a->edits);
	checkpoint_free(&a->from);
	job_free(&a->job);
	free(a);
}

int verify(struct verification *ret, const struct verify_config *config, const char *ref, const char *which,
	int64_t steps, struct err *err)
{
	struct verification report = {.index = -1};
	struct again *a = calloc(1, sizeof *a);
	if (!a)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	a->config = config;
	a->report = &report;
	int code = store_get(config->store, ref, &a->job, err);
	if (!code) {
		memcpy(report.job_id, a->job.id, sizeof report.job_id);
		code = run(a, which, steps, err);
	}
	close_again(a);
	if (!code)
		*ret = report;
	return code;
}
