#include "core/lab/frechet.h"

#include "core/base/rng.h"

#include "tests/core/lab/vectors.h"

static struct moments moments_at(const struct vectors *v, const char *name, struct pool *pool)
{
	const struct tensor *t = vector(v, name);
	struct moments m;
	assert_int_equal(moments_of(&m, t->data, (size_t)t->shape[0], (size_t)t->shape[1], pool, NULL), OK);
	return m;
}

static void test_scipy(void **state)
{
	(void)state;
	struct vectors v = vectors_open();
	struct moments a = moments_at(&v, "a", NULL), b = moments_at(&v, "b", NULL);
	struct normal n;
	double distance, none;
	assert_int_equal(normal_of(&n, &a, NULL), OK);
	assert_int_equal(frechet_distance(&distance, &n, &b, NULL), OK);
	assert_near(distance, *doubles(&v, "fcd"), 1e-9);
	assert_near(moments_spread(&b, &n), *doubles(&v, "spread"), 1e-12);
	assert_int_equal(frechet_distance(&none, &n, &a, NULL), OK);
	assert_true(none >= 0 && none < 1e-10);
	normal_free(&n);
	moments_free(&a);
	moments_free(&b);
	vectors_close(&v);
}

/* Halves add up to the whole, and threads do not matter. */
static void test_sums(void **state)
{
	(void)state;
	enum { N = 3000, D = 7 };
	float *rows = malloc(N * D * sizeof *rows);
	struct moments whole, threaded, first, second;
	struct pool *pool;
	rng_normal(rows, N * D, (struct rng){.seed = 3, .stream = RNG_NOISE});
	assert_int_equal(pool_open(&pool, 3, NULL), OK);
	assert_int_equal(moments_of(&whole, rows, N, D, NULL, NULL), OK);
	assert_int_equal(moments_of(&threaded, rows, N, D, pool, NULL), OK);
	assert_memory_equal(whole.sum, threaded.sum, (D + D * D) * sizeof *whole.sum);
	assert_int_equal(moments_of(&first, rows, 1000, D, NULL, NULL), OK);
	assert_int_equal(moments_of(&second, rows + 1000 * D, N - 1000, D, NULL, NULL), OK);
	moments_add(&first, &second);
	assert_int_equal(first.n, whole.n);
	for (int i = 0; i < D + D * D; i++)
		assert_true(fabs(first.sum[i] - whole.sum[i]) < 1e-9);
	moments_free(&whole);
	moments_free(&threaded);
	moments_free(&first);
	moments_free(&second);
	pool_close(pool);
	free(rows);
}

/* What is not a number stays visible. */
static void test_nan(void **state)
{
	(void)state;
	struct vectors v = vectors_open();
	struct moments a = moments_at(&v, "a", NULL), b = moments_at(&v, "b", NULL);
	struct normal n;
	double distance;
	assert_int_equal(normal_of(&n, &a, NULL), OK);
	b.sum[2] = (double)NAN;
	assert_int_equal(frechet_distance(&distance, &n, &b, NULL), OK);
	assert_true(isnan(distance));
	normal_free(&n);
	moments_free(&a);
	moments_free(&b);
	vectors_close(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scipy),
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_nan),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
