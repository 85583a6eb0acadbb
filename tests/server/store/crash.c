#include "server/crash.h"

#include "tests/server/store/fixture.h"

static int crashed(struct fixture *f, const char *id, const char *mark)
{
	struct err err = {0};
	return store_crashed(f->store, id, mark, "SIGSEGV", &err);
}

static void test_three_crashes_put_a_job_by(void **state)
{
	struct fixture *f = *state;
	char id[JOB_ID_SIZE], other[JOB_ID_SIZE];
	insert(f->store, "poison", 0, id);
	insert(f->store, "neighbour", 0, other);
	assert_int_equal(crashed(f, id, "first"), OK);
	assert_int_equal(crashed(f, id, "first"), OK); /* told again after a kill: counted once */
	assert_int_equal(crashed(f, id, "second"), OK);
	assert_int_equal(crashed(f, "job_of_nobody", "second"), OK);
	struct job job = get(f->store, id);
	assert_int_equal(job.status, JOB_QUEUED);
	job_free(&job);
	assert_int_equal(crashed(f, id, "third"), OK);
	job = get(f->store, id);
	assert_int_equal(job.status, JOB_FAILED);
	assert_string_equal(job.stop_reason, "quarantined");
	assert_non_null(strstr(job.error_detail, "SIGSEGV"));
	job_free(&job);
	job = get(f->store, other);
	assert_int_equal(job.status, JOB_QUEUED);
	job_free(&job);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_three_crashes_put_a_job_by, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
