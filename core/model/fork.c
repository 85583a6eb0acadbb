/* fork.c: what other parameters than those it came about with mean for a state that a run goes on from. */
#include "core/model/fork.h"

#include "core/model/trainer.h"

#include <math.h>

struct fork_effect fork_effect(const struct family *f, const void *before, const void *after)
{
	const struct train_params *then = before, *now = after;
	struct fork_effect e = {.patience = then->early_stopping.on != now->early_stopping.on ||
										then->early_stopping.monitor != now->early_stopping.monitor,
		.schedule = then->schedule != now->schedule};
	for (const struct param *row = f->params; row->name; row++)
		e.loss = e.loss || (param_in_fork(row) == PARAM_FORK_LOSS && !param_equal(row, before, after));
	e.patience = e.patience || e.loss;
	return e;
}

void trainer_fork(struct trainer *t, const void *before)
{
	const struct fork_effect e = fork_effect(t->m->family, before, t->m->family_params);
	if (e.loss) {
		tracker_forget(&t->track);
		t->watch.sound_value = INFINITY;
	}
	if (e.patience) {
		t->track.reference = INFINITY;
		t->track.wait = 0;
	}
	if (e.schedule) { /* what roll-backs have made of the rate stays */
		t->track.lr_scale = watch_lr_scale(&t->watch);
		t->track.plateau_reference = INFINITY;
		t->track.plateau_wait = 0;
	}
}

static int64_t epoch_of(const struct trainer *t)
{
	return t->step / t->steps_per_epoch;
}

void trainer_best_is_lost(struct trainer *t)
{
	t->track.best_epoch = epoch_of(t);
	t->track.best_value = t->track.last_value;
}

void trainer_sound_is_lost(struct trainer *t)
{
	t->watch.sound_epoch = epoch_of(t);
}
