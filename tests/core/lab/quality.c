#include "core/lab/quality.h"

#include "core/base/rng.h"
#include "tests/core/lab/vectors.h"

static void widen(double *to, const float *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = (double)from[i];
}

/* Every level, with threads and without. */
static void test_scikit_learn(void **state)
{
	(void)state;
	struct vectors v = vectors_open_file("tests/golden/tsne.safetensors");
	const struct tensor *x = vector(&v, "codes");
	const size_t n = (size_t)x->shape[0];
	double *map = malloc(2 * n * sizeof *map);
	widen(map, vector(&v, "codes.map")->data, 2 * n);
	const struct quality_of of = {
		.x = x->data, .n = n, .d = (int)x->shape[1], .map = map, .labels = vector(&v, "codes.label")->data};
	struct pool *pool;
	assert_int_equal(pool_open(&pool, 3, NULL), OK);
	for (int trial = 0; trial < 2 * CPU_LEVEL_COUNT; trial++) {
		const struct kern *kern = kern_at((enum cpu_level)(trial / 2));
		struct quality q;
		if (!kern)
			continue;
		assert_int_equal(quality_measure(&q, &of, trial % 2 ? pool : NULL, kern, NULL), OK);
		for (int i = 0; i < QUALITY_KS; i++) {
			assert_near(q.trustworthiness[i], doubles(&v, "trustworthiness")[i], 1e-12);
			assert_near(q.continuity[i], doubles(&v, "continuity")[i], 1e-12);
		}
		assert_near(q.recall, doubles(&v, "recall")[0], 1e-12);
		assert_near(q.accuracy, doubles(&v, "accuracy")[0], 1e-12);
		assert_int_equal(q.sampled, n);
	}
	pool_close(pool);
	free(map);
	vectors_close(&v);
}

/* A map that is the data is perfect, ties and equal points included; too few points say nothing. */
static void test_identity(void **state)
{
	(void)state;
	enum { N = 500 };
	float x[2 * N];
	double map[2 * N];
	struct quality q;
	rng_normal(x, 2 * N, (struct rng){3, RNG_NOISE, 0});
	for (int i = 0; i < 2 * N; i++)
		map[i] = (double)(x[i] = rintf(4 * x[i]));
	const struct quality_of of = {.x = x, .n = N, .d = 2, .map = map};
	assert_int_equal(quality_measure(&q, &of, NULL, best_kern(), NULL), OK);
	for (int i = 0; i < QUALITY_KS; i++)
		assert_true(q.trustworthiness[i] == 1 && q.continuity[i] == 1);
	assert_true(q.recall == 1 && isnan(q.accuracy));
	assert_int_equal(
		quality_measure(&q, &(struct quality_of){.x = x, .n = 11, .d = 2, .map = map}, NULL, best_kern(), NULL), OK);
	assert_true(q.trustworthiness[0] == 1 && isnan(q.trustworthiness[1]) && isnan(q.continuity[2]) && q.recall == 1);
	assert_int_equal(
		quality_measure(&q, &(struct quality_of){.x = x, .n = 3, .d = 2, .map = map}, NULL, best_kern(), NULL), OK);
	assert_true(isnan(q.trustworthiness[0]) && isnan(q.recall));
	assert_int_equal(
		quality_measure(&q, &(struct quality_of){.x = x, .n = 1, .d = 2, .map = map}, NULL, best_kern(), NULL),
		ERR_INVALID);
}

struct patience {
	int asked, told; /* at the ask with this number; 0: never */
};

static bool told(void *ctx)
{
	struct patience *p = ctx;
	return ++p->asked == p->told;
}

/* In each of its four passes it can be told to give up. */
static void test_halted(void **state)
{
	(void)state;
	enum { N = 300 };
	float x[3 * N];
	double map[2 * N];
	struct quality q;
	struct patience p = {0};
	const struct halt halt = {.told = told, .ctx = &p};
	rng_normal(x, 3 * N, (struct rng){5, RNG_NOISE, 0});
	for (int i = 0; i < 2 * N; i++)
		map[i] = (double)x[i];
	const struct quality_of of = {.x = x, .n = N, .d = 3, .map = map, .halt = &halt};
	assert_int_equal(quality_measure(&q, &of, NULL, best_kern(), NULL), OK);
	const int asks = p.asked;
	assert_true(asks >= 4 * 3);
	for (int i = 1; i <= asks; i++) {
		p = (struct patience){.told = i};
		assert_int_equal(quality_measure(&q, &of, NULL, best_kern(), NULL), ERR_UNAVAILABLE);
		assert_int_equal(p.asked, i);
	}
}

#if defined(__SANITIZE_ADDRESS__)
enum { SLOW = 1 };
#else
enum { SLOW = 0 };
#endif

/* A sample says about the same as all: a map that leaves out the third axis, of just below and just above QUALITY_ALL points. What a
 * sanitizer has to say it says of one of them. */
static void test_sample(void **state)
{
	(void)state;
	enum { N = QUALITY_ALL + 1 };
	float *x = malloc(3 * N * sizeof *x);
	double *map = malloc(2 * N * sizeof *map);
	uint8_t *labels = malloc(N);
	struct quality all, some, again, other;
	struct pool *pool;
	assert_int_equal(pool_open(&pool, 2, NULL), OK);
	rng_normal(x, 3 * N, (struct rng){4, RNG_NOISE, 0});
	for (size_t i = 0; i < N; i++) {
		map[2 * i] = (double)x[3 * i];
		map[2 * i + 1] = (double)x[3 * i + 1];
		labels[i] = x[3 * i] + x[3 * i + 2] > 0;
	}
	struct quality_of of = {.x = x, .n = N, .d = 3, .map = map, .labels = labels};
	assert_int_equal(quality_measure(&some, &of, pool, best_kern(), NULL), OK);
	assert_int_equal(some.sampled, QUALITY_SAMPLE);
	if (SLOW)
		goto out;
	assert_int_equal(quality_measure(&again, &of, NULL, best_kern(), NULL), OK);
	of.seed = 1;
	assert_int_equal(quality_measure(&other, &of, pool, best_kern(), NULL), OK);
	of = (struct quality_of){.x = x, .n = QUALITY_ALL, .d = 3, .map = map, .labels = labels};
	assert_int_equal(quality_measure(&all, &of, pool, best_kern(), NULL), OK);
	assert_memory_equal(&some, &again, sizeof some);
	assert_true(some.recall != other.recall);
	assert_int_equal(all.sampled, QUALITY_ALL);
	for (int i = 0; i < QUALITY_KS; i++) {
		assert_true(fabs(some.trustworthiness[i] - all.trustworthiness[i]) < 0.003);
		assert_true(fabs(some.continuity[i] - all.continuity[i]) < 0.001);
	}
	assert_true(fabs(some.recall - all.recall) < 0.01 && fabs(some.accuracy - all.accuracy) < 0.015);
out:
	pool_close(pool);
	free(x);
	free(map);
	free(labels);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scikit_learn),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_halted),
		cmocka_unit_test(test_sample),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
