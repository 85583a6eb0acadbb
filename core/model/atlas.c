#include "core/model/atlas.h"

#include "core/base/normal.h"

#include <string.h>

static const char *const reaches[REACH_COUNT] = {
#define X(reach, name) [reach] = name,
	REACHES(X)
#undef X
};

int reach_find(const char *name)
{
	for (int i = 0; i < REACH_COUNT; i++)
		if (!strcmp(reaches[i], name))
			return i;
	return -1;
}

const char *reach_name(enum reach r)
{
	return reaches[r];
}

double spread_mean(const struct spread *s, int unit)
{
	return s->stats->latent_dim ? s->stats->mean[unit] : 0;
}

double spread_variance(const struct spread *s, int unit)
{
	size_t d = (size_t)s->latent_dim, i = (size_t)unit;
	return s->stats->latent_dim ? s->stats->cov[i * d + i] : 1;
}

double spread_quantile(const struct spread *s, int unit, double p)
{
	if (s->normal)
		return normal_quantile(p);
	const double at = p * (QUANTILES - 1);
	const size_t d = (size_t)s->latent_dim, below = (size_t)at, above = below + 1 < QUANTILES ? below + 1 : below;
	const double low = s->stats->quantile[below * d + (size_t)unit],
				 high = s->stats->quantile[above * d + (size_t)unit];
	return low + (high - low) * (at - (double)below);
}

void spread_order(const struct spread *s, int *order)
{
	for (int n = 0; n < s->latent_dim; n++) {
		int i = n;
		for (; i > 0 && spread_variance(s, order[i - 1]) < spread_variance(s, n); i--)
			order[i] = order[i - 1];
		order[i] = n;
	}
}

/* n codes whose units are all at their means. */
static void at_means(float *z, size_t n, const struct spread *s)
{
	for (size_t i = 0; i < n; i++)
		for (int j = 0; j < s->latent_dim; j++)
			*z++ = (float)spread_mean(s, j);
}

void grid_values(double *ret, int n, const struct spread *s, int unit)
{
	for (int i = 0; i < n; i++)
		ret[i] = spread_quantile(s, unit, (i + 0.5) / n);
}

void grid_codes(float *z, int n, const struct spread *s, const int *dims, int ndims)
{
	const int rows = ndims > 1 ? n : 1, d = s->latent_dim;
	at_means(z, (size_t)rows * (size_t)n, s);
	for (int row = 0; row < rows; row++)
		for (int col = 0; col < n; col++) {
			float *code = z + ((size_t)row * (size_t)n + (size_t)col) * (size_t)d;
			code[dims[0]] = (float)spread_quantile(s, dims[0], (col + 0.5) / n);
			if (ndims > 1)
				code[dims[1]] = (float)spread_quantile(s, dims[1], (n - 1 - row + 0.5) / n);
		}
}

void traverse_values(double *ret, int steps, const struct spread *s, int unit, enum reach reach)
{
	const double mean = s->normal ? 0 : spread_mean(s, unit), sd = s->normal ? 1 : s->stats->std[unit];
	for (int i = 0; i < steps; i++) {
		const double t = (double)i / (steps - 1);
		ret[i] = reach == REACH_SD ? mean + (2 * t - 1) * reach_sd * sd
								   : spread_quantile(s, unit, reach_quantile + t * (1 - 2 * reach_quantile));
	}
}

void traverse_codes(float *z, int steps, const struct spread *s, const int *unit, int units, enum reach reach)
{
	const size_t d = (size_t)s->latent_dim;
	at_means(z, (size_t)units * (size_t)steps, s);
	for (int u = 0; u < units; u++) {
		double values[TRAVERSE_STEPS_MAX];
		traverse_values(values, steps, s, unit[u], reach);
		for (int i = 0; i < steps; i++)
			z[((size_t)u * (size_t)steps + (size_t)i) * d + (size_t)unit[u]] = (float)values[i];
	}
}
