#include "core/lab/eigen.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numpy),
		cmocka_unit_test(test_edges),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
