/* kern.h: the table of kernels, one row per numeric level, chosen once at start.
 *
 * Why: layers say what is computed; this floor says how fast. A kernel works on one block of LANES samples, so it knows
 * neither threads nor batches; whoever calls it owns the memory.
 * Layout: a block of maps is [c][h + 2 halo][w + 2 halo][LANES]; lane l is sample l; the halo is zero and stays zero.
 * Weights are in PyTorch's order. For both kinds of convolution the map nearer to the latent code is "small" and the other
 * "big", and the weights are w[small.c][big.c][kernel][kernel]: Conv2d goes down, ConvTranspose2d goes up, and each is the
 * other's gradient; so three kernels serve both.
 * Invariants: no allocation, no lock, no I/O. The order of additions into one output is part of each row's contract below:
 * AVX2 and AVX-512 give the same bits. Multiply-adds are fused on every level that can (AVX2, AVX-512, NEON).
 * `lanes`: so many lanes of a short last block are in use (1..LANES); what lies in the others is finite and does not matter.
 * Not here: layers (core/nn), threads (core/base/pool.h).
 */
#ifndef LATENTD_CORE_KERN_KERN_H
#define LATENTD_CORE_KERN_KERN_H

#include "core/base/cpu.h"
#include "core/base/real.h"

#include <stddef.h>
#include <stdint.h>

/* Geometry of one block tensor. A vector of n features is {n, 1, 1, 0}. */
struct map {
	int c, h, w, halo;
};

static inline size_t map_row(const struct map *m) /* reals from one row to the next */
{
	return (size_t)(m->w + 2 * m->halo) * LANES;
}

static inline size_t map_plane(const struct map *m) /* reals from one channel to the next */
{
	return (size_t)(m->h + 2 * m->halo) * map_row(m);
}

static inline size_t map_reals(const struct map *m) /* whole block, halo included */
{
	return (size_t)m->c * map_plane(m);
}

static inline size_t map_at(const struct map *m, int c, int y, int x) /* of lane 0; y, x may lie in the halo */
{
	return (size_t)((long)((size_t)c * map_plane(m)) + (long)(y + m->halo) * (long)map_row(m) +
					(long)(x + m->halo) * LANES);
}

static inline size_t map_feature(const struct map *m, int i) /* lane 0 of feature i, counted in [c][h][w] order */
{
	return map_at(m, i / (m->h * m->w), i / m->w % m->h, i % m->w);
}

static inline int map_features(const struct map *m) /* values per sample */
{
	return m->c * m->h * m->w;
}

/* One convolution, seen from both sides. Both halos are wide enough for every tap (conv_halo). */
struct conv {
	struct map big, small;
	int kernel, stride, padding;
};

/* Halo that the big map needs for conv_down and conv_wgrad, and the small map for conv_up: every tap stays within. */
int conv_halo_big(const struct conv *g);
int conv_halo_small(const struct conv *g);
/* Reals of scratch that conv_up_one needs. */
size_t conv_one_scratch(const struct conv *g);

enum act {
	ACT_NONE,
	ACT_RELU,
	ACT_LEAKY_RELU, /* slope `alpha` below zero */
	ACT_SIGMOID,
	ACT_TANH,
	ACT_SILU,
	ACT_COUNT
};

/* Scalars of one Adam or AdamW step, worked out once in double. */
struct adam_step {
	real beta1, beta2;
	real gain1, gain2; /* 1 - beta1, 1 - beta2, rounded after the subtraction */
	real step_size;    /* lr / (1 - beta1^t) */
	real root_scale;   /* 1 / sqrt(1 - beta2^t) */
	real eps;
	real decay; /* AdamW: w *= 1 - decay first (decay = lr * weight_decay) */
	real l2;    /* Adam: g += l2 * w */
};

struct sgd_step {
	real lr, momentum, l2;
	int nesterov, first; /* first: the momentum buffer starts as the gradient (PyTorch) */
};

/* groups divides the channels. mean and invstd, [groups][LANES], are written forward and read backward. */
struct group_norm {
	int groups;
	real eps;
	const real *gamma, *beta; /* [c] */
	real *mean, *invstd;
	real *dgamma, *dbeta; /* [c], backward; both NULL: not wanted */
};

/* Which mask. A value's draw depends on these, the position of its sample in the batch and its feature (in [c][h][w] order,
 * below 2^24; with `channels`: its channel) only: it is word feature % 4 of rng_words at stream RNG_DROPOUT, step
 * position 2^48 + step, index layer 2^22 + feature / 4, and drops the value when its upper 24 bits are below p 2^24. */
struct dropout {
	uint64_t seed, step; /* step < 2^48 */
	uint32_t layer;      /* < 1024: one number for each layer of the model */
	uint32_t sample;     /* position of lane 0, < 65536 - LANES */
	real p;              /* 0 <= p < 1 */
	bool channels;       /* drops whole channels (Dropout2d) */
};

/* l(y, t) of one value. */
enum loss {
	LOSS_MSE,       /* (y - t)^2 */
	LOSS_L1,        /* |y - t|; slope 0 where equal */
	LOSS_SMOOTH_L1, /* (y - t)^2 / 2 where |y - t| < 1, |y - t| - 1/2 beyond */
	LOSS_BCE,       /* y is a logit: max(y, 0) - y t + log(1 + exp -|y|) */
	LOSS_COUNT
};

/* Points of a plane seen from afar: how many, where their mean is, and what their offsets e from it sum up to. */
struct mass {
	real x, y, n;
	real trace;      /* sum of |e|^2 */
	real xx, xy, yy; /* 4 times the sums of e_x^2, e_x e_y, e_y^2 */
	real spare;      /* a row of eight */
};

/* Of LANES points: sums over others of q and of q^2 d, with q = 1 / (1 + |d|^2) and d from the other to the point. */
struct forces {
	real z[LANES], x[LANES], y[LANES];
};

enum { LATENT_LOGVAR_MAX = 10 }; /* log variances of a code are held within +-this */

/* What y should have been: a block, or one value for all of it (a discriminator's real and fake). */
struct loss_target {
	const real *t; /* NULL: `value` everywhere */
	const struct map *map;
	real value;
};

/* How a label is taken. At most one of the two is other than 0. */
struct label_loss {
	real smoothing; /* e: this share of each label is spread over all classes */
	real q;         /* generalised cross entropy (Zhang and Sabuncu 2018): (1 - p^q) / q in place of -log p */
};

struct rmsprop_step {
	real lr, alpha, gain; /* gain: 1 - alpha, rounded after the subtraction */
	real eps, momentum, l2;
};

struct kern {
	enum cpu_level level;

	/* small[o][y][x] = bias[o] + sum over c, kh, kw (in that order) of big[c][y s - p + kh][x s - p + kw] w[o][c][kh][kw].
	 * Rows of taps in the halo are left out. bias NULL: 0. Writes the interior only. */
	void (*conv_down)(real *small, const real *big, const real *w, const real *bias, const struct conv *g);
	/* big[c][y][x] = bias[c] + sum over o, kh, kw (in that order) of small[o][(y + p - kh)/s][(x + p - kw)/s] w[o][c][kh][kw]
	 * over the taps that divide evenly; rows of taps in the halo are left out. bias NULL: 0. Writes the interior only. */
	void (*conv_up)(real *big, const real *small, const real *w, const real *bias, const struct conv *g);
	/* dw[o][c][kh][kw] += fold over lanes of sum over y, x (in that order) of small[o][y][x] big[c][y s - p + kh][x s - p + kw]. */
	void (*conv_wgrad)(real *dw, const real *big, const real *small, const struct conv *g);
	/* db[c] += fold over lanes of sum over y, x of dy[c][y][x]. */
	void (*bias_grad)(real *db, const real *dy, const struct map *m);

	/* y[o] = b[o] + sum over i of x[i] w[o][i]; x [in][LANES], y [out][LANES]. b NULL: 0. */
	void (*dense_fwd)(real *y, const real *x, const real *w, const real *b, int in, int out);
	/* dx[i] = sum over o of dy[o] w[o][i]. */
	void (*dense_bwd)(real *dx, const real *dy, const real *w, int in, int out);
	/* dw[o][i] += sum over lanes n of dy[o][n] x[i][n], n ascending, one chain that starts from dw itself;
	 * scratch: LANES * (in rounded up to LANES) reals, aligned as blocks are. */
	void (*dense_wgrad)(real *dw, const real *x, const real *dy, real *scratch, int in, int out);

	/* --- one sample by itself: values in [c][h][w] order, neither lanes nor halos; lanes run over outputs or pixels, so that one
	 * answer need not wait for sixteen. What comes out are the bits of the block kernels, but for the sign of a zero. Values lie
	 * on 64-byte boundaries. */
	/* As dense_fwd. */
	void (*dense_one)(real *y, const real *x, const real *w, const real *b, int in, int out);
	/* As conv_up, with the same g (its halos say how far taps reach); scratch: conv_one_scratch(g) reals. */
	void (*conv_up_one)(
		real *big, const real *small, real *scratch, const real *w, const real *bias, const struct conv *g);

	/* y = f(x), in place, whole interior. */
	void (*act_fwd)(real *x, const struct map *m, enum act act, real alpha);
	/* dx = dy f'(x), f' told from y = f(x); ACT_SILU needs x too (NULL otherwise). dx may be dy, y or x itself. */
	void (*act_bwd)(
		real *dx, const real *dy, const real *y, const real *x, const struct map *m, enum act act, real alpha);

	/* --- gated linear unit. Maps of one block may differ in their halos; only interiors are read and written. */
	/* y[c] = x[c] sigmoid(x[c + y_map->c]): the second half of the channels says how much of the first passes. */
	void (*glu_fwd)(real *y, const struct map *y_map, const real *x, const struct map *x_map);
	/* dx[c] = dy[c] s, dx[c + dy_map->c] = dy[c] s (x[c] (1 - s)), s = sigmoid(x[c + dy_map->c]). dx may be x (with its map). */
	void (*glu_bwd)(real *dx, const struct map *dx_map, const real *dy, const struct map *dy_map, const real *x,
		const struct map *x_map);

	/* --- batch norm. Sums over a channel: per lane over y, x in that order, lanes folded by the fixed tree. Maps of one
	 * block may differ in their halos; only interiors are read and written. */
	/* Over the used lanes: mean[c], and m2[c] = sum of (x - mean[c])^2, in a second pass. */
	void (*moments)(real *mean, real *m2, const real *x, const struct map *m, int lanes);
	/* y = x scale[c] + shift[c]. y may be x. */
	void (*affine)(
		real *y, const struct map *y_map, const real *x, const struct map *x_map, const real *scale, const real *shift);
	/* sum_dy[c] += sum of dy; sum_dy_xhat[c] += invstd[c] times the sum of dy (x - mean[c]). dy is 0 beyond the used lanes. */
	void (*norm_sums)(real *sum_dy, real *sum_dy_xhat, const real *dy, const struct map *dy_map, const real *x,
		const struct map *x_map, const real *mean, const real *invstd);
	/* dx = a[c] dy + (b[c] x + c0[c]) on the used lanes, 0 beyond. dx may be dy or x. */
	void (*norm_bwd)(real *dx, const struct map *dx_map, const real *dy, const struct map *dy_map, const real *x,
		const struct map *x_map, const real *a, const real *b, const real *c0, int lanes);

	/* Group norm, every lane by itself. Sums over a group: over its channels in order, of sums over y, x. mean and invstd of
	 * each group, by the biased variance: mean first, deviations from it in a second pass. y may be x. */
	void (*group_fwd)(
		real *y, const struct map *y_map, const real *x, const struct map *x_map, const struct group_norm *g);
	/* dx, unless NULL, and, with g->dgamma, dgamma[c] += and dbeta[c] += lanes folded. dx may be dy or x. dy is 0 beyond the
	 * used lanes, and so is dx. */
	void (*group_bwd)(real *dx, const struct map *dx_map, const real *dy, const struct map *dy_map, const real *x,
		const struct map *x_map, const struct group_norm *g);

	/* Pooling, with as many channels in big as in small; windows that do not fit are left out (floor), and each has at least
	 * one tap on the map (padding <= kernel / 2). No halo is needed; interiors are written.
	 * small = the largest tap on the map; tap, unless NULL, is [small features][LANES]: which one it was, kh kernel + kw, the
	 * first in row order of equal ones. A NaN counts as the largest, the last of several. */
	void (*max_pool)(real *small, real *tap, const real *big, const struct conv *g);
	/* dbig = sum of dsmall over the windows that took that pixel, windows in y, x order. */
	void (*max_pool_bwd)(real *dbig, const real *dsmall, const real *tap, const struct conv *g);
	/* small = (sum of the taps in kh, kw order) / kernel^2: padding counts as 0 (count_include_pad). */
	void (*avg_pool)(real *small, const real *big, const struct conv *g);
	/* dbig = sum of dsmall / kernel^2 over the windows that hold that pixel, windows in y, x order. */
	void (*avg_pool_bwd)(real *dbig, const real *dsmall, const struct conv *g);

	/* Up-sampling by the whole factor f = big.h / small.h = big.w / small.w. Every big pixel is the small one above it; back:
	 * the sum of the f^2 of them, y, x in order. */
	void (*up_nearest)(real *big, const struct map *big_map, const real *small, const struct map *small_map);
	void (*up_nearest_bwd)(real *dsmall, const struct map *small_map, const real *dbig, const struct map *big_map);
	/* torch's mode="bilinear", align_corners=False: columns are mixed first, then rows, neighbours beyond the edge are the edge.
	 * Back is the transpose; sums run over the big rows y, in a row over x modulo f, then x / f. */
	void (*up_bilinear)(real *big, const struct map *big_map, const real *small, const struct map *small_map);
	void (*up_bilinear_bwd)(real *dsmall, const struct map *small_map, const real *dbig, const struct map *big_map);

	/* y = x times the mask: 0, or 1 / (1 - p) where the value is kept. The same call on dy is its gradient. y may be x. */
	void (*dropout)(real *y, const struct map *y_map, const real *x, const struct map *x_map, const struct dropout *d);

	/* Loss of one block: the sum of l(y, t) over its values in the first `lanes` lanes, per lane in map order, lanes folded by
	 * the fixed tree in double. Unless dy is NULL, dy = scale dl/dy on those lanes and 0 beyond. dy may be y. */
	double (*loss)(enum loss loss, real *dy, const struct map *dy_map, const real *y, const struct map *y_map,
		const struct loss_target *target, real scale, int lanes);
	/* Softmax cross entropy of logits y [classes][LANES] with labels[lanes] and label smoothing e: the sum over lanes of
	 * log sum_k exp y_k - (1 - e) y_label - e mean_k y_k, all relative to the largest y and k ascending; lanes folded by the
	 * fixed tree in double. Unless dy is NULL, dy_k = scale (softmax_k - (1 - e) [k = label] - e / classes) on the used lanes
	 * and 0 beyond. With q of such a value v (1 - exp(-q v)) / q, and exp(-q v) times the slopes: those of (1 - p_label^q) / q.
	 * ret_correct: how many lanes have their largest logit, the first of equal ones, at the label. dy may be y. */
	double (*cross_entropy)(real *dy, const real *y, int classes, const uint8_t *labels, const struct label_loss *how,
		real scale, int lanes, int *ret_correct);

	/* Latent code of a variational autoencoder: h [2 n][LANES] is mu of n units, then their log variances lv, which are held
	 * within +-LATENT_LOGVAR_MAX; eps, z [n][LANES]. z = mu + exp(lv / 2) eps. kl, unless NULL: kl[j] = the sum over the used
	 * lanes, by the fixed tree, of -(1 + lv - mu^2 - e^lv) / 2, the divergence from N(0, 1). */
	void (*latent_fwd)(real *z, real *kl, const real *h, const real *eps, int n, int lanes);
	/* dh = [dz + s mu; dz eps exp(lv / 2) / 2 + s (e^lv - 1) / 2], s = kl_scale[unit]; 0 where lv was held, and beyond the used
	 * lanes. */
	void (*latent_bwd)(
		real *dh, const real *dz, const real *h, const real *eps, int n, const real *kl_scale, int lanes);

	/* square [n][LANES]: squared distances of n rows [n][d] to the LANES rows of a block [d][LANES], each the sum over features
	 * in order, one multiply-add each. */
	void (*distances)(real *square, const real *rows, int n, const real *block, int d);
	/* Repulsion in t-SNE. A block of points is [2][LANES]: x, then y. What masses[far[i]] do to each of its points, in that order,
	 * to second order in the offsets: q (n + q (t - trace)) and q^2 (n + q (3 t - 2 trace)) d - q^3 M d, where M = [xx xy; xy yy]
	 * and t = q d'M d; then what the LANES points of blocks[near[i]] do, themselves included where they are among them. */
	void (*repel)(struct forces *ret, const real *block, const struct mass *masses, const uint32_t *far, int nfar,
		const real *blocks, const uint32_t *near, int nnear);
	/* Attraction in t-SNE: over the points map[index[e]] (x, y), e < n, a multiple of LANES: sums of p q d (x, y) and of
	 * p log(1 / q), with d from the point to `at`. Lane l takes every LANES-th term from l on; lanes are folded by the fixed tree. */
	void (*attract)(real ret[3], const real *map, const real at[2], const uint32_t *index, const real *p, int n);

	/* x[l] = image[l][…] / 255 for lanes < `lanes` (images[l]: c*h*w bytes, CHW), 0 beyond. */
	void (*load_u8)(real *x, const struct map *m, const uint8_t *const *images, int lanes);
	/* Sample-major [lanes][features] to block and back; lanes beyond become 0 / are not written. */
	void (*load_rows)(real *x, const struct map *m, const float *rows, int lanes);
	void (*store_rows)(float *rows, const real *x, const struct map *m, int lanes);

	/* sum[i] = parts[0][i] + parts[1][i] + … in that order, for i in [0, n). */
	void (*sum_parts)(real *sum, const real *const *parts, int nparts, size_t n);
	/* PyTorch's updates (methods: core/nn/optim.h) on [0, n). */
	void (*adam)(real *w, const real *g, real *m, real *v, size_t n, const struct adam_step *step);
	void (*sgd)(real *w, const real *g, real *momentum, size_t n, const struct sgd_step *step);
	/* momentum NULL: plain steps. */
	void (*rmsprop)(real *w, const real *g, real *square, real *momentum, size_t n, const struct rmsprop_step *step);
};

/* The row of that level, or NULL if this build or this processor has none. */
const struct kern *kern_at(enum cpu_level level);

/* The same contracts in plain C that sums in double: what the tests hold every other row against. */
extern const struct kern kern_reference;

#endif
