#include "core/lab/latents.h"

#include "api/safetensors.h"
#include "core/base/rng.h"
#include "tests/core/golden_file.h"

#include <math.h>
#include <string.h>

static const double *need(const struct safetensors *file, const char *name)
{
	const struct tensor *t = state_find(&file->state, name);
	if (!t)
		fail_msg("no tensor %s", name);
	return t->data;
}

static void assert_near(const double *got, const double *want, size_t n, const char *what)
{
	for (size_t i = 0; i < n; i++)
		if (!(fabs(got[i] - want[i]) <= 1e-12 * fmax(1, fabs(want[i]))) && !(isnan(got[i]) && isnan(want[i])))
			fail_msg("%s[%zu] is %.15g, not %.15g", what, i, got[i], want[i]);
}

/* NumPy's figures of the same codes, with one class that has no image, one of a single image, a unit that never varies. */
static void test_as_numpy(void **state)
{
	(void)state;
	struct safetensors file;
	struct err err = {0};
	struct latents l;
	size_t size;
	void *bytes = read_whole("tests/golden/latents.safetensors", &size);
	if (safetensors_read(&file, bytes, size, &err))
		fail_msg("%s", err.message);
	const struct tensor *z = state_find(&file.state, "z"), *label = state_find(&file.state, "label");
	const struct tensor *count = state_find(&file.state, "count");
	const size_t d = (size_t)z->shape[1], groups = (size_t)count->shape[0];
	const struct latent_codes codes = {
		.z = z->data, .label = label->data, .n = (size_t)z->shape[0], .d = (int)d, .classes = (int)groups - 1};
	assert_int_equal(latents_measure(&l, &codes, NULL, NULL), OK);
	for (size_t g = 0; g < groups; g++) {
		const struct latent_group *group = &l.group[g];
		assert_int_equal(group->count, ((const int64_t *)count->data)[g]);
		assert_near(group->mean, need(&file, "mean") + g * d, d, "mean");
		assert_near(group->std, need(&file, "std") + g * d, d, "std");
		assert_near(group->min, need(&file, "min") + g * d, d, "min");
		assert_near(group->max, need(&file, "max") + g * d, d, "max");
		for (int q = 0; q < LATENT_QUANTILE_COUNT; q++)
			assert_near(group->quantile[q], need(&file, latent_quantile_name(q)) + g * d, d, latent_quantile_name(q));
	}
	assert_near(l.correlation, need(&file, "correlation"), d * d, "correlation");
	assert_int_equal(l.active, 4); /* of five one never varies */
	assert_false(latents_active(&l, 3));
	latents_free(&l);
	safetensors_free(&file);
	free(bytes);
}

static void test_any_threads(void **state)
{
	(void)state;
	enum { N = 3000, D = 7, CLASSES = 3 };
	float *z = malloc(N * D * sizeof *z);
	uint8_t *label = malloc(N);
	struct latents one, three;
	struct pool *pool;
	rng_normal(z, N * D, (struct rng){.seed = 3, .stream = RNG_NOISE});
	for (size_t i = 0; i < N; i++)
		label[i] = (uint8_t)(i * i % CLASSES);
	const struct latent_codes codes = {.z = z, .label = label, .n = N, .d = D, .classes = CLASSES};
	assert_int_equal(pool_open(&pool, 3, NULL), OK);
	assert_int_equal(latents_measure(&one, &codes, NULL, NULL), OK);
	assert_int_equal(latents_measure(&three, &codes, pool, NULL), OK);
	const size_t doubles = (1 + CLASSES) * (4 + LATENT_QUANTILE_COUNT) * D + D * D;
	assert_memory_equal(one.group[0].mean, three.group[0].mean, doubles * sizeof(double));
	latents_free(&one);
	latents_free(&three);
	pool_close(pool);
	free(z);
	free(label);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_numpy),
		cmocka_unit_test(test_any_threads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
