#include "server/model_io.h"

#include "core/data/npy.h"
#include "core/data/png.h"
#include "server/limits.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int too_many(size_t n, const char *pointer, struct err *err)
{
	return err_field(err, ERR_INVALID, pointer, "at most %d a call, got %zu", LIMIT_VECTORS, n);
}

/* The model as the client named it; `latest` says less than the id. */
static const char *called(const struct call *c, const struct published *p)
{
	return c->arg[0] && strcmp(c->arg[0], "latest") != 0 ? c->arg[0] : p->job_id;
}

static int wrong_width(const char *model, int latent_dim, size_t got, const char *pointer, struct err *err)
{
	return err_field(err, ERR_INVALID, pointer, "model %s has %d latent units, got %zu value%s", model, latent_dim, got,
		got == 1 ? "" : "s");
}

/* --- JSON --- */

/* What a row of numbers must be. */
struct row_rule {
	const char *key;
	size_t width;
	double min, max;
	const char *model; /* of codes; NULL: pixels */
};

static int read_row(const struct json *row, const struct row_rule *rule, const char *pointer, float *out, struct err *err)
{
	char of_value[80];
	size_t i = 0;
	if (json_type(row) != JSON_ARRAY)
		return json_fail_type(row, pointer, "an array of numbers", err);
	if (json_count(row) != rule->width)
		return rule->model ? wrong_width(rule->model, (int)rule->width, json_count(row), pointer, err)
						   : err_field(err, ERR_INVALID, pointer, "an image has %zu values, got %zu", rule->width, json_count(row));
	for (const struct json *value = json_first(row); value; value = json_next(value), i++) {
		snprintf(of_value, sizeof of_value, "%s/%zu", pointer, i);
		if (json_type(value) != JSON_NUMBER)
			return json_fail_type(value, of_value, "a number", err);
		double x = json_number(value);
		if (x < rule->min || x > rule->max)
			return err_field(err, ERR_INVALID, of_value, "must be %.9g..%.9g, got %.9g", rule->min, rule->max, x);
		out[i] = (float)x;
	}
	return OK;
}

static int read_rows(const struct json *array, const struct row_rule *rule, struct rows *ret, struct err *err)
{
	char pointer[32];
	size_t i = 0;
	snprintf(pointer, sizeof pointer, "#/%s", rule->key);
	if (json_type(array) != JSON_ARRAY)
		return json_fail_type(array, pointer, "an array of arrays of numbers", err);
	size_t n = json_count(array);
	if (!n)
		return err_field(err, ERR_INVALID, pointer, "must not be empty");
	if (n > LIMIT_VECTORS)
		return too_many(n, pointer, err);
	int code = rows_alloc(ret, n, rule->width, err);
	for (const struct json *row = json_first(array); row && !code; row = json_next(row), i++) {
		char of_row[48];
		snprintf(of_row, sizeof of_row, "%s/%zu", pointer, i);
		code = read_row(row, rule, of_row, ret->v + i * rule->width, err);
	}
	if (code)
		rows_free(ret);
	return code;
}

static int take_cols(const struct json *body, int64_t *ret, struct err *err)
{
	return json_take_int(body, "cols", "#/cols", 1, LIMIT_GRID_IMAGES, ret, err);
}

/* --- npy and PNG --- */

static int check_values(const struct rows *r, double min, double max, struct err *err)
{
	for (size_t i = 0; i < r->n * r->width; i++)
		if (!(r->v[i] >= min && r->v[i] <= max))
			return err_set(err, ERR_INVALID, "value %zu of row %zu must be %.9g..%.9g, got %.9g", i % r->width, i / r->width, min, max,
				(double)r->v[i]);
	return OK;
}

/* Any shape whose first axis counts the rows and whose others multiply to their width; one row needs no first axis. */
static int read_npy(const struct buf *body, size_t width, struct rows *ret, int64_t shape[4], int *ret_rank, struct err *err)
{
	float *v;
	int code = npy_read(&v, shape, ret_rank, body->data, body->len, err);
	if (code)
		return code;
	size_t total = (size_t)(shape[0] * shape[1] * shape[2] * shape[3]);
	size_t each = *ret_rank == 1 ? total : total / (size_t)shape[0];
	if (total == width)
		each = width;
	*ret = (struct rows){.v = v, .n = total / each, .width = each};
	return OK;
}

static bool is_npy(const struct call *c)
{
	return door_is_binary(c->req.content_type) && !media_is(c->req.content_type, "image/png");
}

static int codes_from_npy(struct call *c, const struct published *p, struct rows *ret, struct err *err)
{
	int64_t shape[4];
	int rank;
	int code = read_npy(&c->req.body, (size_t)p->model.latent_dim, ret, shape, &rank, err);
	if (code)
		return code;
	if (ret->width != (size_t)p->model.latent_dim)
		code = wrong_width(called(c, p), p->model.latent_dim, ret->width, "", err);
	else if (ret->n > LIMIT_VECTORS)
		code = too_many(ret->n, "", err);
	else
		code = check_values(ret, -FLT_MAX, FLT_MAX, err);
	if (code)
		rows_free(ret);
	return code;
}

static int images_from_npy(struct call *c, const struct published *p, struct rows *ret, struct err *err)
{
	const struct map *m = &p->model.image;
	int64_t shape[4];
	int rank;
	size_t width = (size_t)map_features(m);
	int code = read_npy(&c->req.body, width, ret, shape, &rank, err);
	if (code)
		return code;
	if (ret->width != width)
		code = err_set(err, ERR_INVALID, "model %s takes images of [%d,%d,%d] (%zu values), got rows of %zu", called(c, p), m->c, m->h,
			m->w, width, ret->width);
	else if (ret->n > LIMIT_VECTORS)
		code = too_many(ret->n, "", err);
	else
		code = check_values(ret, 0, 1, err);
	if (code)
		rows_free(ret);
	return code;
}

/* One image of the model's size, or a grid of such, row by row. */
static void cut_tiles(const struct canvas *canvas, const struct map *m, struct rows *out)
{
	size_t across = (size_t)(canvas->w / m->w);
	for (size_t i = 0; i < out->n; i++)
		for (int ch = 0; ch < m->c; ch++)
			for (int y = 0; y < m->h; y++)
				for (int x = 0; x < m->w; x++) {
					size_t px = i % across * (size_t)m->w + (size_t)x, py = i / across * (size_t)m->h + (size_t)y;
					uint8_t value = canvas->pixels[(py * (size_t)canvas->w + px) * (size_t)canvas->channels + (size_t)ch];
					out->v[i * out->width + (size_t)((ch * m->h + y) * m->w + x)] = (float)value / 255.0f;
				}
}

static int images_from_png(struct call *c, const struct published *p, struct rows *ret, struct err *err)
{
	const struct map *m = &p->model.image;
	struct canvas canvas;
	int code = png_read(&canvas, c->req.body.data, c->req.body.len, m->c, err);
	if (code)
		return code;
	size_t n = (size_t)(canvas.w / m->w) * (size_t)(canvas.h / m->h);
	if (canvas.w % m->w || canvas.h % m->h)
		code = err_set(err, ERR_INVALID, "model %s takes pictures of %dx%d pixels, or a grid of such; got %dx%d", called(c, p), m->w,
			m->h, canvas.w, canvas.h);
	else if (n > LIMIT_VECTORS)
		code = too_many(n, "", err);
	else if (!(code = rows_alloc(ret, n, (size_t)map_features(m), err)))
		cut_tiles(&canvas, m, ret);
	canvas_close(&canvas);
	return code;
}

/* --- codes --- */

static struct row_rule code_rule(const struct call *c, const struct published *p)
{
	return (struct row_rule){
		.key = "z", .width = (size_t)p->model.latent_dim, .min = -FLT_MAX, .max = FLT_MAX, .model = called(c, p)};
}

int input_code(const struct call *c, const struct published *p, const struct json *value, const char *pointer, float *z,
	struct err *err)
{
	const struct row_rule rule = code_rule(c, p);
	return read_row(value, &rule, pointer, z, err);
}

static struct row_rule image_rule(const struct published *p)
{
	return (struct row_rule){.key = "images", .width = (size_t)map_features(&p->model.image), .max = 1};
}

int input_image(const struct published *p, const struct json *value, const char *pointer, float *pixels, struct err *err)
{
	const struct row_rule rule = image_rule(p);
	return read_row(value, &rule, pointer, pixels, err);
}

int input_codes(struct call *c, const struct published *p, struct rows *ret, struct err *err)
{
	static const char *const fields[] = {"z", "cols", NULL};
	const struct row_rule rule = code_rule(c, p);
	struct json *body;
	int64_t cols = 0;
	if (media_is(c->req.content_type, "image/png"))
		return err_set(err, ERR_MEDIA, "codes come as JSON or npy, not as a picture");
	if (c->req.body.len && is_npy(c))
		return codes_from_npy(c, p, ret, err);
	int code = call_body_json(c, &body, err);
	if (code)
		return code;
	const struct json *z = json_get(body, "z");
	if (!(code = json_only(body, fields, "#", err, NULL)) && !(code = take_cols(body, &cols, err)))
		code = z ? read_rows(z, &rule, ret, err)
				 : err_field(err, ERR_INVALID, "#/z", "is missing: an array of vectors of %d numbers", p->model.latent_dim);
	json_free(body);
	if (!code)
		ret->cols = cols;
	return code;
}

/* "0.1,-1.2" up to ';' or the end: the number of values; SIZE_MAX if one is none. *at moves past it. */
static size_t read_vector(const char **at, float *out, size_t max)
{
	for (size_t n = 1;; n++) {
		char *end;
		bool plain = strspn(*at, " +-.0123456789eE") == strcspn(*at, ",;") && strcspn(*at, ",;");
		double x = strtod(*at, &end);
		if (!plain || (*end && *end != ',' && *end != ';') || !isfinite(x) || fabs(x) > (double)FLT_MAX)
			return SIZE_MAX;
		if (n <= max)
			out[n - 1] = (float)x;
		*at = end + (*end == ',' || *end == ';');
		if (*end != ',')
			return n;
	}
}

static size_t count_vectors(const char *text)
{
	size_t n = 1;
	while ((text = strchr(text, ';')))
		n++, text++;
	return n;
}

int input_codes_text(struct call *c, const struct published *p, struct rows *ret, struct err *err)
{
	const struct uri *u = &c->req.uri;
	const char *text = uri_get(u, "z");
	size_t width = (size_t)p->model.latent_dim;
	int64_t cols = 0;
	int code = uri_int(u, "cols", 1, LIMIT_GRID_IMAGES, &cols, err);
	if (code)
		return code;
	if (!text || !*text)
		return err_set(err, ERR_INVALID, "z is missing: ?z=0.1,-1.2 with %zu numbers, vectors apart by ';'", width);
	size_t n = count_vectors(text);
	if (n > LIMIT_VECTORS)
		return err_set(err, ERR_INVALID, "z: at most %d vectors, got %zu", LIMIT_VECTORS, n);
	if ((code = rows_alloc(ret, n, width, err)))
		return code;
	ret->cols = cols;
	for (size_t i = 0; i < n && !code; i++) {
		size_t got = read_vector(&text, ret->v + i * width, width);
		if (got == SIZE_MAX)
			code = err_set(err, ERR_INVALID, "z: vector %zu holds something that is not a number of -3.4e38..3.4e38", i);
		else if (got != width)
			code = wrong_width(called(c, p), p->model.latent_dim, got, "", err);
	}
	if (code)
		rows_free(ret);
	return code;
}

/* --- images --- */

static int read_indices(const struct json *array, size_t images, size_t **ret, size_t *ret_n, struct err *err)
{
	size_t n = json_type(array) == JSON_ARRAY ? json_count(array) : 0, i = 0;
	if (json_type(array) != JSON_ARRAY)
		return json_fail_type(array, "#/indices", "an array of whole numbers", err);
	if (!n)
		return err_field(err, ERR_INVALID, "#/indices", "must not be empty");
	if (n > LIMIT_VECTORS)
		return too_many(n, "#/indices", err);
	size_t *indices = malloc(n * sizeof *indices);
	if (!indices)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	for (const struct json *value = json_first(array); value; value = json_next(value), i++) {
		double x = json_type(value) == JSON_NUMBER ? json_number(value) : -1;
		if (x != floor(x) || x < 0 || x >= (double)images) {
			char pointer[48], wanted[48];
			snprintf(pointer, sizeof pointer, "#/indices/%zu", i);
			snprintf(wanted, sizeof wanted, "a whole number 0..%zu", images - 1);
			free(indices);
			return json_fail_type(value, pointer, wanted, err);
		}
		indices[i] = (size_t)x;
	}
	*ret = indices;
	*ret_n = n;
	return OK;
}

static int copy_images(const struct dataset *d, enum split split, const struct json *array, struct rows *ret, struct err *err)
{
	const struct dataset_split *s = &d->split[split];
	size_t width = (size_t)(d->c * d->h * d->w), n = 0, *indices = NULL;
	int code = read_indices(array, s->n, &indices, &n, err);
	if (code)
		return code;
	if (!(code = rows_alloc(ret, n, width, err)))
		for (size_t i = 0; i < n * width; i++)
			ret->v[i] = (float)s->images[indices[i / width] * width + i % width] / 255.0f;
	free(indices);
	return code;
}

static int take_split(const struct json *body, enum split *ret, struct err *err)
{
	const char *name = split_names[SPLIT_TEST];
	int code = json_take_string(body, "split", "#/split", 16, &name, err);
	if (!code && !split_find(name, ret))
		code = err_field(err, ERR_INVALID, "#/split", "must be train or test, got '%s'", name);
	return code;
}

static int images_from_dataset(struct call *c, const struct published *p, const struct json *body, struct rows *ret, struct err *err)
{
	static const char *const fields[] = {"dataset", "split", "indices", "cols", NULL};
	const struct map *m = &p->model.image;
	const struct json *indices = json_get(body, "indices");
	const char *name = NULL;
	enum split split = SPLIT_TEST;
	struct dataset *d;
	int code = json_only(body, fields, "#", err, NULL);
	if (!code)
		code = json_take_string(body, "dataset", "#/dataset", DATASET_NAME_MAX, &name, err);
	if (!code)
		code = take_split(body, &split, err);
	if (!code && (!indices || !name))
		code = err_field(err, ERR_INVALID, name ? "#/indices" : "#/dataset",
			"is missing: send {\"images\":[[…]]} or {\"dataset\":\"fashion-mnist\",\"split\":\"test\",\"indices\":[0,1]}");
	if (code)
		return code;
	if ((code = cache_dataset(c->daemon->cache, name, &d, err))) {
		if (err)
			snprintf(err->pointer, sizeof err->pointer, "#/dataset");
		return code;
	}
	if (d->c != m->c || d->h != m->h || d->w != m->w)
		code = err_field(err, ERR_INVALID, "#/dataset", "has images of [%d,%d,%d]; model %s takes [%d,%d,%d]", d->c, d->h, d->w,
			called(c, p), m->c, m->h, m->w);
	else
		code = copy_images(d, split, indices, ret, err);
	dataset_put(d);
	return code;
}

static int images_from_json(struct call *c, const struct published *p, const struct json *body, struct rows *ret, struct err *err)
{
	static const char *const fields[] = {"images", "cols", NULL};
	const struct json *images = json_get(body, "images");
	const struct row_rule rule = image_rule(p);
	int64_t cols = 0;
	int code = take_cols(body, &cols, err);
	if (!code && images && json_get(body, "dataset"))
		code = err_field(err, ERR_INVALID, "#/dataset", "either 'images' or 'dataset', not both");
	if (!code && images)
		code = json_only(body, fields, "#", err, NULL);
	if (!code)
		code = images ? read_rows(images, &rule, ret, err) : images_from_dataset(c, p, body, ret, err);
	if (!code)
		ret->cols = cols;
	return code;
}

int input_images(struct call *c, const struct published *p, struct rows *ret, struct err *err)
{
	struct json *body;
	if (c->req.body.len && is_npy(c))
		return images_from_npy(c, p, ret, err);
	if (c->req.body.len && door_is_binary(c->req.content_type))
		return images_from_png(c, p, ret, err);
	int code = call_body_json(c, &body, err);
	if (code)
		return code;
	if (json_type(body) != JSON_OBJECT)
		code = json_fail_type(body, "#", "an object", err);
	else
		code = images_from_json(c, p, body, ret, err);
	json_free(body);
	return code;
}
