/* One job per key, however often it is asked for. */
#include "server/store/store.h"

#include "tests/server/store/fixture.h"

#include <pthread.h>

static char *print_number(void *ctx, struct job *job)
{
	(void)ctx;
	char *text = malloc(64);
	snprintf(text, 64, "{\"id\":\"%s\",\"queue_position\":%d}", job->id, (int)job->queue_position);
	return text;
}

static struct store_key key_of(const char *key, const char *digest)
{
	return (struct store_key){.key = key, .digest = digest, .status = 201, .print = print_number};
}

static int ask(struct store *s, struct store_key *key)
{
	struct job job = {.kind = "ae", .preset = "default", .dataset = "d"};
	assert_int_equal(job_make_id(job.id, NULL), OK);
	return store_insert_once(s, &job, key, NULL);
}

static int jobs_in(struct store *s)
{
	struct job *jobs;
	struct store_filter all = {.limit = 1000};
	int n;
	bool more;
	assert_int_equal(store_list(s, &all, &jobs, &n, &more, NULL), OK);
	for (int i = 0; i < n; i++)
		job_free(&jobs[i]);
	free(jobs);
	return n;
}

static void test_a_repetition_has_the_first_reply(void **state)
{
	struct fixture *f = *state;
	struct store_key first = key_of("k", "a"), again = key_of("k", "a"), found = key_of("k", "a");
	assert_int_equal(store_key_find(f->store, &found, NULL), ERR_NOT_FOUND);
	assert_int_equal(ask(f->store, &first), OK);
	assert_false(first.replayed);
	assert_int_equal(store_move(f->store, first.job_id, JOB_QUEUED, JOB_CANCELLED, NULL, NULL), OK);
	reopen(f);
	assert_int_equal(ask(f->store, &again), OK);
	assert_true(again.replayed);
	assert_string_equal(again.reply, first.reply);
	assert_string_equal(again.job_id, first.job_id);
	assert_int_equal(store_key_find(f->store, &found, NULL), OK);
	assert_true(found.replayed);
	assert_int_equal(found.status, 201);
	assert_string_equal(found.reply, first.reply);
	assert_int_equal(jobs_in(f->store), 1);
	free(first.reply);
	free(again.reply);
	free(found.reply);
}

static void test_another_request_is_refused(void **state)
{
	struct fixture *f = *state;
	struct store_key first = key_of("k", "a"), other = key_of("k", "b");
	assert_int_equal(ask(f->store, &first), OK);
	assert_int_equal(store_key_find(f->store, &other, NULL), ERR_KEY_REUSED);
	assert_int_equal(ask(f->store, &other), ERR_KEY_REUSED);
	assert_null(other.reply);
	assert_int_equal(jobs_in(f->store), 1);
	free(first.reply);
}

static void test_keys_expire(void **state)
{
	struct fixture *f = *state;
	struct store_key first = key_of("k", "a"), later = key_of("k", "b");
	assert_int_equal(ask(f->store, &first), OK);
	store_close(f->store);
	f->store = NULL;
	temp_sql(f->dir, "UPDATE keys SET at_ms=at_ms-86400001");
	reopen(f);
	assert_int_equal(ask(f->store, &later), OK);
	assert_false(later.replayed);
	assert_int_equal(jobs_in(f->store), 2);
	free(first.reply);
	free(later.reply);
}

/* What was not committed left no key behind, and the next try makes the job. */
static void test_a_refused_job_has_no_key(void **state)
{
	struct fixture *f = *state;
	struct store_key first = key_of("k", "a"), again = key_of("k", "a");
	store_close(f->store);
	f->store = NULL;
	temp_sql(f->dir, "CREATE TRIGGER full BEFORE INSERT ON keys BEGIN SELECT raise(ABORT, 'full'); END;");
	reopen(f);
	assert_int_not_equal(ask(f->store, &first), OK);
	assert_null(first.reply);
	assert_int_equal(jobs_in(f->store), 0);
	temp_sql(f->dir, "DROP TRIGGER full");
	assert_int_equal(ask(f->store, &again), OK);
	assert_false(again.replayed);
	assert_int_equal(jobs_in(f->store), 1);
	free(again.reply);
}

enum { THREADS = 8, KEYS = 20 };
static struct racer {
	struct store *store;
	struct store_key key[KEYS];
} racers[THREADS];

static char names[KEYS][16];

static void *race(void *arg)
{
	struct racer *r = arg;
	for (int i = 0; i < KEYS; i++) {
		struct job job = {.kind = "ae", .preset = "default", .dataset = "d"};
		r->key[i] = key_of(names[i], "a");
		if (job_make_id(job.id, NULL) || store_insert_once(r->store, &job, &r->key[i], NULL))
			return (void *)1;
	}
	return NULL;
}

static void test_at_the_same_moment(void **state)
{
	struct fixture *f = *state;
	pthread_t thread[THREADS];
	void *failed;
	for (int i = 0; i < KEYS; i++)
		snprintf(names[i], sizeof names[i], "k%d", i);
	for (int i = 0; i < THREADS; i++) {
		racers[i].store = f->store;
		assert_int_equal(pthread_create(&thread[i], NULL, race, &racers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(thread[i], &failed);
		assert_null(failed);
	}
	assert_int_equal(jobs_in(f->store), KEYS);
	for (int k = 0; k < KEYS; k++) {
		int made = 0;
		for (int i = 0; i < THREADS; i++) {
			assert_string_equal(racers[i].key[k].reply, racers[0].key[k].reply);
			made += !racers[i].key[k].replayed;
		}
		assert_int_equal(made, 1);
	}
	for (int i = 0; i < THREADS; i++)
		for (int k = 0; k < KEYS; k++)
			free(racers[i].key[k].reply);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_repetition_has_the_first_reply),
		TEST(test_another_request_is_refused),
		TEST(test_keys_expire),
		TEST(test_a_refused_job_has_no_key),
		TEST(test_at_the_same_moment),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
