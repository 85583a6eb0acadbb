#include "core/lab/affinity.h"

#include "core/lab/knn.h"
#include "tests/core/lab/vectors.h"

static const double perplexity = 10;

static struct vectors open_vectors(void)
{
	return vectors_open_file("tests/golden/tsne.safetensors");
}

/* Neighbours, p(j|i) and P, on every level, against scikit-learn's. */
static void test_scikit_learn(void **state)
{
	(void)state;
	struct vectors v = open_vectors();
	const struct tensor *x = vector(&v, "points");
	const int64_t *near = vector(&v, "neighbours")->data;
	const double *conditional = doubles(&v, "conditional"), *joint = doubles(&v, "joint"),
				 *squares = doubles(&v, "squares");
	const size_t n = (size_t)x->shape[0];
	const int d = (int)x->shape[1], k = affinity_neighbours(n, perplexity);
	assert_int_equal(k, vector(&v, "neighbours")->shape[1]);
	uint32_t *index = malloc(n * (size_t)k * sizeof *index);
	double *square = malloc(n * (size_t)k * sizeof *square), *p = malloc((size_t)k * sizeof *p);
	struct knn in = {.rows = x->data, .n = n, .d = d, .k = k};
	assert_int_equal(knn_find(index, square, &in, NULL, best_kern(), NULL), OK);
	for (size_t e = 0; e < n * (size_t)k; e++)
		assert_true(index[e] == near[e] && square[e] == squares[e]);
	for (size_t i = 0; i < n; i++) {
		assert_true(affinity_row(p, square + i * (size_t)k, k, perplexity) > 0);
		for (size_t j = 0; j < (size_t)k; j++)
			assert_near(p[j], conditional[i * (size_t)k + j], 1e-9);
	}
	struct affinity a;
	assert_int_equal(affinity_open(&a, x->data, n, d, perplexity, NULL, best_kern(), NULL, NULL), OK);
	double sum = 0;
	size_t entries = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t e = a.start[i]; e < a.start[i + 1]; e++) {
			assert_true(e == a.start[i] || a.index[e] > a.index[e - 1]);
			assert_near(a.p[e], joint[i * n + a.index[e]], 1e-9);
			sum += a.p[e];
		}
	for (size_t e = 0; e < n * n; e++)
		entries += joint[e] > 0;
	assert_int_equal(entries, a.start[n]);
	assert_near(sum, 1, 1e-12);
	affinity_close(&a);
	free(index);
	free(square);
	free(p);
	vectors_close(&v);
}

static double at(const struct affinity *a, size_t i, size_t j)
{
	for (size_t e = a->start[i]; e < a->start[i + 1]; e++)
		if (a->index[e] == j)
			return a->p[e];
	return 0;
}

/* The entropy asked for, whatever the scale; symmetric; the same with threads. */
static void test_scales(void **state)
{
	(void)state;
	struct vectors v = open_vectors();
	const struct tensor *x = vector(&v, "points");
	const size_t n = (size_t)x->shape[0];
	const int d = (int)x->shape[1];
	float *scaled = malloc(x->bytes);
	struct pool *pool;
	assert_int_equal(pool_open(&pool, 3, NULL), OK);
	for (int power = -40; power <= 40; power += 20) {
		struct affinity alone, together;
		for (size_t i = 0; i < n * (size_t)d; i++)
			scaled[i] = ldexpf(((const float *)x->data)[i], power);
		assert_int_equal(affinity_open(&alone, scaled, n, d, 30, NULL, best_kern(), NULL, NULL), OK);
		assert_int_equal(affinity_open(&together, scaled, n, d, 30, pool, best_kern(), NULL, NULL), OK);
		assert_memory_equal(alone.p, together.p, alone.start[n] * sizeof *alone.p);
		assert_memory_equal(alone.index, together.index, alone.start[n] * sizeof *alone.index);
		for (size_t i = 0; i < n; i += 7)
			for (size_t j = 0; j < n; j++)
				assert_true(at(&alone, i, j) == at(&alone, j, i));
		affinity_close(&alone);
		affinity_close(&together);
	}
	double p[50], square[50], entropy = 0;
	for (int j = 0; j < 50; j++)
		square[j] = 1e7 + 3e4 * j; /* exp(-1e7) is 0 */
	affinity_row(p, square, 50, 20);
	for (int j = 0; j < 50; j++)
		entropy -= p[j] * log(p[j]);
	assert_near(exp(entropy), 20, 1e-4);
	pool_close(pool);
	free(scaled);
	vectors_close(&v);
}

/* Points that are equal share alike; a perplexity that cannot be is refused. */
static void test_edges(void **state)
{
	(void)state;
	float x[20] = {0};
	struct affinity a;
	struct err err = {0};
	assert_int_equal(affinity_open(&a, x, 20, 1, 5, NULL, best_kern(), NULL, NULL), OK);
	for (size_t e = 0; e < a.start[20]; e++)
		assert_true(isfinite(a.p[e]) && a.p[e] > 0);
	affinity_close(&a);
	assert_int_equal(affinity_open(&a, x, 20, 1, 20, NULL, best_kern(), NULL, &err), ERR_INVALID);
	assert_string_equal(err.pointer, "#/params/perplexity");
	assert_int_equal(affinity_open(&a, x, 20, 1, 0.5, NULL, best_kern(), NULL, NULL), ERR_INVALID);
	assert_int_equal(affinity_open(&a, x, 20, 1, NAN, NULL, best_kern(), NULL, NULL), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scikit_learn),
		cmocka_unit_test(test_scales),
		cmocka_unit_test(test_edges),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
