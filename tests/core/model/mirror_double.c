/* Gradients of whole mirrored models, encoder and decoder and what is between and behind them, against differences of the loss,
 * in double. */
#include "core/model/trainer.h"

#include "tests/core/model/fixture.h"

#include <stdio.h>

enum { BATCH = 20, PROBES = 12 }; /* a whole block and a short one */
static const double smooth = 1e-7, kinked = 1e-5;

struct whole {
	struct dataset *d;
	struct model m;
	struct trainer *t;
	double free_bits, beta;
};

/* What a step lowers, of the batch: at learning rate 0 it leaves its gradient in t->sum and changes no weight. Of a vae with free
 * bits that is not the loss it tells: part 1 is the reconstruction, the sums per unit are their KL. */
static double loss_of(struct whole *x)
{
	double part[RESULT_PARTS];
	struct err err;
	x->t->step = 0;
	if (trainer_step(x->t, part, &err))
		fail_msg("%s", err.message);
	double loss = x->free_bits > 0 ? part[1] : part[0];
	for (int j = 0; x->free_bits > 0 && j < x->m.unit_sums; j++)
		loss += x->beta * fmax(x->free_bits * BATCH, x->t->unit[j]);
	return loss / BATCH;
}

static double difference(struct whole *x, size_t i)
{
	const real step = 1e-6, before = x->t->w[i];
	x->t->w[i] = before + step;
	double above = loss_of(x);
	x->t->w[i] = before - step;
	double below = loss_of(x);
	x->t->w[i] = before;
	return (above - below) / (2 * step);
}

static void check_tensor(
	struct whole *x, const struct net_tensor *t, size_t offset, const real *gradient, double tolerance)
{
	double scale = 0;
	for (size_t i = 0; i < x->m.params; i++)
		scale = fmax(scale, fabs(gradient[i]));
	assert_true(scale > 1e-5);
	for (size_t probe = 0; probe < PROBES; probe++) {
		size_t i = offset + probe * t->count / PROBES;
		double expected = difference(x, i), got = gradient[i];
		if (fabs(expected - got) > 1e-6 * fabs(expected) + tolerance * scale)
			fail_msg(
				"%s: element %zu has %.12g, differences say %.12g", t->name, probe * t->count / PROBES, got, expected);
	}
}

static double number_of(const struct model *m, const char *name)
{
	const struct param *row = param_find(m->family->params, name);
	return row ? param_number(row, m->family_params) : 0;
}

/* tolerance: in shares of the largest gradient. */
static void check(const struct family *f, struct map image, const char *overrides, double tolerance)
{
	struct whole x = {.d = balls(BATCH, 1, image.c, image.h, image.w)};
	char all[400];
	snprintf(all, sizeof all, "%s optimizer=sgd momentum=0 lr=0 val_fraction=0 batch_size=%d", overrides, BATCH);
	x.m = model_for(f, x.d, all);
	x.free_bits = number_of(&x.m, "free_bits");
	x.beta = number_of(&x.m, "beta");
	x.t = open_trainer(&x.m, x.d, NULL, best_kern());
	loss_of(&x);
	real *gradient = zeroed(x.m.params);
	memcpy(gradient, x.t->sum, x.m.params * sizeof *gradient);
	for (int n = 0; n < x.m.nets; n++) {
		struct net_tensor t;
		size_t offset;
		for (int i = 0; model_tensor(&x.m, n, i, &t, &offset); i++)
			if (!t.buffer)
				check_tensor(&x, &t, offset, gradient, tolerance);
	}
	free(gradient);
	trainer_close(x.t);
	model_free(&x.m);
	dataset_put(x.d);
}

static void test_gradients(void **state)
{
	(void)state;
	check(&family_ae, (struct map){1, 12, 12, 0}, "channels=4,6 padding=1 hidden=10 activation=tanh latent_dim=3",
		smooth);
	check(&family_ae, (struct map){1, 12, 12, 0}, "channels=8,16 padding=1 hidden=32 activation=silu", smooth);
	check(&family_ae, (struct map){1, 28, 28, 0}, "channels=8,16,32 activation=silu", smooth);
	check(&family_ae, (struct map){2, 9, 6, 0},
		"channels=5,3 kernel=4,2 stride=3,1 padding=1 hidden=- activation=sigmoid", smooth);
	check(&family_ae, (struct map){1, 7, 7, 0}, "channels=3 kernel=1 stride=2 padding=0 hidden=5,6 activation=tanh",
		smooth);
	check(&family_ae, (struct map){3, 8, 8, 0}, "channels=- hidden=12 activation=silu", smooth);
	check(&family_ae, (struct map){1, 5, 6, 0}, "channels=- hidden=- latent_dim=2", smooth);
	check(&family_ae, (struct map){1, 12, 12, 0}, "channels=2,3 kernel=3 padding=4 stride=1 hidden=- activation=tanh",
		smooth);
}

/* Norms between convolutions and activations, masks behind these. */
static void test_norms_and_dropout(void **state)
{
	(void)state;
	static const struct map square = {1, 12, 12, 0};
	check(&family_ae, square, "channels=4,6 padding=1 hidden=10 activation=tanh norm=group latent_dim=3", smooth);
	check(&family_ae, square, "channels=16,9 padding=1 hidden=- activation=silu norm=batch latent_dim=3", smooth);
	check(&family_ae, square,
		"channels=4,6 padding=1 hidden=10,7 activation=silu norm=batch dropout=0.3 dropout2d=0.2 latent_dim=3", smooth);
	check(&family_vae, square, "channels=4,6 activation=tanh norm=group hidden=8 dropout=0.5 dropout2d=0.3", smooth);
	check(&family_ae, square, "channels=4,6 activation=glu norm=group hidden=8 latent_dim=3", smooth);
	check(&family_ae, square, "channels=- activation=glu norm=none hidden=9,7 latent_dim=3", smooth);
}

/* What the encoder sees is spoilt, what the loss sees is not. */
static void test_denoising(void **state)
{
	(void)state;
	static const struct map square = {1, 12, 12, 0};
	check(&family_ae, square, "channels=4,6 padding=1 hidden=10 activation=tanh denoise=0.3 latent_dim=3", smooth);
	check(&family_ae, (struct map){3, 7, 7, 0}, "channels=4 hidden=5 activation=tanh denoise=0.1 denoise_mask=0.4",
		smooth);
}

/* Each unit by itself is free, or is not: with these weights some are, some are not. */
static void test_free_bits(void **state)
{
	(void)state;
	static const struct map square = {1, 12, 12, 0};
	static const char *const limits[] = {"free_bits=0.02", "free_bits=0.05", "free_bits=5"};
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
		char overrides[100];
		snprintf(overrides, sizeof overrides, "channels=4 hidden=9 activation=tanh latent_dim=6 beta=2 %s", limits[i]);
		check(&family_vae, square, overrides, smooth);
	}
}

/* Through the logits: the sigmoid at the end is not on the way. */
static void test_bernoulli(void **state)
{
	(void)state;
	static const struct map square = {1, 12, 12, 0};
	check(&family_vae, square, "channels=4,6 activation=tanh latent_dim=3 likelihood=bernoulli", smooth);
	check(&family_vae, square, "channels=- hidden=9,8 activation=glu latent_dim=4 likelihood=bernoulli binarize=true",
		smooth);
	check(&family_vae, square, "channels=4,6 activation=silu norm=batch latent_dim=3 binarize=true", smooth);
}

/* Kinked activations: a probe may cross the kink of one pixel of one sample; a wrong slope is wrong for all of them. */
static void test_relu_gradients(void **state)
{
	(void)state;
	check(&family_ae, (struct map){1, 12, 12, 0}, "channels=4,6 padding=1 hidden=10 latent_dim=3 activation=relu",
		kinked);
	check(&family_ae, (struct map){1, 12, 12, 0}, "channels=4,6 padding=1 hidden=10 latent_dim=3 activation=leaky_relu",
		kinked);
}

/* A draw between the nets and the divergence behind them; log variances beyond their bounds have no slope. */
static void test_vae_gradients(void **state)
{
	(void)state;
	check(&family_vae, (struct map){1, 12, 12, 0}, "channels=4,6 activation=tanh latent_dim=3", smooth);
	check(&family_vae, (struct map){1, 28, 28, 0}, "activation=silu beta=4", smooth);
	check(&family_vae, (struct map){2, 8, 8, 0}, "channels=3 hidden=9 activation=sigmoid latent_dim=1 beta=0", smooth);
	check(&family_vae, (struct map){1, 6, 6, 0}, "channels=- hidden=7 activation=tanh latent_dim=9 beta=100", smooth);
	check(&family_vae, (struct map){1, 12, 12, 0}, "channels=4,6 latent_dim=3 activation=relu", kinked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gradients),
		cmocka_unit_test(test_norms_and_dropout),
		cmocka_unit_test(test_denoising),
		cmocka_unit_test(test_bernoulli),
		cmocka_unit_test(test_free_bits),
		cmocka_unit_test(test_relu_gradients),
		cmocka_unit_test(test_vae_gradients),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
