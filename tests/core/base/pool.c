#include "core/base/pool.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

enum { TASKS = 200 };

struct work {
	struct pool *pool;
	atomic_int runs[TASKS];
	uint64_t result[TASKS];
	atomic_int busy[8]; /* by slot: two tasks must never share one */
	atomic_int clashes;
};

static uint64_t mix(uint64_t x, int rounds)
{
	for (int i = 0; i < rounds; i++)
		x = x * 6364136223846793005u + 1442695040888963407u;
	return x;
}

static void task(void *ctx, int i, int slot)
{
	struct work *w = ctx;
	if (slot < 0 || slot >= pool_threads(w->pool) || atomic_fetch_add(&w->busy[slot], 1))
		atomic_fetch_add(&w->clashes, 1);
	atomic_fetch_add(&w->runs[i], 1);
	w->result[i] = mix((uint64_t)i, 50 + i % 7 * 100);
	atomic_fetch_sub(&w->busy[slot], 1);
}

static void assert_done_once(struct work *w)
{
	for (int i = 0; i < TASKS; i++) {
		assert_int_equal(atomic_load(&w->runs[i]), 1);
		assert_true(w->result[i] == mix((uint64_t)i, 50 + i % 7 * 100));
	}
	assert_int_equal(atomic_load(&w->clashes), 0);
}

static void test_every_task_runs_once(void **state)
{
	(void)state;
	for (int threads = 0; threads <= 3; threads++) {
		struct work w = {0};
		struct err err;
		if (threads)
			assert_int_equal(pool_open(&w.pool, threads, &err), OK);
		assert_int_equal(pool_threads(w.pool), threads ? threads : 1);
		pool_run(w.pool, TASKS, task, &w);
		assert_done_once(&w);
		pool_run(w.pool, 0, task, &w); /* nothing to do is nothing done */
		assert_done_once(&w);
		pool_close(w.pool);
	}
}

/* --- many callers: slots belong to the pool, so they share the busy marks of one struct --- */

enum { CALLERS = 4, ROUNDS = 30 };
static atomic_int slot_busy[8], slot_clashes, calls;

static void shared_task(void *ctx, int i, int slot)
{
	if (atomic_fetch_add(&slot_busy[slot], 1))
		atomic_fetch_add(&slot_clashes, 1);
	((uint64_t *)ctx)[i] = mix((uint64_t)i, 100);
	atomic_fetch_add(&calls, 1);
	atomic_fetch_sub(&slot_busy[slot], 1);
}

static void *caller(void *pool)
{
	uint64_t result[TASKS];
	for (int round = 0; round < ROUNDS; round++) {
		int n = 1 + round * 7 % TASKS;
		memset(result, 0, sizeof result);
		pool_run(pool, n, shared_task, result);
		for (int i = 0; i < n; i++)
			if (result[i] != mix((uint64_t)i, 100))
				return "wrong";
		if (n < TASKS && result[n])
			return "too many";
	}
	return NULL;
}

static void test_many_callers_share_it(void **state)
{
	(void)state;
	struct pool *pool;
	struct err err;
	assert_int_equal(pool_open(&pool, 3, &err), OK);
	pthread_t thread[CALLERS];
	for (int i = 0; i < CALLERS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, caller, pool), 0);
	int want = 0;
	for (int round = 0; round < ROUNDS; round++)
		want += CALLERS * (1 + round * 7 % TASKS);
	for (int i = 0; i < CALLERS; i++) {
		void *complaint;
		pthread_join(thread[i], &complaint);
		if (complaint)
			fail_msg("%s", (const char *)complaint);
	}
	assert_int_equal(atomic_load(&calls), want);
	assert_int_equal(atomic_load(&slot_clashes), 0);
	pool_close(pool);
}

/* A denormal vanishes on the threads that compute, and on a caller who computes alone. */
static void denormal_task(void *ctx, int i, int slot)
{
	(void)slot;
	volatile float tiny = 1e-38f;
	((float *)ctx)[i] = tiny * 0.1f;
}

static void test_denormals_are_flushed(void **state)
{
	(void)state;
	struct pool *pool;
	struct err err;
	assert_int_equal(pool_open(&pool, 2, &err), OK);
	float result[TASKS];
	memset(result, 1, sizeof result);
	pool_run(pool, TASKS, denormal_task, result);
	for (int i = 0; i < TASKS; i++)
		assert_true(result[i] == 0);
	pool_close(pool);
	memset(result, 1, sizeof result);
	pool_run(NULL, TASKS, denormal_task, result);
	for (int i = 0; i < TASKS; i++)
		assert_true(result[i] == 0);
}

static void owner_task(void *ctx, int i, int slot)
{
	(void)slot;
	mix((uint64_t)i, 20000); /* long enough for others to take part */
	((const void **)ctx)[i] = pool_owner;
}

/* Whoever computes knows for whom, and who only calls keeps what it had. */
static void test_tasks_know_their_caller(void **state)
{
	static const char mine[] = "mine";
	const void *seen[TASKS] = {0};
	struct pool *pool;
	struct err err;
	(void)state;
	assert_int_equal(pool_open(&pool, 3, &err), OK);
	pool_owner = mine;
	pool_run(pool, TASKS, owner_task, seen);
	for (int i = 0; i < TASKS; i++)
		assert_ptr_equal(seen[i], mine);
	assert_ptr_equal(pool_owner, mine);
	pool_owner = NULL;
	pool_run(pool, TASKS, owner_task, seen);
	for (int i = 0; i < TASKS; i++)
		assert_null(seen[i]);
	pool_close(pool);
}

static void test_closing_nothing(void **state)
{
	(void)state;
	pool_close(NULL);
	struct pool *pool;
	struct err err;
	assert_int_equal(pool_open(&pool, 2, &err), OK);
	pool_close(pool); /* never used */
}

/* --- in turn --- */

enum { LONG = 400, SHORT = 4, SHARES = 3 };

/* One with many tasks; one with few, that comes when it is under way. */
struct turns {
	struct pool *pool;
	atomic_int long_begun, long_when_short_ended;
};

static void long_task(void *ctx, int i, int slot)
{
	struct turns *t = ctx;
	(void)i, (void)slot;
	atomic_fetch_add(&t->long_begun, 1);
	usleep(500);
}

static void short_task(void *ctx, int i, int slot)
{
	(void)ctx, (void)i, (void)slot;
}

static void *run_long(void *ctx)
{
	struct turns *t = ctx;
	pool_settle_thread();
	pool_run(t->pool, LONG, long_task, t);
	return NULL;
}

static void *run_short(void *ctx)
{
	struct turns *t = ctx;
	pool_settle_thread();
	while (!atomic_load(&t->long_begun))
		usleep(100);
	pool_run(t->pool, SHORT, short_task, t);
	atomic_store(&t->long_when_short_ended, atomic_load(&t->long_begun));
	return NULL;
}

static void test_a_long_batch_does_not_hold_up_a_short_one(void **state)
{
	(void)state;
	for (int threads = 1; threads <= 2; threads++) {
		struct turns t = {0};
		pthread_t a, b;
		assert_int_equal(pool_open(&t.pool, threads, NULL), OK);
		pthread_create(&a, NULL, run_long, &t);
		pthread_create(&b, NULL, run_short, &t);
		pthread_join(a, NULL);
		pthread_join(b, NULL);
		assert_true(
			atomic_load(&t.long_when_short_ended) < LONG / 4); /* one of each in turn; a slow machine may skip some */
		pool_close(t.pool);
	}
}

/* Equal callers, one batch after the other until the first has done all of its own: the others have done as much, or nearly. */
struct share {
	struct pool *pool;
	atomic_bool *over;
	int batches;
	bool strayed;
};

static void work_task(void *ctx, int i, int slot)
{
	volatile uint64_t *sink = ctx;
	(void)slot;
	sink[i] = mix((uint64_t)i, 60000);
}

static void *run_share(void *ctx)
{
	enum { BATCHES = 200 };
	uint64_t sink[8];
	struct share *s = ctx;
	pool_owner = s;
	pool_settle_thread();
	while (!atomic_load(s->over) && s->batches < BATCHES) {
		pool_run(s->pool, 8, work_task, sink);
		s->strayed = s->strayed || pool_owner != s; /* after others' tasks it is its own again */
		s->batches++;
	}
	atomic_store(s->over, true);
	return NULL;
}

/* The least of what they have done over the most. */
static double least_share(void)
{
	pthread_t thread[SHARES];
	struct share share[SHARES];
	atomic_bool over = false;
	struct pool *pool;
	int least = INT_MAX, most = 1;
	assert_int_equal(pool_open(&pool, 2, NULL), OK);
	for (int i = 0; i < SHARES; i++) {
		share[i] = (struct share){.pool = pool, .over = &over};
		pthread_create(&thread[i], NULL, run_share, &share[i]);
	}
	for (int i = 0; i < SHARES; i++) {
		pthread_join(thread[i], NULL);
		assert_false(share[i].strayed);
		least = share[i].batches < least ? share[i].batches : least;
		most = share[i].batches > most ? share[i].batches : most;
	}
	pool_close(pool);
	print_message("batches: %d %d %d\n", share[0].batches, share[1].batches, share[2].batches);
	return (double)least / most;
}

/* On a machine that is busy otherwise its scheduler has a say, too: then not the first time. */
static void test_equal_callers_have_equal_shares(void **state)
{
	enum { TRIES = 5 };
	double least = 0;
	(void)state;
	for (int i = 0; i < TRIES && least < 0.33; i++)
		least = least_share();
	assert_true(least >= 0.33);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_denormals_are_flushed), /* first: threads inherit what their creator has set */
		cmocka_unit_test(test_every_task_runs_once),
		cmocka_unit_test(test_many_callers_share_it),
		cmocka_unit_test(test_tasks_know_their_caller),
		cmocka_unit_test(test_a_long_batch_does_not_hold_up_a_short_one),
		cmocka_unit_test(test_equal_callers_have_equal_shares),
		cmocka_unit_test(test_closing_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
