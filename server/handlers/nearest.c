#include "server/handlers/handlers.h"

#include "server/limits.h"
#include "server/neighbours.h"

#include <string.h>

enum { K = 10 };

/* What is near to what: `query` holds pixels or a code, as the space takes them. */
struct search {
	struct neighbours found;
	int64_t cols;
	struct rows query;
};

static int take_space(const struct coder *w, const struct json *body, enum near_space *ret, struct err *err)
{
	const bool encodes = family_can(w->p->model.family, ABILITY_ENCODE);
	const char *name = NULL;
	int code = json_take_string(body, "space", "#/space", 16, &name, err);
	int found = name ? near_space_find(name) : encodes ? NEAR_CODES : NEAR_PIXELS;
	if (!code && found < 0)
		code = err_field(err, ERR_INVALID, "#/space", "must be codes or pixels, got '%s'", name);
	if (!code && found == NEAR_CODES && !encodes) {
		code = family_lacks(w->p->model.family, "encoder", err);
		if (err)
			strcpy(err->pointer, "#/space");
	}
	if (!code)
		*ret = (enum near_space)found;
	return code;
}

static int take_options(const struct coder *w, const struct json *body, struct search *s, struct err *err)
{
	static const char *const fields[] = {CODER_FIELDS, "k", "space", "cols", NULL};
	int64_t k = K;
	int code = json_only(body, fields, "#", err, NULL);
	if (!code)
		code = json_take_int(body, "k", "#/k", 1, NEAREST_MAX, &k, err);
	if (!code)
		code = json_take_int(body, "cols", "#/cols", 1, NEAREST_MAX, &s->cols, err);
	if (!code)
		code = take_space(w, body, &s->found.space, err);
	s->found.k = (int)k;
	return code;
}

/* The query's pixels, which the request names or has painted of its code. */
static int take_pixels(struct coder *w, const struct json *body, struct rows *ret, struct err *err)
{
	struct rows pixels, z;
	bool found;
	int code = rows_alloc(&pixels, 1, (size_t)map_features(&w->p->model.image), err);
	if (code)
		return code;
	if ((code = coder_take_pixels(w, body, "#", pixels.v, &found, err)) || !found)
		rows_free(&pixels);
	if (code || found) {
		*ret = pixels;
		return code;
	}
	if (!family_can(w->p->model.family, ABILITY_DECODE))
		return family_lacks(w->p->model.family, "decoder", err);
	if ((code = rows_alloc(&z, 1, (size_t)w->p->model.latent_dim, err)))
		return code;
	if (!(code = coder_take_member(w, body, "#", z.v, err)))
		code = use_paint(w->call, w->p, &z, ret, err);
	rows_free(&z);
	return code;
}

static int take_code(struct coder *w, const struct json *body, struct rows *ret, struct err *err)
{
	int code = rows_alloc(ret, 1, (size_t)w->p->model.latent_dim, err);
	if (!code && (code = coder_take_member(w, body, "#", ret->v, err)))
		rows_free(ret);
	return code;
}

static int take_json(struct coder *w, struct search *s, struct err *err)
{
	struct json *body;
	int code = call_body_json(w->call, &body, err);
	if (code)
		return code;
	if (!(code = take_options(w, body, s, err)))
		code =
			s->found.space == NEAR_PIXELS ? take_pixels(w, body, &s->query, err) : take_code(w, body, &s->query, err);
	json_free(body);
	return code;
}

/* A PNG or npy of one image. */
static int take_file(struct coder *w, struct search *s, struct err *err)
{
	struct rows images;
	int code = input_images(w->call, w->p, &images, err);
	if (code)
		return code;
	s->found.k = K;
	s->found.space = family_can(w->p->model.family, ABILITY_ENCODE) ? NEAR_CODES : NEAR_PIXELS;
	if (images.n != 1) {
		code = err_set(err, ERR_INVALID, "one image has neighbours, got %zu", images.n);
	} else if (s->found.space == NEAR_PIXELS) {
		s->query = images;
		return OK;
	} else if (!(code = rows_alloc(&s->query, 1, (size_t)w->p->model.latent_dim, err))) {
		code = coder_encode(w, images.v, s->query.v, err);
	}
	rows_free(&images);
	return code;
}

static int reply(struct coder *w, const struct search *s, struct err *err)
{
	struct call *c = w->call;
	struct rows images;
	struct jsonw json;
	if (c->format != FORMAT_JSON) {
		int code = neighbours_images(&s->found, w->data, &images, err);
		if (code)
			return code;
		images.cols = s->cols;
		code = output_images(c, w->p, &images, NULL, err);
		rows_free(&images);
		return code;
	}
	call_json(c, &json, 200);
	jw_object(&json);
	jw_kstring(&json, "object", "neighbours");
	jw_kstring(&json, "model", w->p->job_id);
	neighbours_write(&json, &s->found, w->data);
	jw_end_object(&json);
	return call_json_end(c, &json, err);
}

int h_nearest(struct call *c, struct err *err)
{
	struct coder w = {.call = c};
	struct search s = {0};
	int code = use_acquire(c, &w.p, err);
	if (code)
		return code;
	code = c->req.body.len && door_is_binary(c->req.content_type) ? take_file(&w, &s, err) : take_json(&w, &s, err);
	if (!code)
		code = neighbours_find(&w, &s.found, s.query.v, "#/k", err);
	if (!code)
		code = reply(&w, &s, err);
	rows_free(&s.query);
	coder_close(&w);
	published_put(w.p);
	return code;
}
