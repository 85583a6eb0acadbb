#include "server/limits.h"
#include "server/model_io.h"

#include "core/data/npy.h"
#include "core/data/png.h"

#include <stdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A model of two units and 2x3 pixels; nothing here computes with it. */
static struct published model(void)
{
	return (struct published){.job_id = "vae-2", .model = {.family = family_at(0), .latent_dim = 2, .image = {1, 2, 3, 0}}};
}

static struct call call_with(const char *type, const void *body, size_t size)
{
	struct call c = {.req = {.method = METHOD_POST, .content_type = type}};
	buf_append(&c.req.body, body, size);
	return c;
}

/* --- z in a URL --- */

static const struct {
	const char *z;
	int code;
	size_t n;
	float first, last;
	const char *says;
} vectors[] = {
	{"1,2", OK, 1, 1, 2, NULL},
	{"0.5,-1.25", OK, 1, 0.5f, -1.25f, NULL},
	{"1e-3,%202", OK, 1, 0.001f, 2, NULL},
	{"%2B1,2", OK, 1, 1, 2, NULL},
	{"1%2C2%3B3%2C4", OK, 2, 1, 4, NULL},
	{"1,2;3,4;5,6", OK, 3, 1, 6, NULL},
	{"1", ERR_INVALID, 0, 0, 0, "model vae-2 has 2 latent units, got 1 value"},
	{"1,2,3", ERR_INVALID, 0, 0, 0, "model vae-2 has 2 latent units, got 3 values"},
	{"1,2;3", ERR_INVALID, 0, 0, 0, "got 1 value"},
	{"", ERR_INVALID, 0, 0, 0, "z is missing"},
	{"a,b", ERR_INVALID, 0, 0, 0, "vector 0 holds something that is not a number"},
	{"1,2;x,3", ERR_INVALID, 0, 0, 0, "vector 1"},
	{"1,", ERR_INVALID, 0, 0, 0, "not a number"},
	{",1", ERR_INVALID, 0, 0, 0, "not a number"},
	{"1,2;", ERR_INVALID, 0, 0, 0, "not a number"},
	{"1,2;;3,4", ERR_INVALID, 0, 0, 0, "not a number"},
	{"nan,1", ERR_INVALID, 0, 0, 0, "not a number"},
	{"inf,1", ERR_INVALID, 0, 0, 0, "not a number"},
	{"1e39,1", ERR_INVALID, 0, 0, 0, "not a number"},
	{"1e999,1", ERR_INVALID, 0, 0, 0, "not a number"},
	{"0x1,1", ERR_INVALID, 0, 0, 0, "not a number"},
	{"1%202,3", ERR_INVALID, 0, 0, 0, "not a number"},
	{"1,2&cols=0", ERR_INVALID, 0, 0, 0, "cols"},
};

static void reads_vectors(void **state)
{
	(void)state;
	const struct published p = model();
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
		char target[200];
		struct call c = {0};
		struct rows z = {0};
		struct err err = {0};
		snprintf(target, sizeof target, "/?z=%s", vectors[i].z);
		assert_int_equal(uri_parse(&c.req.uri, target, "", NULL), OK);
		int code = input_codes_text(&c, &p, &z, &err);
		if (code != vectors[i].code || z.n != vectors[i].n || (code && !strstr(err.message, vectors[i].says)))
			fail_msg("z=%s: code %d, '%s'", vectors[i].z, code, err.message);
		if (!code && (z.v[0] != vectors[i].first || z.v[z.n * 2 - 1] != vectors[i].last))
			fail_msg("z=%s: %g … %g", vectors[i].z, (double)z.v[0], (double)z.v[z.n * 2 - 1]);
		rows_free(&z);
		call_fini(&c);
	}
}

/* --- bodies --- */

enum wants { CODES, IMAGES };
static int (*const readers[])(struct call *, const struct published *, struct rows *, struct err *) = {input_codes, input_images};

static const struct {
	enum wants wants;
	const char *body;
	int code;
	size_t n;
	const char *pointer, *says;
} bodies[] = {
	{CODES, "{\"z\":[[1,2]]}", OK, 1, "", ""},
	{CODES, "{\"z\":[[1,2],[3,4e1]],\"cols\":2}", OK, 2, "", ""},
	{CODES, "{\"z\":[[1,2,3]]}", ERR_INVALID, 0, "#/z/0", "model vae-2 has 2 latent units, got 3 values"},
	{CODES, "{\"z\":[[1,2],[1]]}", ERR_INVALID, 0, "#/z/1", "got 1 value"},
	{CODES, "{\"z\":[[1,\"2\"]]}", ERR_INVALID, 0, "#/z/0/1", "a number"},
	{CODES, "{\"z\":[[null,2]]}", ERR_INVALID, 0, "#/z/0/0", "a number"},
	{CODES, "{\"z\":[[1,1e39]]}", ERR_INVALID, 0, "#/z/0/1", "must be"},
	{CODES, "{\"z\":[1,2]}", ERR_INVALID, 0, "#/z/0", "an array of numbers"},
	{CODES, "{\"z\":[]}", ERR_INVALID, 0, "#/z", "empty"},
	{CODES, "{\"z\":{}}", ERR_INVALID, 0, "#/z", "an array"},
	{CODES, "{}", ERR_INVALID, 0, "#/z", "missing"},
	{CODES, "", ERR_INVALID, 0, "#/z", "missing"},
	{CODES, "{\"zz\":[[1,2]]}", ERR_INVALID, 0, "#/zz", "did you mean 'z'"},
	{CODES, "{\"z\":[[1,2]],\"cols\":0}", ERR_INVALID, 0, "#/cols", "1..4096"},
	{CODES, "{\"z\":[[1,2]]", ERR_SYNTAX, 0, "", "line 1"},
	{IMAGES, "{\"images\":[[0,0.5,1,0,0,0]]}", OK, 1, "", ""},
	{IMAGES, "{\"images\":[[0,0,0,0,0,0],[1,1,1,1,1,1]],\"cols\":1}", OK, 2, "", ""},
	{IMAGES, "{\"images\":[[0,0,0,0,0]]}", ERR_INVALID, 0, "#/images/0", "an image has 6 values, got 5"},
	{IMAGES, "{\"images\":[[0,0,0,0,0,1.5]]}", ERR_INVALID, 0, "#/images/0/5", "0..1, got 1.5"},
	{IMAGES, "{\"images\":[[0,0,0,0,0,-0.1]]}", ERR_INVALID, 0, "#/images/0/5", "0..1"},
	{IMAGES, "{\"images\":[[0,0,0,0,0,0]],\"split\":\"test\"}", ERR_INVALID, 0, "#/split", "unknown"},
	{IMAGES, "{\"images\":[[0,0,0,0,0,0]],\"dataset\":\"x\"}", ERR_INVALID, 0, "#/dataset", "not both"},
	{IMAGES, "{}", ERR_INVALID, 0, "#/dataset", "missing"},
	{IMAGES, "[]", ERR_INVALID, 0, "#", "an object"},
	{IMAGES, "{\"dataset\":\"x\"}", ERR_INVALID, 0, "#/indices", "missing"},
	{IMAGES, "{\"dataset\":\"x\",\"split\":\"tset\",\"indices\":[0]}", ERR_INVALID, 0, "#/split", "train or test"},
	{IMAGES, "{\"dataset\":\"x\",\"indexes\":[0]}", ERR_INVALID, 0, "#/indexes", "indices"},
};

static void reads_json(void **state)
{
	(void)state;
	const struct published p = model();
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		struct call c = call_with("application/json", bodies[i].body, strlen(bodies[i].body));
		struct rows r = {0};
		struct err err = {0};
		int code = readers[bodies[i].wants](&c, &p, &r, &err);
		if (code != bodies[i].code || r.n != bodies[i].n || strcmp(err.pointer, bodies[i].pointer) != 0 ||
			!strstr(err.message, bodies[i].says))
			fail_msg("%s: code %d, %zu rows, %s '%s'", bodies[i].body, code, r.n, err.pointer, err.message);
		rows_free(&r);
		call_fini(&c);
	}
}

static void limits_vectors(void **state)
{
	(void)state;
	const struct published p = model();
	struct buf b = BUF_INIT;
	struct rows r = {0};
	struct err err = {0};
	buf_str(&b, "{\"z\":[");
	for (int i = 0; i < 10001; i++)
		buf_str(&b, i ? ",[1,2]" : "[1,2]");
	buf_str(&b, "]}");
	struct call c = call_with("application/json", b.data, b.len);
	assert_int_equal(input_codes(&c, &p, &r, &err), ERR_INVALID);
	assert_string_equal(err.message, "at most 10000 a call, got 10001");
	buf_free(&b);
	call_fini(&c);
}

/* Reads values of this shape as npy. */
static int from_npy(enum wants wants, const int64_t *shape, int rank, float value, struct rows *ret)
{
	const struct published p = model();
	struct buf file = BUF_INIT;
	float values[64];
	for (int i = 0; i < 64; i++)
		values[i] = value;
	npy_write(&file, values, shape, rank);
	struct call c = call_with("application/x-npy", file.data, file.len);
	int code = readers[wants](&c, &p, ret, NULL);
	buf_free(&file);
	call_fini(&c);
	return code;
}

static void reads_npy(void **state)
{
	(void)state;
	static const struct {
		enum wants wants;
		int64_t shape[4];
		int rank;
		float value;
		int code;
		size_t n;
	} files[] = {
		{CODES, {3, 2}, 2, -7, OK, 3},
		{CODES, {2}, 1, 1, OK, 1},
		{CODES, {1, 2}, 2, 1, OK, 1},
		{CODES, {4, 3}, 2, 1, ERR_INVALID, 0},
		{CODES, {3}, 1, 1, ERR_INVALID, 0},
		{CODES, {1, 2}, 2, (float)1e39, ERR_INVALID, 0},
		{IMAGES, {5, 2, 3}, 3, 0.5f, OK, 5},
		{IMAGES, {5, 1, 2, 3}, 4, 0.5f, OK, 5},
		{IMAGES, {5, 6}, 2, 0.5f, OK, 5},
		{IMAGES, {2, 3}, 2, 0.5f, OK, 1},
		{IMAGES, {6}, 1, 0.5f, OK, 1},
		{IMAGES, {4, 7}, 2, 0.5f, ERR_INVALID, 0},
		{IMAGES, {5, 2, 3}, 3, 1.5f, ERR_INVALID, 0},
		{IMAGES, {5, 2, 3}, 3, -0.5f, ERR_INVALID, 0},
	};
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		struct rows r = {0};
		int code = from_npy(files[i].wants, files[i].shape, files[i].rank, files[i].value, &r);
		if (code != files[i].code || r.n != files[i].n)
			fail_msg("npy %zu: code %d, %zu rows", i, code, r.n);
		rows_free(&r);
	}
}

static void reads_grids_of_pictures(void **state)
{
	(void)state;
	const struct published p = model();
	struct canvas canvas;
	struct buf file = BUF_INIT;
	struct rows r = {0};
	assert_int_equal(canvas_open(&canvas, 6, 4, 1, 0, NULL), OK); /* 2 by 2 images of 3x2 */
	canvas_rect(&canvas, 3, 2, 3, 2, 0xffffff);                   /* the last of them */
	canvas_rect(&canvas, 0, 0, 1, 1, 0xffffff);
	assert_int_equal(png_write(&file, &canvas, 1, NULL), OK);
	struct call c = call_with("image/png", file.data, file.len);
	assert_int_equal(input_images(&c, &p, &r, NULL), OK);
	assert_int_equal(r.n, 4);
	assert_true(r.v[0] == 1 && r.v[1] == 0 && r.v[6] == 0 && r.v[12] == 0);
	for (int i = 18; i < 24; i++)
		assert_true(r.v[i] == 1);
	rows_free(&r);
	call_fini(&c);
	buf_free(&file);
	canvas_close(&canvas);
	assert_int_equal(canvas_open(&canvas, 5, 4, 1, 0, NULL), OK);
	assert_int_equal(png_write(&file, &canvas, 1, NULL), OK);
	c = call_with("image/png", file.data, file.len);
	assert_int_equal(input_images(&c, &p, &r, NULL), ERR_INVALID);
	assert_int_equal(input_codes(&c, &p, &r, NULL), ERR_MEDIA);
	call_fini(&c);
	buf_free(&file);
	canvas_close(&canvas);
}

/* --- samples --- */

static const struct {
	const char *query, *body;
	int code;
	const char *pointer;
} samples[] = {
	{"", "", OK, ""},
	{"count=9&seed=1&distribution=uniform&low=-1&high=1&cols=3", "{\"count\":9,\"seed\":1,\"distribution\":\"uniform\",\"low\":-1,\"high\":1,\"cols\":3}",
		OK, ""},
	{"count=0", "{\"count\":0}", ERR_INVALID, "#/count"},
	{"count=10001", "{\"count\":10001}", ERR_INVALID, "#/count"},
	{"seed=-1", "{\"seed\":-1}", ERR_INVALID, "#/seed"},
	{"seed=9007199254740992", "{\"seed\":9007199254740992}", ERR_INVALID, "#/seed"},
	{"distribution=cauchy", "{\"distribution\":\"cauchy\"}", ERR_INVALID, "#/distribution"},
	{"distribution=uniform&low=1", "{\"distribution\":\"uniform\",\"low\":1}", ERR_INVALID, "#/high"},
	{"distribution=uniform&low=1&high=1", "{\"distribution\":\"uniform\",\"low\":1,\"high\":1}", ERR_INVALID, "#/high"},
	{"distribution=normal&low=0&high=1", "{\"distribution\":\"normal\",\"low\":0,\"high\":1}", ERR_INVALID, "#/low"},
	{"cols=0", "{\"cols\":0}", ERR_INVALID, "#/cols"},
};

static void reads_samples_alike(void **state)
{
	(void)state;
	static const struct sample_rule rule = {.count = 64, .min = 1, .max = LIMIT_VECTORS, .cols = LIMIT_GRID_IMAGES};
	const struct published p = model();
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
		char target[200];
		struct sample_request a, b;
		struct err err = {0};
		struct call post = call_with("application/json", samples[i].body, strlen(samples[i].body));
		struct call get = {.req.method = METHOD_GET};
		snprintf(target, sizeof target, "/?%s", samples[i].query);
		assert_int_equal(uri_parse(&get.req.uri, target, "", NULL), OK);
		if (input_sample(&post, &p, &rule, &a, &err) != samples[i].code || strcmp(err.pointer, samples[i].pointer) != 0)
			fail_msg("%s: %s %s", samples[i].body, err.pointer, err.message);
		if (input_sample(&get, &p, &rule, &b, NULL) != samples[i].code)
			fail_msg("?%s", samples[i].query);
		if (!samples[i].code)
			assert_true(a.count == b.count && a.cols == b.cols && a.spec.seed == b.spec.seed && a.spec.low == b.spec.low &&
						a.spec.high == b.spec.high && a.spec.distribution == b.spec.distribution && a.spec.has_box == b.spec.has_box);
		call_fini(&post);
		call_fini(&get);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_vectors),
		cmocka_unit_test(reads_json),
		cmocka_unit_test(limits_vectors),
		cmocka_unit_test(reads_npy),
		cmocka_unit_test(reads_grids_of_pictures),
		cmocka_unit_test(reads_samples_alike),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
