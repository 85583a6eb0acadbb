#include "core/data/folder.h"

#include "core/data/png.h"
#include "tests/core/data/files.h"

/* A picture of that size, all pixels of one value (RGB: value, value + 1, value + 2). */
static void put_png(const char *name, int h, int w, int channels, uint8_t value)
{
	struct canvas canvas;
	struct buf file = BUF_INIT;
	assert_int_equal(canvas_open(&canvas, w, h, channels, 0, NULL), OK);
	for (int i = 0; i < w * h * channels; i++)
		canvas.pixels[i] = (uint8_t)(value + i % channels);
	assert_int_equal(png_write(&file, &canvas, 1, NULL), OK);
	put_file(name, file.data, file.len);
	canvas_close(&canvas);
	buf_free(&file);
}

/* cat: 3 images for training, 1 for testing; dog: 1 and 2. */
static void put_animals(const char *name, int channels)
{
	static const char *const folders[] = {"", "/train", "/test", "/train/dog", "/train/cat", "/test/dog", "/test/cat"};
	static const struct {
		const char *file;
		uint8_t value;
	} files[] = {{"train/cat/c.png", 30}, {"train/cat/a.png", 10}, {"train/cat/b.PNG", 20}, {"train/dog/x.png", 40},
		{"test/cat/1.png", 50}, {"test/dog/2.png", 60}, {"test/dog/3.png", 70}};
	char path[300];
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		snprintf(path, sizeof path, "%s%s", name, folders[i]);
		make_folder(path);
	}
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(path, sizeof path, "%s/%s", name, files[i].file);
		put_png(path, 4, 6, channels, files[i].value);
	}
	snprintf(path, sizeof path, "%s/train/cat/notes.txt", name);
	put_text(path, "not a picture");
}

static struct dataset *load(const char *name)
{
	struct dataset *d = NULL;
	struct err err;
	if (dataset_load(&d, name, in_folder(name), &err))
		fail_msg("%s", err.message);
	return d;
}

static void assert_refused(const char *name, const char *words)
{
	struct dataset *d;
	struct err err = {0};
	assert_int_equal(dataset_load(&d, name, in_folder(name), &err), ERR_DATASET);
	if (!strstr(err.message, words))
		fail_msg("'%s' lacks '%s'", err.message, words);
}

/* Every class once, then again: the order that train_limit cuts. */
static void test_order_and_labels(void **state)
{
	(void)state;
	static const uint8_t value[] = {10, 40, 20, 30}, label[] = {0, 1, 0, 0};
	struct dataset_head head;
	put_animals("animals", 1);
	struct dataset *d = load("animals");
	assert_int_equal(d->c * 100 + d->h * 10 + d->w, 146);
	assert_int_equal(d->classes, 2);
	assert_string_equal(d->class_name[0], "cat");
	assert_string_equal(d->class_name[1], "dog");
	assert_int_equal(d->split[SPLIT_TRAIN].n, 4);
	assert_int_equal(d->split[SPLIT_TEST].n, 3);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(d->split[SPLIT_TRAIN].labels[i], label[i]);
		for (int k = 0; k < 24; k++)
			assert_int_equal(d->split[SPLIT_TRAIN].images[i * 24 + k], value[i]);
	}
	assert_int_equal(dataset_peek(&head, in_folder("animals"), NULL), OK);
	assert_int_equal(head.c * 100 + head.h * 10 + head.w, 146);
	assert_int_equal(head.n[SPLIT_TRAIN] * 10 + head.n[SPLIT_TEST], 43);
	dataset_put(d);
}

static void test_rgb_planes(void **state)
{
	(void)state;
	put_animals("colour", 3);
	put_png("colour/train/dog/y.png", 4, 6, 1, 90); /* gray among coloured ones */
	struct dataset *d = load("colour");
	assert_int_equal(d->c, 3);
	for (int c = 0; c < 3; c++)
		for (int k = 0; k < 24; k++) {
			assert_int_equal(d->split[SPLIT_TRAIN].images[c * 24 + k], 10 + c);
			assert_int_equal(d->split[SPLIT_TRAIN].images[3 * 72 + c * 24 + k], 90);
		}
	dataset_put(d);
}

/* labels.txt chooses the order of the classes. */
static void test_labels_txt(void **state)
{
	(void)state;
	put_animals("named", 1);
	put_text("named/labels.txt", "dog\ncat\nbird\n");
	struct dataset *d = load("named");
	assert_int_equal(d->classes, 3);
	assert_string_equal(d->class_name[0], "dog");
	assert_int_equal(d->split[SPLIT_TRAIN].images[0], 40);
	assert_int_equal(d->split[SPLIT_TRAIN].labels[0], 0);
	dataset_put(d);
	put_text("named/labels.txt", "dog\n");
	assert_refused("named", "'cat' is none of the 1 classes");
}

static void test_refused(void **state)
{
	(void)state;
	put_animals("bad", 1);
	put_png("bad/train/cat/b.PNG", 5, 6, 1, 0);
	assert_refused("bad", "train/cat/b.PNG has 5 x 6 pixels, the first image has 4 x 6");
	put_png("bad/train/cat/b.PNG", 4, 6, 3, 0);
	assert_refused("bad", "train/cat/b.PNG is coloured, the first image is gray");
	put_text("bad/train/cat/b.PNG", "no picture at all, but long enough");
	assert_refused("bad", "train/cat/b.PNG: not a PNG file");
	make_folder("empty");
	make_folder("empty/train");
	make_folder("empty/train/a");
	make_folder("empty/test");
	make_folder("empty/test/a");
	assert_refused("empty", "train has 0 PNG files");
	make_folder("bad/test/cow");
	put_png("bad/train/cat/b.PNG", 4, 6, 1, 0);
	assert_refused("bad", "'cow' is none of the 2 classes");
}

/* Found, listed and told apart from before when a file comes. */
static void test_found(void **state)
{
	(void)state;
	char path[400], before[256], after[256];
	const char *dirs[] = {folder};
	put_animals("pets", 1);
	assert_true(folder_is(in_folder("pets")));
	assert_false(folder_is(in_folder("pets/train")));
	assert_int_equal(dataset_find("pets", dirs, 1, path, sizeof path, NULL), OK);
	assert_string_equal(path, in_folder("pets"));
	assert_int_equal(dataset_fingerprint(path, before, sizeof before, NULL), OK);
	put_png("pets/test/cat/9.png", 4, 6, 1, 0);
	assert_int_equal(dataset_fingerprint(path, after, sizeof after, NULL), OK);
	assert_string_not_equal(before, after);
}

int main(void)
{
#define TEST(name) cmocka_unit_test(name)
	const struct CMUnitTest tests[] = {
		TEST(test_order_and_labels),
		TEST(test_rgb_planes),
		TEST(test_labels_txt),
		TEST(test_refused),
		TEST(test_found),
	};
	return cmocka_run_group_tests(tests, files_open, files_close);
}
