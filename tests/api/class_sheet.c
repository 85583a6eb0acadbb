#include "api/class_sheet.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { N = 5, CLASSES = 3, SIDE = 2 };

static const float probabilities[N * CLASSES] = {
	0.6F, 0.3F, 0.1F, /* a cat */
	0.2F, 0.7F, 0.1F, /* a dog */
	0.9F, 0.1F, 0,    /* surely a cat */
	0.6F, 0.2F, 0.2F, /* as sure as the first */
	0.5F, 0.5F, 0,    /* the first of equal ones: a cat */
};
static const char labels[CLASSES][DATASET_CLASS_NAME_MAX + 1] = {"cat", "dog", "fish"};

static struct class_sheet pets(const float *images, int cols)
{
	return (struct class_sheet){.images = images,
		.n = N,
		.c = 1,
		.h = SIDE,
		.w = SIDE,
		.classes = CLASSES,
		.probabilities = probabilities,
		.label = labels,
		.cols = cols};
}

static void sorts(void **state)
{
	(void)state;
	size_t index[8];
	struct class_sheet s = pets(NULL, 8);
	assert_int_equal(class_sheet_row(&s, 0, index), 4);
	assert_true(index[0] == 2 && index[1] == 0 && index[2] == 3 && index[3] == 4);
	assert_int_equal(class_sheet_row(&s, 1, index), 1);
	assert_int_equal(index[0], 1);
	assert_int_equal(class_sheet_row(&s, 2, index), 0);
	s.cols = 2;
	index[2] = 99;
	assert_int_equal(class_sheet_row(&s, 0, index), 4);
	assert_true(index[0] == 2 && index[1] == 0 && index[2] == 99);
}

/* The surest cat is the only white one: its pixels lead its row. */
static void paints(void **state)
{
	(void)state;
	float images[N * SIDE * SIDE] = {0};
	for (int i = 0; i < SIDE * SIDE; i++)
		images[2 * SIDE * SIDE + i] = 1;
	images[0] = NAN;
	struct class_sheet s = pets(images, 3);
	struct canvas one, two;
	assert_int_equal(class_sheet_canvas(&one, &s, NULL), OK);
	assert_int_equal(class_sheet_canvas(&two, &s, NULL), OK);
	size_t bytes = (size_t)(one.w * one.h * one.channels), black = 0, before = 0;
	assert_memory_equal(one.pixels, two.pixels, bytes);
	images[2 * SIDE * SIDE] = 0;
	canvas_close(&two);
	assert_int_equal(class_sheet_canvas(&two, &s, NULL), OK);
	for (size_t i = 0; i < bytes; i += 3) {
		before += one.pixels[i] == 0 && one.pixels[i + 1] == 0 && one.pixels[i + 2] == 0;
		black += two.pixels[i] == 0 && two.pixels[i + 1] == 0 && two.pixels[i + 2] == 0;
	}
	assert_int_equal(before, 3 * SIDE * SIDE * 4); /* two more cats and a dog, each pixel twice as wide and high */
	assert_int_equal(black, before + 4);
	canvas_close(&one);
	canvas_close(&two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sorts),
		cmocka_unit_test(paints),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
