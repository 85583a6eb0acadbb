#include "core/lab/kid.h"

#include "core/base/rng.h"

#include "tests/core/lab/vectors.h"

static struct kid_clouds clouds_of(const struct vectors *v)
{
	const struct tensor *a = vector(v, "a"), *b = vector(v, "b");
	const size_t n = (size_t)b->shape[0];
	return (struct kid_clouds){
		.x = a->data, .y = b->data, .xs = n, .ys = n, .d = (int)a->shape[1], .subsets = 1, .rows = n};
}

/* A subset of all rows, at every level. */
static void test_numpy(void **state)
{
	(void)state;
	struct vectors v = vectors_open();
	const struct kid_clouds c = clouds_of(&v);
	for (enum cpu_level level = 0; level < CPU_LEVEL_COUNT; level++)
		if (kern_at(level)) {
			struct kid r;
			assert_int_equal(kid(&r, &c, NULL, kern_at(level), NULL), OK);
			assert_near(r.mean, *doubles(&v, "kid"), 1e-5);
			assert_true(r.sd == 0);
		}
	vectors_close(&v);
}

/* Of two clouds of one kind it is 0 but for the noise of so many subsets, which says how much that is. */
static void test_unbiased(void **state)
{
	(void)state;
	enum { N = 4000, D = 8 };
	float *x = malloc(2 * N * D * sizeof *x);
	struct pool *pool;
	struct kid r, again;
	rng_normal(x, 2 * N * D, (struct rng){.seed = 11, .stream = RNG_NOISE});
	const struct kid_clouds c = {.x = x, .y = x + N * D, .xs = N, .ys = N, .d = D, .subsets = 40, .rows = 200};
	assert_int_equal(pool_open(&pool, 3, NULL), OK);
	assert_int_equal(kid(&r, &c, pool, best_kern(), NULL), OK);
	assert_int_equal(kid(&again, &c, NULL, best_kern(), NULL), OK);
	assert_memory_equal(&r, &again, sizeof r);
	assert_true(r.sd > 0 && fabs(r.mean) < 3 * r.sd / sqrt(20)); /* subsets of 200 in 4000 are nearly independent */
	for (int i = 0; i < N * D; i++)
		x[i] += 0.3F;
	assert_int_equal(kid(&again, &c, pool, best_kern(), NULL), OK);
	assert_true(again.mean > 5 * r.sd);
	pool_close(pool);
	free(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numpy),
		cmocka_unit_test(test_unbiased),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
