#include "core/model/train.h"

#include "core/model/trainer.h"
#include "tests/core/model/fixture.h"

#include <stdio.h>

enum { TRAIN = 205, TEST = 33 }; /* neither fills its last block, batch or span */

static void test_split(void **state)
{
	(void)state;
	struct dataset *d = balls(TRAIN, TEST, 1, 12, 12);
	struct model m = ae_for(d, SMALL_AE "train_limit=150 val_fraction=0.1 val_seed=4");
	struct trainer *t = open_trainer(&m, d, NULL, best_kern());
	struct progress p = trainer_progress(t), plan = trainer_plan(&m, d);
	assert_memory_equal(&p, &plan, sizeof p);
	assert_int_equal(p.train_images, 135);
	assert_int_equal(p.val_images, 15);
	assert_int_equal(p.steps_per_epoch, 4); /* 40, 40, 40, 15: the short batch is kept */
	assert_int_equal(p.steps, 8);
	assert_int_equal(p.step, 0);
	assert_string_equal(trainer_monitor(t), "val_loss");
	bool seen[150] = {0};
	for (size_t i = 0; i < t->trains; i++) {
		assert_true(t->train[i] < 150 && !seen[t->train[i]] && (!i || t->train[i] > t->train[i - 1]));
		seen[t->train[i]] = true;
	}
	for (size_t i = 0; i < t->vals; i++) {
		assert_true(t->val[i] < 150 && !seen[t->val[i]] && (!i || t->val[i] > t->val[i - 1]));
		seen[t->val[i]] = true;
	}
	/* another seed of the run holds out the same images, another val_seed does not */
	struct trainer *same, *other;
	assert_int_equal(trainer_open(&same, &m, d, NULL, best_kern(), 77, NULL), OK);
	assert_memory_equal(same->val, t->val, t->vals * sizeof *t->val);
	struct model n = ae_for(d, SMALL_AE "train_limit=150 val_fraction=0.1 val_seed=5");
	other = open_trainer(&n, d, NULL, best_kern());
	assert_memory_not_equal(other->val, t->val, t->vals * sizeof *t->val);
	trainer_close(t);
	trainer_close(same);
	trainer_close(other);
	model_free(&m);
	model_free(&n);
	dataset_put(d);
}

static void test_split_extremes(void **state)
{
	(void)state;
	struct dataset *d = balls(3, 0, 1, 12, 12);
	struct model none = ae_for(d, SMALL_AE "val_fraction=0"),
				 half = ae_for(d, SMALL_AE "val_fraction=0.5 train_limit=1");
	struct trainer *t = open_trainer(&none, d, NULL, best_kern());
	assert_int_equal(trainer_progress(t).val_images, 0);
	assert_int_equal(trainer_progress(t).batch_size, 3);
	assert_string_equal(trainer_monitor(t), "train_loss");
	double mean[RESULT_PARTS] = {-1};
	struct err err = {0};
	assert_int_equal(trainer_evaluate(t, SPLIT_TEST, NULL, mean, &err), ERR_INVALID);
	assert_non_null(strstr(err.message, "test part"));
	assert_true(mean[0] == -1);
	trainer_close(t);
	t = open_trainer(&half, d, NULL, best_kern());
	assert_int_equal(trainer_progress(t).train_images, 1);
	assert_int_equal(trainer_progress(t).val_images, 0);
	trainer_close(t);
	model_free(&none);
	model_free(&half);
	dataset_put(d);
}

static void test_wrong_data(void **state)
{
	(void)state;
	struct dataset *d = balls(3, 0, 1, 12, 12), *empty = balls(0, 0, 1, 12, 12), *wide = balls(3, 0, 1, 12, 13);
	struct model m = ae_for(d, SMALL_AE);
	struct trainer *t = NULL;
	struct err err = {0};
	assert_int_equal(trainer_open(&t, &m, empty, NULL, best_kern(), 1, &err), ERR_INVALID);
	assert_non_null(strstr(err.message, "no training images"));
	assert_int_equal(trainer_open(&t, &m, wide, NULL, best_kern(), 1, &err), ERR_INVALID);
	assert_non_null(strstr(err.message, "1x12x13"));
	assert_null(t);
	assert_int_equal(trainer_bytes(&m, empty, 2), sizeof(struct trainer));
	assert_int_equal(trainer_plan(&m, empty).steps, 0);
	model_free(&m);
	dataset_put(d);
	dataset_put(empty);
	dataset_put(wide);
}

static void test_bytes_are_what_is_taken(void **state)
{
	(void)state;
	struct dataset *d = balls(TRAIN, TEST, 1, 12, 12);
	struct model m = ae_for(d, SMALL_AE);
	struct pool *pool;
	assert_int_equal(pool_open(&pool, 2, NULL), OK);
	struct trainer *t = open_trainer(&m, d, pool, best_kern());
	assert_int_equal(trainer_bytes(&m, d, 2), sizeof *t + t->arena.used);
	assert_true(trainer_bytes(&m, d, 3) > trainer_bytes(&m, d, 2));
	trainer_close(t);
	pool_close(pool);
	model_free(&m);
	dataset_put(d);
}

/* Gradient blocks of a batch, told from the memory they take. */
static int groups_of(const char *overrides, int batch)
{
	struct dataset sizes = {.c = 1, .h = 12, .w = 12, .split[SPLIT_TRAIN].n = 4096};
	char whole[160];
	snprintf(whole, sizeof whole, "%s batch_size=%d", overrides, batch);
	struct model one = ae_for(&sizes, overrides), m = ae_for(&sizes, whole);
	size_t blocks = (size_t)(batch + LANES - 1) / LANES;
	size_t more = trainer_bytes(&m, &sizes, 1) - trainer_bytes(&one, &sizes, 1) -
				  (blocks - 1) * (sizeof(struct block) + sizeof(struct lanes));
	int groups = 1 + (int)(more / (m.params * sizeof(real)));
	model_free(&one);
	model_free(&m);
	return groups;
}

/* Large models have fewer gradient blocks, small batches fewer groups. */
static void test_groups(void **state)
{
	(void)state;
	const char *small = "val_fraction=0 padding=1 channels=4 batch_size=1";
	const char *large = "val_fraction=0 padding=1 channels=256 hidden=800 batch_size=1";
	assert_int_equal(groups_of(small, 16), 1);
	assert_int_equal(groups_of(small, 33), 2);
	assert_int_equal(groups_of(small, 128), 4);
	assert_int_equal(groups_of(small, 4096), 16);
	assert_int_equal(groups_of(large, 33), 2);
	assert_int_equal(groups_of(large, 4096), 4);
}

static void test_learns_eight_images_by_heart(void **state)
{
	(void)state;
	struct dataset *d = balls(8, 1, 1, 12, 12);
	struct model m = ae_for(d, SMALL_AE "batch_size=8 val_fraction=0 channels=8,16 hidden=32 latent_dim=8 epochs=600 "
										"lr=3e-3 activation=silu schedule=cosine warmup_epochs=20");
	struct trainer *t = open_trainer(&m, d, NULL, best_kern());
	struct heard h = {0};
	assert_int_equal(run(t, &h, 0), LOOP_COMPLETED);
	assert_true(h.point[0].value > 0.05);
	assert_true(last_value(&h, "train_loss") < 1e-3);
	free(h.point);
	trainer_close(t);
	model_free(&m);
	dataset_put(d);
}

/* test{} of a job: the mean over the split of what decode(encode(x)) misses. */
static void test_evaluate(void **state)
{
	(void)state;
	struct dataset *d = balls(TRAIN, TEST, 1, 12, 12);
	struct model m = ae_for(d, SMALL_AE);
	struct trainer *t = open_trainer(&m, d, NULL, best_kern());
	float x[TEST * 144], y[TEST * 144];
	for (int i = 0; i < TEST * 144; i++)
		x[i] = (float)d->split[SPLIT_TEST].images[i] / 255.0f;
	assert_int_equal(model_reconstruct(&m, best_kern(), t->w, t->ws[0], x, TEST, y, NULL), OK);
	double expected = 0, loss[RESULT_PARTS], other[RESULT_PARTS];
	for (int i = 0; i < TEST * 144; i++)
		expected += pow((double)y[i] - (double)x[i], 2) / (TEST * 144);
	assert_int_equal(trainer_evaluate(t, SPLIT_TEST, NULL, loss, NULL), OK);
	assert_true(fabs(loss[0] - expected) < 1e-6 * expected);
	real *w = zeroed(m.params);
	assert_int_equal(trainer_evaluate(t, SPLIT_TEST, w, other, NULL), OK);
	assert_true(other[0] != loss[0]);
	free(w);
	trainer_close(t);
	model_free(&m);
	dataset_put(d);
}

/* As many training images as are held out, evenly spaced, by the same measure. */
static void test_gap(void **state)
{
	(void)state;
	struct dataset *d = balls(TRAIN, TEST, 1, 12, 12);
	struct model m = ae_for(d, SMALL_AE "dropout=0.5 augment=hflip,erase"), none = ae_for(d, SMALL_AE "val_fraction=0");
	struct trainer *t = open_trainer(&m, d, NULL, best_kern());
	struct gap gap;
	double part[RESULT_PARTS], train = 0;
	assert_int_equal(trainer_gap(t, NULL, &gap, NULL), OK);
	assert_int_equal(gap.images, t->vals);
	for (size_t i = 0; i < t->vals; i++) {
		trainer_pass(t, SPLIT_TRAIN, &t->train[i * t->trains / t->vals], 1, t->w, part);
		train += part[0] / (double)t->vals;
	}
	assert_true(fabs(gap.train - train) < 1e-6 * train);
	trainer_pass(t, SPLIT_TRAIN, t->val, t->vals, t->w, part);
	assert_true(gap.val == part[0] / (double)t->vals && gap.val != gap.train);
	trainer_close(t);
	t = open_trainer(&none, d, NULL, best_kern());
	assert_int_equal(trainer_gap(t, NULL, &gap, NULL), OK);
	assert_int_equal(gap.images, 0);
	trainer_close(t);
	model_free(&m);
	model_free(&none);
	dataset_put(d);
}

/* What a checkpoint does: bytes of every tensor, kept elsewhere. */
static struct state deep_copy(struct trainer *t)
{
	struct state s;
	trainer_state(t, &s);
	for (int i = 0; i < s.n; i++)
		s.tensor[i].data = memcpy(malloc(s.tensor[i].bytes), s.tensor[i].data, s.tensor[i].bytes);
	return s;
}

static void deep_free(struct state *s)
{
	for (int i = 0; i < s->n; i++)
		free(s->tensor[i].data);
	state_free(s);
}

static void test_restore_refuses_what_is_not_its_own(void **state)
{
	(void)state;
	struct dataset *d = balls(TRAIN, TEST, 1, 12, 12);
	struct model m = ae_for(d, SMALL_AE), wide = ae_for(d, SMALL_AE "hidden=11");
	struct trainer *t = open_trainer(&m, d, NULL, best_kern()), *w = open_trainer(&wide, d, NULL, best_kern());
	struct heard h = {0};
	run(t, &h, 3);
	struct state before = deep_copy(t), other = deep_copy(w);
	struct err err = {0};
	assert_int_equal(trainer_restore(t, &other, &err), ERR_CORRUPT);
	assert_non_null(strstr(err.message, "encoder.5.weight"));
	struct state late = deep_copy(t);
	*(int64_t *)state_find(&late, "counter.step")->data = 1000000;
	assert_int_equal(trainer_restore(t, &late, &err), ERR_CORRUPT);
	assert_non_null(strstr(err.message, "step"));
	*(int64_t *)state_find(&late, "counter.step")->data = -1;
	assert_int_equal(trainer_restore(t, &late, &err), ERR_CORRUPT);
	assert_int_equal(trainer_restore(t, &(struct state){0}, &err), ERR_CORRUPT);
	struct state after = deep_copy(t);
	for (int i = 0; i < before.n; i++)
		assert_memory_equal(before.tensor[i].data, after.tensor[i].data, before.tensor[i].bytes);
	deep_free(&before);
	deep_free(&other);
	deep_free(&late);
	deep_free(&after);
	free(h.point);
	trainer_close(t);
	trainer_close(w);
	model_free(&m);
	model_free(&wide);
	dataset_put(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_split_extremes),
		cmocka_unit_test(test_wrong_data),
		cmocka_unit_test(test_bytes_are_what_is_taken),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_learns_eight_images_by_heart),
		cmocka_unit_test(test_evaluate),
		cmocka_unit_test(test_gap),
		cmocka_unit_test(test_restore_refuses_what_is_not_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
