#include "server/handlers/handlers.h"

#include "core/model/walk.h"
#include "server/limits.h"
#include "server/model_use.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a class the mean code of so many training images stands for it. */
enum { CLASS_IMAGES = 1000, STEPS = 10, FIELD_MAX = 24 };

/* Who walks, and what the ends are looked up in. */
struct walker {
	struct call *call;
	struct published *p;
	struct dataset *data; /* NULL until an end asks for it */
};

/* --- images as ends --- */

/* The data set the model was trained on, once. */
static int need_data(struct walker *w, struct err *err)
{
	const struct map *m = &w->p->model.image;
	if (w->data)
		return OK;
	int code = cache_dataset(w->call->daemon->cache, w->p->dataset, &w->data, err);
	if (code)
		return code;
	if (w->data->c == m->c && w->data->h == m->h && w->data->w == m->w)
		return OK;
	return err_set(err, ERR_DATASET_CHANGED, "data set %s has images of [%d,%d,%d] now; the model takes [%d,%d,%d]",
		w->p->dataset, w->data->c, w->data->h, w->data->w, m->c, m->h, m->w);
}

static int encode(struct walker *w, enum split split, const size_t *index, size_t n, struct rows *ret, struct err *err)
{
	const struct model *m = &w->p->model;
	const uint8_t *images = w->data->split[split].images;
	struct rows in;
	size_t pixels = (size_t)map_features(&m->image);
	int code = rows_alloc(&in, n, pixels, err);
	if (code)
		return code;
	for (size_t i = 0; i < n * pixels; i++)
		in.v[i] = (float)images[index[i / pixels] * pixels + i % pixels] / 255.0f;
	code = use_compute(w->call, w->p, model_encode, &in, (size_t)m->latent_dim, ret, err);
	rows_free(&in);
	return code;
}

static int mean_code(struct walker *w, enum split split, const size_t *index, size_t n, float *z, struct err *err)
{
	struct rows codes;
	int code = encode(w, split, index, n, &codes, err);
	if (code)
		return code;
	for (size_t j = 0; j < codes.width; j++) {
		double sum = 0;
		for (size_t i = 0; i < n; i++)
			sum += (double)codes.v[i * codes.width + j];
		z[j] = (float)(sum / (double)n);
	}
	rows_free(&codes);
	return OK;
}

/* --- the ways to name an end: the value at `pointer`, a member of `end`, becomes z --- */

static int take_z(struct walker *w, const struct json *end, const char *pointer, float *z, struct err *err)
{
	return input_code(w->call, w->p, json_get(end, "z"), pointer, z, err);
}

static int take_index(struct walker *w, const struct json *end, const char *pointer, float *z, struct err *err)
{
	const char *name = split_names[SPLIT_TEST];
	char of_split[FIELD_MAX];
	enum split split;
	int64_t index = 0;
	snprintf(of_split, sizeof of_split, "%.*ssplit", (int)(strrchr(pointer, '/') + 1 - pointer), pointer);
	int code = json_take_string(end, "split", of_split, 16, &name, err);
	if (!code && !split_find(name, &split))
		code = err_field(err, ERR_INVALID, of_split, "must be train or test, got '%s'", name);
	if (!code)
		code = json_take_int(end, "index", pointer, 0, (int64_t)w->data->split[split].n - 1, &index, err);
	return code ? code : mean_code(w, split, &(size_t){(size_t)index}, 1, z, err);
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

static int take_class(struct walker *w, const struct json *end, const char *pointer, float *z, struct err *err)
{
	const struct dataset_split *train = &w->data->split[SPLIT_TRAIN];
	const char *name = NULL;
	size_t index[CLASS_IMAGES], n = 0;
	int code = json_take_string(end, "class", pointer, DATASET_CLASS_NAME_MAX, &name, err);
	if (code)
		return code;
	int class = find_class(w->data, name, pointer, err);
	if (class < 0)
		return ERR_INVALID;
	for (size_t i = 0; i < train->n && n < CLASS_IMAGES; i++)
		if (train->labels[i] == class)
			index[n++] = i;
	return n ? mean_code(w, SPLIT_TRAIN, index, n, z, err)
			 : err_field(err, ERR_INVALID, pointer, "has no training images in %s: '%.60s'", w->p->dataset, name);
}

static int take_seed(struct walker *w, const struct json *end, const char *pointer, float *z, struct err *err)
{
	struct rows drawn;
	struct sample_spec spec;
	int code = input_seed(w->p, end, pointer, &spec, err);
	if (code || (code = use_draw(w->call, w->p, &spec, 1, &drawn, err)))
		return code;
	memcpy(z, drawn.v, drawn.width * sizeof *z);
	rows_free(&drawn);
	return OK;
}

static const struct way {
	const char *key;
	bool of_images; /* takes an encoder */
	int (*take)(struct walker *w, const struct json *end, const char *pointer, float *z, struct err *err);
} ways[] = {
	{"z", false, take_z},
	{"seed", false, take_seed},
	{"index", true, take_index},
	{"class", true, take_class},
};
enum { WAYS = sizeof ways / sizeof *ways };

static int take_by(
	struct walker *w, const struct way *way, const struct json *end, const char *key, float *z, struct err *err)
{
	char pointer[FIELD_MAX];
	int code = OK;
	snprintf(pointer, sizeof pointer, "#/%s/%s", key, way->key);
	if (way->of_images && !family_can(w->p->model.family, ABILITY_ENCODE)) {
		code = family_lacks(w->p->model.family, "encoder", err);
		if (err)
			snprintf(err->pointer, sizeof err->pointer, "%s", pointer);
	} else if (way->of_images) {
		code = need_data(w, err);
	}
	return code ? code : way->take(w, end, pointer, z, err);
}

/* How an end may be said of this model: "z, seed, index, class". */
static void list_ways(const struct walker *w, char *text, size_t size)
{
	bool encodes = family_can(w->p->model.family, ABILITY_ENCODE);
	size_t n = 0;
	*text = '\0';
	for (int i = 0; i < WAYS && n < size; i++)
		if (encodes || !ways[i].of_images)
			n += (size_t)snprintf(text + n, size - n, "%s%s", n ? ", " : "", ways[i].key);
}

/* The end called `key`: an object that names one code in one way. */
static int take_end(struct walker *w, const struct json *body, const char *key, float *z, struct err *err)
{
	static const char *const fields[] = {"z", "seed", "index", "class", "split", NULL};
	const struct json *end = json_get(body, key);
	const struct way *chosen = NULL;
	char pointer[FIELD_MAX], known[64];
	int named = 0;
	snprintf(pointer, sizeof pointer, "#/%s", key);
	if (end && json_type(end) != JSON_OBJECT)
		return json_fail_type(end, pointer, "an object such as {\"seed\":3}", err);
	int code = end ? json_only(end, fields, pointer, err, NULL) : OK;
	if (code)
		return code;
	for (int i = 0; end && i < WAYS; i++)
		if (json_get(end, ways[i].key)) {
			chosen = &ways[i];
			named++;
		}
	list_ways(w, known, sizeof known);
	if (named != 1)
		return err_field(err, ERR_INVALID, pointer, "%s: an object with one of %s",
			end ? "must name one code" : "is missing", known);
	return take_by(w, chosen, end, key, z, err);
}

/* --- the walk --- */

/* Codes drawn from a normal distribution lie near a sphere: around it. */
static enum walk natural_walk(const struct published *p)
{
	const char *automatic = published_auto(p);
	return automatic && distribution_find(automatic) == DIST_NORMAL ? WALK_SLERP : WALK_LERP;
}

static int take_walk(const struct walker *w, const struct json *body, enum walk *ret, struct err *err)
{
	const char *name = NULL;
	int code = json_take_string(body, "mode", "#/mode", 16, &name, err), found;
	*ret = natural_walk(w->p);
	if (code || !name)
		return code;
	if ((found = walk_find(name)) < 0)
		return err_field(err, ERR_INVALID, "#/mode", "must be lerp or slerp, got '%s'", name);
	*ret = (enum walk)found;
	return OK;
}

static int walk(struct walker *w, const struct json *body, struct rows *ret, struct err *err)
{
	static const char *const fields[] = {"from", "to", "steps", "mode", "cols", NULL};
	size_t d = (size_t)w->p->model.latent_dim;
	int64_t steps = STEPS, cols = 0;
	enum walk mode;
	struct rows ends, z;
	int code = json_only(body, fields, "#", err, NULL);
	if (!code)
		code = json_take_int(body, "steps", "#/steps", 2, LIMIT_VECTORS, &steps, err);
	if (!code)
		code = json_take_int(body, "cols", "#/cols", 1, LIMIT_GRID_IMAGES, &cols, err);
	if (!code)
		code = take_walk(w, body, &mode, err);
	if (code || (code = rows_alloc(&ends, 2, d, err)))
		return code;
	if (!(code = take_end(w, body, "from", ends.v, err)) && !(code = take_end(w, body, "to", ends.v + d, err)) &&
		!(code = rows_alloc(&z, (size_t)steps, d, err))) {
		walk_codes(z.v, z.n, mode, ends.v, ends.v + d, d);
		z.cols = cols ? cols : steps;
		*ret = z;
	}
	rows_free(&ends);
	return code;
}

int h_interpolate(struct call *c, struct err *err)
{
	struct walker w = {.call = c};
	struct json *body = NULL;
	struct rows z;
	int code = use_acquire_painter(c, &w.p, err);
	if (code)
		return code;
	if (!(code = call_body_json(c, &body, err)) && !(code = walk(&w, body, &z, err))) {
		code = use_decode(c, w.p, &z, true, err);
		rows_free(&z);
	}
	json_free(body);
	if (w.data)
		dataset_put(w.data);
	published_put(w.p);
	return code;
}
