#include "core/model/encode_all.h"

#include "tests/core/model/fixture.h"

enum { N = 150 };

/* The first images in order, and some of them in another one: the bits of model_encode, for any pool. */
static void test_same_bits(void **state)
{
	(void)state;
	struct dataset *d = balls(N, 5, 1, 12, 12);
	struct model m = ae_for(d, SMALL_AE);
	const size_t pixels = (size_t)map_features(&m.image), width = (size_t)m.latent_dim;
	real *w = aligned_alloc(64, (model_reals(&m) * sizeof(real) / 64 + 1) * 64);
	real *ws = aligned_alloc(64, (model_workspace(&m) * sizeof(real) / 64 + 1) * 64);
	float *x = malloc(N * pixels * sizeof *x), *one = malloc(N * width * sizeof *one),
		  *all = calloc(N * width, sizeof *all);
	uint32_t order[N];
	struct pool *pools[2] = {NULL};
	memset(w, 0, model_reals(&m) * sizeof *w);
	memset(ws, 0, model_workspace(&m) * sizeof *ws);
	model_init(&m, w, 3);
	rng_permutation(order, N, (struct rng){.seed = 1, .stream = RNG_NOISE});
	assert_int_equal(pool_open(&pools[1], 3, NULL), OK);
	for (int ordered = 0; ordered < 2; ordered++) {
		for (size_t i = 0; i < N * pixels; i++) {
			size_t image = ordered ? order[i / pixels] : i / pixels;
			x[i] = (float)d->split[SPLIT_TRAIN].images[image * pixels + i % pixels] / 255.0f;
		}
		assert_int_equal(model_encode(&m, best_kern(), w, ws, x, N, one, NULL), OK);
		const struct image_list list = {d->split[SPLIT_TRAIN].images, ordered ? order : NULL, N};
		for (int p = 0; p < 2; p++) {
			memset(all, 0, N * width * sizeof *all);
			assert_int_equal(encode_all(&m, w, &list, all, pools[p], best_kern(), NULL), OK);
			assert_memory_equal(one, all, N * width * sizeof *one);
		}
	}
	pool_close(pools[1]);
	free(w);
	free(ws);
	free(x);
	free(one);
	free(all);
	model_free(&m);
	dataset_put(d);
}

static void test_no_encoder(void **state)
{
	(void)state;
	struct dataset *d = balls(20, 5, 1, 12, 12);
	struct model m = model_for(&family_classifier, d, SMALL_CLASSIFIER);
	const struct image_list list = {d->split[SPLIT_TRAIN].images, NULL, 1};
	struct err err = {0};
	assert_int_equal(encode_all(&m, NULL, &list, NULL, NULL, best_kern(), &err), ERR_UNSUPPORTED);
	model_free(&m);
	dataset_put(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_bits),
		cmocka_unit_test(test_no_encoder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
