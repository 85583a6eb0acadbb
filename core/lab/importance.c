#include "core/lab/importance.h"

#include "core/lab/truncnorm.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

enum { CELLS_MAX = 50, TOP_MIN = 2, ROOM = CELLS_MAX > SPACE_CHOICES_MAX ? CELLS_MAX : SPACE_CHOICES_MAX };

static const double top_share = 0.1, floor_of_densities = 1e-12;

/* --- cells --- */

static int cells_of(const struct range *r)
{
	if (r->type == DIM_CATEGORICAL)
		return r->choices;
	if (r->type == DIM_INT && r->log)
		return (int)fmin(ceil(log(r->high - r->low + 1) / M_LN2) + 1, CELLS_MAX);
	return r->step > 0 ? (int)fmin(rint((r->high - r->low) / r->step) + 1, CELLS_MAX) : CELLS_MAX;
}

/* Cells lie evenly between the bounds, or their logarithms; a value belongs to the nearest, half-way to the lower one. */
static int cell_of(const struct range *r, int cells, double v)
{
	if (r->type == DIM_CATEGORICAL)
		return (int)v;
	const double low = r->log ? log(r->low) : r->low, high = r->log ? log(r->high) : r->high;
	const double width = (high - low) / (cells - 1), at = (r->log ? log(v) : v) - width / 2;
	int i = 0;
	while (i < cells - 1 && (i == cells - 1 ? high : low + i * width) < at)
		i++;
	return i;
}

/* --- densities over cells --- */

/* Scott's rule on counts, robust against strays. */
static double bandwidth(const double *count, int cells, double n)
{
	double mean = 0, square = 0, sum = 0;
	int first = -1, third = -1, last = 0;
	for (int i = 0; i < cells; i++)
		mean += count[i] / n * i;
	for (int i = 0; i < cells; i++) {
		if (count[i] == 0)
			continue;
		square += (i - mean) * (i - mean) * count[i];
		sum += count[i];
		last = i;
		if (first < 0 && sum >= floor(n / 4))
			first = i;
		if (third < 0 && sum > floor(n * 3 / 4))
			third = i;
	}
	const double spread = (third < 0 ? last : third) - first, sd = sqrt(square / fmax(1, n - 1));
	return fmax(1.059 * fmin(spread / 1.34, sd) * pow(n, -0.2), 0.5 / 1.64);
}

static void add_kernel(double *density, int cells, double weight, double mu, double sigma)
{
	const double mass = normal_mass((-0.5 - mu) / sigma, (cells - 0.5 - mu) / sigma);
	for (int i = 0; i < cells; i++)
		density[i] += weight * normal_mass((i - 0.5 - mu) / sigma, (i + 0.5 - mu) / sigma) / mass;
}

static void add_choice(double *density, int choices, double weight, int choice, int kernels)
{
	const double every = 1.0 / kernels, sum = 1 + choices * every;
	for (int i = 0; i < choices; i++)
		density[i] += weight * (choice < 0 ? 1.0 / choices : (every + (i == choice)) / sum);
}

static void density_of(double *ret, const struct range *r, const double *count, int cells)
{
	double n = 0;
	int kernels = 1; /* the prior */
	for (int i = 0; i < cells; i++) {
		n += count[i];
		kernels += count[i] > 0;
		ret[i] = floor_of_densities;
	}
	const double sigma = r->type == DIM_CATEGORICAL ? 0 : bandwidth(count, cells, n);
	for (int i = 0; i < cells; i++)
		if (count[i] == 0)
			continue;
		else if (r->type == DIM_CATEGORICAL)
			add_choice(ret, cells, count[i] / (n + 1), i, kernels);
		else
			add_kernel(ret, cells, count[i] / (n + 1), i, sigma);
	if (r->type == DIM_CATEGORICAL)
		add_choice(ret, cells, 1 / (n + 1), -1, kernels);
	else
		add_kernel(ret, cells, 1 / (n + 1), 0.5 * (cells - 1), cells);
}

/* --- the measure --- */

static bool counts(const struct trial_record *t, int dim)
{
	return t->state == TRIAL_COMPLETE && !isnan(t->value) && !isnan(t->x[dim]);
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* NaN: of a single value, or too few trials had it. room [n]. */
static double divergence(const struct space *s, int dim, const struct trial_record *history, int n, double *room)
{
	const struct range r = space_hull(s, dim);
	const int cells = cells_of(&r);
	double all[ROOM] = {0}, top[ROOM] = {0}, density[ROOM], best[ROOM], sum = 0;
	int had = 0;
	for (int i = 0; i < n; i++)
		if (counts(&history[i], dim))
			room[had++] = history[i].value;
	if (range_single(&r) || had < IMPORTANCE_TRIALS_MIN)
		return NAN;
	qsort(room, (size_t)had, sizeof *room, by_value);
	const double cut = room[(int)fmax(ceil(top_share * had), TOP_MIN) - 1];
	for (int i = 0; i < n; i++)
		if (counts(&history[i], dim)) {
			const int cell = cell_of(&r, cells, history[i].x[dim]);
			all[cell]++;
			top[cell] += history[i].value <= cut;
		}
	density_of(density, &r, all, cells);
	density_of(best, &r, top, cells);
	for (int i = 0; i < cells; i++)
		sum += density[i] * (best[i] / density[i] - 1) * (best[i] / density[i] - 1);
	return sum;
}

int importance_ped_anova(double *ret, const struct space *s, const struct trial_record *history, int n, struct err *err)
{
	double sum = 0;
	int complete = 0, judged = 0;
	for (int i = 0; i < n; i++)
		complete += history[i].state == TRIAL_COMPLETE && !isnan(history[i].value);
	if (complete < IMPORTANCE_TRIALS_MIN)
		return err_set(err, ERR_CONFLICT, "importance needs at least %d complete trials, there are %d",
			IMPORTANCE_TRIALS_MIN, complete);
	double *room = malloc((size_t)n * sizeof *room);
	if (!room)
		return err_set(err, ERR_NO_MEMORY, "no memory to judge %d trials", n);
	for (int i = 0; i < s->n; i++) {
		ret[i] = divergence(s, i, history, n, room);
		judged += !isnan(ret[i]);
		sum += isnan(ret[i]) ? 0 : ret[i];
	}
	free(room);
	for (int i = 0; i < s->n; i++)
		if (isnan(ret[i]))
			ret[i] = 0;
		else /* all trials equally good: all dimensions alike */
			ret[i] = sum > 0 ? ret[i] / sum : 1.0 / judged;
	return OK;
}
