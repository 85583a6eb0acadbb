#include "core/model/classes.h"

#include "core/model/trainer.h"
#include "core/nn/layer.h"
#include "tests/core/model/fixture.h"

#include <stdio.h>

enum { ENCODER, HEAD, TRAIN = 165, TEST = 37, D = 3, CLASSES = 3 };

#define NET "latent_dim=3 channels=4,6 kernel=3 stride=2 padding=1 hidden=10 "
/* Two frozen epochs and two that train all of it, with everything that depends on the step. */
#define THAWED                                                                                            \
	"head=7 batch_size=40 epochs=4 unfreeze_after=2 dropout=0.2 label_smoothing=0.1 augment=hflip,erase " \
	"schedule=linear lr=5e-3 "

/* A base that has learnt a little, and a trainer that has taken over its encoder. */
struct use {
	struct dataset *d;
	struct model base, m;
	struct trainer *on, *t;
};

static void open_base(struct use *u, const struct family *base, const char *base_overrides)
{
	struct heard h = {0};
	u->d = balls(TRAIN, TEST, 1, 12, 12);
	u->base = model_for(base, u->d, base_overrides);
	u->on = open_trainer(&u->base, u->d, NULL, best_kern());
	run(u->on, &h, 0);
	free(h.point);
}

static struct trainer *open_head(struct use *u, const struct model *m, struct pool *pool, const struct kern *k)
{
	struct trainer *t = open_trainer(m, u->d, pool, k);
	assert_int_equal(trainer_adopt(t, &u->base, u->on->w, trainer_codes(u->on), NULL), OK);
	return t;
}

static void open_use(struct use *u, const struct family *base, const char *base_overrides, const char *overrides)
{
	open_base(u, base, base_overrides);
	u->m = finetune_for(u->d, base, base_overrides, overrides);
	u->t = open_head(u, &u->m, NULL, best_kern());
}

static void close_use(struct use *u)
{
	trainer_close(u->t);
	trainer_close(u->on);
	model_free(&u->m);
	model_free(&u->base);
	dataset_put(u->d);
}

#define BASE NET "batch_size=40 epochs=2 lr=5e-3"

static void test_net(void **state)
{
	(void)state;
	static const struct {
		const char *preset;
		size_t parameters; /* of the head on 8 units, for 10 classes */
		int epochs;
	} rows[] = {
		{"class1", 8 * 64 + 64 + 64 * 288 + 288 + 2890, 20}, {"class2", 90, 100}, {"full", 8 * 64 + 64 + 650, 40}};
	struct dataset sizes = {.c = 1, .h = 28, .w = 28, .classes = 10};
	struct model ae = model_for(&family_ae, &sizes, ""), vae = finetune_for(&sizes, &family_vae, "latent_dim=5", "");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct preset *p = &family_finetune.presets[i];
		assert_string_equal(p->name, rows[i].preset);
		struct model m = finetune_for(&sizes, &family_ae, "", p->overrides);
		assert_int_equal(m.nets, 2);
		assert_int_equal(m.latent_dim, 8);
		assert_int_equal(net_parameters(&m.net[ENCODER]), net_parameters(&ae.net[0]));
		assert_int_equal(net_parameters(&m.net[HEAD]), rows[i].parameters);
		assert_int_equal(model_train(&m)->epochs, rows[i].epochs);
		assert_int_equal(family_finetune.cached(&m, 0), strcmp(p->name, "full") != 0);
		model_free(&m);
	}
	/* of a distribution the means only */
	assert_int_equal(vae.latent_dim, 5);
	assert_int_equal(vae.net[ENCODER].out.c, 5);
	assert_int_equal(vae.net[HEAD].in.c, 5);
	assert_true(family_goes_on_from(&family_finetune, &family_ae) && family_goes_on_from(&family_finetune, &family_vae));
	assert_false(family_goes_on_from(&family_finetune, &family_finetune));
	assert_false(family_goes_on_from(&family_finetune, &family_classifier));
	assert_false(family_goes_on_from(&family_ae, &family_vae));
	model_free(&ae);
	model_free(&vae);
}

static void refuse(const struct family *f, const struct model_base *base, const char *overrides, int classes,
	const char *pointer, const char *words)
{
	struct model m;
	struct err err = {0};
	void *params = family_params(f, NULL);
	assert_int_equal(param_set_all(f->params, params, overrides, &err), OK);
	assert_int_equal(model_plan_on(&m, f, params, base, (struct map){1, 28, 28, 0}, classes, &err), ERR_INVALID);
	assert_string_equal(err.pointer, pointer);
	if (!strstr(err.message, words))
		fail_msg("'%s' lacks '%s'", err.message, words);
	free(params);
}

static void test_refusals(void **state)
{
	(void)state;
	struct model_base ae = {&family_ae, family_params(&family_ae, NULL)}, none = {0};
	refuse(&family_finetune, &none, "", 10, "#/from", "is required");
	refuse(&family_ae, &ae, "", 10, "#/from", "begins anew");
	refuse(&family_finetune, &ae, "", 1, "#/dataset", "has 1 class:");
	refuse(&family_finetune, &ae, "freeze=false unfreeze_after=3", 10, "#/params/unfreeze_after", "must be 0");
	refuse(&family_finetune, &ae, "gce_q=0.5 label_smoothing=0.1", 10, "#/params/gce_q", "or label_smoothing 0");
	refuse(&family_finetune, &ae, "prune.amount=0.5", 10, "#/params/prune", "set freeze to false");
	free(ae.params);
}

/* Codes of the base's, each unit with mean 0 and deviation 1, whether it gives points or distributions. */
static void check_codes(const struct family *base, bool standardize)
{
	struct use u;
	open_use(&u, base, BASE, standardize ? "" : "standardize=false");
	float x[TEST * 144], z[TEST * D], mine[TEST * D];
	const struct code_stats *then = trainer_codes(u.on), *now = trainer_codes(u.t);
	for (int i = 0; i < TEST * 144; i++)
		x[i] = (float)u.d->split[SPLIT_TEST].images[i] / 255.0f;
	assert_int_equal(model_encode(&u.base, best_kern(), u.on->w, u.on->ws[0], x, TEST, z, NULL), OK);
	assert_int_equal(model_encode(&u.m, best_kern(), u.t->w, u.t->ws[0], x, TEST, mine, NULL), OK);
	for (int i = 0; i < TEST * D; i++) {
		double expected = (double)z[i];
		if (standardize)
			expected = (expected - then->mean[i % D]) / then->std[i % D];
		assert_true(fabs((double)mine[i] - expected) < (standardize ? 1e-4 : 1e-9));
	}
	for (int unit = 0; standardize && unit < D; unit++) {
		assert_true(fabs(now->mean[unit]) < 1e-4);
		assert_true(fabs(now->std[unit] - 1) < 1e-4);
	}
	close_use(&u);
}

static void test_adoption(void **state)
{
	(void)state;
	check_codes(&family_ae, true);
	check_codes(&family_ae, false);
	check_codes(&family_vae, true);
	check_codes(&family_vae, false);
}

/* What is worked out once is what the whole model makes of the images, to the last bit. */
static void test_frozen_epochs(void **state)
{
	(void)state;
	struct use u;
	open_use(&u, &family_ae, BASE, "head=7 batch_size=40 epochs=2");
	size_t encoder = u.m.net_offset[HEAD], n = model_reals(&u.m);
	real *before = memcpy(zeroed(n), u.t->w, n * sizeof *before);
	double cached[RESULT_PARTS], whole[RESULT_PARTS];
	struct heard h = {0};
	run(u.t, &h, 0);
	assert_true(trainer_cached(u.t));
	assert_memory_equal(before, u.t->w, encoder * sizeof *before);
	assert_memory_not_equal(before + encoder, u.t->w + encoder, (u.m.params - encoder) * sizeof *before);
	memcpy(before, u.t->w, n * sizeof *before);
	trainer_pass(u.t, SPLIT_TRAIN, u.t->val, u.t->vals, u.t->w, cached);
	trainer_pass(u.t, SPLIT_TRAIN, u.t->val, u.t->vals, before, whole);
	assert_memory_equal(cached, whole, sizeof cached);
	assert_true(cached[0] > 0 && cached[1] > 0);
	free(before);
	free(h.point);
	close_use(&u);
}

/* One step of plain SGD: how far each net goes. */
static void moved(struct use *u, const char *overrides, double ret[2], real *w)
{
	double part[RESULT_PARTS];
	struct model m = finetune_for(u->d, &family_ae, BASE, overrides);
	struct trainer *t = open_head(u, &m, NULL, best_kern());
	real *before = memcpy(zeroed(m.params), t->w, m.params * sizeof *before);
	assert_int_equal(trainer_step(t, part, NULL), OK);
	for (size_t i = 0; i < m.params; i++) {
		w[i] = t->w[i];
		ret[i < m.net_offset[HEAD] ? ENCODER : HEAD] += fabs((double)t->w[i] - (double)before[i]);
	}
	free(before);
	trainer_close(t);
	model_free(&m);
}

#define SGD "freeze=false head=7 batch_size=40 optimizer=sgd momentum=0.9 "

/* The scale is a learning rate of the encoder's own: lr 0.5 at scale 0.25 is lr 0.125 at scale 1, bit by bit. */
static void test_encoder_lr_scale(void **state)
{
	(void)state;
	struct use u;
	open_use(&u, &family_ae, BASE, SGD);
	double one[2] = {0}, other[2] = {0}, still[2] = {0};
	size_t n = u.m.params, encoder = u.m.net_offset[HEAD];
	real *a = zeroed(n), *b = zeroed(n), *c = zeroed(n);
	moved(&u, SGD "lr=0.5 encoder_lr_scale=0.25", one, a);
	moved(&u, SGD "lr=0.125 encoder_lr_scale=1", other, b);
	moved(&u, SGD "lr=0.5 encoder_lr_scale=0", still, c);
	assert_memory_equal(a, b, encoder * sizeof *a);
	assert_memory_equal(a + encoder, c + encoder, (n - encoder) * sizeof *a);
	assert_true(one[ENCODER] > 0 && one[HEAD] > other[HEAD] && still[ENCODER] == 0 && still[HEAD] > 0);
	free(a);
	free(b);
	free(c);
	close_use(&u);
}

/* Adam's first step for an encoder that begins to learn late is as long as any first step: lr times the scale. */
static void test_thawing(void **state)
{
	(void)state;
	struct use u;
	open_use(&u, &family_ae, BASE,
		"head=7 batch_size=40 epochs=3 unfreeze_after=2 schedule=constant lr=1e-2 encoder_lr_scale=0.5 val_fraction=0");
	size_t encoder = u.m.net_offset[HEAD], moves = 0, short_ones = 0;
	real *before = memcpy(zeroed(encoder), u.t->w, encoder * sizeof *before);
	double part[RESULT_PARTS];
	while (u.t->step < 2 * u.t->steps_per_epoch)
		assert_int_equal(trainer_step(u.t, part, NULL), OK);
	assert_memory_equal(before, u.t->w, encoder * sizeof *before);
	assert_true(trainer_cached(u.t));
	assert_int_equal(trainer_step(u.t, part, NULL), OK);
	assert_false(trainer_cached(u.t));
	for (size_t i = 0; i < encoder; i++) {
		double far = fabs((double)u.t->w[i] - (double)before[i]);
		assert_true(far < 5.1e-3);
		moves += far > 4.5e-3;
		short_ones += far > 0 && far <= 4.5e-3;
	}
	assert_true(moves > 100 && moves > 10 * short_ones);
	free(before);
	close_use(&u);
}

static void test_learns_eight_images_by_heart(void **state)
{
	(void)state;
	static const char *const ways[] = {"freeze=true", "freeze=false", "unfreeze_after=30"};
	for (size_t i = 0; i < 3; i++) {
		char overrides[160];
		struct heard h = {0};
		struct use u = {.d = balls(8, 1, 1, 12, 12)};
		u.base = model_for(&family_ae, u.d, NET);
		u.on = open_trainer(&u.base, u.d, NULL, best_kern());
		snprintf(overrides, sizeof overrides, "%s head=32 batch_size=8 val_fraction=0 epochs=400 lr=1e-2", ways[i]);
		u.m = finetune_for(u.d, &family_ae, NET, overrides);
		u.t = open_head(&u, &u.m, NULL, best_kern());
		run(u.t, &h, 0);
		assert_true(h.point[0].value > 0.5);
		assert_true(last_value(&h, "train_loss") < 2e-2);
		assert_true(last_value(&h, "train_accuracy") == 1);
		free(h.point);
		close_use(&u);
	}
}

/* --- the same bits ------------------------------------------------------------------------------------------------------ */

static struct trainer *trained(struct use *u, int threads, const struct kern *k, struct heard *h)
{
	struct pool *pool = NULL;
	if (threads)
		assert_int_equal(pool_open(&pool, threads, NULL), OK);
	struct trainer *t = open_head(u, &u->m, pool, k);
	run(t, h, 0);
	t->pool = NULL; /* no work follows */
	pool_close(pool);
	return t;
}

static void check_same(struct use *u, int threads, const struct kern *k, const struct heard *expected)
{
	struct heard h = {0};
	struct trainer *t = trained(u, threads, k, &h);
	assert_same_points(expected, &h);
	assert_same_state(u->t, t);
	trainer_close(t);
	free(h.point);
}

static void test_threads_and_levels(void **state)
{
	(void)state;
	struct use u;
	open_use(&u, &family_ae, BASE " norm=batch dropout=0.1", THAWED);
	struct heard h = {0};
	run(u.t, &h, 0);
	for (int threads = 1; threads <= 3; threads++)
		check_same(&u, threads, best_kern(), &h);
	if (kern_at(CPU_AVX2) && kern_at(CPU_AVX512))
		check_same(&u, 0, kern_at(CPU_AVX2), &h);
	free(h.point);
	close_use(&u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_net),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_adoption),
		cmocka_unit_test(test_frozen_epochs),
		cmocka_unit_test(test_encoder_lr_scale),
		cmocka_unit_test(test_thawing),
		cmocka_unit_test(test_learns_eight_images_by_heart),
		cmocka_unit_test(test_threads_and_levels),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
