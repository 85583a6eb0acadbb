/* optim.h: optimisers as rows over one contiguous block of parameters, with PyTorch's semantics.
 *
 * Sources: torch.optim SGD (momentum buffer starts as the first gradient; Nesterov g + mu v; L2 added to g), Adam (Kingma &
 * Ba 2015; coupled L2), AdamW (Loshchilov & Hutter 2019; decoupled decay, applied first), RMSprop (Tieleman & Hinton 2012;
 * alpha .99, eps outside the root, coupled L2, not centred).
 * Invariants: the update of element i reads element i only, so any cut of the block into ranges gives the same bits.
 */
#ifndef LATENTD_CORE_NN_OPTIM_H
#define LATENTD_CORE_NN_OPTIM_H

#include "core/base/real.h"
#include "core/kern/kern.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* order = choices of the `optimizer` parameter: "adam|adamw|sgd|rmsprop" */
enum optim_kind { OPTIM_ADAM, OPTIM_ADAMW, OPTIM_SGD, OPTIM_RMSPROP, OPTIM_COUNT };

struct optim {
	enum optim_kind kind;
	double beta1, beta2, eps, weight_decay, momentum;
	bool nesterov;
};

/* Moment blocks (each as large as the parameters) it needs: Adam 2, SGD 0, RMSprop 1, and one more
 * for the momentum of the last two. */
int optim_moments(const struct optim *o);
/* "exp_avg", "exp_avg_sq", "square_avg", "momentum_buffer": PyTorch's names of the i-th moment, for checkpoints. */
const char *optim_moment_name(const struct optim *o, int i);
/* Step number t (from 1) at learning rate lr on the range [from, from + n) of each block. */
void optim_update(const struct optim *o, const struct kern *kern, real *w, const real *g, real *const *moments,
	size_t from, size_t n, int64_t t, double lr);

/* order = choices of the `schedule` parameter: "constant|cosine|one_cycle|step|plateau|linear" */
enum schedule_kind {
	SCHEDULE_CONSTANT,
	SCHEDULE_COSINE,
	SCHEDULE_ONE_CYCLE,
	SCHEDULE_STEP,
	SCHEDULE_PLATEAU,
	SCHEDULE_LINEAR,
	SCHEDULE_COUNT
};

/* Learning rate of optimiser step `step` (from 0) of `steps`: linear warm-up over `warmup` steps, then
 * cosine: lr .5 (1 + cos(pi t / T)); one_cycle: lr is the maximum, pct .3, start max/25, end start/1e4, cosine both ways;
 * linear: lr (1 - t / T).
 * step and plateau stay at lr: what they take off at the end of an epoch follows from how the run goes (core/model/tracker.h). */
double schedule_lr(enum schedule_kind kind, double lr, int64_t step, int64_t steps, int64_t warmup);

#endif
