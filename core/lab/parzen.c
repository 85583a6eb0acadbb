#include "core/lab/parzen.h"

#include "core/lab/truncnorm.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { FLAT = 25 }; /* observations whose weight is whole */

static const double scott_factor = 0.2, log_sqrt_2pi = 0.91893853320467274178;

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
		d->sigma[order[i]] = fmax(left, right);
	}
}

static double coordinate(const struct range *r, double v)
{
	return r->log ? log(v) : v;
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
		d->sigma[k] = fmin(fmax(d->sigma[k], least), width);
	d->sigma[n] = width;
	for (int k = 0; k < kernels; k++) {
		d->log_mass[k] = normal_log_mass((d->low - d->mu[k]) / d->sigma[k], (d->high - d->mu[k]) / d->sigma[k]);
		d->over_mass[k] = exp(-d->log_mass[k]);
	}
}

static void place_shares(struct parzen *p, int j, const double *x)
{
	const struct parzen_dim *d = &p->dim[j];
	const size_t kernels = (size_t)p->kernels;
	const double every = 1.0 / p->kernels, sum = 1 + every * d->range.choices;
	for (size_t k = 0; k < kernels; k++) {
		const bool prior = k == kernels - 1;
		for (int c = 0; c < d->range.choices; c++)
			d->share[(size_t)c * kernels + k] = prior ? 1.0 / d->range.choices : every / sum;
		if (!prior)
			d->share[(size_t)x[k * (size_t)p->dims + (size_t)j] * kernels + k] = (1 + every) / sum;
	}
}

/* --- memory --- */

static size_t doubles_of(const struct range *range, int dims, size_t kernels)
{
	size_t rows = 4;
	for (int j = 0; j < dims; j++)
		rows += range[j].type == DIM_CATEGORICAL ? (size_t)range[j].choices : 4;
	return rows * kernels;
}

static double *take(double **next, size_t n)
{
	double *taken = *next;
	*next += n;
	return taken;
}

static void lay_out(struct parzen *p, const struct range *range)
{
	const size_t kernels = (size_t)p->kernels;
	double *next = (double *)&p->dim[p->dims];
	p->weight = take(&next, kernels);
	p->cumulative = take(&next, kernels);
	p->factor = take(&next, kernels);
	p->exponent = take(&next, kernels);
	for (int j = 0; j < p->dims; j++) {
		struct parzen_dim *d = &p->dim[j];
		const double half = range[j].step / 2;
		d->range = range[j];
		if (range[j].type == DIM_CATEGORICAL) {
			d->share = take(&next, kernels * (size_t)range[j].choices);
			continue;
		}
		d->cells = range[j].step > 0 && !range[j].log;
		d->low = coordinate(&range[j], range[j].low - half);
		d->high = coordinate(&range[j], range[j].high + half);
		d->mu = take(&next, kernels);
		d->sigma = take(&next, kernels);
		d->log_mass = take(&next, kernels);
		d->over_mass = take(&next, kernels);
	}
}

int parzen_open(
	struct parzen **ret, const struct range *range, int dims, const double *x, int n, bool joint, struct err *err)
{
	const size_t kernels = (size_t)n + 1, head = sizeof **ret + (size_t)dims * sizeof(*ret)->dim[0];
	struct parzen *p = calloc(1, head + doubles_of(range, dims, kernels) * sizeof(double));
	int *order = malloc(2 * kernels * sizeof *order);
	if (!p || !order) {
		free(p);
		free(order);
		return err_set(err, ERR_NO_MEMORY, "no memory for the density of %d trials", n);
	}
	p->kernels = n + 1;
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

static double draw_choice(const struct parzen_dim *d, int kernel, int kernels, double u)
{
	double sum = 0;
	int c = 0;
	while (c < d->range.choices - 1 && !(u < (sum += d->share[(size_t)c * (size_t)kernels + (size_t)kernel])))
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
			ret_x[j] = draw_choice(d, k, p->kernels, u[j]);
			continue;
		}
		const double mu = d->mu[k], sigma = d->sigma[k];
		const double z = truncnorm_quantile(u[j], (d->low - mu) / sigma, (d->high - mu) / sigma);
		const double v = z * sigma + mu;
		ret_x[j] = range_nearest(&d->range, d->range.log ? exp(v) : v);
	}
}

/* --- densities --- */

static void add_density(struct parzen *p, const struct parzen_dim *d, double v)
{
	const double at = coordinate(&d->range, v);
	for (int k = 0; k < p->kernels; k++) {
		const double z = (at - d->mu[k]) / d->sigma[k];
		p->exponent[k] -= 0.5 * z * z + log_sqrt_2pi + d->log_mass[k];
	}
}

static void times_cells(struct parzen *p, const struct parzen_dim *d, double v)
{
	const double half = d->range.step / 2, low = fmax(v - half, d->low), high = fmin(v + half, d->high);
	for (int k = 0; k < p->kernels; k++) {
		const double a = (low - d->mu[k]) / d->sigma[k], b = (high - d->mu[k]) / d->sigma[k];
		if (isfinite(d->over_mass[k]))
			p->factor[k] *= normal_mass(a, b) * d->over_mass[k];
		else /* the kernel is far outside */
			p->exponent[k] += normal_log_mass(a, b) - d->log_mass[k];
	}
}

static void times_shares(struct parzen *p, const struct parzen_dim *d, double choice)
{
	const double *share = d->share + (size_t)choice * (size_t)p->kernels;
	for (int k = 0; k < p->kernels; k++)
		p->factor[k] *= share[k];
}

static double log_pdf_at(struct parzen *p, const double *x)
{
	double sum = 0;
	memcpy(p->factor, p->weight, (size_t)p->kernels * sizeof *p->factor);
	memset(p->exponent, 0, (size_t)p->kernels * sizeof *p->exponent);
	for (int j = 0; j < p->dims; j++) {
		const struct parzen_dim *d = &p->dim[j];
		if (d->range.type == DIM_CATEGORICAL)
			times_shares(p, d, x[j]);
		else if (d->cells)
			times_cells(p, d, x[j]);
		else
			add_density(p, d, x[j]);
	}
	for (int k = 0; k < p->kernels; k++)
		sum += p->factor[k] * exp(p->exponent[k]);
	return log(sum);
}

void parzen_log_pdf(struct parzen *p, const double *x, int count, double *ret)
{
	for (int i = 0; i < count; i++)
		ret[i] = log_pdf_at(p, x + (size_t)i * (size_t)p->dims);
}
