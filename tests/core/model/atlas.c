#include "core/model/atlas.h"

#include "core/base/normal.h"
#include "tests/core/model/fixture.h"

enum { D = 4 };

/* Unit j: mean j, variance v[j], quantile p at 100 p + j. */
static double mean[D] = {0, 1, 2, 3}, sd[D], quantile[QUANTILES * D], cov[D * D];
static struct code_stats stats = {.latent_dim = D, .mean = mean, .std = sd, .quantile = quantile, .cov = cov};
static const struct code_stats none = {0};

static int fill(void **state)
{
	(void)state;
	static const double variance[D] = {0.25, 4, 0.001, 4};
	for (int j = 0; j < D; j++) {
		cov[j * D + j] = variance[j];
		sd[j] = sqrt(variance[j]);
		for (int q = 0; q < QUANTILES; q++)
			quantile[q * D + j] = q + j;
	}
	return 0;
}

static const struct spread measured = {.latent_dim = D, .stats = &stats};
static const struct spread drawn = {.latent_dim = D, .normal = true, .stats = &none};

static void test_spread(void **state)
{
	(void)state;
	int order[D];
	assert_true(fabs(spread_quantile(&measured, 1, 0.125) - 13.5) < 1e-12);
	assert_true(spread_quantile(&measured, 2, 0) == 2 && spread_quantile(&measured, 2, 1) == 102);
	assert_true(spread_quantile(&drawn, 2, 0.2) == normal_quantile(0.2));
	spread_order(&measured, order);
	assert_memory_equal(order, ((const int[D]){1, 3, 0, 2}), sizeof order);
	spread_order(&drawn, order);
	assert_memory_equal(order, ((const int[D]){0, 1, 2, 3}), sizeof order);
}

/* 2 x 2 over units 3 and 0: right is more of 3, up is more of 0. */
static void test_grid(void **state)
{
	(void)state;
	float z[2 * 2 * D];
	grid_codes(z, 2, &measured, (const int[]){3, 0}, 2);
	static const float want[2 * 2 * D] = {75, 1, 2, 28, 75, 1, 2, 78, 25, 1, 2, 28, 25, 1, 2, 78};
	assert_memory_equal(z, want, sizeof want);
	double values[2];
	grid_values(values, 2, &measured, 3);
	assert_true(values[0] == 28 && values[1] == 78);
	grid_codes(z, 3, &drawn, (const int[]){1}, 1);
	const float side = (float)normal_quantile(5.0 / 6);
	const float row[3 * D] = {0, -side, 0, 0, 0, 0, 0, 0, 0, side, 0, 0};
	assert_memory_equal(z, row, sizeof row);
}

static void test_traversals(void **state)
{
	(void)state;
	float z[2 * 3 * D];
	double values[3];
	traverse_codes(z, 3, &measured, (const int[]){1, 2}, 2, REACH_SD);
	for (int i = 0; i < 3; i++) {
		assert_true(z[i * D] == 0 && z[i * D + 2] == 2 && z[i * D + 3] == 3);
		assert_true(fabsf(z[i * D + 1] - (float)(1 + (i - 1) * 3 * 2)) < 1e-6f);
		assert_true(z[(3 + i) * D + 1] == 1);
		assert_true(fabs((double)z[(3 + i) * D + 2] - (2 + (i - 1) * 3 * sd[2])) < 1e-6);
	}
	traverse_values(values, 3, &measured, 1, REACH_QUANTILE);
	assert_true(fabs(values[0] - 2) < 1e-12 && fabs(values[1] - 51) < 1e-12 && fabs(values[2] - 100) < 1e-12);
	traverse_values(values, 3, &drawn, 1, REACH_SD);
	assert_true(values[0] == -3 && values[1] == 0 && values[2] == 3);
	assert_int_equal(reach_find("sd"), REACH_SD);
	assert_int_equal(reach_find("wide"), -1);
	assert_string_equal(reach_name(REACH_QUANTILE), "quantile");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spread),
		cmocka_unit_test(test_grid),
		cmocka_unit_test(test_traversals),
	};
	return cmocka_run_group_tests(tests, fill, NULL);
}
