#include "core/model/classes.h"

#include "core/model/trainer.h"
#include "core/nn/layer.h"
#include "tests/core/model/fixture.h"

#include <stdio.h>

enum { TRAIN = 165, TEST = 37, CLASSES = 3 };

static int plan_preset(
	struct model *ret, const char *preset, const char *overrides, struct map image, int classes, struct err *err)
{
	const struct family *f = &family_classifier;
	void *params = family_params(f, preset_find(f, preset));
	int code = param_set_all(f->params, params, overrides, err);
	if (!code)
		code = model_plan(ret, f, params, image, classes, err);
	free(params);
	return code;
}

static void test_presets(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		size_t parameters;
	} rows[] = {{"small", 72666}, {"medium", 288170}, {"report", 25034}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct model m;
		assert_string_equal(family_classifier.presets[i].name, rows[i].name);
		assert_int_equal(plan_preset(&m, rows[i].name, "", (struct map){1, 28, 28, 0}, 10, NULL), OK);
		assert_int_equal(model_parameters(&m), rows[i].parameters);
		assert_int_equal(model_train(&m)->epochs, 40);
		assert_int_equal(m.net[0].out.c, 10);
		assert_int_equal(m.latent_dim, 0);
		model_free(&m);
	}
	assert_null(family_classifier.presets[3].name);
}

/* Gray or colour, 8 to 64 pixels, any number of classes; what does not fit names the field. */
static void test_presets_adapt(void **state)
{
	(void)state;
	for (const struct preset *p = family_classifier.presets; p->name; p++)
		for (int c = 1; c <= 3; c += 2)
			for (int side = 8; side <= 64; side += 7) {
				struct model m;
				struct err err = {0};
				int code = plan_preset(&m, p->name, "", (struct map){c, side, side, 0}, side, &err);
				if (side < 15 && !strcmp(p->name, "report")) { /* its third convolution finds 2x2 pixels */
					assert_int_equal(code, ERR_INVALID);
					assert_string_equal(err.pointer, "#/params/channels");
					continue;
				}
				if (code)
					fail_msg("%s, %dx%d: %s %s", p->name, side, side, err.pointer, err.message);
				assert_int_equal(m.net[0].out.c, side);
				model_free(&m);
			}
}

static void test_refusals(void **state)
{
	(void)state;
	static const struct {
		const char *overrides;
		struct map image;
		int classes;
		const char *pointer, *words;
	} rows[] = {
		{"", {1, 28, 28, 0}, 1, "#/dataset", "has 1 class:"},
		{"channels=4,4,4,4,4", {1, 8, 8, 0}, 3, "#/params/channels", "images of 8x8 are too small for so many stages"},
		{"kernel=3,3", {1, 28, 28, 0}, 3, "#/params/kernel", "has 2 values for 3 convolutions"},
		{"", {1, 28, 20, 0}, 3, "#/params/global_pool", "the stages leave 3x2"},
		{"channels=4,4,4,4,4,4 convs=4 pool=none", {1, 28, 28, 0}, 3, "#/params", "layers"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct model m;
		struct err err = {0};
		assert_int_equal(
			plan_preset(&m, "small", rows[i].overrides, rows[i].image, rows[i].classes, &err), ERR_INVALID);
		assert_string_equal(err.pointer, rows[i].pointer);
		if (!strstr(err.message, rows[i].words))
			fail_msg("'%s' lacks '%s'", err.message, rows[i].words);
	}
}

static struct model classifier_for(const struct dataset *d, const char *overrides)
{
	return model_for(&family_classifier, d, overrides);
}

static void test_learns_eight_images_by_heart(void **state)
{
	(void)state;
	struct dataset *d = balls(8, 1, 1, 12, 12);
	struct model m =
		classifier_for(d, "channels=8,16 batch_size=8 val_fraction=0 epochs=150 lr=1e-2 dropout=0 label_smoothing=0");
	struct trainer *t = open_trainer(&m, d, NULL, best_kern());
	struct heard h = {0};
	assert_int_equal(run(t, &h, 0), LOOP_COMPLETED);
	assert_true(h.point[0].value > 0.5);
	assert_true(last_value(&h, "train_loss") < 1e-2);
	assert_true(last_value(&h, "train_accuracy") == 1);
	free(h.point);
	trainer_close(t);
	model_free(&m);
	dataset_put(d);
}

/* Loss and accuracy that are told without training: from the probabilities, nothing smoothed or dropped. */
static void check_evaluation(const char *overrides, double q)
{
	struct dataset *d = balls(TRAIN, TEST, 1, 12, 12);
	struct model m = classifier_for(d, overrides);
	struct trainer *t = open_trainer(&m, d, NULL, best_kern());
	struct heard h = {0};
	run(t, &h, 0);
	float x[TEST * 144], p[TEST * CLASSES];
	double part[RESULT_PARTS], loss = 0, correct = 0;
	for (int i = 0; i < TEST * 144; i++)
		x[i] = (float)d->split[SPLIT_TEST].images[i] / 255.0f;
	assert_int_equal(model_classify(&m, best_kern(), t->w, t->ws[0], x, TEST, p, NULL), OK);
	for (int i = 0; i < TEST; i++) {
		const float *row = p + i * CLASSES;
		assert_true(fabs((double)row[0] + (double)row[1] + (double)row[2] - 1) < 1e-6);
		double chosen = (double)row[d->split[SPLIT_TEST].labels[i]];
		loss += q > 0 ? (1 - pow(chosen, q)) / q : -log(chosen);
		correct += model_class(&m, row) == d->split[SPLIT_TEST].labels[i];
	}
	trainer_pass(t, SPLIT_TEST, NULL, TEST, t->w, part);
	int64_t count[CLASSES * CLASSES], right = 0;
	assert_int_equal(trainer_confusion(t, SPLIT_TEST, NULL, count, NULL), OK);
	for (int i = 0; i < TEST; i++)
		count[d->split[SPLIT_TEST].labels[i] * CLASSES + model_class(&m, p + i * CLASSES)]--;
	for (int i = 0; i < CLASSES * CLASSES; i++)
		assert_int_equal(count[i], 0);
	assert_int_equal(trainer_confusion(t, SPLIT_TEST, t->w, count, NULL), OK);
	for (int i = 0; i < CLASSES; i++)
		right += count[i * CLASSES + i];
	assert_int_equal(right, (int)part[1]);
	assert_true(fabs(part[0] - loss) < 1e-4 * loss);
	assert_true(part[1] == correct);
	free(h.point);
	trainer_close(t);
	model_free(&m);
	dataset_put(d);
}

static void test_evaluation(void **state)
{
	(void)state;
	check_evaluation(SMALL_CLASSIFIER "dropout=0.5 label_smoothing=0.3", 0);
	check_evaluation(SMALL_CLASSIFIER "dropout=0.5 label_smoothing=0 gce_q=0.7", 0.7);
}

/* A short last batch has fewer blocks than groups: they meet at the batch norms all the same. */
static void test_short_batches_meet(void **state)
{
	(void)state;
	struct dataset *d = balls(130, 1, 1, 12, 12);
	struct model m = classifier_for(d, "channels=4 batch_size=128 val_fraction=0 optimizer=sgd momentum=0 lr=0.1");
	struct trainer *t = open_trainer(&m, d, NULL, best_kern());
	double part[RESULT_PARTS];
	assert_true(t->groups > 1);
	for (int step = 0; step < 2; step++) {
		real *before = memcpy(zeroed(model_reals(&m)), t->w, model_reals(&m) * sizeof *before);
		assert_int_equal(trainer_step(t, part, NULL), OK);
		assert_true(part[0] > 0);
		assert_memory_not_equal(before, t->w, m.params * sizeof *before);
		assert_memory_not_equal(before + m.params, t->w + m.params, m.buffers * sizeof *before);
		free(before);
	}
	trainer_close(t);
	model_free(&m);
	dataset_put(d);
}

/* Variants are for training: the same weights say the same of the held-out images, and the data set stays as it was. */
static void test_augmentation_is_for_training(void **state)
{
	(void)state;
	struct dataset *d = balls(TRAIN, TEST, 1, 12, 12);
	static const char *const choices[] = {"augment=-", "augment=hflip,crop,erase"};
	double train[2][RESULT_PARTS], val[2][RESULT_PARTS];
	uint8_t *copy = memcpy(malloc(TRAIN * 144), d->split[SPLIT_TRAIN].images, TRAIN * 144);
	for (int i = 0; i < 2; i++) {
		char overrides[120];
		snprintf(overrides, sizeof overrides, "channels=4 norm=none dropout=0 lr=0 optimizer=sgd %s", choices[i]);
		struct model m = classifier_for(d, overrides);
		struct trainer *t = open_trainer(&m, d, NULL, best_kern());
		assert_int_equal(trainer_step(t, train[i], NULL), OK);
		trainer_pass(t, SPLIT_TRAIN, t->val, t->vals, t->w, val[i]);
		trainer_close(t);
		model_free(&m);
	}
	assert_true(train[0][0] != train[1][0]);
	assert_true(val[0][0] == val[1][0]);
	assert_memory_equal(copy, d->split[SPLIT_TRAIN].images, TRAIN * 144);
	free(copy);
	dataset_put(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_presets),
		cmocka_unit_test(test_presets_adapt),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_learns_eight_images_by_heart),
		cmocka_unit_test(test_evaluation),
		cmocka_unit_test(test_short_batches_meet),
		cmocka_unit_test(test_augmentation_is_for_training),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
