#include "core/lab/pruner.h"

#include <math.h>
#include <stdlib.h>

const char *const pruner_names[PRUNER_COUNT + 1] = {
	[PRUNER_NONE] = "none", [PRUNER_MEDIAN] = "median", [PRUNER_ASHA] = "asha"};

/* The first report at `step` or later: n when there is none. */
static int first_from(const struct learning_curve *c, int64_t step)
{
	int low = 0, high = c->n;
	while (low < high) {
		const int middle = low + (high - low) / 2;
		if (c->step[middle] < step)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int64_t last_step(const struct learning_curve *c)
{
	return c->n > 0 ? c->step[c->n - 1] : -1;
}

/* --- the median --- */

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* numpy.nanmedian; NaN of nothing. */
static double median(double *value, int n)
{
	if (n == 0)
		return NAN;
	qsort(value, (size_t)n, sizeof *value, by_value);
	const double low = value[(n - 1) / 2], high = value[n / 2];
	return low == high ? low : high - (high - low) * 0.5;
}

static double best_so_far(const struct learning_curve *c)
{
	double best = NAN;
	for (int i = 0; i < c->n; i++)
		best = fmin(best, c->value[i]); /* fmin passes over NaN */
	return best;
}

/* Whether the last report is the first one of its interval. */
static bool first_in_interval(const struct pruner_options *o, const struct learning_curve *c)
{
	const int64_t step = last_step(c), begin = (step - o->warmup) / o->interval * o->interval + o->warmup;
	return c->n < 2 || c->step[c->n - 2] < begin;
}

static int median_says(bool *ret, const struct pruner_options *o, const struct learning_curve *others, int n,
	const struct learning_curve *self, struct err *err)
{
	const int64_t step = last_step(self);
	int complete = 0, there = 0;
	for (int i = 0; i < n; i++)
		complete += others[i].state == TRIAL_COMPLETE;
	*ret = false;
	if (complete == 0 || complete < o->n_startup || step < o->warmup || !first_in_interval(o, self))
		return OK;
	const double best = best_so_far(self);
	if (isnan(best)) {
		*ret = true;
		return OK;
	}
	double *value = malloc((size_t)complete * sizeof *value);
	if (!value)
		return err_set(err, ERR_NO_MEMORY, "no memory to compare %d trials", complete);
	for (int i = 0; i < n; i++) {
		const int at = first_from(&others[i], step);
		if (others[i].state == TRIAL_COMPLETE && at < others[i].n && others[i].step[at] == step &&
			!isnan(others[i].value[at]))
			value[there++] = others[i].value[at];
	}
	*ret = best > median(value, there); /* of none: NaN, so false */
	free(value);
	return OK;
}

/* --- successive halving --- */

/* Step of a rung; INT64_MAX: never. */
static int64_t rung_step(const struct pruner_options *o, int64_t min_resource, int rung)
{
	double step = (double)min_resource;
	for (int i = 0; i < o->spare + rung && step < 0x1p62; i++)
		step *= o->reduction;
	return step < 0x1p62 ? (int64_t)step : INT64_MAX;
}

/* 0: not known yet. */
static int64_t min_resource(const struct pruner_options *o, const struct learning_curve *others, int n)
{
	int64_t longest = -1;
	if (o->min_resource > 0)
		return o->min_resource;
	for (int i = 0; i < n; i++)
		if (others[i].state == TRIAL_COMPLETE && last_step(&others[i]) > longest)
			longest = last_step(&others[i]);
	return longest < 0 ? 0 : longest / 100 > 1 ? longest / 100 : 1;
}

/* Whether `value` is among the best 1 / eta of all that came to this step, itself included; it is, too, when it is the best. */
static bool promoted(
	const struct pruner_options *o, int64_t step, double value, const struct learning_curve *others, int n)
{
	int competing = 1, better = 0;
	for (int i = 0; i < n; i++) {
		const int at = first_from(&others[i], step);
		if (at == others[i].n || isnan(others[i].value[at]))
			continue;
		competing++;
		better += others[i].value[at] < value;
	}
	const int places = competing / o->reduction;
	return better < (places > 1 ? places : 1);
}

static bool asha_says(
	const struct pruner_options *o, const struct learning_curve *others, int n, const struct learning_curve *self)
{
	const int64_t resource = min_resource(o, others, n), step = last_step(self);
	const int64_t before = self->n > 1 ? self->step[self->n - 2] : -1;
	int rung = 0;
	if (resource == 0)
		return false;
	while (rung_step(o, resource, rung) <= before)
		rung++;
	const double value = self->value[self->n - 1];
	for (; rung_step(o, resource, rung) <= step; rung++)
		if (isnan(value) || !promoted(o, rung_step(o, resource, rung), value, others, n))
			return true;
	return false;
}

int pruner_says(bool *ret, const struct pruner_options *o, const struct learning_curve *others, int n,
	const struct learning_curve *self, struct err *err)
{
	*ret = false;
	if (self->n < 1 || o->pruner == PRUNER_NONE)
		return OK;
	if (o->interval < 1 || o->reduction < 2 || o->warmup < 0 || o->spare < 0)
		return err_set(err, ERR_INVALID, "a pruner's interval must be at least 1, its reduction at least 2");
	if (o->pruner == PRUNER_MEDIAN)
		return median_says(ret, o, others, n, self, err);
	*ret = asha_says(o, others, n, self);
	return OK;
}
