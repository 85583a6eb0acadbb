#include "server/checkpoint.h"

#include "api/spec.h"
#include "core/model/fork.h"
#include "server/blob.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PARAMS_TEXT_MAX = 16384 };
static const char prefix[] = "checkpoints/epoch-", suffix[] = ".safetensors";

static void path_of(char path[BLOB_PATH_MAX], const char *data_dir, const char *job_id, int epoch)
{
	char name[64];
	blob_checkpoint_name(name, sizeof name, epoch);
	blob_path(path, BLOB_PATH_MAX, data_dir, job_id, name);
}

/* --- writing --- */

/* What it goes on from, so that the file is enough to build the model. */
static void print_base(struct buf *b, const struct model *m)
{
	struct jsonw w;
	jw_init(&w, b, false);
	spec_params_write(&w, m->base.family, m->base.params);
}

int checkpoint_print(struct buf *b, struct trainer *t, const struct checkpoint_facts *facts, struct err *err)
{
	const struct job *job = facts->job;
	const struct model *m = trainer_model(t);
	struct progress p = trainer_progress(t);
	char seed[24], image[40], classes[12], epoch[12], step[24];
	snprintf(seed, sizeof seed, "%llu", (unsigned long long)job->seed);
	snprintf(image, sizeof image, "%d,%d,%d", m->image.c, m->image.h, m->image.w);
	snprintf(classes, sizeof classes, "%d", m->classes);
	snprintf(epoch, sizeof epoch, "%d", p.epoch);
	snprintf(step, sizeof step, "%lld", (long long)p.step);
	struct buf base = BUF_INIT;
	if (m->base.family)
		print_base(&base, m);
	const struct metadata_entry metadata[] = {
		{"format", "latentd-1"},
		{"kind", job->kind},
		{"dataset", job->dataset},
		{"dataset_sha256", job->dataset_sha256},
		{"image", image},
		{"classes", classes},
		{"seed", seed},
		{"params", job->params},
		{"epoch", epoch},
		{"step", step},
		{"level", facts->level},
		{"base_kind", m->base.family ? m->base.family->name : NULL},
		{"base_params", base.data},
	};
	const int entries = sizeof metadata / sizeof *metadata - (m->base.family ? 0 : 2);
	struct state state;
	trainer_state(t, &state);
	int code = state.failed || base.failed ? err_set(err, ERR_NO_MEMORY, "out of memory")
										   : safetensors_write(b, &state, metadata, entries, true, err);
	state_free(&state);
	buf_free(&base);
	return code;
}

int checkpoint_write(const char *data_dir, const char *job_id, int epoch, const struct buf *file, struct err *err)
{
	char path[BLOB_PATH_MAX];
	path_of(path, data_dir, job_id, epoch);
	int code = blob_write(path, file->data, file->len, err);
	if (!code && epoch > 0)
		checkpoint_drop_inside(data_dir, job_id);
	return code;
}

void checkpoint_drop_inside(const char *data_dir, const char *job_id)
{
	char path[BLOB_PATH_MAX];
	path_of(path, data_dir, job_id, 0);
	unlink(path);
}

/* --- reading --- */

static int read_counters(struct checkpoint *c, struct err *err)
{
	char text[24];
	char *end;
	if (!safetensors_metadata(&c->st, "step", text, sizeof text))
		return err_set(err, ERR_CORRUPT, "the metadata has no step");
	c->step = strtoll(text, &end, 10);
	if (*end || c->step < 0 || !safetensors_metadata(&c->st, "epoch", text, sizeof text))
		return err_set(err, ERR_CORRUPT, "the metadata has no valid step and epoch");
	c->epoch = atoi(text);
	return OK;
}

int checkpoint_load(struct checkpoint *ret, const char *data_dir, const char *job_id, int epoch, struct err *err)
{
	char path[BLOB_PATH_MAX], name[64];
	struct checkpoint c = {.number = epoch};
	path_of(path, data_dir, job_id, epoch);
	int code = blob_read(path, &c.file, &c.size, err);
	if (code)
		return code;
	code = safetensors_read(&c.st, c.file, c.size, err);
	if (code) {
		free(c.file);
	} else {
		code = c.st.has_checksum ? read_counters(&c, err) : err_set(err, ERR_CORRUPT, "it has no checksum");
		if (code)
			checkpoint_free(&c);
	}
	if (!code)
		*ret = c;
	blob_checkpoint_name(name, sizeof name, epoch);
	return code ? err_wrap(err, "%s", name) : OK;
}

void checkpoint_free(struct checkpoint *c)
{
	safetensors_free(&c->st);
	free(c->file);
	*c = (struct checkpoint){0};
}

/* The newest numbered file that is whole. */
static int newest_numbered(struct checkpoint *ret, const char *data_dir, const char *job_id,
	checkpoint_skipped_fn *skipped, void *ctx, struct err *err)
{
	int *epochs, n;
	struct err why = {0};
	int code = blob_epochs(data_dir, job_id, prefix, suffix, &epochs, &n, err);
	if (code)
		return code;
	code = err_set(err, ERR_NOT_FOUND, "%s has no checkpoint yet", job_id);
	for (int i = n - 1; i >= 0 && code && code != ERR_NO_MEMORY; i--) {
		code = checkpoint_load(ret, data_dir, job_id, epochs[i], &why);
		if (code && code != ERR_NO_MEMORY && skipped)
			skipped(ctx, &why);
	}
	free(epochs);
	if (code == ERR_NO_MEMORY && err) /* says nothing of the file */
		*err = why;
	return !code || code == ERR_NO_MEMORY ? code : ERR_NOT_FOUND;
}

int checkpoint_newest(struct checkpoint *ret, const char *data_dir, const char *job_id, checkpoint_skipped_fn *skipped,
	void *ctx, struct err *err)
{
	struct checkpoint inside, numbered;
	struct err why = {0};
	int no_inside = checkpoint_load(&inside, data_dir, job_id, 0, &why);
	if (no_inside == ERR_NO_MEMORY) {
		if (err)
			*err = why;
		return no_inside;
	}
	if (no_inside && no_inside != ERR_NOT_FOUND && skipped)
		skipped(ctx, &why);
	int no_numbered = newest_numbered(&numbered, data_dir, job_id, skipped, ctx, err);
	if (!no_inside && no_numbered == ERR_NO_MEMORY)
		checkpoint_free(&inside);
	if (no_numbered == ERR_NO_MEMORY || (no_inside && no_numbered))
		return no_numbered;
	bool take_inside = !no_inside && (no_numbered || inside.step > numbered.step);
	*ret = take_inside ? inside : numbered;
	if (!no_inside && !no_numbered)
		checkpoint_free(take_inside ? &numbered : &inside);
	return OK;
}

static int fail_missing(const char *data_dir, const struct job *job, const char *which, struct err *err)
{
	enum { SHOWN = 20 };
	char have[SHOWN * 8 + 8] = "";
	int *epochs, n, length = 0;
	int code = blob_epochs(data_dir, job->id, prefix, suffix, &epochs, &n, err);
	if (code)
		return code;
	for (int i = 0; i < n && i < SHOWN; i++)
		length += snprintf(have + length, sizeof have - (size_t)length, "%s%d", i ? ", " : "", epochs[i]);
	if (n > SHOWN)
		snprintf(have + length, sizeof have - (size_t)length, ", …");
	free(epochs);
	return err_set(err, ERR_NOT_FOUND, "%s has no checkpoint '%.40s'; it has %s%s", job->id, which,
		n ? "epochs " : "none yet", have);
}

int checkpoint_pick(
	struct checkpoint *ret, const char *data_dir, const struct job *job, const char *which, struct err *err)
{
	char *end;
	int code = job_check_trains(job, err);
	if (code)
		return code;
	if (!strcmp(which, "last"))
		return checkpoint_newest(ret, data_dir, job->id, NULL, NULL, err);
	bool best = !strcmp(which, "best");
	long epoch = best ? job->best_epoch : strtol(which, &end, 10);
	if (!best && (*end || end == which || epoch < 1 || epoch > 999999))
		return err_set(err, ERR_INVALID, "'%.40s' is no checkpoint: say best, last or the number of an epoch", which);
	code = epoch ? checkpoint_load(ret, data_dir, job->id, (int)epoch, err) : ERR_NOT_FOUND;
	return code == ERR_NOT_FOUND ? fail_missing(data_dir, job, which, err) : code;
}

int checkpoint_pick_numbered(
	struct checkpoint *ret, const char *data_dir, const struct job *job, const char *which, struct err *err)
{
	int code = job_check_trains(job, err);
	if (code)
		return code;
	if (strcmp(which, "last"))
		return checkpoint_pick(ret, data_dir, job, which, err);
	code = newest_numbered(ret, data_dir, job->id, NULL, NULL, err);
	return code == ERR_NOT_FOUND ? fail_missing(data_dir, job, which, err) : code;
}

/* --- the model in a file --- */

/* The kind under one key and its params under another; *ret_params malloc'd. text: PARAMS_TEXT_MAX to work in. */
static int read_kind(const struct checkpoint *c, const char *kind_key, const char *params_key, char *text,
	const struct family **ret, void **ret_params, struct err *err)
{
	char kind[JOB_WORD];
	if (!safetensors_metadata(&c->st, kind_key, kind, sizeof kind) ||
		!safetensors_metadata(&c->st, params_key, text, PARAMS_TEXT_MAX))
		return err_set(err, ERR_CORRUPT, "the checkpoint does not say what model it is of");
	*ret = family_find(kind);
	if (!*ret)
		return err_set(err, ERR_CORRUPT, "the checkpoint is of the unknown kind '%s'", kind);
	return spec_params_parse(*ret, text, ret_params, err);
}

int checkpoint_params(const struct checkpoint *c, const struct family *f, void **ret, struct err *err)
{
	const struct family *family;
	void *params;
	char *text = malloc(PARAMS_TEXT_MAX);
	if (!text)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	int code = read_kind(c, "kind", "params", text, &family, &params, err);
	free(text);
	if (!code && family != f) {
		free(params);
		code = err_set(err, ERR_CORRUPT, "the checkpoint is of kind %s, not %s", family->name, f->name);
	}
	if (!code)
		*ret = params;
	return code;
}

typedef int adopt_fn(struct trainer *t, const struct state *saved, struct err *err);

static int adopt(const struct checkpoint *c, struct trainer *t, adopt_fn *take, struct err *err)
{
	const struct model *m = trainer_model(t);
	struct reformed saved;
	void *before;
	int code = checkpoint_params(c, m->family, &before, err);
	if (code)
		return code;
	code = fork_reform(&saved, m, before, &c->st.state, err);
	free(before);
	if (code)
		return code;
	code = take(t, &saved.state, err);
	reformed_free(&saved);
	return code;
}

int checkpoint_restore(const struct checkpoint *c, struct trainer *t, struct err *err)
{
	return adopt(c, t, trainer_restore, err);
}

int checkpoint_roll_back(struct trainer *t, const char *data_dir, const char *job_id, int epoch, struct err *err)
{
	struct checkpoint c;
	int code = checkpoint_load(&c, data_dir, job_id, epoch, err);
	if (code)
		return code;
	code = adopt(&c, t, trainer_roll_back, err);
	checkpoint_free(&c);
	return code;
}

static int plan_from(const struct checkpoint *c, char *text, struct model *ret, struct err *err)
{
	char image[40], classes[12];
	struct map map = {0};
	const struct family *family;
	void *params;
	struct model_base base = {0};
	if (!safetensors_metadata(&c->st, "image", image, sizeof image) ||
		!safetensors_metadata(&c->st, "classes", classes, sizeof classes) ||
		sscanf(image, "%d,%d,%d", &map.c, &map.h, &map.w) != 3)
		return err_set(err, ERR_CORRUPT, "the checkpoint does not say what images its model is for");
	int code = read_kind(c, "kind", "params", text, &family, &params, err);
	if (code)
		return code;
	if (family->adopt)
		code = read_kind(c, "base_kind", "base_params", text, &base.family, &base.params, err);
	if (!code)
		code = model_plan_on(ret, family, params, &base, map, atoi(classes), err);
	free(base.params);
	free(params);
	return code;
}

static int copy_weights(const struct checkpoint *c, const struct model *m, real *w, struct err *err)
{
	struct state live = {0};
	state_add_model(&live, m, w);
	int code = live.failed ? err_set(err, ERR_NO_MEMORY, "out of memory") : state_copy(&live, &c->st.state, err);
	state_free(&live);
	return code;
}

int checkpoint_model(const struct checkpoint *c, struct model *ret_model, real **ret_w, struct err *err)
{
	enum { ALIGN = 64 };
	struct model m;
	char *text = malloc(PARAMS_TEXT_MAX);
	if (!text)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	int code = plan_from(c, text, &m, err);
	free(text);
	if (code)
		return code;
	size_t bytes = (model_reals(&m) * sizeof(real) / ALIGN + 1) * ALIGN;
	real *w = aligned_alloc(ALIGN, bytes);
	if (w)
		memset(w, 0, bytes); /* what lies between the tensors */
	code = w ? copy_weights(c, &m, w, err) : err_set(err, ERR_NO_MEMORY, "out of memory");
	if (code) {
		free(w);
		model_free(&m);
		return code;
	}
	*ret_model = m;
	*ret_w = w;
	return OK;
}
