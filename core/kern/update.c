/* Optimiser steps and sums over blocks of parameters (core/kern/kern.h). Element i depends on element i only, and a
 * short end goes through the same vector code, so a range may be cut anywhere. */
#include "core/kern/level.h"
#include "core/kern/vec.h"

void KERN(sum_parts)(real *sum, const real *const *parts, int nparts, size_t n)
{
	size_t i = 0;
	for (; n - i >= VW; i += VW) {
		vec total = load_v(parts[0] + i);
		for (int p = 1; p < nparts; p++)
			total += load_v(parts[p] + i);
		store_v(sum + i, total);
	}
	for (; i < n; i++) {
		real total = parts[0][i];
		for (int p = 1; p < nparts; p++)
			total += parts[p][i];
		sum[i] = total;
	}
}

struct adam_vec {
	vec w, m, v;
};

ALWAYS_INLINE struct adam_vec adam_v(struct adam_vec x, vec g, const struct adam_step *s)
{
	g = fma_v(splat_v(s->l2), x.w, g);
	x.w = x.w * splat_v(1 - s->decay);
	x.m = fma_v(splat_v(s->gain1), g, splat_v(s->beta1) * x.m);
	x.v = fma_v(splat_v(s->gain2) * g, g, splat_v(s->beta2) * x.v);
	vec root = fma_v(sqrt_v(x.v), splat_v(s->root_scale), splat_v(s->eps));
	x.w = x.w - splat_v(s->step_size) * x.m / root;
	return x;
}

void KERN(adam)(real *w, const real *g, real *m, real *v, size_t n, const struct adam_step *step)
{
	size_t i = 0;
	for (; n - i >= VW; i += VW) {
		struct adam_vec x = {load_v(w + i), load_v(m + i), load_v(v + i)};
		x = adam_v(x, load_v(g + i), step);
		store_v(w + i, x.w);
		store_v(m + i, x.m);
		store_v(v + i, x.v);
	}
	if (i < n) {
		struct adam_vec x = {load_part_v(w + i, n - i), load_part_v(m + i, n - i), load_part_v(v + i, n - i)};
		x = adam_v(x, load_part_v(g + i, n - i), step);
		store_part_v(w + i, x.w, n - i);
		store_part_v(m + i, x.m, n - i);
		store_part_v(v + i, x.v, n - i);
	}
}

struct sgd_vec {
	vec w, momentum;
};

ALWAYS_INLINE struct sgd_vec sgd_v(struct sgd_vec x, vec g, const struct sgd_step *s)
{
	g = fma_v(splat_v(s->l2), x.w, g);
	x.momentum = s->first ? g : fma_v(splat_v(s->momentum), x.momentum, g);
	vec direction = s->nesterov ? fma_v(splat_v(s->momentum), x.momentum, g) : x.momentum;
	x.w = fma_v(splat_v(-s->lr), direction, x.w);
	return x;
}

/* Without momentum the buffer may be NULL: each step then starts anew. */
void KERN(sgd)(real *w, const real *g, real *momentum, size_t n, const struct sgd_step *step)
{
	size_t i = 0;
	for (; n - i >= VW; i += VW) {
		struct sgd_vec x = {load_v(w + i), momentum ? load_v(momentum + i) : splat_v(0)};
		x = sgd_v(x, load_v(g + i), step);
		store_v(w + i, x.w);
		if (momentum)
			store_v(momentum + i, x.momentum);
	}
	if (i < n) {
		struct sgd_vec x = {load_part_v(w + i, n - i), momentum ? load_part_v(momentum + i, n - i) : splat_v(0)};
		x = sgd_v(x, load_part_v(g + i, n - i), step);
		store_part_v(w + i, x.w, n - i);
		if (momentum)
			store_part_v(momentum + i, x.momentum, n - i);
	}
}

struct rmsprop_vec {
	vec w, square, momentum;
};

ALWAYS_INLINE struct rmsprop_vec rmsprop_v(struct rmsprop_vec x, vec g, const struct rmsprop_step *s)
{
	g = fma_v(splat_v(s->l2), x.w, g);
	x.square = fma_v(splat_v(s->gain) * g, g, splat_v(s->alpha) * x.square);
	vec step = g / (sqrt_v(x.square) + splat_v(s->eps));
	x.momentum = fma_v(splat_v(s->momentum), x.momentum, step);
	x.w = fma_v(splat_v(-s->lr), x.momentum, x.w);
	return x;
}

/* Without momentum the buffer is NULL: then it is 0 before each step. */
void KERN(rmsprop)(real *w, const real *g, real *square, real *momentum, size_t n, const struct rmsprop_step *step)
{
	size_t i = 0;
	for (; n - i >= VW; i += VW) {
		struct rmsprop_vec x = {load_v(w + i), load_v(square + i), momentum ? load_v(momentum + i) : splat_v(0)};
		x = rmsprop_v(x, load_v(g + i), step);
		store_v(w + i, x.w);
		store_v(square + i, x.square);
		if (momentum)
			store_v(momentum + i, x.momentum);
	}
	if (i < n) {
		struct rmsprop_vec x = {load_part_v(w + i, n - i), load_part_v(square + i, n - i),
			momentum ? load_part_v(momentum + i, n - i) : splat_v(0)};
		x = rmsprop_v(x, load_part_v(g + i, n - i), step);
		store_part_v(w + i, x.w, n - i);
		store_part_v(square + i, x.square, n - i);
		if (momentum)
			store_part_v(momentum + i, x.momentum, n - i);
	}
}
