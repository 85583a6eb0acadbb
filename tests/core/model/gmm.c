/* Mixtures of normal distributions: against scikit-learn from the same start (tests/golden/mixture.py), by what they are asked to
 * find again, and by the moments of what is drawn. */
#include "core/model/gmm.h"

#include "api/safetensors.h"
#include "tests/core/golden_file.h"
#include "tests/core/model/fixture.h"

#include <stdio.h>

static const void *need(const struct safetensors *file, const char *name)
{
	const struct tensor *t = state_find(&file->state, name);
	if (!t)
		fail_msg("no tensor %s", name);
	return t->data;
}

static void assert_near(const double *got, const double *want, size_t n, double most, const char *what)
{
	for (size_t i = 0; i < n; i++)
		if (!(fabs(got[i] - want[i]) <= most * fmax(1, fabs(want[i]))))
			fail_msg("%s[%zu] is %.12g, not %.12g", what, i, got[i], want[i]);
}

static void test_as_scikit_learn(void **state)
{
	(void)state;
	struct safetensors file;
	struct err err = {0};
	struct gmm g;
	size_t size;
	void *bytes = read_whole("tests/golden/mixture.safetensors", &size);
	if (safetensors_read(&file, bytes, size, &err))
		fail_msg("%s", err.message);
	const struct tensor *codes = state_find(&file.state, "codes"), *means = state_find(&file.state, "means");
	const size_t k = (size_t)means->shape[0], d = (size_t)means->shape[1];
	assert_int_equal(gmm_alloc(&g, (int)k, (int)d, NULL), OK);
	memcpy(g.weight, need(&file, "start.weights"), k * sizeof *g.weight);
	memcpy(g.mean, need(&file, "start.means"), k * d * sizeof *g.mean);
	memcpy(g.cov, need(&file, "start.covariances"), k * d * d * sizeof *g.cov);
	assert_int_equal(gmm_refine(&g, codes->data, (size_t)codes->shape[0], NULL, NULL), OK);
	assert_true(g.converged);
	assert_int_equal(g.iterations, *(const int64_t *)need(&file, "iterations"));
	assert_near(g.weight, need(&file, "weights"), k, 1e-9, "weight");
	assert_near(g.mean, need(&file, "means"), k * d, 1e-9, "mean");
	assert_near(g.cov, need(&file, "covariances"), k * d * d, 1e-9, "cov");
	assert_near(&g.log_likelihood, need(&file, "log_likelihood"), 1, 1e-10, "log likelihood");
	assert_near(&g.bic, need(&file, "bic"), 1, 1e-10, "bic");
	gmm_free(&g);
	safetensors_free(&file);
	free(bytes);
}

enum { N = 3000, D = 3, CLOUDS = 5 };

/* Five clouds in three dimensions, far apart or touching; each has its own shape. */
static float *clouds(double apart)
{
	float *x = malloc(N * D * sizeof *x);
	rng_normal(x, N * D, (struct rng){.seed = 4, .stream = RNG_NOISE});
	for (int i = 0; i < N; i++) {
		const int c = i % CLOUDS;
		float *row = x + i * D;
		row[1] = row[1] * 0.5F + row[0] * 0.1F * (float)c;
		for (int j = 0; j < D; j++)
			row[j] += (float)(apart * ((c * 7 + j * 3) % 5));
	}
	return x;
}

static void test_finds_clouds(void **state)
{
	(void)state;
	float *x = clouds(8);
	struct gmm g;
	assert_int_equal(gmm_fit(&g, x, N, D, NULL, NULL), OK);
	assert_int_equal(g.components, CLOUDS);
	for (int c = 0; c < CLOUDS; c++) {
		assert_true(fabs(g.weight[c] - 0.2) < 1e-6);
		assert_true(fabs(g.cov[c * D * D] - 1) < 0.2 && fabs(g.cov[c * D * D + 8] - 1) < 0.2);
	}
	gmm_free(&g);
	free(x);
}

static bool same(const struct gmm *a, const struct gmm *b)
{
	const size_t k = (size_t)a->components, d = (size_t)a->latent_dim;
	return a->components == b->components && a->latent_dim == b->latent_dim && a->bic == b->bic &&
		   a->log_likelihood == b->log_likelihood && a->iterations == b->iterations &&
		   !memcmp(a->weight, b->weight, k * (1 + d + 2 * d * d) * sizeof *a->weight);
}

static void test_any_number_of_threads(void **state)
{
	(void)state;
	float *x = clouds(2);
	struct gmm alone;
	assert_int_equal(gmm_fit(&alone, x, N - 7, D, NULL, NULL), OK);
	for (int threads = 1; threads <= 3; threads++) {
		struct pool *pool;
		struct gmm g;
		assert_int_equal(pool_open(&pool, threads, NULL), OK);
		assert_int_equal(gmm_fit(&g, x, N - 7, D, pool, NULL), OK);
		assert_true(same(&alone, &g));
		gmm_free(&g);
		pool_close(pool);
	}
	gmm_free(&alone);
	free(x);
}

static void test_saved_and_loaded(void **state)
{
	(void)state;
	float *x = clouds(2), z[2][50 * D];
	struct gmm g, other;
	struct state s = {0};
	assert_int_equal(gmm_fit(&g, x, N, D, NULL, NULL), OK);
	gmm_state(&g, &s);
	assert_int_equal(gmm_load(&other, &s, D, NULL), OK);
	assert_true(same(&g, &other));
	gmm_draw(z[0], 50, &g, 3);
	gmm_draw(z[1], 50, &other, 3);
	assert_memory_equal(z[0], z[1], sizeof z[0]);
	gmm_free(&other);
	struct err err = {0};
	assert_int_equal(gmm_load(&other, &s, D + 1, &err), ERR_CORRUPT);
	assert_int_equal(gmm_load(&other, &(struct state){0}, D, &err), ERR_CORRUPT);
	state_free(&s);
	gmm_free(&g);
	free(x);
}

/* Mean and covariance of many draws are those of the mixture, and so of the codes. */
static void test_moments_of_draws(void **state)
{
	(void)state;
	enum { DRAWS = 40000 };
	float *x = clouds(3), *z = malloc(DRAWS * D * sizeof *z);
	struct gmm g;
	double mean[2][D] = {{0}}, cov[2][D * D] = {{0}};
	assert_int_equal(gmm_fit(&g, x, N, D, NULL, NULL), OK);
	gmm_draw(z, DRAWS, &g, 1);
	for (int side = 0; side < 2; side++) {
		const float *v = side ? z : x;
		const int n = side ? DRAWS : N;
		for (int i = 0; i < n * D; i++)
			mean[side][i % D] += (double)v[i] / n;
		for (int i = 0; i < n; i++)
			for (int j = 0; j < D * D; j++)
				cov[side][j] +=
					((double)v[i * D + j / D] - mean[side][j / D]) * ((double)v[i * D + j % D] - mean[side][j % D]) / n;
	}
	for (int j = 0; j < D; j++)
		assert_true(fabs(mean[0][j] - mean[1][j]) < 0.1);
	for (int j = 0; j < D * D; j++)
		assert_true(fabs(cov[0][j] - cov[1][j]) < 0.03 * fmax(1, sqrt(cov[0][0] * cov[0][0])) + 0.1);
	gmm_free(&g);
	free(x);
	free(z);
}

/* Few codes carry one component only; codes that are all the same, a unit that never moves, a single code. */
static void test_poor_codes(void **state)
{
	(void)state;
	static const size_t counts[] = {1, 2, 30, 500};
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
		for (int kind = 0; kind < 3; kind++) {
			float *x = clouds(3), z[20 * D];
			struct gmm g;
			struct err err = {0};
			for (size_t n = 0; n < counts[i]; n++)
				for (int j = 0; j < D; j++)
					x[n * D + (size_t)j] = kind == 0 ? 7.5F : kind == 1 && j == 1 ? -2 : x[n * D + (size_t)j] * 1e4F;
			if (gmm_fit(&g, x, counts[i], D, NULL, &err))
				fail_msg("%zu codes, kind %d: %s", counts[i], kind, err.message);
			assert_true(counts[i] > 40 || g.components == 1);
			gmm_draw(z, 20, &g, 1);
			for (int j = 0; j < 20 * D; j++)
				assert_true(isfinite(z[j]) && (kind || fabsf(z[j] - 7.5F) < 0.01F));
			gmm_free(&g);
			free(x);
		}
}

static void test_codes_that_are_no_numbers(void **state)
{
	(void)state;
	float *x = clouds(3);
	struct gmm g;
	struct err err = {0};
	x[77] = NAN;
	assert_int_equal(gmm_fit(&g, x, N, D, NULL, &err), ERR_DIVERGED);
	free(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_scikit_learn),
		cmocka_unit_test(test_finds_clouds),
		cmocka_unit_test(test_any_number_of_threads),
		cmocka_unit_test(test_saved_and_loaded),
		cmocka_unit_test(test_moments_of_draws),
		cmocka_unit_test(test_poor_codes),
		cmocka_unit_test(test_codes_that_are_no_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
