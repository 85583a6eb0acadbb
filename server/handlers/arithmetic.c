#include "server/handlers/handlers.h"

#include "server/limits.h"
#include "server/neighbours.h"

#include <stdio.h>
#include <stdlib.h>

enum { TERMS_MAX = 64 };

struct sum {
	double *z; /* [latent_dim] */
	struct rows term;
	size_t terms[2]; /* plus, minus */
};

static int add_terms(
	struct coder *w, const struct json *body, const char *key, int sign, struct sum *s, struct err *err)
{
	const struct json *list = json_get(body, key);
	char pointer[32];
	size_t *n = &s->terms[sign < 0];
	snprintf(pointer, sizeof pointer, "#/%s", key);
	if (list && json_type(list) != JSON_ARRAY)
		return json_fail_type(list, pointer, "an array of codes, such as [\"Bag\"]", err);
	if (list && json_count(list) > TERMS_MAX)
		return err_field(err, ERR_INVALID, pointer, "at most %d terms, got %zu", TERMS_MAX, json_count(list));
	for (const struct json *term = list ? json_first(list) : NULL; term; term = json_next(term)) {
		snprintf(pointer, sizeof pointer, "#/%s/%zu", key, (*n)++);
		int code = coder_take(w, term, pointer, s->term.v, err);
		if (code)
			return code;
		for (size_t j = 0; j < s->term.width; j++)
			s->z[j] += sign * (double)s->term.v[j];
	}
	return OK;
}

/* What the terms are added to: of as many plus as minus, which are a difference and no place, the mean code. */
static int add_base(struct coder *w, const struct json *body, struct sum *s, struct err *err)
{
	const struct json *base = json_get(body, "base");
	const struct code_stats *stats = &w->p->codes;
	if (!base) {
		for (int j = 0; j < stats->latent_dim && s->terms[0] == s->terms[1]; j++)
			s->z[j] += stats->mean[j];
		return OK;
	}
	int code = coder_take(w, base, "#/base", s->term.v, err);
	for (size_t j = 0; j < s->term.width && !code; j++)
		s->z[j] += (double)s->term.v[j];
	return code;
}

static int add_up(struct coder *w, const struct json *body, struct sum *s, struct err *err)
{
	int code = add_terms(w, body, "plus", 1, s, err);
	if (!code)
		code = add_terms(w, body, "minus", -1, s, err);
	if (!code && !s->terms[0] && !s->terms[1])
		code = err_field(err, ERR_INVALID, "#/plus", "is missing: an array of codes, such as [\"Bag\"]; or minus");
	return code ? code : add_base(w, body, s, err);
}

static int compute(struct coder *w, const struct json *body, struct rows *ret, struct err *err)
{
	const size_t d = (size_t)w->p->model.latent_dim;
	struct sum s = {.z = calloc(d, sizeof *s.z)};
	struct rows z = {0};
	int code = s.z ? rows_alloc(&s.term, 1, d, err) : err_set(err, ERR_NO_MEMORY, "out of memory");
	if (!code)
		code = add_up(w, body, &s, err);
	if (!code)
		code = rows_alloc(&z, 1, d, err);
	for (size_t j = 0; j < d && !code; j++)
		z.v[j] = (float)s.z[j];
	free(s.z);
	rows_free(&s.term);
	if (!code)
		*ret = z;
	return code;
}

struct answer {
	struct neighbours near; /* k 0: not asked for */
	const struct dataset *data;
};

static void write_nearest(struct jsonw *w, const void *ctx)
{
	const struct answer *a = ctx;
	if (!a->near.k)
		return;
	jw_key(w, "nearest");
	jw_object(w);
	neighbours_write(w, &a->near, a->data);
	jw_end_object(w);
}

static int reply(struct coder *w, const struct rows *z, int64_t k, struct err *err)
{
	const bool encodes = family_can(w->p->model.family, ABILITY_ENCODE);
	struct answer a = {.near.k = (int)k, .near.space = encodes ? NEAR_CODES : NEAR_PIXELS};
	struct rows images;
	int code = use_paint(w->call, w->p, z, &images, err);
	if (code)
		return code;
	if (k)
		code = neighbours_find(w, &a.near, encodes ? z->v : images.v, "#/nearest", err);
	a.data = w->data;
	if (!code)
		code = output_images_with(
			w->call, w->p, &images, &(struct images_extra){.z = z, .write = write_nearest, .ctx = &a}, err);
	rows_free(&images);
	return code;
}

static int answer(struct coder *w, const struct json *body, struct err *err)
{
	static const char *const fields[] = {"plus", "minus", "base", "nearest", NULL};
	int64_t k = 0;
	struct rows z;
	int code = json_only(body, fields, "#", err, NULL);
	if (!code)
		code = json_take_int(body, "nearest", "#/nearest", 0, NEAREST_MAX, &k, err);
	if (!code && !(code = compute(w, body, &z, err))) {
		code = reply(w, &z, k, err);
		rows_free(&z);
	}
	return code;
}

int h_arithmetic(struct call *c, struct err *err)
{
	struct coder w = {.call = c};
	struct json *body;
	int code = use_acquire_painter(c, &w.p, err);
	if (code)
		return code;
	if (!(code = call_body_json(c, &body, err))) {
		code = answer(&w, body, err);
		json_free(body);
	}
	coder_close(&w);
	published_put(w.p);
	return code;
}
