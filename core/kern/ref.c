/* The kernel table in plain C: one loop per sum, sums in double, no tiles, no vectors. Slow and easy to read: what
 * kern.h says, said again as code. Tests hold every level against it; nothing else calls it. Further groups: ref_*.c. */
#include "core/kern/ref.h"

#include <math.h>
#include <string.h>

static double lane_total(const double lane[LANES])
{
	double total = 0;
	for (int l = 0; l < LANES; l++)
		total += lane[l];
	return total;
}

/* --- convolutions --- */

static double weight_at(const real *w, const struct conv *g, int o, int c, int kh, int kw)
{
	return (double)w[(((size_t)o * (size_t)g->big.c + (size_t)c) * (size_t)g->kernel + (size_t)kh) * (size_t)g->kernel +
					 (size_t)kw];
}

static bool inside(const struct map *m, int y, int x)
{
	return y >= 0 && y < m->h && x >= 0 && x < m->w;
}

static double down_at(const real *big, const real *w, const struct conv *g, int o, int y, int x, int lane)
{
	double sum = 0;
	for (int c = 0; c < g->big.c; c++)
		for (int kh = 0; kh < g->kernel; kh++)
			for (int kw = 0; kw < g->kernel; kw++) {
				int by = y * g->stride - g->padding + kh, bx = x * g->stride - g->padding + kw;
				if (inside(&g->big, by, bx))
					sum += (double)big[map_at(&g->big, c, by, bx) + (size_t)lane] * weight_at(w, g, o, c, kh, kw);
			}
	return sum;
}

static void conv_down(real *small, const real *big, const real *w, const real *bias, const struct conv *g)
{
	for (int o = 0; o < g->small.c; o++)
		for (int y = 0; y < g->small.h; y++)
			for (int x = 0; x < g->small.w; x++)
				for (int l = 0; l < LANES; l++)
					small[map_at(&g->small, o, y, x) + (size_t)l] =
						(real)(down_at(big, w, g, o, y, x, l) + (bias ? (double)bias[o] : 0));
}

static double up_at(const real *small, const real *w, const struct conv *g, int c, int y, int x, int lane)
{
	double sum = 0;
	for (int o = 0; o < g->small.c; o++)
		for (int kh = 0; kh < g->kernel; kh++)
			for (int kw = 0; kw < g->kernel; kw++) {
				int sy = y + g->padding - kh, sx = x + g->padding - kw;
				if (sy % g->stride || sx % g->stride || !inside(&g->small, sy / g->stride, sx / g->stride))
					continue;
				sum += (double)small[map_at(&g->small, o, sy / g->stride, sx / g->stride) + (size_t)lane] *
					   weight_at(w, g, o, c, kh, kw);
			}
	return sum;
}

static void conv_up(real *big, const real *small, const real *w, const real *bias, const struct conv *g)
{
	for (int c = 0; c < g->big.c; c++)
		for (int y = 0; y < g->big.h; y++)
			for (int x = 0; x < g->big.w; x++)
				for (int l = 0; l < LANES; l++)
					big[map_at(&g->big, c, y, x) + (size_t)l] =
						(real)(up_at(small, w, g, c, y, x, l) + (bias ? (double)bias[c] : 0));
}

static double tap_gradient(const real *big, const real *small, const struct conv *g, int o, int c, int kh, int kw)
{
	double lane[LANES] = {0};
	for (int y = 0; y < g->small.h; y++)
		for (int x = 0; x < g->small.w; x++) {
			int by = y * g->stride - g->padding + kh, bx = x * g->stride - g->padding + kw;
			for (int l = 0; l < LANES && inside(&g->big, by, bx); l++)
				lane[l] += (double)small[map_at(&g->small, o, y, x) + (size_t)l] *
						   (double)big[map_at(&g->big, c, by, bx) + (size_t)l];
		}
	return lane_total(lane);
}

static void conv_wgrad(real *dw, const real *big, const real *small, const struct conv *g)
{
	for (int o = 0; o < g->small.c; o++)
		for (int c = 0; c < g->big.c; c++)
			for (int kh = 0; kh < g->kernel; kh++)
				for (int kw = 0; kw < g->kernel; kw++, dw++)
					*dw += (real)tap_gradient(big, small, g, o, c, kh, kw);
}

static void bias_grad(real *db, const real *dy, const struct map *m)
{
	for (int c = 0; c < m->c; c++) {
		double lane[LANES] = {0};
		for (int y = 0; y < m->h; y++)
			for (int x = 0; x < m->w; x++)
				for (int l = 0; l < LANES; l++)
					lane[l] += (double)dy[map_at(m, c, y, x) + (size_t)l];
		db[c] += (real)lane_total(lane);
	}
}

/* --- dense --- */

static void dense_fwd(real *y, const real *x, const real *w, const real *b, int in, int out)
{
	for (int o = 0; o < out; o++)
		for (int l = 0; l < LANES; l++) {
			double sum = b ? (double)b[o] : 0;
			for (int i = 0; i < in; i++)
				sum += (double)x[i * LANES + l] * (double)w[(size_t)o * (size_t)in + (size_t)i];
			y[o * LANES + l] = (real)sum;
		}
}

static void dense_bwd(real *dx, const real *dy, const real *w, int in, int out)
{
	for (int i = 0; i < in; i++)
		for (int l = 0; l < LANES; l++) {
			double sum = 0;
			for (int o = 0; o < out; o++)
				sum += (double)dy[o * LANES + l] * (double)w[(size_t)o * (size_t)in + (size_t)i];
			dx[i * LANES + l] = (real)sum;
		}
}

static void dense_wgrad(real *dw, const real *x, const real *dy, real *scratch, int in, int out)
{
	(void)scratch;
	for (int o = 0; o < out; o++)
		for (int i = 0; i < in; i++, dw++) {
			double sum = (double)*dw;
			for (int n = 0; n < LANES; n++)
				sum += (double)dy[o * LANES + n] * (double)x[i * LANES + n];
			*dw = (real)sum;
		}
}

/* --- elements --- */

static double sigmoid(double x)
{
	return 1 / (1 + exp(-x));
}

static double act_value(enum act act, double x, double alpha)
{
	switch (act) {
	case ACT_RELU:
		return x < 0 ? 0 : x;
	case ACT_LEAKY_RELU:
		return x < 0 ? alpha * x : x;
	case ACT_SIGMOID:
		return sigmoid(x);
	case ACT_TANH:
		return tanh(x);
	case ACT_SILU:
		return x * sigmoid(x);
	default:
		return x;
	}
}

static double act_slope(enum act act, double y, double x, double alpha)
{
	switch (act) {
	case ACT_RELU:
		return y > 0;
	case ACT_LEAKY_RELU:
		return y > 0 ? 1 : alpha;
	case ACT_SIGMOID:
		return y * (1 - y);
	case ACT_TANH:
		return 1 - y * y;
	case ACT_SILU:
		return sigmoid(x) * (1 + x * (1 - sigmoid(x)));
	default:
		return 1;
	}
}

static void act_fwd(real *x, const struct map *m, enum act act, real alpha)
{
	for (int i = 0; i < map_features(m); i++)
		for (size_t l = map_feature(m, i), end = l + LANES; l < end; l++)
			x[l] = (real)act_value(act, (double)x[l], (double)alpha);
}

static void act_bwd(
	real *dx, const real *dy, const real *y, const real *x, const struct map *m, enum act act, real alpha)
{
	for (int i = 0; i < map_features(m); i++)
		for (size_t l = map_feature(m, i), end = l + LANES; l < end; l++)
			dx[l] = (real)((double)dy[l] * act_slope(act, (double)y[l], x ? (double)x[l] : 0, (double)alpha));
}

static void load_u8(real *x, const struct map *m, const uint8_t *const *images, int lanes)
{
	for (int i = 0; i < map_features(m); i++)
		for (int l = 0; l < LANES; l++)
			x[map_feature(m, i) + (size_t)l] = l < lanes ? (real)images[l][i] / 255 : 0;
}

static void load_rows(real *x, const struct map *m, const float *rows, int lanes)
{
	for (int i = 0; i < map_features(m); i++)
		for (int l = 0; l < LANES; l++)
			x[map_feature(m, i) + (size_t)l] =
				l < lanes ? (real)rows[(size_t)l * (size_t)map_features(m) + (size_t)i] : 0;
}

static void store_rows(float *rows, const real *x, const struct map *m, int lanes)
{
	for (int i = 0; i < map_features(m); i++)
		for (int l = 0; l < lanes; l++)
			rows[(size_t)l * (size_t)map_features(m) + (size_t)i] = (float)x[map_feature(m, i) + (size_t)l];
}

/* --- parameters --- */

static void sum_parts(real *sum, const real *const *parts, int nparts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		double total = 0;
		for (int p = 0; p < nparts; p++)
			total += (double)parts[p][i];
		sum[i] = (real)total;
	}
}

static void adam(real *w, const real *g, real *m, real *v, size_t n, const struct adam_step *step)
{
	for (size_t i = 0; i < n; i++) {
		double gradient = (double)g[i] + (double)step->l2 * (double)w[i];
		double mean = (double)step->beta1 * (double)m[i] + (double)step->gain1 * gradient;
		double square = (double)step->beta2 * (double)v[i] + (double)step->gain2 * gradient * gradient;
		double root = sqrt(square) * (double)step->root_scale + (double)step->eps;
		w[i] = (real)((double)w[i] * (1 - (double)step->decay) - (double)step->step_size * mean / root);
		m[i] = (real)mean;
		v[i] = (real)square;
	}
}

static void sgd(real *w, const real *g, real *momentum, size_t n, const struct sgd_step *step)
{
	for (size_t i = 0; i < n; i++) {
		double mu = (double)step->momentum, gradient = (double)g[i] + (double)step->l2 * (double)w[i];
		double velocity = step->first || !momentum ? gradient : mu * (double)momentum[i] + gradient;
		w[i] = (real)((double)w[i] - (double)step->lr * (step->nesterov ? gradient + mu * velocity : velocity));
		if (momentum)
			momentum[i] = (real)velocity;
	}
}

static void rmsprop(real *w, const real *g, real *square, real *momentum, size_t n, const struct rmsprop_step *step)
{
	for (size_t i = 0; i < n; i++) {
		double gradient = (double)g[i] + (double)step->l2 * (double)w[i];
		double mean = (double)step->alpha * (double)square[i] + (double)step->gain * gradient * gradient;
		double velocity = gradient / (sqrt(mean) + (double)step->eps);
		if (momentum)
			velocity += (double)step->momentum * (double)momentum[i];
		w[i] = (real)((double)w[i] - (double)step->lr * velocity);
		square[i] = (real)mean;
		if (momentum)
			momentum[i] = (real)velocity;
	}
}

const struct kern kern_reference = {
	.level = CPU_BASELINE,
	.conv_down = conv_down,
	.conv_up = conv_up,
	.conv_wgrad = conv_wgrad,
	.bias_grad = bias_grad,
	.dense_fwd = dense_fwd,
	.dense_bwd = dense_bwd,
	.dense_wgrad = dense_wgrad,
	.dense_one = ref_dense_one,
	.conv_up_one = ref_conv_up_one,
	.act_fwd = act_fwd,
	.act_bwd = act_bwd,
	.glu_fwd = ref_glu_fwd,
	.glu_bwd = ref_glu_bwd,
	.moments = ref_moments,
	.affine = ref_affine,
	.norm_sums = ref_norm_sums,
	.norm_bwd = ref_norm_bwd,
	.group_fwd = ref_group_fwd,
	.group_bwd = ref_group_bwd,
	.max_pool = ref_max_pool,
	.max_pool_bwd = ref_max_pool_bwd,
	.avg_pool = ref_avg_pool,
	.avg_pool_bwd = ref_avg_pool_bwd,
	.up_nearest = ref_up_nearest,
	.up_nearest_bwd = ref_up_nearest_bwd,
	.up_bilinear = ref_up_bilinear,
	.up_bilinear_bwd = ref_up_bilinear_bwd,
	.dropout = ref_dropout,
	.loss = ref_loss,
	.cross_entropy = ref_cross_entropy,
	.latent_fwd = ref_latent_fwd,
	.latent_bwd = ref_latent_bwd,
	.distances = ref_distances,
	.repel = ref_repel,
	.attract = ref_attract,
	.load_u8 = load_u8,
	.load_rows = load_rows,
	.store_rows = store_rows,
	.sum_parts = sum_parts,
	.adam = adam,
	.sgd = sgd,
	.rmsprop = rmsprop,
};
