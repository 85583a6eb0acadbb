/* References of the norms (core/kern/kern.h). */
#include "core/kern/ref.h"

#include <math.h>

/* --- batch norm --- */

void ref_moments(real *mean, real *m2, const real *x, const struct map *m, int lanes)
{
	const int pixels = m->h * m->w;
	for (int c = 0; c < m->c; c++) {
		double sum = 0, square = 0;
		for (int i = 0; i < pixels * lanes; i++)
			sum += (double)x[map_feature(m, c * pixels + i / lanes) + (size_t)(i % lanes)];
		double centre = sum / (pixels * lanes);
		for (int i = 0; i < pixels * lanes; i++) {
			double d = (double)x[map_feature(m, c * pixels + i / lanes) + (size_t)(i % lanes)] - centre;
			square += d * d;
		}
		mean[c] = (real)centre;
		m2[c] = (real)square;
	}
}

void ref_affine(
	real *y, const struct map *y_map, const real *x, const struct map *x_map, const real *scale, const real *shift)
{
	for (int i = 0; i < map_features(x_map); i++)
		for (size_t l = 0; l < LANES; l++) {
			int c = i / (x_map->h * x_map->w);
			double value = (double)x[map_feature(x_map, i) + l] * (double)scale[c] + (double)shift[c];
			y[map_feature(y_map, i) + l] = (real)value;
		}
}

void ref_norm_sums(real *sum_dy, real *sum_dy_xhat, const real *dy, const struct map *dy_map, const real *x,
	const struct map *x_map, const real *mean, const real *invstd)
{
	const int pixels = x_map->h * x_map->w;
	for (int c = 0; c < x_map->c; c++) {
		double plain = 0, product = 0;
		for (int i = c * pixels; i < (c + 1) * pixels; i++)
			for (size_t l = 0; l < LANES; l++) {
				double slope = (double)dy[map_feature(dy_map, i) + l];
				plain += slope;
				product += slope * ((double)x[map_feature(x_map, i) + l] - (double)mean[c]) * (double)invstd[c];
			}
		sum_dy[c] = (real)((double)sum_dy[c] + plain);
		sum_dy_xhat[c] = (real)((double)sum_dy_xhat[c] + product);
	}
}

void ref_norm_bwd(real *dx, const struct map *dx_map, const real *dy, const struct map *dy_map, const real *x,
	const struct map *x_map, const real *a, const real *b, const real *c0, int lanes)
{
	for (int i = 0; i < map_features(x_map); i++)
		for (int l = 0; l < LANES; l++) {
			int c = i / (x_map->h * x_map->w);
			double value = (double)a[c] * (double)dy[map_feature(dy_map, i) + (size_t)l] +
						   (double)b[c] * (double)x[map_feature(x_map, i) + (size_t)l] + (double)c0[c];
			dx[map_feature(dx_map, i) + (size_t)l] = l < lanes ? (real)value : 0;
		}
}

/* --- group norm --- */

void ref_group_fwd(real *y, const struct map *y_map, const real *x, const struct map *x_map, const struct group_norm *g)
{
	const int n = map_features(x_map) / g->groups, pixels = x_map->h * x_map->w;
	for (int first = 0, group = 0; group < g->groups; group++, first += n)
		for (size_t l = 0; l < LANES; l++) {
			double mean = 0, variance = 0;
			for (int i = first; i < first + n; i++)
				mean += (double)x[map_feature(x_map, i) + l] / n;
			for (int i = first; i < first + n; i++)
				variance += pow((double)x[map_feature(x_map, i) + l] - mean, 2) / n;
			double invstd = 1 / sqrt(variance + (double)g->eps);
			g->mean[(size_t)group * LANES + l] = (real)mean;
			g->invstd[(size_t)group * LANES + l] = (real)invstd;
			for (int i = first; i < first + n; i++) {
				double xhat = ((double)x[map_feature(x_map, i) + l] - mean) * invstd;
				y[map_feature(y_map, i) + l] = (real)(xhat * (double)g->gamma[i / pixels] + (double)g->beta[i / pixels]);
			}
		}
}

/* Of one group and lane: the chain rule through mean and invstd, after Wu & He 2018. */
static void group_bwd_lane(real *dx, const struct map *dx_map, const real *dy, const struct map *dy_map, const real *x,
	const struct map *x_map, const struct group_norm *g, int group, size_t l)
{
	const int n = map_features(x_map) / g->groups, first = group * n, pixels = x_map->h * x_map->w;
	const double mean = (double)g->mean[(size_t)group * LANES + l],
				 invstd = (double)g->invstd[(size_t)group * LANES + l];
	double plain = 0, product = 0;
	for (int i = first; i < first + n; i++) {
		double slope = (double)g->gamma[i / pixels] * (double)dy[map_feature(dy_map, i) + l];
		plain += slope / n;
		product += slope * ((double)x[map_feature(x_map, i) + l] - mean) * invstd / n;
	}
	for (int i = first; i < first + n; i++) {
		double slope = (double)g->gamma[i / pixels] * (double)dy[map_feature(dy_map, i) + l];
		double xhat = ((double)x[map_feature(x_map, i) + l] - mean) * invstd;
		dx[map_feature(dx_map, i) + l] = (real)(invstd * (slope - plain - xhat * product));
	}
}

void ref_group_bwd(real *dx, const struct map *dx_map, const real *dy, const struct map *dy_map, const real *x,
	const struct map *x_map, const struct group_norm *g)
{
	const int pixels = x_map->h * x_map->w;
	for (int c = 0; g->dgamma && c < x_map->c; c++) {
		size_t stat = (size_t)(c / (x_map->c / g->groups)) * LANES;
		double plain = 0, product = 0;
		for (int i = c * pixels; i < (c + 1) * pixels; i++)
			for (size_t l = 0; l < LANES; l++) {
				double slope = (double)dy[map_feature(dy_map, i) + l];
				double d = (double)x[map_feature(x_map, i) + l] - (double)g->mean[stat + l];
				plain += slope;
				product += slope * d * (double)g->invstd[stat + l];
			}
		g->dbeta[c] = (real)((double)g->dbeta[c] + plain);
		g->dgamma[c] = (real)((double)g->dgamma[c] + product);
	}
	for (int group = 0; dx && group < g->groups; group++)
		for (size_t l = 0; l < LANES; l++)
			group_bwd_lane(dx, dx_map, dy, dy_map, x, x_map, g, group, l);
}
