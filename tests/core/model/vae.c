#include "core/model/mirror.h"

#include "core/model/trainer.h"
#include "core/nn/layer.h"
#include "tests/core/model/fixture.h"

#include <stdio.h>

enum { LOSS, RECON, KL }; /* parts */
enum { TRAIN = 160, TEST = 37, PIXELS = 144 };

/* The net of the report, module by module as PyTorch counts them. */
static void test_report_net(void **state)
{
	(void)state;
	static const char *const names[MIRROR_NETS][6] = {{"encoder.0.weight", "encoder.0.bias", "encoder.2.weight",
														  "encoder.2.bias", "encoder.5.weight", "encoder.5.bias"},
		{"decoder.0.weight", "decoder.0.bias", "decoder.3.weight", "decoder.3.bias", "decoder.5.weight",
			"decoder.5.bias"}};
	struct dataset sizes = {.c = 1, .h = 28, .w = 28};
	struct model m = model_for(&family_vae, &sizes, "");
	assert_int_equal(m.latent_dim, 5);
	assert_int_equal(model_parameters(&m), 16939);
	assert_int_equal(m.net[ENCODER].out.c, 10);
	assert_int_equal(m.net[DECODER].in.c, 5);
	for (int n = 0; n < MIRROR_NETS; n++)
		for (int i = 0; i <= 6; i++) {
			struct net_tensor t;
			assert_int_equal(net_tensor(&m.net[n], i, &t), i < 6);
			if (i < 6)
				assert_string_equal(t.name, names[n][i]);
		}
	model_free(&m);
}

static double number_in(const char *preset, const char *name)
{
	void *params = family_params(&family_vae, preset_find(&family_vae, preset));
	double value = param_number(param_find(family_vae.params, name), params);
	free(params);
	return value;
}

static void test_presets(void **state)
{
	(void)state;
	assert_string_equal(family_vae.presets[0].name, "default");
	assert_string_equal(family_vae.presets[1].name, "report");
	for (const struct preset *p = family_vae.presets; p < family_vae.presets + 2; p++) {
		assert_int_equal((int)number_in(p->name, "latent_dim"), 5);
		assert_int_equal((int)number_in(p->name, "epochs"), 50);
		assert_int_equal((int)number_in(p->name, "batch_size"), 128);
		assert_true(number_in(p->name, "beta") == 1);
	}
	assert_int_equal((int)number_in("report", "optimizer"), OPTIM_ADAM);
	assert_int_equal((int)number_in("report", "schedule"), SCHEDULE_CONSTANT);
	assert_true(number_in("report", "lr") == 1e-3);
	assert_true(number_in("report", "warmup_epochs") == 0 && number_in("report", "beta_warmup") == 0);
	assert_int_equal((int)number_in("default", "optimizer"), OPTIM_ADAMW);
	assert_int_equal((int)number_in("default", "schedule"), SCHEDULE_COSINE);
	assert_true(number_in("default", "warmup_epochs") > 0);
	assert_int_equal((int)number_in("mlp-nll", "latent_dim"), 40);
	assert_int_equal((int)number_in("mlp-nll", "batch_size"), 100);
	assert_int_equal((int)number_in("mlp-nll", "beta_warmup"), 100);
	assert_true(number_in("mlp-nll", "binarize") == 1 && number_in("mlp-nll", "beta") == 1);
}

/* Linear 600, GLU twice on either side; the last layer is a sigmoid for those who decode, and left out for the loss. */
static void test_nll_net(void **state)
{
	(void)state;
	struct model m;
	void *params = family_params(&family_vae, preset_find(&family_vae, "mlp-nll"));
	assert_int_equal(model_plan(&m, &family_vae, params, (struct map){1, 28, 28, 0}, 10, NULL), OK);
	free(params);
	assert_int_equal(model_parameters(&m), 785 * 600 + 301 * 600 + 301 * 80 + 41 * 600 + 301 * 600 + 301 * 784);
	assert_int_equal(m.net[DECODER].layer[m.net[DECODER].n - 1].spec.act, ACT_SIGMOID);
	assert_true(m.net[DECODER].logits && !m.net[ENCODER].logits && !m.settles);
	model_free(&m);
}

/* Every series with the part it is said to show: totals come first. */
static void test_series(void **state)
{
	(void)state;
	static const char *const names[] = {"train_loss", "train_recon", "train_kl", "val_loss", "val_recon", "val_kl"};
	for (int i = 0; i < 6; i++) {
		const struct series *s = &family_vae.series[i];
		assert_string_equal(s->name, names[i]);
		assert_int_equal(s->per_step, i < 3);
		assert_true(s->help && s->formula && s->unit);
	}
	assert_string_equal(family_vae.series[6].name, "kl");
	assert_string_equal(family_vae.series[7].name, "active_units");
	assert_null(family_vae.series[8].name);
	assert_ptr_equal(series_find(&family_vae, "kl_12", 5), &family_vae.series[6]);
	assert_ptr_equal(series_find(&family_vae, "val_kl,lr", 6), &family_vae.series[5]);
	static const char *const absent[] = {"kl", "kl_", "kl_x", "kl_1x", "val_kl_0", "val", "val_klx", ""};
	for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
		assert_null(series_find(&family_vae, absent[i], strlen(absent[i])));
	assert_string_equal(family_vae.monitor, "val_loss");
}

struct use {
	struct dataset *d;
	struct model m;
	struct trainer *t;
};

static struct use open_use(const char *overrides)
{
	struct use u = {.d = balls(TRAIN, TEST, 1, 12, 12)};
	u.m = model_for(&family_vae, u.d, overrides);
	return u;
}

static void open_use_trainer(struct use *u)
{
	u->t = open_trainer(&u->m, u->d, NULL, best_kern());
}

static void close_use(struct use *u)
{
	trainer_close(u->t);
	model_free(&u->m);
	dataset_put(u->d);
}

/* Sums of a step that changes no weight; its gradient stays in t->sum. */
static void still_step(struct use *u, int64_t step, double part[RESULT_PARTS])
{
	struct err err;
	u->t->step = step;
	if (trainer_step(u->t, part, &err))
		fail_msg("%s", err.message);
}

#define STILL "latent_dim=3 channels=4,6 batch_size=40 val_fraction=0 epochs=9 optimizer=sgd momentum=0 lr=0 "

/* Units whose KL is within the free bits pull at nothing: with all of it free the step is that of beta 0, with none of it that
 * of the whole beta, in between each unit by itself. */
static void test_free_bits(void **state)
{
	(void)state;
	struct use none = open_use(STILL "beta=0"), whole = open_use(STILL "beta=2"),
			   free_all = open_use(STILL "beta=2 free_bits=100"), little = open_use(STILL "beta=2 free_bits=1e-12");
	struct use *const all[] = {&none, &whole, &free_all, &little};
	double part[4][RESULT_PARTS];
	for (int i = 0; i < 4; i++) {
		open_use_trainer(all[i]);
		still_step(all[i], 4, part[i]);
	}
	assert_false(whole.m.settles);
	assert_true(little.m.settles);
	const size_t bytes = none.m.params * sizeof(real);
	assert_memory_equal(none.t->sum, free_all.t->sum, bytes);
	assert_memory_equal(whole.t->sum, little.t->sum, bytes);
	assert_memory_not_equal(none.t->sum, whole.t->sum, bytes);
	assert_true(
		fabs(part[1][LOSS] - part[2][LOSS]) < 1e-12 * part[1][LOSS] && part[1][KL] > 0); /* told: the whole KL */
	for (int i = 0; i < 4; i++)
		close_use(all[i]);
}

/* White with the probability that the gray value says, black else: anew in each epoch, the same for evaluation always. */
static void test_binarize(void **state)
{
	(void)state;
	struct use u = open_use(STILL "binarize=true likelihood=bernoulli");
	double first[RESULT_PARTS], again[RESULT_PARTS], loss[2];
	open_use_trainer(&u);
	still_step(&u, 0, first);
	still_step(&u, 0, again);
	assert_memory_equal(first, again, sizeof first);
	const real *x = net_input(&u.m.net[ENCODER], u.t->ws[0]);
	size_t white = 0, black = 0;
	for (int i = 0; i < PIXELS; i++)
		for (int l = 0; l < u.t->block[2].lanes; l++) {
			real value = x[map_feature(&u.m.net[ENCODER].in, i) + (size_t)l];
			white += value == 1;
			black += value == 0;
		}
	assert_int_equal(white + black, PIXELS * u.t->block[2].lanes);
	assert_true(white > 50 && black > 50);
	double expected = 0;
	for (int l = 0; l < u.t->block[2].lanes; l++)
		for (int i = 0; i < PIXELS; i++)
			expected += u.t->block[2].images[l][i] / 255.0;
	assert_true(fabs((double)white - expected) < 4 * sqrt(0.25 * PIXELS * LANES));
	for (int i = 0; i < 2; i++) {
		u.t->seed += (uint64_t)i;
		double part[RESULT_PARTS];
		still_step(&u, 8, part);
		loss[i] = test_loss(u.t);
	}
	u.t->seed--;
	loss[1] = test_loss(u.t);
	assert_true(loss[0] == loss[1]);
	close_use(&u);
}

/* All images in one batch: only their order and what is drawn differ between two epochs, and the KL knows no order. */
static void test_binarize_draws_anew_each_epoch(void **state)
{
	(void)state;
	static const char *const cases[] = {STILL "batch_size=160", STILL "batch_size=160 binarize=true"};
	for (int i = 0; i < 2; i++) {
		struct use u = open_use(cases[i]);
		double part[2][RESULT_PARTS];
		open_use_trainer(&u);
		for (int epoch = 0; epoch < 2; epoch++)
			still_step(&u, epoch, part[epoch]);
		assert_int_equal(fabs(part[1][KL] / part[0][KL] - 1) < 1e-6, i == 0);
		close_use(&u);
	}
}

/* The cross entropy of the sigmoid that decode gives, and a finite one where that rounds to 0 and 1. */
static void test_bernoulli_is_the_cross_entropy_of_what_decode_gives(void **state)
{
	(void)state;
	static float x[TEST * PIXELS], y[TEST * PIXELS], mu[TEST * 3], logvar[TEST * 3], eps[TEST * 3], z[TEST * 3];
	struct use u = open_use(SMALL_VAE "likelihood=bernoulli beta=0");
	const struct kern *k = best_kern();
	double loss, sum = 0;
	open_use_trainer(&u);
	loss = test_loss(u.t);
	for (int i = 0; i < TEST * PIXELS; i++)
		x[i] = (float)u.d->split[SPLIT_TEST].images[i] / 255.0f;
	assert_int_equal(model_posterior(&u.m, k, u.t->w, u.t->ws[0], x, TEST, mu, logvar, NULL), OK);
	rng_normal(eps, TEST * 3, (struct rng){.seed = u.t->seed, .stream = RNG_NOISE, .step = 0});
	for (int i = 0; i < TEST * 3; i++)
		z[i] = (float)((double)mu[i] + exp((double)logvar[i] / 2) * (double)eps[i]);
	assert_int_equal(model_decode(&u.m, k, u.t->w, u.t->ws[0], z, TEST, y, NULL), OK);
	for (int i = 0; i < TEST * PIXELS; i++)
		sum -= (double)x[i] * log((double)y[i]) + (1 - (double)x[i]) * log1p(-(double)y[i]);
	assert_true(fabs(loss - sum / TEST) < 1e-5 * loss);
	struct net_tensor bias;
	const struct net *decoder = &u.m.net[DECODER];
	assert_true(net_tensor(decoder, 7, &bias) && !strncmp(bias.name, "decoder.", 8) && bias.rank == 1);
	u.t->w[u.m.net_offset[DECODER] + bias.offset] = 1000; /* every pixel white beyond a doubt */
	loss = test_loss(u.t);
	assert_true(isfinite(loss) && loss > 1000);
	close_use(&u);
}

/* Four steps an epoch: in the warm-up's second epoch of four a beta of 2 weighs as much as 0.5 does, at its beginning nothing. */
static void test_warmup_is_a_smaller_beta(void **state)
{
	(void)state;
	static const struct {
		int64_t step;
		const char *as;
	} cases[] = {
		{0, STILL "beta=0"}, {4, STILL "beta=0.5"}, {12, STILL "beta=1.5"}, {16, STILL "beta=2"}, {31, STILL "beta=2"}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct use warm = open_use(STILL "beta=2 beta_warmup=4"), plain = open_use(cases[i].as);
		double part[RESULT_PARTS], other[RESULT_PARTS];
		open_use_trainer(&warm);
		open_use_trainer(&plain);
		still_step(&warm, cases[i].step, part);
		still_step(&plain, cases[i].step, other);
		assert_memory_equal(warm.t->sum, plain.t->sum, warm.m.params * sizeof(real));
		assert_true(part[RECON] == other[RECON] && part[KL] == other[KL] && part[KL] > 0);
		assert_true(fabs(part[LOSS] - (part[RECON] + 2 * part[KL])) < 1e-12 * part[LOSS]);
		close_use(&warm);
		close_use(&plain);
	}
}

/* Each step draws anew, each image for itself. */
static void test_noise(void **state)
{
	(void)state;
	float wanted[TRAIN * 3];
	real noise[3 * LANES];
	rng_normal(wanted, TRAIN * 3, (struct rng){.seed = 5, .stream = RNG_NOISE, .step = 7});
	for (uint32_t from = 0; from < TRAIN; from += LANES) {
		struct block b = {.rng = {.seed = 5, .step = 7}, .sample = from};
		model_noise(&b, 3, noise);
		for (uint32_t l = 0; l < LANES; l++)
			for (uint32_t u = 0; u < 3; u++)
				assert_true(noise[u * LANES + l] == wanted[(from + l) * 3 + u]);
	}
	struct use u = open_use(STILL);
	double first[RESULT_PARTS], second[RESULT_PARTS];
	open_use_trainer(&u);
	still_step(&u, 0, first);
	u.t->seed++;
	still_step(&u, 0, second);
	assert_true(first[KL] == second[KL] && first[RECON] != second[RECON]); /* the same images, another draw */
	close_use(&u);
}

/* Loss of the test split by the formulas, in double, from what the model's other faces give. */
static double plain_loss(struct use *u, double beta)
{
	static float x[TEST * PIXELS], y[TEST * PIXELS], mu[TEST * 3], logvar[TEST * 3], eps[TEST * 3], z[TEST * 3];
	const struct kern *k = best_kern();
	real *ws = u->t->ws[0];
	double sum = 0;
	for (int i = 0; i < TEST * PIXELS; i++)
		x[i] = (float)u->d->split[SPLIT_TEST].images[i] / 255.0f;
	assert_int_equal(model_posterior(&u->m, k, u->t->w, ws, x, TEST, mu, logvar, NULL), OK);
	rng_normal(eps, TEST * 3, (struct rng){.seed = u->t->seed, .stream = RNG_NOISE, .step = 0});
	for (int i = 0; i < TEST * 3; i++) {
		double m = (double)mu[i], v = (double)logvar[i];
		z[i] = (float)(m + exp(v / 2) * (double)eps[i]);
		sum += beta * (m * m + exp(v) - 1 - v) / 2;
	}
	assert_int_equal(model_decode(&u->m, k, u->t->w, ws, z, TEST, y, NULL), OK);
	for (int i = 0; i < TEST * PIXELS; i++)
		sum += pow((double)y[i] - (double)x[i], 2);
	return sum / TEST;
}

/* One draw per image, whatever step the training is at, and the final beta, also within the warm-up. */
static void test_evaluation(void **state)
{
	(void)state;
	struct use u = open_use(SMALL_VAE "beta=3 beta_warmup=50 val_fraction=0");
	struct heard h = {0};
	double told[RESULT_PARTS], later[RESULT_PARTS];
	open_use_trainer(&u);
	run(u.t, &h, 3);
	assert_int_equal(trainer_evaluate(u.t, SPLIT_TEST, NULL, told, NULL), OK);
	u.t->step = 7;
	assert_int_equal(trainer_evaluate(u.t, SPLIT_TEST, NULL, later, NULL), OK);
	assert_memory_equal(told, later, sizeof told);
	assert_true(fabs(told[LOSS] - plain_loss(&u, 3)) < 1e-5 * told[LOSS]);
	assert_true(fabs(told[RECON] + 3 * told[KL] - told[LOSS]) < 1e-9 * told[LOSS]);
	free(h.point);
	close_use(&u);
}

static void test_posterior(void **state)
{
	(void)state;
	static float x[TEST * PIXELS], y[TEST * PIXELS], both[TEST * PIXELS], z[TEST * 3], mu[TEST * 3], logvar[TEST * 3];
	struct use u = open_use(SMALL_VAE);
	const struct kern *k = best_kern();
	open_use_trainer(&u);
	real *w = u.t->w, *ws = u.t->ws[0];
	for (int i = 0; i < TEST * PIXELS; i++)
		x[i] = (float)u.d->split[SPLIT_TEST].images[i] / 255.0f;
	assert_int_equal(model_posterior(&u.m, k, w, ws, x, TEST, mu, logvar, NULL), OK);
	assert_int_equal(model_encode(&u.m, k, w, ws, x, TEST, z, NULL), OK);
	assert_memory_equal(z, mu, sizeof z);
	assert_memory_not_equal(mu, logvar, sizeof mu);
	for (int i = 0; i < TEST; i++) { /* one by itself, too */
		float m[3], v[3];
		assert_int_equal(model_posterior(&u.m, k, w, ws, x + i * PIXELS, 1, m, v, NULL), OK);
		assert_memory_equal(m, mu + i * 3, sizeof m);
		assert_memory_equal(v, logvar + i * 3, sizeof v);
	}
	assert_int_equal(model_decode(&u.m, k, w, ws, mu, TEST, y, NULL), OK);
	assert_int_equal(model_reconstruct(&u.m, k, w, ws, x, TEST, both, NULL), OK);
	assert_memory_equal(y, both, sizeof y);
	struct net_tensor bias;
	assert_true(net_tensor(&u.m.net[ENCODER], 7, &bias) && !strcmp(bias.name, "encoder.7.bias"));
	w[bias.offset + 3] = 1000;
	w[bias.offset + 4] = -1000;
	w[bias.offset + 2] = 1000;
	assert_int_equal(model_posterior(&u.m, k, w, ws, x, TEST, mu, logvar, NULL), OK);
	for (int i = 0; i < TEST; i++) /* variances are held, means are not */
		assert_true(logvar[i * 3] == 10 && logvar[i * 3 + 1] == -10 && mu[i * 3 + 2] > 900);
	close_use(&u);
}

static void test_absent_ability(void **state)
{
	(void)state;
	struct dataset sizes = {.c = 1, .h = 12, .w = 12};
	struct model m = ae_for(&sizes, SMALL_AE);
	struct err err = {0};
	assert_int_equal(model_posterior(&m, best_kern(), NULL, NULL, NULL, 1, NULL, NULL, &err), ERR_UNSUPPORTED);
	assert_string_equal(err.message, "an ae has no posterior; abilities: encode, decode, sample");
	model_free(&m);
}

/* Sum over units of the newest points of kl_0 …, which must be of the same step. */
static double sum_of_units(const struct heard *h, int units)
{
	double sum = 0;
	for (int j = 0; j < units; j++) {
		char name[32];
		snprintf(name, sizeof name, "kl_%d", j);
		sum += last_value(h, name);
	}
	return sum;
}

/* Of the held-out images; without these, of the epoch's training images, also when the epoch was taken in two parts. */
static void test_units_make_the_whole(void **state)
{
	(void)state;
	static const struct {
		const char *overrides, *whole;
		int units;
	} cases[] = {{SMALL_VAE "val_fraction=0.2 latent_dim=7", "val_kl", 7}, {SMALL_VAE "val_fraction=0", NULL, 3},
		{SMALL_VAE "val_fraction=0.2 latent_dim=512 free_bits=0.01", "val_kl", 512}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct use u = open_use(cases[i].overrides);
		struct heard h = {0};
		open_use_trainer(&u);
		run(u.t, &h, 6);
		run(u.t, &h, 0);
		double whole = 0, sum = sum_of_units(&h, cases[i].units);
		if (cases[i].whole)
			whole = last_value(&h, cases[i].whole);
		for (int k = 0; !cases[i].whole && k < h.n; k++)
			if (!strcmp(h.point[k].series, "train_kl") && h.point[k].step > u.t->steps_per_epoch)
				whole += h.point[k].value / (double)u.t->steps_per_epoch;
		assert_true(fabs(sum - whole) < 1e-9 * whole);
		int active = 0;
		for (int j = 0; j < cases[i].units; j++)
			active += u.t->codes.std[j] * u.t->codes.std[j] > 0.01;
		assert_int_equal((int)last_value(&h, "active_units"), active);
		free(h.point);
		close_use(&u);
	}
}

static void test_watch(void **state)
{
	(void)state;
	static const struct {
		int64_t epoch, active[3];
		bool alarm;
	} cases[] = {
		{1, {3, -1, -1}, false}, {2, {2, 3, -1}, false}, {3, {1, 2, 3}, true}, {3, {2, 2, 3}, false}, {3, {3, 2, 3}, false},
		{9, {0, 3, 3}, false}, {2, {0, 0, -1}, false}, {3, {0, 0, 0}, true}, /* warm-up: 1.5 epochs */
	};
	struct use u = open_use(SMALL_VAE);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const int64_t *active = cases[i].active;
		const struct view v = {.epoch = cases[i].epoch, .epoch_end = true, .active = {active[0], active[1], active[2]}};
		char text[200] = "";
		assert_int_equal(family_vae.signs[0].shows(&u.m, &v, text, sizeof text), cases[i].alarm);
		assert_true(!cases[i].alarm || strstr(text, "epoch"));
	}
	close_use(&u);
}

struct alarms {
	int n;
	int64_t epoch;
	struct alert last;
};

static void on_alert(void *ctx, struct trainer *t, const struct alert *a)
{
	struct alarms *heard = ctx;
	heard->n++;
	heard->epoch = trainer_progress(t).epoch;
	heard->last = *a;
}

/* One alarm however long it lasts, also over a resume; none where all is well. */
static void test_alert_once(void **state)
{
	(void)state;
	struct use dead = open_use(SMALL_VAE "beta=1000 beta_warmup=0 epochs=30"),
			   well = open_use(SMALL_VAE "beta=1e-3 epochs=8 batch_size=8");
	struct use *const both[] = {&dead, &well};
	struct alarms heard[2] = {0};
	for (int i = 0; i < 2; i++) {
		enum loop_end end;
		const struct hooks hooks = {.ctx = &heard[i], .alert = on_alert};
		open_use_trainer(both[i]);
		assert_int_equal(train_loop(both[i]->t, &hooks, &end, NULL), OK);
	}
	assert_int_equal(heard[0].n, 1);
	assert_string_equal(heard[0].last.code, "posterior_collapse");
	assert_true(heard[0].epoch < 25);
	assert_int_equal(heard[1].n, 0);
	close_use(&dead);
	close_use(&well);
}

/* Where the code costs nearly nothing, a few images are kept whole, noise and all. */
static void test_learns_eight_images_by_heart(void **state)
{
	(void)state;
	struct use u = {.d = balls(8, 1, 1, 12, 12)};
	u.m = model_for(&family_vae, u.d,
		"batch_size=8 val_fraction=0 channels=8,16 hidden=32 latent_dim=4 epochs=1000 lr=5e-3 activation=silu "
		"schedule=cosine warmup_epochs=20 beta=1e-3 beta_warmup=200");
	struct heard h = {0};
	open_use_trainer(&u);
	assert_int_equal(run(u.t, &h, 0), LOOP_COMPLETED);
	assert_true(h.point[1].value > 0.05 * PIXELS);
	assert_true(last_value(&h, "train_recon") < 1e-3 * PIXELS);
	assert_true(last_value(&h, "train_kl") > 1);
	free(h.point);
	close_use(&u);
}

/* A code dearer than anything it could tell is given up. */
static void test_collapses_under_a_large_beta(void **state)
{
	(void)state;
	struct use u = open_use(SMALL_VAE "beta=1000 beta_warmup=0 epochs=40 val_fraction=0.1");
	struct heard h = {0};
	open_use_trainer(&u);
	run(u.t, &h, 0);
	assert_true(last_value(&h, "val_kl") < 0.05);
	assert_true(
		fabs(last_value(&h, "val_loss") - last_value(&h, "val_recon") - 1000 * last_value(&h, "val_kl")) < 1e-6);
	free(h.point);
	close_use(&u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_report_net),
		cmocka_unit_test(test_presets),
		cmocka_unit_test(test_nll_net),
		cmocka_unit_test(test_series),
		cmocka_unit_test(test_free_bits),
		cmocka_unit_test(test_binarize),
		cmocka_unit_test(test_binarize_draws_anew_each_epoch),
		cmocka_unit_test(test_bernoulli_is_the_cross_entropy_of_what_decode_gives),
		cmocka_unit_test(test_warmup_is_a_smaller_beta),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_evaluation),
		cmocka_unit_test(test_posterior),
		cmocka_unit_test(test_absent_ability),
		cmocka_unit_test(test_units_make_the_whole),
		cmocka_unit_test(test_watch),
		cmocka_unit_test(test_alert_once),
		cmocka_unit_test(test_learns_eight_images_by_heart),
		cmocka_unit_test(test_collapses_under_a_large_beta),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
