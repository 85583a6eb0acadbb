/* Adversarial nets: what can be planned, which steps do what, what is a sign of collapse, and what follows from it. Gradients:
 * gan_double.c; against PyTorch: trajectory.c; bits: step.c, train.c. */
#include "core/model/gan.h"

#include "tests/core/model/fixture.h"

#include "core/model/decode_all.h"
#include "core/model/trainer.h"

#include <stdio.h>

enum { TRAIN = 100, TEST = 10 };

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SLOW = 1 };
#else
enum { SLOW = 0 };
#endif
/* Thousands of steps tell a sanitizer nothing that a few hundred do not. */
#define SKIP_WHEN_SLOW \
	if (SLOW)          \
	skip()

static int try_plan(const char *overrides, struct map image, struct err *err)
{
	struct model m = {0};
	void *params = family_params(&family_gan, preset_find(&family_gan, "default"));
	if (param_set_all(family_gan.params, params, overrides, err))
		fail_msg("%s", err->message);
	int code = model_plan(&m, &family_gan, params, image, 10, err);
	model_free(&m);
	free(params);
	return code;
}

static void test_what_cannot_be(void **state)
{
	(void)state;
	static const struct {
		const char *overrides, *pointer, *word;
		struct map image;
	} cases[] = {
		{"val_fraction=0.1", "#/params/val_fraction", "must be 0", {1, 28, 28, 0}},
		{"judge_samples=100", "#/params/judge_samples", "0 or 256", {1, 28, 28, 0}},
		{"prune.amount=0.5", "#/params/prune", "must be null", {1, 28, 28, 0}},
		{"discriminator_norm=batch", "#/params/r1", "discriminator_norm", {1, 28, 28, 0}},
		{"gan_loss=hinge label_smoothing=0.1", "#/params/label_smoothing", "hinge", {1, 28, 28, 0}},
		{"", "#/params/channels", "2 or fewer channels would do", {1, 30, 28, 0}},
		{"channels=8,8,8,8,8,8,8", "#/params/channels", "28x28", {1, 28, 28, 0}},
		{"discriminator_channels=8,8,8,8,8,8", "#/params/discriminator_channels", "conv", {1, 28, 28, 0}},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct err err = {0};
		assert_int_equal(try_plan(cases[i].overrides, cases[i].image, &err), ERR_INVALID);
		assert_string_equal(err.pointer, cases[i].pointer);
		if (!strstr(err.message, cases[i].word))
			fail_msg("'%s' does not say '%s'", err.message, cases[i].word);
	}
	struct err err = {0};
	assert_int_equal(try_plan("channels=16,8,8,4", (struct map){3, 64, 32, 0}, &err), OK);
	assert_int_equal(try_plan("channels=16 r1=0 discriminator_norm=group", (struct map){1, 9, 9, 0}, &err), OK);
}

/* The report's words of the net, and its size in PyTorch (models_torch's Gen and Dis). */
static void test_report_net(void **state)
{
	(void)state;
	struct model m = {0};
	void *params = family_params(&family_gan, preset_find(&family_gan, "report"));
	assert_int_equal(model_plan(&m, &family_gan, params, (struct map){1, 28, 28, 0}, 10, NULL), OK);
	assert_int_equal(m.nets, 2);
	assert_string_equal(m.net[0].name, "generator");
	assert_int_equal(net_parameters(&m.net[0]), 627200 + 2 * 6272 + 131072 + 128 + 32768 + 64 + 289);
	assert_int_equal(net_parameters(&m.net[1]), 1088 + 131072 + 256 + 6273);
	assert_int_equal(m.latent_dim, 100);
	assert_false(model_has_codes(&m));
	model_free(&m);
	free(params);
}

static int count(const struct heard *h, const char *series)
{
	int n = 0;
	for (int i = 0; i < h->n; i++)
		n += !strcmp(h->point[i].series, series);
	return n;
}

/* The short batch is left out; the generator steps at every second step, the penalty is worked out at every third. */
static void test_which_steps(void **state)
{
	(void)state;
	struct dataset *d = balls(TRAIN, TEST, 1, 12, 12);
	struct model m = model_for(&family_gan, d, SMALL_GAN "batch_size=15 epochs=2");
	struct trainer *t = open_trainer(&m, d, NULL, best_kern());
	struct heard h = {0};
	assert_int_equal(trainer_progress(t).steps_per_epoch, 6);
	assert_int_equal(trainer_progress(t).epoch_images, 90);
	assert_int_equal(run(t, &h, 0), LOOP_COMPLETED);
	assert_int_equal(count(&h, "d_loss"), 12);
	assert_int_equal(count(&h, "g_loss"), 6);
	assert_int_equal(count(&h, "g_grad_norm"), 6);
	assert_int_equal(count(&h, "r1"), 4);
	assert_int_equal(count(&h, "fcd"), 0); /* nobody judges */
	for (int i = 0; i < h.n; i++)
		assert_true(strcmp(h.point[i].series, "g_loss") || h.point[i].step % 2 == 0);
	assert_string_equal(trainer_monitor(t), "d_loss");
	free(h.point);
	trainer_close(t);

	t = open_trainer(&m, d, NULL, best_kern());
	real *before = malloc(m.net_offset[1] * sizeof *before);
	for (int step = 1; step <= 4; step++) {
		double part[RESULT_PARTS];
		memcpy(before, t->w, m.net_offset[1] * sizeof *before);
		assert_int_equal(trainer_step(t, part, NULL), OK);
		assert_int_equal(memcmp(before, t->w, m.net_offset[1] * sizeof *before) == 0, step % 2);
	}
	free(before);
	trainer_close(t);
	model_free(&m);
	dataset_put(d);
}

/* Pixels for everybody else are in 0 … 1. */
static void test_samples(void **state)
{
	(void)state;
	enum { N = 300, D = 5, PIXELS = 144 };
	struct dataset *d = balls(TRAIN, TEST, 1, 12, 12);
	struct model m = model_for(&family_gan, d, SMALL_GAN);
	struct trainer *t = open_trainer(&m, d, NULL, best_kern());
	struct heard h = {0};
	run(t, &h, 0);
	float z[N * D], *images = malloc(N * PIXELS * sizeof *images);
	rng_normal(z, N * D, (struct rng){.seed = 3, .stream = RNG_SAMPLE});
	assert_int_equal(decode_all(&m, trainer_weights(t), z, N, images, NULL, best_kern(), NULL), OK);
	for (int i = 0; i < N * PIXELS; i++)
		assert_true(images[i] >= 0 && images[i] <= 1);
	free(images);
	free(h.point);
	trainer_close(t);
	model_free(&m);
	dataset_put(d);
}

/* Eight images are learned by heart: each has a sample that is near it, which none had at first. */
static double farthest(struct trainer *t, const struct dataset *d)
{
	enum { N = 256, D = 5, PIXELS = 144 };
	static float z[N * D], images[N * PIXELS];
	double worst = 0;
	rng_normal(z, N * D, (struct rng){.seed = 3, .stream = RNG_SAMPLE});
	assert_int_equal(decode_all(t->m, trainer_weights(t), z, N, images, NULL, best_kern(), NULL), OK);
	for (size_t i = 0; i < d->split[SPLIT_TRAIN].n; i++) {
		double nearest = INFINITY;
		for (int k = 0; k < N; k++) {
			double sum = 0;
			for (int p = 0; p < PIXELS; p++)
				sum += pow(
					(double)images[k * PIXELS + p] - d->split[SPLIT_TRAIN].images[i * PIXELS + (size_t)p] / 255.0, 2);
			nearest = fmin(nearest, sum / PIXELS);
		}
		worst = fmax(worst, nearest);
	}
	return worst;
}

static void test_overfits(void **state)
{
	(void)state;
	SKIP_WHEN_SLOW;
	struct dataset *d = balls(8, 2, 1, 12, 12);
	struct model m = model_for(&family_gan, d,
		"latent_dim=5 channels=16,8 discriminator_channels=8,16 batch_size=8 epochs=1500 val_fraction=0 "
		"lr=4e-3 beta1=0 beta2=0.9 ema=0.98 r1=0.1");
	struct trainer *t = open_trainer(&m, d, NULL, best_kern());
	struct heard h = {0};
	const double before = farthest(t, d);
	run(t, &h, 0);
	const double after = farthest(t, d);
	if (!(after < before / 5))
		fail_msg("the worst of eight images is %.4f away from any sample, %.4f before", after, before);
	free(h.point);
	trainer_close(t);
	model_free(&m);
	dataset_put(d);
}

/* --- signs --- */

static bool shows(const struct model *m, const char *code, const struct view *v)
{
	char text[200] = "";
	const struct sign *s = family_gan.signs;
	while (strcmp(s->code, code))
		s++;
	bool yes = s->shows(m, v, text, sizeof text);
	assert_true(!yes || (strlen(text) > 20 && strlen(text) < 199 && s->remedy));
	return yes;
}

static void test_signs(void **state)
{
	(void)state;
	struct dataset *d = balls(TRAIN, TEST, 1, 12, 12);
	struct model m = model_for(&family_gan, d, SMALL_GAN),
				 hinge = model_for(&family_gan, d, SMALL_GAN "gan_loss=hinge label_smoothing=0");
	const struct verdict sound = {
		.count = 1000, .classes = 10, .fcd = 12, .class_kl = 0.1, .min_share = 0.05, .diversity = 0.9};
	struct verdict v = sound;
	double mean[RESULT_PARTS] = {[PART_D] = 1.2, [PART_ACCURACY] = 0.7};
	struct view view = {.epoch = 3, .step = 300, .mean = mean, .grad_norm = 1, .verdict = &v, .best = (double)NAN};
	for (const struct sign *s = family_gan.signs; s->code; s++)
		assert_false(shows(&m, s->code, &view));
	mean[PART_ACCURACY] = 0.995;
	assert_true(shows(&m, "discriminator_won", &view));
	mean[PART_D] = 1.38;
	assert_false(shows(&m, "stuck", &view));
	v.diversity = 0.4;
	assert_true(shows(&m, "stuck", &view));
	assert_false(shows(&hinge, "stuck", &view));
	view.grad_norm = 1e-7;
	assert_true(shows(&m, "no_gradient", &view));
	v.diversity = 0.2;
	assert_true(shows(&m, "diversity_lost", &view));
	v.class_kl = 0.6;
	assert_false(shows(&m, "class_lost", &view)); /* they may yet come … */
	v.class_kl = 0.9;
	assert_true(shows(&m, "class_lost", &view));
	v.class_kl = 0.6;
	view.epoch = 4;
	assert_true(shows(&m, "class_lost", &view));
	view.epoch = 1;
	view.most_share = 0.05; /* … but they were there */
	assert_true(shows(&m, "class_lost", &view));
	v.class_kl = 0.1;
	v.min_share = 0.005;
	assert_true(shows(&m, "class_lost", &view));
	assert_false(family_gan.sound(&m, &view));
	view.since_epoch = 1; /* … with other weights: these are new, and have time */
	view.since_step = 300;
	assert_false(shows(&m, "class_lost", &view) || shows(&m, "diversity_lost", &view));
	assert_false(family_gan.sound(&m, &view)); /* and yet are nothing to go back to */
	v = sound;
	assert_true(family_gan.sound(&m, &view));
	v.min_share = 0.005;
	assert_false(family_gan.sound(&m, &view));
	view.best = 5;
	assert_false(shows(&m, "got_worse", &view));
	view.epoch_end = true;
	assert_true(shows(&m, "got_worse", &view));
	view.verdict = NULL;
	assert_false(shows(&m, "diversity_lost", &view) || shows(&m, "class_lost", &view) || shows(&m, "got_worse", &view));
	model_free(&m);
	model_free(&hinge);
	dataset_put(d);
}

/* --- what follows: a judge that finds the samples of chosen steps all the same --- */

struct bench {
	struct dataset *d;
	struct model m;
	struct trainer *t;
	int64_t from, to; /* steps with collapsed samples */
	bool brief;       /* those of the first epoch's end are, too, and better than all that follow */
	int alerts, backs, recalls, recalled;
	struct state kept[30]; /* by epoch */
	double lr;             /* of the newest step */
};

static int verdict_of(void *ctx, struct trainer *t, size_t n, struct verdict *ret, struct err *err)
{
	const struct bench *b = ctx;
	const int64_t step = trainer_progress(t).step;
	(void)err;
	*ret =
		(struct verdict){.count = (int)n, .classes = 3, .fcd = 50.0 / (double)step, .min_share = 0.1, .diversity = 1};
	if (b->brief)
		ret->fcd = step <= 100 ? 1 : 5 + (double)step;
	if ((step >= b->from && step <= b->to) || (b->brief && step >= 90 && step <= 110))
		ret->diversity = 0.1;
	return OK;
}

static void on_alert(void *ctx, struct trainer *t, const struct alert *a)
{
	struct bench *b = ctx;
	(void)t;
	b->alerts += !strcmp(a->code, "diversity_lost");
	b->backs += !strcmp(a->code, "rolled_back");
}

static void on_point(void *ctx, const struct point *p)
{
	struct bench *b = ctx;
	if (!strcmp(p->series, "lr"))
		b->lr = p->value;
}

static struct state copy_of(struct trainer *t)
{
	struct state live;
	trainer_state(t, &live);
	for (int i = 0; i < live.n; i++)
		live.tensor[i].data = memcpy(malloc(live.tensor[i].bytes + 1), live.tensor[i].data, live.tensor[i].bytes);
	return live;
}

static void drop(struct state *s)
{
	for (int i = 0; i < s->n; i++)
		free(s->tensor[i].data);
	state_free(s);
}

static int on_save(void *ctx, struct trainer *t, int epoch, struct err *err)
{
	struct bench *b = ctx;
	(void)err;
	drop(&b->kept[epoch]);
	b->kept[epoch] = copy_of(t);
	return OK;
}

static int on_recall(void *ctx, struct trainer *t, int epoch, struct err *err)
{
	struct bench *b = ctx;
	b->recalls++;
	b->recalled = epoch;
	return trainer_roll_back(t, &b->kept[epoch], err);
}

/* Batches of 1: an epoch has 100 steps and 10 looks. */
static void open_bench(struct bench *b, const char *overrides, int64_t from, int64_t to)
{
	char all[400];
	snprintf(all, sizeof all, "%sbatch_size=1 train_limit=100 n_critic=1 epochs=14 %s", SMALL_GAN, overrides);
	*b = (struct bench){.d = balls(TRAIN, TEST, 1, 12, 12), .from = from, .to = to};
	b->m = model_for(&family_gan, b->d, all);
	b->t = open_trainer(&b->m, b->d, NULL, best_kern());
	trainer_judge(b->t, &(struct judge_hook){b, verdict_of});
}

static enum loop_end train_bench(struct bench *b)
{
	const struct hooks hooks = {.ctx = b, .alert = on_alert, .save = on_save, .recall = on_recall, .point = on_point};
	enum loop_end end;
	struct err err = {0};
	if (train_loop(b->t, &hooks, &end, &err))
		fail_msg("%s", err.message);
	return end;
}

static void close_bench(struct bench *b)
{
	for (size_t i = 0; i < sizeof b->kept / sizeof *b->kept; i++)
		drop(&b->kept[i]);
	trainer_close(b->t);
	model_free(&b->m);
	dataset_put(b->d);
}

static void test_warn(void **state)
{
	(void)state;
	SKIP_WHEN_SLOW;
	struct bench b;
	open_bench(&b, "", 310, 900);
	assert_int_equal(train_bench(&b), LOOP_COMPLETED);
	assert_int_equal(b.alerts, 1);
	assert_int_equal(b.backs, 0);
	assert_string_equal(trainer_monitor(b.t), "fcd");
	assert_int_equal(trainer_best(b.t).epoch, 14);
	close_bench(&b);
}

static void test_stop(void **state)
{
	(void)state;
	SKIP_WHEN_SLOW;
	struct bench b;
	open_bench(&b, "on_collapse=stop", 310, 100000);
	assert_int_equal(train_bench(&b), LOOP_COLLAPSED);
	assert_int_equal(b.alerts, 1);
	assert_true(trainer_progress(b.t).step < 1000);
	close_bench(&b);
}

static void test_roll_back(void **state)
{
	(void)state;
	struct bench b;
	open_bench(&b, "on_collapse=rollback", 310, 800);
	assert_int_equal(train_bench(&b), LOOP_COMPLETED);
	assert_true(b.recalls >= 1 && b.recalls == b.backs && b.backs == b.alerts);
	assert_int_equal(b.recalled, 3); /* epochs that ended while it was lost are none to go back to */
	assert_true(fabs(b.lr - 1e-3 / (1 << b.backs)) < 1e-12);
	assert_true(b.t->watch.penalty_scale == 1 << b.backs);
	close_bench(&b);

	open_bench(&b, "on_collapse=rollback epochs=24", 0, 100000);
	assert_int_equal(train_bench(&b), LOOP_COLLAPSED);
	assert_int_equal(b.backs, ROLL_BACKS_MAX);
	assert_int_equal(b.recalls, 0); /* nothing was sound: it began anew */
	assert_true(b.t->watch.origin > 0);
	assert_true(fabs(b.lr - 1e-3) < 1e-12); /* of both; the discriminator's own is a thousandth of what it was */
	assert_true(fabs(watch_leader_scale(&b.t->watch) - 1e-3) < 1e-15);
	b.t->watch.most_share = 0.1;
	trainer_start_over(b.t);
	assert_true(b.t->watch.most_share == 0); /* of the weights before: new ones may lack classes for a while */
	close_bench(&b);
}

/* What it would go back to is saved, whatever else is: here epoch 1 is the best one and not sound, epoch 2 is sound. */
static void test_sound_epoch_is_saved(void **state)
{
	(void)state;
	struct bench b;
	open_bench(&b, "on_collapse=rollback checkpoint_every_epochs=13", 310, 800);
	b.brief = true;
	train_bench(&b);
	assert_true(b.recalls >= 1);
	assert_int_equal(b.recalled, 2);
	close_bench(&b);
}

/* Weights that are no numbers paint nothing: the run ends, and nobody is asked. */
static void test_nothing_to_judge(void **state)
{
	(void)state;
	struct bench b;
	struct err err = {0};
	enum loop_end end;
	open_bench(&b, "", 0, 0);
	trainer_judge(b.t, &(struct judge_hook){NULL, verdict_of}); /* who would be asked would crash */
	b.t->w[b.m.params - 1] = (real)NAN;                         /* padding: no gradient knows of it */
	assert_int_equal(train_loop(b.t, &(struct hooks){.ctx = &b}, &end, &err), ERR_DIVERGED);
	assert_non_null(strstr(err.message, "weights at step"));
	close_bench(&b);
}

/* Killed anywhere, around roll-backs too, and gone on. */
static void test_resume(void **state)
{
	(void)state;
	struct bench whole;
	open_bench(&whole, "on_collapse=rollback epochs=8", 210, 500);
	train_bench(&whole);
	assert_true(whole.backs > 0);
	struct state end = copy_of(whole.t);
	for (int epoch = SLOW ? 4 : 1; epoch < 8; epoch += SLOW ? 4 : 1) {
		struct bench part;
		open_bench(&part, "on_collapse=rollback epochs=8", 210, 500);
		assert_int_equal(trainer_restore(part.t, &whole.kept[epoch], NULL), OK);
		for (int e = 1; e <= epoch; e++) {
			struct trainer *other = open_trainer(&part.m, part.d, NULL, best_kern());
			assert_int_equal(trainer_restore(other, &whole.kept[e], NULL), OK);
			part.kept[e] = copy_of(other);
			trainer_close(other);
		}
		train_bench(&part);
		struct state now = copy_of(part.t);
		assert_int_equal(now.n, end.n);
		for (int i = 0; i < end.n; i++)
			if (memcmp(now.tensor[i].data, end.tensor[i].data, end.tensor[i].bytes))
				fail_msg("gone on from epoch %d: %s differs", epoch, end.tensor[i].name);
		drop(&now);
		close_bench(&part);
	}
	drop(&end);
	close_bench(&whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_what_cannot_be), cmocka_unit_test(test_report_net),
		cmocka_unit_test(test_which_steps), cmocka_unit_test(test_samples), cmocka_unit_test(test_overfits),
		cmocka_unit_test(test_signs), cmocka_unit_test(test_sound_epoch_is_saved),
		cmocka_unit_test(test_nothing_to_judge), cmocka_unit_test(test_warn), cmocka_unit_test(test_stop),
		cmocka_unit_test(test_roll_back), cmocka_unit_test(test_resume)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
