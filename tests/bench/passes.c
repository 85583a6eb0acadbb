/* The kernels that do little with each value they see, one row each (kernels.h). */
#include "tests/bench/kernels.h"

#include <stddef.h>

/* Scales that leave what is written over and over where it is. */
static const real tiny = (real)1e-9;

static void dense_one(const struct subject *s)
{
	s->kern->dense_one(s->a, s->b, s->c, NULL, 64, s->in / 64);
}

static void conv_up_one(const struct subject *s)
{
	s->kern->conv_up_one(s->a, s->b, s->a + MEMORY / 2, s->c, NULL, &s->conv);
}

static void relu(const struct subject *s)
{
	s->kern->act_fwd(s->a, &s->conv.small, ACT_RELU, 0);
}

static void relu_bwd(const struct subject *s)
{
	s->kern->act_bwd(s->a, s->b, s->c, NULL, &s->conv.small, ACT_RELU, 0);
}

static void silu(const struct subject *s)
{
	s->kern->act_fwd(s->a, &s->conv.small, ACT_SILU, 0);
}

static void tanh_fwd(const struct subject *s)
{
	s->kern->act_fwd(s->a, &s->conv.big, ACT_TANH, 0);
}

static void sigmoid(const struct subject *s)
{
	s->kern->act_fwd(s->a, &s->conv.big, ACT_SIGMOID, 0);
}

static void sigmoid_bwd(const struct subject *s)
{
	s->kern->act_bwd(s->a, s->b, s->c, NULL, &s->conv.big, ACT_SIGMOID, 0);
}

static void bias_grad(const struct subject *s)
{
	s->kern->bias_grad(s->a, s->b, &s->conv.small);
}

/* Per channel: mean, m2, scale, shift and the like. */
static real *per_channel(const struct subject *s, int i)
{
	return s->c + MEMORY / 2 + i * 1024;
}

static void moments(const struct subject *s)
{
	s->kern->moments(per_channel(s, 0), per_channel(s, 1), s->b, &s->conv.small, LANES);
}

static void affine(const struct subject *s)
{
	const struct map *m = &s->conv.small;
	s->kern->affine(s->a, m, s->b, m, per_channel(s, 0), per_channel(s, 1));
}

static void norm_sums(const struct subject *s)
{
	const struct map *m = &s->conv.small;
	s->kern->norm_sums(per_channel(s, 4), per_channel(s, 5), s->a, m, s->b, m, per_channel(s, 0), per_channel(s, 1));
}

static void norm_bwd(const struct subject *s)
{
	const struct map *m = &s->conv.small;
	s->kern->norm_bwd(s->a, m, s->b, m, s->c, m, per_channel(s, 0), per_channel(s, 1), per_channel(s, 2), LANES);
}

/* Two channels of AE's small map become one. */
static struct map first_half(const struct subject *s)
{
	struct map half = s->conv.small;
	half.c /= 2;
	return half;
}

static void glu_fwd(const struct subject *s)
{
	const struct map half = first_half(s);
	s->kern->glu_fwd(s->a, &half, s->b, &s->conv.small);
}

static void glu_bwd(const struct subject *s)
{
	const struct map half = first_half(s);
	s->kern->glu_bwd(s->a, &s->conv.small, s->c, &half, s->b, &s->conv.small);
}

static struct group_norm group_norm(const struct subject *s)
{
	return (struct group_norm){.groups = 4,
		.eps = (real)1e-5,
		.gamma = per_channel(s, 0),
		.beta = per_channel(s, 1),
		.mean = per_channel(s, 2),
		.invstd = per_channel(s, 3),
		.dgamma = per_channel(s, 4),
		.dbeta = per_channel(s, 5)};
}

static void group_fwd(const struct subject *s)
{
	const struct group_norm g = group_norm(s);
	s->kern->group_fwd(s->a, &s->conv.small, s->b, &s->conv.small, &g);
}

static void group_bwd(const struct subject *s)
{
	const struct group_norm g = group_norm(s);
	const struct map *m = &s->conv.small;
	s->kern->group_bwd(s->a, m, s->c, m, s->b, m, &g);
}

static void max_pool(const struct subject *s)
{
	s->kern->max_pool(s->a, s->c, s->b, &s->conv);
}

/* All gradients go to the first tap. */
static void max_pool_bwd(const struct subject *s)
{
	s->kern->max_pool_bwd(s->a, s->b, s->c, &s->conv);
}

static void avg_pool(const struct subject *s)
{
	s->kern->avg_pool(s->a, s->b, &s->conv);
}

static void avg_pool_bwd(const struct subject *s)
{
	s->kern->avg_pool_bwd(s->a, s->b, &s->conv);
}

static void up_nearest(const struct subject *s)
{
	s->kern->up_nearest(s->a, &s->conv.big, s->b, &s->conv.small);
}

static void up_nearest_bwd(const struct subject *s)
{
	s->kern->up_nearest_bwd(s->a, &s->conv.small, s->b, &s->conv.big);
}

static void up_bilinear(const struct subject *s)
{
	s->kern->up_bilinear(s->a, &s->conv.big, s->b, &s->conv.small);
}

static void up_bilinear_bwd(const struct subject *s)
{
	s->kern->up_bilinear_bwd(s->a, &s->conv.small, s->b, &s->conv.big);
}

static void dropout(const struct subject *s)
{
	const struct dropout d = {.seed = 1, .step = 1, .p = (real)0.25};
	s->kern->dropout(s->a, &s->conv.small, s->b, &s->conv.small, &d);
}

static void loss_of(const struct subject *s, enum loss loss)
{
	const struct map *m = &s->conv.big;
	const struct loss_target target = {.t = s->c, .map = m};
	s->kern->loss(loss, s->a, m, s->b, m, &target, tiny, LANES);
}

static void mse(const struct subject *s)
{
	loss_of(s, LOSS_MSE);
}

static void bce(const struct subject *s)
{
	loss_of(s, LOSS_BCE);
}

static void cross_entropy(const struct subject *s)
{
	static const uint8_t labels[LANES] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3};
	int correct;
	s->kern->cross_entropy(s->a, s->b, s->in / LANES, labels, &(struct label_loss){0}, tiny, LANES, &correct);
}

static void latent_fwd(const struct subject *s)
{
	s->kern->latent_fwd(s->a, per_channel(s, 4), s->b, s->c, s->in / LANES, LANES);
}

static void latent_bwd(const struct subject *s)
{
	s->kern->latent_bwd(s->a, s->b + MEMORY / 2, s->b, s->c, s->in / LANES, per_channel(s, 4), LANES);
}

static void load_u8(const struct subject *s)
{
	const uint8_t *images[LANES];
	for (int l = 0; l < LANES; l++)
		images[l] = (const uint8_t *)s->b + l * map_features(&s->conv.big);
	s->kern->load_u8(s->a, &s->conv.big, images, LANES);
}

static void load_rows(const struct subject *s)
{
	s->kern->load_rows(s->a, &s->conv.big, (const float *)s->b, LANES);
}

static void store_rows(const struct subject *s)
{
	s->kern->store_rows((float *)s->a, s->b, &s->conv.big, LANES);
}

static void sum_parts(const struct subject *s)
{
	const real *parts[4];
	for (int i = 0; i < 4; i++)
		parts[i] = s->b + (ptrdiff_t)i * s->in;
	s->kern->sum_parts(s->a, parts, 4, (size_t)s->in);
}

static void adam(const struct subject *s)
{
	static const struct adam_step step = {.beta1 = (real)0.9,
		.beta2 = (real)0.999,
		.gain1 = (real)0.1,
		.gain2 = (real)0.001,
		.step_size = (real)1e-9,
		.root_scale = 1,
		.eps = (real)1e-8};
	s->kern->adam(s->a, s->b, s->c, s->c + MEMORY / 2, (size_t)s->in, &step);
}

static void sgd(const struct subject *s)
{
	static const struct sgd_step step = {.lr = (real)1e-9, .momentum = (real)0.9};
	s->kern->sgd(s->a, s->b, s->c, (size_t)s->in, &step);
}

static void rmsprop(const struct subject *s)
{
	static const struct rmsprop_step step = {
		.lr = (real)1e-9, .alpha = (real)0.99, .gain = (real)0.01, .eps = (real)1e-8};
	s->kern->rmsprop(s->a, s->b, s->c, NULL, (size_t)s->in, &step);
}

/* The autoencoder's maps, the DCGAN's, and 2x2 pooling and up-sampling. */
/* clang-format off */
#define AE     {{1, 28, 28, 1}, {8, 14, 14, 1}, 3, 2, 1}
#define MIDDLE {{8, 14, 14, 1}, {16, 7, 7, 1}, 3, 2, 1}
#define GAN    {{1, 28, 28, 1}, {64, 14, 14, 1}, 4, 2, 1}
#define HALVE  {{16, 14, 14, 1}, {16, 7, 7, 1}, 2, 2, 0}
#define NONE   {{0}, {0}, 0, 0, 0}
/* clang-format on */
enum { R = sizeof(real), WEIGHTS = 50000 };

const struct pass_row pass_rows[] = {
	{"dense_one 64-288", dense_one, NONE, 64 * 288, 0, 0, R},
	{"conv_up_one 8x14-16x7 k3s2", conv_up_one, MIDDLE, 0, (double)R / LANES, (double)R / LANES, 0},
	{"act_fwd relu 8x14", relu, AE, 0, 0, 2 * R, 0},
	{"act_bwd relu 8x14", relu_bwd, AE, 0, 0, 3 * R, 0},
	{"act_fwd silu 8x14", silu, AE, 0, 0, 2 * R, 0},
	{"act_fwd tanh 1x28", tanh_fwd, AE, 0, 2 * R, 0, 0},
	{"act_fwd sigmoid 1x28", sigmoid, AE, 0, 2 * R, 0, 0},
	{"act_bwd sigmoid 1x28", sigmoid_bwd, AE, 0, 3 * R, 0, 0},
	{"bias_grad 8x14", bias_grad, AE, 0, 0, R, 0},
	{"glu_fwd 8x14", glu_fwd, AE, 0, 0, 3 * R / 2, 0},
	{"glu_bwd 8x14", glu_bwd, AE, 0, 0, 5 * R / 2, 0},
	{"moments 64x14", moments, GAN, 0, 0, R, 0},
	{"affine 64x14", affine, GAN, 0, 0, 2 * R, 0},
	{"norm_sums 64x14", norm_sums, GAN, 0, 0, 2 * R, 0},
	{"norm_bwd 64x14", norm_bwd, GAN, 0, 0, 3 * R, 0},
	{"group_fwd 8x14", group_fwd, AE, 0, 0, 2 * R, 0},
	{"group_bwd 8x14", group_bwd, AE, 0, 0, 3 * R, 0},
	{"max_pool 16x14", max_pool, HALVE, 0, R, 2 * R, 0},
	{"max_pool_bwd 16x14", max_pool_bwd, HALVE, 0, R, 2 * R, 0},
	{"avg_pool 16x14", avg_pool, HALVE, 0, R, R, 0},
	{"avg_pool_bwd 16x14", avg_pool_bwd, HALVE, 0, R, R, 0},
	{"up_nearest 16x14", up_nearest, HALVE, 0, R, R, 0},
	{"up_nearest_bwd 16x14", up_nearest_bwd, HALVE, 0, R, R, 0},
	{"up_bilinear 16x14", up_bilinear, HALVE, 0, R, R, 0},
	{"up_bilinear_bwd 16x14", up_bilinear_bwd, HALVE, 0, R, R, 0},
	{"dropout 8x14", dropout, AE, 0, 0, 2 * R, 0},
	{"loss mse 1x28", mse, AE, 0, 3 * R, 0, 0},
	{"loss bce 1x28", bce, AE, 0, 3 * R, 0, 0},
	{"cross_entropy 10", cross_entropy, NONE, 10 * LANES, 0, 0, 2 * R},
	{"latent_fwd 5", latent_fwd, NONE, 5 * LANES, 0, 0, 4 * R},
	{"latent_bwd 5", latent_bwd, NONE, 5 * LANES, 0, 0, 6 * R},
	{"load_u8 1x28", load_u8, AE, 0, 1 + R, 0, 0},
	{"load_rows 1x28", load_rows, AE, 0, 2 * R, 0, 0},
	{"store_rows 1x28", store_rows, AE, 0, 2 * R, 0, 0},
	{"sum_parts 4x50000", sum_parts, NONE, WEIGHTS, 0, 0, 5 * R},
	{"adam 50000", adam, NONE, WEIGHTS, 0, 0, 7 * R},
	{"sgd 50000", sgd, NONE, WEIGHTS, 0, 0, 5 * R},
	{"rmsprop 50000", rmsprop, NONE, WEIGHTS, 0, 0, 5 * R},
	{0},
};
