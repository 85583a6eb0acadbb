/* parzen_pdf.c: the density of a Parzen estimator at a point: a sum over kernels, two at a time. */
#include "core/lab/parzen_internal.h"

#include "core/lab/pairs.h"
#include "core/lab/truncnorm.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

static const double sqrt_pi = 1.77245385090551602730;

static pair exponent_at(const struct parzen_dim *d, int k, double at)
{
	const pair z = (at - pair_load(d->mu + k)) * pair_load(d->over_sigma + k);
	return -z * z - pair_load(d->log_scale + k);
}

static void add_density(struct parzen *p, const struct parzen_dim *d, double v)
{
	const double at = parzen_coordinate(&d->range, v);
	for (int k = 0; k < p->stride; k += 2)
		pair_store(p->exponent + k, pair_load(p->exponent + k) + exponent_at(d, k, at));
}

/* The same of one dimension by itself, in one go. */
static double sum_density(const struct parzen *p, const struct parzen_dim *d, double v)
{
	const double at = parzen_coordinate(&d->range, v);
	pair sum = {0};
	for (int k = 0; k < p->stride; k += 2)
		sum += pair_load(p->weight + k) * pair_exp2(exponent_at(d, k, at));
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
 * and |z h| <= 2: to 1e-8 of it where phi is next to nothing and to 1e-12 else, where a difference would have lost that. */
#define NARROW 0.15
static pair narrow_mass(pair z, pair h)
{
	const pair w = z * z, u = h * h, he2 = w - 1;
	const pair he4 = (w - 5) * he2 - 2, he6 = (w - 9) * he4 - 12 * he2, he8 = (w - 13) * he6 - 30 * he4;
	const pair he10 = (w - 17) * he8 - 56 * he6, he12 = (w - 21) * he10 - 90 * he8;
	const pair last = he10 * (1.0 / 39916800) + u * he12 * (1.0 / 6227020800);
	const pair series = he6 * (1.0 / 5040) + u * (he8 * (1.0 / 362880) + u * last);
	const pair factor = 1 + u * (he2 * (1.0 / 6) + u * (he4 * (1.0 / 120) + u * series));
	return 2 * M_SQRT1_2 / sqrt_pi * h * pair_exp2(-0.5 * M_LOG2E * w) * factor;
}

static pair cell_mass(pair z, pair h, double limit)
{
	const pair widest = {NARROW, NARROW}, most = {limit * limit, limit * limit};
	const pair_bits narrow = (h <= widest) & (z * z * h * h <= most);
	if (narrow[0] && narrow[1])
		return narrow_mass(z, h);
	if (!narrow[0] && !narrow[1])
		return wide_mass(z, h);
	return (pair)(((pair_bits)narrow_mass(z, h) & narrow) | ((pair_bits)wide_mass(z, h) & ~narrow));
}

/* Of a dimension by itself a kernel that is further from its cell than |z h| = 2 is outweighed by the prior. */
static void measure_cell(const struct parzen *p, const struct parzen_dim *d, double v, double *ret_row)
{
	const double half = 0.5 * d->range.step, limit = p->dims == 1 ? INFINITY : 2;
	const double most_h = half / d->least_sigma, most_z = (d->high - d->low) / d->least_sigma;
	const bool narrow = most_h <= NARROW && most_h * most_z <= limit;
	for (int k = 0; k < p->stride; k += 2) {
		const pair over_sigma = pair_load(d->over_sigma + k), z = (v - pair_load(d->mu + k)) * over_sigma,
				   h = half * over_sigma;
		pair_store(ret_row + k, (narrow ? narrow_mass(z, h) : cell_mass(z, h, limit)) * pair_load(d->over_mass + k));
	}
}

/* The kernels' masses in the cell of v; of few cells they are kept. */
static const double *cell_row(const struct parzen *p, struct parzen_dim *d, double v)
{
	const double cell = (v - d->range.low) / d->range.step;
	double *row = d->row + (size_t)p->stride * (size_t)d->few;
	uint64_t bit = 0;
	if (cell >= 0 && cell < d->few - 0.5) {
		row = d->row + (size_t)p->stride * (size_t)rint(cell);
		bit = UINT64_C(1) << (int)rint(cell);
	}
	if (!(d->known & bit)) {
		measure_cell(p, d, v, row);
		d->known |= bit;
	}
	return row;
}

/* One by one, where some kernels lie far outside. */
static void times_cells_slowly(struct parzen *p, const struct parzen_dim *d, double v)
{
	for (int k = 0; k < p->kernels; k++) {
		const double z = (v - d->mu[k]) * d->over_sigma[k], h = 0.5 * d->range.step * d->over_sigma[k];
		if (isfinite(d->over_mass[k]))
			p->factor[k] *= normal_mass(z - h, z + h) * d->over_mass[k];
		else
			p->exponent[k] += M_LOG2E * (normal_log_mass(z - h, z + h) + log_sqrt_2pi) - d->log_scale[k];
	}
}

static void times_row(struct parzen *p, const double *row)
{
	for (int k = 0; k < p->stride; k += 2)
		pair_store(p->factor + k, pair_load(p->factor + k) * pair_load(row + k));
}

static double sum_factors(const struct parzen *p, bool powers)
{
	pair sum = {0};
	for (int k = 0; k < p->stride; k += 2)
		sum += powers ? pair_load(p->factor + k) * pair_exp2(pair_load(p->exponent + k)) : pair_load(p->factor + k);
	return sum[0] + sum[1];
}

static double log_pdf_at(struct parzen *p, const double *x)
{
	bool powers = false;
	if (p->dims == 1 && p->dim[0].range.type != DIM_CATEGORICAL && !p->dim[0].cells)
		return log(sum_density(p, &p->dim[0], x[0]));
	memcpy(p->factor, p->weight, (size_t)p->stride * sizeof *p->factor);
	memset(p->exponent, 0, (size_t)p->stride * sizeof *p->exponent);
	for (int j = 0; j < p->dims; j++) {
		struct parzen_dim *d = &p->dim[j];
		powers = powers || d->far || (d->range.type != DIM_CATEGORICAL && !d->cells);
		if (d->range.type == DIM_CATEGORICAL)
			times_row(p, d->share + (size_t)x[j] * (size_t)p->stride);
		else if (d->cells && d->far)
			times_cells_slowly(p, d, x[j]);
		else if (d->cells)
			times_row(p, cell_row(p, d, x[j]));
		else
			add_density(p, d, x[j]);
	}
	return log(sum_factors(p, powers));
}

void parzen_log_pdf(struct parzen *p, const double *x, int count, double *ret)
{
	for (int i = 0; i < count; i++)
		ret[i] = log_pdf_at(p, x + (size_t)i * (size_t)p->dims);
}
