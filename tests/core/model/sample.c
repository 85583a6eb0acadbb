#include "core/model/sample.h"

#include "tests/core/model/fixture.h"

enum { D = 4, COUNT = 20000 };

/* Units 0 and 1 go together, 2 is alone, 3 repeats 0 exactly: a covariance without full rank. */
static double mean[D] = {5, -2, 0, 1}, std[D], q01[D] = {1, -3, -1, 0}, q99[D] = {9, -1, 1, 0.5};
static double cov[D * D] = {4, 1, 0, 4, 1, 1, 0, 1, 0, 0, 0.25, 0, 4, 1, 0, 4};
static const struct code_stats stats = {.latent_dim = D, .mean = mean, .std = std, .q01 = q01, .q99 = q99, .cov = cov};

static float z[COUNT * D], again[COUNT * D];

static void test_names(void **state)
{
	(void)state;
	for (int i = 0; i < DIST_COUNT; i++)
		assert_int_equal(distribution_find(distribution_name((enum distribution)i)), i);
	assert_int_equal(distribution_find("auto"), -1);
	assert_int_equal(distribution_find(family_ae.auto_distribution), DIST_GAUSSIAN_FIT);
	assert_int_equal(distribution_find(family_vae.auto_distribution), DIST_NORMAL);
}

/* The statistics as a mixture of one. */
static struct gmm one_bell(void)
{
	struct gmm g;
	assert_int_equal(gmm_alloc(&g, 1, D, NULL), OK);
	g.weight[0] = 1;
	memcpy(g.mean, mean, sizeof mean);
	memcpy(g.cov, cov, sizeof cov);
	cov_root(g.root, cov, D);
	return g;
}

static void test_same_request_same_bytes(void **state)
{
	(void)state;
	struct gmm g = one_bell();
	for (int i = 0; i < DIST_COUNT; i++) {
		struct sample_spec spec = {.distribution = (enum distribution)i, .seed = 3, .gmm = &g};
		assert_int_equal(sample_codes(z, 100, &spec, &stats, NULL), OK);
		assert_int_equal(sample_codes(again, 7, &spec, &stats, NULL), OK);
		assert_memory_equal(z, again, 7 * D * sizeof *z); /* more of them begin the same */
		spec.seed = 4;
		assert_int_equal(sample_codes(again, 100, &spec, &stats, NULL), OK);
		assert_memory_not_equal(z, again, 100 * D * sizeof *z);
	}
	gmm_free(&g);
}

static void test_no_mixture(void **state)
{
	(void)state;
	struct err err = {0};
	assert_int_equal(sample_codes(z, 1, &(struct sample_spec){.distribution = DIST_GMM}, &stats, &err), ERR_CONFLICT);
	assert_string_equal(err.pointer, "#/distribution");
}

static double moment(int i, int j)
{
	double mi = 0, mj = 0, sum = 0;
	for (int n = 0; n < COUNT; n++) {
		mi += (double)z[n * D + i] / COUNT;
		mj += (double)z[n * D + j] / COUNT;
	}
	for (int n = 0; n < COUNT; n++)
		sum += ((double)z[n * D + i] - mi) * ((double)z[n * D + j] - mj) / COUNT;
	return sum;
}

static void test_gaussian_fit(void **state)
{
	(void)state;
	assert_int_equal(
		sample_codes(z, COUNT, &(struct sample_spec){.distribution = DIST_GAUSSIAN_FIT}, &stats, NULL), OK);
	for (int i = 0; i < D; i++) {
		double m = 0;
		for (int n = 0; n < COUNT; n++)
			m += (double)z[n * D + i] / COUNT;
		assert_true(fabs(m - mean[i]) < 0.06);
		for (int j = 0; j < D; j++)
			assert_true(fabs(moment(i, j) - cov[i * D + j]) < 0.15);
	}
	for (int n = 0; n < COUNT; n++)
		assert_true(fabsf(z[n * D + 3] - z[n * D] + 4) < 1e-5f);
}

static void test_dead_units(void **state)
{
	(void)state;
	static double none[D * D];
	struct code_stats dead = stats;
	dead.cov = none;
	assert_int_equal(sample_codes(z, 10, &(struct sample_spec){.distribution = DIST_GAUSSIAN_FIT}, &dead, NULL), OK);
	for (int i = 0; i < 10 * D; i++)
		assert_true(z[i] == (float)mean[i % D]);
}

static void test_normal(void **state)
{
	(void)state;
	assert_int_equal(sample_codes(z, COUNT, &(struct sample_spec){.distribution = DIST_NORMAL}, &stats, NULL), OK);
	for (int i = 0; i < D; i++)
		for (int j = 0; j < D; j++)
			assert_true(fabs(moment(i, j) - (i == j)) < 0.04);
}

static void check_range(double low, double high, int unit)
{
	float least = z[unit], most = z[unit];
	for (int n = 0; n < COUNT; n++) {
		least = fminf(least, z[n * D + unit]);
		most = fmaxf(most, z[n * D + unit]);
	}
	double width = high - low;
	assert_true((double)least >= low - 1e-6 && (double)least < low + 0.01 * width);
	assert_true((double)most <= high + 1e-6 && (double)most > high - 0.01 * width);
}

static void test_uniform(void **state)
{
	(void)state;
	struct sample_spec spec = {.distribution = DIST_UNIFORM};
	assert_int_equal(sample_codes(z, COUNT, &spec, &stats, NULL), OK);
	for (int i = 0; i < D; i++)
		check_range(q01[i], q99[i], i);
	spec = (struct sample_spec){.distribution = DIST_UNIFORM, .has_box = true, .low = -2, .high = 3};
	assert_int_equal(sample_codes(z, COUNT, &spec, &stats, NULL), OK);
	for (int i = 0; i < D; i++)
		check_range(-2, 3, i);
	struct err err = {0};
	spec.low = 4;
	assert_int_equal(sample_codes(z, COUNT, &spec, &stats, &err), ERR_INVALID);
	assert_string_equal(err.pointer, "#/low");
	spec.low = NAN;
	assert_int_equal(sample_codes(z, COUNT, &spec, &stats, &err), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_same_request_same_bytes),
		cmocka_unit_test(test_no_mixture),
		cmocka_unit_test(test_gaussian_fit),
		cmocka_unit_test(test_dead_units),
		cmocka_unit_test(test_normal),
		cmocka_unit_test(test_uniform),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
