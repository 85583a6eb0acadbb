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
	static const int64_t one[] = {1};
	state_add(s, "tracker.best_epoch", DTYPE_I64, 1, one, &k->best_epoch);
	state_add(s, "tracker.best_value", DTYPE_F64, 1, one, &k->best_value);
	state_add(s, "tracker.last_value", DTYPE_F64, 1, one, &k->last_value);
	state_add(s, "tracker.reference", DTYPE_F64, 1, one, &k->reference);
	state_add(s, "tracker.wait", DTYPE_I64, 1, one, &k->wait);
	state_add(s, "tracker.plateau_reference", DTYPE_F64, 1, one, &k->plateau_reference);
	state_add(s, "tracker.plateau_wait", DTYPE_I64, 1, one, &k->plateau_wait);
	state_add(s, "tracker.lr_scale", DTYPE_F64, 1, one, &k->lr_scale);
}
