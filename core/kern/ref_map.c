/* References of pooling and up-sampling (core/kern/kern.h). */
#include "core/kern/ref.h"

#include <math.h>

/* --- pooling --- */

/* Reals from the block's start to tap `tap` of a window, or -1 in the padding. */
static long tap_at(const struct conv *g, int c, int y, int x, int tap)
{
	int by = y * g->stride - g->padding + tap / g->kernel, bx = x * g->stride - g->padding + tap % g->kernel;
	bool inside = by >= 0 && by < g->big.h && bx >= 0 && bx < g->big.w;
	return inside ? (long)map_at(&g->big, c, by, bx) : -1;
}

/* The tap that max pooling takes in one window and lane. */
static int max_tap(const real *big, const struct conv *g, int c, int y, int x, int lane)
{
	int best = -1;
	real most = 0;
	for (int tap = 0; tap < g->kernel * g->kernel; tap++) {
		long at = tap_at(g, c, y, x, tap);
		if (at < 0 || (best >= 0 && !(big[at + lane] > most) && !isnan(big[at + lane])))
			continue;
		best = tap;
		most = big[at + lane];
	}
	return best;
}

void ref_max_pool(real *small, real *tap, const real *big, const struct conv *g)
{
	for (int i = 0; i < map_features(&g->small); i++)
		for (int l = 0; l < LANES; l++) {
			int c = i / (g->small.h * g->small.w), y = i / g->small.w % g->small.h, x = i % g->small.w;
			int best = max_tap(big, g, c, y, x, l);
			small[map_feature(&g->small, i) + (size_t)l] = big[tap_at(g, c, y, x, best) + l];
			if (tap)
				tap[i * LANES + l] = (real)best;
		}
}

/* What one small pixel adds to the big map: `share` of its gradient to tap `only`, or to all (-1). */
static double window_share(const struct conv *g, const real *dsmall, const real *tap, int i, int l, int j)
{
	double dy = (double)dsmall[map_feature(&g->small, i) + (size_t)l];
	if (tap)
		return (int)tap[i * LANES + l] == j ? dy : 0;
	return dy / (g->kernel * g->kernel);
}

static void pool_bwd(real *dbig, const real *dsmall, const real *tap, const struct conv *g)
{
	const int taps = g->kernel * g->kernel;
	for (int b = 0; b < map_features(&g->big); b++)
		for (int l = 0; l < LANES; l++) {
			double sum = 0;
			for (int i = 0; i < map_features(&g->small); i++) {
				int c = i / (g->small.h * g->small.w), y = i / g->small.w % g->small.h, x = i % g->small.w;
				for (int j = 0; c == b / (g->big.h * g->big.w) && j < taps; j++)
					if (tap_at(g, c, y, x, j) == (long)map_feature(&g->big, b))
						sum += window_share(g, dsmall, tap, i, l, j);
			}
			dbig[map_feature(&g->big, b) + (size_t)l] = (real)sum;
		}
}

void ref_max_pool_bwd(real *dbig, const real *dsmall, const real *tap, const struct conv *g)
{
	pool_bwd(dbig, dsmall, tap, g);
}

void ref_avg_pool(real *small, const real *big, const struct conv *g)
{
	const int taps = g->kernel * g->kernel;
	for (int i = 0; i < map_features(&g->small); i++)
		for (int l = 0; l < LANES; l++) {
			double sum = 0;
			for (int tap = 0; tap < taps; tap++) {
				long at = tap_at(g, i / (g->small.h * g->small.w), i / g->small.w % g->small.h, i % g->small.w, tap);
				sum += at < 0 ? 0 : (double)big[at + l];
			}
			small[map_feature(&g->small, i) + (size_t)l] = (real)(sum / taps);
		}
}

void ref_avg_pool_bwd(real *dbig, const real *dsmall, const struct conv *g)
{
	pool_bwd(dbig, dsmall, NULL, g);
}

/* --- up-sampling: a matrix of weights along each axis, forward and backward --- */

typedef double weight_fn(int big, int small, int factor, int small_size);

static double nearest_weight(int big, int small, int factor, int small_size)
{
	(void)small_size;
	return big / factor == small;
}

/* torch.nn.functional.interpolate, align_corners=False. */
static double bilinear_weight(int big, int small, int factor, int small_size)
{
	double at = fmax(0, (big + 0.5) / factor - 0.5);
	int low = (int)floor(at), high = low + 1 < small_size ? low + 1 : small_size - 1;
	return (low == small ? 1 - (at - low) : 0) + (high == small ? at - low : 0);
}

static void up(real *big, const struct map *b, const real *small, const struct map *s, weight_fn *weight)
{
	const int f = b->h / s->h;
	for (int i = 0; i < map_features(b); i++)
		for (size_t l = 0; l < LANES; l++) {
			double sum = 0;
			for (int y = 0; y < s->h; y++)
				for (int x = 0; x < s->w; x++)
					sum += weight(i / b->w % b->h, y, f, s->h) * weight(i % b->w, x, f, s->w) *
						   (double)small[map_at(s, i / (b->h * b->w), y, x) + l];
			big[map_feature(b, i) + l] = (real)sum;
		}
}

static void up_bwd(real *dsmall, const struct map *s, const real *dbig, const struct map *b, weight_fn *weight)
{
	const int f = b->h / s->h;
	for (int i = 0; i < map_features(s); i++)
		for (size_t l = 0; l < LANES; l++) {
			double sum = 0;
			for (int y = 0; y < b->h; y++)
				for (int x = 0; x < b->w; x++)
					sum += weight(y, i / s->w % s->h, f, s->h) * weight(x, i % s->w, f, s->w) *
						   (double)dbig[map_at(b, i / (s->h * s->w), y, x) + l];
			dsmall[map_feature(s, i) + l] = (real)sum;
		}
}

void ref_up_nearest(real *big, const struct map *big_map, const real *small, const struct map *small_map)
{
	up(big, big_map, small, small_map, nearest_weight);
}

void ref_up_nearest_bwd(real *dsmall, const struct map *small_map, const real *dbig, const struct map *big_map)
{
	up_bwd(dsmall, small_map, dbig, big_map, nearest_weight);
}

void ref_up_bilinear(real *big, const struct map *big_map, const real *small, const struct map *small_map)
{
	up(big, big_map, small, small_map, bilinear_weight);
}

void ref_up_bilinear_bwd(real *dsmall, const struct map *small_map, const real *dbig, const struct map *big_map)
{
	up_bwd(dsmall, small_map, dbig, big_map, bilinear_weight);
}

/* --- gated linear unit --- */

void ref_glu_fwd(real *y, const struct map *y_map, const real *x, const struct map *x_map)
{
	const int half = map_features(y_map);
	for (int i = 0; i < half; i++)
		for (size_t l = 0; l < LANES; l++) {
			double value = (double)x[map_feature(x_map, i) + l], gate = (double)x[map_feature(x_map, half + i) + l];
			y[map_feature(y_map, i) + l] = (real)(value / (1 + exp(-gate)));
		}
}

void ref_glu_bwd(real *dx, const struct map *dx_map, const real *dy, const struct map *dy_map, const real *x,
	const struct map *x_map)
{
	const int half = map_features(dy_map);
	for (int i = 0; i < half; i++)
		for (size_t l = 0; l < LANES; l++) {
			double value = (double)x[map_feature(x_map, i) + l], gate = (double)x[map_feature(x_map, half + i) + l];
			double open = 1 / (1 + exp(-gate)), slope = (double)dy[map_feature(dy_map, i) + l];
			dx[map_feature(dx_map, i) + l] = (real)(slope * open);
			dx[map_feature(dx_map, half + i) + l] = (real)(slope * value * open * (1 - open));
		}
}
