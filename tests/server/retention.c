#include "server/retention.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { N = 8 };

/* Epochs 1..8 of 100 bytes each; the loss is lowest at epoch 3, then 6, then 1. */
static void check(struct retention_params p, const int needed[2], size_t budget, const char *expected)
{
	static const double loss[N] = {3, 8, 1, 9, 7, 2, 6, NAN};
	struct checkpoint_info all[N] = {0};
	char text[64] = "";
	int n = N;
	for (int i = 0; i < N; i++)
		all[i] = (struct checkpoint_info){.epoch = i + 1, .bytes = 100, .monitor = loss[i]};
	retention_apply(&p, needed, budget, all, &n);
	for (int i = n; i < N; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%d", i > n ? " " : "", all[i].epoch);
	assert_string_equal(text, expected);
}

static const int best[2] = {3, 0}, both[2] = {3, 5};
static const size_t plenty = 1000;

static void test_budget(void **state)
{
	const struct retention_params off = {0}, by_default = {true, 2, 1, 1};
	(void)state;
	check(off, best, 800, "1 2 3 4 5 6 7 8");
	check(by_default, best, 800, "1 2 3 4 5 6 7 8");
	check(by_default, best, 500, "2 3 5 7 8");
	check(off, both, 1, "3 5 7 8");
	check(off, best, 1, "3 7 8"); /* the best and the newest two stay whatever they cost */
}

static void test_rules(void **state)
{
	(void)state;
	check((struct retention_params){true, 2, 1, 0}, best, plenty, "3 7 8");
	check((struct retention_params){true, 4, 1, 0}, best, plenty, "3 5 6 7 8");
	check((struct retention_params){true, 2, 3, 0}, best, plenty, "1 3 6 7 8");
	check((struct retention_params){true, 2, 1, 2}, best, plenty, "2 3 4 6 7 8");
	check((struct retention_params){true, 2, 1, 0}, both, plenty, "3 5 7 8");
	check((struct retention_params){true, 2, 3, 0}, best, 400, "3 6 7 8"); /* and then the budget */
}

static void test_few(void **state)
{
	struct checkpoint_info one[1] = {{.epoch = 1, .bytes = 100}};
	const struct retention_params p = {true, 2, 1, 0};
	int n = 0;
	(void)state;
	retention_apply(&p, best, 0, one, &n);
	assert_int_equal(n, 0);
	n = 1;
	retention_apply(&p, best, 0, one, &n);
	assert_int_equal(n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_budget),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_few),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
