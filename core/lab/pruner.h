/* pruner.h: whether a trial is worth its next step, judged by the curves of others.
 *
 * Source: Optuna 3.1, MedianPruner and SuccessiveHalvingPruner (Li et al. 2020), with their defaults.
 * Invariants: pure: the curves decide. A curve is what was reported at steps in ascending order; the least value is the best.
 * Differences: what a trial was worth at a rung is read from its curve, so a pruner is to be asked at each step reported. Trials that
 * ended before any was complete compete, too; without min_resource it follows from the trials that are complete when asked.
 * Not here: who the others are: the study says that, so that the answer does not depend on the time.
 */
#ifndef LATENTD_CORE_LAB_PRUNER_H
#define LATENTD_CORE_LAB_PRUNER_H

#include "core/lab/space.h"

enum pruner { PRUNER_NONE, PRUNER_MEDIAN, PRUNER_ASHA, PRUNER_COUNT };
extern const char *const pruner_names[PRUNER_COUNT + 1]; /* ends with NULL */

struct pruner_options {
	enum pruner pruner;
	int n_startup;        /* median: complete trials before which nothing is pruned */
	int64_t warmup;       /* median: steps before which nothing is pruned */
	int64_t interval;     /* median: steps from one look to the next, at least 1 */
	int64_t min_resource; /* asha: step of the first rung; 0: a hundredth of the longest complete trial's, at least 1 */
	int reduction;        /* asha: eta, at least 2: 1 of so many goes on, and rungs lie apart by this factor */
	int spare;            /* asha: s, rungs left out at the beginning */
};
#define PRUNER_DEFAULTS ((struct pruner_options){.n_startup = 5, .interval = 1, .reduction = 4})

struct learning_curve {
	enum trial_state state;
	int n;
	const int64_t *step; /* [n], ascending, from 0 */
	const double *value; /* [n] */
};

/* Whether the trial of `self`, which has just reported its last value, is to end here; n others. */
int pruner_says(bool *ret, const struct pruner_options *o, const struct learning_curve *others, int n,
	const struct learning_curve *self, struct err *err);

#endif
