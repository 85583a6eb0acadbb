/* Losses of one block and their gradients (core/kern/kern.h). */
#include "core/kern/level.h"
#include "core/kern/vec.h"

#include <stddef.h>

/* sum + l(y, t), and dl/dy. */
ALWAYS_INLINE vec mse_add(vec sum, vec y, vec t, vec *ret_slope)
{
	vec d = y - t;
	*ret_slope = d + d;
	return fma_v(d, d, sum);
}

/* -1, 0 or 1; where equal, and for NaN, the difference itself. */
ALWAYS_INLINE vec l1_add(vec sum, vec y, vec t, vec *ret_slope)
{
	vec d = y - t;
	*ret_slope = select_v(d > splat_v(0), splat_v(1), select_v(d < splat_v(0), splat_v(-1), d));
	return sum + select_v(d < splat_v(0), -d, d);
}

ALWAYS_INLINE vec smooth_l1_add(vec sum, vec y, vec t, vec *ret_slope)
{
	vec d = y - t, size = select_v(d < splat_v(0), -d, d);
	*ret_slope = select_v(d > splat_v(1), splat_v(1), select_v(d < splat_v(-1), splat_v(-1), d));
	vec half = splat_v(0.5) * d;
	return sum + select_v(size > splat_v(1), size - splat_v(0.5), half * d);
}

/* With e = exp -|y|, nothing overflows: the sigmoid is 1 / (1 + e) or e / (1 + e). */
ALWAYS_INLINE vec bce_add(vec sum, vec y, vec t, vec *ret_slope)
{
	vec_bits negative = y < splat_v(0);
	vec e = exp_v(select_v(negative, y, -y)), one = splat_v(1);
	*ret_slope = select_v(negative, e, one) / (one + e) - t;
	return sum + (fma_v(-y, t, select_v(negative, splat_v(0), y)) + log1p_v(e));
}

/* One row of w pixels, VW lanes; from one target to the next lie t_step reals. dy NULL: not wanted. */
typedef vec row_run(vec sum, real *dy, const real *y, const real *t, ptrdiff_t t_step, vec scale, vec_bits used, int w);

#define LOSSES(X) X(LOSS_MSE, mse) X(LOSS_L1, l1) X(LOSS_SMOOTH_L1, smooth_l1) X(LOSS_BCE, bce)

#define X(loss, f)                                                                                          \
	static vec f##_row(                                                                                     \
		vec sum, real *dy, const real *y, const real *t, ptrdiff_t t_step, vec scale, vec_bits used, int w) \
	{                                                                                                       \
		for (ptrdiff_t i = 0; i < (ptrdiff_t)w * LANES; i += LANES, t += t_step) {                          \
			vec slope;                                                                                      \
			sum = f##_add(sum, load_v(y + i), load_v(t), &slope);                                           \
			if (dy)                                                                                         \
				store_v(dy + i, select_v(used, slope * scale, splat_v(0)));                                 \
		}                                                                                                   \
		return sum;                                                                                         \
	}
LOSSES(X)
#undef X

static row_run *const row_runs[LOSS_COUNT] = {
#define X(loss, f) [loss] = f##_row,
	LOSSES(X)
#undef X
};

/* The tree of fold_lanes over the used lanes, in double. */
static double fold_used(const real lane[LANES], int lanes)
{
	double sum[LANES];
	for (int l = 0; l < LANES; l++)
		sum[l] = l < lanes ? (double)lane[l] : 0;
	for (int half = LANES / 2; half > 0; half /= 2)
		for (int l = 0; l < half; l++)
			sum[l] += sum[l + half];
	return sum[0];
}

double KERN(loss)(enum loss loss, real *dy, const struct map *dy_map, const real *y, const struct map *y_map,
	const struct loss_target *target, real scale, int lanes)
{
	real sums[LANES], fixed[LANES];
	for (int l = 0; l < LANES; l++)
		fixed[l] = target->value;
	const ptrdiff_t t_step = target->t ? LANES : 0;
	for (int lane = 0; lane < LANES; lane += VW) {
		const vec_bits used = lanes_below(lanes, lane);
		vec sum = splat_v(0);
		for (int c = 0; c < y_map->c; c++)
			for (int row = 0; row < y_map->h; row++) {
				const real *t = target->t ? target->t + map_at(target->map, c, row, 0) + lane : fixed;
				real *to = dy ? dy + map_at(dy_map, c, row, 0) + lane : NULL;
				sum = row_runs[loss](
					sum, to, y + map_at(y_map, c, row, 0) + lane, t, t_step, splat_v(scale), used, y_map->w);
			}
		store_v(sums + lane, sum);
	}
	return fold_used(sums, lanes);
}

/* --- softmax cross entropy --- */

/* What the logits of VW lanes come to. */
struct logits {
	vec largest, best; /* and its class, the first of equal ones */
	vec exps;          /* sum of exp(y - largest) */
	vec total;         /* sum of y - largest */
	vec chosen;        /* y - largest at the label */
};

ALWAYS_INLINE struct logits survey(const real *y, int classes, vec label)
{
	struct logits s = {.largest = load_v(y)};
	for (int k = 1; k < classes; k++) {
		vec value = load_v(y + (ptrdiff_t)k * LANES);
		vec_bits more = value > s.largest;
		s.largest = select_v(more, value, s.largest);
		s.best = select_v(more, splat_v((real)k), s.best);
	}
	for (int k = 0; k < classes; k++) {
		vec below = load_v(y + (ptrdiff_t)k * LANES) - s.largest;
		s.exps += exp_v(below);
		s.total += below;
		s.chosen = select_v(label == splat_v((real)k), below, s.chosen);
	}
	return s;
}

ALWAYS_INLINE void slopes(
	real *dy, const real *y, int classes, const struct logits *s, vec label, real smoothing, vec scale, vec_bits used)
{
	const vec hit = splat_v(1 - smoothing), share = splat_v(smoothing / (real)classes);
	for (int k = 0; k < classes; k++) {
		vec p = exp_v(load_v(y + (ptrdiff_t)k * LANES) - s->largest) / s->exps;
		vec slope = p - select_v(label == splat_v((real)k), hit, splat_v(0)) - share;
		store_v(dy + (ptrdiff_t)k * LANES, select_v(used, slope * scale, splat_v(0)));
	}
}

/* Of -log p makes (1 - p^q) / q; returns p^q, which its slopes are those of -log p times. */
ALWAYS_INLINE vec generalise(vec *sum, real q)
{
	vec power = exp_v(splat_v(-q) * *sum);
	*sum = (splat_v(1) - power) / splat_v(q);
	return power;
}

double KERN(cross_entropy)(real *dy, const real *y, int classes, const uint8_t *labels, const struct label_loss *how,
	real scale, int lanes, int *ret_correct)
{
	const real smoothing = how->smoothing;
	real label[LANES] = {0}, best[LANES], sums[LANES];
	for (int l = 0; l < lanes; l++)
		label[l] = labels[l];
	for (int lane = 0; lane < LANES; lane += VW) {
		const vec at = load_v(label + lane);
		const struct logits s = survey(y + lane, classes, at);
		vec sum = fma_v(splat_v(smoothing - 1), s.chosen, log_v(s.exps));
		sum = fma_v(splat_v(-smoothing / (real)classes), s.total, sum);
		vec weight = splat_v(scale);
		if (how->q > 0)
			weight *= generalise(&sum, how->q);
		store_v(sums + lane, sum);
		store_v(best + lane, s.best);
		if (dy)
			slopes(dy + lane, y + lane, classes, &s, at, smoothing, weight, lanes_below(lanes, lane));
	}
	int correct = 0;
	for (int l = 0; l < lanes; l++)
		correct += best[l] == label[l];
	*ret_correct = correct;
	return fold_used(sums, lanes);
}
