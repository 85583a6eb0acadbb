/* Whole steps of heads on frozen and on learning encoders against differences of the loss. */
#include "tests/core/model/whole_step.h"

#include <stdio.h>

static void check(const struct family *base, const char *base_overrides, const char *overrides)
{
	char all[300];
	struct dataset *d = balls(WHOLE_BATCH, 1, 1, 8, 8);
	snprintf(all, sizeof all, "%s%s", overrides, STILL_STEP);
	struct model m = finetune_for(d, base, base_overrides, all);
	struct whole x = {.m = &m, .t = open_trainer(&m, d, NULL, best_kern())};
	check_whole_step(&x);
	trainer_close(x.t);
	model_free(&m);
	dataset_put(d);
}

static void test_gradients(void **state)
{
	(void)state;
	const char *net = "channels=3 padding=1 hidden=6 activation=tanh latent_dim=3";
	check(&family_ae, net, "freeze=false head=5 label_smoothing=0.1");
	check(&family_vae, net, "freeze=false head=-");
	check(&family_ae, "channels=3 padding=1 hidden=6 activation=silu latent_dim=3 norm=batch dropout=0.2",
		"freeze=false head=5 dropout=0.2");
	check(&family_vae, net, "head=7,5 label_smoothing=0.3");
	check(&family_ae, net, "head=- gce_q=0.7");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_gradients)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
