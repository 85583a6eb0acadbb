#include "core/model/walk.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { STEPS = 5, D = 3 };

static void test_names(void **state)
{
	(void)state;
	assert_int_equal(walk_find("lerp"), WALK_LERP);
	assert_int_equal(walk_find("slerp"), WALK_SLERP);
	assert_int_equal(walk_find("auto"), -1);
}

static void assert_row(const float *z, size_t row, double x, double y, double w)
{
	assert_float_equal(z[row * D], x, 1e-6);
	assert_float_equal(z[row * D + 1], y, 1e-6);
	assert_float_equal(z[row * D + 2], w, 1e-6);
}

static void test_straight(void **state)
{
	(void)state;
	static const float a[D] = {1, 0, 4}, b[D] = {3, 2, 0};
	float z[STEPS * D];
	walk_codes(z, STEPS, WALK_LERP, a, b, D);
	assert_row(z, 0, 1, 0, 4);
	assert_row(z, 1, 1.5, 0.5, 3);
	assert_row(z, 3, 2.5, 1.5, 1);
	assert_row(z, 4, 3, 2, 0);
}

/* A quarter of a circle in four equal parts; of two lengths, the length goes along. */
static void test_around(void **state)
{
	(void)state;
	static const float a[D] = {1, 0, 0}, b[D] = {0, 2, 0};
	const double quarter = acos(-1) / 2;
	float z[STEPS * D];
	walk_codes(z, STEPS, WALK_SLERP, a, b, D);
	for (size_t i = 0; i < STEPS; i++)
		assert_row(z, i, cos(quarter * (double)i / 4), 2 * sin(quarter * (double)i / 4), 0);
}

/* 60 degrees: sin((1 - t) O) / sin O, worked out by hand at t = 1/2. */
static void test_formula(void **state)
{
	(void)state;
	static const float a[D] = {2, 0, 0};
	const float b[D] = {1, (float)sqrt(3), 0};
	float z[3 * D];
	walk_codes(z, 3, WALK_SLERP, a, b, D);
	assert_row(z, 1, 3 * 0.57735026919, sqrt(3) * 0.57735026919, 0); /* sin 30 / sin 60 */
}

/* Where no angle says which way around, and where one end is the origin. */
static void test_no_angle(void **state)
{
	(void)state;
	static const float ends[][2][D] = {
		{{1, 2, 3}, {2, 4, 6}}, {{1, 2, 3}, {-1, -2, -3}}, {{0, 0, 0}, {1, 2, 3}}, {{1, 2, 3}, {1, 2, 3}}};
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		float z[STEPS * D], straight[STEPS * D];
		walk_codes(z, STEPS, WALK_SLERP, ends[i][0], ends[i][1], D);
		walk_codes(straight, STEPS, WALK_LERP, ends[i][0], ends[i][1], D);
		assert_memory_equal(z, straight, sizeof z);
	}
}

/* The ends are those that were asked for, to the bit, however the way goes. */
static void test_ends(void **state)
{
	(void)state;
	static const float a[D] = {0.1f, -1.7f, 3.3f}, b[D] = {1e-3f, 2.9f, -0.7f};
	for (int walk = 0; walk < WALK_COUNT; walk++) {
		float z[7 * D];
		walk_codes(z, 7, (enum walk)walk, a, b, D);
		assert_memory_equal(z, a, sizeof a);
		assert_memory_equal(z + 6 * D, b, sizeof b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_straight),
		cmocka_unit_test(test_around),
		cmocka_unit_test(test_formula),
		cmocka_unit_test(test_no_angle),
		cmocka_unit_test(test_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
