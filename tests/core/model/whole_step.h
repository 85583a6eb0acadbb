/* whole_step.h: a whole training step of a model, phases, batch norm and losses included, against differences of its losses, in
 * double. A step at learning rate 0 tells loss and gradient and changes nothing.
 *
 * Use: open a trainer whose parameters end in STILL_STEP, then check_whole_step.
 */
#ifndef LATENTD_TESTS_CORE_MODEL_WHOLE_STEP_H
#define LATENTD_TESTS_CORE_MODEL_WHOLE_STEP_H

#include "core/model/trainer.h"

#include "tests/core/model/fixture.h"

/* A whole block and a short one. */
#define STILL_STEP " optimizer=sgd momentum=0 weight_decay=0 lr=0 schedule=constant val_fraction=0 batch_size=20"
enum { WHOLE_BATCH = 20, WHOLE_PROBES = 8 };

struct whole {
	const struct model *m;
	struct trainer *t;
	/* the part of a step's sums that the parameters of a phase learn from; NULL: the first */
	double (*loss)(const double part[RESULT_PARTS], int phase);
};

static inline double whole_loss(struct whole *x, int phase)
{
	double part[RESULT_PARTS];
	struct err err;
	x->t->step = 0;
	if (trainer_step(x->t, part, &err))
		fail_msg("%s", err.message);
	return (x->loss ? x->loss(part, phase) : part[0]) / WHOLE_BATCH;
}

static inline double whole_difference(struct whole *x, size_t i, int phase, double step_size)
{
	const real before = x->t->w[i];
	x->t->w[i] = before + (real)step_size;
	double above = whole_loss(x, phase);
	x->t->w[i] = before - (real)step_size;
	double below = whole_loss(x, phase);
	x->t->w[i] = before;
	return (above - below) / (2 * step_size);
}

/* A step may cross the kink of one unit of one sample; a smaller one then does not, and a wrong slope is wrong for both. */
static inline void whole_value(struct whole *x, const char *name, size_t i, int phase, double got, double scale)
{
	double want = 0;
	for (double step = 1e-6; step > 5e-8; step /= 10) {
		want = whole_difference(x, i, phase, step);
		if (fabs(want - got) <= 1e-6 * fabs(want) + 2e-5 * scale)
			return;
	}
	fail_msg("%s, %s[%zu]: %.12g, differences say %.12g", x->m->family->name, name, i, got, want);
}

static inline void whole_net(struct whole *x, int net, int phase, const real *grad)
{
	struct net_tensor t;
	size_t offset;
	double scale = 0;
	for (int i = 0; model_tensor(x->m, net, i, &t, &offset); i++)
		for (size_t k = 0; !t.buffer && k < t.count; k++)
			scale = fmax(scale, fabs((double)grad[offset + k]));
	assert_true(scale > 1e-6);
	for (int i = 0; model_tensor(x->m, net, i, &t, &offset); i++)
		for (size_t probe = 0; !t.buffer && probe < WHOLE_PROBES; probe++) {
			size_t at = offset + probe * t.count / WHOLE_PROBES;
			whole_value(x, t.name, at, phase, (double)grad[at], scale);
		}
}

static inline void check_whole_step(struct whole *x)
{
	whole_loss(x, 0);
	real *grad = malloc(x->m->params * sizeof *grad);
	memcpy(grad, x->t->sum, x->m->params * sizeof *grad);
	const struct train_phase *phases = trainer_phases(x->t);
	for (int phase = 0; phases[phase].ops; phase++)
		for (int net = 0; net < phases[phase].nets; net++)
			whole_net(x, phases[phase].first_net + net, phase, grad);
	free(grad);
}

#endif
