#include "core/lab/prdc.h"

#include "tests/core/lab/vectors.h"

static struct prdc_clouds clouds_of(const struct vectors *v)
{
	const struct tensor *a = vector(v, "a"), *b = vector(v, "b");
	return (struct prdc_clouds){.real_rows = a->data,
		.fake_rows = b->data,
		.reals = (size_t)a->shape[0],
		.fakes = (size_t)b->shape[0],
		.d = (int)a->shape[1],
		.k = 5};
}

/* Every level, with threads and without. */
static void test_numpy(void **state)
{
	(void)state;
	struct vectors v = vectors_open();
	const struct prdc_clouds c = clouds_of(&v);
	const double *wanted = doubles(&v, "prdc");
	struct pool *pool;
	assert_int_equal(pool_open(&pool, 3, NULL), OK);
	for (enum cpu_level level = 0; level < CPU_LEVEL_COUNT; level++)
		for (int threads = 0; kern_at(level) && threads < 2; threads++) {
			struct prdc r;
			assert_int_equal(prdc(&r, &c, threads ? pool : NULL, kern_at(level), NULL), OK);
			assert_near(r.precision, wanted[0], 1e-12);
			assert_near(r.recall, wanted[1], 1e-12);
			assert_near(r.density, wanted[2], 1e-12);
			assert_near(r.coverage, wanted[3], 1e-12);
			assert_near(r.duplicates, wanted[4], 1e-12);
			assert_true(r.duplicates > 0);
		}
	pool_close(pool);
	vectors_close(&v);
}

/* Fakes that are all one image, or far from everything. */
static void test_extremes(void **state)
{
	(void)state;
	struct vectors v = vectors_open();
	struct prdc_clouds c = clouds_of(&v);
	struct prdc r;
	const size_t d = (size_t)c.d;
	float *fakes = malloc(c.fakes * d * sizeof *fakes);
	for (size_t i = 0; i < c.fakes * d; i++)
		fakes[i] = c.real_rows[i % d];
	c.fake_rows = fakes;
	assert_int_equal(prdc(&r, &c, NULL, best_kern(), NULL), OK);
	assert_true(r.precision == 1 && r.recall == 0 && r.coverage < 0.2 && r.duplicates == 1);
	for (size_t i = 0; i < c.fakes * d; i++)
		fakes[i] += 1000;
	assert_int_equal(prdc(&r, &c, NULL, best_kern(), NULL), OK);
	assert_true(r.precision == 0 && r.density == 0 && r.coverage == 0);
	fakes[3] = NAN;
	assert_int_equal(prdc(&r, &c, NULL, best_kern(), NULL), OK);
	c.k = PRDC_K_MAX + 1;
	assert_int_equal(prdc(&r, &c, NULL, best_kern(), NULL), ERR_INVALID);
	free(fakes);
	vectors_close(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numpy),
		cmocka_unit_test(test_extremes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
