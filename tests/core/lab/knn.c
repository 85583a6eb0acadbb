#include "core/lab/knn.h"

#include "core/base/rng.h"
#include "tests/core/lab/vectors.h"

enum { ROWS = 300, K = 7 };

/* By sorting all of them. */
struct candidate {
	double square;
	uint32_t who;
};

static int nearer(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	return x->square != y->square ? (x->square > y->square) - (x->square < y->square)
								  : (x->who > y->who) - (x->who < y->who);
}

static void assert_nearest(const struct knn *in, const uint32_t *index, const double *square, size_t query, size_t self)
{
	struct candidate *all = calloc(in->n, sizeof *all);
	const float *from = (in->queries ? in->queries : in->rows) + query * (size_t)in->d;
	for (size_t i = 0; i < in->n; i++)
		all[i] = (struct candidate){
			i == self ? (double)INFINITY : square_distance(from, in->rows + i * (size_t)in->d, in->d), (uint32_t)i};
	qsort(all, in->n, sizeof *all, nearer);
	for (size_t j = 0; j < (size_t)in->k; j++) {
		assert_int_equal(index[query * (size_t)in->k + j], all[j].who);
		assert_true(square[query * (size_t)in->k + j] == all[j].square);
	}
	free(all);
}

static void fill(float *x, size_t n, int coarse)
{
	rng_normal(x, n, (struct rng){7, RNG_NOISE, n});
	for (size_t i = 0; coarse && i < n; i++)
		x[i] = rintf(x[i]);
}

/* Every level, alone and with three threads; coarse numbers are full of ties and of rows that are equal. */
static void test_sorted(void **state)
{
	(void)state;
	struct pool *pool;
	assert_int_equal(pool_open(&pool, 3, NULL), OK);
	for (int d = 1; d < 40; d += d < 4 ? 1 : 17)
		for (int trial = 0; trial < 2 * CPU_LEVEL_COUNT; trial++) {
			const struct kern *kern = kern_at((enum cpu_level)(trial / 2));
			float *x = malloc((size_t)(ROWS * d) * sizeof *x);
			uint32_t index[ROWS * K];
			double square[ROWS * K];
			struct knn in = {.rows = x, .n = ROWS, .d = d, .k = K};
			fill(x, (size_t)(ROWS * d), trial % 2);
			assert_int_equal(kern ? knn_find(index, square, &in, trial % 2 ? pool : NULL, kern, NULL) : OK, OK);
			for (size_t q = 0; kern && q < ROWS; q++)
				assert_nearest(&in, index, square, q, q);
			free(x);
		}
	pool_close(pool);
}

/* Strangers may ask; a row among them may leave itself out. Distances that single precision cannot tell apart are told apart. */
static void test_queries(void **state)
{
	(void)state;
	float x[ROWS * 3], query[5 * 3];
	uint32_t index[5 * K];
	double square[5 * K];
	const uint32_t self[5] = {3, 0, 299, 17, 17};
	fill(x, ROWS * 3, 0);
	for (size_t i = 0; i < ROWS * 3; i++)
		x[i] = 1000 + x[i] * 1e-4f;
	for (size_t q = 0; q < 5; q++)
		memcpy(query + 3 * q, x + 3 * self[q], 3 * sizeof *query);
	struct knn in = {.rows = x, .n = ROWS, .d = 3, .queries = query, .nqueries = 5, .k = K};
	assert_int_equal(knn_find(index, square, &in, NULL, best_kern(), NULL), OK);
	for (size_t q = 0; q < 5; q++)
		assert_nearest(&in, index, square, q, ROWS);
	assert_true(square[0] == 0);
	in.self = self;
	assert_int_equal(knn_find(index, square, &in, NULL, best_kern(), NULL), OK);
	for (size_t q = 0; q < 5; q++)
		assert_nearest(&in, index, square, q, self[q]);
}

static void test_refusals(void **state)
{
	(void)state;
	float x[4] = {1, 2, 3, 4};
	uint32_t index[4];
	struct knn in = {.rows = x, .n = 4, .d = 1, .k = 1};
	assert_int_equal(knn_find(index, NULL, &in, NULL, best_kern(), NULL), OK);
	in.k = 4;
	assert_int_equal(knn_find(index, NULL, &in, NULL, best_kern(), NULL), ERR_INVALID);
	in.k = 1;
	x[2] = NAN;
	assert_int_equal(knn_find(index, NULL, &in, NULL, best_kern(), NULL), ERR_INVALID);
	x[2] = -INFINITY;
	assert_int_equal(knn_find(index, NULL, &in, NULL, best_kern(), NULL), ERR_INVALID);
	x[2] = 3;
	in.n = 0;
	assert_int_equal(knn_find(index, NULL, &in, NULL, best_kern(), NULL), ERR_INVALID);
}

struct patience {
	int asked, told; /* at the ask with this number; 0: never */
};

static bool told(void *ctx)
{
	struct patience *p = ctx;
	return ++p->asked == p->told;
}

/* It is asked between tasks whether to give up; if not, nothing is different. */
static void test_halted(void **state)
{
	(void)state;
	float x[ROWS * 3];
	uint32_t index[2][ROWS * K];
	struct patience p = {0};
	const struct halt halt = {.told = told, .ctx = &p};
	fill(x, ROWS * 3, 0);
	struct knn in = {.rows = x, .n = ROWS, .d = 3, .k = K};
	assert_int_equal(knn_find(index[0], NULL, &in, NULL, best_kern(), NULL), OK);
	in.halt = &halt;
	assert_int_equal(knn_find(index[1], NULL, &in, NULL, best_kern(), NULL), OK);
	assert_memory_equal(index[0], index[1], sizeof *index);
	const int asks = p.asked;
	assert_true(asks > 2);
	for (int i = 1; i <= asks; i++) {
		p = (struct patience){.told = i};
		assert_int_equal(knn_find(index[1], NULL, &in, NULL, best_kern(), NULL), ERR_UNAVAILABLE);
		assert_int_equal(p.asked, i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sorted),
		cmocka_unit_test(test_queries),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_halted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
