#include "server/store/store.h"

#include "server/clock.h"
#include "tests/server/store/fixture.h"

#include <sys/stat.h>

static void test_job_survives_reopening(void **state)
{
	struct fixture *f = *state;
	char id[JOB_ID_SIZE];
	insert(f->store, "shoes", 3, id);
	reopen(f);
	struct job job = get(f->store, id);
	assert_string_equal(job.name, "shoes");
	assert_string_equal(job.kind, "ae");
	assert_string_equal(job.params, "{\"epochs\":5}");
	assert_string_equal(job.metrics, "{}");
	assert_int_equal(job.priority, 3);
	assert_int_equal(job.seed, 7);
	assert_int_equal(job.status, JOB_QUEUED);
	assert_int_equal(job.queue_position, 1);
	assert_true(job.eta_ms < 0);
	assert_null(job.test);
	assert_null(job.generalisation_gap);
	assert_null(job.metadata);
	job_free(&job);
}

static void test_files_are_private(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {"latentd.db", "latentd.db-wal", "lock"};
	char id[JOB_ID_SIZE], path[300];
	struct stat st;
	insert(f->store, "", 0, id);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/%s", f->dir, names[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
}

static void test_second_opener_is_told_who_holds(void **state)
{
	struct fixture *f = *state;
	struct store *second = NULL;
	struct err err = {0};
	char pid[32];
	snprintf(pid, sizeof pid, "pid %d", (int)getpid());
	assert_int_equal(store_open(&second, f->dir, &err), ERR_IN_USE);
	assert_non_null(strstr(err.message, pid));
	assert_non_null(strstr(err.message, f->dir));
}

static void test_newer_schema_is_refused(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	store_close(f->store);
	f->store = NULL;
	char version[64];
	snprintf(version, sizeof version, "PRAGMA user_version=%d", temp_version(f->dir));
	temp_sql(f->dir, "PRAGMA user_version=99");
	assert_int_equal(store_open(&f->store, f->dir, &err), ERR_CONFLICT);
	assert_non_null(strstr(err.message, "version 99"));
	temp_sql(f->dir, version);
	reopen(f); /* and it was left as it was */
}

static void test_broken_file_is_refused(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	char path[300];
	store_close(f->store);
	f->store = NULL;
	snprintf(path, sizeof path, "%s/latentd.db", f->dir);
	FILE *file = fopen(path, "r+");
	fputs("this is not a database, whatever it was before", file);
	fclose(file);
	assert_int_equal(store_open(&f->store, f->dir, &err), ERR_CORRUPT);
	assert_non_null(strstr(err.message, path));
}

/* Texts that somebody else wrote into the file are cut, not trusted. */
static void test_overlong_text_is_cut(void **state)
{
	struct fixture *f = *state;
	char id[JOB_ID_SIZE];
	insert(f->store, "", 0, id);
	store_close(f->store);
	f->store = NULL;
	temp_sql(f->dir, "UPDATE jobs SET name=hex(zeroblob(5000)), kind=hex(zeroblob(5000))");
	reopen(f);
	struct job job = get(f->store, id);
	assert_int_equal(strlen(job.name), sizeof job.name - 1);
	assert_int_equal(strlen(job.kind), sizeof job.kind - 1);
	job_free(&job);
}

static void test_claims_by_priority_then_age(void **state)
{
	struct fixture *f = *state;
	char a[JOB_ID_SIZE], b[JOB_ID_SIZE], c[JOB_ID_SIZE], d[JOB_ID_SIZE];
	insert(f->store, "a", 0, a);
	insert(f->store, "b", 5, b);
	insert(f->store, "c", 5, c);
	insert(f->store, "d", -1, d);
	struct job last = get(f->store, d);
	assert_int_equal(last.queue_position, 4);
	job_free(&last);
	claim(f->store, b);
	claim(f->store, c);
	claim(f->store, a);
	claim(f->store, d);
	struct job none;
	assert_int_equal(store_claim(f->store, &none, NULL), ERR_NOT_FOUND);
}

static void test_claim_counts_starts(void **state)
{
	struct fixture *f = *state;
	char id[JOB_ID_SIZE];
	insert(f->store, "", 0, id);
	claim(f->store, id);
	struct job first = get(f->store, id);
	assert_int_equal(first.attempt, 1);
	assert_true(first.started_at_ms >= first.created_at_ms);
	reopen(f); /* as after a kill: running → queued */
	assert_int_equal(status_of(f->store, id), JOB_QUEUED);
	usleep(3000);
	claim(f->store, id);
	struct job second = get(f->store, id);
	assert_int_equal(second.attempt, 2);
	assert_int_equal(second.started_at_ms, first.started_at_ms);
	assert_int_equal(events_of(f->store, id, EVENT_STATUS, NULL), 4); /* queued running queued running */
	job_free(&first);
	job_free(&second);
}

static void test_recovery_finishes_a_cancel(void **state)
{
	struct fixture *f = *state;
	char id[JOB_ID_SIZE];
	insert(f->store, "", 0, id);
	claim(f->store, id);
	assert_int_equal(store_move(f->store, id, JOB_RUNNING, JOB_CANCELLING, NULL, NULL), OK);
	reopen(f);
	struct job job = get(f->store, id);
	assert_int_equal(job.status, JOB_CANCELLED);
	assert_string_equal(job.stop_reason, "user_cancel");
	assert_true(job.finished_at_ms > 0);
	assert_int_equal(events_of(f->store, id, EVENT_END, NULL), 1);
	job_free(&job);
}

/* Who has it still does not lose it to another, and is not heard any more. */
static void test_given_up_by_force(void **state)
{
	struct fixture *f = *state;
	char id[JOB_ID_SIZE], other[JOB_ID_SIZE];
	struct job none;
	static const struct store_change end = {.stop_reason = "user_cancel", .finished = true};
	struct job late = {.step = 7, .steps = 9};
	int before, after;
	insert(f->store, "", 0, id);
	insert(f->store, "", -1, other);
	claim(f->store, id);
	store_point(f->store, id, "train_loss", 1, 0.1, 0.5);
	assert_int_equal(store_move(f->store, id, JOB_RUNNING, JOB_CANCELLED, &end, NULL), OK);
	events_of(f->store, id, EVENT_END, &before);
	memcpy(late.id, id, sizeof id);
	for (int round = 0; round < 2; round++) {
		store_point(f->store, id, "train_loss", 2 + round, 0.2, 0.25);
		store_event(f->store, id, EVENT_LOG, NULL, "\"message\":\"late\"");
		store_result(f->store, id, "confusion", "{}");
		store_progress(f->store, &late);
		assert_int_equal(store_flush(f->store, NULL), OK);
		events_of(f->store, id, EVENT_END, &after);
		assert_int_equal(after, before + round);
		struct job job = get(f->store, id);
		assert_int_equal(job.step, 0);
		assert_string_equal(job.metrics, "{\"train_loss\":0.5}");
		job_free(&job);
		char *body;
		assert_int_equal(store_result_get(f->store, id, "confusion", &body, NULL), ERR_NOT_FOUND);
		if (round == 0) /* tried again while its worker is busy */
			assert_int_equal(store_move(f->store, id, JOB_CANCELLED, JOB_QUEUED, NULL, NULL), OK);
	}
	claim(f->store, other); /* though it comes later */
	assert_int_equal(store_claim(f->store, &none, NULL), ERR_NOT_FOUND);
	assert_int_equal(store_release(f->store, id, NULL), OK);
	claim(f->store, id);
	struct job again = get(f->store, id);
	assert_int_equal(again.attempt, 2);
	assert_string_equal(again.stop_reason, "");
	assert_int_equal(again.finished_at_ms, 0);
	job_free(&again);
	reopen(f); /* nobody has it after a restart */
	claim(f->store, id);
}

static void test_recovery_pauses(void **state)
{
	struct fixture *f = *state;
	char id[JOB_ID_SIZE];
	struct job none;
	static const struct store_change stop = {.wishes = true, .wish = WISH_STOP};
	insert(f->store, "", 0, id);
	claim(f->store, id);
	assert_int_equal(store_move(f->store, id, JOB_RUNNING, JOB_PAUSING, NULL, NULL), OK);
	reopen(f);
	assert_int_equal(status_of(f->store, id), JOB_PAUSED);
	assert_int_equal(store_claim(f->store, &none, NULL), ERR_NOT_FOUND);
	assert_int_equal(store_move(f->store, id, JOB_PAUSED, JOB_QUEUED, &stop, NULL), OK);
	reopen(f); /* a wish is kept, and what is claimed bears it */
	claim(f->store, id);
	struct job job = get(f->store, id);
	assert_int_equal(job.wish, WISH_STOP);
	job_free(&job);
	assert_int_equal(store_move(f->store, id, JOB_RUNNING, JOB_SUCCEEDED, NULL, NULL), OK);
	job = get(f->store, id);
	assert_int_equal(job.wish, WISH_NONE);
	job_free(&job);
}

static void test_a_paused_queue(void **state)
{
	struct fixture *f = *state;
	char a[JOB_ID_SIZE], b[JOB_ID_SIZE];
	struct job none;
	struct store_queue q;
	insert(f->store, "", 0, a);
	insert(f->store, "", 1, b);
	assert_int_equal(store_pause_queue(f->store, true, NULL), OK);
	assert_int_equal(store_pause_queue(f->store, true, NULL), OK);
	assert_int_equal(store_claim(f->store, &none, NULL), ERR_NOT_FOUND);
	reopen(f);
	assert_int_equal(store_claim(f->store, &none, NULL), ERR_NOT_FOUND);
	assert_int_equal(store_queue(f->store, &q, NULL), OK);
	assert_true(q.paused && q.n == 2 && q.count[JOB_QUEUED] == 2 && q.count[JOB_RUNNING] == 0);
	assert_string_equal(q.next[0], b);
	assert_string_equal(q.next[1], a);
	assert_int_equal(store_pause_queue(f->store, false, NULL), OK);
	claim(f->store, b);
}

static void test_a_retry_waits_its_time(void **state)
{
	struct fixture *f = *state;
	char id[JOB_ID_SIZE];
	struct job none;
	int64_t later;
	const struct store_change again = {.not_before_ms = clock_ms() + 100000}, soon = {.not_before_ms = 1};
	insert(f->store, "", 0, id);
	claim(f->store, id);
	assert_int_equal(store_later(f->store, &later, NULL), OK);
	assert_int_equal(later, 0);
	assert_int_equal(store_move(f->store, id, JOB_RUNNING, JOB_QUEUED, &again, NULL), OK);
	assert_int_equal(store_release(f->store, id, NULL), OK);
	assert_int_equal(store_claim(f->store, &none, NULL), ERR_NOT_FOUND);
	assert_int_equal(store_later(f->store, &later, NULL), OK);
	assert_int_equal(later, again.not_before_ms);
	reopen(f); /* the clock of another start says nothing */
	claim(f->store, id);
	assert_int_equal(store_move(f->store, id, JOB_RUNNING, JOB_QUEUED, &soon, NULL), OK);
	assert_int_equal(store_release(f->store, id, NULL), OK);
	claim(f->store, id);
	struct job job = get(f->store, id);
	assert_int_equal(job.retries, 2);
	job_free(&job);
}

static void test_illegal_moves_change_nothing(void **state)
{
	struct fixture *f = *state;
	char id[JOB_ID_SIZE];
	struct err err = {0};
	int before, after;
	insert(f->store, "", 0, id);
	events_of(f->store, id, EVENT_STATUS, &before);
	assert_int_equal(store_move(f->store, id, JOB_RUNNING, JOB_SUCCEEDED, NULL, &err), ERR_CONFLICT);
	assert_non_null(strstr(err.message, "is queued"));
	assert_int_equal(store_move(f->store, id, JOB_QUEUED, JOB_SUCCEEDED, NULL, &err), ERR_CONFLICT);
	assert_int_equal(store_move(f->store, "job_nobody", JOB_QUEUED, JOB_RUNNING, NULL, &err), ERR_NOT_FOUND);
	events_of(f->store, id, EVENT_STATUS, &after);
	assert_int_equal(before, after);
	assert_int_equal(status_of(f->store, id), JOB_QUEUED);
}

static void test_settled_job_keeps_its_verdict(void **state)
{
	struct fixture *f = *state;
	char id[JOB_ID_SIZE];
	const struct store_change change = {.stop_reason = "diverged",
		.error_code = "diverged",
		.error_detail = "non-finite loss at step 3",
		.finished = true};
	insert(f->store, "", 0, id);
	claim(f->store, id);
	store_point(f->store, id, "train_loss", 1, 0.1, 0.5);
	assert_int_equal(store_move(f->store, id, JOB_RUNNING, JOB_FAILED, &change, NULL), OK);
	struct job job = get(f->store, id);
	assert_int_equal(job.status, JOB_FAILED);
	assert_string_equal(job.error_code, "diverged");
	assert_string_equal(job.error_detail, "non-finite loss at step 3");
	assert_string_equal(job.stop_reason, "diverged");
	assert_string_equal(job.metrics, "{\"train_loss\":0.5}");
	job_free(&job);

	struct event *events;
	int n;
	assert_int_equal(store_events(f->store, id, 0, 100, &events, &n, NULL), OK);
	assert_int_equal(events[n - 1].type, EVENT_END); /* nothing after it, and the point's event before */
	assert_non_null(strstr(events[n - 1].data, "\"status\":\"failed\"}"));
	assert_int_equal(events[n - 2].type, EVENT_STATUS);
	assert_non_null(strstr(events[n - 2].data, "\"stop_reason\":\"diverged\""));
	assert_int_equal(events[n - 3].type, EVENT_METRICS);
	for (int i = 0; i < n; i++)
		free(events[i].data);
	free(events);
}

static void test_names_and_latest(void **state)
{
	struct fixture *f = *state;
	char a[JOB_ID_SIZE], b[JOB_ID_SIZE], c[JOB_ID_SIZE];
	struct job job;
	struct err err = {0};
	assert_int_equal(store_get(f->store, "latest", &job, &err), ERR_NOT_FOUND);
	assert_non_null(strstr(err.message, "no jobs yet"));
	insert(f->store, "x", 0, a);
	insert(f->store, "x", 0, b);
	insert(f->store, "y", 0, c);
	job = get(f->store, "x");
	assert_string_equal(job.id, b);
	job_free(&job);
	job = get(f->store, "latest");
	assert_string_equal(job.id, c);
	job_free(&job);
	assert_int_equal(store_get(f->store, "z", &job, &err), ERR_NOT_FOUND);
	assert_non_null(strstr(err.message, c));
	assert_non_null(strstr(err.message, "'z'"));
}

static void test_list_pages(void **state)
{
	struct fixture *f = *state;
	char id[5][JOB_ID_SIZE];
	for (int i = 0; i < 5; i++)
		insert(f->store, i % 2 ? "odd" : "even", 0, id[i]);
	claim(f->store, id[0]);
	struct job *jobs;
	int n;
	bool more;
	struct store_filter all = {.limit = 2};
	assert_int_equal(store_list(f->store, &all, &jobs, &n, &more, NULL), OK);
	assert_int_equal(n, 2);
	assert_true(more);
	assert_string_equal(jobs[0].id, id[4]);
	assert_string_equal(jobs[1].id, id[3]);
	for (int i = 0; i < n; i++)
		job_free(&jobs[i]);
	free(jobs);

	struct store_filter rest = {.limit = 3, .after = id[1], .ascending = true};
	assert_int_equal(store_list(f->store, &rest, &jobs, &n, &more, NULL), OK);
	assert_int_equal(n, 3);
	assert_false(more);
	assert_string_equal(jobs[0].id, id[2]);
	for (int i = 0; i < n; i++)
		job_free(&jobs[i]);
	free(jobs);

	struct store_filter running = {.limit = 10, .status = "failed,running", .kind = "ae", .name = "even"};
	assert_int_equal(store_list(f->store, &running, &jobs, &n, &more, NULL), OK);
	assert_int_equal(n, 1);
	assert_string_equal(jobs[0].id, id[0]);
	job_free(&jobs[0]);
	free(jobs);

	struct store_filter nobody = {.limit = 10, .after = "job_nobody"};
	assert_int_equal(store_list(f->store, &nobody, &jobs, &n, &more, NULL), ERR_NOT_FOUND);
}

static void count(void *ctx, const char *kind, enum job_status status, int64_t n)
{
	int64_t *counts = ctx;
	assert_string_equal(kind, "ae");
	counts[status] += n;
}

/* A result is there once it was reported, the newest of its name; another job has none. */
static void test_results(void **state)
{
	struct fixture *f = *state;
	char a[JOB_ID_SIZE], b[JOB_ID_SIZE], *text;
	struct err err = {0};
	insert(f->store, "a", 0, a);
	insert(f->store, "b", 0, b);
	store_result(f->store, a, "confusion", "[1]");
	store_result(f->store, a, "confusion", "[2]");
	assert_int_equal(store_flush(f->store, NULL), OK);
	assert_int_equal(store_result_get(f->store, a, "confusion", &text, NULL), OK);
	assert_string_equal(text, "[2]");
	free(text);
	assert_int_equal(store_result_get(f->store, b, "confusion", &text, &err), ERR_NOT_FOUND);
	assert_int_equal(store_result_get(f->store, a, "other", &text, &err), ERR_NOT_FOUND);
}

static void test_counts(void **state)
{
	struct fixture *f = *state;
	char id[JOB_ID_SIZE], first[JOB_ID_SIZE];
	int64_t counts[JOB_STATUS_COUNT] = {0};
	insert(f->store, "", 0, first);
	insert(f->store, "", 0, id);
	insert(f->store, "", 0, id);
	claim(f->store, first);
	assert_int_equal(store_counts(f->store, count, counts, NULL), OK);
	assert_int_equal(counts[JOB_QUEUED], 2);
	assert_int_equal(counts[JOB_RUNNING], 1);
	assert_int_equal(counts[JOB_FAILED], 0);
}

static void test_queue_limit(void **state)
{
	struct fixture *f = *state;
	char id[JOB_ID_SIZE];
	struct err err = {0};
	store_set_queue_limit(f->store, 1);
	insert(f->store, "", 0, id);
	struct job job = {.id = "job_more", .kind = "ae", .preset = "default", .dataset = "d"};
	assert_int_equal(store_insert(f->store, &job, &err), ERR_FULL);
	assert_int_equal(job.number, 0);
	claim(f->store, id);
	assert_int_equal(store_insert(f->store, &job, &err), OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_job_survives_reopening),
		TEST(test_files_are_private),
		TEST(test_second_opener_is_told_who_holds),
		TEST(test_newer_schema_is_refused),
		TEST(test_broken_file_is_refused),
		TEST(test_overlong_text_is_cut),
		TEST(test_claims_by_priority_then_age),
		TEST(test_claim_counts_starts),
		TEST(test_recovery_finishes_a_cancel),
		TEST(test_given_up_by_force),
		TEST(test_recovery_pauses),
		TEST(test_a_paused_queue),
		TEST(test_a_retry_waits_its_time),
		TEST(test_illegal_moves_change_nothing),
		TEST(test_settled_job_keeps_its_verdict),
		TEST(test_names_and_latest),
		TEST(test_list_pages),
		TEST(test_results),
		TEST(test_counts),
		TEST(test_queue_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
