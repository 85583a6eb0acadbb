#include "core/model/mirror.h"

#include "core/model/trainer.h"
#include "tests/core/model/fixture.h"

enum { TRAIN = 64, TEST = 20, PIXELS = 144, BATCH = 32 };

/* The pixels that the encoder saw of the batch's last block less the clean ones; shares of it that are exactly 0. */
struct spoilt {
	double mean, sd, zero;
	real seen[PIXELS * LANES];
};

static void look(struct spoilt *s, struct trainer *t)
{
	const struct block *b = &t->block[BATCH / LANES - 1];
	const real *x = net_input(&t->m->net[ENCODER], t->ws[0]);
	double sum = 0, squares = 0, zeros = 0, n = PIXELS * LANES;
	for (int i = 0; i < PIXELS; i++)
		for (int l = 0; l < LANES; l++) {
			real value = s->seen[i * LANES + l] = x[map_feature(&t->m->net[ENCODER].in, i) + (size_t)l];
			double off = (double)value - b->images[l][i] / 255.0;
			sum += off;
			squares += off * off;
			zeros += value == 0;
		}
	s->mean = sum / n;
	s->sd = sqrt(squares / n - s->mean * s->mean);
	s->zero = zeros / n;
}

#define STILL "latent_dim=3 channels=4,6 padding=1 batch_size=32 val_fraction=0 epochs=9 optimizer=sgd momentum=0 lr=0 "

static double step_at(struct trainer *t, int64_t step, struct spoilt *s)
{
	double part[RESULT_PARTS];
	t->step = step;
	assert_int_equal(trainer_step(t, part, NULL), OK);
	look(s, t);
	return part[0];
}

static void test_what_is_added(void **state)
{
	(void)state;
	static const struct {
		const char *overrides;
		double sd, zero;
	} cases[] = {{STILL, 0, 0}, {STILL "denoise=0.3", 0.3, 0}, {STILL "denoise=0.05 denoise_mask=0.4", -1, 0.4}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct dataset *d = balls(TRAIN, TEST, 1, 12, 12);
		for (size_t p = 0; p < TRAIN * PIXELS; p++) /* no pixel is black by itself */
			d->split[SPLIT_TRAIN].images[p] = (uint8_t)(100 + d->split[SPLIT_TRAIN].images[p] / 4);
		struct model m = ae_for(d, cases[i].overrides);
		struct trainer *t = open_trainer(&m, d, NULL, best_kern());
		struct spoilt first, again, later;
		double loss = step_at(t, 0, &first);
		assert_true(step_at(t, 0, &again) == loss);
		assert_memory_equal(first.seen, again.seen, sizeof first.seen);
		if (cases[i].sd >= 0)
			assert_true(fabs(first.mean) < 0.03 && fabs(first.sd - cases[i].sd) < 0.02);
		assert_true(fabs(first.zero - cases[i].zero) < 0.03);
		step_at(t, 1, &later);
		assert_memory_not_equal(first.seen, later.seen, sizeof first.seen);
		trainer_close(t);
		model_free(&m);
		dataset_put(d);
	}
}

/* Only training spoils: whoever evaluates or encodes sees the image as it is. */
static void test_evaluation_is_clean(void **state)
{
	(void)state;
	struct dataset *d = balls(TRAIN, TEST, 1, 12, 12);
	struct model plain = ae_for(d, STILL), spoils = ae_for(d, STILL "denoise=0.5 denoise_mask=0.5");
	struct trainer *a = open_trainer(&plain, d, NULL, best_kern()), *b = open_trainer(&spoils, d, NULL, best_kern());
	struct spoilt s;
	double loss[2];
	assert_true(step_at(a, 0, &s) < step_at(b, 0, &s)); /* the weights are the same, the task is not */
	loss[0] = test_loss(a);
	loss[1] = test_loss(b);
	assert_true(loss[0] == loss[1]);
	trainer_close(a);
	trainer_close(b);
	model_free(&plain);
	model_free(&spoils);
	dataset_put(d);
}

/* A denoiser paints a clean picture of a noisy one better than one that never saw noise. */
static void test_learns_to_clean(void **state)
{
	(void)state;
	struct dataset *d = balls(400, TEST, 1, 12, 12);
	const char *recipe[] = {
		"latent_dim=6 channels=- hidden=40 activation=silu epochs=60 lr=5e-3 batch_size=40 val_fraction=0 "
		"schedule=cosine",
		"latent_dim=6 channels=- hidden=40 activation=silu epochs=60 lr=5e-3 batch_size=40 val_fraction=0 schedule=cosine "
		"denoise=0.3"};
	float noise[TEST * PIXELS], x[TEST * PIXELS], y[TEST * PIXELS];
	double error[2] = {0};
	rng_normal(noise, TEST * PIXELS, (struct rng){.seed = 1, .stream = RNG_NOISE});
	for (int i = 0; i < TEST * PIXELS; i++)
		x[i] = (float)d->split[SPLIT_TEST].images[i] / 255.0f + 0.3f * noise[i];
	for (int k = 0; k < 2; k++) {
		struct model m = ae_for(d, recipe[k]);
		struct trainer *t = open_trainer(&m, d, NULL, best_kern());
		struct heard h = {0};
		run(t, &h, 0);
		assert_int_equal(model_reconstruct(&m, best_kern(), t->w, t->ws[0], x, TEST, y, NULL), OK);
		for (int i = 0; i < TEST * PIXELS; i++)
			error[k] += pow((double)y[i] - d->split[SPLIT_TEST].images[i] / 255.0, 2) / (TEST * PIXELS);
		free(h.point);
		trainer_close(t);
		model_free(&m);
	}
	assert_true(error[1] < 0.8 * error[0]);
	dataset_put(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_added),
		cmocka_unit_test(test_evaluation_is_clean),
		cmocka_unit_test(test_learns_to_clean),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
