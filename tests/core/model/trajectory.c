/* Many optimiser steps against PyTorch in double (tests/golden/trajectory.py), at every level this processor has. */
#include "tests/core/model/trajectory.h"

#include "core/model/trainer.h"
#include "tests/bench/workloads.h"

/* The batches in the order of the images, as PyTorch took them. */
static void in_order(struct trainer *t)
{
	for (uint32_t i = 0; i < t->trains; i++)
		t->order[i] = i;
	t->order_epoch = 0;
}

enum { IMAGES = 2000, NOISE_SEED = 5 };

/* The codes that the heads see in place of images: row i of step s is the noise of sample i. */
static float *codes_of(int batch)
{
	float *codes = malloc((size_t)IMAGES * CODE_DIM * sizeof *codes);
	for (int s = 0; (s + 1) * batch <= IMAGES; s++)
		rng_normal(codes + (size_t)s * (size_t)batch * CODE_DIM, (size_t)batch * CODE_DIM,
			(struct rng){NOISE_SEED, RNG_NOISE, (uint64_t)s + 1});
	return codes;
}

/* Of a gan PyTorch tells d_loss_real, d_loss_fake and g_loss, and r1 where there is one; of the others one loss. */
static void assert_losses(const struct trajectory *t, const struct workload *w, int step, const double *part)
{
	static const int of_gan[] = {1, 2, 6, 7};
	const int gan = !strcmp(w->name, "gan") ? 3 : !strcmp(w->name, "sngan") ? 4 : 0;
	for (int i = 0; i < (gan ? gan : 1); i++)
		assert_loss(t, step, i, part[gan ? of_gan[i] : i] / t->batch);
}

static struct trainer *open_run(
	const struct workload *w, const struct trajectory *t, struct dataset *images, const struct kern *k, struct model *m)
{
	const bool sgd = !strcmp(t->run, "sgd");
	char more[256], lr[64];
	struct err err;
	trajectory_text(t, sgd ? "lr" : "adam_lr", lr, sizeof lr);
	snprintf(more, sizeof more, "optimizer=%s momentum=0 lr=%s batch_size=%d", t->run, lr, t->batch);
	if (workload_plan(m, w, more, &err))
		fail_msg("%s: %s", w->name, err.message);
	struct trainer *trainer = open_trainer(m, images, NULL, k);
	trainer->seed = NOISE_SEED;
	in_order(trainer);
	return trainer;
}

/* Of a head on given codes the encoder is not part of PyTorch's net. */
static void keep_head(struct state *live)
{
	int n = 0;
	for (int i = 0; i < live->n; i++)
		if (!strncmp(live->tensor[i].name, "head.", 5))
			live->tensor[n++] = live->tensor[i];
	live->n = n;
}

static void check_run(const struct workload *w, struct dataset *images, const struct kern *k, const char *run)
{
	struct trajectory t;
	struct model m;
	trajectory_open(&t, w->name, run);
	struct trainer *trainer = open_run(w, &t, images, k, &m);
	struct state live = {0};
	float *codes = codes_of(t.batch);
	trainer_features(trainer, codes);
	state_add_model(&live, &m, trainer->w);
	if (w->codes)
		keep_head(&live);
	trajectory_start(&t, &live);
	for (int step = 1; step <= trajectory_steps(&t); step++) {
		double part[RESULT_PARTS];
		assert_int_equal(trainer_step(trainer, part, NULL), OK);
		assert_losses(&t, w, step, part);
	}
	assert_end(&t, &live);
	state_free(&live);
	trainer_close(trainer);
	model_free(&m);
	trajectory_close(&t);
	free(codes);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SLOW = 1 };
#else
enum { SLOW = 0 };
#endif

/* Wide nets, and all nets under sanitizers, at the fastest level only: AVX2 gives the same bits, the baseline takes too long, and
 * the tests of the kernels walk all levels. Wide nets not at all under sanitizers: the others run the same code. */
static void check(const struct workload *w, const char *run)
{
	const bool wide = !strcmp(w->name, "gan") || !strcmp(w->name, "sngan") || !strcmp(w->name, "small");
	if (SLOW && wide)
		skip();
	struct dataset *images = trajectory_images(IMAGES);
	if (!images)
		skip();
	int levels = 0;
	const bool one = SLOW || wide;
	for (enum cpu_level level = 0; level < CPU_LEVEL_COUNT; level++)
		if (kern_at(level) && (!one || level == cpu_best())) {
			check_run(w, images, kern_at(level), run);
			levels++;
		}
	assert_true(levels > 0);
	dataset_put(images);
}

static void test_sgd(void **state)
{
	check(*state, "sgd");
}

static void test_adam(void **state)
{
	check(*state, "adam");
}

int main(void)
{
	struct CMUnitTest tests[64];
	static char name[64][32];
	int n = 0;
	const struct workload *w;
	for (int i = 0; (w = workload_at(i)); i++)
		for (int adam = 0; adam < 2; adam++, n++) {
			snprintf(name[n], sizeof name[n], "%s, %s", w->name, adam ? "adam" : "sgd");
			tests[n] = (struct CMUnitTest){name[n], adam ? test_adam : test_sgd, NULL, NULL, (void *)w};
		}
	return _cmocka_run_group_tests("trajectory", tests, (size_t)n, NULL, NULL);
}
