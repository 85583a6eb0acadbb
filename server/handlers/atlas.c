/* atlas.c: pictures of what the units of a code do: a grid over two of them, a traversal of each. */
#include "server/handlers/handlers.h"

#include "core/model/atlas.h"
#include "server/limits.h"
#include "server/model_use.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

enum { GRID_N = 20, GRID_N_MAX = 64, GRID_DIMS = 2, TRAVERSE_STEPS = 7, TRAVERSE_UNITS = 32 };

static int take_spread(const struct published *p, struct spread *ret, struct err *err)
{
	*ret = (struct spread){.latent_dim = p->model.latent_dim, .normal = use_normal(p), .stats = &p->codes};
	return ret->normal || p->codes.latent_dim
			   ? OK
			   : err_set(err, ERR_CONFLICT, "%s has no statistics of its codes to lay out by", p->job_id);
}

/* "3,0,7": different units. */
static int take_units(
	const char *name, const char *text, int latent_dim, int most, int *ret_unit, int *ret_n, struct err *err)
{
	int n = 0;
	for (const char *at = text;; n++) {
		char *end;
		unsigned long unit = strtoul(at, &end, 10);
		if (!isdigit((unsigned char)*at) || (*end && *end != ','))
			return err_set(err, ERR_INVALID, "%s must be units apart by commas, got '%.60s'", name, text);
		if (unit >= (unsigned long)latent_dim)
			return err_set(err, ERR_INVALID, "%s: the model has units 0..%d, got %.20s", name, latent_dim - 1, at);
		if (n == most)
			return err_set(err, ERR_INVALID, "%s: at most %d, got '%.60s'", name, most, text);
		for (int i = 0; i < n; i++)
			if (ret_unit[i] == (int)unit)
				return err_set(err, ERR_INVALID, "%s names unit %lu twice", name, unit);
		ret_unit[n] = (int)unit;
		if (!*end)
			break;
		at = end + 1;
	}
	*ret_n = n + 1;
	return OK;
}

static void write_values(struct jsonw *w, const double *values, int n)
{
	jw_key(w, "values");
	jw_array(w);
	for (int i = 0; i < n; i++)
		jw_real(w, values[i]);
	jw_end_array(w);
}

/* The model, what its units are laid out by, and the codes; `lay` makes these of the query. */
struct plate {
	struct published *p;
	struct spread spread;
	struct rows z;
	int n; /* of values along a side, or a row */
	int unit[TRAVERSE_UNITS > GRID_DIMS ? TRAVERSE_UNITS : GRID_DIMS];
	int units;
	enum reach reach;
};

static int reply(
	struct call *c, const struct plate *t, void (*write)(struct jsonw *w, const void *ctx), struct err *err)
{
	struct rows images;
	int code = use_paint(c, t->p, &t->z, &images, err);
	if (code)
		return code;
	code = output_images_with(c, t->p, &images, &(struct images_extra){.z = &t->z, .write = write, .ctx = t}, err);
	rows_free(&images);
	return code;
}

static int show(struct call *c, int (*lay)(struct call *c, struct plate *t, struct err *err),
	void (*write)(struct jsonw *w, const void *ctx), struct err *err)
{
	struct plate t = {0};
	int code = use_acquire_painter(c, &t.p, err);
	if (code)
		return code;
	if (!(code = take_spread(t.p, &t.spread, err)) && !(code = lay(c, &t, err)) && !call_unchanged(c, t.p->etag))
		code = reply(c, &t, write, err);
	rows_free(&t.z);
	published_put(t.p);
	return code;
}

/* --- a grid over two units ------------------------------------------------------------------------------------------------ */

static int lay_grid(struct call *c, struct plate *t, struct err *err)
{
	const char *dims = uri_get(&c->req.uri, "dims");
	const int d = t->spread.latent_dim;
	int64_t n = GRID_N;
	int code = uri_int(&c->req.uri, "n", 2, GRID_N_MAX, &n, err);
	t->units = d < GRID_DIMS ? d : GRID_DIMS;
	t->unit[1] = 1;
	if (!code && dims)
		code = take_units("dims", dims, d, GRID_DIMS, t->unit, &t->units, err);
	t->n = (int)n;
	if (code || (code = rows_alloc(&t->z, (size_t)(t->units > 1 ? n * n : n), (size_t)d, err)))
		return code;
	grid_codes(t->z.v, t->n, &t->spread, t->unit, t->units);
	t->z.cols = n;
	return OK;
}

static void write_axes(struct jsonw *w, const void *ctx)
{
	const struct plate *t = ctx;
	jw_kint(w, "n", t->n);
	jw_key(w, "axes");
	jw_array(w);
	for (int i = 0; i < t->units; i++) {
		double values[GRID_N_MAX];
		char label[16];
		snprintf(label, sizeof label, "z%d", t->unit[i]);
		grid_values(values, t->n, &t->spread, t->unit[i]);
		jw_object(w);
		jw_kint(w, "unit", t->unit[i]);
		jw_kstring(w, "label", label);
		write_values(w, values, t->n);
		jw_end_object(w);
	}
	jw_end_array(w);
}

int h_manifold(struct call *c, struct err *err)
{
	return show(c, lay_grid, write_axes, err);
}

/* --- a row for each unit -------------------------------------------------------------------------------------------------- */

static int take_reach(const struct call *c, struct plate *t, struct err *err)
{
	const char *name = uri_get(&c->req.uri, "range");
	int found = name ? reach_find(name) : t->spread.normal ? REACH_SD : REACH_QUANTILE;
	if (found < 0)
		return err_set(err, ERR_INVALID, "range must be sd or quantile, got '%.60s'", name);
	t->reach = (enum reach)found;
	return OK;
}

static int lay_traversals(struct call *c, struct plate *t, struct err *err)
{
	const char *units = uri_get(&c->req.uri, "units");
	const int d = t->spread.latent_dim;
	int order[LATENT_DIM_MAX];
	int64_t steps = TRAVERSE_STEPS;
	int code = uri_int(&c->req.uri, "steps", 2, TRAVERSE_STEPS_MAX, &steps, err);
	if (!code)
		code = take_reach(c, t, err);
	if (!code && units)
		code = take_units("units", units, d, TRAVERSE_UNITS, t->unit, &t->units, err);
	if (!code && !units) {
		spread_order(&t->spread, order);
		t->units = d < TRAVERSE_UNITS ? d : TRAVERSE_UNITS;
		for (int i = 0; i < t->units; i++)
			t->unit[i] = order[i];
	}
	t->n = (int)steps;
	if (code || (code = rows_alloc(&t->z, (size_t)(t->units * t->n), (size_t)d, err)))
		return code;
	traverse_codes(t->z.v, t->n, &t->spread, t->unit, t->units, t->reach);
	t->z.cols = steps;
	return OK;
}

static void write_units(struct jsonw *w, const void *ctx)
{
	const struct plate *t = ctx;
	jw_kint(w, "steps", t->n);
	jw_kstring(w, "range", reach_name(t->reach));
	jw_key(w, "units");
	jw_array(w);
	for (int i = 0; i < t->units; i++) {
		double values[TRAVERSE_STEPS_MAX];
		const double variance = spread_variance(&t->spread, t->unit[i]);
		traverse_values(values, t->n, &t->spread, t->unit[i], t->reach);
		jw_object(w);
		jw_kint(w, "unit", t->unit[i]);
		jw_kreal(w, "variance", variance);
		jw_kbool(w, "active", variance > active_variance);
		write_values(w, values, t->n);
		jw_end_object(w);
	}
	jw_end_array(w);
}

int h_traversals(struct call *c, struct err *err)
{
	return show(c, lay_traversals, write_units, err);
}
