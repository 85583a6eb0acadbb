#include "core/base/normal.h"

#include "api/safetensors.h"
#include "tests/core/golden_file.h"

#include <math.h>

static void assert_near(double x, double y, double relative)
{
	if (!(fabs(x - y) <= relative * fabs(y)))
		fail_msg("%.17g is not within %g of %.17g", x, relative * fabs(y), y);
}

/* scipy.special: ndtr, log_ndtr, ndtri */
static void test_scipy(void **state)
{
	(void)state;
	static const struct {
		double x, cdf, log_cdf;
	} rows[] = {
		{0, 0.5, -0.69314718055994529},
		{1, 0.84134474606854293, -0.17275377902344985},
		{-1.5, 0.066807201268858071, -2.7059444008238898},
		{7, 0.99999999999872013, -1.2798125438866539e-12},
		{-8, 6.2209605742717405e-16, -35.01343715991456},
		{-25, 3.056696706382561e-138, -316.63940800802027},
		{-40, 0, -804.60844201375392},
		{-300, 0, -45006.62273211866},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_near(normal_cdf(rows[i].x), rows[i].cdf, 1e-13);
		assert_near(normal_log_cdf(rows[i].x), rows[i].log_cdf, 1e-12);
	}
	assert_near(normal_quantile(0.975), 1.959963984540054, 1e-15);
	assert_near(normal_quantile(0.1), -1.2815515655446004, 1e-15);
	assert_near(normal_quantile(1e-12), -7.0344838253011321, 1e-15);
	assert_near(normal_quantile(1e-300), -37.047096299361201, 1e-14);
}

/* There and back; the ends. */
static void test_quantile(void **state)
{
	(void)state;
	for (int i = -370; i < 50; i++)
		assert_true(fabs(normal_quantile(normal_cdf(i / 10.0)) - i / 10.0) < 1e-10);
	assert_true(normal_quantile(0.5) == 0 && normal_quantile(0.25) == -normal_quantile(0.75));
	assert_true(normal_quantile(0) == -INFINITY && normal_quantile(1) == INFINITY);
	assert_true(isnan(normal_quantile(-0.1)) && isnan(normal_quantile(1.1)) && isnan(normal_quantile(NAN)));
}

/* scipy.special.ndtri over both tails, the middle and the sides of grids. */
static void test_quantiles_as_scipy(void **state)
{
	(void)state;
	struct safetensors file;
	struct err err = {0};
	size_t size;
	void *bytes = read_whole("tests/golden/normal.safetensors", &size);
	if (safetensors_read(&file, bytes, size, &err))
		fail_msg("%s", err.message);
	const struct tensor *p = state_find(&file.state, "p"), *x = state_find(&file.state, "x");
	assert_true(p && x && p->shape[0] > 1300);
	for (int64_t i = 0; i < p->shape[0]; i++)
		assert_near(normal_quantile(((const double *)p->data)[i]), ((const double *)x->data)[i], 1e-14);
	safetensors_free(&file);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scipy),
		cmocka_unit_test(test_quantile),
		cmocka_unit_test(test_quantiles_as_scipy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
