#include "core/model/tracker.h"

#include "core/model/trainer.h"
#include "tests/core/model/fixture.h"

static struct train_params params_of(const char *overrides)
{
	struct train_params p;
	struct err err = {0};
	void *all = family_params(&family_ae, NULL);
	if (param_set_all(family_ae.params, all, overrides, &err))
		fail_msg("%s", err.message);
	memcpy(&p, all, sizeof p);
	free(all);
	return p;
}

/* Two trackers: 0.95 and 0.94 are no improvement by 0.1, yet the best there is. */
static void test_best_and_patience_part(void **state)
{
	(void)state;
	static const double losses[] = {1, 0.95, 0.94, 0.85, 0.96};
	static const int64_t best[] = {1, 2, 3, 4, 4}, wait[] = {0, 1, 2, 0, 1};
	struct train_params p = params_of("early_stopping.patience=3 early_stopping.min_delta=0.1");
	struct tracker k;
	tracker_init(&k);
	for (int i = 0; i < 5; i++) {
		tracker_epoch(&k, &p, i + 1, (struct epoch_loss){losses[i], 7});
		assert_int_equal(k.best_epoch, best[i]);
		assert_true(k.best_value == losses[best[i] - 1]);
		assert_int_equal(k.wait, wait[i]);
		assert_true(k.last_value == losses[i]);
		assert_false(tracker_stops(&k, &p));
	}
	for (int i = 5; i < 7; i++) {
		assert_false(tracker_stops(&k, &p));
		tracker_epoch(&k, &p, i + 1, (struct epoch_loss){0.86, 7});
	}
	assert_true(tracker_stops(&k, &p));
	p.early_stopping.on = false;
	assert_false(tracker_stops(&k, &p));
}

/* An equal loss is none that is better, and min_delta itself is not more than min_delta. */
static void test_bounds_are_strict(void **state)
{
	(void)state;
	struct train_params p = params_of("early_stopping.patience=2 early_stopping.min_delta=0.25");
	struct tracker k;
	tracker_init(&k);
	tracker_epoch(&k, &p, 1, (struct epoch_loss){1, 1});
	tracker_epoch(&k, &p, 2, (struct epoch_loss){0.75, 1});
	assert_int_equal(k.wait, 1);
	tracker_epoch(&k, &p, 3, (struct epoch_loss){0.75, 1});
	assert_int_equal(k.best_epoch, 2);
	assert_true(tracker_stops(&k, &p));
}

static void test_the_training_loss_may_be_watched(void **state)
{
	(void)state;
	struct train_params p = params_of("early_stopping.patience=1 early_stopping.monitor=train_loss");
	struct tracker k;
	tracker_init(&k);
	tracker_epoch(&k, &p, 1, (struct epoch_loss){1, 1});
	tracker_epoch(&k, &p, 2, (struct epoch_loss){2, 0.5});
	assert_false(tracker_stops(&k, &p));
	assert_int_equal(k.best_epoch, 1); /* served is what validates best, all the same */
	tracker_epoch(&k, &p, 3, (struct epoch_loss){0.5, 0.5});
	assert_true(tracker_stops(&k, &p));
}

static void test_forget(void **state)
{
	(void)state;
	struct train_params p = params_of("early_stopping.patience=2 schedule=step lr_step_epochs=1 lr_gamma=0.5");
	struct tracker k;
	tracker_init(&k);
	tracker_epoch(&k, &p, 1, (struct epoch_loss){1, 1});
	tracker_epoch(&k, &p, 2, (struct epoch_loss){2, 2});
	tracker_forget(&k);
	assert_int_equal(k.best_epoch, 0);
	assert_true(k.lr_scale == 0.25);
	tracker_epoch(&k, &p, 3, (struct epoch_loss){9, 9});
	assert_int_equal(k.best_epoch, 3);
	assert_int_equal(k.wait, 0);
}

/* What torch 1.13's ReduceLROnPlateau(patience=2, factor=0.5, threshold=1e-4) makes of lr 1 with these losses: 0.99995 is lower
 * by less than the threshold; after each cut patience begins anew. */
static void test_plateau(void **state)
{
	(void)state;
	static const double losses[] = {1, 0.99995, 1, 1.1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5},
						scales[] = {1, 1, 1, .5, .5, .5, .25, .25, .25, .25, .125};
	struct train_params p = params_of("schedule=plateau lr_patience=2 lr_gamma=0.5");
	struct tracker k;
	tracker_init(&k);
	for (int i = 0; i < 11; i++) {
		tracker_epoch(&k, &p, i + 1, (struct epoch_loss){losses[i], 1});
		assert_true(k.lr_scale == scales[i]);
	}
}

static void test_step(void **state)
{
	(void)state;
	struct train_params p = params_of("schedule=step lr_step_epochs=3 lr_gamma=0.5");
	struct tracker k;
	tracker_init(&k);
	for (int epoch = 1; epoch <= 9; epoch++) {
		tracker_epoch(&k, &p, epoch, (struct epoch_loss){1, 1});
		assert_true(k.lr_scale == 1.0 / (1 << epoch / 3));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_best_and_patience_part),
		cmocka_unit_test(test_bounds_are_strict),
		cmocka_unit_test(test_the_training_loss_may_be_watched),
		cmocka_unit_test(test_forget),
		cmocka_unit_test(test_plateau),
		cmocka_unit_test(test_step),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
