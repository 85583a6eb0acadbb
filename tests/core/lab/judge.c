#include "core/lab/judge.h"

#include "core/lab/judge_state.h"
#include "server/evaluator.h"

#include "tests/core/lab/vectors.h"

static struct model model;
static real *weights;

static int open_model(void **state)
{
	(void)state;
	size_t size;
	struct err err = {0};
	void *bytes = read_whole("core/lab/evaluator.safetensors", &size);
	if (evaluator_model(bytes, size, &model, &weights, &err))
		fail_msg("%s", err.message);
	free(bytes);
	return 0;
}

static int close_model(void **state)
{
	(void)state;
	model_free(&model);
	free(weights);
	return 0;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SLOW = 1 };
#else
enum { SLOW = 0 };
#endif

enum { PIXELS = 784, SEEN = 40, UNITS = 64, CLASSES = 10, REPEATED = 1000 };
static const double pytorch_tolerance = 1e-4;

/* The golden images again and again as the test split, as bytes, and as what a model would give. */
static struct dataset *repeated(const struct vectors *v, size_t n)
{
	struct dataset *d = calloc(1, sizeof *d);
	const uint8_t *images = vector(v, "images")->data;
	*d =
		(struct dataset){.name = "golden", .c = 1, .h = 28, .w = 28, .classes = CLASSES, .sha256 = "golden", .refs = 1};
	for (int s = 0; s < SPLIT_COUNT; s++) {
		d->split[s].n = n;
		d->split[s].images = malloc(n * PIXELS);
		d->split[s].labels = calloc(n, 1);
		for (size_t i = 0; i < n * PIXELS; i++)
			d->split[s].images[i] = images[i % (SEEN * PIXELS)];
	}
	return d;
}

static float *pixels_of(const struct dataset *d, enum split split, size_t n)
{
	float *x = malloc(n * PIXELS * sizeof *x);
	for (size_t i = 0; i < n * PIXELS; i++)
		x[i] = (float)d->split[split].images[i] / 255.0F;
	return x;
}

static struct judge *judge_of(const struct dataset *d, struct pool *pool, const struct kern *k)
{
	struct judge *j;
	struct err err = {0};
	if (judge_open(&j, &model, weights, d, pool, k, &err))
		fail_msg("%s", err.message);
	assert_int_equal(judge_features(j), UNITS);
	assert_int_equal(judge_classes(j), CLASSES);
	return j;
}

static void assert_close(const float *ours, const double *theirs, size_t n)
{
	double worst = 0;
	for (size_t i = 0; i < n; i++)
		worst = fmax(worst, fabs((double)ours[i] - theirs[i]));
	if (!(worst <= pytorch_tolerance))
		fail_msg("%g from PyTorch", worst);
}

/* At every level (under sanitizers at the best); AVX2 and AVX-512 give the same bits. */
static void test_pytorch(void **state)
{
	(void)state;
	struct vectors v = vectors_open();
	struct dataset *d = repeated(&v, 4 * SEEN);
	float *images = pixels_of(d, SPLIT_TEST, SEEN), *one = NULL;
	for (enum cpu_level level = 0; level < CPU_LEVEL_COUNT; level++) {
		const struct kern *k = kern_at(level);
		if (!k || (SLOW && level != cpu_best()))
			continue;
		struct judge *j = judge_of(d, NULL, k);
		float *read = malloc(SEEN * (UNITS + CLASSES) * sizeof *read);
		const struct judge_reading r = {read, read + SEEN * UNITS};
		assert_int_equal(judge_read(j, NULL, k, images, SEEN, &r, NULL), OK);
		assert_close(r.features, doubles(&v, "features"), SEEN * UNITS);
		assert_close(r.probabilities, doubles(&v, "probabilities"), SEEN * CLASSES);
		if (one)
			assert_memory_equal(read, one, SEEN * (UNITS + CLASSES) * sizeof *read);
		if (level == CPU_AVX2)
			one = read;
		else
			free(read);
		judge_close(j);
	}
	free(one);
	free(images);
	dataset_put(d);
	vectors_close(&v);
}

static void test_look(void **state)
{
	(void)state;
	struct vectors v = vectors_open();
	struct dataset *d = repeated(&v, 4 * SEEN);
	struct judge *j = judge_of(d, NULL, best_kern());
	struct pool *pool;
	struct verdict one, other;
	const double *p = doubles(&v, "probabilities");
	double share[CLASSES] = {0}, kl = 0, least = 1;
	float *images = pixels_of(d, SPLIT_TEST, 4 * SEEN);
	for (int i = 0; i < SEEN; i++) {
		int best = 0;
		for (int c = 1; c < CLASSES; c++)
			best = p[i * CLASSES + c] > p[i * CLASSES + best] ? c : best;
		share[best] += 1.0 / SEEN;
	}
	for (int c = 0; c < CLASSES; c++) {
		kl += share[c] > 0 ? share[c] * log(share[c] * CLASSES) : 0;
		least = fmin(least, share[c]);
	}
	assert_int_equal(judge_look(j, NULL, best_kern(), images, SEEN, &one, NULL), OK);
	assert_true(
		one.count == SEEN && one.classes == CLASSES && isnan(one.fcd)); /* 40 images do not tell how 64 features vary */
	for (int c = 0; c < CLASSES; c++)
		assert_true(fabs(one.share[c] - share[c]) < 1e-12);
	assert_true(fabs(one.class_kl - kl) < 1e-12 && fabs(one.min_share - least) < 1e-12);
	/* the test split itself; more threads */
	assert_int_equal(pool_open(&pool, 3, NULL), OK);
	assert_int_equal(judge_look(j, NULL, best_kern(), images, 4 * SEEN, &one, NULL), OK);
	assert_int_equal(judge_look(j, pool, best_kern(), images, 4 * SEEN, &other, NULL), OK);
	assert_memory_equal(&one, &other, sizeof one);
	assert_true(one.fcd >= 0 && one.fcd < 1e-6 && fabs(one.diversity - 1) < 1e-12);
	/* images that are all one */
	for (size_t i = PIXELS; i < 4 * SEEN * PIXELS; i++)
		images[i] = images[i % PIXELS];
	assert_int_equal(judge_look(j, pool, best_kern(), images, 4 * SEEN, &one, NULL), OK);
	assert_true(
		one.fcd > 0.1 && one.diversity < 1e-3 && one.min_share == 0 && fabs(one.class_kl - log(CLASSES)) < 1e-12);
	/* nobody to judge */
	assert_int_equal(judge_look(NULL, pool, best_kern(), images, SEEN, &one, NULL), OK);
	assert_int_equal(one.count, 0);
	pool_close(pool);
	free(images);
	judge_close(j);
	dataset_put(d);
	vectors_close(&v);
}

/* Where the least squares line through the mean distances of choices of quarters meets 1 / N = 0: said again, plainly. */
static double extrapolated(const float *features, size_t n, const struct normal *reference)
{
	double x[4], y[4] = {0}, mx = 0, my = 0, xx = 0, xy = 0;
	const double ways[4] = {4, 6, 4, 1};
	float *some = malloc(n * UNITS * sizeof *some);
	for (int choice = 1; choice < 16; choice++) {
		size_t rows = 0;
		struct moments m;
		double distance;
		for (size_t i = 0; i < n; i++)
			if (choice >> (i * 4 / n) & 1)
				memcpy(some + rows++ * UNITS, features + i * UNITS, UNITS * sizeof *some);
		assert_int_equal(moments_of(&m, some, rows, UNITS, NULL, NULL), OK);
		assert_int_equal(frechet_distance(&distance, reference, &m, NULL), OK);
		y[rows * 4 / n - 1] += distance / ways[rows * 4 / n - 1];
		moments_free(&m);
	}
	free(some);
	for (int i = 0; i < 4; i++) {
		x[i] = 4.0 / (double)(n * (size_t)(i + 1));
		mx += x[i] / 4;
		my += y[i] / 4;
	}
	for (int i = 0; i < 4; i++) {
		xx += (x[i] - mx) * (x[i] - mx);
		xy += (x[i] - mx) * (y[i] - my);
	}
	return my - xy / xx * mx;
}

static void test_score_classes(void **state)
{
	(void)state;
	struct vectors v = vectors_open();
	struct dataset *d = repeated(&v, 4 * SEEN), *scored = repeated(&v, REPEATED);
	struct judge *j = judge_of(d, NULL, best_kern());
	struct judge_report r;
	const double *p = doubles(&v, "probabilities");
	double unsure = 0;
	float *images = pixels_of(scored, SPLIT_TEST, REPEATED);
	for (int i = 0; i < SEEN; i++) {
		double most = 0;
		for (int c = 0; c < CLASSES; c++)
			most = fmax(most, p[i * CLASSES + c]);
		unsure += most < 0.5;
	}
	assert_int_equal(judge_score(j, NULL, best_kern(), images, REPEATED - 1, &r, NULL), ERR_INVALID);
	assert_int_equal(judge_score(j, NULL, best_kern(), images, REPEATED, &r, NULL), OK);
	assert_near(r.classifier_score, *doubles(&v, "probabilities.score"), 1e-5);
	assert_near(r.unsure_share, unsure / SEEN, 1e-12);
	assert_true(isnan(r.fcd_floor) && r.look.count == REPEATED);
	free(images);
	judge_close(j);
	dataset_put(scored);
	dataset_put(d);
	vectors_close(&v);
}

static void test_score_distances(void **state)
{
	(void)state;
	if (SLOW)
		skip();
	struct vectors v = vectors_open();
	struct dataset *d = repeated(&v, REPEATED);
	struct judge *j = judge_of(d, NULL, best_kern());
	struct judge_report r, other;
	struct pool *pool;
	float *images = pixels_of(d, SPLIT_TEST, REPEATED), *features = malloc(REPEATED * UNITS * sizeof *features);
	for (size_t i = 0; i < REPEATED * PIXELS; i++) /* so that quarters differ */
		images[i] *= 1 - (float)(i / PIXELS) / (2 * REPEATED);
	assert_int_equal(judge_floor(j, NULL, best_kern(), d, NULL), OK);
	assert_int_equal(pool_open(&pool, 3, NULL), OK);
	assert_int_equal(judge_score(j, NULL, best_kern(), images, REPEATED, &r, NULL), OK);
	assert_int_equal(judge_score(j, pool, best_kern(), images, REPEATED, &other, NULL), OK);
	assert_memory_equal(&r, &other, sizeof r);
	assert_true(r.fcd_floor >= 0 && r.fcd_floor < 1e-6 && r.look.fcd > 1e-3);
	assert_int_equal(
		judge_read(j, NULL, best_kern(), images, REPEATED, &(struct judge_reading){.features = features}, NULL), OK);
	assert_near(r.fcd_inf, extrapolated(features, REPEATED, &j->reference), 1e-6);
	pool_close(pool);
	free(features);
	free(images);
	judge_close(j);
	dataset_put(d);
	vectors_close(&v);
}

static void test_other_nets(void **state)
{
	(void)state;
	struct vectors v = vectors_open();
	struct dataset *d = repeated(&v, 4 * SEEN);
	struct judge *j;
	struct model shallow;
	void *params = family_params(&family_classifier, NULL);
	assert_int_equal(model_plan(&shallow, &family_classifier, params, (struct map){1, 28, 28, 0}, CLASSES, NULL), OK);
	real *w = calloc(model_reals(&shallow), sizeof *w);
	assert_int_equal(judge_open(&j, &shallow, w, d, NULL, best_kern(), NULL), ERR_INVALID); /* no hidden layer */
	d->classes = 3;
	assert_int_equal(judge_open(&j, &model, weights, d, NULL, best_kern(), NULL), ERR_INVALID);
	free(w);
	free(params);
	model_free(&shallow);
	dataset_put(d);
	vectors_close(&v);
}

/* --- real images ---------------------------------------------------------------------------------------------------------- */

enum { HALF = 2000 };

/* So many images of either split of Fashion-MNIST. */
static struct dataset *fashion(size_t n)
{
	char path[256];
	struct dataset *d = NULL;
	if (SLOW || dataset_find("fashion-mnist", NULL, 0, path, sizeof path, NULL) ||
		dataset_load(&d, "fashion-mnist", path, NULL))
		skip();
	d->split[SPLIT_TEST].n = d->split[SPLIT_TRAIN].n = n;
	return d;
}

/* Two halves of real images are what no model can do better than; images that are not real are farther by far. */
static void test_real_images(void **state)
{
	(void)state;
	struct dataset *d = fashion(HALF);
	struct pool *pool;
	struct judge_report r;
	assert_int_equal(pool_open(&pool, 2, NULL), OK);
	struct judge *j = judge_of(d, pool, best_kern());
	float *images = pixels_of(d, SPLIT_TRAIN, HALF);
	assert_int_equal(judge_floor(j, pool, best_kern(), d, NULL), OK);
	assert_int_equal(judge_score(j, pool, best_kern(), images, HALF, &r, NULL), OK);
	assert_true(fabs(r.prdc.density - 1) < 0.05 && fabs(r.prdc.coverage - (1 - 1.0 / 32)) < 0.015);
	assert_true(r.prdc.duplicates > 0 && r.prdc.duplicates < 0.03);
	assert_true(r.prdc.precision > 0.9 && r.prdc.recall > 0.9);
	assert_near(r.look.fcd, r.fcd_floor, 0.01); /* the same images in another order */
	assert_true(fabs(r.fcd_inf) < r.look.fcd && fabs(r.kid) < r.kid_sd);
	assert_true(r.look.min_share > 0.07 && r.look.class_kl < 0.01 && fabs(r.look.diversity - 1) < 0.05);
	assert_true(r.classifier_score > 5 && r.unsure_share < 0.1);
	const struct judge_report halves = r;
	for (size_t i = 0; i < HALF * PIXELS; i++)
		images[i] = 1 - images[i];
	assert_int_equal(judge_score(j, pool, best_kern(), images, HALF, &r, NULL), OK);
	assert_true(r.look.fcd > 100 * halves.look.fcd && r.kid > 100 * halves.kid_sd && r.prdc.precision < 0.6 &&
				r.prdc.coverage < 0.1);
	free(images);
	judge_close(j);
	pool_close(pool);
	dataset_put(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pytorch),
		cmocka_unit_test(test_look),
		cmocka_unit_test(test_score_classes),
		cmocka_unit_test(test_score_distances),
		cmocka_unit_test(test_other_nets),
		cmocka_unit_test(test_real_images),
	};
	return cmocka_run_group_tests(tests, open_model, close_model);
}
