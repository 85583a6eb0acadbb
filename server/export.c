#include "server/export.h"

#include "server/blob.h"
#include "server/checkpoint.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* --- the list --- */

static void read_file_facts(const char *data_dir, const struct job *job, struct checkpoint_info *info)
{
	char name[64], path[BLOB_PATH_MAX];
	struct stat st;
	blob_checkpoint_name(name, sizeof name, info->epoch);
	blob_path(path, sizeof path, data_dir, job->id, name);
	if (!stat(path, &st)) {
		info->bytes = (size_t)st.st_size;
		info->created_at_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
	}
	info->step = job_step_at(job, info->epoch);
	info->best = info->epoch == job->best_epoch;
	info->monitor = (double)NAN;
}

/* Both ascend by step. */
static void read_monitor(const struct curve *c, struct checkpoint_info *info, int n)
{
	size_t at = 0;
	for (int i = 0; i < n; i++) {
		while (at < c->n && c->step[at] < info[i].step)
			at++;
		if (at < c->n && c->step[at] == info[i].step)
			info[i].monitor = c->value[at];
	}
}

/* A monitor that has a point per step has none that stands for its epoch. */
static bool told_per_epoch(const struct job *job)
{
	const struct family *f = family_find(job->kind);
	const struct series *s = f ? series_find(f, job->best_metric, strlen(job->best_metric)) : NULL;
	return s && !s->per_step;
}

int export_list(struct store *s, const char *data_dir, const struct job *job, struct checkpoint_info **ret, int *ret_n,
	struct err *err)
{
	int *epochs, n;
	struct curve c = {0};
	int code = blob_epochs(data_dir, job->id, "checkpoints/epoch-", ".safetensors", &epochs, &n, err);
	if (code)
		return code;
	struct checkpoint_info *info = calloc((size_t)n + 1, sizeof *info);
	if (!info)
		code = err_set(err, ERR_NO_MEMORY, "out of memory");
	for (int i = 0; i < n && !code; i++) {
		info[i].epoch = epochs[i];
		info[i].last = i == n - 1;
		read_file_facts(data_dir, job, &info[i]);
	}
	free(epochs);
	if (!code && n && told_per_epoch(job))
		code = store_curve(s, job->id, job->best_metric, 0, &c, err);
	if (code) {
		free(info);
		return code;
	}
	read_monitor(&c, info, n);
	curve_free(&c);
	*ret = info;
	*ret_n = n;
	return OK;
}

/* --- the file --- */

/* What equal runs share: everything but the numeric level. */
static const char *const shared_keys[] = {"format", "kind", "dataset", "dataset_sha256", "image", "classes", "seed",
	"params", "epoch", "step", "base_kind", "base_params"};
enum { KEYS = sizeof shared_keys / sizeof *shared_keys, VALUE_MAX = 16384 };

static int print(struct buf *b, const struct checkpoint *c, const struct model *m, real *w, struct err *err)
{
	struct metadata_entry entry[KEYS];
	struct state tensors = {0};
	int n = 0, code = OK;
	char *values = malloc((size_t)KEYS * VALUE_MAX);
	if (!values)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	for (int i = 0; i < KEYS; i++) {
		char *value = values + (size_t)i * VALUE_MAX;
		if (safetensors_metadata(&c->st, shared_keys[i], value, VALUE_MAX))
			entry[n++] = (struct metadata_entry){shared_keys[i], value};
	}
	state_add_model(&tensors, m, w);
	if (tensors.failed)
		code = err_set(err, ERR_NO_MEMORY, "out of memory");
	else
		code = safetensors_write(b, &tensors, entry, n, false, err);
	state_free(&tensors);
	free(values);
	return code;
}

int export_weights(const char *data_dir, const struct job *job, const char *which, struct buf *ret_file, int *ret_epoch,
	struct err *err)
{
	struct checkpoint c;
	struct model m;
	real *w;
	int code = checkpoint_pick(&c, data_dir, job, which, err);
	if (code)
		return code;
	code = checkpoint_model(&c, &m, &w, err);
	if (!code) {
		code = print(ret_file, &c, &m, w, err);
		if (!code && ret_epoch)
			*ret_epoch = c.epoch;
		model_free(&m);
		free(w);
	}
	checkpoint_free(&c);
	return code;
}
