#include "core/base/cpu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void test_names_parse_back(void **state)
{
	(void)state;
	for (int level = 0; level < CPU_LEVEL_COUNT; level++) {
		enum cpu_level parsed = CPU_LEVEL_COUNT;
		assert_true(cpu_parse(cpu_name((enum cpu_level)level), &parsed));
		assert_int_equal(parsed, level);
	}
	enum cpu_level untouched = CPU_AVX2;
	assert_false(cpu_parse("avx1024", &untouched));
	assert_int_equal(untouched, CPU_AVX2);
	assert_string_equal(cpu_name((enum cpu_level)99), "unknown");
}

static void test_best_level_runs(void **state)
{
	(void)state;
	assert_true(cpu_runs(cpu_best()));
	for (int level = cpu_best() + 1; level < CPU_LEVEL_COUNT; level++)
		assert_false(cpu_runs((enum cpu_level)level));
	assert_false(cpu_runs(CPU_LEVEL_COUNT));
	assert_true(strlen(cpu_model()) > 0);
}

static void test_denormals_vanish(void **state)
{
	(void)state;
	cpu_flush_denormals();
	volatile float tiny = 1e-38f, factor = 0.1f, denormal = 1e-40f;
	assert_true(tiny * factor == 0);    /* a result */
	assert_true(denormal * 1e10f == 0); /* an operand */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_parse_back),
		cmocka_unit_test(test_best_level_runs),
		cmocka_unit_test(test_denormals_vanish),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
