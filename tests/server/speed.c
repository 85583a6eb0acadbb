/* server/speed.c: a guess that is of this machine, by the thread, and asked for but once. */
#include "server/speed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_guess(void **state)
{
	(void)state;
	const struct kern *kern = kern_at(cpu_best());
	const double one = speed_guess(kern, 1);
	assert_true(one > 1e7 && one < 1e12);
	assert_true(speed_guess(kern, 4) == 4 * one);
	assert_true(speed_guess(kern, 1) == one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_guess)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
