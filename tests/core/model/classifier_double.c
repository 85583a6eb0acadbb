/* Whole steps of classifiers, batch norm, pooling, dropout and smoothed labels included, against differences of the loss. */
#include "tests/core/model/whole_step.h"

#include <stdio.h>

static void check(const char *overrides)
{
	char all[300];
	struct dataset *d = balls(WHOLE_BATCH, 1, 1, 8, 8);
	snprintf(all, sizeof all, "channels=3,4 %s%s", overrides, STILL_STEP);
	struct model m = model_for(&family_classifier, d, all);
	struct whole x = {.m = &m, .t = open_trainer(&m, d, NULL, best_kern())};
	check_whole_step(&x);
	trainer_close(x.t);
	model_free(&m);
	dataset_put(d);
}

static void test_gradients(void **state)
{
	(void)state;
	check("activation=tanh pool=avg label_smoothing=0.2");
	check("activation=silu norm=group global_pool=false hidden=5 dropout=0");
	check("activation=silu norm=none pool=none stride=2,1 padding=1,0 convs=1 label_smoothing=0");
	check("augment=hflip,crop,erase");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_gradients)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
