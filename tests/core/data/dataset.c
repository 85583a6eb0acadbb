#include "core/data/dataset.h"

#include "core/data/sha256.h"

#include <limits.h>
#include <pthread.h>
#include "tests/core/data/files.h"

static int load(const char *name, struct dataset **ret, struct err *err)
{
	return dataset_load(ret, name, in_folder(name), err);
}

static void test_small(void **state)
{
	(void)state;
	struct dataset *d;
	struct dataset_head head;
	struct err err;
	put_dataset("small", 6, 3, 5, 4);
	assert_int_equal(load("small", &d, &err), OK);
	assert_string_equal(d->name, "small");
	assert_int_equal(d->c, 1);
	assert_int_equal(d->h, 3);
	assert_int_equal(d->w, 5);
	assert_int_equal(d->classes, 4);
	assert_string_equal(d->class_name[3], "3");
	assert_int_equal(d->split[SPLIT_TRAIN].n, 6);
	assert_int_equal(d->split[SPLIT_TEST].n, 3);
	for (int i = 0; i < 6 * 15; i++)
		assert_int_equal(d->split[SPLIT_TRAIN].images[i], (i * 7 + 1) % 251);
	for (int i = 0; i < 6; i++)
		assert_int_equal(d->split[SPLIT_TRAIN].labels[i], (i * 7 + 1) % 4);
	assert_int_equal(dataset_bytes(d), sizeof *d + 9 * 16);
	assert_int_equal(dataset_peek(&head, in_folder("small"), &err), OK);
	assert_int_equal(head.c * 100 + head.h * 10 + head.w, 135);
	assert_int_equal(head.n[SPLIT_TRAIN] * 10 + head.n[SPLIT_TEST], 63);
	dataset_put(d);
}

/* The sum as the header defines it. */
static void test_sha256(void **state)
{
	(void)state;
	struct dataset *d;
	struct err err;
	struct buf all = BUF_INIT;
	char text[SHA256_HEX];
	put_dataset("sum", 6, 3, 5, 4);
	assert_int_equal(load("sum", &d, &err), OK);
	buf_str(&all, "latentd-dataset-1 1 3 5 4\n");
	for (int s = 0; s < SPLIT_COUNT; s++) {
		buf_printf(&all, "%zu\n", d->split[s].n);
		buf_append(&all, d->split[s].images, d->split[s].n * 15);
		buf_append(&all, d->split[s].labels, d->split[s].n);
	}
	sha256_text(all.data, all.len, text);
	assert_string_equal(d->sha256, text);
	buf_free(&all);
	dataset_put(d);
}

static void test_rgb(void **state)
{
	(void)state;
	struct dataset *d;
	struct err err;
	put_dataset("rgb", 4, 3, 5, 2);
	put_idx("rgb/train-images-idx3-ubyte", 4, (uint32_t[]){4, 3, 2, 2}, 251);
	assert_int_equal(load("rgb", &d, &err), ERR_DATASET);
	assert_non_null(strstr(err.message, "training images are 3 x 2 x 2, test images 1 x 3 x 5"));
	put_idx("rgb/t10k-images-idx3-ubyte", 4, (uint32_t[]){2, 3, 2, 2}, 251);
	assert_int_equal(load("rgb", &d, &err), OK);
	assert_int_equal(d->c, 3);
	dataset_put(d);
}

/* One file of a good set replaced by an IDX file of these sizes (rank 0: by text). */
static void test_refused(void **state)
{
	(void)state;
	static const struct {
		const char *file;
		int rank;
		uint32_t dim[4];
		const char *message;
	} rows[] = {
		{"train-labels-idx1-ubyte", 1, {5}, "train-labels-idx1-ubyte: 5 labels for 6 images"},
		{"t10k-labels-idx1-ubyte", 1, {4}, "t10k-labels-idx1-ubyte: 4 labels for 3 images"},
		{"train-images-idx3-ubyte", 1, {6}, "train-images-idx3-ubyte: these are labels, not images"},
		{"train-labels-idx1-ubyte", 3, {6, 1, 1}, "train-labels-idx1-ubyte: these are images, not labels"},
		{"train-images-idx3-ubyte", 4, {6, 2, 3, 5}, "images have 1 channel (gray) or 3 (RGB), these have 2"},
		{"t10k-images-idx3-ubyte", 3, {3, 1, 1025}, "at most 1024 x 1024 pixels, these have 1 x 1025"},
		{"t10k-images-idx3-ubyte", 3, {3, 3, 4}, "training images are 1 x 3 x 5, test images 1 x 3 x 4"},
		{"t10k-images-idx3-ubyte", 0, {0}, "t10k-images-idx3-ubyte: not an IDX file of bytes"},
		{"labels.txt", 0, {0}, "there is a label 3, but the classes are 0 to 0"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char name[16], file[64];
		struct dataset *d = NULL;
		struct dataset_head head;
		struct err err;
		snprintf(name, sizeof name, "bad%zu", i);
		snprintf(file, sizeof file, "%s/%s", name, rows[i].file);
		put_dataset(name, 6, 3, 5, 4);
		if (rows[i].rank)
			put_idx(file, rows[i].rank, rows[i].dim, 4);
		else
			put_text(file, "text");
		assert_int_equal(load(name, &d, &err), ERR_DATASET);
		assert_non_null(strstr(err.message, rows[i].message));
		assert_null(d);
		if (strstr(rows[i].file, "images")) {
			assert_int_equal(dataset_peek(&head, in_folder(name), &err), ERR_DATASET);
			assert_non_null(strstr(err.message, rows[i].message));
		}
	}
}

static void test_no_name(void **state)
{
	(void)state;
	struct dataset *d;
	struct err err;
	assert_int_equal(load("..", &d, &err), ERR_DATASET);
	assert_int_equal(load("absent", &d, &err), ERR_DATASET);
	assert_non_null(strstr(err.message, "absent lacks train-images-idx3-ubyte[.gz]"));
}

static void *get_and_put(void *ctx)
{
	for (int i = 0; i < 10000; i++)
		dataset_put(dataset_get(ctx));
	return NULL;
}

/* Freed once, by the last one: the sanitizers tell. */
static void test_references(void **state)
{
	(void)state;
	struct dataset *d;
	struct err err;
	pthread_t thread[3];
	put_dataset("refs", 6, 3, 5, 4);
	assert_int_equal(load("refs", &d, &err), OK);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, get_and_put, d), 0);
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(d->refs, 1);
	dataset_put(d);
	dataset_put(NULL);
}

/* --- the real one ---------------------------------------------------------------------------------------------------- */

static int find_fashion(char *path, size_t size)
{
	return dataset_find("fashion-mnist", NULL, 0, path, size, NULL);
}

static void test_fashion(void **state)
{
	(void)state;
	char path[PATH_MAX], sum[SHA256_HEX];
	struct dataset *d;
	struct err err;
	if (find_fashion(path, sizeof path))
		skip();
	assert_int_equal(dataset_load(&d, "fashion-mnist", path, &err), OK);
	assert_int_equal(d->split[SPLIT_TRAIN].n, 60000);
	assert_int_equal(d->split[SPLIT_TEST].n, 10000);
	assert_int_equal(d->c * 10000 + d->h * 100 + d->w, 12828);
	assert_int_equal(d->classes, 10);
	assert_string_equal(d->class_name[d->split[SPLIT_TRAIN].labels[0]], "Ankle boot");
	for (int s = 0; s < SPLIT_COUNT; s++) {
		size_t count[10] = {0};
		for (size_t i = 0; i < d->split[s].n; i++)
			count[d->split[s].labels[i]]++;
		for (int k = 0; k < 10; k++)
			assert_int_equal(count[k], d->split[s].n / 10);
	}
	/* taken with zcat, tail, head and sha256sum */
	sha256_text(d->split[SPLIT_TRAIN].images, 784, sum);
	assert_string_equal(sum, "5bd44e331a6d6998daf675700cd0c13dcd7af8ab954b7585124124da61459e7b");
	sha256_text(d->split[SPLIT_TEST].images + 9999 * 784, 784, sum);
	assert_string_equal(sum, "0e65cd3713adf40ebd419516c1a2256c9e24ad75e86a862368adafd141f4c1bb");
	assert_string_equal(d->sha256, "68978ba6c501fb771ebc569bcb05fddff612dc21e4f3837d16f4133330980d2b");
	dataset_put(d);
}

static void copy_part(const char *path, const char *name, const char *to, size_t most)
{
	static char bytes[5 << 20];
	char from[PATH_MAX];
	snprintf(from, sizeof from, "%s/%s", path, name);
	FILE *f = fopen(from, "rb");
	assert_non_null(f);
	size_t n = fread(bytes, 1, most < sizeof bytes ? most : sizeof bytes, f);
	fclose(f);
	put_file(to, bytes, n);
}

/* The test split serves as both; its images then cut short. */
static void test_fashion_cut_short(void **state)
{
	(void)state;
	char path[PATH_MAX];
	struct dataset *d;
	struct err err;
	if (find_fashion(path, sizeof path))
		skip();
	make_folder("cut");
	copy_part(path, "t10k-images-idx3-ubyte.gz", "cut/train-images-idx3-ubyte.gz", SIZE_MAX);
	copy_part(path, "t10k-labels-idx1-ubyte.gz", "cut/train-labels-idx1-ubyte.gz", SIZE_MAX);
	copy_part(path, "t10k-images-idx3-ubyte.gz", "cut/t10k-images-idx3-ubyte.gz", SIZE_MAX);
	copy_part(path, "t10k-labels-idx1-ubyte.gz", "cut/t10k-labels-idx1-ubyte.gz", SIZE_MAX);
	assert_int_equal(load("cut", &d, &err), OK);
	dataset_put(d);
	copy_part(path, "t10k-images-idx3-ubyte.gz", "cut/t10k-images-idx3-ubyte.gz", 4000000);
	assert_int_equal(load("cut", &d, &err), ERR_DATASET);
	assert_non_null(strstr(err.message, "t10k-images-idx3-ubyte.gz: broken gzip: it ends too early"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small),
		cmocka_unit_test(test_sha256),
		cmocka_unit_test(test_rgb),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_no_name),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_fashion),
		cmocka_unit_test(test_fashion_cut_short),
	};
	return cmocka_run_group_tests(tests, files_open, files_close);
}
