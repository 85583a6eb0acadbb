#include "core/model/trainer.h"

#include "tests/core/model/fixture.h"

#include <stdio.h>

enum { TRAIN = 205, TEST = 33 };

/* The whole run: two epochs with validation, at this level and on this pool. */
static struct trainer *trained(
	const struct model *m, struct dataset *d, int threads, const struct kern *k, struct heard *h)
{
	struct pool *pool = NULL;
	if (threads)
		assert_int_equal(pool_open(&pool, threads, NULL), OK);
	struct trainer *t = open_trainer(m, d, pool, k);
	run(t, h, 0);
	t->pool = NULL; /* no work follows */
	pool_close(pool);
	return t;
}

/* Batches of several groups, models of several ranges: whoever computes what, the bits are the same. */
static void test_any_number_of_threads(void **state)
{
	(void)state;
	static const struct {
		const struct family *family;
		const char *overrides;
		bool large; /* more than one range of parameters */
	} cases[] = {
		{&family_ae, SMALL_AE "batch_size=100", false},
		{&family_ae, SMALL_AE "batch_size=33 latent_dim=9", false},
		{&family_ae, SMALL_AE "channels=- hidden=100 optimizer=sgd grad_clip=0.01", true},
		{&family_vae, SMALL_VAE "batch_size=100", false},
		{&family_vae, SMALL_VAE "batch_size=33 latent_dim=9 hidden=-", false},
		{&family_ae, SMALL_AE "batch_size=100 norm=batch dropout=0.2 dropout2d=0.1", false},
		{&family_vae, SMALL_VAE "batch_size=33 norm=group dropout=0.2", false},
		{&family_ae, SMALL_AE "augment=hflip,crop,erase", false},
		{&family_classifier, SMALL_CLASSIFIER, false},
		{&family_ae, SMALL_AE "batch_size=100 denoise=0.2 denoise_mask=0.3", false},
		{&family_vae, SMALL_VAE "batch_size=100 free_bits=0.3 binarize=true activation=glu", false},
		{&family_gan, SMALL_GAN, false},
		{&family_gan, SMALL_GAN "norm=none gan_loss=hinge label_smoothing=0 n_critic=1 batch_size=33 grad_clip=1", false},
	};
	struct dataset *d = balls(TRAIN, TEST, 1, 12, 12);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct model m = model_for(cases[i].family, d, cases[i].overrides);
		struct heard alone = {0};
		struct trainer *t = trained(&m, d, 0, best_kern(), &alone);
		assert_int_equal(m.params > UPDATE_GRAIN, cases[i].large);
		for (int threads = 1; threads <= 3; threads++) {
			struct heard h = {0};
			struct trainer *other = trained(&m, d, threads, best_kern(), &h);
			assert_same_points(&alone, &h);
			assert_same_state(t, other);
			trainer_close(other);
			free(h.point);
		}
		free(alone.point);
		trainer_close(t);
		model_free(&m);
	}
	dataset_put(d);
}

static void test_levels_agree(void **state)
{
	(void)state;
	const struct kern *a = kern_at(CPU_AVX2), *b = kern_at(CPU_AVX512);
	if (!a || !b)
		skip();
	struct dataset *d = balls(90, 1, 1, 28, 28);
	static const struct {
		const struct family *family;
		const char *overrides;
	} cases[] = {
		{&family_ae, "epochs=4 batch_size=15"},
		{&family_ae, "epochs=2 batch_size=8 activation=silu kernel=4,4,3 padding=1"},
		{&family_ae, "epochs=8 batch_size=40 activation=tanh optimizer=sgd channels=- hidden=33,17 latent_dim=5"},
		{&family_vae, "epochs=4 batch_size=15 beta_warmup=2"},
		{&family_ae, "epochs=4 batch_size=15 activation=silu norm=group dropout=0.1"},
		{&family_vae, "epochs=4 batch_size=15 norm=batch dropout2d=0.1"},
		{&family_classifier, SMALL_CLASSIFIER "epochs=8 channels=5,9"},
		{&family_ae, "epochs=4 batch_size=15 denoise=0.1 denoise_mask=0.1"},
		{&family_gan, SMALL_GAN "epochs=5 batch_size=15 channels=16,8,4"},
		{&family_vae, "epochs=4 batch_size=15 channels=- hidden=20 activation=glu likelihood=bernoulli binarize=true "
					  "free_bits=0.2"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct model m = model_for(cases[i].family, d, cases[i].overrides);
		struct heard ha = {0}, hb = {0};
		struct trainer *ta = trained(&m, d, 0, a, &ha), *tb = trained(&m, d, 0, b, &hb);
		assert_true(trainer_progress(ta).step >= 20);
		assert_same_points(&ha, &hb);
		assert_same_state(ta, tb);
		free(ha.point);
		free(hb.point);
		trainer_close(ta);
		trainer_close(tb);
		model_free(&m);
	}
	dataset_put(d);
}

/* Every image once an epoch, in an order that seed and epoch decide. */
static void test_epoch_order(void **state)
{
	(void)state;
	struct dataset *d = balls(TRAIN, TEST, 1, 12, 12);
	struct model m = ae_for(d, SMALL_AE);
	struct trainer *t = open_trainer(&m, d, NULL, best_kern());
	uint32_t first[TRAIN];
	double part[RESULT_PARTS];
	size_t images = 0;
	for (int64_t i = 0; i < t->steps_per_epoch; i++) {
		images += trainer_next_batch(t);
		assert_int_equal(trainer_step(t, part, NULL), OK);
	}
	assert_int_equal(images, t->trains);
	memcpy(first, t->order, t->trains * sizeof *first);
	bool seen[TRAIN] = {0};
	for (size_t i = 0; i < t->trains; i++) {
		assert_true(first[i] < t->trains && !seen[first[i]]);
		seen[first[i]] = true;
	}
	assert_int_equal(trainer_step(t, part, NULL), OK);
	assert_memory_not_equal(first, t->order, t->trains * sizeof *first);
	trainer_close(t);
	model_free(&m);
	dataset_put(d);
}

/* Gradient and loss of the whole batch, one image after the other. */
static double one_by_one(struct trainer *t, int batch, real *grad)
{
	double sum = 0;
	for (int i = 0; i < batch; i++) {
		const uint8_t *image = t->data->split[SPLIT_TRAIN].images + i * 144;
		struct block b = {.kern = best_kern(),
			.w = t->w,
			.dw = grad,
			.ws = t->ws[0],
			.images = &image,
			.lanes = 1,
			.batch = (size_t)batch,
			.training = true};
		struct block_result r = {0};
		program_run(t->m, &b, &r);
		sum += r.part[0];
	}
	return sum;
}

static void check_batch(int batch)
{
	char overrides[200];
	struct dataset *d = balls((size_t)batch, 1, 1, 12, 12);
	snprintf(
		overrides, sizeof overrides, SMALL_AE "batch_size=%d val_fraction=0 optimizer=sgd momentum=0 lr=0.5", batch);
	struct model m = ae_for(d, overrides);
	struct trainer *t = open_trainer(&m, d, NULL, best_kern());
	real *grad = zeroed(m.params), *w = memcpy(zeroed(m.params), t->w, m.params * sizeof *w);
	double scale = 0, part[RESULT_PARTS], sum = one_by_one(t, batch, grad);
	assert_int_equal(trainer_step(t, part, NULL), OK);
	assert_true(fabs(part[0] - sum) < 1e-6 * sum);
	for (size_t i = 0; i < m.params; i++)
		scale = fmax(scale, fabs((double)grad[i]));
	for (size_t i = 0; i < m.params; i++) {
		assert_true(fabs((double)(grad[i] - t->sum[i])) < 1e-5 * scale);
		assert_true(fabs((double)(t->w[i] - (w[i] - 0.5f * t->sum[i]))) < 1e-7);
	}
	free(grad);
	free(w);
	trainer_close(t);
	model_free(&m);
	dataset_put(d);
}

/* Groups, blocks and a short last block together are the gradient and loss of the whole batch, however large. */
static void test_groups_add_up(void **state)
{
	(void)state;
	static const int batches[] = {1, 2, 15, 16, 17, 31, 32, 33, 63, 90, 128, 129, 255, 256, 257};
	for (size_t i = 0; i < sizeof batches / sizeof *batches; i++)
		check_batch(batches[i]);
}

static void test_learning_rate(void **state)
{
	(void)state;
	struct dataset *d = balls(TRAIN, TEST, 1, 12, 12);
	struct model m =
		ae_for(d, SMALL_AE "lr=0.1 schedule=cosine warmup_epochs=0.8 train_limit=100 val_fraction=0 batch_size=10");
	struct trainer *t = open_trainer(&m, d, NULL, best_kern());
	for (t->step = 0; t->step < 20; t->step++)
		assert_true(trainer_lr(t) == schedule_lr(SCHEDULE_COSINE, 0.1, t->step, 20, 8));
	trainer_close(t);
	model_free(&m);
	dataset_put(d);
}

/* What is not a number stays out of the weights, and the state is that of the step before. */
static void check_divergence(void (*poison)(struct trainer *t), const char *words)
{
	struct dataset *d = balls(TRAIN, TEST, 1, 12, 12);
	struct model m = ae_for(d, SMALL_AE "activation=tanh");
	struct trainer *t = open_trainer(&m, d, NULL, best_kern());
	double part[RESULT_PARTS] = {-1};
	assert_int_equal(trainer_step(t, part, NULL), OK);
	poison(t);
	real *w = memcpy(zeroed(m.params), t->w, m.params * sizeof *w);
	real *moment = memcpy(zeroed(m.params), t->moment[1], m.params * sizeof *w);
	part[0] = -1;
	struct err err = {0};
	assert_int_equal(trainer_step(t, part, &err), ERR_DIVERGED);
	if (!strstr(err.message, words))
		fail_msg("'%s' lacks '%s'", err.message, words);
	assert_true(part[0] == -1);
	assert_int_equal(t->step, 1);
	assert_memory_equal(w, t->w, m.params * sizeof *w);
	assert_memory_equal(moment, t->moment[1], m.params * sizeof *w);
	free(w);
	free(moment);
	trainer_close(t);
	model_free(&m);
	dataset_put(d);
}

static void spoil_loss(struct trainer *t)
{
	t->w[t->m->net_offset[1]] = NAN;
}

/* The decoder's layers all see zeros, so the loss is harmless; what flows back through them grows 1e20-fold in each. */
static void spoil_gradient(struct trainer *t)
{
	const struct net *decoder = &t->m->net[1];
	real *w = t->w + t->m->net_offset[1];
	struct net_tensor tensor;
	for (int i = 0; net_tensor(decoder, i, &tensor); i++)
		for (size_t k = 0; k < tensor.count; k++)
			w[tensor.offset + k] = i > 0 && tensor.rank > 1 ? (real)1e20 : 0;
}

static void test_divergence(void **state)
{
	(void)state;
	check_divergence(spoil_loss, "non-finite loss at step 2");
}

static void test_divergence_of_gradients(void **state)
{
	(void)state;
	check_divergence(spoil_gradient, "non-finite gradient at step 2");
}

/* One step of plain SGD at lr 1 moves the weights by the gradient: at most as far as grad_clip says, and in its direction. */
static void test_gradients_are_clipped(void **state)
{
	(void)state;
	static const char *const overrides[] = {"", " grad_clip=1e-3", " grad_clip=1e3"};
	real *moved[3];
	double norm[3] = {0};
	struct dataset *d = balls(90, 1, 1, 12, 12);
	size_t n = 0;
	for (int i = 0; i < 3; i++) {
		char all[200];
		double part[RESULT_PARTS];
		snprintf(
			all, sizeof all, SMALL_AE "batch_size=90 val_fraction=0 optimizer=sgd momentum=0 lr=1%s", overrides[i]);
		struct model m = ae_for(d, all);
		struct trainer *t = open_trainer(&m, d, NULL, best_kern());
		n = m.params;
		moved[i] = memcpy(zeroed(n), t->w, n * sizeof(real));
		assert_int_equal(trainer_step(t, part, NULL), OK);
		for (size_t k = 0; k < n; k++) {
			moved[i][k] -= t->w[k];
			norm[i] += (double)moved[i][k] * (double)moved[i][k];
		}
		norm[i] = sqrt(norm[i]);
		trainer_close(t);
		model_free(&m);
	}
	assert_true(norm[0] > 2e-3);
	assert_true(fabs(norm[1] / 1e-3 - 1) < 2e-3); /* moved is the difference of floats */
	assert_memory_equal(moved[0], moved[2], n * sizeof(real));
	for (size_t k = 0; k < n; k++)
		assert_true(fabs((double)moved[1][k] - (double)moved[0][k] * 1e-3 / norm[0]) < 1e-6);
	for (int i = 0; i < 3; i++)
		free(moved[i]);
	dataset_put(d);
}

/* clip_grad_value_: each number by itself. */
static void test_gradients_are_clipped_by_value(void **state)
{
	(void)state;
	const real most = (real)1e-4;
	struct dataset *d = balls(90, 1, 1, 12, 12);
	struct model m = ae_for(d, SMALL_AE "val_fraction=0 grad_clip_value=1e-4"),
				 free_one = ae_for(d, SMALL_AE "val_fraction=0");
	struct trainer *t = open_trainer(&m, d, NULL, best_kern()), *f = open_trainer(&free_one, d, NULL, best_kern());
	double part[RESULT_PARTS];
	int held = 0;
	assert_int_equal(trainer_step(t, part, NULL), OK);
	assert_int_equal(trainer_step(f, part, NULL), OK);
	for (size_t k = 0; k < m.params; k++) {
		real g = f->sum[k] > most ? most : f->sum[k] < -most ? -most : f->sum[k];
		assert_true(t->sum[k] == g);
		held += g != f->sum[k];
	}
	assert_true(held > 10 && held < (int)m.params);
	trainer_close(t);
	trainer_close(f);
	model_free(&m);
	model_free(&free_one);
	dataset_put(d);
}

/* The mean is of the weights after each step, looks back over few steps at first, and is what is served, validated and saved. */
static void test_running_mean(void **state)
{
	(void)state;
	struct dataset *d = balls(90, 10, 1, 12, 12);
	struct model m = ae_for(d, SMALL_AE "val_fraction=0 epochs=20 ema=0.5");
	struct trainer *t = open_trainer(&m, d, NULL, best_kern());
	size_t n = m.params;
	double *mean = malloc(n * sizeof *mean), part[RESULT_PARTS];
	double loss[RESULT_PARTS], same[RESULT_PARTS], live[RESULT_PARTS];
	for (size_t k = 0; k < n; k++)
		mean[k] = (double)t->w[k];
	for (int step = 1; step <= 12; step++) {
		double decay = fmin(0.5, (1.0 + step) / (10.0 + step));
		assert_int_equal(trainer_step(t, part, NULL), OK);
		for (size_t k = 0; k < n; k++)
			mean[k] = decay * mean[k] + (1 - decay) * (double)t->w[k];
	}
	for (size_t k = 0; k < n; k++)
		assert_true(fabs((double)trainer_weights(t)[k] - mean[k]) < 1e-6);
	assert_memory_not_equal(trainer_weights(t), t->w, n * sizeof(real));
	assert_int_equal(trainer_evaluate(t, SPLIT_TEST, NULL, loss, NULL), OK);
	assert_int_equal(trainer_evaluate(t, SPLIT_TEST, trainer_weights(t), same, NULL), OK);
	assert_int_equal(trainer_evaluate(t, SPLIT_TEST, t->w, live, NULL), OK);
	assert_true(loss[0] == same[0] && loss[0] != live[0]);
	struct state saved;
	trainer_state(t, &saved);
	assert_ptr_equal(state_find(&saved, "encoder.0.weight")->data, t->ema + m.net_offset[0]);
	assert_ptr_equal(state_find(&saved, "live.encoder.0.weight")->data, t->w + m.net_offset[0]);
	state_free(&saved);
	free(mean);
	trainer_close(t);
	model_free(&m);
	dataset_put(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_number_of_threads),
		cmocka_unit_test(test_levels_agree),
		cmocka_unit_test(test_epoch_order),
		cmocka_unit_test(test_groups_add_up),
		cmocka_unit_test(test_gradients_are_clipped),
		cmocka_unit_test(test_gradients_are_clipped_by_value),
		cmocka_unit_test(test_running_mean),
		cmocka_unit_test(test_learning_rate),
		cmocka_unit_test(test_divergence),
		cmocka_unit_test(test_divergence_of_gradients),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
