#include "core/model/mixture.h"

#include "tests/core/model/fixture.h"

enum { TRAIN = 400, TEST = 10 };

/* At its fixed point a mixture has the mean of the codes: those that the trainer's own statistics are of, so not of the images
 * that are held out. */
static void test_codes_of_the_training_images(void **state)
{
	(void)state;
	static const char *const cases[] = {
		SMALL_AE "val_fraction=0.3 epochs=4", SMALL_AE "val_fraction=0 train_limit=150 epochs=4"};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct dataset *d = balls(TRAIN, TEST, 1, 12, 12);
		struct model m = ae_for(d, cases[i]);
		struct trainer *t = open_trainer(&m, d, NULL, best_kern());
		struct heard h = {0};
		struct gmm g, other;
		run(t, &h, 0);
		assert_int_equal(mixture_fit(&g, &m, trainer_weights(t), d, best_kern(), NULL, NULL), OK);
		const struct code_stats *codes = trainer_codes(t);
		for (int j = 0; j < m.latent_dim; j++) {
			double mean = 0;
			for (int c = 0; c < g.components; c++)
				mean += g.weight[c] * g.mean[c * m.latent_dim + j];
			assert_true(fabs(mean - codes->mean[j]) < 1e-9 * fmax(1, codes->std[j]));
		}
		struct pool *pool;
		assert_int_equal(pool_open(&pool, 3, NULL), OK);
		assert_int_equal(mixture_fit(&other, &m, trainer_weights(t), d, best_kern(), pool, NULL), OK);
		assert_int_equal(g.components, other.components);
		assert_memory_equal(g.mean, other.mean, (size_t)(g.components * m.latent_dim) * sizeof *g.mean);
		pool_close(pool);
		gmm_free(&g);
		gmm_free(&other);
		free(h.point);
		trainer_close(t);
		model_free(&m);
		dataset_put(d);
	}
}

static void test_no_encoder(void **state)
{
	(void)state;
	struct dataset *d = balls(TRAIN, TEST, 1, 12, 12);
	struct model m = model_for(&family_classifier, d, SMALL_CLASSIFIER);
	struct gmm g;
	struct err err = {0};
	assert_int_equal(mixture_fit(&g, &m, NULL, d, best_kern(), NULL, &err), ERR_UNSUPPORTED);
	model_free(&m);
	dataset_put(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_codes_of_the_training_images),
		cmocka_unit_test(test_no_encoder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
