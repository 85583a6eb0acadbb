/* Whole steps of every workload against differences of their losses, in double. */
#include "tests/bench/workloads.h"
#include "tests/core/model/whole_step.h"

/* What its discriminator learns from, and its generator: d_loss and g_loss. */
static double gan_loss(const double part[RESULT_PARTS], int phase)
{
	return part[phase ? 6 : 0];
}

static void test_gradients(void **state)
{
	const struct workload *w = *state;
	/* as large as it is slow; classifier_double.c has smaller ones. Singular vectors must settle first: gan_double.c */
	if (!strcmp(w->name, "small") || !strcmp(w->name, "sngan"))
		skip();
	struct dataset *d = balls(WHOLE_BATCH, 1, 1, 28, 28);
	float codes[WHOLE_BATCH * CODE_DIM];
	struct err err;
	struct model m;
	/* the loss that is told has the whole KL */
	const char *more = strcmp(w->name, "nll") ? STILL_STEP : STILL_STEP " free_bits=0";
	rng_normal(codes, WHOLE_BATCH * CODE_DIM, (struct rng){.seed = 3, .stream = RNG_NOISE});
	if (workload_plan(&m, w, more, &err))
		fail_msg("%s", err.message);
	struct whole x = {.m = &m, .loss = strcmp(w->name, "gan") ? NULL : gan_loss};
	x.t = open_trainer(&m, d, NULL, kern_at(CPU_BASELINE) ? kern_at(CPU_BASELINE) : kern_at(cpu_best()));
	trainer_features(x.t, w->codes ? codes : NULL);
	check_whole_step(&x);
	trainer_close(x.t);
	model_free(&m);
	dataset_put(d);
}

int main(void)
{
	struct CMUnitTest tests[32];
	const struct workload *w;
	int n = 0;
	for (; (w = workload_at(n)); n++)
		tests[n] = (struct CMUnitTest){w->name, test_gradients, NULL, NULL, (void *)w};
	return _cmocka_run_group_tests("workloads", tests, (size_t)n, NULL, NULL);
}
