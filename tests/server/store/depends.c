/* Jobs that wait for others, and jobs that go. */
#include "server/store/store.h"

#include "tests/server/store/fixture.h"

#include <sys/stat.h>

static int insert_after(struct store *s, const char *name, const char *ids, char id[JOB_ID_SIZE], struct err *err)
{
	struct job job = {.kind = "ae", .preset = "default", .dataset = "d", .depends_on = (char *)ids};
	snprintf(job.name, sizeof job.name, "%s", name);
	assert_int_equal(job_make_id(job.id, NULL), OK);
	memcpy(id, job.id, JOB_ID_SIZE);
	return store_insert(s, &job, err);
}

/* A job that waits for one other. */
static void after(struct store *s, const char *on, char id[JOB_ID_SIZE])
{
	char ids[64];
	snprintf(ids, sizeof ids, "[\"%s\"]", on);
	assert_int_equal(insert_after(s, "", ids, id, NULL), OK);
}

static void end(struct store *s, const char *id, enum job_status to)
{
	const struct store_change change = {.finished = true};
	assert_int_equal(store_move(s, id, JOB_RUNNING, to, &change, NULL), OK);
}

static void assert_none_ready(struct store *s)
{
	struct job job;
	assert_int_equal(store_claim(s, &job, NULL), ERR_NOT_FOUND);
}

static void test_waits_for_both(void **state)
{
	struct fixture *f = *state;
	char a[JOB_ID_SIZE], b[JOB_ID_SIZE], c[JOB_ID_SIZE], ids[100];
	insert(f->store, "a", 0, a);
	insert(f->store, "b", 0, b);
	snprintf(ids, sizeof ids, "[\"%s\",\"%s\"]", a, b);
	assert_int_equal(insert_after(f->store, "c", ids, c, NULL), OK);
	struct job job = get(f->store, c);
	assert_string_equal(job.depends_on, ids);
	job_free(&job);
	claim(f->store, a);
	claim(f->store, b);
	assert_none_ready(f->store);
	end(f->store, b, JOB_SUCCEEDED);
	assert_none_ready(f->store);
	reopen(f); /* a is queued again */
	claim(f->store, a);
	assert_none_ready(f->store);
	end(f->store, a, JOB_SUCCEEDED);
	claim(f->store, c);
	/* one that has succeeded already is not waited for */
	char d[JOB_ID_SIZE];
	after(f->store, a, d);
	claim(f->store, d);
}

static void test_a_failure_goes_down_the_chain(void **state)
{
	enum { CHAIN = 300 };
	struct fixture *f = *state;
	char(*id)[JOB_ID_SIZE] = calloc(CHAIN + 1, sizeof *id), other[JOB_ID_SIZE];
	insert(f->store, "", 0, id[0]);
	for (int i = 0; i < CHAIN; i++)
		after(f->store, id[i], id[i + 1]);
	after(f->store, id[0], other);
	claim(f->store, id[0]);
	end(f->store, id[0], JOB_FAILED);
	for (int i = 1; i <= CHAIN; i++) {
		struct job job = get(f->store, id[i]);
		assert_int_equal(job.status, JOB_FAILED);
		assert_string_equal(job.stop_reason, "dependency_failed");
		assert_string_equal(job.error_code, "dependency_failed");
		assert_memory_equal(job.error_detail, id[i - 1], strlen(id[i - 1]));
		assert_true(job.finished_at_ms > 0);
		job_free(&job);
		assert_int_equal(events_of(f->store, id[i], EVENT_END, NULL), 1);
	}
	assert_int_equal(status_of(f->store, other), JOB_FAILED);
	free(id);
}

static void test_a_cancelled_one_is_no_success(void **state)
{
	struct fixture *f = *state;
	char a[JOB_ID_SIZE], b[JOB_ID_SIZE];
	insert(f->store, "", 0, a);
	after(f->store, a, b);
	assert_int_equal(store_move(f->store, a, JOB_QUEUED, JOB_CANCELLED, NULL, NULL), OK);
	assert_int_equal(status_of(f->store, b), JOB_FAILED);
}

/* What failed with another is tried again only after that one, and waits for it again. */
static void test_tried_again(void **state)
{
	struct fixture *f = *state;
	char a[JOB_ID_SIZE], b[JOB_ID_SIZE];
	struct err err = {0};
	insert(f->store, "", 0, a);
	after(f->store, a, b);
	claim(f->store, a);
	end(f->store, a, JOB_FAILED);
	assert_int_equal(status_of(f->store, b), JOB_FAILED);
	assert_int_equal(store_move(f->store, b, JOB_FAILED, JOB_QUEUED, NULL, &err), ERR_CONFLICT);
	assert_non_null(strstr(err.message, a));
	assert_int_equal(status_of(f->store, b), JOB_FAILED);
	assert_int_equal(store_release(f->store, a, NULL), OK);
	assert_int_equal(store_move(f->store, a, JOB_FAILED, JOB_QUEUED, NULL, NULL), OK);
	assert_int_equal(store_move(f->store, b, JOB_FAILED, JOB_QUEUED, NULL, NULL), OK);
	claim(f->store, a);
	assert_none_ready(f->store);
	end(f->store, a, JOB_SUCCEEDED);
	claim(f->store, b);
}

static void test_lost_or_unknown_is_refused(void **state)
{
	struct fixture *f = *state;
	char a[JOB_ID_SIZE], b[JOB_ID_SIZE], ids[100];
	struct err err = {0};
	insert(f->store, "", 0, a);
	assert_int_equal(store_move(f->store, a, JOB_QUEUED, JOB_CANCELLED, NULL, NULL), OK);
	snprintf(ids, sizeof ids, "[\"%s\"]", a);
	assert_int_equal(insert_after(f->store, "b", ids, b, &err), ERR_INVALID);
	assert_string_equal(err.pointer, "#/depends_on/0");
	assert_int_equal(insert_after(f->store, "b", "[\"job_x\"]", b, &err), ERR_INVALID);
	assert_non_null(strstr(err.message, "job_x"));
	struct job job;
	assert_int_equal(store_get(f->store, "b", &job, NULL), ERR_NOT_FOUND);
}

/* --- deletion --- */

static void test_deleted_with_all_rows(void **state)
{
	struct fixture *f = *state;
	char a[JOB_ID_SIZE], b[JOB_ID_SIZE], grave[JOB_ID_SIZE];
	struct err err = {0};
	struct job job;
	insert(f->store, "shoes", 0, a);
	insert(f->store, "shoes", -1, b);
	assert_int_equal(store_delete(f->store, b, &err), ERR_CONFLICT);
	claim(f->store, a);
	store_point(f->store, a, "train_loss", 1, 0, 0.5);
	store_result(f->store, a, "confusion", "{}");
	assert_int_equal(store_delete(f->store, a, &err), ERR_CONFLICT);
	assert_non_null(strstr(err.message, "running"));
	end(f->store, a, JOB_SUCCEEDED);
	assert_int_equal(store_tombstone(f->store, "", grave, NULL), ERR_NOT_FOUND);
	assert_int_equal(store_delete(f->store, a, NULL), OK);
	assert_int_equal(store_get(f->store, a, &job, NULL), ERR_NOT_FOUND);
	assert_int_equal(store_delete(f->store, a, NULL), ERR_NOT_FOUND);
	job = get(f->store, "shoes"); /* the name is the other's now */
	assert_string_equal(job.id, b);
	job_free(&job);
	reopen(f);
	assert_int_equal(store_tombstone(f->store, "", grave, NULL), OK);
	assert_string_equal(grave, a);
	assert_int_equal(store_buried(f->store, a, NULL), OK);
	assert_int_equal(store_tombstone(f->store, "", grave, NULL), ERR_NOT_FOUND);
	store_close(f->store);
	f->store = NULL;
	temp_sql(f->dir, "CREATE TABLE rest(n INTEGER CHECK(n=0)); INSERT INTO rest SELECT count(*) FROM points UNION ALL"
					 " SELECT count(*) FROM series UNION ALL SELECT count(*) FROM results;"
					 "INSERT INTO rest SELECT count(*)-1 FROM (SELECT DISTINCT job FROM events)");
}

static void test_what_is_needed_stays(void **state)
{
	struct fixture *f = *state;
	char a[JOB_ID_SIZE], b[JOB_ID_SIZE];
	struct err err = {0};
	insert(f->store, "", 0, a);
	claim(f->store, a);
	end(f->store, a, JOB_SUCCEEDED);
	after(f->store, a, b);
	assert_int_equal(store_delete(f->store, a, &err), ERR_CONFLICT);
	assert_non_null(strstr(err.message, b));
	claim(f->store, b);
	end(f->store, b, JOB_SUCCEEDED);
	assert_int_equal(store_delete(f->store, a, NULL), OK);
	struct job on = {.kind = "finetune", .preset = "class1", .dataset = "d"};
	assert_int_equal(job_make_id(on.id, NULL), OK);
	memcpy(on.from_job, b, sizeof on.from_job);
	assert_int_equal(store_insert(f->store, &on, NULL), OK);
	assert_int_equal(store_delete(f->store, b, &err), ERR_CONFLICT);
	assert_non_null(strstr(err.message, on.id));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_waits_for_both),
		TEST(test_a_failure_goes_down_the_chain),
		TEST(test_a_cancelled_one_is_no_success),
		TEST(test_tried_again),
		TEST(test_lost_or_unknown_is_refused),
		TEST(test_deleted_with_all_rows),
		TEST(test_what_is_needed_stays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
