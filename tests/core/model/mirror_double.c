/* Gradients of whole mirrored models, encoder and decoder and what is between and behind them, against differences of the loss,
 * in double. */
#include "core/model/program.h"

#include "tests/core/model/fixture.h"

enum { BATCH = 20, PROBES = 12 }; /* a whole block and a short one */
static const double smooth = 1e-7, kinked = 1e-5;

struct whole {
	struct dataset *d;
	struct model m;
	const struct kern *kern;
	real *w, *dw, *ws;
};

/* Loss of the batch; gradients are added to dw unless that is NULL. */
static double loss_of(struct whole *x, real *dw)
{
	const uint8_t *images[BATCH];
	double loss = 0;
	for (int i = 0; i < BATCH; i++)
		images[i] = x->d->split[SPLIT_TRAIN].images + i * map_features(&x->m.image);
	for (int from = 0; from < BATCH; from += LANES) {
		struct block b = {.kern = x->kern,
			.w = x->w,
			.dw = dw,
			.ws = x->ws,
			.images = images + from,
			.lanes = BATCH - from < LANES ? BATCH - from : LANES,
			.batch = BATCH,
			.training = dw != NULL,
			.rng = {.seed = 3, .step = 1},
			.sample = (uint32_t)from};
		struct block_result r = {0};
		program_run(&x->m, &b, &r);
		loss += r.part[0] / BATCH;
	}
	return loss;
}

static double difference(struct whole *x, size_t i)
{
	const real step = 1e-6, before = x->w[i];
	x->w[i] = before + step;
	double above = loss_of(x, NULL);
	x->w[i] = before - step;
	double below = loss_of(x, NULL);
	x->w[i] = before;
	return (above - below) / (2 * step);
}

static void check_tensor(struct whole *x, const struct net_tensor *t, size_t net_offset, double scale, double tolerance)
{
	for (size_t probe = 0; probe < PROBES; probe++) {
		size_t i = net_offset + t->offset + probe * t->count / PROBES;
		double expected = difference(x, i), got = x->dw[i];
		if (fabs(expected - got) > 1e-6 * fabs(expected) + tolerance * scale)
			fail_msg(
				"%s: element %zu has %.12g, differences say %.12g", t->name, probe * t->count / PROBES, got, expected);
	}
}

/* tolerance: in shares of the largest gradient. */
static void check(const struct family *f, struct map image, const char *overrides, double tolerance)
{
	struct whole x = {.d = balls(BATCH, 1, image.c, image.h, image.w), .kern = kern_at(cpu_best())};
	if (!x.kern)
		x.kern = kern_at(CPU_BASELINE);
	x.m = model_for(f, x.d, overrides);
	x.w = zeroed(x.m.params);
	x.dw = zeroed(x.m.params);
	x.ws = zeroed(model_workspace(&x.m));
	model_init(&x.m, x.w, 11);
	loss_of(&x, x.dw);
	double scale = 0;
	for (size_t i = 0; i < x.m.params; i++)
		scale = fmax(scale, fabs(x.dw[i]));
	assert_true(scale > 1e-5);
	for (int n = 0; n < x.m.nets; n++) {
		struct net_tensor t;
		for (int i = 0; net_tensor(&x.m.net[n], i, &t); i++)
			check_tensor(&x, &t, x.m.net_offset[n], scale, tolerance);
	}
	free(x.w);
	free(x.dw);
	free(x.ws);
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
		cmocka_unit_test(test_relu_gradients),
		cmocka_unit_test(test_vae_gradients),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
