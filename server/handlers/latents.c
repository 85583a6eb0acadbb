/* latents.c: the codes of a whole split, and what they are like in figures. */
#include "server/handlers/handlers.h"

#include "core/lab/latents.h"
#include "server/limits.h"
#include "server/model_code.h"

#include <stdio.h>
#include <stdlib.h>

/* Images first … first + n - 1 of a split. */
struct part {
	struct coder w;
	enum split split;
	size_t first, n;
	const float *z; /* of the first of them */
};

static void part_close(struct part *p)
{
	coder_close(&p->w);
	published_put(p->w.p);
}

static int take_part(struct part *p, struct err *err)
{
	const struct uri *u = &p->w.call->req.uri;
	const char *name = uri_get(u, "split");
	p->split = SPLIT_TEST;
	if (name && !split_find(name, &p->split))
		return err_set(err, ERR_INVALID, "split must be train or test, got '%.60s'", name);
	const int64_t all = (int64_t)p->w.data->split[p->split].n;
	int64_t first = 0, n = all;
	int code = uri_int(u, "offset", 0, all - 1, &first, err);
	if (!code)
		code = uri_int(u, "n", 1, all, &n, err);
	p->first = (size_t)first;
	p->n = (size_t)(n < all - first ? n : all - first);
	return code;
}

static int check_size(const struct part *p, struct err *err)
{
	const size_t d = (size_t)p->w.p->model.latent_dim;
	if (p->w.call->format == FORMAT_NPY || p->n * d <= LIMIT_NUMBERS)
		return OK;
	return err_set(err, ERR_INVALID,
		"%zu codes of %zu numbers are more than %d as text; ask for .npy, or for fewer by ?n=", p->n, d, LIMIT_NUMBERS);
}

/* Everything up to the codes. *ret_done: what the client has is still true; nothing to free then. */
static int open_part(struct part *p, struct call *c, bool whole, bool *ret_done, struct err *err)
{
	*p = (struct part){.w.call = c};
	int code = use_acquire(c, &p->w.p, err);
	if (code)
		return code;
	if (!family_can(p->w.p->model.family, ABILITY_ENCODE))
		code = family_lacks(p->w.p->model.family, "encoder", err);
	if (!code)
		code = coder_data(&p->w, err);
	if (!code)
		code = take_part(p, err);
	if (!code && !whole)
		code = check_size(p, err);
	*ret_done = !code && call_unchanged(c, p->w.p->etag);
	if (!code && !*ret_done)
		code = use_codes(c, p->w.p, p->w.data, p->split, &p->z, err);
	if (code || *ret_done)
		part_close(p);
	else
		p->z += p->first * (size_t)p->w.p->model.latent_dim;
	return code;
}

/* --- the codes ------------------------------------------------------------------------------------------------------------ */

static size_t width_of(const struct part *p)
{
	return (size_t)p->w.p->model.latent_dim;
}

static const uint8_t *labels_of(const struct part *p)
{
	return p->w.data->split[p->split].labels + p->first;
}

static int reply_csv(const struct part *p, struct err *err)
{
	struct response *r = &p->w.call->resp;
	const size_t d = width_of(p);
	r->status = 200;
	r->type = format_type(FORMAT_CSV);
	buf_str(&r->body, "index,label");
	for (size_t j = 0; j < d; j++)
		buf_printf(&r->body, ",z%zu", j);
	buf_str(&r->body, "\n");
	for (size_t i = 0; i < p->n; i++) {
		char text[32];
		buf_printf(&r->body, "%zu,%d", p->first + i, labels_of(p)[i]);
		for (size_t j = 0; j < d; j++)
			buf_append(&r->body, text, (size_t)snprintf(text, sizeof text, ",%.9g", (double)p->z[i * d + j]));
		buf_append(&r->body, "\n", 1);
	}
	return r->body.failed ? err_set(err, ERR_NO_MEMORY, "out of memory") : OK;
}

static void begin_reply(struct jsonw *w, const struct part *p, const char *object)
{
	call_json(p->w.call, w, 200);
	jw_object(w);
	jw_kstring(w, "object", object);
	jw_kstring(w, "model", p->w.p->job_id);
	jw_kstring(w, "split", split_names[p->split]);
	jw_kint(w, "count", (int64_t)p->n);
	jw_kint(w, "latent_dim", p->w.p->model.latent_dim);
}

static void write_columns(struct jsonw *w, const struct part *p, float *column)
{
	const size_t d = width_of(p);
	jw_key(w, "classes");
	jw_array(w);
	for (int k = 0; k < p->w.data->classes; k++)
		jw_string(w, p->w.data->class_name[k]);
	jw_end_array(w);
	jw_key(w, "index");
	jw_array(w);
	for (size_t i = 0; i < p->n; i++)
		jw_int(w, (int64_t)(p->first + i));
	jw_end_array(w);
	jw_key(w, "label");
	jw_array(w);
	for (size_t i = 0; i < p->n; i++)
		jw_int(w, labels_of(p)[i]);
	jw_end_array(w);
	for (size_t j = 0; j < d; j++) {
		char name[24];
		snprintf(name, sizeof name, "z%zu", j);
		for (size_t i = 0; i < p->n; i++)
			column[i] = p->z[i * d + j];
		jw_key(w, name);
		jw_reals(w, column, p->n);
	}
}

static int reply_json(const struct part *p, struct err *err)
{
	struct jsonw w;
	float *column = malloc(p->n * sizeof *column);
	if (!column)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	begin_reply(&w, p, "latents");
	write_columns(&w, p, column);
	jw_end_object(&w);
	free(column);
	return call_json_end(p->w.call, &w, err);
}

int h_latents(struct call *c, struct err *err)
{
	struct part p;
	bool done;
	int code = open_part(&p, c, false, &done, err);
	if (code || done)
		return code;
	const int64_t shape[] = {(int64_t)p.n, p.w.p->model.latent_dim};
	code = c->format == FORMAT_NPY   ? output_npy(c, p.z, shape, 2, err)
		   : c->format == FORMAT_CSV ? reply_csv(&p, err)
									 : reply_json(&p, err);
	part_close(&p);
	return code;
}

/* --- figures -------------------------------------------------------------------------------------------------------------- */

static void write_group(struct jsonw *w, const struct latent_group *g, int d)
{
	jw_kint(w, "count", (int64_t)g->count);
	jw_kreals(w, "mean", g->mean, d);
	jw_kreals(w, "std", g->std, d);
	jw_kreals(w, "min", g->min, d);
	jw_kreals(w, "max", g->max, d);
	jw_key(w, "quantiles");
	jw_object(w);
	for (int q = 0; q < LATENT_QUANTILE_COUNT; q++)
		jw_kreals(w, latent_quantile_name(q), g->quantile[q], d);
	jw_end_object(w);
}

static void write_units(struct jsonw *w, const struct latents *l)
{
	jw_kint(w, "active_units", l->active);
	jw_key(w, "active");
	jw_array(w);
	for (int j = 0; j < l->d; j++)
		jw_bool(w, latents_active(l, j));
	jw_end_array(w);
	jw_key(w, "correlation");
	jw_array(w);
	for (int i = 0; i < l->d; i++) {
		jw_array(w);
		for (int j = 0; j < l->d; j++)
			jw_real(w, l->correlation[i * l->d + j]);
		jw_end_array(w);
	}
	jw_end_array(w);
}

static int reply_stats(const struct part *p, const struct latents *l, struct err *err)
{
	struct jsonw w;
	begin_reply(&w, p, "latent_stats");
	write_units(&w, l);
	jw_key(&w, "overall");
	jw_object(&w);
	write_group(&w, &l->group[0], l->d);
	jw_end_object(&w);
	jw_key(&w, "classes");
	jw_array(&w);
	for (int k = 0; k < l->classes; k++) {
		jw_object(&w);
		jw_kint(&w, "class", k);
		jw_kstring(&w, "label", p->w.data->class_name[k]);
		write_group(&w, &l->group[1 + k], l->d);
		jw_end_object(&w);
	}
	jw_end_array(&w);
	jw_end_object(&w);
	return call_json_end(p->w.call, &w, err);
}

int h_latent_stats(struct call *c, struct err *err)
{
	struct part p;
	struct latents l;
	bool done;
	int code = open_part(&p, c, true, &done, err);
	if (code || done)
		return code;
	const struct latent_codes codes = {
		.z = p.z, .label = labels_of(&p), .n = p.n, .d = p.w.p->model.latent_dim, .classes = p.w.data->classes};
	if (!(code = latents_measure(&l, &codes, c->daemon->pool, err))) {
		code = reply_stats(&p, &l, err);
		latents_free(&l);
	}
	part_close(&p);
	return code;
}
