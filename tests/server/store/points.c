/* Curves, events and the group commit that carries them. */
#include "server/store/store.h"

#include "server/clock.h"
#include "tests/server/store/fixture.h"

#include <math.h>
#include <pthread.h>

static void test_repeated_steps_leave_one_point_each(void **state)
{
	struct fixture *f = *state;
	char id[JOB_ID_SIZE];
	struct curve c;
	insert(f->store, "", 0, id);
	for (int i = 1; i <= 1000; i++)
		store_point(f->store, id, "train_loss", i, i / 100.0, 1.0 / i);
	store_point(f->store, id, "val_loss", 1000, 10, 0.25);
	assert_int_equal(store_flush(f->store, NULL), OK);
	reopen(f);
	for (int i = 500; i <= 1500; i++)
		store_point(f->store, id, "train_loss", i, i / 100.0, 1.0 / i);
	assert_int_equal(store_flush(f->store, NULL), OK);
	assert_int_equal(store_curve(f->store, id, "train_loss", 0, &c, NULL), OK);
	assert_int_equal(c.n, 1500);
	for (int i = 0; i < 1500; i++) {
		assert_int_equal(c.step[i], i + 1);
		assert_true(c.value[i] == 1.0 / (i + 1));
		assert_true(c.min[i] == c.value[i] && c.max[i] == c.value[i]);
		assert_true(c.epoch[i] == (i + 1) / 100.0);
		assert_true(c.time_ms[i] > 1600000000000);
	}
	curve_free(&c);
	assert_int_equal(store_curve(f->store, id, "train_loss", 1499, &c, NULL), OK);
	assert_int_equal(c.n, 2);
	curve_free(&c);
	assert_int_equal(store_curve(f->store, id, "nothing", 0, &c, NULL), OK);
	assert_int_equal(c.n, 0);
	curve_free(&c);

	char(*names)[JOB_WORD];
	int n;
	assert_int_equal(store_series(f->store, id, &names, &n, NULL), OK);
	assert_int_equal(n, 2);
	assert_string_equal(names[0], "train_loss");
	assert_string_equal(names[1], "val_loss");
	free(names);
}

static void test_non_finite_points_survive(void **state)
{
	struct fixture *f = *state;
	char id[JOB_ID_SIZE];
	struct curve c;
	insert(f->store, "", 0, id);
	store_point(f->store, id, "g_loss", 1, 1, (double)NAN);
	store_point(f->store, id, "g_loss", 2, 1, (double)INFINITY);
	assert_int_equal(store_flush(f->store, NULL), OK);
	assert_int_equal(store_curve(f->store, id, "g_loss", 0, &c, NULL), OK);
	assert_true(isnan(c.value[0]) && isinf(c.value[1]));
	curve_free(&c);
}

static void test_unique_events_are_stored_once(void **state)
{
	struct fixture *f = *state;
	char id[JOB_ID_SIZE];
	int all;
	insert(f->store, "", 0, id);
	for (int round = 0; round < 2; round++) {
		store_event(f->store, id, EVENT_PREVIEW, "epoch 1", "\"epoch\":1");
		store_event(f->store, id, EVENT_PREVIEW, "epoch 2", "\"epoch\":2");
		store_event(f->store, id, EVENT_CHECKPOINT, "epoch 1", "\"epoch\":1");
		store_event(f->store, id, EVENT_LOG, NULL, "\"message\":\"hello\"");
		assert_int_equal(store_flush(f->store, NULL), OK);
		reopen(f);
	}
	assert_int_equal(events_of(f->store, id, EVENT_PREVIEW, &all), 2);
	assert_int_equal(events_of(f->store, id, EVENT_CHECKPOINT, NULL), 1);
	assert_int_equal(events_of(f->store, id, EVENT_LOG, NULL), 2);
	assert_int_equal(all, 6);
	struct event *events;
	int n;
	assert_int_equal(store_events(f->store, id, 2, 2, &events, &n, NULL), OK);
	assert_int_equal(n, 2);
	assert_int_equal(events[0].seq, 3);
	for (int i = 0; i < n; i++)
		free(events[i].data);
	free(events);
}

static void test_metrics_events_are_rationed(void **state)
{
	struct fixture *f = *state;
	char id[JOB_ID_SIZE];
	insert(f->store, "", 0, id);
	int64_t begin = clock_ms();
	for (int i = 1; i <= 40; i++) {
		store_point(f->store, id, "train_loss", i, 0.1, i);
		assert_int_equal(store_flush(f->store, NULL), OK); /* many small commits */
		usleep(10000);
	}
	int64_t most = (clock_ms() - begin) / 200 + 1;
	int n = events_of(f->store, id, EVENT_METRICS, NULL);
	assert_in_range(n, 2, most);
}

/* What the ration holds back when a job ends is not told later: the end is the last event. */
static void test_nothing_follows_the_end(void **state)
{
	struct fixture *f = *state;
	char id[JOB_ID_SIZE], other[JOB_ID_SIZE];
	int64_t last = 0, later = 0;
	insert(f->store, "", 0, id);
	claim(f->store, id);
	for (int i = 1; i <= 2; i++) { /* the first is told, the second comes too soon after it */
		store_point(f->store, id, "train_loss", i, 0.1, i);
		assert_int_equal(store_flush(f->store, NULL), OK);
	}
	assert_int_equal(store_move(f->store, id, JOB_RUNNING, JOB_SUCCEEDED, NULL, NULL), OK);
	assert_int_equal(store_last_seq(f->store, id, &last, NULL), OK);
	usleep(300000);
	insert(f->store, "", 0, other); /* any commit */
	assert_int_equal(store_last_seq(f->store, id, &later, NULL), OK);
	assert_int_equal(last, later);
}

static void test_reports_are_committed_without_a_call(void **state)
{
	struct fixture *f = *state;
	char id[JOB_ID_SIZE];
	insert(f->store, "", 0, id);
	struct job progress = {.epoch = 2,
		.epochs = 5,
		.step = 20,
		.steps = 50,
		.eta_ms = 1234,
		.best_metric = "val_loss",
		.best_value = 0.5,
		.best_epoch = 2,
		.dataset_sha256 = "abc",
		.warnings = (char[]){"[\"w\"]"}};
	memcpy(progress.id, id, sizeof progress.id);
	store_progress(f->store, &progress);
	usleep((STORE_BATCH_MS + 200) * 1000);
	struct job job = get(f->store, id);
	assert_int_equal(job.epoch, 2);
	assert_int_equal(job.step, 20);
	assert_int_equal(job.best_epoch, 2);
	assert_string_equal(job.best_metric, "val_loss");
	assert_string_equal(job.dataset_sha256, "abc");
	assert_string_equal(job.warnings, "[\"w\"]");
	job_free(&job);
}

/* --- the listener --- */

struct listener {
	pthread_mutex_t lock;
	struct store *store;
	char dir[200];
	int calls;
	int64_t last_seq;
	bool unseen; /* told of something that another connection could not read yet */
};

static void listen(void *ctx, const char *job_id, int64_t last_seq, enum job_status status)
{
	struct listener *l = ctx;
	struct event *events;
	int n = 0;
	(void)status;
	store_events(l->store, job_id, last_seq - 1, 1, &events, &n, NULL);
	pthread_mutex_lock(&l->lock);
	l->calls++;
	l->unseen |= n != 1;
	l->last_seq = last_seq;
	pthread_mutex_unlock(&l->lock);
	for (int i = 0; i < n; i++)
		free(events[i].data);
	free(events);
}

static void test_listener_hears_after_commit(void **state)
{
	struct fixture *f = *state;
	char id[JOB_ID_SIZE];
	struct listener l = {.lock = PTHREAD_MUTEX_INITIALIZER, .store = f->store};
	store_on_commit(f->store, listen, &l);
	insert(f->store, "", 0, id);
	claim(f->store, id);
	for (int i = 0; i < 10; i++)
		store_event(f->store, id, EVENT_LOG, NULL, "\"message\":\"x\"");
	assert_int_equal(store_flush(f->store, NULL), OK);
	store_close(f->store); /* the writer has said all it will */
	f->store = NULL;
	assert_false(l.unseen);
	assert_int_equal(l.last_seq, 12);
	assert_in_range(l.calls, 2, 12);
}

/* --- many threads --- */

enum { THREADS = 8, JOBS_EACH = 10 };

static void *insert_many(void *arg)
{
	struct store *s = arg;
	for (int i = 0; i < JOBS_EACH; i++) {
		struct job job = {.kind = "ae", .preset = "default", .dataset = "d"}, back;
		if (job_make_id(job.id, NULL) || store_insert(s, &job, NULL) || store_get(s, job.id, &back, NULL))
			return (void *)1; /* an acknowledged job can be read at once */
		job_free(&back);
		for (int step = 1; step <= 20; step++)
			store_point(s, job.id, "train_loss", step, 0, step);
	}
	return NULL;
}

static void test_concurrent_inserts(void **state)
{
	struct fixture *f = *state;
	pthread_t thread[THREADS];
	void *failed;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, insert_many, f->store), 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(thread[i], &failed);
		assert_null(failed);
	}
	reopen(f);
	struct job *jobs;
	int n;
	bool more;
	struct store_filter all = {.limit = 1000, .ascending = true};
	assert_int_equal(store_list(f->store, &all, &jobs, &n, &more, NULL), OK);
	assert_int_equal(n, THREADS * JOBS_EACH);
	for (int i = 0; i < n; i++) {
		struct curve c;
		assert_int_equal(jobs[i].number, i + 1);
		assert_int_equal(store_curve(f->store, jobs[i].id, "train_loss", 0, &c, NULL), OK);
		assert_int_equal(c.n, 20);
		curve_free(&c);
		job_free(&jobs[i]);
	}
	free(jobs);
}

/* --- a disk that is full for a while --- */

static void test_full_disk_loses_nothing_acknowledged(void **state)
{
	struct fixture *f = *state;
	char id[JOB_ID_SIZE];
	struct err err = {0};
	struct curve c;
	insert(f->store, "", 0, id);
	store_close(f->store);
	f->store = NULL;
	temp_sql(f->dir, "CREATE TRIGGER full BEFORE INSERT ON points WHEN (SELECT count(*) FROM points) < 1000 BEGIN"
					 " SELECT raise(ABORT, 'full'); END;");
	reopen(f);
	store_point(f->store, id, "train_loss", 1, 0, 0.5);
	struct job job = {.id = "job_refused", .kind = "ae", .preset = "default", .dataset = "d"};
	assert_int_not_equal(store_insert(f->store, &job, &err), OK); /* its batch could not be committed */
	assert_int_equal(store_get(f->store, "job_refused", &job, &err), ERR_NOT_FOUND);
	temp_sql(f->dir, "DROP TRIGGER full");
	usleep(1500000); /* the report is tried again by itself */
	assert_int_equal(store_curve(f->store, id, "train_loss", 0, &c, NULL), OK);
	assert_int_equal(c.n, 1);
	curve_free(&c);
	struct job again = {.id = "job_refused", .kind = "ae", .preset = "default", .dataset = "d"};
	assert_int_equal(store_insert(f->store, &again, &err), OK);
}

static void test_long_curve_reads_quickly(void **state)
{
	struct fixture *f = *state;
	char id[JOB_ID_SIZE];
	struct curve c;
	enum { N = 20000 };
	insert(f->store, "", 0, id);
	for (int i = 1; i <= N; i++) {
		store_point(f->store, id, "train_loss", i, i / 400.0, 1.0 / i);
		if (i % 200 == 0)
			assert_int_equal(store_flush(f->store, NULL), OK); /* a row each */
	}
	int64_t begin = clock_us();
	assert_int_equal(store_curve(f->store, id, "train_loss", 0, &c, NULL), OK);
	int64_t us = clock_us() - begin;
	assert_int_equal(c.n, N);
	curve_free(&c);
	print_message("%d points in %lld us\n", N, (long long)us);
	assert_in_range(us, 0, 200000); /* a busy machine and sanitizers included */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_repeated_steps_leave_one_point_each),
		TEST(test_non_finite_points_survive),
		TEST(test_unique_events_are_stored_once),
		TEST(test_metrics_events_are_rationed),
		TEST(test_nothing_follows_the_end),
		TEST(test_reports_are_committed_without_a_call),
		TEST(test_listener_hears_after_commit),
		TEST(test_concurrent_inserts),
		TEST(test_full_disk_loses_nothing_acknowledged),
		TEST(test_long_curve_reads_quickly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
