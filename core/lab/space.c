#include "core/lab/space.h"

#include "core/base/rng.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* --- ranges --- */

/* Whole steps between two bounds; what decimal fractions lose in binary does not cost one. */
static double steps_between(double low, double high, double step)
{
	return floor((high - low) / step + 1e-9);
}

static struct range range_of(const struct dim *d, double low, double high)
{
	struct range r = {.type = d->type, .log = d->log, .low = low, .high = high, .step = d->step, .choices = d->choices};
	if (d->type == DIM_CATEGORICAL)
		return (struct range){.type = d->type, .high = d->choices - 1, .step = 1, .choices = d->choices};
	if (d->type == DIM_INT) {
		r.low = floor(low);
		r.high = floor(high);
		r.step = d->step > 0 ? d->step : 1;
	}
	if (r.step > 0)
		r.high = r.low + r.step * steps_between(r.low, r.high, r.step);
	return r;
}

static double bound_value(const struct bound *b, const double *x)
{
	return b->of < 0 ? b->offset : b->factor * x[b->of] + b->offset;
}

struct range space_range(const struct space *s, int i, const double *x)
{
	const struct dim *d = &s->dim[i];
	if (d->type == DIM_CATEGORICAL)
		return range_of(d, 0, 0);
	return range_of(d, bound_value(&d->low, x), bound_value(&d->high, x));
}

/* The least and the greatest value of a bound, given those of the dimensions before. */
static void bound_extremes(const struct bound *b, const struct range *hull, double *ret_least, double *ret_most)
{
	const double a = b->of < 0 ? b->offset : b->factor * hull[b->of].low + b->offset;
	const double z = b->of < 0 ? b->offset : b->factor * hull[b->of].high + b->offset;
	*ret_least = fmin(a, z);
	*ret_most = fmax(a, z);
}

/* hull[0 … i - 1] is known. */
static struct range hull_next(const struct space *s, int i, const struct range *hull)
{
	const struct dim *d = &s->dim[i];
	double low, high, unused;
	if (d->type == DIM_CATEGORICAL)
		return range_of(d, 0, 0);
	bound_extremes(&d->low, hull, &low, &unused);
	bound_extremes(&d->high, hull, &unused, &high);
	return range_of(d, low, high);
}

struct range space_hull(const struct space *s, int i)
{
	struct range hull[SPACE_DIMS_MAX];
	for (int k = 0; k <= i; k++)
		hull[k] = hull_next(s, k, hull);
	return hull[i];
}

bool space_varies(const struct space *s, int i)
{
	const struct dim *d = &s->dim[i];
	return d->type != DIM_CATEGORICAL && (d->low.of >= 0 || d->high.of >= 0);
}

bool range_single(const struct range *r)
{
	return r->low == r->high;
}

double range_nearest(const struct range *r, double v)
{
	if (r->step > 0)
		v = rint((v - r->low) / r->step) * r->step + r->low;
	return fmin(fmax(v, r->low), r->high);
}

double range_at(const struct range *r, double u)
{
	const double half = r->step / 2;
	if (r->type == DIM_CATEGORICAL)
		return fmin(floor(u * r->choices), r->high);
	if (!r->log)
		return range_nearest(r, r->low - half + u * (r->high - r->low + r->step));
	const double from = log(r->low - half), to = log(r->high + half);
	return range_nearest(r, exp(from + u * (to - from)));
}

bool range_contains(const struct range *r, double v)
{
	if (!isfinite(v) || v < r->low - 1e-9 * r->step || v > r->high + 1e-9 * r->step)
		return false;
	if (r->type != DIM_FLOAT)
		return v == range_nearest(r, v);
	return fabs(v - range_nearest(r, v)) <= 1e-9 * r->step;
}

/* --- the check --- */

enum { POINTER_MAX = 160 };

static int fault(struct err *err, const struct dim *d, const char *field, const char *text)
{
	char pointer[POINTER_MAX];
	snprintf(pointer, sizeof pointer, "#/params/space/%s/%s", d->name, field);
	return err_field(err, ERR_INVALID, pointer, "%s", text);
}

static int check_bound(const struct space *s, int i, const struct bound *b, const char *field, struct err *err)
{
	const struct dim *d = &s->dim[i];
	if (b->of >= i || (b->of >= 0 && s->dim[b->of].type == DIM_CATEGORICAL))
		return fault(err, d, field, "may depend on a number that comes earlier in the space only");
	if (!isfinite(b->offset) || (b->of >= 0 && !isfinite(b->factor)))
		return fault(err, d, field, "must be a finite number");
	if (d->type == DIM_INT && b->of < 0 && b->offset != floor(b->offset))
		return fault(err, d, field, "must be an integer, as the parameter is");
	return OK;
}

/* The least of high - low. Two bounds that follow one dimension move together; else each may be where it is worst. */
static double least_width(const struct dim *d, const struct range *hull)
{
	double unused, low, high;
	if (d->low.of >= 0 && d->low.of == d->high.of) {
		const struct range *of = &hull[d->low.of];
		const double factor = d->high.factor - d->low.factor, offset = d->high.offset - d->low.offset;
		return fmin(factor * of->low, factor * of->high) + offset;
	}
	bound_extremes(&d->low, hull, &unused, &low);
	bound_extremes(&d->high, hull, &high, &unused);
	return d->type == DIM_INT ? floor(high) - floor(low) : high - low;
}

static int check_number(const struct space *s, int i, const struct range *hull, struct err *err)
{
	const struct dim *d = &s->dim[i];
	int code = check_bound(s, i, &d->low, "low", err);
	if (!code)
		code = check_bound(s, i, &d->high, "high", err);
	if (code)
		return code;
	if (!(d->step >= 0) || !isfinite(d->step) || (d->type == DIM_INT && d->step != floor(d->step)))
		return fault(err, d, "step", d->type == DIM_INT ? "must be an integer of at least 1" : "must be above 0");
	if (d->log && d->step > 0 && !(d->type == DIM_INT && d->step == 1))
		return fault(err, d, "step", "cannot go with log; leave one of them out");
	if (least_width(d, hull) < 0)
		return fault(err, d, "high",
			space_varies(s, i) ? "can fall below low, as the dimensions go that they depend on"
							   : "must not be below low");
	const struct range r = hull_next(s, i, hull);
	if (d->log && !(r.low > 0))
		return fault(err, d, "low", d->type == DIM_INT ? "must be at least 1 with log" : "must be above 0 with log");
	return OK;
}

static int check_categorical(const struct dim *d, struct err *err)
{
	char text[80];
	if (d->choices >= 1 && d->choices <= SPACE_CHOICES_MAX)
		return d->log ? fault(err, d, "log", "goes with low and high, not with values") : OK;
	snprintf(text, sizeof text, "must be 1..%d values, got %d", SPACE_CHOICES_MAX, d->choices);
	return fault(err, d, "values", text);
}

static int check_condition(
	const struct space *s, int i, const struct condition *c, const struct range *hull, struct err *err)
{
	const struct dim *d = &s->dim[i];
	char text[2 * SPACE_NAME_MAX + 60];
	if (c->of < 0 || c->of >= i)
		return fault(err, d, "when", "must name parameters that come earlier in the space");
	if (c->n < 1 || c->n > SPACE_CHOICES_MAX) {
		snprintf(
			text, sizeof text, "must give 1..%d values of '%s', got %d", SPACE_CHOICES_MAX, s->dim[c->of].name, c->n);
		return fault(err, d, "when", text);
	}
	for (int k = 0; k < c->n; k++)
		if (!isfinite(c->value[k]) || c->value[k] < hull[c->of].low || c->value[k] > hull[c->of].high) {
			snprintf(text, sizeof text, "gives values that '%s' never has", s->dim[c->of].name);
			return fault(err, d, "when", text);
		}
	return OK;
}

static int check_dim(const struct space *s, int i, const struct range *hull, struct err *err)
{
	const struct dim *d = &s->dim[i];
	int code = d->type == DIM_CATEGORICAL ? check_categorical(d, err) : check_number(s, i, hull, err);
	if (!code && (d->nconditions < 0 || d->nconditions > SPACE_CONDITIONS_MAX))
		code = fault(err, d, "when", "has too many conditions; at most 4 are possible");
	for (int k = 0; k < d->nconditions && !code; k++)
		code = check_condition(s, i, &d->condition[k], hull, err);
	return code;
}

int space_check(const struct space *s, struct err *err)
{
	struct range hull[SPACE_DIMS_MAX];
	if (s->n < 1 || s->n > SPACE_DIMS_MAX)
		return err_field(
			err, ERR_INVALID, "#/params/space", "must have 1..%d parameters, got %d", SPACE_DIMS_MAX, s->n);
	for (int i = 0; i < s->n; i++) {
		for (int k = 0; k < i; k++)
			if (!strcmp(s->dim[i].name, s->dim[k].name))
				return err_field(err, ERR_INVALID, "#/params/space", "'%s' is there twice", s->dim[i].name);
		int code = check_dim(s, i, hull, err);
		if (code)
			return code;
		hull[i] = hull_next(s, i, hull);
	}
	return OK;
}

/* --- points --- */

/* An inactive dimension's value is NaN, which equals nothing. */
static bool holds(const struct condition *c, const double *x)
{
	for (int k = 0; k < c->n; k++)
		if (x[c->of] == c->value[k])
			return true;
	return false;
}

bool space_active(const struct space *s, int i, const double *x)
{
	const struct dim *d = &s->dim[i];
	if (space_varies(s, i) && ((d->low.of >= 0 && isnan(x[d->low.of])) || (d->high.of >= 0 && isnan(x[d->high.of]))))
		return false;
	for (int k = 0; k < d->nconditions; k++)
		if (!holds(&d->condition[k], x))
			return false;
	return true;
}

static int refuse(struct err *err, const struct dim *d, const char *text)
{
	char pointer[POINTER_MAX];
	snprintf(pointer, sizeof pointer, "#/%s", d->name);
	return err_field(err, ERR_INVALID, pointer, "%s", text);
}

int space_contains(const struct space *s, const double *x, struct err *err)
{
	for (int i = 0; i < s->n; i++) {
		const bool active = space_active(s, i, x);
		if (active != !isnan(x[i]))
			return refuse(
				err, &s->dim[i], active ? "needs a value here" : "has no place here: what it depends on is otherwise");
		if (!active)
			continue;
		const struct range r = space_range(s, i, x);
		char text[120];
		if (range_contains(&r, x[i]))
			continue;
		snprintf(text, sizeof text, "must be %g..%g%s, got %.9g", r.low, r.high, r.step > 0 ? ", on a step" : "", x[i]);
		return refuse(err, &s->dim[i], text);
	}
	return OK;
}

bool space_same(const struct space *s, const double *x, const double *y)
{
	for (int i = 0; i < s->n; i++)
		if (x[i] != y[i] && !(isnan(x[i]) && isnan(y[i])))
			return false;
	return true;
}

double space_draw(uint64_t seed, int64_t number, int dim, int draw, double *ret_second)
{
	uint32_t words[4];
	rng_words(words, (struct rng){.seed = seed, .stream = RNG_TRIAL, .step = (uint64_t)number},
		(uint32_t)dim << 16 | (uint32_t)draw);
	if (ret_second)
		*ret_second = (double)((uint64_t)words[2] << 21 ^ words[3] >> 11) * 0x1p-53;
	return (double)((uint64_t)words[0] << 21 ^ words[1] >> 11) * 0x1p-53;
}

void space_random(const struct space *s, uint64_t seed, int64_t number, double *ret_x)
{
	for (int i = 0; i < s->n; i++) {
		ret_x[i] = NAN;
		if (!space_active(s, i, ret_x))
			continue;
		const struct range r = space_range(s, i, ret_x);
		ret_x[i] = range_at(&r, space_draw(seed, number, i, 0, NULL));
	}
}

/* --- the grid --- */

int space_grid_check(const struct space *s, struct err *err)
{
	for (int i = 0; i < s->n; i++) {
		const struct range r = space_hull(s, i);
		if (!(r.step > 0) && !range_single(&r))
			return fault(err, &s->dim[i], "step", "is required by a grid; or list the values");
	}
	return OK;
}

/* Dimensions from i on at their first value. */
static void first_from(const struct space *s, int i, double *x)
{
	for (; i < s->n; i++)
		x[i] = space_active(s, i, x) ? space_range(s, i, x).low : NAN;
}

void space_grid_first(const struct space *s, double *ret_x)
{
	first_from(s, 0, ret_x);
}

bool space_grid_next(const struct space *s, double *x)
{
	for (int i = s->n - 1; i >= 0; i--) {
		if (isnan(x[i]))
			continue;
		const struct range r = space_range(s, i, x);
		const double k = range_single(&r) ? 1 : rint((x[i] - r.low) / r.step) + 1;
		if (range_single(&r) || k > steps_between(r.low, r.high, r.step))
			continue;
		x[i] = r.low + k * r.step;
		first_from(s, i + 1, x);
		return true;
	}
	return false;
}

int64_t space_grid_count(const struct space *s)
{
	double x[SPACE_DIMS_MAX];
	int64_t n = 1;
	space_grid_first(s, x);
	while (n < SPACE_GRID_MAX && space_grid_next(s, x))
		n++;
	return n;
}
