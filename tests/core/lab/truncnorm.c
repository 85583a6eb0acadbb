#include "core/lab/truncnorm.h"

#include "tests/core/lab/vectors.h"

static void test_scipy(void **state)
{
	(void)state;
	struct vectors v = vectors_open_file("tests/golden/tpe.safetensors");
	const double *row = doubles(&v, "truncnorm"), *share = doubles(&v, "truncnorm.share");
	const int64_t n = vector(&v, "truncnorm")->shape[0];
	assert_true(n > 50);
	for (int64_t i = 0; i < n; i++, row += 5) {
		const double a = row[0], b = row[1], quantile = truncnorm_quantile(share[i], a, b);
		/* scipy's own error where its logarithms nearly cancel; it loses the last digits of a mass next to 0 or 1 */
		const double error = fabs(truncnorm_log_pdf(row[2], a, b) - row[3]);
		if (error > 1e-9 * fmax(1, fabs(row[3])))
			fail_msg(
				"log pdf at %g in %g..%g: %.15g, not %.15g", row[2], a, b, truncnorm_log_pdf(row[2], a, b), row[3]);
		if (fabs(quantile - row[4]) > 1e-9 * fmax(fabs(row[4]), b - a))
			fail_msg("quantile %g in %g..%g: %.15g, not %.15g", share[i], a, b, quantile, row[4]);
	}
	vectors_close(&v);
}

/* The quantile's mass is the share, in each tail and in the middle; the ends are the ends; outside there is nothing. */
static void test_quantile(void **state)
{
	(void)state;
	static const double ends[][2] = {
		{-1, 2}, {-9, -3}, {3, 9}, {-60, -45}, {45, 60}, {-40, -30}, {-40.01, -40}, {-1e-3, 1e-3}, {-50, 50}};
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		const double a = ends[i][0], b = ends[i][1];
		double last = a;
		assert_true(truncnorm_quantile(0, a, b) == a && fabs(truncnorm_quantile(1, a, b) - b) <= 1e-9 * (b - a));
		for (double q = 0.01; q < 1; q += 0.01) {
			const double x = truncnorm_quantile(q, a, b);
			assert_true(x > last && x < b);
			assert_true(fabs(normal_log_mass(a, x) - normal_log_mass(a, b) - log(q)) < 1e-7);
			last = x;
		}
		assert_true(truncnorm_log_pdf(a - 1e-3, a, b) == -INFINITY && truncnorm_log_pdf(b + 1e-3, a, b) == -INFINITY);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scipy),
		cmocka_unit_test(test_quantile),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
