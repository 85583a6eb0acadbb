#include "core/lab/parzen.h"

#include "core/lab/pairs.h"
#include "core/lab/parzen_internal.h"
#include "core/lab/truncnorm.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { FLAT = 25 }; /* observations whose weight is whole */

static const double scott_factor = 0.2;

/* --- weights --- */

/* numpy.linspace(1 / n, 1, n - FLAT), then ones. */
static double raw_weight(int i, int n)
{
	const int ramp = n - FLAT;
	if (i >= ramp)
		return 1;
	const double first = 1.0 / n;
	return ramp == 1 ? first : first + i * ((1 - first) / (ramp - 1));
}

static void weigh(struct parzen *p)
{
	const int n = p->kernels - 1;
	double sum = 1, cumulative = 0;
	for (int i = 0; i < n; i++)
		sum += raw_weight(i, n);
	for (int i = 0; i <= n; i++) {
		p->weight[i] = (i < n ? raw_weight(i, n) : 1) / sum;
		p->cumulative[i] = cumulative += p->weight[i];
	}
}

/* --- kernels --- */

/* order becomes that of values [n], equal ones as they stand; room [n]. */
static void sort_stably(int *order, int *room, const double *value, int n)
{
	for (int i = 0; i < n; i++)
		order[i] = i;
	for (int width = 1; width < n; width *= 2) {
		for (int from = 0; from < n; from += 2 * width) {
			const int middle = from + width < n ? from + width : n, end = from + 2 * width < n ? from + 2 * width : n;
			int a = from, b = middle;
			for (int i = from; i < end; i++)
				room[i] = a < middle && (b == end || value[order[a]] <= value[order[b]]) ? order[a++] : order[b++];
		}
		memcpy(order, room, (size_t)n * sizeof *order);
	}
}

/* The larger distance to the neighbours in order; the first and the last have one. */
static void neighbour_bandwidths(struct parzen_dim *d, int n, int *order)
{
	const double *mu = d->mu;
	sort_stably(order, order + n, mu, n);
	for (int i = 0; i < n; i++) {
		const double left = i > 0 ? mu[order[i]] - mu[order[i - 1]] : 0;
		const double right = i < n - 1 ? mu[order[i + 1]] - mu[order[i]] : 0;
		d->sigma[order[i]] = left > right ? left : right;
	}
}

/* Below this mass kernels lie so far outside of the range that only logarithms tell: theirs depends on another dimension. */
#define FAR 1e-250
static void measure_kernel(struct parzen_dim *d, int k)
{
	const double a = (d->low - d->mu[k]) / d->sigma[k], b = (d->high - d->mu[k]) / d->sigma[k],
				 mass = normal_mass(a, b);
	const bool far = mass < FAR;
	d->far = d->far || far;
	d->least_sigma = k == 0 || d->sigma[k] < d->least_sigma ? d->sigma[k] : d->least_sigma;
	d->over_sigma[k] = (d->cells ? 1 : root_half_log2e) / d->sigma[k];
	d->over_mass[k] = far ? INFINITY : 1 / mass;
	d->log_scale[k] = M_LOG2E * (log_sqrt_2pi + (far ? normal_log_mass(a, b) : log(mass)));
}

static void place_kernels(struct parzen *p, int j, const double *x, bool joint, int *order)
{
	struct parzen_dim *d = &p->dim[j];
	const int kernels = p->kernels, n = kernels - 1;
	const double width = d->high - d->low, least = width / fmin(100, 1 + kernels);
	for (int k = 0; k < n; k++)
		d->mu[k] = parzen_coordinate(&d->range, x[(size_t)k * (size_t)p->dims + (size_t)j]);
	d->mu[n] = 0.5 * (d->low + d->high);
	if (joint) {
		const double sigma = scott_factor * pow(n > 1 ? n : 1, -1.0 / (p->dims + 4)) * width;
		for (int k = 0; k < n; k++)
			d->sigma[k] = sigma;
	} else {
		neighbour_bandwidths(d, kernels, order);
	}
	for (int k = 0; k < n; k++)
		d->sigma[k] = d->sigma[k] < least ? least : d->sigma[k] > width ? width : d->sigma[k];
	d->sigma[n] = width;
	for (int k = 0; k < kernels; k++)
		measure_kernel(d, k);
}

static void place_shares(struct parzen *p, int j, const double *x)
{
	const struct parzen_dim *d = &p->dim[j];
	const size_t kernels = (size_t)p->kernels, stride = (size_t)p->stride;
	const double every = 1.0 / p->kernels, sum = 1 + every * d->range.choices;
	for (size_t k = 0; k < kernels; k++) {
		const bool prior = k == kernels - 1;
		for (int c = 0; c < d->range.choices; c++)
			d->share[(size_t)c * stride + k] = prior ? 1.0 / d->range.choices : every / sum;
		if (!prior)
			d->share[(size_t)x[k * (size_t)p->dims + (size_t)j] * stride + k] = (1 + every) / sum;
	}
}

/* --- memory --- */

/* Rows of masses: one for each cell, where they are few, and one more. */
static int rows_of(const struct range *r)
{
	const double cells = r->step > 0 && !r->log ? (r->high - r->low) / r->step + 1 : -1;
	return cells < 0 ? 0 : cells > PARZEN_FEW ? 1 : (int)rint(cells) + 1;
}

static size_t doubles_of(const struct range *range, int dims, size_t stride)
{
	size_t rows = 4;
	for (int j = 0; j < dims; j++)
		rows += range[j].type == DIM_CATEGORICAL ? (size_t)range[j].choices : 5 + (size_t)rows_of(&range[j]);
	return rows * stride;
}

static double *take(double **next, size_t n)
{
	double *taken = *next;
	*next += n;
	return taken;
}

static void lay_out(struct parzen *p, const struct range *range)
{
	const size_t stride = (size_t)p->stride;
	double *next = (double *)&p->dim[p->dims];
	p->weight = take(&next, stride);
	p->cumulative = take(&next, stride);
	p->factor = take(&next, stride);
	p->exponent = take(&next, stride);
	for (int j = 0; j < p->dims; j++) {
		struct parzen_dim *d = &p->dim[j];
		const double half = range[j].step / 2;
		d->range = range[j];
		if (range[j].type == DIM_CATEGORICAL) {
			d->share = take(&next, stride * (size_t)range[j].choices);
			continue;
		}
		d->cells = range[j].step > 0 && !range[j].log;
		d->low = parzen_coordinate(&range[j], range[j].low - half);
		d->high = parzen_coordinate(&range[j], range[j].high + half);
		d->mu = take(&next, stride);
		d->sigma = take(&next, stride);
		d->over_sigma = take(&next, stride);
		d->over_mass = take(&next, stride);
		d->log_scale = take(&next, stride);
		d->few = rows_of(&range[j]) - 1;
		d->row = take(&next, stride * (size_t)rows_of(&range[j]));
	}
}

int parzen_open(
	struct parzen **ret, const struct range *range, int dims, const double *x, int n, bool joint, struct err *err)
{
	const size_t stride = pairs_room((size_t)n + 1), head = sizeof **ret + (size_t)dims * sizeof(*ret)->dim[0];
	struct parzen *p = calloc(1, head + doubles_of(range, dims, stride) * sizeof(double));
	int *order = malloc(2 * stride * sizeof *order);
	if (!p || !order) {
		free(p);
		free(order);
		return err_set(err, ERR_NO_MEMORY, "no memory for the density of %d trials", n);
	}
	p->kernels = n + 1;
	p->stride = (int)stride;
	p->dims = dims;
	lay_out(p, range);
	weigh(p);
	for (int j = 0; j < dims; j++)
		if (range[j].type == DIM_CATEGORICAL)
			place_shares(p, j, x);
		else
			place_kernels(p, j, x, joint, order);
	free(order);
	*ret = p;
	return OK;
}

void parzen_close(struct parzen *p)
{
	free(p);
}

/* --- draws --- */

static double draw_choice(const struct parzen_dim *d, int kernel, int stride, double u)
{
	double sum = 0;
	int c = 0;
	while (c < d->range.choices - 1 && !(u < (sum += d->share[(size_t)c * (size_t)stride + (size_t)kernel])))
		c++;
	return c;
}

void parzen_draw(const struct parzen *p, double u_kernel, const double *u, double *ret_x)
{
	int k = 0;
	while (k < p->kernels - 1 && !(u_kernel < p->cumulative[k]))
		k++;
	for (int j = 0; j < p->dims; j++) {
		const struct parzen_dim *d = &p->dim[j];
		if (d->range.type == DIM_CATEGORICAL) {
			ret_x[j] = draw_choice(d, k, p->stride, u[j]);
			continue;
		}
		const double mu = d->mu[k], sigma = d->sigma[k];
		const double z = truncnorm_quantile(u[j], (d->low - mu) / sigma, (d->high - mu) / sigma);
		const double v = z * sigma + mu;
		ret_x[j] = range_nearest(&d->range, d->range.log ? exp(v) : v);
	}
}
