#include "core/model/gan.h"

#include <string.h>

bool gan_r1_steps(const struct model *m, int64_t step)
{
	const struct gan_params *p = m->family_params;
	return p->r1 > 0 && step % p->r1_every == 0;
}

/* Noise on what the discriminator sees: one stream a view (real, generated, generated again), drawn for (seed, step, place in the
 * batch, pixel). */
static void add_noise(const struct model *m, const struct block *b, int view)
{
	enum { VIEWS = 4 };
	const struct gan_params *p = m->family_params;
	const double half = (double)p->train.epochs / 2, sd = p->instance_noise * (1 - b->epoch / half);
	const struct map *map = &m->net[DISCRIMINATOR].in;
	const int pixels = map_features(map);
	real *x = model_input(m, b, DISCRIMINATOR);
	if (!(sd > 0))
		return;
	for (int lane = 0; lane < b->lanes; lane++) {
		const uint64_t at = b->rng.step << 18 | (uint64_t)(b->sample + (uint32_t)lane) << 2 | (uint64_t)(view % VIEWS);
		const struct rng r = {.seed = b->rng.seed, .stream = RNG_DENOISE, .step = at};
		float drawn[64];
		for (int i = 0; i < pixels; i++) {
			if (i % 64 == 0)
				rng_normal_from(drawn, (size_t)i, 64, r);
			x[map_feature(map, i) + (size_t)lane] += (real)(sd * (double)drawn[i % 64]);
		}
	}
}

static void draw_z(const struct model *m, const struct block *b, struct block_result *r)
{
	(void)r;
	model_noise(b, m->latent_dim, model_input(m, b, GENERATOR));
}

/* to = from * scale + shift, channel by channel, whatever their halos. */
static void copy_scaled(const struct block *b, real *to, const struct map *to_map, const real *from,
	const struct map *from_map, real scale, real shift)
{
	real scales[IMAGE_CHANNELS_MAX], shifts[IMAGE_CHANNELS_MAX];
	for (int c = 0; c < from_map->c; c++) {
		scales[c] = scale;
		shifts[c] = shift;
	}
	b->kern->affine(to, to_map, from, from_map, scales, shifts);
}

/* Pixels 0 … 1 to -1 … 1, as tanh has them. */
static void load_real(const struct model *m, const struct block *b, struct block_result *r)
{
	(void)r;
	const struct map *in = &m->net[DISCRIMINATOR].in;
	real *x = model_input(m, b, DISCRIMINATOR);
	b->kern->load_u8(x, in, b->images, b->lanes);
	copy_scaled(b, x, in, x, in, 2, -1);
	add_noise(m, b, 0);
}

static void load_generated(const struct model *m, const struct block *b, int view)
{
	copy_scaled(b, model_input(m, b, DISCRIMINATOR), &m->net[DISCRIMINATOR].in, model_output(m, b, GENERATOR),
		&m->net[GENERATOR].out, 1, 0);
	add_noise(m, b, view);
}

static void load_fake(const struct model *m, const struct block *b, struct block_result *r)
{
	(void)r;
	load_generated(m, b, 1);
}

/* The same images again, before a discriminator that has learned from them. */
static void load_fake_again(const struct model *m, const struct block *b, struct block_result *r)
{
	(void)r;
	load_generated(m, b, 2);
}

/* max(0, margin + sign D), summed over lanes, and its slope. */
static double hinge(const struct block *b, const real *y, real *dy, double sign, double margin)
{
	double sum = 0;
	for (int l = 0; l < LANES; l++) {
		const double value = margin + sign * (double)y[l];
		const bool counts = l < b->lanes && value > 0;
		sum += counts ? value : 0;
		dy[l] = counts ? (real)(sign / (double)b->batch) : 0;
	}
	return sum;
}

/* sign times the binary cross entropy of D's logits with `target`, and its slope. */
static double cross_entropy(const struct model *m, const struct block *b, double target, double sign)
{
	const struct map *out = &m->net[DISCRIMINATOR].out;
	const struct loss_target all = {.value = (real)target};
	return sign * b->kern->loss(LOSS_BCE, model_output_grad(m, b, DISCRIMINATOR), out,
					  model_output(m, b, DISCRIMINATOR), out, &all, (real)(sign / (double)b->batch), b->lanes);
}

/* How probable it is to D that what it saw is real, summed over lanes. */
static double probability(const struct model *m, const struct block *b)
{
	static const struct map one = {1, 1, 1, 0};
	_Alignas(64) real y[LANES];
	double sum = 0;
	memcpy(y, model_output(m, b, DISCRIMINATOR), sizeof y);
	b->kern->act_fwd(y, &one, ACT_SIGMOID, 0);
	for (int l = 0; l < b->lanes; l++)
		sum += (double)y[l];
	return sum;
}

/* Half of the images it sees are real, half are not. */
static double half_right(const struct model *m, const struct block *b, bool real_images)
{
	const real *y = model_output(m, b, DISCRIMINATOR);
	double right = 0;
	for (int l = 0; l < b->lanes; l++)
		right += real_images ? y[l] > 0 : y[l] < 0;
	return right / 2;
}

static void loss_on(const struct model *m, const struct block *b, struct block_result *r, bool real_images)
{
	const struct gan_params *p = m->family_params;
	r->part[real_images ? PART_REAL : PART_FAKE] += probability(m, b);
	r->part[PART_ACCURACY] += half_right(m, b, real_images);
	const double loss = p->gan_loss == HINGE ? hinge(b, model_output(m, b, DISCRIMINATOR),
												   model_output_grad(m, b, DISCRIMINATOR), real_images ? -1 : 1, 1)
											 : cross_entropy(m, b, real_images ? 1 - p->label_smoothing : 0, 1);
	r->part[real_images ? PART_D_REAL : PART_D_FAKE] += loss;
	r->part[PART_D] += loss;
}

static void real_loss(const struct model *m, const struct block *b, struct block_result *r)
{
	loss_on(m, b, r, true);
}

static void fake_loss(const struct model *m, const struct block *b, struct block_result *r)
{
	loss_on(m, b, r, false);
}

static void generator_loss(const struct model *m, const struct block *b, struct block_result *r)
{
	const struct gan_params *p = m->family_params;
	if (p->gan_loss == HINGE) {
		const real *y = model_output(m, b, DISCRIMINATOR);
		real *dy = model_output_grad(m, b, DISCRIMINATOR);
		for (int l = 0; l < LANES; l++) {
			r->part[PART_G] -= l < b->lanes ? (double)y[l] : 0;
			dy[l] = l < b->lanes ? (real)(-1 / (double)b->batch) : 0;
		}
		return;
	}
	r->part[PART_G] += p->gan_loss == SATURATING ? cross_entropy(m, b, 0, -1) : cross_entropy(m, b, 1, 1);
}

/* The gradient of gamma / 2 mean |dD/dx|^2: with g = dD/dx at hand, that of the derivative of the sum of D along gamma / n g.
 * D's values of the real images are in place, and stay. */
static void penalise_slope(const struct model *m, const struct block *b, struct block_result *r)
{
	const struct gan_params *p = m->family_params;
	const struct net *net = &m->net[DISCRIMINATOR];
	if (!gan_r1_steps(m, (int64_t)b->rng.step))
		return;
	struct net_run run = model_net_run(m, b, DISCRIMINATOR);
	real *dw = run.dw, *gs = model_extra(m, b->ws), *ts = gs + net->workspace;
	run.gs = gs;
	run.dw = NULL;
	real *dy = net_output_grad(net, gs);
	for (int l = 0; l < LANES; l++)
		dy[l] = l < b->lanes;
	net_backward(net, &run, true);
	run.dw = dw;
	const real *g = net_input_grad(net, gs);
	const struct loss_target zero = {.value = 0};
	r->part[PART_R1] += b->kern->loss(LOSS_MSE, NULL, NULL, g, &net->in, &zero, 0, b->lanes);
	const double scale = p->r1 * b->penalty_scale * (double)p->r1_every / (double)b->batch;
	copy_scaled(b, net_input(net, ts), &net->in, g, &net->in, (real)scale, 0);
	net_tangent(net, &run, ts);
	net_tangent_grad(net, &run, ts);
}

static void pass_image_grad(const struct model *m, const struct block *b, struct block_result *r)
{
	(void)r;
	copy_scaled(b, model_output_grad(m, b, GENERATOR), &m->net[GENERATOR].out, model_input_grad(m, b, DISCRIMINATOR),
		&m->net[DISCRIMINATOR].in, 1, 0);
}

static const struct step_op train_step_discriminator[] = {
	OP_CALL_OF(draw_z),
	OP_FORWARD_OF(GENERATOR),
	OP_CALL_OF(load_real),
	OP_FORWARD_OF(DISCRIMINATOR),
	OP_CALL_OF(penalise_slope),
	OP_CALL_OF(real_loss),
	OP_BACKWARD_OF(DISCRIMINATOR, 0),
	OP_CALL_OF(load_fake),
	OP_FORWARD_OF(DISCRIMINATOR),
	OP_LOSS_OF(fake_loss),
	OP_BACKWARD_OF(DISCRIMINATOR, 0),
	{.kind = OP_END},
};
/* The images of the phase before still lie in the generator. */
static const struct step_op train_step_generator[] = {
	OP_CALL_OF(load_fake_again),
	OP_FORWARD_OF(DISCRIMINATOR),
	OP_LOSS_OF(generator_loss),
	OP_BACKWARD_OF(DISCRIMINATOR, OP_INPUT_GRAD | OP_FROZEN),
	OP_CALL_OF(pass_image_grad),
	OP_BACKWARD_OF(GENERATOR, 0),
	{.kind = OP_END},
};
const struct train_phase gan_phases[] = {
	{train_step_discriminator, DISCRIMINATOR, 1}, {train_step_generator, GENERATOR, 1}, {0}};
