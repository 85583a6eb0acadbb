/* level.h: names of one level's kernels.
 *
 * Why: each kernel file is compiled once per numeric level; KERN(conv_down) is kern_conv_down_avx2 in one object and
 * kern_conv_down_avx512 in the next. row.c gathers them into that level's row. What each does: kern.h.
 */
#ifndef LATENTD_CORE_KERN_LEVEL_H
#define LATENTD_CORE_KERN_LEVEL_H

#include "core/kern/kern.h"

#define KERN_PASTE(name, level) kern_##name##_##level
#define KERN_EXPAND(name, level) KERN_PASTE(name, level)
#define KERN(name) KERN_EXPAND(name, KERN_LEVEL)

void KERN(conv_down)(real *small, const real *big, const real *w, const real *bias, const struct conv *g);
void KERN(conv_up)(real *big, const real *small, const real *w, const real *bias, const struct conv *g);
void KERN(conv_wgrad)(real *dw, const real *big, const real *small, const struct conv *g);
void KERN(bias_grad)(real *db, const real *dy, const struct map *m);

void KERN(dense_fwd)(real *y, const real *x, const real *w, const real *b, int in, int out);
void KERN(dense_bwd)(real *dx, const real *dy, const real *w, int in, int out);
void KERN(dense_wgrad)(real *dw, const real *x, const real *dy, real *scratch, int in, int out);

void KERN(dense_one)(real *y, const real *x, const real *w, const real *b, int in, int out);
void KERN(conv_up_one)(
	real *big, const real *small, real *scratch, const real *w, const real *bias, const struct conv *g);

void KERN(act_fwd)(real *x, const struct map *m, enum act act, real alpha);
void KERN(act_bwd)(
	real *dx, const real *dy, const real *y, const real *x, const struct map *m, enum act act, real alpha);

void KERN(glu_fwd)(real *y, const struct map *y_map, const real *x, const struct map *x_map);
void KERN(glu_bwd)(real *dx, const struct map *dx_map, const real *dy, const struct map *dy_map, const real *x,
	const struct map *x_map);

void KERN(moments)(real *mean, real *m2, const real *x, const struct map *m, int lanes);
void KERN(affine)(
	real *y, const struct map *y_map, const real *x, const struct map *x_map, const real *scale, const real *shift);
void KERN(norm_sums)(real *sum_dy, real *sum_dy_xhat, const real *dy, const struct map *dy_map, const real *x,
	const struct map *x_map, const real *mean, const real *invstd);
void KERN(norm_bwd)(real *dx, const struct map *dx_map, const real *dy, const struct map *dy_map, const real *x,
	const struct map *x_map, const real *a, const real *b, const real *c0, int lanes);

void KERN(group_fwd)(
	real *y, const struct map *y_map, const real *x, const struct map *x_map, const struct group_norm *g);
void KERN(group_bwd)(real *dx, const struct map *dx_map, const real *dy, const struct map *dy_map, const real *x,
	const struct map *x_map, const struct group_norm *g);

void KERN(max_pool)(real *small, real *tap, const real *big, const struct conv *g);
void KERN(max_pool_bwd)(real *dbig, const real *dsmall, const real *tap, const struct conv *g);
void KERN(avg_pool)(real *small, const real *big, const struct conv *g);
void KERN(avg_pool_bwd)(real *dbig, const real *dsmall, const struct conv *g);
void KERN(up_nearest)(real *big, const struct map *big_map, const real *small, const struct map *small_map);
void KERN(up_nearest_bwd)(real *dsmall, const struct map *small_map, const real *dbig, const struct map *big_map);
void KERN(up_bilinear)(real *big, const struct map *big_map, const real *small, const struct map *small_map);
void KERN(up_bilinear_bwd)(real *dsmall, const struct map *small_map, const real *dbig, const struct map *big_map);

void KERN(dropout)(real *y, const struct map *y_map, const real *x, const struct map *x_map, const struct dropout *d);

double KERN(loss)(enum loss loss, real *dy, const struct map *dy_map, const real *y, const struct map *y_map,
	const struct loss_target *target, real scale, int lanes);
double KERN(cross_entropy)(real *dy, const real *y, int classes, const uint8_t *labels, const struct label_loss *how,
	real scale, int lanes, int *ret_correct);

void KERN(latent_fwd)(real *z, real *kl, const real *h, const real *eps, int n, int lanes);
void KERN(latent_bwd)(real *dh, const real *dz, const real *h, const real *eps, int n, const real *kl_scale, int lanes);

void KERN(distances)(real *square, const real *rows, int n, const real *block, int d);
void KERN(repel)(struct forces *ret, const real *block, const struct mass *masses, const uint32_t *far, int nfar,
	const real *blocks, const uint32_t *near, int nnear);
void KERN(attract)(real ret[3], const real *map, const real at[2], const uint32_t *index, const real *p, int n);

void KERN(load_u8)(real *x, const struct map *m, const uint8_t *const *images, int lanes);
void KERN(load_rows)(real *x, const struct map *m, const float *rows, int lanes);
void KERN(store_rows)(float *rows, const real *x, const struct map *m, int lanes);

void KERN(sum_parts)(real *sum, const real *const *parts, int nparts, size_t n);
void KERN(adam)(real *w, const real *g, real *m, real *v, size_t n, const struct adam_step *step);
void KERN(sgd)(real *w, const real *g, real *momentum, size_t n, const struct sgd_step *step);
void KERN(rmsprop)(real *w, const real *g, real *square, real *momentum, size_t n, const struct rmsprop_step *step);

extern const struct kern KERN(row);

#endif
