/* fork.h: a run that goes on from the state of another with parameters of its own.
 *
 * Why: with the same parameters it passes through the same bits as the other; what else they may be is said by their rows
 * (param.h, `fork`), and what that means for the trackers in the state is one rule, here.
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
/* After trainer_restore of a state that came about with the parameters `before`, once, before the first step. */
void trainer_fork(struct trainer *t, const void *before);
/* The checkpoint of the best epoch (of the sound one) is no longer kept: the present epoch stands for it. */
void trainer_best_is_lost(struct trainer *t);
void trainer_sound_is_lost(struct trainer *t);

#endif
