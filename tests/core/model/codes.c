#include "core/model/trainer.h"

#include "tests/core/model/fixture.h"

#include <stdio.h>

static int ascending(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

/* The figures of one unit, worked out the plain way. */
static void check_unit(const struct trainer *t, const float *z, size_t unit)
{
	size_t n = t->coded, d = (size_t)t->m->latent_dim;
	const struct code_stats *s = trainer_codes(t);
	float *column = malloc(n * sizeof *column);
	double mean = 0;
	for (size_t i = 0; i < n; i++) {
		column[i] = z[i * d + unit];
		mean += (double)column[i] / (double)n;
	}
	assert_true(fabs(mean - s->mean[unit]) < 1e-12 + 1e-12 * fabs(mean));
	for (size_t other = 0; other < d; other++) {
		double cov = 0;
		for (size_t i = 0; i < n; i++)
			cov += ((double)z[i * d + unit] - s->mean[unit]) * ((double)z[i * d + other] - s->mean[other]);
		cov /= (double)n - 1;
		assert_true(fabs(cov - s->cov[unit * d + other]) < 1e-12);
	}
	assert_true(fabs(s->std[unit] * s->std[unit] - s->cov[unit * d + unit]) < 1e-12);
	qsort(column, n, sizeof *column, ascending);
	for (size_t q = 0; q < QUANTILES; q++) { /* numpy's linear rule */
		double at = (double)(q * (n - 1)) / 100;
		size_t below = (size_t)at;
		double next = (double)column[below + (below + 1 < n)];
		double expected = (double)column[below] + (next - (double)column[below]) * (at - (double)below);
		assert_true(fabs(expected - s->quantile[q * d + unit]) < 1e-7);
	}
	assert_true(s->q01[unit] == s->quantile[d + unit] && s->q99[unit] == s->quantile[99 * d + unit]);
	free(column);
}

static void check(size_t images, const char *overrides)
{
	struct dataset *d = balls(images, 1, 1, 12, 12);
	struct model m = ae_for(d, overrides);
	struct trainer *t = open_trainer(&m, d, NULL, best_kern());
	float *x = malloc(t->coded * 144 * sizeof *x), *z = malloc(t->coded * (size_t)m.latent_dim * sizeof *z);
	for (size_t i = 0; i < t->coded; i++)
		for (size_t k = 0; k < 144; k++)
			x[i * 144 + k] = (float)d->split[SPLIT_TRAIN].images[t->train[i] * 144 + k] / 255.0f;
	assert_int_equal(model_encode(&m, best_kern(), t->w, t->ws[0], x, t->coded, z, NULL), OK);
	for (size_t unit = 0; unit < (size_t)m.latent_dim; unit++)
		check_unit(t, z, unit);
	free(x);
	free(z);
	trainer_close(t);
	model_free(&m);
	dataset_put(d);
}

static void test_figures(void **state)
{
	(void)state;
	check(300, SMALL_AE);
	check(300, SMALL_AE "latent_dim=8");
	check(277, SMALL_AE "latent_dim=13");
	check(2, SMALL_AE "val_fraction=0 latent_dim=1");
}

static void test_one_image(void **state)
{
	(void)state;
	struct dataset *d = balls(1, 1, 1, 12, 12);
	struct model m = ae_for(d, SMALL_AE);
	struct trainer *t = open_trainer(&m, d, NULL, best_kern());
	const struct code_stats *s = trainer_codes(t);
	for (int i = 0; i < 3; i++)
		assert_true(s->std[i] == 0 && s->q01[i] == s->q99[i] && fabs(s->mean[i] - s->q01[i]) < 1e-12);
	trainer_close(t);
	model_free(&m);
	dataset_put(d);
}

static void test_at_most_so_many_images(void **state)
{
	(void)state;
	struct dataset *d = balls(CODE_STATS_IMAGES + 50, 1, 1, 2, 2);
	struct model m = ae_for(d, "channels=- hidden=- latent_dim=1 val_fraction=0");
	struct trainer *t = open_trainer(&m, d, NULL, best_kern());
	assert_int_equal(t->coded, CODE_STATS_IMAGES);
	trainer_close(t);
	model_free(&m);
	dataset_put(d);
}

static void test_load_and_copy(void **state)
{
	(void)state;
	struct dataset *d = balls(50, 1, 1, 12, 12);
	struct model m = ae_for(d, SMALL_AE);
	struct trainer *t = open_trainer(&m, d, NULL, best_kern());
	const struct code_stats *live = trainer_codes(t);
	struct state s;
	trainer_state(t, &s);
	struct code_stats loaded, copied;
	struct err err = {0};
	assert_int_equal(code_stats_load(&loaded, &s, 3, &err), OK);
	assert_int_equal(code_stats_copy(&copied, live, &err), OK);
	const struct code_stats *both[] = {&loaded, &copied};
	for (int i = 0; i < 2; i++) {
		assert_int_equal(both[i]->latent_dim, 3);
		assert_memory_equal(both[i]->mean, live->mean, 3 * sizeof(double));
		assert_memory_equal(both[i]->std, live->std, 3 * sizeof(double));
		assert_memory_equal(both[i]->q01, live->q01, 3 * sizeof(double));
		assert_memory_equal(both[i]->q99, live->q99, 3 * sizeof(double));
		assert_memory_equal(both[i]->cov, live->cov, 9 * sizeof(double));
		assert_memory_equal(both[i]->quantile, live->quantile, 3 * QUANTILES * sizeof(double));
		assert_ptr_not_equal(both[i]->mean, live->mean);
	}
	code_stats_free(&loaded);
	code_stats_free(&copied);
	assert_int_equal(code_stats_load(&loaded, &s, 4, &err), ERR_CORRUPT);
	assert_non_null(strstr(err.message, "codes.mean"));
	assert_null(loaded.mean);
	state_free(&s);
	trainer_close(t);
	model_free(&m);
	dataset_put(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_figures),
		cmocka_unit_test(test_one_image),
		cmocka_unit_test(test_at_most_so_many_images),
		cmocka_unit_test(test_load_and_copy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
