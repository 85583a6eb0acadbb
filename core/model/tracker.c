#include "core/model/tracker.h"

#include "core/nn/optim.h"

#include <math.h>

void tracker_init(struct tracker *k)
{
	*k = (struct tracker){.reference = INFINITY, .plateau_reference = INFINITY, .lr_scale = 1};
}

void tracker_forget(struct tracker *k)
{
	const struct tracker before = *k;
	tracker_init(k);
	k->lr_scale = before.lr_scale;
	k->last_value = before.last_value;
}

static void slow_down(struct tracker *k, const struct train_params *p, int64_t epoch, double value)
{
	static const double threshold = 1e-4; /* ReduceLROnPlateau's, relative */
	if (p->schedule == SCHEDULE_STEP && epoch % p->lr_step_epochs == 0)
		k->lr_scale *= p->lr_gamma;
	if (p->schedule != SCHEDULE_PLATEAU)
		return;
	k->plateau_wait++;
	if (value < k->plateau_reference * (1 - threshold)) {
		k->plateau_reference = value;
		k->plateau_wait = 0;
	}
	if (k->plateau_wait > p->lr_patience) {
		k->lr_scale *= p->lr_gamma;
		k->plateau_wait = 0;
	}
}

void tracker_epoch(struct tracker *k, const struct train_params *p, int64_t epoch, struct epoch_loss loss)
{
	const struct early_stopping_params *stop = &p->early_stopping;
	double watched = stop->monitor == MONITOR_TRAIN_LOSS ? loss.train : loss.monitor;
	k->last_value = loss.monitor;
	if (!k->best_epoch || loss.monitor < k->best_value) {
		k->best_epoch = epoch;
		k->best_value = loss.monitor;
	}
	k->wait++;
	if (watched < k->reference - stop->min_delta) {
		k->reference = watched;
		k->wait = 0;
	}
	slow_down(k, p, epoch, loss.monitor);
}

bool tracker_stops(const struct tracker *k, const struct train_params *p)
{
	return p->early_stopping.on && k->wait >= p->early_stopping.patience;
}

void tracker_state(struct tracker *k, struct state *s)
{
	static const struct state_field fields[] = {
		STATE_I64(struct tracker, best_epoch),
		STATE_F64(struct tracker, best_value),
		STATE_F64(struct tracker, last_value),
		STATE_F64(struct tracker, reference),
		STATE_I64(struct tracker, wait),
		STATE_F64(struct tracker, plateau_reference),
		STATE_I64(struct tracker, plateau_wait),
		STATE_F64(struct tracker, lr_scale),
		{0},
	};
	state_add_fields(s, "tracker", fields, k);
}
