#include "core/model/decode_all.h"

#include "tests/core/model/fixture.h"

enum { N = 150 };

static void test_same_bits(void **state)
{
	(void)state;
	struct dataset *d = balls(20, 5, 1, 12, 12);
	struct model m = ae_for(d, SMALL_AE);
	const size_t pixels = (size_t)map_features(&m.image), width = (size_t)m.latent_dim;
	real *w = aligned_alloc(64, (model_reals(&m) * sizeof(real) / 64 + 1) * 64);
	real *ws = aligned_alloc(64, (model_workspace(&m) * sizeof(real) / 64 + 1) * 64);
	float *z = malloc(N * width * sizeof *z), *one = malloc(N * pixels * sizeof *one),
		  *all = calloc(N * pixels, sizeof *all);
	struct pool *pool;
	memset(w, 0, model_reals(&m) * sizeof *w);
	memset(ws, 0, model_workspace(&m) * sizeof *ws);
	model_init(&m, w, 3);
	rng_normal(z, N * width, (struct rng){.seed = 1, .stream = RNG_NOISE});
	assert_int_equal(pool_open(&pool, 3, NULL), OK);
	assert_int_equal(model_decode(&m, best_kern(), w, ws, z, N, one, NULL), OK);
	assert_int_equal(decode_all(&m, w, z, N, all, pool, best_kern(), NULL), OK);
	assert_memory_equal(one, all, N * pixels * sizeof *one);
	memset(all, 0, N * pixels * sizeof *all);
	assert_int_equal(decode_all(&m, w, z, N, all, NULL, best_kern(), NULL), OK);
	assert_memory_equal(one, all, N * pixels * sizeof *one);
	pool_close(pool);
	free(w);
	free(ws);
	free(z);
	free(one);
	free(all);
	model_free(&m);
	dataset_put(d);
}

static void test_no_decoder(void **state)
{
	(void)state;
	struct dataset *d = balls(20, 5, 1, 12, 12);
	struct model m = model_for(&family_classifier, d, SMALL_CLASSIFIER);
	struct err err = {0};
	assert_int_equal(decode_all(&m, NULL, NULL, 1, NULL, NULL, best_kern(), &err), ERR_UNSUPPORTED);
	model_free(&m);
	dataset_put(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_bits),
		cmocka_unit_test(test_no_decoder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
