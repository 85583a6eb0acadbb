#include "server/checkpoint.h"

#include "server/blob.h"
#include "tests/server/temp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

static int setup(void **state)
{
	*state = temp_make();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	temp_remove(*state);
	return 0;
}

static void write_file(const char *dir, int epoch, size_t size)
{
	char *bytes = calloc(1, size + 1);
	const struct buf file = {.data = bytes, .len = size};
	assert_int_equal(checkpoint_write(dir, "job_1", epoch, &file, NULL), OK);
	free(bytes);
}

static void test_numbered_file_replaces_the_inner_one(void **state)
{
	char path[BLOB_PATH_MAX];
	blob_path(path, sizeof path, *state, "job_1", "checkpoints/inside.safetensors");
	write_file(*state, 0, 10);
	assert_int_equal(access(path, F_OK), 0);
	write_file(*state, 1, 10);
	assert_int_equal(access(path, F_OK), -1);
}

static void count_skipped(void *ctx, const struct err *why)
{
	int *n = ctx;
	assert_int_equal(why->code, ERR_CORRUPT);
	++*n;
}

static void test_rubbish_is_no_checkpoint(void **state)
{
	struct checkpoint c;
	struct err err = {0};
	const struct job job = {.id = "job_1", .best_epoch = 2};
	int skipped = 0;
	assert_int_equal(checkpoint_newest(&c, *state, "job_1", count_skipped, &skipped, &err), ERR_NOT_FOUND);
	assert_int_equal(skipped, 0);
	assert_int_equal(checkpoint_pick(&c, *state, &job, "best", &err), ERR_NOT_FOUND);
	assert_non_null(strstr(err.message, "none yet"));
	write_file(*state, 1, 1000);
	write_file(*state, 2, 0);
	write_file(*state, 0, 64);
	assert_int_equal(checkpoint_newest(&c, *state, "job_1", count_skipped, &skipped, &err), ERR_NOT_FOUND);
	assert_int_equal(skipped, 3);
	assert_int_equal(checkpoint_pick(&c, *state, &job, "best", &err), ERR_CORRUPT);
	assert_non_null(strstr(err.message, "epoch-000002"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_numbered_file_replaces_the_inner_one),
		TEST(test_rubbish_is_no_checkpoint),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
