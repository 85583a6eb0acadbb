/* ref.h: the references that ref.c gathers into kern_reference, one file per group of kernels.
 *
 * Why: each says again, as plain loops that sum in double, what kern.h says. Not here: contracts (kern.h).
 */
#ifndef LATENTD_CORE_KERN_REF_H
#define LATENTD_CORE_KERN_REF_H

#include "core/kern/kern.h"

/* ref_norm.c */
void ref_moments(real *mean, real *m2, const real *x, const struct map *m, int lanes);
void ref_affine(
	real *y, const struct map *y_map, const real *x, const struct map *x_map, const real *scale, const real *shift);
void ref_norm_sums(real *sum_dy, real *sum_dy_xhat, const real *dy, const struct map *dy_map, const real *x,
	const struct map *x_map, const real *mean, const real *invstd);
void ref_norm_bwd(real *dx, const struct map *dx_map, const real *dy, const struct map *dy_map, const real *x,
	const struct map *x_map, const real *a, const real *b, const real *c0, int lanes);
void ref_group_fwd(
	real *y, const struct map *y_map, const real *x, const struct map *x_map, const struct group_norm *g);
void ref_group_bwd(real *dx, const struct map *dx_map, const real *dy, const struct map *dy_map, const real *x,
	const struct map *x_map, const struct group_norm *g);

/* ref_map.c */
void ref_glu_fwd(real *y, const struct map *y_map, const real *x, const struct map *x_map);
void ref_glu_bwd(real *dx, const struct map *dx_map, const real *dy, const struct map *dy_map, const real *x,
	const struct map *x_map);
void ref_max_pool(real *small, real *tap, const real *big, const struct conv *g);
void ref_max_pool_bwd(real *dbig, const real *dsmall, const real *tap, const struct conv *g);
void ref_avg_pool(real *small, const real *big, const struct conv *g);
void ref_avg_pool_bwd(real *dbig, const real *dsmall, const struct conv *g);
void ref_up_nearest(real *big, const struct map *big_map, const real *small, const struct map *small_map);
void ref_up_nearest_bwd(real *dsmall, const struct map *small_map, const real *dbig, const struct map *big_map);
void ref_up_bilinear(real *big, const struct map *big_map, const real *small, const struct map *small_map);
void ref_up_bilinear_bwd(real *dsmall, const struct map *small_map, const real *dbig, const struct map *big_map);

/* ref_one.c */
void ref_dense_one(real *y, const real *x, const real *w, const real *b, int in, int out);
void ref_conv_up_one(
	real *big, const real *small, real *scratch, const real *w, const real *bias, const struct conv *g);

/* ref_rand.c */
void ref_dropout(real *y, const struct map *y_map, const real *x, const struct map *x_map, const struct dropout *d);

/* ref_loss.c */
double ref_loss(enum loss loss, real *dy, const struct map *dy_map, const real *y, const struct map *y_map,
	const struct loss_target *target, real scale, int lanes);
double ref_cross_entropy(real *dy, const real *y, int classes, const uint8_t *labels, const struct label_loss *how,
	real scale, int lanes, int *ret_correct);
void ref_latent_fwd(real *z, real *kl, const real *h, const real *eps, int n, int lanes);
void ref_latent_bwd(real *dh, const real *dz, const real *h, const real *eps, int n, const real *kl_scale, int lanes);

/* ref_pairs.c */
void ref_distances(real *square, const real *rows, int n, const real *block, int d);
void ref_repel(struct forces *ret, const real *block, const struct mass *masses, const uint32_t *far, int nfar,
	const real *blocks, const uint32_t *near, int nnear);
void ref_attract(real ret[3], const real *map, const real at[2], const uint32_t *index, const real *p, int n);

#endif
