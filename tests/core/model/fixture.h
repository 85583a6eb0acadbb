/* fixture.h: small data sets, models and listeners that the tests of this room share. */
#ifndef LATENTD_TESTS_CORE_MODEL_FIXTURE_H
#define LATENTD_TESTS_CORE_MODEL_FIXTURE_H

#include "core/base/cpu.h"
#include "core/base/rng.h"
#include "core/model/train.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A soft ball per image, somewhere: as many numbers describe it as a small code can hold. */
static inline void paint_ball(uint8_t *image, int c, int h, int w, uint64_t number)
{
	uint32_t words[4];
	rng_words(words, (struct rng){.seed = 99, .stream = RNG_NOISE, .step = number}, 0);
	double cx = w * (0.25 + 0.5 * words[0] * 0x1p-32), cy = h * (0.25 + 0.5 * words[1] * 0x1p-32);
	double radius = 0.15 * w + 0.3 * w * words[2] * 0x1p-32;
	for (int ch = 0; ch < c; ch++)
		for (int y = 0; y < h; y++)
			for (int x = 0; x < w; x++) {
				double far = hypot(x - cx, y - cy) - radius - ch;
				*image++ = (uint8_t)(255 / (1 + exp(2 * far)));
			}
}

static inline void paint_split(struct dataset_split *s, size_t n, int c, int h, int w, uint64_t first)
{
	s->n = n;
	s->images = malloc(n * (size_t)(c * h * w) + 1);
	s->labels = calloc(n + 1, 1);
	for (size_t i = 0; i < n; i++) {
		paint_ball(s->images + i * (size_t)(c * h * w), c, h, w, first + i);
		s->labels[i] = (uint8_t)(i % 3);
	}
}

/* One reference, the caller's. */
static inline struct dataset *balls(size_t train, size_t test, int c, int h, int w)
{
	struct dataset *d = calloc(1, sizeof *d);
	assert_non_null(d);
	strcpy(d->name, "balls");
	d->c = c;
	d->h = h;
	d->w = w;
	d->classes = 3;
	d->refs = 1;
	paint_split(&d->split[SPLIT_TRAIN], train, c, h, w, 0);
	paint_split(&d->split[SPLIT_TEST], test, c, h, w, 1000000);
	return d;
}

/* A model of a family with `overrides` of the defaults, for images of the data set. */
static inline struct model model_for(const struct family *f, const struct dataset *d, const char *overrides)
{
	struct err err = {0};
	struct model m = {0};
	void *params = family_params(f, NULL);
	assert_non_null(params);
	if (param_set_all(f->params, params, overrides, &err) ||
		model_plan(&m, f, params, (struct map){d->c, d->h, d->w, 0}, d->classes, &err))
		fail_msg("%s: %s", err.pointer, err.message);
	free(params);
	return m;
}

static inline struct model ae_for(const struct dataset *d, const char *overrides)
{
	return model_for(&family_ae, d, overrides);
}

/* A head on a model of `base`. */
static inline struct model finetune_for(
	const struct dataset *d, const struct family *base, const char *base_overrides, const char *overrides)
{
	struct err err = {0};
	struct model m = {0};
	struct model_base on = {base, family_params(base, NULL)};
	void *params = family_params(&family_finetune, NULL);
	if (param_set_all(base->params, on.params, base_overrides, &err) ||
		param_set_all(family_finetune.params, params, overrides, &err) ||
		model_plan_on(&m, &family_finetune, params, &on, (struct map){d->c, d->h, d->w, 0}, d->classes, &err))
		fail_msg("%s: %s", err.pointer, err.message);
	free(on.params);
	free(params);
	return m;
}

/* 12 x 12 pixels, two convolutions: fast under every sanitizer. */
#define SMALL_AE "latent_dim=3 channels=4,6 kernel=3 stride=2 padding=1 hidden=10 batch_size=40 epochs=2 lr=5e-3 "
/* The same net as a vae, whose noise and warm-up must not depend on anything but the step. */
#define SMALL_VAE SMALL_AE "beta=0.5 beta_warmup=1.5 "

/* Batch norm, dropout and augmentation, all of which depend on the step. */
#define SMALL_CLASSIFIER                                                                          \
	"channels=4,6 batch_size=40 epochs=2 lr=0.05 optimizer=sgd nesterov=true schedule=one_cycle " \
	"augment=hflip,crop,erase label_smoothing=0.1 "

/* 12 x 12 pixels: batch norm, spectral norm, the penalty at every third step, noise that fades, two steps to one of the generator. */
#define SMALL_GAN                                                                                        \
	"latent_dim=5 channels=6,4 discriminator_channels=4,6 batch_size=40 epochs=2 val_fraction=0 lr=1e-3 " \
	"lr_d=2e-3 r1_every=3 n_critic=2 instance_noise=0.1 label_smoothing=0.1 ema=0.9 "

static inline const struct kern *best_kern(void)
{
	const struct kern *k = kern_at(cpu_best());
	return k ? k : kern_at(CPU_BASELINE);
}

static inline struct trainer *open_trainer(
	const struct model *m, struct dataset *d, struct pool *pool, const struct kern *k)
{
	struct err err = {0};
	struct trainer *t = NULL;
	if (trainer_open(&t, m, d, pool, k, 5, &err))
		fail_msg("%s", err.message);
	return t;
}

/* As blocks and workspaces must lie: on a 64-byte boundary, zero. free() gives it back. */
static inline real *zeroed(size_t reals)
{
	size_t bytes = (reals * sizeof(real) + 64) / 64 * 64;
	real *x = aligned_alloc(64, bytes);
	assert_non_null(x);
	return memset(x, 0, bytes);
}

/* What a run said. */
struct heard {
	int n, stop_at; /* stop_at: the step after which poll asks to stop; 0: never */
	struct point *point;
	const struct trainer *t;
};

static inline void hear(void *ctx, const struct point *p)
{
	struct heard *h = ctx;
	h->point = realloc(h->point, (size_t)(h->n + 1) * sizeof *h->point);
	h->point[h->n++] = *p;
}

static inline unsigned stop_when_due(void *ctx)
{
	struct heard *h = ctx;
	return h->stop_at && trainer_progress(h->t).step >= h->stop_at ? LOOP_STOP : 0;
}

static inline enum loop_end run(struct trainer *t, struct heard *h, int stop_at)
{
	struct err err = {0};
	enum loop_end end;
	h->t = t;
	h->stop_at = stop_at;
	struct hooks hooks = {.ctx = h, .point = hear, .poll = stop_when_due};
	if (train_loop(t, &hooks, &end, &err))
		fail_msg("%s", err.message);
	return end;
}

static inline void assert_same_points(const struct heard *a, const struct heard *b)
{
	assert_int_equal(a->n, b->n);
	for (int i = 0; i < a->n; i++) {
		assert_string_equal(a->point[i].series, b->point[i].series);
		assert_int_equal(a->point[i].step, b->point[i].step);
		assert_memory_equal(&a->point[i].epoch, &b->point[i].epoch, sizeof(double));
		assert_memory_equal(&a->point[i].value, &b->point[i].value, sizeof(double));
	}
}

/* Every tensor, bit by bit: weights, moments, counters, statistics. */
static inline void assert_same_state(struct trainer *a, struct trainer *b)
{
	struct state sa, sb;
	trainer_state(a, &sa);
	trainer_state(b, &sb);
	assert_false(sa.failed || sb.failed);
	assert_int_equal(sa.n, sb.n);
	for (int i = 0; i < sa.n; i++) {
		assert_string_equal(sa.tensor[i].name, sb.tensor[i].name);
		assert_int_equal(sa.tensor[i].bytes, sb.tensor[i].bytes);
		if (memcmp(sa.tensor[i].data, sb.tensor[i].data, sa.tensor[i].bytes))
			fail_msg("%s differs", sa.tensor[i].name);
	}
	state_free(&sa);
	state_free(&sb);
}

static inline double last_value(const struct heard *h, const char *series)
{
	for (int i = h->n; i-- > 0;)
		if (!strcmp(h->point[i].series, series))
			return h->point[i].value;
	fail_msg("no point of %s", series);
	return NAN;
}

/* Of the weights that are served, on the test images. */
static inline double test_loss(struct trainer *t)
{
	double loss[RESULT_PARTS];
	assert_int_equal(trainer_evaluate(t, SPLIT_TEST, NULL, loss, NULL), OK);
	return loss[0];
}

#endif
