#include "core/lab/eigen.h"

#include "core/base/rng.h"
#include "core/lab/frechet.h"

#include "tests/core/lab/vectors.h"

enum { D = 12 };

static int ascending(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static struct normal normal_a(const struct vectors *v)
{
	const struct tensor *a = vector(v, "a");
	struct moments m;
	struct normal n;
	assert_int_equal(a->shape[1], D);
	assert_int_equal(moments_of(&m, a->data, (size_t)a->shape[0], D, NULL, NULL), OK);
	assert_int_equal(normal_of(&n, &m, NULL), OK);
	moments_free(&m);
	return n;
}

static void test_numpy(void **state)
{
	(void)state;
	struct vectors v = vectors_open();
	struct normal n = normal_a(&v);
	double values[D], vectors[D * D], a[D * D];
	memcpy(a, n.cov, sizeof a);
	symmetric_eigen(a, D, values, vectors);
	for (int k = 0; k < D; k++) /* A x = value x */
		for (int i = 0; i < D; i++) {
			double sum = 0;
			for (int j = 0; j < D; j++)
				sum += n.cov[i * D + j] * vectors[k * D + j];
			assert_true(fabs(sum - values[k] * vectors[k * D + i]) < 1e-12 * fmax(1, values[k]));
		}
	qsort(values, D, sizeof *values, ascending);
	for (int i = 0; i < D; i++)
		assert_near(values[i], doubles(&v, "eigenvalues")[i], 1e-10);
	for (int i = 0; i < D * D; i++)
		assert_true(fabs(n.root[i] - doubles(&v, "root")[i]) < 1e-11);
	normal_free(&n);
	vectors_close(&v);
}

/* Equal values, none, and what is not a number: it ends, and says what there is to say. */
static void test_edges(void **state)
{
	(void)state;
	double values[3], vectors[9], root[9], scratch[12];
	double equal[9] = {2, 0, 0, 0, 2, 0, 0, 0, 2}, nothing[9] = {0}, flat[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
	double bad[9] = {1, NAN, 0, NAN, 1, 0, 0, 0, 1};
	symmetric_eigen(equal, 3, values, vectors);
	assert_true(values[0] == 2 && values[1] == 2 && values[2] == 2 && vectors[0] == 1 && vectors[4] == 1);
	symmetric_eigen(nothing, 3, values, NULL);
	assert_true(values[0] == 0 && values[1] == 0 && values[2] == 0);
	symmetric_root(flat, 3, root, scratch);
	for (int i = 0; i < 9; i++)
		assert_near(root[i], 1 / sqrt(3), 1e-12);
	symmetric_root(bad, 3, root, scratch);
}

/* --- the largest of many -------------------------------------------------------------------------------------------------- */

/* A x = value x, unit length, at right angles to each other, falling. */
static void check_top(const double *a, size_t n, size_t k, const double *values, const double *vectors, double scale)
{
	for (size_t i = 0; i < k; i++) {
		const double *x = vectors + i * n;
		assert_true(!i || values[i] <= values[i - 1]);
		for (size_t r = 0; r < n; r++) {
			double sum = 0;
			for (size_t c = 0; c < n; c++)
				sum += a[r * n + c] * x[c];
			assert_true(fabs(sum - values[i] * x[r]) < 1e-12 * scale);
		}
		for (size_t j = 0; j <= i; j++) {
			double inner = 0;
			for (size_t c = 0; c < n; c++)
				inner += x[c] * vectors[j * n + c];
			assert_true(fabs(inner - (i == j)) < 1e-12);
		}
	}
}

static void test_top(void **state)
{
	(void)state;
	enum { N = 60 };
	static double a[N * N], used[N * N], values[N], vectors[N * N], scratch[EIGEN_TOP_SCRATCH(N)], all[N], own[N * N];
	const struct rng r = {.seed = 3, .stream = RNG_JUDGE};
	float x[N * N];
	for (size_t rank = 1; rank <= N; rank += 59) { /* one direction and much of nothing, and all of them */
		rng_normal(x, N * N, r);
		memset(a, 0, sizeof a);
		for (size_t k = 0; k < rank; k++)
			for (size_t i = 0; i < N * N; i++)
				a[i] += (double)x[k * N + i / N] * (double)x[k * N + i % N];
		memcpy(used, a, sizeof a);
		symmetric_eigen_top(used, N, N, values, vectors, scratch);
		check_top(a, N, N, values, vectors, values[0]);
		memcpy(used, a, sizeof a);
		symmetric_eigen(used, N, all, own);
		qsort(all, N, sizeof *all, ascending);
		for (size_t i = 0; i < N; i++)
			assert_true(fabs(values[i] - all[N - 1 - i]) < 1e-12 * values[0]);
		memcpy(used, a, sizeof a);
		symmetric_eigen_top(used, N, 3, all, own, scratch);
		assert_memory_equal(own, vectors, 3 * N * sizeof *own);
		assert_memory_equal(all, values, sizeof values);
	}
}

/* Sizes of nothing to do, values that are equal, and what is not a number. */
static void test_top_edges(void **state)
{
	(void)state;
	double values[3], vectors[9], scratch[EIGEN_TOP_SCRATCH(3)];
	double one[1] = {5}, two[4] = {1, 2, 2, 1}, equal[9] = {2, 0, 0, 0, 2, 0, 0, 0, 2}, nothing[9] = {0};
	double bad[9] = {1, NAN, 0, NAN, 1, 0, 0, 0, 1};
	symmetric_eigen_top(one, 1, 1, values, vectors, scratch);
	assert_true(values[0] == 5 && vectors[0] == 1);
	symmetric_eigen_top(two, 2, 2, values, vectors, scratch);
	assert_near(values[0], 3, 1e-15);
	assert_near(values[1], -1, 1e-15);
	assert_near(vectors[0] * vectors[1], 0.5, 1e-15);
	symmetric_eigen_top(equal, 3, 3, values, vectors, scratch);
	assert_true(values[0] == 2 && values[2] == 2 && vectors[0] == 1 && vectors[4] == 1 && vectors[8] == 1);
	symmetric_eigen_top(nothing, 3, 2, values, vectors, scratch);
	assert_true(values[0] == 0 && values[2] == 0);
	symmetric_eigen_top(bad, 3, 3, values, vectors, scratch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numpy),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_top),
		cmocka_unit_test(test_top_edges),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
