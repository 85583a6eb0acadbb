#include "server/job_delete.h"

#include "server/blob.h"
#include "tests/server/store/fixture.h"

/* A job that has ended, with a file of each kind. */
static void make_ended(struct fixture *f, char id[JOB_ID_SIZE])
{
	static const char *const names[] = {
		"job.json", "checkpoints/epoch-000001.safetensors", "previews/epoch-000001-samples.png"};
	const struct store_change change = {.finished = true};
	insert(f->store, "", 0, id);
	for (int i = 0; i < 3; i++) {
		char path[BLOB_PATH_MAX];
		blob_path(path, sizeof path, f->dir, id, names[i]);
		assert_int_equal(blob_write(path, "x", 1, NULL), OK);
	}
	claim(f->store, id);
	assert_int_equal(store_move(f->store, id, JOB_RUNNING, JOB_SUCCEEDED, &change, NULL), OK);
}

/* Of whatever name. */
static int folders(const char *dir)
{
	char command[300], text[16] = "";
	snprintf(command, sizeof command, "ls -A %s/jobs | wc -l", dir);
	FILE *pipe = popen(command, "r");
	assert_non_null(fgets(text, sizeof text, pipe));
	pclose(pipe);
	return atoi(text);
}

static void test_all_files_go(void **state)
{
	struct fixture *f = *state;
	char id[JOB_ID_SIZE], other[JOB_ID_SIZE];
	struct job job;
	make_ended(f, id);
	make_ended(f, other);
	assert_int_equal(job_delete(f->store, f->dir, id, NULL), OK);
	assert_int_equal(folders(f->dir), 1);
	assert_int_equal(store_get(f->store, id, &job, NULL), ERR_NOT_FOUND);
	assert_int_equal(status_of(f->store, other), JOB_SUCCEEDED);
	assert_int_equal(job_delete(f->store, f->dir, id, NULL), ERR_NOT_FOUND);
}

/* Killed after the rows went, after the folder's name did, with half of the files gone. */
static void test_a_kill_leaves_nothing_half(void **state)
{
	for (int when = 0; when < 4; when++) {
		struct fixture *f = *state;
		char id[JOB_ID_SIZE], grave[JOB_ID_SIZE], from[400], to[300];
		make_ended(f, id);
		assert_int_equal(store_delete(f->store, id, NULL), OK);
		snprintf(from, sizeof from, "%s/jobs/%s", f->dir, id);
		snprintf(to, sizeof to, "%s/jobs/.deleted-%s", f->dir, id);
		if (when > 0)
			assert_int_equal(rename(from, to), 0);
		snprintf(from, sizeof from, "%s/job.json", to);
		if (when > 1)
			assert_int_equal(remove(from), 0);
		if (when > 2)
			assert_int_equal(blob_remove_job(f->dir, id, NULL), OK);
		reopen(f);
		job_delete_rest(f->store, f->dir);
		assert_int_equal(folders(f->dir), 0);
		assert_int_equal(store_tombstone(f->store, "", grave, NULL), ERR_NOT_FOUND);
	}
}

/* A folder that was made before its row. */
static void test_a_promise_that_was_not_kept(void **state)
{
	struct fixture *f = *state;
	char id[JOB_ID_SIZE], path[BLOB_PATH_MAX], grave[JOB_ID_SIZE];
	assert_int_equal(job_make_id(id, NULL), OK);
	assert_int_equal(store_promise(f->store, id, NULL), OK);
	blob_path(path, sizeof path, f->dir, id, "checkpoints/epoch-000001.safetensors");
	assert_int_equal(blob_write(path, "x", 1, NULL), OK);
	assert_int_equal(folders(f->dir), 1);
	job_delete_rest(f->store, f->dir);
	assert_int_equal(folders(f->dir), 0);
	assert_int_equal(store_tombstone(f->store, "", grave, NULL), ERR_NOT_FOUND);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_all_files_go),
		TEST(test_a_kill_leaves_nothing_half),
		TEST(test_a_promise_that_was_not_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
