#include "core/data/grid.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct canvas blank(int w, int h, int channels, uint8_t background)
{
	struct canvas c;
	assert_int_equal(canvas_open(&c, w, h, channels, background, NULL), OK);
	return c;
}

static int at(const struct canvas *c, int x, int y)
{
	return c->pixels[(y * c->w + x) * c->channels];
}

/* --- images ---------------------------------------------------------------------------------------------------------- */

static void test_canvas_limits(void **state)
{
	(void)state;
	static const struct {
		int w, h, channels, code;
	} rows[] = {
		{0, 1, 1, ERR_INVALID},
		{1, -1, 1, ERR_INVALID},
		{1, 1, 2, ERR_INVALID},
		{CANVAS_SIDE_MAX + 1, 1, 1, ERR_TOO_LARGE},
		{CANVAS_SIDE_MAX, CANVAS_SIDE_MAX, 1, ERR_TOO_LARGE},
		{INT32_MAX, INT32_MAX, 3, ERR_TOO_LARGE},
		{CANVAS_SIDE_MAX, 1, 3, OK},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct canvas c = {0};
		struct err err;
		assert_int_equal(canvas_open(&c, rows[i].w, rows[i].h, rows[i].channels, 9, &err), rows[i].code);
		if (rows[i].code == OK)
			assert_int_equal(at(&c, 5, 0), 9);
		canvas_close(&c);
	}
}

static void test_grid(void **state)
{
	(void)state;
	/* five images of 1 x 2 pixels in rows of two with a gap of one */
	const float images[10] = {0, 1, 0.5f, -3, 7, NAN, 0.2f, 0.4f, 0.6f, 0.8f};
	const uint8_t expected[] = {0, 255, 0, 128, 0, /* images 0 and 1, the gap between */
		0, 0, 0, 0, 0, 255, 0, 0, 51, 102, 0, 0, 0, 0, 0, 153, 204, 0, 0, 0};
	struct canvas c;
	struct err err;
	assert_int_equal(grid_images(&c, images, 5, 1, 1, 2, 2, 1, &err), OK);
	assert_int_equal(c.w, 5);
	assert_int_equal(c.h, 5);
	assert_memory_equal(c.pixels, expected, sizeof expected);
	canvas_close(&c);
}

static void test_grid_rgb(void **state)
{
	(void)state;
	const float image[6] = {1, 0, 0, 1, 0.2f, 0.4f}; /* planes: red, green, blue */
	struct canvas c;
	struct err err;
	assert_int_equal(grid_images(&c, image, 1, 3, 1, 2, 0, 0, &err), OK);
	assert_memory_equal(c.pixels, ((uint8_t[]){255, 0, 51, 0, 255, 102}), 6);
	canvas_close(&c);
}

static void test_squarest(void **state)
{
	(void)state;
	static float images[64 * 4];
	static const struct {
		int n, cols, w, h;
	} rows[] = {{64, 0, 16, 16}, {1, 0, 2, 2}, {3, 0, 4, 4}, {10, 0, 8, 6}, {3, 8, 6, 2}, {4, 1, 2, 8}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct canvas c;
		struct err err;
		assert_int_equal(grid_images(&c, images, rows[i].n, 1, 2, 2, rows[i].cols, 0, &err), OK);
		assert_int_equal(c.w, rows[i].w);
		assert_int_equal(c.h, rows[i].h);
		canvas_close(&c);
	}
	struct canvas c;
	struct err err;
	assert_int_equal(grid_pairs(&c, images, images, 32, 1, 2, 2, 0, 0, &err), OK);
	assert_int_equal(c.w, 16);
	assert_int_equal(c.h, 16);
	canvas_close(&c);
}

static void test_pairs(void **state)
{
	(void)state;
	const float above[3] = {0.2f, 0.4f, 0.6f}, beneath[3] = {1, 0.8f, 0};
	const uint8_t expected[] = {51, 102, 255, 204, 0, 0, 153, 0, 0, 0};
	struct canvas c;
	struct err err;
	assert_int_equal(grid_pairs(&c, above, beneath, 3, 1, 1, 1, 2, 1, &err), OK);
	assert_int_equal(c.w, 2);
	assert_int_equal(c.h, 5);
	assert_memory_equal(c.pixels, expected, sizeof expected);
	canvas_close(&c);
}

static void test_grid_refused(void **state)
{
	(void)state;
	const float image[1] = {0};
	struct canvas c;
	struct err err;
	assert_int_equal(grid_images(&c, image, 0, 1, 1, 1, 0, 0, &err), ERR_INVALID);
	assert_int_equal(grid_images(&c, image, 1, 2, 1, 1, 0, 0, &err), ERR_INVALID);
	assert_int_equal(grid_images(&c, image, 1, 1, 1, 1, 0, -1, &err), ERR_INVALID);
	assert_int_equal(grid_images(&c, image, 100000, 1, 1000, 1000, 0, 0, &err), ERR_TOO_LARGE);
}

/* --- drawing --------------------------------------------------------------------------------------------------------- */

static void test_rect_clips(void **state)
{
	(void)state;
	struct canvas c = blank(4, 3, 1, 0);
	canvas_rect(&c, -2, 1, 4, 100, 0xffffff);
	canvas_rect(&c, 3, -5, 5, 6, 0x00ff00);
	canvas_rect(&c, INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX, 0xffffff);
	assert_memory_equal(c.pixels, ((uint8_t[]){0, 0, 0, 150, 255, 255, 0, 0, 255, 255, 0, 0}), 12);
	canvas_close(&c);
}

static void test_text(void **state)
{
	(void)state;
	struct canvas c = blank(20, 9, 3, 255);
	assert_int_equal(canvas_text(&c, 1, 0, 1, 0x102030, "Lg"), 12);
	assert_int_equal(canvas_text_width(1, "Lg"), 12);
	assert_int_equal(canvas_text_width(3, ""), 0);
	for (int y = 0; y < 7; y++)
		assert_memory_equal(c.pixels + (y * 20 + 1) * 3, ((uint8_t[]){0x10, 0x20, 0x30}), 3);
	assert_int_equal(at(&c, 2, 5), 255);
	assert_int_equal(at(&c, 5, 6), 0x10);
	assert_int_equal(at(&c, 9, 8), 0x10); /* the tail of the g */
	canvas_close(&c);
	c = blank(20, 20, 1, 0);
	canvas_text(&c, 2, 2, 2, 0xffffff, "L");
	assert_int_equal(at(&c, 2, 2) + at(&c, 3, 15) + at(&c, 11, 15), 3 * 255);
	assert_int_equal(at(&c, 4, 2) + at(&c, 12, 15) + at(&c, 2, 16), 0);
	canvas_text(&c, -3, -3, 2, 0xffffff, "clipped at every edge of it");
	canvas_close(&c);
}

/* Turned to the left: what went right goes up. */
static void test_text_upwards(void **state)
{
	(void)state;
	struct canvas flat = blank(20, 20, 1, 0), up = blank(20, 20, 1, 0);
	assert_int_equal(canvas_text(&flat, 0, 0, 1, 0xffffff, "Lg"), 12);
	assert_int_equal(canvas_text_up(&up, 0, 20, 1, 0xffffff, "Lg"), 12);
	for (int y = 0; y < 20; y++)
		for (int x = 0; x < 20; x++)
			assert_int_equal(at(&up, y, 19 - x), at(&flat, x, y));
	canvas_text_up(&up, 15, 3, 3, 0xffffff, "clipped, too");
	canvas_close(&flat);
	canvas_close(&up);
}

/* Along the middle of a row of pixels: that row is full; between two rows: each has a half. */
static void test_line_coverage(void **state)
{
	(void)state;
	struct canvas c = blank(9, 5, 1, 0);
	canvas_line(&c, 1, 1.5, 8, 1.5, 1, 0xffffff);
	for (int x = 1; x < 8; x++)
		assert_int_equal(at(&c, x, 0) * 1000000 + at(&c, x, 1) * 1000 + at(&c, x, 2), 255000);
	canvas_close(&c);
	c = blank(9, 5, 1, 0);
	canvas_line(&c, 0, 2, 9, 2, 1, 0xffffff);
	assert_int_equal(at(&c, 4, 1), 128);
	assert_int_equal(at(&c, 4, 2), 128);
	assert_int_equal(at(&c, 4, 0) + at(&c, 4, 3), 0);
	canvas_close(&c);
	c = blank(9, 5, 1, 0);
	canvas_line(&c, 4.5, -9, 4.5, 99, 0.5, 0xffffff); /* thinner than a pixel: paler; out at both ends */
	for (int y = 0; y < 5; y++)
		assert_int_equal(at(&c, 4, y) * 1000 + at(&c, 3, y) + at(&c, 5, y), 128000);
	canvas_close(&c);
}

/* All the ink of a slanting line is its length times its width. */
static void test_line_ink(void **state)
{
	(void)state;
	static const double ends[][4] = {{10, 10, 90, 35}, {10, 90, 30, 10}, {20, 20, 80, 80}, {90, 60, 10, 59.5}};
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		struct canvas c = blank(100, 100, 1, 0);
		const double *e = ends[i];
		canvas_line(&c, e[0], e[1], e[2], e[3], 2, 0xffffff);
		double ink = 0;
		for (int k = 0; k < 100 * 100; k++)
			ink += c.pixels[k] / 255.0;
		double length = hypot(e[2] - e[0], e[3] - e[1]);
		assert_true(fabs(ink - 2 * length - 3.14) < 0.03 * ink); /* 3.14: the round ends */
		canvas_close(&c);
	}
}

/* A line in a thousand pieces looks like the line in one. */
static void test_polyline_is_one_stroke(void **state)
{
	(void)state;
	struct canvas one = blank(50, 20, 1, 0), many = blank(50, 20, 1, 0);
	double xy[2002];
	for (int i = 0; i <= 1000; i++) {
		xy[2 * i] = 3 + 0.04 * i;
		xy[2 * i + 1] = 4 + 0.01 * i;
	}
	canvas_line(&one, 3, 4, 43, 14, 1.5, 0xffffff);
	canvas_polyline(&many, xy, 1001, 1.5, 0xffffff);
	for (int k = 0; k < 50 * 20; k++)
		assert_true(abs(one.pixels[k] - many.pixels[k]) <= 1);
	canvas_close(&one);
	canvas_close(&many);
}

static void test_gaps(void **state)
{
	(void)state;
	struct canvas c = blank(40, 5, 1, 0);
	const double xy[] = {2, 2.5, 10, 2.5, NAN, 2.5, 20, 2.5, INFINITY, 0, 30, 2.5, 38, 2.5, 1e300, 2.5};
	canvas_polyline(&c, xy, 8, 1, 0xffffff);
	assert_int_equal(at(&c, 5, 2), 255);
	assert_int_equal(at(&c, 15, 2), 0);
	assert_true(at(&c, 20, 2) > 0); /* alone: a dot */
	assert_int_equal(at(&c, 25, 2), 0);
	assert_int_equal(at(&c, 35, 2), 255);
	assert_int_equal(at(&c, 39, 2), 0);
	canvas_polyline(&c, xy, 0, 1, 0xffffff);
	canvas_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_canvas_limits),
		cmocka_unit_test(test_grid),
		cmocka_unit_test(test_grid_rgb),
		cmocka_unit_test(test_squarest),
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_grid_refused),
		cmocka_unit_test(test_rect_clips),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_text_upwards),
		cmocka_unit_test(test_line_coverage),
		cmocka_unit_test(test_line_ink),
		cmocka_unit_test(test_polyline_is_one_stroke),
		cmocka_unit_test(test_gaps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
