/* fork.h: a run that goes on from the state of another with parameters of its own.
 *
 * Why: with the same parameters it passes through the same bits as the other; what else they may be is said by their rows
 * (param.h, `fork`), and what that means for the state, its form and its trackers, is one rule, here.
 * Not here: whose checkpoint, and where a fork's files come from (server/fork.h).
 */
#ifndef LATENTD_CORE_MODEL_FORK_H
#define LATENTD_CORE_MODEL_FORK_H

#include "core/model/train.h"

/* What begins anew. */
struct fork_effect {
	bool loss;     /* the measure changed: nothing is the best yet */
	bool patience; /* early stopping was off or watched something else: epochs are waited for from here on */
	bool schedule; /* another one moves the learning rate: from its whole */
};
/* before, after: the family's structs. */
struct fork_effect fork_effect(const struct family *f, const void *before, const void *after);
/* A state in the form of another run's: its tensors point into the one it was made of, or into `blank`. */
struct reformed {
	struct state state;
	void *blank;
};
/* `saved` came about with the parameters `before`; *ret has what a trainer of m keeps, named as its nets count. What that did not keep
 * begins as in a new run: moments with 0, a running mean with the weights, and nothing is taken out; what m does not keep is left out,
 * and the weights go on from the live ones. ERR_CORRUPT where a tensor is missing that should be there. */
int fork_reform(struct reformed *ret, const struct model *m, const void *before, const struct state *saved, struct err *err);
void reformed_free(struct reformed *r);
/* After trainer_restore of a state that came about with the parameters `before`, once, before the first step. */
void trainer_fork(struct trainer *t, const void *before);
/* The checkpoint of the best epoch (of the sound one) is no longer kept: the present epoch stands for it. */
void trainer_best_is_lost(struct trainer *t);
void trainer_sound_is_lost(struct trainer *t);

#endif
