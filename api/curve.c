#include "api/curve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void curve_free(struct curve *c)
{
	free(c->step);
	free(c->epoch);
	free(c->value);
	free(c->min);
	free(c->max);
	free(c->time_ms);
	free(c->weight);
	*c = (struct curve){0};
}

static double *copy_of(const double *values, size_t n)
{
	double *copy = malloc((n ? n : 1) * sizeof *copy);
	if (copy && n)
		memcpy(copy, values, n * sizeof *copy);
	return copy;
}

static int need_bounds(struct curve *c, struct err *err)
{
	if (!c->min)
		c->min = copy_of(c->value, c->n);
	if (!c->max)
		c->max = copy_of(c->value, c->n);
	return c->min && c->max ? OK : err_set(err, ERR_NO_MEMORY, "no memory to thin a curve of %zu points", c->n);
}

/* Points [from, end) become point `to` (to ≤ from): the last one's place, the mean, the bounds. */
static void merge(struct curve *c, size_t to, size_t from, size_t end)
{
	double sum = 0, n = 0, min = c->min[from], max = c->max[from];
	for (size_t i = from; i < end; i++) {
		double weight = c->weight ? c->weight[i] : 1;
		sum += c->value[i] * weight;
		n += weight;
		min = fmin(min, c->min[i]);
		max = fmax(max, c->max[i]);
	}
	c->step[to] = c->step[end - 1];
	c->epoch[to] = c->epoch[end - 1];
	c->time_ms[to] = c->time_ms[end - 1];
	c->value[to] = sum / n;
	if (c->weight)
		c->weight[to] = n;
	c->min[to] = min;
	c->max[to] = max;
}

int curve_thin(struct curve *c, size_t points, struct err *err)
{
	if (c->n <= points)
		return OK;
	int code = need_bounds(c, err);
	if (code)
		return code;
	/* the remainder is spread over the first buckets, which are one point larger */
	size_t size = c->n / points, larger = c->n % points, from = 0;
	for (size_t i = 0; i < points; i++) {
		size_t end = from + size + (i < larger);
		merge(c, i, from, end);
		from = end;
	}
	c->n = points;
	c->downsampled = true;
	return OK;
}

/* The epoch a point belongs to: 0 before the first step; step/steps_per_epoch may lie a rounding above a whole number.
 */
static double epoch_of(double fractional)
{
	return ceil(fractional - 1e-9);
}

int curve_by_epoch(struct curve *c, struct err *err)
{
	int code = need_bounds(c, err);
	if (code)
		return code;
	size_t n = 0;
	for (size_t from = 0, end; from < c->n; from = end, n++) {
		double epoch = epoch_of(c->epoch[from]);
		end = from + 1;
		while (end < c->n && epoch_of(c->epoch[end]) == epoch)
			end++;
		merge(c, n, from, end);
		c->epoch[n] = epoch;
	}
	c->n = n;
	return OK;
}

static void write_ints(struct jsonw *w, const char *key, const int64_t *values, size_t n)
{
	jw_key(w, key);
	jw_array(w);
	for (size_t i = 0; i < n; i++)
		jw_int(w, values[i]);
	jw_end_array(w);
}

void view_metrics(struct jsonw *w, const struct curve *curves, int n, int64_t next_step)
{
	bool downsampled = false;
	jw_object(w);
	jw_key(w, "series");
	jw_object(w);
	for (const struct curve *c = curves; c < curves + n; c++) {
		downsampled |= c->downsampled;
		jw_key(w, c->series);
		jw_object(w);
		write_ints(w, "step", c->step, c->n);
		jw_kreals(w, "epoch", c->epoch, c->n);
		write_ints(w, "time_ms", c->time_ms, c->n);
		jw_kreals(w, "value", c->value, c->n);
		jw_kreals(w, "min", c->min ? c->min : c->value, c->n);
		jw_kreals(w, "max", c->max ? c->max : c->value, c->n);
		jw_end_object(w);
	}
	jw_end_object(w);
	jw_kint(w, "next_step", next_step);
	jw_kbool(w, "downsampled", downsampled);
	jw_end_object(w);
}

static int64_t row_key(const struct curve *c, size_t i, bool by_epoch)
{
	return by_epoch ? (int64_t)epoch_of(c->epoch[i]) : c->step[i];
}

/* The least key among the curves' next points; false when all are at their end. */
static bool next_row(const struct curve *curves, const size_t *at, int n, bool by_epoch, int64_t *ret_key)
{
	bool found = false;
	for (int i = 0; i < n; i++) {
		if (at[i] == curves[i].n)
			continue;
		int64_t key = row_key(&curves[i], at[i], by_epoch);
		if (!found || key < *ret_key)
			*ret_key = key;
		found = true;
	}
	return found;
}

static void csv_row(struct buf *b, const struct curve *curves, size_t *at, int n, bool by_epoch, int64_t key)
{
	buf_printf(b, "%lld", (long long)key);
	for (int i = 0; i < n; i++) {
		buf_append(b, ",", 1);
		if (at[i] == curves[i].n || row_key(&curves[i], at[i], by_epoch) != key)
			continue;
		if (isfinite(curves[i].value[at[i]]))
			buf_printf(b, "%.9g", curves[i].value[at[i]]);
		at[i]++;
	}
	buf_append(b, "\n", 1);
}

void view_metrics_csv(struct buf *b, const struct curve *curves, int n, bool by_epoch)
{
	size_t *at = calloc(n ? (size_t)n : 1, sizeof *at);
	if (!at) {
		b->failed = true;
		return;
	}
	buf_str(b, by_epoch ? "epoch" : "step");
	for (int i = 0; i < n; i++)
		buf_printf(b, ",%s", curves[i].series);
	buf_append(b, "\n", 1);
	int64_t key = 0;
	while (next_row(curves, at, n, by_epoch, &key))
		csv_row(b, curves, at, n, by_epoch, key);
	free(at);
}
