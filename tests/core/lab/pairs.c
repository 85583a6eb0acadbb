#include "core/lab/pairs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_near(double x, double y, double relative)
{
	if (!(fabs(x - y) <= relative * fabs(y)))
		fail_msg("%.17g is not within %g of %.17g", x, relative * fabs(y), y);
}

/* Beside the C library's, over all their range; either half by itself. */
static void test_exp(void **state)
{
	(void)state;
	for (int i = -99900; i < 99900; i++) {
		const pair v = pair_exp2((pair){i * 0.01, -i * 0.00997});
		assert_near(v[0], exp2(i * 0.01), 3e-12);
		assert_near(v[1], exp2(-i * 0.00997), 3e-12);
	}
	const pair far = pair_exp2((pair){-1e9, 0});
	assert_true(far[0] < 1e-300 && far[1] == 1);
}

static void test_erfc(void **state)
{
	(void)state;
	for (int i = 0; i < 26000; i++) {
		const pair v = pair_erfc((pair){i * 0.001, i * 0.0001});
		assert_near(v[0], erfc(i * 0.001), 2e-11);
		assert_near(v[1], erfc(i * 0.0001), 2e-11);
	}
	const pair far = pair_erfc((pair){1000, 0});
	assert_true(far[0] < 1e-300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exp),
		cmocka_unit_test(test_erfc),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
