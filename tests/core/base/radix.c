#include "core/base/radix.h"

#include "core/base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { N = 5000 };

static int ascending(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

static void test_sorted_as_qsort_does(void **state)
{
	(void)state;
	static const size_t sizes[] = {1, 2, 17, N};
	float *x = malloc(N * sizeof *x);
	uint32_t *key = malloc(2 * N * sizeof *key);
	for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
		const size_t n = sizes[s];
		rng_normal(x, n, (struct rng){.seed = s, .stream = RNG_NOISE});
		for (size_t i = 0; i < n; i++) {
			x[i] = (float)ldexp((double)x[i], (int)(i % 60) - 30);
			key[i] = radix_key(x[i]);
			assert_true(radix_value(key[i]) == x[i]);
		}
		radix_sort(key, key + N, n);
		qsort(x, n, sizeof *x, ascending);
		for (size_t i = 0; i < n; i++)
			assert_true(radix_value(key[N + i]) == x[i]);
	}
	free(x);
	free(key);
}

static void test_order_of_the_odd_ones(void **state)
{
	(void)state;
	static const float rising[] = {-INFINITY, -3.4e38f, -1, -1e-45f, -0.0f, 0.0f, 1e-45f, 1, 3.4e38f, INFINITY, NAN};
	for (size_t i = 1; i < sizeof rising / sizeof *rising; i++)
		assert_true(radix_key(rising[i - 1]) < radix_key(rising[i]));
}

static void test_between(void **state)
{
	(void)state;
	const uint32_t sorted[] = {radix_key(-1), radix_key(1), radix_key(5)};
	assert_true(radix_at(sorted, 3, 0) == -1);
	assert_true(radix_at(sorted, 3, 0.5) == 0);
	assert_true(radix_at(sorted, 3, 1.25) == 2);
	assert_true(radix_at(sorted, 3, 2) == 5);
	assert_true(radix_at(sorted, 1, 0) == -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sorted_as_qsort_does),
		cmocka_unit_test(test_order_of_the_odd_ones),
		cmocka_unit_test(test_between),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
