#include "api/confusion.h"

#include "tests/api/check.h"

#include <math.h>

/* Cats are found well, dogs are taken for cats, nobody sees a fish and none is there. */
static struct confusion pets(void)
{
	static const int64_t counts[9] = {8, 2, 0, 3, 1, 0, 0, 0, 0};
	static const char *const labels[3] = {"cat", "dog, \"small\"", "fish"};
	struct confusion c;
	assert_int_equal(confusion_open(&c, 3, NULL), OK);
	memcpy(c.count, counts, sizeof counts);
	for (int k = 0; k < 3; k++)
		snprintf(c.label[k], sizeof c.label[k], "%s", labels[k]);
	return c;
}

static char *written(const struct confusion *c)
{
	struct buf b = BUF_INIT;
	struct jsonw w;
	jw_init(&w, &b, false);
	confusion_write(&w, c);
	return buf_take(&b, NULL);
}

static bool is_null(const struct json *root, const char *path)
{
	return json_type(at(root, path)) == JSON_NULL;
}

static bool near(double a, double b)
{
	return fabs(a - b) < 1e-8;
}

static void figures(void **state)
{
	(void)state;
	struct confusion c = pets();
	char *text = written(&c);
	struct json *root = parsed(text);
	assert_true(near(number_at(root, "accuracy"), 9.0 / 14));
	assert_true(near(number_at(root, "per_class/0/precision"), 8.0 / 11));
	assert_true(near(number_at(root, "per_class/0/recall"), 0.8));
	assert_true(near(number_at(root, "per_class/0/f1"), 16.0 / 21));
	assert_true(number_at(root, "per_class/0/support") == 10);
	assert_true(near(number_at(root, "per_class/1/precision"), 1.0 / 3));
	assert_true(near(number_at(root, "per_class/1/recall"), 0.25));
	assert_true(is_null(root, "per_class/2/precision") && is_null(root, "per_class/2/recall"));
	assert_true(is_null(root, "per_class/2/f1"));
	assert_string_equal(text_at(root, "per_class/1/label"), "dog, \"small\"");
	assert_true(number_at(root, "matrix/1/0") == 3);
	json_free(root);
	free(text);
	confusion_free(&c);
}

static void reads_what_it_writes(void **state)
{
	(void)state;
	struct confusion c = pets(), again;
	char *text = written(&c);
	assert_int_equal(confusion_parse(&again, text, NULL), OK);
	assert_int_equal(again.classes, 3);
	assert_memory_equal(again.count, c.count, 9 * sizeof *c.count);
	char *same = written(&again);
	assert_string_equal(same, text);
	free(same);
	free(text);
	confusion_free(&c);
	confusion_free(&again);
	static const char *const broken[] = {"", "{}", "[]", "{\"labels\":[],\"matrix\":[]}",
		"{\"labels\":[\"a\"],\"matrix\":[[1,2]]}", "{\"labels\":[\"a\"],\"matrix\":[1]}",
		"{\"labels\":[1],\"matrix\":[[1]]}", "{\"labels\":[\"a\"],\"matrix\":[[\"1\"]]}",
		"{\"labels\":[\"a\",\"b\"],\"matrix\":[[1,2]]}"};
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
		assert_int_not_equal(confusion_parse(&again, broken[i], NULL), OK);
}

static void csv(void **state)
{
	(void)state;
	struct confusion c = pets();
	struct buf b = BUF_INIT;
	confusion_csv(&b, &c);
	assert_string_equal(
		b.data, "true,cat,\"dog, \"\"small\"\"\",fish\ncat,8,2,0\n\"dog, \"\"small\"\"\",3,1,0\nfish,0,0,0\n");
	buf_free(&b);
	confusion_free(&c);
}

static int brightness(const struct canvas *c, int x, int y)
{
	const uint8_t *p = c->pixels + ((size_t)y * (size_t)c->w + (size_t)x) * 3;
	return p[0] + p[1] + p[2];
}

/* The larger its share of the row, the darker a cell. */
static void picture(void **state)
{
	(void)state;
	struct confusion c = pets();
	struct canvas canvas;
	assert_int_equal(confusion_canvas(&canvas, &c, NULL), OK);
	int x = canvas.w - 8 - 3 * 64, y = canvas.h - 8 - 3 * 64; /* the first cell: they stand in the lower right corner */
	x = x > 0 ? x : 0;
	const int full = brightness(&canvas, x + 2, y + 2), some = brightness(&canvas, x + 66, y + 2),
			  none = brightness(&canvas, x + 130, y + 2);
	assert_true(full < some && some < none && none == 765);
	canvas_close(&canvas);
	confusion_free(&c);
}

/* Any number of classes, with the longest names, gives a picture. */
static void many_classes(void **state)
{
	(void)state;
	static const int sizes[] = {2, 20, 21, 60, 61, 256};
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct confusion c;
		struct canvas canvas;
		assert_int_equal(confusion_open(&c, sizes[i], NULL), OK);
		for (int k = 0; k < c.classes; k++) {
			memset(c.label[k], 'W', DATASET_CLASS_NAME_MAX);
			c.count[k * c.classes + k] = 1000000000;
		}
		assert_int_equal(confusion_canvas(&canvas, &c, NULL), OK);
		assert_true(canvas.w < 4096 && canvas.h < 4096);
		canvas_close(&canvas);
		confusion_free(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(figures),
		cmocka_unit_test(reads_what_it_writes),
		cmocka_unit_test(csv),
		cmocka_unit_test(picture),
		cmocka_unit_test(many_classes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
