/* Whole steps of every workload, phases, batch norm and losses included, against differences of their losses, in double. The
 * batch is a whole block and a short one; a step at learning rate 0 tells loss and gradient and changes nothing. */
#include "core/model/trainer.h"

#include "tests/bench/workloads.h"
#include "tests/core/model/fixture.h"

#include <stdio.h>

enum { BATCH = 20, PROBES = 8 };

struct whole {
	struct model m;
	struct trainer *t;
};

/* The parts of the step that the parameters of phase `phase` learn from. */
static double loss_of(struct whole *x, int phase)
{
	double part[RESULT_PARTS];
	struct err err;
	x->t->step = 0;
	if (trainer_step(x->t, part, &err))
		fail_msg("%s", err.message);
	if (!strcmp(x->m.family->name, "gan"))
		return (phase ? part[2] : part[0] + part[1]) / BATCH;
	return part[0] / BATCH;
}

static double difference(struct whole *x, size_t i, int phase, double step_size)
{
	const real before = x->t->w[i];
	x->t->w[i] = before + step_size;
	double above = loss_of(x, phase);
	x->t->w[i] = before - step_size;
	double below = loss_of(x, phase);
	x->t->w[i] = before;
	return (above - below) / (2 * step_size);
}

/* A step may cross the kink of one unit of one sample; a smaller one then does not, and a wrong slope is wrong for both. */
static void check_value(struct whole *x, const char *name, size_t i, int phase, double got, double scale)
{
	double want = 0;
	for (double step = 1e-6; step > 5e-8; step /= 10) {
		want = difference(x, i, phase, step);
		if (fabs(want - got) <= 1e-6 * fabs(want) + 2e-5 * scale)
			return;
	}
	fail_msg("%s, %s[%zu]: %.12g, differences say %.12g", x->m.family->name, name, i, got, want);
}

static void check_net(struct whole *x, int net, int phase, const real *grad)
{
	struct net_tensor t;
	size_t offset;
	double scale = 0;
	for (int i = 0; model_tensor(&x->m, net, i, &t, &offset); i++)
		for (size_t k = 0; !t.buffer && k < t.count; k++)
			scale = fmax(scale, fabs(grad[offset + k]));
	assert_true(scale > 1e-6);
	for (int i = 0; model_tensor(&x->m, net, i, &t, &offset); i++)
		for (size_t probe = 0; !t.buffer && probe < PROBES; probe++) {
			size_t at = offset + probe * t.count / PROBES;
			check_value(x, t.name, at, phase, grad[at], scale);
		}
}

static void test_gradients(void **state)
{
	const struct workload *w = *state;
	struct dataset *d = balls(BATCH, 1, 1, 28, 28);
	float codes[BATCH * CODE_DIM];
	char more[96];
	struct err err;
	struct whole x;
	rng_normal(codes, BATCH * CODE_DIM, (struct rng){.seed = 3, .stream = RNG_NOISE});
	snprintf(more, sizeof more, "optimizer=sgd momentum=0 lr=0 batch_size=%d", BATCH);
	if (workload_plan(&x.m, w, more, &err))
		fail_msg("%s", err.message);
	x.t = open_trainer(&x.m, d, NULL, kern_at(CPU_BASELINE) ? kern_at(CPU_BASELINE) : kern_at(cpu_best()));
	trainer_features(x.t, SPLIT_TRAIN, codes);
	loss_of(&x, 0);
	real *grad = malloc(x.m.params * sizeof *grad);
	memcpy(grad, x.t->sum, x.m.params * sizeof *grad);
	for (int phase = 0; w->family->phases[phase].ops; phase++)
		for (int net = 0; net < w->family->phases[phase].nets; net++)
			check_net(&x, w->family->phases[phase].first_net + net, phase, grad);
	free(grad);
	trainer_close(x.t);
	model_free(&x.m);
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
