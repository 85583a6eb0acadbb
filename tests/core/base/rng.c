#include "core/base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Known answers that come with Random123 for philox4x32-10 (its kat_vectors): counter, key, result. */
static void test_known_answers(void **state)
{
	(void)state;
	static const struct {
		uint32_t counter[4], key[2], want[4];
	} rows[] = {
		{{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff},
			{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0},
			{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint32_t words[4];
		struct rng r = {rows[i].key[0] | (uint64_t)rows[i].key[1] << 32, (enum rng_stream)rows[i].counter[3],
			rows[i].counter[1] | (uint64_t)rows[i].counter[2] << 32};
		rng_words(words, r, rows[i].counter[0]);
		assert_memory_equal(words, rows[i].want, sizeof words);
	}
}

enum { N = 100000 };
static float x[N], y[N];

static void moments(const float *v, int n, double *mean, double *variance)
{
	double sum = 0, squares = 0;
	for (int i = 0; i < n; i++)
		sum += (double)v[i];
	*mean = sum / n;
	for (int i = 0; i < n; i++)
		squares += ((double)v[i] - *mean) * ((double)v[i] - *mean);
	*variance = squares / n;
}

static void test_uniform(void **state)
{
	(void)state;
	double mean, variance;
	rng_uniform(x, N, (struct rng){1, RNG_NOISE, 2}, -3, 1);
	int bins[16] = {0};
	for (int i = 0; i < N; i++) {
		assert_true(x[i] >= -3 && x[i] < 1);
		bins[(int)((x[i] + 3) * 4)]++;
	}
	moments(x, N, &mean, &variance);
	assert_true(fabs(mean + 1) < 4 * sqrt(16.0 / 12 / N));
	assert_true(fabs(variance / (16.0 / 12) - 1) < 4 * sqrt(0.8 / N));
	for (int b = 0; b < 16; b++)
		assert_true(fabs(bins[b] - N / 16.0) < 5 * sqrt(N / 16.0));
}

static void test_normal(void **state)
{
	(void)state;
	double mean, variance;
	rng_normal(x, N, (struct rng){1, RNG_NOISE, 2});
	moments(x, N, &mean, &variance);
	assert_true(fabs(mean) < 4 / sqrt(N));
	assert_true(fabs(variance - 1) < 4 * sqrt(2.0 / N));
	int beyond = 0, pairs = 0;
	double fourth = 0;
	for (int i = 0; i < N; i++) {
		beyond += fabsf(x[i]) > 1.959964f;
		pairs += i % 2 && x[i] * x[i - 1] > 0;
		fourth += pow((double)x[i], 4);
	}
	assert_true(fabs(beyond - 0.05 * N) < 5 * sqrt(0.05 * 0.95 * N));
	assert_true(fabs(pairs - N / 4.0) < 5 * sqrt(N / 8.0)); /* the two of one draw are independent */
	assert_true(fabs(fourth / N - 3) < 5 * sqrt(96.0 / N));
}

/* Element i does not depend on how many are drawn; each argument makes another sequence. */
static void test_elements_are_addressed(void **state)
{
	(void)state;
	const struct rng r = {123456789012345, RNG_INIT, 7},
					 others[] = {{123456789012346, RNG_INIT, 7}, {123456789012345 ^ (UINT64_C(1) << 40), RNG_INIT, 7},
						 {123456789012345, RNG_NOISE, 7}, {123456789012345, RNG_INIT, 8},
						 {123456789012345, RNG_INIT, 7 + (UINT64_C(1) << 33)}};
	rng_uniform(x, 101, r, 0, 1);
	rng_uniform(y, 50, r, 0, 1);
	assert_memory_equal(x, y, 50 * sizeof *x);
	rng_normal(x, 101, r);
	rng_normal(y, 51, r);
	assert_memory_equal(x, y, 51 * sizeof *x);
	rng_normal_from(y, 34, 67, r);
	assert_memory_equal(x + 34, y, 67 * sizeof *x);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		rng_normal(y, 51, others[i]);
		for (int k = 0; k < 51; k++)
			assert_true(x[k] != y[k]);
	}
}

static void test_permutation(void **state)
{
	(void)state;
	static uint32_t order[1000], again[1000];
	static unsigned char seen[1000];
	const struct rng r = {4, RNG_SHUFFLE, 1};
	rng_permutation(order, 1000, r);
	for (int i = 0; i < 1000; i++) {
		assert_true(order[i] < 1000);
		assert_false(seen[order[i]]++);
	}
	rng_permutation(again, 1000, r);
	assert_memory_equal(order, again, sizeof order);
	rng_permutation(again, 1000, (struct rng){4, RNG_SHUFFLE, 2});
	assert_memory_not_equal(order, again, sizeof order);
	rng_permutation(order, 1, r);
	assert_int_equal(order[0], 0);
	rng_permutation(NULL, 0, r);
}

/* Every order of three comes up about as often. */
static void test_permutations_are_uniform(void **state)
{
	(void)state;
	enum { DRAWS = 6000 };
	int seen[27] = {0};
	for (uint64_t step = 0; step < DRAWS; step++) {
		uint32_t order[3];
		rng_permutation(order, 3, (struct rng){9, RNG_SHUFFLE, step});
		seen[order[0] * 9 + order[1] * 3 + order[2]]++;
	}
	int orders = 0;
	for (int i = 0; i < 27; i++)
		if (seen[i]) {
			orders++;
			assert_true(abs(seen[i] - DRAWS / 6) < 5 * sqrt(DRAWS / 6.0));
		}
	assert_int_equal(orders, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_answers),
		cmocka_unit_test(test_uniform),
		cmocka_unit_test(test_normal),
		cmocka_unit_test(test_elements_are_addressed),
		cmocka_unit_test(test_permutation),
		cmocka_unit_test(test_permutations_are_uniform),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
