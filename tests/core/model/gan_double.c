/* Whole steps of adversarial nets, losses, spectral norm and the penalty on slopes included, against differences of what each
 * phase lowers. */
#include "tests/core/model/whole_step.h"

#include <stdio.h>

enum { PART_D, PART_D_FAKE = 2, PART_G = 6, PART_R1 = 7 };
static double gamma_of;

/* The penalty is not in d_loss, but in what the discriminator learns from. */
static double lowered(const double part[RESULT_PARTS], int phase)
{
	return phase ? part[PART_G] : part[PART_D] + gamma_of / 2 * part[PART_R1];
}

/* Singular vectors must be settled: then their own change is of no first order, and theirs is the gradient that is checked. */
static void settle(struct trainer *t)
{
	double part[RESULT_PARTS];
	struct err err;
	for (int i = 0; i < 400; i++) {
		t->step = 0;
		if (trainer_step(t, part, &err))
			fail_msg("%s", err.message);
	}
}

static void check(const char *overrides, struct map image, double gamma)
{
	char all[400];
	struct dataset *d = balls(WHOLE_BATCH, 1, image.c, image.h, image.w);
	snprintf(all, sizeof all, "latent_dim=5 channels=4,3 discriminator_channels=3,4 r1_every=1 r1=%g beta1=0 %s%s",
		gamma, overrides, STILL_STEP);
	gamma_of = gamma;
	struct model m = model_for(&family_gan, d, all);
	struct whole x = {.m = &m, .t = open_trainer(&m, d, NULL, best_kern()), .loss = lowered};
	for (size_t i = 0; i < m.params; i++) /* far from DCGAN's small weights, so that every slope counts */
		x.t->w[i] *= 10;
	if (m.net[1].spectral)
		settle(x.t);
	check_whole_step(&x);
	trainer_close(x.t);
	model_free(&m);
	dataset_put(d);
}

/* The minimax game: what the generator lowers is what the discriminator raises, of the same images while none of them learns. */
static void test_saturating(void **state)
{
	(void)state;
	struct dataset *d = balls(WHOLE_BATCH, 1, 1, 8, 8);
	struct model m = model_for(&family_gan, d, "channels=4,3 discriminator_channels=3 gan_loss=saturating" STILL_STEP);
	struct trainer *t = open_trainer(&m, d, NULL, best_kern());
	double part[RESULT_PARTS];
	assert_int_equal(trainer_step(t, part, NULL), OK);
	assert_true(part[PART_D_FAKE] > 0 && fabs(part[PART_G] + part[PART_D_FAKE]) < 1e-9);
	trainer_close(t);
	model_free(&m);
	dataset_put(d);
}

static const struct map square = {1, 8, 8, 0}, colour = {3, 8, 12, 0};

static void test_losses(void **state)
{
	(void)state;
	check("spectral_norm=false discriminator_norm=batch", square, 0);
	check("spectral_norm=false gan_loss=saturating label_smoothing=0.1", square, 0);
	check("spectral_norm=false gan_loss=hinge discriminator_norm=group", colour, 0);
	check("spectral_norm=false norm=none instance_noise=0.2", square, 0);
}

static void test_penalty(void **state)
{
	(void)state;
	check("spectral_norm=false", square, 3);
	check("spectral_norm=false gan_loss=hinge", colour, 10);
}

static void test_spectral_norm(void **state)
{
	(void)state;
	check("spectral_norm=true", square, 0);
	check("spectral_norm=true gan_loss=hinge", colour, 0);
	check("spectral_norm=true", square, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_losses), cmocka_unit_test(test_saturating),
		cmocka_unit_test(test_penalty), cmocka_unit_test(test_spectral_norm)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
