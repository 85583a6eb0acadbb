/* Long curves, thinned: what comes is right of every bucket, spikes included, whatever the commits, kills and versions between. */
#include "server/store/store.h"

#include "api/curve.h"
#include "tests/server/store/fixture.h"

#include <math.h>

enum { N = 40000, SPIKE = 23456 };

static double value_at(int i)
{
	return i == SPIKE ? 1000 : i == SPIKE + 1 ? -1000 : sin(i * 0.01) + 1e-3 * (i % 7);
}

/* Steps [from, to), in commits of `batch`. */
static void write_points(struct store *s, const char *id, int from, int to, int batch)
{
	for (int i = from; i < to; i++) {
		store_point(s, id, "train_loss", i, i / 400.0, value_at(i));
		if (i % batch == 0)
			assert_int_equal(store_flush(s, NULL), OK);
	}
	assert_int_equal(store_flush(s, NULL), OK);
}

/* Each bucket holds the mean and the bounds of the points after the bucket before it, up to its step. */
static void check_thinned(const struct curve *c, int from_step, int to_step, int points)
{
	int at = from_step > 1 ? from_step : 1;
	assert_int_equal(c->n, points);
	for (size_t i = 0; i < c->n; i++) {
		double sum = 0, min = INFINITY, max = -INFINITY;
		int n = 0;
		for (; at <= c->step[i]; at++, n++) {
			sum += value_at(at);
			min = fmin(min, value_at(at));
			max = fmax(max, value_at(at));
		}
		assert_true(n > 0);
		assert_true(fabs(c->value[i] - sum / n) < 1e-9);
		assert_true(c->min[i] == min && c->max[i] == max);
		assert_true(c->epoch[i] == (double)c->step[i] / 400.0);
	}
	assert_int_equal(at, to_step + 1);
}

static void check_curve(struct store *s, const char *id)
{
	static const int wanted[] = {2, 10, 100, 500, 960, 1000, 3000};
	static const int begins[] = {0, 1, 2, 16, 17, 5000, 12288, 12289, 12290, 30001};
	struct curve c;
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
		for (size_t b = 0; b < sizeof begins / sizeof *begins; b++) {
			assert_int_equal(store_curve_about(s, id, "train_loss", (struct steps){begins[b], INT64_MAX},
								 (size_t)wanted[i], &c, NULL),
				OK);
			assert_true(c.n >= 2 * (size_t)wanted[i] || c.n == (size_t)(N + 1 - (begins[b] ? begins[b] : 1)));
			assert_int_equal(curve_thin(&c, (size_t)wanted[i], NULL), OK);
			check_thinned(&c, begins[b], N, wanted[i]);
			curve_free(&c);
		}
	assert_int_equal(store_curve(s, id, "train_loss", 0, &c, NULL), OK);
	assert_int_equal(c.n, N);
	for (int i = 0; i < N; i++)
		assert_true(c.step[i] == i + 1 && c.value[i] == value_at(i + 1));
	curve_free(&c);
}

/* Ends within a block, at its end, in the tail and beyond all. */
static void check_parts(struct store *s, const char *id)
{
	static const int wanted[] = {2, 100, 960};
	static const int begins[] = {0, 17, 5000, 12289};
	static const int ends[] = {15, 16, 18, 4096, 12288, 12300, 30001, N - 1, N, N + 7};
	struct curve c;
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
		for (size_t b = 0; b < sizeof begins / sizeof *begins; b++)
			for (size_t e = 0; e < sizeof ends / sizeof *ends; e++) {
				const int first = begins[b] ? begins[b] : 1, last = ends[e] < N ? ends[e] : N;
				const int n = last - first + 1;
				assert_int_equal(store_curve_about(s, id, "train_loss", (struct steps){begins[b], ends[e]},
									 (size_t)wanted[i], &c, NULL),
					OK);
				if (n >= wanted[i]) {
					assert_int_equal(curve_thin(&c, (size_t)wanted[i], NULL), OK);
					check_thinned(&c, begins[b], last, wanted[i]);
				} else {
					assert_int_equal(c.n, n > 0 ? n : 0);
				}
				curve_free(&c);
			}
}

static void make_job(struct fixture *f, char id[JOB_ID_SIZE], int batch)
{
	insert(f->store, "", 0, id);
	write_points(f->store, id, 1, N / 3, batch);
	reopen(f);
	write_points(f->store, id, N / 3 - 500, N + 1, batch); /* some of them again */
}

static void test_buckets_are_right(void **state)
{
	struct fixture *f = *state;
	char id[JOB_ID_SIZE];
	make_job(f, id, 997);
	check_curve(f->store, id);
	check_parts(f->store, id);
}

static void read_about(struct store *s, const char *id, struct curve *ret)
{
	assert_int_equal(store_curve_about(s, id, "train_loss", (struct steps){0, INT64_MAX}, 100, ret, NULL), OK);
}

/* However commits cut the points up, the same bits; also when all of it is made anew. */
static void test_same_bits_whatever_the_commits(void **state)
{
	struct fixture *f = *state;
	char id[3][JOB_ID_SIZE];
	struct curve c[3];
	for (int i = 0; i < 3; i++) {
		make_job(f, id[i], i ? 1000 : 77);
		if (i == 1) { /* as an earlier version left it */
			store_close(f->store);
			f->store = NULL;
			temp_sql(f->dir, "UPDATE series SET tail=NULL; DELETE FROM blocks");
			reopen(f);
		}
	}
	for (int i = 0; i < 3; i++) {
		read_about(f->store, id[i], &c[i]);
		assert_true(c[i].n < N / 4 && c[i].n == c[0].n);
		assert_memory_equal(c[i].value, c[0].value, c[0].n * sizeof *c[0].value);
		assert_memory_equal(c[i].step, c[0].step, c[0].n * sizeof *c[0].step);
	}
	for (int i = 0; i < 3; i++)
		curve_free(&c[i]);
}

/* Rows without a tail may also come while the daemon runs. */
static void test_a_tail_that_is_missing_is_made(void **state)
{
	struct fixture *f = *state;
	char id[JOB_ID_SIZE];
	insert(f->store, "", 0, id);
	write_points(f->store, id, 1, N / 2, 1000);
	temp_sql(f->dir, "UPDATE series SET tail=NULL; DELETE FROM blocks WHERE last_step>5000");
	struct curve c;
	read_about(f->store, id, &c);
	assert_int_equal(c.n, N / 2 - 1); /* the points themselves */
	curve_free(&c);
	write_points(f->store, id, N / 2, N + 1, 1000);
	check_curve(f->store, id);
	check_parts(f->store, id);
}

/* For tests/bench/long_queue.py and web.mjs: POINTS of a curve in the data directory KEEP, through the store's own functions. */
static void write_long_curve(int points, const char *dir)
{
	enum { PER_COMMIT = 200 };
	struct fixture f = {.dir = (char *)dir};
	char id[JOB_ID_SIZE];
	reopen(&f);
	insert(f.store, "long", 0, id);
	write_points(f.store, id, 1, points + 1, PER_COMMIT);
	assert_int_equal(store_move(f.store, id, JOB_QUEUED, JOB_CANCELLED, NULL, NULL), OK);
	store_close(f.store);
}

int main(void)
{
	if (getenv("POINTS") && getenv("KEEP")) {
		write_long_curve(atoi(getenv("POINTS")), getenv("KEEP"));
		return 0;
	}
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_buckets_are_right),
		TEST(test_same_bits_whatever_the_commits),
		TEST(test_a_tail_that_is_missing_is_made),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
