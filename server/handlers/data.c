#include "server/handlers/handlers.h"

#include "api/view.h"
#include "core/data/dataset.h"
#include "core/data/grid.h"
#include "server/limits.h"
#include "server/model_io.h"
#include "server/upload.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- kinds --- */

int h_kinds(struct call *c, struct err *err)
{
	struct jsonw w;
	call_json(c, &w, 200);
	view_kinds(&w, c->daemon->config->path_prefix);
	return call_json_end(c, &w, err);
}

int h_kind(struct call *c, struct err *err)
{
	const struct family *f = family_find(c->arg[0]);
	if (!f)
		return err_set(err, ERR_NOT_FOUND, "no kind '%.60s'; GET /v1/kinds lists them", c->arg[0]);
	struct jsonw w;
	call_json(c, &w, 200);
	view_kind(&w, f);
	return call_json_end(c, &w, err);
}

/* --- data sets: what is shown of one costs reading all of it, so the text is kept until its files change --- */

enum { TEXTS_MAX = 64 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
	char name[DATASET_NAME_MAX + 1], fingerprint[256];
	char *text; /* lives as long as the process, or until replaced */
} texts[TEXTS_MAX];
static int next_text;

/* A copy, or NULL. */
static char *recall(const char *name, const char *fingerprint)
{
	char *copy = NULL;
	pthread_mutex_lock(&lock);
	for (int i = 0; i < TEXTS_MAX && !copy; i++)
		if (!strcmp(texts[i].name, name) && !strcmp(texts[i].fingerprint, fingerprint))
			copy = strdup(texts[i].text);
	pthread_mutex_unlock(&lock);
	return copy;
}

static void remember(const char *name, const char *fingerprint, const char *text)
{
	char *copy = strdup(text);
	if (!copy)
		return;
	pthread_mutex_lock(&lock);
	int i = 0;
	while (i < TEXTS_MAX && strcmp(texts[i].name, name))
		i++;
	if (i == TEXTS_MAX)
		i = next_text++ % TEXTS_MAX;
	free(texts[i].text);
	snprintf(texts[i].name, sizeof texts[i].name, "%s", name);
	snprintf(texts[i].fingerprint, sizeof texts[i].fingerprint, "%s", fingerprint);
	texts[i].text = copy;
	pthread_mutex_unlock(&lock);
}

/* malloc'd JSON of the data set in that folder. */
static int describe(struct daemon *d, const char *name, const char *path, char **ret, struct err *err)
{
	char fingerprint[256];
	int code = dataset_fingerprint(path, fingerprint, sizeof fingerprint, err);
	if (code || (*ret = recall(name, fingerprint)))
		return code;
	struct dataset *set;
	if ((code = cache_dataset(d->cache, name, &set, err)))
		return code;
	struct buf b = BUF_INIT;
	struct jsonw w;
	jw_init(&w, &b, false);
	view_dataset(&w, set, path, upload_owns(d->config->data_dir, path));
	dataset_put(set);
	if (!(*ret = buf_take(&b, NULL)))
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	remember(name, fingerprint, *ret);
	return OK;
}

struct listing {
	struct daemon *daemon;
	struct jsonw *w;
	char first[DATASET_NAME_MAX + 1], last[DATASET_NAME_MAX + 1];
	bool has_fashion;
};

static void list_one(void *ctx, const char *name, const char *path)
{
	struct listing *l = ctx;
	struct err err;
	char *text = NULL;
	l->has_fashion = l->has_fashion || !strcmp(name, "fashion-mnist");
	if (!*l->first)
		snprintf(l->first, sizeof l->first, "%s", name);
	snprintf(l->last, sizeof l->last, "%s", name);
	int code = describe(l->daemon, name, path, &text, &err);
	if (code == ERR_NO_MEMORY) { /* says nothing of the data set */
		l->w->b->failed = true;
	} else if (code) {
		jw_object(l->w);
		jw_kstring(l->w, "object", "dataset");
		jw_kstring(l->w, "name", name);
		jw_kstring(l->w, "path", path);
		jw_kstring(l->w, "error", err.message);
		jw_end_object(l->w);
	} else {
		jw_raw(l->w, text);
	}
	free(text);
}

/* Which files Fashion-MNIST needs and where they may lie, for whoever has none yet. */
static void view_missing(struct jsonw *w, const struct config *config)
{
	char path[4096];
	struct err err;
	if (!dataset_find("fashion-mnist", config->dataset_dirs, config->ndataset_dirs, path, sizeof path, &err))
		return;
	jw_key(w, "missing");
	jw_array(w);
	jw_object(w);
	jw_kstring(w, "name", "fashion-mnist");
	jw_kstring(w, "detail", err.message);
	jw_key(w, "files");
	jw_array(w);
	for (int i = 0; i < DATASET_FILES; i++) {
		jw_object(w);
		jw_kstring(w, "name", dataset_fashion_files[i].name);
		jw_kint(w, "bytes", (int64_t)dataset_fashion_files[i].bytes);
		jw_kstring(w, "sha256", dataset_fashion_files[i].sha256);
		jw_end_object(w);
	}
	jw_end_array(w);
	jw_key(w, "directories");
	jw_array(w);
	for (int i = 0; i < config->ndataset_dirs; i++) {
		snprintf(path, sizeof path, "%s/fashion-mnist", config->dataset_dirs[i]);
		jw_string(w, path);
	}
	jw_end_array(w);
	jw_end_object(w);
	jw_end_array(w);
}

int h_datasets(struct call *c, struct err *err)
{
	const struct config *config = c->daemon->config;
	struct jsonw w;
	call_json(c, &w, 200);
	struct listing l = {.daemon = c->daemon, .w = &w};
	jw_object(&w);
	jw_kstring(&w, "object", "list");
	jw_key(&w, "data");
	jw_array(&w);
	dataset_each(config->dataset_dirs, config->ndataset_dirs, list_one, &l);
	jw_end_array(&w);
	jw_kstring(&w, "first_id", *l.first ? l.first : NULL);
	jw_kstring(&w, "last_id", *l.last ? l.last : NULL);
	jw_kbool(&w, "has_more", false);
	if (!l.has_fashion)
		view_missing(&w, config);
	jw_end_object(&w);
	return call_json_end(c, &w, err);
}

/* 404 for one that is not there; one that is there and broken is another error. */
static int find_dataset(struct call *c, char *ret_path, size_t size, struct err *err)
{
	const struct config *config = c->daemon->config;
	int code = dataset_find(c->arg[0], config->dataset_dirs, config->ndataset_dirs, ret_path, size, err);
	if (code != ERR_DATASET)
		return code;
	return err_set(err, ERR_NOT_FOUND, "no data set '%.64s'; GET /v1/datasets lists them", c->arg[0]);
}

int h_dataset(struct call *c, struct err *err)
{
	char path[4096], *text = NULL;
	int code = find_dataset(c, path, sizeof path, err);
	if (!code)
		code = describe(c->daemon, c->arg[0], path, &text, err);
	if (code)
		return code;
	struct jsonw w;
	call_json(c, &w, 200);
	jw_raw(&w, text);
	free(text);
	return call_json_end(c, &w, err);
}

/* --- pictures of a data set --- */

enum { IMAGES_DEFAULT = 64 };

struct choice {
	enum split split;
	size_t n, index[LIMIT_GRID_IMAGES];
};

static int take_split(const struct uri *u, enum split *ret, struct err *err)
{
	const char *name = uri_get(u, "split");
	*ret = SPLIT_TEST;
	if (name && !split_find(name, ret))
		return err_set(err, ERR_INVALID, "split must be train or test, got '%.60s'", name);
	return OK;
}

/* "0,5,17" */
static int take_indices(const char *text, size_t images, struct choice *ret, struct err *err)
{
	for (const char *at = text; ret->n < LIMIT_GRID_IMAGES;) {
		char *end;
		unsigned long long i = strtoull(at, &end, 10);
		if (!isdigit((unsigned char)*at) || (*end && *end != ','))
			return err_set(err, ERR_INVALID, "indices must be whole numbers apart by commas, got '%.60s'", text);
		if (i >= images)
			return err_set(
				err, ERR_INVALID, "indices: %s has images 0..%zu, got %.20s", split_names[ret->split], images - 1, at);
		ret->index[ret->n++] = (size_t)i;
		if (!*end)
			return OK;
		at = end + 1;
	}
	return err_set(err, ERR_INVALID, "a picture holds at most %d images", LIMIT_GRID_IMAGES);
}

static int take_range(const struct uri *u, size_t images, struct choice *ret, struct err *err)
{
	int64_t offset = 0, count = IMAGES_DEFAULT;
	int code = uri_int(u, "offset", 0, (int64_t)images - 1, &offset, err);
	if (!code)
		code = uri_int(u, "count", 1, LIMIT_GRID_IMAGES, &count, err);
	for (; !code && ret->n < (size_t)count && (size_t)offset + ret->n < images; ret->n++)
		ret->index[ret->n] = (size_t)offset + ret->n;
	return code;
}

static int choose(const struct uri *u, const struct dataset *d, struct choice *ret, struct err *err)
{
	const char *indices = uri_get(u, "indices");
	int code = take_split(u, &ret->split, err);
	if (code)
		return code;
	if (!indices)
		return take_range(u, d->split[ret->split].n, ret, err);
	if (uri_get(u, "offset") || uri_get(u, "count"))
		return err_set(err, ERR_INVALID, "either indices, or offset and count");
	return take_indices(indices, d->split[ret->split].n, ret, err);
}

static int draw_images(struct call *c, const struct dataset *d, const struct choice *which, struct err *err)
{
	size_t width = (size_t)(d->c * d->h * d->w);
	const uint8_t *images = d->split[which->split].images;
	struct canvas canvas;
	int64_t cols = 0;
	int code = uri_int(&c->req.uri, "cols", 1, LIMIT_GRID_IMAGES, &cols, err);
	if (code)
		return code;
	float *pixels = malloc(which->n * width * sizeof *pixels);
	if (!pixels)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < which->n * width; i++)
		pixels[i] = (float)images[which->index[i / width] * width + i % width] / 255.0f;
	code = grid_images(&canvas, pixels, (int)which->n, d->c, d->h, d->w, (int)cols, 0, err);
	free(pixels);
	return code ? code : call_png(c, &canvas, err);
}

int h_dataset_images(struct call *c, struct err *err)
{
	char path[4096];
	struct dataset *d;
	int code = find_dataset(c, path, sizeof path, err);
	if (!code)
		code = cache_dataset(c->daemon->cache, c->arg[0], &d, err);
	if (code)
		return code;
	struct choice *which = calloc(1, sizeof *which);
	code = which ? choose(&c->req.uri, d, which, err) : err_set(err, ERR_NO_MEMORY, "out of memory");
	if (!code && !call_unchanged(c, d->sha256))
		code = draw_images(c, d, which, err);
	free(which);
	dataset_put(d);
	return code;
}

/* --- labels --------------------------------------------------------------------------------------------------------------- */

static int reply_labels_npy(struct call *c, const uint8_t *labels, size_t n, struct err *err)
{
	float *v = malloc(n * sizeof *v);
	if (!v)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < n; i++)
		v[i] = (float)labels[i];
	int code = output_npy(c, v, (int64_t[]){(int64_t)n}, 1, err);
	free(v);
	return code;
}

static int reply_labels(struct call *c, const struct dataset *d, enum split split, struct err *err)
{
	const uint8_t *labels = d->split[split].labels;
	const size_t n = d->split[split].n;
	struct jsonw w;
	if (c->format == FORMAT_NPY)
		return reply_labels_npy(c, labels, n, err);
	call_json(c, &w, 200);
	jw_object(&w);
	jw_kstring(&w, "object", "labels");
	jw_kstring(&w, "dataset", c->arg[0]);
	jw_kstring(&w, "split", split_names[split]);
	jw_kint(&w, "count", (int64_t)n);
	jw_key(&w, "classes");
	jw_array(&w);
	for (int k = 0; k < d->classes; k++)
		jw_string(&w, d->class_name[k]);
	jw_end_array(&w);
	jw_key(&w, "label");
	jw_array(&w);
	for (size_t i = 0; i < n; i++)
		jw_int(&w, labels[i]);
	jw_end_array(&w);
	jw_end_object(&w);
	return call_json_end(c, &w, err);
}

int h_dataset_labels(struct call *c, struct err *err)
{
	char path[4096];
	struct dataset *d;
	enum split split;
	int code = find_dataset(c, path, sizeof path, err);
	if (!code)
		code = cache_dataset(c->daemon->cache, c->arg[0], &d, err);
	if (code)
		return code;
	code = take_split(&c->req.uri, &split, err);
	if (!code && !call_unchanged(c, d->sha256))
		code = reply_labels(c, d, split, err);
	dataset_put(d);
	return code;
}
