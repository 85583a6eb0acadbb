#include "server/model_code.h"

#include "core/model/encode_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a class the mean code of so many training images stands for it. */
enum { CLASS_IMAGES = 1000, FIELD_MAX = 64 };

void coder_close(struct coder *w)
{
	if (w->data)
		dataset_put(w->data);
	w->data = NULL;
}

int coder_data(struct coder *w, struct err *err)
{
	return w->data ? OK : cache_dataset_of(w->call->daemon->cache, w->p, &w->data, err);
}

int coder_encode(struct coder *w, const float *pixels, float *z, struct err *err)
{
	struct rows codes;
	const size_t d = (size_t)w->p->model.latent_dim;
	/* the kernels only read it */
	const struct rows in = {.v = (float *)(uintptr_t)pixels, .n = 1, .width = (size_t)map_features(&w->p->model.image)};
	int code = use_compute(w->call, w->p, model_encode, &in, d, &codes, err);
	if (code)
		return code;
	memcpy(z, codes.v, d * sizeof *z);
	rows_free(&codes);
	return OK;
}

/* --- the ways to name a code: the value at `pointer`, a member of `object`, becomes z, or pixels of an image ----------------- */

static int take_z(struct coder *w, const struct json *object, const char *pointer, float *z, struct err *err)
{
	return input_code(w->call, w->p, json_get(object, "z"), pointer, z, err);
}

static int take_seed(struct coder *w, const struct json *object, const char *pointer, float *z, struct err *err)
{
	struct rows drawn;
	struct sample_spec spec;
	int code = input_seed(w->p, object, pointer, &spec, err);
	if (code || (code = use_draw(w->call, w->p, &spec, 1, &drawn, err)))
		return code;
	memcpy(z, drawn.v, drawn.width * sizeof *z);
	rows_free(&drawn);
	return OK;
}

static int take_index(struct coder *w, const struct json *object, const char *pointer, float *pixels, struct err *err)
{
	const size_t width = (size_t)map_features(&w->p->model.image);
	const char *name = split_names[SPLIT_TEST];
	char of_split[FIELD_MAX];
	enum split split;
	int64_t index = 0;
	snprintf(of_split, sizeof of_split, "%.*ssplit", (int)(strrchr(pointer, '/') + 1 - pointer), pointer);
	int code = json_take_string(object, "split", of_split, 16, &name, err);
	if (!code && !split_find(name, &split))
		code = err_field(err, ERR_INVALID, of_split, "must be train or test, got '%s'", name);
	if (!code)
		code = json_take_int(object, "index", pointer, 0, (int64_t)w->data->split[split].n - 1, &index, err);
	for (size_t i = 0; i < width && !code; i++)
		pixels[i] = (float)w->data->split[split].images[(size_t)index * width + i] / 255.0f;
	return code;
}

static int take_image(struct coder *w, const struct json *object, const char *pointer, float *pixels, struct err *err)
{
	return input_image(w->p, json_get(object, "image"), pointer, pixels, err);
}

/* -1, and an error that lists those there are. */
static int find_class(const struct dataset *d, const char *name, const char *pointer, struct err *err)
{
	char names[400] = "";
	size_t n = 0;
	for (int k = 0; k < d->classes; k++)
		if (!strcmp(d->class_name[k], name))
			return k;
	for (int k = 0; k < d->classes && n + DATASET_CLASS_NAME_MAX + 8 < sizeof names; k++)
		n += (size_t)snprintf(names + n, sizeof names - n, "%s'%s'", k ? ", " : "", d->class_name[k]);
	err_field(err, ERR_INVALID, pointer, "must be one of %s; got '%.60s'", names, name);
	return -1;
}

static int mean_code(struct coder *w, const struct image_list *list, float *z, struct err *err)
{
	const size_t d = (size_t)w->p->model.latent_dim;
	struct daemon *daemon = w->call->daemon;
	struct rows codes;
	int code = rows_alloc(&codes, list->n, d, err);
	if (code)
		return code;
	code = encode_all(&w->p->model, w->p->w, list, codes.v, daemon->pool, daemon->kern, err);
	for (size_t j = 0; j < d && !code; j++) {
		double sum = 0;
		for (size_t i = 0; i < list->n; i++)
			sum += (double)codes.v[i * d + j];
		z[j] = (float)(sum / (double)list->n);
	}
	rows_free(&codes);
	return code;
}

static int take_class(struct coder *w, const struct json *object, const char *pointer, float *z, struct err *err)
{
	const struct dataset_split *train = &w->data->split[SPLIT_TRAIN];
	const char *name = NULL;
	uint32_t index[CLASS_IMAGES];
	struct image_list list = {.images = train->images, .index = index};
	int code = json_take_string(object, "class", pointer, DATASET_CLASS_NAME_MAX, &name, err);
	if (code)
		return code;
	int class = find_class(w->data, name, pointer, err);
	if (class < 0)
		return ERR_INVALID;
	for (size_t i = 0; i < train->n && list.n < CLASS_IMAGES; i++)
		if (train->labels[i] == class)
			index[list.n++] = (uint32_t)i;
	return list.n ? mean_code(w, &list, z, err)
				  : err_field(err, ERR_INVALID, pointer, "has no training images in %s: '%.60s'", w->p->dataset, name);
}

typedef int way_fn(struct coder *w, const struct json *object, const char *pointer, float *ret, struct err *err);

static const struct way {
	const char *key;
	way_fn *code, *pixels; /* one of them: what it takes */
	bool of_images;        /* takes an encoder */
	bool of_data;          /* and the data set */
} ways[] = {
	{"z", take_z, NULL, false, false},
	{"seed", take_seed, NULL, false, false},
	{"index", NULL, take_index, true, true},
	{"class", take_class, NULL, true, true},
	{"image", NULL, take_image, true, false},
};
enum { WAYS = sizeof ways / sizeof *ways };

static int take_pixels(struct coder *w, const struct way *way, const struct json *object, const char *pointer,
	float *pixels, struct err *err)
{
	int code = way->of_data ? coder_data(w, err) : OK;
	return code ? code : way->pixels(w, object, pointer, pixels, err);
}

static int take_code(
	struct coder *w, const struct way *way, const struct json *object, const char *pointer, float *z, struct err *err)
{
	int code = way->of_data ? coder_data(w, err) : OK;
	if (code || way->code)
		return code ? code : way->code(w, object, pointer, z, err);
	float *pixels = malloc((size_t)map_features(&w->p->model.image) * sizeof *pixels);
	if (!pixels)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	if (!(code = take_pixels(w, way, object, pointer, pixels, err)))
		code = coder_encode(w, pixels, z, err);
	free(pixels);
	return code;
}

/* How a code may be named of this model: "z, seed, index, class, image". */
static void list_ways(const struct coder *w, char *text, size_t size)
{
	bool encodes = family_can(w->p->model.family, ABILITY_ENCODE);
	size_t n = 0;
	*text = '\0';
	for (int i = 0; i < WAYS && n < size; i++)
		if (encodes || !ways[i].of_images)
			n += (size_t)snprintf(text + n, size - n, "%s%s", n ? ", " : "", ways[i].key);
}

/* The one way in which the object names a code; `object` NULL: it is missing. */
static int choose_way(
	const struct coder *w, const struct json *object, const char *pointer, const struct way **ret, struct err *err)
{
	char known[64];
	int named = 0;
	for (int i = 0; object && i < WAYS; i++)
		if (json_get(object, ways[i].key)) {
			*ret = &ways[i];
			named++;
		}
	list_ways(w, known, sizeof known);
	return named == 1 ? OK
					  : err_field(err, ERR_INVALID, pointer, "%s: an object with one of %s",
							object ? "must name one code" : "is missing", known);
}

int coder_take_member(struct coder *w, const struct json *object, const char *pointer, float *z, struct err *err)
{
	const struct way *way;
	char of_way[FIELD_MAX];
	int code = choose_way(w, object, pointer, &way, err);
	if (code)
		return code;
	snprintf(of_way, sizeof of_way, "%s/%s", pointer, way->key);
	if (!way->of_images || family_can(w->p->model.family, ABILITY_ENCODE))
		return take_code(w, way, object, of_way, z, err);
	code = family_lacks(w->p->model.family, "encoder", err);
	if (err)
		snprintf(err->pointer, sizeof err->pointer, "%s", of_way);
	return code;
}

int coder_take_pixels(struct coder *w, const struct json *object, const char *pointer, float *ret_pixels,
	bool *ret_found, struct err *err)
{
	const struct way *way;
	char of_way[FIELD_MAX];
	int code = choose_way(w, object, pointer, &way, err);
	*ret_found = !code && way->pixels;
	if (code || !way->pixels)
		return code;
	snprintf(of_way, sizeof of_way, "%s/%s", pointer, way->key);
	return take_pixels(w, way, object, of_way, ret_pixels, err);
}

/* "#/plus/0/z/1" is "#/plus/0/1" where the list itself is there. */
static void shorten(struct err *err, const char *pointer, const char *key)
{
	const size_t n = strlen(pointer), k = strlen(key) + 1;
	if (strncmp(err->pointer, pointer, n) != 0 || err->pointer[n] != '/' ||
		strncmp(err->pointer + n + 1, key, k - 1) != 0)
		return;
	memmove(err->pointer + n, err->pointer + n + k, strlen(err->pointer + n + k) + 1);
}

/* What stands for an object: {"<key>": value}. */
static int take_short(
	struct coder *w, const char *key, const struct json *value, const char *pointer, float *z, struct err *err)
{
	struct buf text = BUF_INIT;
	struct json *object = NULL;
	buf_printf(&text, "{\"%s\":", key);
	json_print(&text, value);
	buf_str(&text, "}");
	int code =
		text.failed ? err_set(err, ERR_NO_MEMORY, "out of memory") : json_parse(&object, text.data, text.len, err);
	buf_free(&text);
	if (!code)
		code = coder_take_member(w, object, pointer, z, err);
	json_free(object);
	if (code && err)
		shorten(err, pointer, key);
	return code;
}

int coder_take(struct coder *w, const struct json *value, const char *pointer, float *z, struct err *err)
{
	static const char *const fields[] = {CODER_FIELDS, NULL};
	static const char *const in_short[] = {
		[JSON_ARRAY] = "z", [JSON_NUMBER] = "index", [JSON_STRING] = "class", [JSON_OBJECT] = NULL};
	if (!value)
		return coder_take_member(w, NULL, pointer, z, err);
	const enum json_type type = json_type(value);
	if (type < JSON_OBJECT && in_short[type])
		return take_short(w, in_short[type], value, pointer, z, err);
	if (type != JSON_OBJECT)
		return json_fail_type(value, pointer, "an object such as {\"seed\":3}", err);
	int code = json_only(value, fields, pointer, err, NULL);
	return code ? code : coder_take_member(w, value, pointer, z, err);
}
