#include "core/model/watch.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void watch_init(struct watch *w)
{
	*w = (struct watch){.active = {-1, -1}, .penalty_scale = 1, .sound_value = INFINITY};
	for (int i = 0; i < SIGNS_MAX; i++)
		w->shown[i] = -1;
}

void watch_state(struct watch *w, struct state *s)
{
	static const struct state_field fields[] = {
		STATE_F64(struct watch, sum),
		STATE_I64(struct watch, images),
		STATE_I64(struct watch, steps),
		STATE_I64(struct watch, shown),
		{"active_units", DTYPE_I64, offsetof(struct watch, active), 2},
		STATE_F64(struct watch, most_share),
		STATE_F64(struct watch, grad_norm),
		STATE_I64(struct watch, lost),
		STATE_I64(struct watch, roll_backs),
		STATE_I64(struct watch, restarts),
		STATE_F64(struct watch, penalty_scale),
		STATE_I64(struct watch, origin),
		STATE_I64(struct watch, sound_epoch),
		STATE_F64(struct watch, sound_value),
		{0},
	};
	state_add_fields(s, "watch", fields, w);
}

void watch_step(struct watch *w, const double part[RESULT_PARTS], double images)
{
	for (int i = 0; i < RESULT_PARTS; i++)
		w->sum[i] += part[i];
	w->images += (int64_t)images;
	w->steps++;
}

void watch_mean(const struct watch *w, double ret_mean[RESULT_PARTS])
{
	for (int i = 0; i < RESULT_PARTS; i++)
		ret_mean[i] = w->images ? w->sum[i] / (double)w->images : 0;
}

bool watch_sign(struct watch *w, const struct model *m, int i, const struct view *v, struct alert *ret_alert)
{
	const struct sign *sign = &m->family->signs[i];
	const int64_t before = w->shown[i];
	if (!sign->shows(m, v, ret_alert->text, sizeof ret_alert->text)) {
		w->shown[i] = -1;
		return false;
	}
	w->shown[i] = (before > 0 ? before : 0) + w->steps;
	ret_alert->code = sign->code;
	ret_alert->remedy = sign->remedy;
	const bool now = before < sign->steps && w->shown[i] >= sign->steps;
	if (now && sign->collapse)
		w->lost = 1;
	return now;
}

static bool sound(const struct watch *w, const struct model *m, const struct view *v)
{
	bool shows = m->family->sound && !m->family->sound(m, v);
	for (int i = 0; m->family->signs[i].code; i++)
		shows = shows || (m->family->signs[i].collapse && w->shown[i] >= 0);
	return !shows;
}

void watch_end(struct watch *w, const struct model *m, const struct view *v, double value)
{
	memset(w->sum, 0, sizeof w->sum);
	w->images = w->steps = 0;
	if (v->verdict)
		w->most_share = fmax(w->most_share, v->verdict->min_share);
	if (!v->epoch_end)
		return;
	w->active[1] = w->active[0];
	w->active[0] = v->active[0];
	if (m->family->signs && sound(w, m, v) && value < w->sound_value) {
		w->sound_value = value;
		w->sound_epoch = v->epoch;
	}
}

void watch_rolled_back(struct watch *w)
{
	for (int i = 0; i < SIGNS_MAX; i++)
		w->shown[i] = -1;
	w->roll_backs++;
	w->penalty_scale *= 2;
	w->lost = 0;
}

void watch_started_over(struct watch *w, int64_t step)
{
	watch_rolled_back(w);
	w->restarts++;
	w->origin = step;
	w->most_share = 0;
}

double watch_lr_scale(const struct watch *w)
{
	return ldexp(1, (int)(w->restarts - w->roll_backs));
}

/* With which nothing was ever sound: half as fast would be a small step. */
double watch_leader_scale(const struct watch *w)
{
	return pow(0.1, (double)w->restarts);
}
