#include "core/data/dataset_dir.h"

#include <limits.h>
#include "tests/core/data/files.h"

static void test_names(void **state)
{
	(void)state;
	char longest[DATASET_NAME_MAX + 2];
	memset(longest, 'a', sizeof longest);
	longest[DATASET_NAME_MAX + 1] = '\0';
	static const char *const good[] = {"fashion-mnist", "a", "A_1.2"};
	static const char *const bad[] = {"", ".", "..", ".hidden", "a/b", "../a", "a b", "ä", "a\n"};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		assert_true(dataset_name_valid(good[i]));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(dataset_name_valid(bad[i]));
	assert_false(dataset_name_valid(longest));
	longest[DATASET_NAME_MAX] = '\0';
	assert_true(dataset_name_valid(longest));
}

static void test_find_in_order(void **state)
{
	(void)state;
	char path[PATH_MAX];
	struct err err;
	make_folder("one");
	make_folder("two");
	put_dataset("two/small", 4, 2, 2, 3);
	const char *const dirs[] = {in_folder("one"), in_folder("two")};
	assert_int_equal(dataset_find("small", dirs, 2, path, sizeof path, &err), OK);
	assert_string_equal(path, in_folder("two/small"));
	put_dataset("one/small", 4, 2, 2, 3);
	assert_int_equal(dataset_find("small", dirs, 2, path, sizeof path, &err), OK);
	assert_string_equal(path, in_folder("one/small"));
	/* the folder itself, by its real name */
	const char *const own[] = {in_folder("two/small/.")};
	assert_int_equal(dataset_find("small", own, 1, path, sizeof path, &err), OK);
	assert_int_equal(dataset_find("two", own, 1, path, sizeof path, &err), ERR_DATASET);
	assert_int_equal(dataset_find("small", dirs, 2, path, 8, &err), ERR_DATASET);
}

/* A folder of a name that no data set can have is searched like any other. */
static void test_long_folder(void **state)
{
	(void)state;
	char path[PATH_MAX], name[200], inside[210];
	struct err err;
	memset(name, 'n', sizeof name);
	name[sizeof name - 1] = '\0';
	make_folder(name);
	snprintf(inside, sizeof inside, "%s/small", name);
	put_dataset(inside, 4, 2, 2, 3);
	const char *const dirs[] = {in_folder(name)};
	assert_int_equal(dataset_find("small", dirs, 1, path, sizeof path, &err), OK);
	assert_int_equal(dataset_find("other", dirs, 1, path, sizeof path, &err), ERR_DATASET);
}

static void test_missing(void **state)
{
	(void)state;
	char path[PATH_MAX];
	struct err err;
	make_folder("lack");
	put_dataset("lack/partial", 4, 2, 2, 3);
	assert_int_equal(remove(in_folder("lack/partial/t10k-labels-idx1-ubyte")), 0);
	const char *const dirs[] = {in_folder("lack")};
	assert_int_equal(dataset_find("partial", dirs, 1, path, sizeof path, &err), ERR_DATASET);
	assert_non_null(strstr(err.message, "partial lacks t10k-labels-idx1-ubyte[.gz])"));
	assert_int_equal(dataset_find("none", dirs, 1, path, sizeof path, &err), ERR_DATASET);
	assert_non_null(strstr(err.message, "data set \"none\" is not here; put train-images-idx3-ubyte[.gz], "));
	assert_non_null(strstr(err.message, "looked in "));
	assert_non_null(strstr(err.message, dirs[0]));
	assert_int_equal(dataset_find("../lack/partial", dirs, 1, path, sizeof path, &err), ERR_DATASET);
	assert_non_null(strstr(err.message, "no data set can be called"));
}

static void test_debian(void **state)
{
	(void)state;
	char path[PATH_MAX];
	struct err err;
	if (access("/usr/share/datasets/fashion-mnist", R_OK)) {
		assert_int_equal(dataset_find("fashion-mnist", NULL, 0, path, sizeof path, &err), ERR_DATASET);
		assert_non_null(strstr(err.message, "apt install dataset-fashion-mnist"));
		assert_non_null(strstr(err.message, "deploy/fetch-data.sh DIR"));
		return;
	}
	assert_int_equal(dataset_find("fashion-mnist", NULL, 0, path, sizeof path, &err), OK);
	assert_string_equal(path, "/usr/share/datasets/fashion-mnist");
}

struct seen {
	int n;
	char text[1000];
};

static void note(void *ctx, const char *name, const char *path)
{
	struct seen *seen = ctx;
	size_t used = strlen(seen->text);
	seen->n++;
	snprintf(seen->text + used, sizeof seen->text - used, "%s=%s;", name, path);
}

static void test_each(void **state)
{
	(void)state;
	struct seen seen = {0};
	char expected[1000];
	make_folder("first");
	make_folder("second");
	put_dataset("first/b", 4, 2, 2, 3);
	put_dataset("first/a", 4, 2, 2, 3);
	put_dataset("second/a", 4, 2, 2, 3);
	put_dataset("second/c", 4, 2, 2, 3);
	make_folder("second/empty");
	put_dataset("second/has space", 4, 2, 2, 3);
	const char *const dirs[] = {in_folder("first"), in_folder("absent"), in_folder("second"), in_folder("second/c")};
	dataset_each(dirs, 4, note, &seen);
	snprintf(expected, sizeof expected, "a=%s/a;b=%s/b;c=%s/c;", dirs[0], dirs[0], dirs[2]);
	assert_memory_equal(seen.text, expected, strlen(expected));
	assert_true(seen.n == 3 || (seen.n == 4 && strstr(seen.text, ";fashion-mnist=/usr/share/datasets/fashion-mnist;")));
}

static void test_fingerprint(void **state)
{
	(void)state;
	char before[300], after[300];
	struct err err;
	put_dataset("print", 4, 2, 2, 3);
	const char *path = in_folder("print");
	assert_int_equal(dataset_fingerprint(path, before, sizeof before, &err), OK);
	assert_int_equal(dataset_fingerprint(path, after, sizeof after, &err), OK);
	assert_string_equal(before, after);
	put_idx("print/t10k-labels-idx1-ubyte", 1, (uint32_t[]){3}, 3);
	assert_int_equal(dataset_fingerprint(path, after, sizeof after, &err), OK);
	assert_string_not_equal(before, after);
	put_text("print/labels.txt", "a\nb\nc\n");
	assert_int_equal(dataset_fingerprint(path, before, sizeof before, &err), OK);
	assert_string_not_equal(before, after);
	assert_int_equal(dataset_fingerprint(path, before, 10, &err), ERR_INTERNAL);
	assert_int_equal(dataset_fingerprint(in_folder("absent"), before, sizeof before, &err), ERR_DATASET);
}

/* deploy/fetch-data.sh names the same files, sizes and sums. */
static void test_fetch_script(void **state)
{
	(void)state;
	static char script[20000];
	FILE *f = fopen("deploy/fetch-data.sh", "rb");
	assert_non_null(f);
	assert_true(fread(script, 1, sizeof script - 1, f) > 0);
	fclose(f);
	for (int i = 0; i < DATASET_FILES; i++) {
		char line[200];
		const struct dataset_file *file = &dataset_fashion_files[i];
		snprintf(line, sizeof line, "%s %zu %s\n", file->name, file->bytes, file->sha256);
		assert_non_null(strstr(script, line));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_find_in_order),
		cmocka_unit_test(test_long_folder),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_debian),
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_fingerprint),
		cmocka_unit_test(test_fetch_script),
	};
	return cmocka_run_group_tests(tests, files_open, files_close);
}
