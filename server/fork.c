#include "server/fork.h"

#include "server/blob.h"
#include "server/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- what it goes on from --- */

static int64_t read_counter(const struct checkpoint *c, const char *name)
{
	const struct tensor *t = state_find(&c->st.state, name);
	int64_t value = 0;
	if (t && t->bytes == sizeof value)
		memcpy(&value, t->data, sizeof value);
	return value;
}

static void read_trackers(struct fork *f, const struct checkpoint *c)
{
	const struct tensor *value = state_find(&c->st.state, "tracker.best_value");
	f->epoch = c->number;
	f->step = c->step;
	f->best.epoch = (int)read_counter(c, "tracker.best_epoch");
	if (value && value->bytes == sizeof f->best.value)
		memcpy(&f->best.value, value->data, sizeof f->best.value);
	f->sound = (int)read_counter(c, "watch.sound_epoch");
	f->wait = read_counter(c, "tracker.wait");
}

/* A change that took effect right after these steps came after the checkpoint, and before the step that follows. */
static int apply_edit(struct fork *f, const struct edit_row *e, struct err *err)
{
	struct json *patch;
	int code = json_parse(&patch, e->params, strlen(e->params), err);
	if (code)
		return code;
	code = spec_params_read(f->model.family, patch, f->params, err, NULL);
	json_free(patch);
	struct train_params *train = f->params;
	if (train->epochs <= f->epoch) /* the epoch that had begun was finished */
		train->epochs = f->epoch + 1;
	return code;
}

static int read_params(struct fork *f, struct store *store, struct err *err)
{
	struct edit_list edits;
	const size_t size = f->model.family->params_size;
	f->params = malloc(size);
	if (!f->params)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	memcpy(f->params, f->model.family_params, size);
	int code = store_edits(store, f->parent.id, &edits, err);
	if (code)
		return code;
	for (int i = 0; i < edits.n && !code; i++)
		if (edits.row[i].step == f->step)
			code = apply_edit(f, &edits.row[i], err);
	edit_list_free(&edits);
	return code;
}

static int read_checkpoint(struct fork *f, struct store *store, const struct checkpoint *c, struct err *err)
{
	real *w;
	int code = checkpoint_model(c, &f->model, &w, err);
	if (code)
		return code;
	free(w);
	read_trackers(f, c);
	return read_params(f, store, err);
}

int fork_open(
	struct fork *ret, struct store *store, const char *data_dir, const char *ref, const char *which, struct err *err)
{
	struct fork f = {0};
	struct checkpoint c;
	int code = store_get(store, ref, &f.parent, err);
	if (code)
		return code;
	code = checkpoint_pick_numbered(&c, data_dir, &f.parent, which, err);
	if (code == ERR_NOT_FOUND || code == ERR_INVALID) {
		char why[sizeof err->message];
		snprintf(why, sizeof why, "%s", err ? err->message : "");
		code = err_field(err, ERR_INVALID, "#/checkpoint", "%s", why);
	} else if (!code) {
		code = read_checkpoint(&f, store, &c, err);
		checkpoint_free(&c);
	}
	if (code)
		fork_free(&f);
	else
		*ret = f;
	return code;
}

void fork_free(struct fork *f)
{
	if (f->model.family)
		model_free(&f->model);
	free(f->params);
	job_free(&f->parent);
	*f = (struct fork){0};
}

/* --- the new job --- */

int fork_settle(const struct fork *f, struct spec *spec, struct err *err)
{
	const struct family *family = f->model.family;
	const struct early_stopping_params *stop = &((const struct train_params *)spec->params)->early_stopping;
	const struct fork_effect e = fork_effect(family, f->model.family_params, spec->params);
	if (stop->on && !e.patience && f->wait >= stop->patience)
		return err_field(err, ERR_INVALID, "#/params/early_stopping",
			"the loss had not got better for %lld epochs after epoch %d, so that nothing is left to do; pass a patience > %lld, "
			"or null",
			(long long)f->wait, f->epoch, (long long)f->wait);
	spec->preset = preset_find(family, f->parent.preset);
	if (!spec->preset)
		spec->preset = family->presets;
	snprintf(spec->dataset, sizeof spec->dataset, "%.*s", DATASET_NAME_MAX, f->parent.dataset);
	memcpy(spec->from_job, f->parent.id, sizeof spec->from_job);
	spec->from_epoch = f->epoch;
	spec->seed = f->parent.seed;
	return OK;
}

/* A monitor that has a point per step is read off the curves when it starts. */
static bool told_per_epoch(const struct fork *f)
{
	const char *metric = f->parent.best_metric;
	const struct series *s = series_find(f->model.family, metric, strlen(metric));
	return s && !s->per_step;
}

void fork_fill(const struct fork *f, const struct spec *spec, struct job *job)
{
	job->fork_step = job->step = f->step;
	job->epoch = f->epoch;
	memcpy(job->dataset_sha256, f->parent.dataset_sha256, sizeof job->dataset_sha256);
	if (!told_per_epoch(f) || fork_effect(f->model.family, f->model.family_params, spec->params).loss)
		return;
	memcpy(job->best_metric, f->parent.best_metric, sizeof job->best_metric);
	job->best_epoch = f->best.epoch;
	job->best_value = f->best.value;
}

double fork_train_s(const struct fork *f)
{
	const struct job *p = &f->parent;
	double share = 0; /* of the steps that the other took by itself */
	if (f->step > p->fork_step && p->step > p->fork_step)
		share = (double)(f->step - p->fork_step) / (double)(p->step - p->fork_step);
	return p->ancestors_train_s + p->train_s * (share < 1 ? share : 1);
}

/* --- files --- */

static int link_file(const struct fork *f, const char *data_dir, const char *job_id, const char *name, struct err *err)
{
	char from[BLOB_PATH_MAX], to[BLOB_PATH_MAX];
	blob_path(from, sizeof from, data_dir, f->parent.id, name);
	blob_path(to, sizeof to, data_dir, job_id, name);
	return blob_link(from, to, err);
}

static int link_checkpoint(const struct fork *f, const char *data_dir, const char *job_id, int epoch, struct err *err)
{
	char name[64];
	blob_checkpoint_name(name, sizeof name, epoch);
	return link_file(f, data_dir, job_id, name, err);
}

static int link_checkpoints(const struct fork *f, const char *data_dir, const char *job_id, struct err *err)
{
	const int others[2] = {f->best.epoch, f->sound};
	int code = link_checkpoint(f, data_dir, job_id, f->epoch, err);
	for (int i = 0; i < 2 && !code; i++) {
		if (!others[i] || others[i] == f->epoch || (i && others[1] == others[0]))
			continue;
		code = link_checkpoint(f, data_dir, job_id, others[i], err);
		if (code == ERR_NOT_FOUND) /* no longer kept: the worker sees to it */
			code = OK;
	}
	return code;
}

static int link_previews(const struct fork *f, const char *data_dir, const char *job_id, struct err *err)
{
	struct blob_preview *p;
	int n, code = blob_previews(data_dir, f->parent.id, &p, &n, err);
	if (code)
		return code;
	for (int i = 0; i < n && !code; i++) {
		char name[96];
		if (p[i].epoch > f->epoch)
			continue;
		blob_preview_name(name, sizeof name, &p[i]);
		code = link_file(f, data_dir, job_id, name, err);
		if (code == ERR_NOT_FOUND)
			code = OK;
	}
	free(p);
	return code;
}

static const char *const folders[] = {"checkpoints", "previews", ""};

static int sync_folders(const char *data_dir, const char *job_id, struct err *err)
{
	int code = OK;
	for (size_t i = 0; i < sizeof folders / sizeof *folders && !code; i++) {
		char path[BLOB_PATH_MAX];
		blob_path(path, sizeof path, data_dir, job_id, folders[i]);
		if (!access(path, F_OK))
			code = blob_sync_dir(path, err);
	}
	return code;
}

int fork_files(const struct fork *f, const char *data_dir, const char *job_id, struct err *err)
{
	int code = link_checkpoints(f, data_dir, job_id, err);
	if (!code)
		code = link_previews(f, data_dir, job_id, err);
	if (!code)
		code = sync_folders(data_dir, job_id, err);
	return code;
}
