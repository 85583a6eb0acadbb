#include "core/lab/parzen.h"

#include "core/lab/pairs.h"
#include "core/lab/truncnorm.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { FLAT = 25 }; /* observations whose weight is whole */

static const double scott_factor = 0.2, log_sqrt_2pi = 0.91893853320467274178, sqrt_pi = 1.77245385090551602730;

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

static double coordinate(const struct range *r, double v)
{
	return r->log ? log(v) : v;
}

/* Below this mass kernels lie so far outside of the range that only logarithms tell: theirs depends on another dimension. */
#define FAR 1e-250
static void measure_kernel(struct parzen_dim *d, int k)
{
	const double a = (d->low - d->mu[k]) / d->sigma[k], b = (d->high - d->mu[k]) / d->sigma[k],
				 mass = normal_mass(a, b);
	const bool far = mass < FAR;
	d->far = d->far || far;
	d->over_sigma[k] = 1 / d->sigma[k];
	d->over_mass[k] = far ? INFINITY : 1 / mass;
	d->log_scale[k] = log_sqrt_2pi + (far ? normal_log_mass(a, b) : log(mass));
}

static void place_kernels(struct parzen *p, int j, const double *x, bool joint, int *order)
{
	struct parzen_dim *d = &p->dim[j];
	const int kernels = p->kernels, n = kernels - 1;
	const double width = d->high - d->low, least = width / fmin(100, 1 + kernels);
	for (int k = 0; k < n; k++)
		d->mu[k] = coordinate(&d->range, x[(size_t)k * (size_t)p->dims + (size_t)j]);
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

static size_t doubles_of(const struct range *range, int dims, size_t stride)
{
	size_t rows = 4;
	for (int j = 0; j < dims; j++)
		rows += range[j].type == DIM_CATEGORICAL ? (size_t)range[j].choices : 5;
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
		d->low = coordinate(&range[j], range[j].low - half);
		d->high = coordinate(&range[j], range[j].high + half);
		d->mu = take(&next, stride);
		d->sigma = take(&next, stride);
		d->over_sigma = take(&next, stride);
		d->over_mass = take(&next, stride);
		d->log_scale = take(&next, stride);
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

/* --- densities --- */

static pair exponent_at(const struct parzen_dim *d, int k, double at)
{
	const pair z = (at - pair_load(d->mu + k)) * pair_load(d->over_sigma + k);
	return -0.5 * z * z - pair_load(d->log_scale + k);
}

static void add_density(struct parzen *p, const struct parzen_dim *d, double v)
{
	const double at = coordinate(&d->range, v);
	for (int k = 0; k < p->stride; k += 2)
		pair_store(p->exponent + k, pair_load(p->exponent + k) + exponent_at(d, k, at));
}

/* The same of one dimension by itself, in one go. */
static double sum_density(const struct parzen *p, const struct parzen_dim *d, double v)
{
	const double at = coordinate(&d->range, v);
	pair sum = {0};
	for (int k = 0; k < p->stride; k += 2)
		sum += pair_load(p->weight + k) * pair_exp(exponent_at(d, k, at));
	return sum[0] + sum[1];
}

/* Phi(z + h) - Phi(z - h), as a difference of tails, or what they leave. */
static pair wide_mass(pair z, pair h)
{
	const pair_bits sign = {INT64_MIN, INT64_MIN};
	const pair middle = (pair)((pair_bits)z & ~sign), from = (middle - h) * M_SQRT1_2, to = (middle + h) * M_SQRT1_2;
	const pair_bits around = (pair_bits)from & sign; /* the cell holds the mean: one tail on either side */
	const pair tail = pair_erfc((pair)((pair_bits)from & ~sign)), rest = pair_erfc(to);
	const pair one = {1, 1}, whole = (pair)((pair_bits)one & (around >> 63));
	return whole + 0.5 * ((pair)((pair_bits)tail ^ around) - rest);
}

/* The same by Taylor's series around z: 2 h phi(z) (1 + He2(z) h^2 / 3! + He4(z) h^4 / 5! + …), He: Hermite polynomials. For h <= NARROW
 * and |z h| <= 1: to 1e-9 of it, where a difference would have lost that. */
#define NARROW 0.15
static pair narrow_mass(pair z, pair h)
{
	const pair w = z * z, u = h * h, he2 = w - 1;
	const pair he4 = (w - 5) * he2 - 2, he6 = (w - 9) * he4 - 12 * he2, he8 = (w - 13) * he6 - 30 * he4;
	const pair he10 = (w - 17) * he8 - 56 * he6;
	const pair series = he6 * (1.0 / 5040) + u * (he8 * (1.0 / 362880) + u * he10 * (1.0 / 39916800));
	const pair factor = 1 + u * (he2 * (1.0 / 6) + u * (he4 * (1.0 / 120) + u * series));
	return 2 * M_SQRT1_2 / sqrt_pi * h * pair_exp(-0.5 * w) * factor;
}

static pair cell_masses(pair z, pair h)
{
	const pair limit = {NARROW, NARROW}, one = {1, 1};
	const pair_bits narrow = (h <= limit) & (z * z * h * h <= one);
	if (narrow[0] && narrow[1])
		return narrow_mass(z, h);
	if (!narrow[0] && !narrow[1])
		return wide_mass(z, h);
	return (pair)(((pair_bits)narrow_mass(z, h) & narrow) | ((pair_bits)wide_mass(z, h) & ~narrow));
}

/* One by one, where some kernels lie far outside. */
static void times_cells_slowly(struct parzen *p, const struct parzen_dim *d, double v)
{
	for (int k = 0; k < p->kernels; k++) {
		const double z = (v - d->mu[k]) * d->over_sigma[k], h = 0.5 * d->range.step * d->over_sigma[k];
		if (isfinite(d->over_mass[k]))
			p->factor[k] *= normal_mass(z - h, z + h) * d->over_mass[k];
		else
			p->exponent[k] += normal_log_mass(z - h, z + h) - (d->log_scale[k] - log_sqrt_2pi);
	}
}

static void times_cells(struct parzen *p, const struct parzen_dim *d, double v)
{
	for (int k = 0; k < p->stride; k += 2) {
		const pair over_sigma = pair_load(d->over_sigma + k), z = (v - pair_load(d->mu + k)) * over_sigma;
		const pair mass = cell_masses(z, 0.5 * d->range.step * over_sigma) * pair_load(d->over_mass + k);
		pair_store(p->factor + k, pair_load(p->factor + k) * mass);
	}
}

static void times_shares(struct parzen *p, const struct parzen_dim *d, double choice)
{
	const double *share = d->share + (size_t)choice * (size_t)p->stride;
	for (int k = 0; k < p->stride; k += 2)
		pair_store(p->factor + k, pair_load(p->factor + k) * pair_load(share + k));
}

static double log_pdf_at(struct parzen *p, const double *x)
{
	pair sum = {0};
	if (p->dims == 1 && p->dim[0].range.type != DIM_CATEGORICAL && !p->dim[0].cells)
		return log(sum_density(p, &p->dim[0], x[0]));
	memcpy(p->factor, p->weight, (size_t)p->stride * sizeof *p->factor);
	memset(p->exponent, 0, (size_t)p->stride * sizeof *p->exponent);
	for (int j = 0; j < p->dims; j++) {
		const struct parzen_dim *d = &p->dim[j];
		if (d->range.type == DIM_CATEGORICAL)
			times_shares(p, d, x[j]);
		else if (d->cells && d->far)
			times_cells_slowly(p, d, x[j]);
		else if (d->cells)
			times_cells(p, d, x[j]);
		else
			add_density(p, d, x[j]);
	}
	for (int k = 0; k < p->stride; k += 2)
		sum += pair_load(p->factor + k) * pair_exp(pair_load(p->exponent + k));
	return log(sum[0] + sum[1]);
}

/* Among few values some come again. */
static int same_as(const double *x, int i)
{
	int k = 0;
	while (x[k] != x[i])
		k++;
	return k;
}

void parzen_log_pdf(struct parzen *p, const double *x, int count, double *ret)
{
	const bool few = p->dims == 1 && p->dim[0].range.step > 0;
	for (int i = 0; i < count; i++) {
		const int k = few ? same_as(x, i) : i;
		ret[i] = k < i ? ret[k] : log_pdf_at(p, x + (size_t)i * (size_t)p->dims);
	}
}
