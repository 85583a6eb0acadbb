/* tracker.h: what the losses of the epochs so far mean for those to come: the best one, when to stop, when to slow down.
 *
 * Why two bests: `best` is the lowest loss, by however little, and what is served; `reference` moves only when a loss is lower
 * by min_delta, and patience counts from it. With one for both, a model would lose up to min_delta.
 * Sources: Keras and Lightning (value < best - min_delta), torch.optim.lr_scheduler StepLR and ReduceLROnPlateau (mode min,
 * relative threshold 1e-4, cooldown 0).
 * Invariants: all of it is state of the run (tracker_state); it follows from the losses and the parameters alone.
 */
#ifndef LATENTD_CORE_MODEL_TRACKER_H
#define LATENTD_CORE_MODEL_TRACKER_H

#include "core/model/state.h"
#include "core/model/train_params.h"

struct tracker {
	int64_t best_epoch; /* 0: none yet */
	double best_value;
	double last_value;        /* of the monitor at the last epoch's end */
	double reference;         /* early stopping's best; until the first epoch +Inf */
	int64_t wait;             /* epochs since the reference moved */
	double plateau_reference; /* schedule plateau's best */
	int64_t plateau_wait;
	double lr_scale; /* what schedules step and plateau have made of the learning rate */
};

/* The two losses an epoch may be judged by. */
struct epoch_loss {
	double monitor; /* trainer_monitor */
	double train;   /* mean over the steps of the epoch */
};

void tracker_init(struct tracker *k);
/* The model became another (weights were taken out): losses so far say nothing of it; the learning rate stays. */
void tracker_forget(struct tracker *k);
/* Epoch number `epoch` (from 1) has ended. */
void tracker_epoch(struct tracker *k, const struct train_params *p, int64_t epoch, struct epoch_loss loss);
/* Patience is at its end. */
bool tracker_stops(const struct tracker *k, const struct train_params *p);
/* Every field, for checkpoints. */
void tracker_state(struct tracker *k, struct state *s);

#endif
