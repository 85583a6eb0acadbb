#include "core/lab/nearest.h"

#include "core/base/rng.h"
#include "core/lab/knn.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N = 5000, D = 6, K = 25 };

static int by_distance(const void *a, const void *b)
{
	const struct neighbour *x = a, *y = b;
	return x->distance != y->distance ? (x->distance > y->distance) - (x->distance < y->distance)
									  : (x->index > y->index) - (x->index < y->index);
}

/* Against all distances sorted, for codes with many ties and for images; the same for any pool. */
static void check(const struct nearest_rows *rows, const float *query)
{
	struct neighbour *all = calloc(rows->n, sizeof *all), found[NEAREST_MAX];
	struct pool *pools[3] = {NULL};
	assert_int_equal(pool_open(&pools[1], 1, NULL), OK);
	assert_int_equal(pool_open(&pools[2], 3, NULL), OK);
	for (size_t i = 0; i < rows->n; i++) {
		double sum = rows->codes ? square_distance(rows->codes + i * rows->d, query, (int)rows->d) : 0;
		for (size_t k = 0; k < rows->d && !rows->codes; k++) {
			double off = (double)((float)rows->images[i * rows->d + k] / 255.0f) - (double)query[k];
			sum += off * off;
		}
		all[i] = (struct neighbour){i, sqrt(sum)};
	}
	qsort(all, rows->n, sizeof *all, by_distance);
	for (int p = 0; p < 3; p++)
		for (int k = 1; k <= NEAREST_MAX; k += 33) {
			assert_int_equal(nearest_find(found, k, rows, query, pools[p], NULL), OK);
			for (int i = 0; i < k; i++) {
				assert_int_equal(found[i].index, all[i].index);
				assert_true(found[i].distance == all[i].distance);
			}
		}
	pool_close(pools[1]);
	pool_close(pools[2]);
	free(all);
}

static void test_codes(void **state)
{
	(void)state;
	float *z = malloc(N * D * sizeof *z);
	rng_normal(z, N * D, (struct rng){.seed = 7, .stream = RNG_NOISE});
	for (size_t i = 0; i < N * D; i++)
		z[i] = roundf(z[i]); /* many are equally near */
	check(&(struct nearest_rows){.codes = z, .n = N, .d = D}, z + 4 * D);
	check(&(struct nearest_rows){.codes = z, .n = 100, .d = D}, z);
	free(z);
}

static void test_images(void **state)
{
	(void)state;
	uint8_t *images = malloc(N * D);
	float query[D];
	for (size_t i = 0; i < N * D; i++)
		images[i] = (uint8_t)(i * 37 % 251);
	for (size_t i = 0; i < D; i++)
		query[i] = (float)images[17 * D + i] / 255.0f;
	const struct nearest_rows rows = {.images = images, .n = N, .d = D};
	struct neighbour first;
	check(&rows, query);
	assert_int_equal(nearest_find(&first, 1, &rows, query, NULL, NULL), OK);
	assert_true(first.index == 17 && first.distance == 0);
	free(images);
}

static void test_refused(void **state)
{
	(void)state;
	const float z[3 * 2] = {0};
	const struct nearest_rows rows = {.codes = z, .n = 3, .d = 2};
	struct neighbour found[NEAREST_MAX];
	struct err err = {0};
	assert_int_equal(nearest_find(found, 4, &rows, z, NULL, &err), ERR_INVALID);
	assert_string_equal(err.message, "k must be 1..3, got 4");
	assert_int_equal(nearest_find(found, 0, &rows, z, NULL, &err), ERR_INVALID);
}

/* Codes of a model that came to nothing are near to nothing, but they are there. */
static void test_no_numbers(void **state)
{
	(void)state;
	const float z[3 * 1] = {NAN, 5, NAN}, query[1] = {0};
	struct neighbour found[3];
	assert_int_equal(nearest_find(found, 3, &(struct nearest_rows){.codes = z, .n = 3, .d = 1}, query, NULL, NULL), OK);
	assert_true(found[0].index == 1 && found[1].index == 0 && found[2].index == 2 && isinf(found[2].distance));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_images),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_no_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
