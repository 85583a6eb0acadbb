/* One level's row of the table in kern.c. */
#include "core/kern/level.h"

#if defined(KERN_LEVEL_avx512)
#define LEVEL CPU_AVX512
#elif defined(KERN_LEVEL_avx2)
#define LEVEL CPU_AVX2
#elif defined(KERN_LEVEL_neon)
#define LEVEL CPU_NEON
#else
#define LEVEL CPU_BASELINE
#endif

const struct kern KERN(row) = {
	.level = LEVEL,
	.conv_down = KERN(conv_down),
	.conv_up = KERN(conv_up),
	.conv_wgrad = KERN(conv_wgrad),
	.bias_grad = KERN(bias_grad),
	.dense_fwd = KERN(dense_fwd),
	.dense_bwd = KERN(dense_bwd),
	.dense_wgrad = KERN(dense_wgrad),
	.dense_one = KERN(dense_one),
	.conv_up_one = KERN(conv_up_one),
	.act_fwd = KERN(act_fwd),
	.act_bwd = KERN(act_bwd),
	.glu_fwd = KERN(glu_fwd),
	.glu_bwd = KERN(glu_bwd),
	.moments = KERN(moments),
	.affine = KERN(affine),
	.norm_sums = KERN(norm_sums),
	.norm_bwd = KERN(norm_bwd),
	.group_fwd = KERN(group_fwd),
	.group_bwd = KERN(group_bwd),
	.max_pool = KERN(max_pool),
	.max_pool_bwd = KERN(max_pool_bwd),
	.avg_pool = KERN(avg_pool),
	.avg_pool_bwd = KERN(avg_pool_bwd),
	.up_nearest = KERN(up_nearest),
	.up_nearest_bwd = KERN(up_nearest_bwd),
	.up_bilinear = KERN(up_bilinear),
	.up_bilinear_bwd = KERN(up_bilinear_bwd),
	.dropout = KERN(dropout),
	.loss = KERN(loss),
	.cross_entropy = KERN(cross_entropy),
	.latent_fwd = KERN(latent_fwd),
	.latent_bwd = KERN(latent_bwd),
	.distances = KERN(distances),
	.repel = KERN(repel),
	.attract = KERN(attract),
	.load_u8 = KERN(load_u8),
	.load_rows = KERN(load_rows),
	.store_rows = KERN(store_rows),
	.sum_parts = KERN(sum_parts),
	.adam = KERN(adam),
	.sgd = KERN(sgd),
	.rmsprop = KERN(rmsprop),
};
