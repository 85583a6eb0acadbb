/* fork.c: what other parameters than those it came about with mean for a state that a run goes on from. */
#include "core/model/fork.h"

#include "core/model/trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* --- form --- */

enum part { WHOLE, PARAMETERS, MASK };

struct reform {
	const struct model *then, *now;
	const struct state *saved;
	struct state *ret;
	real *zeros;   /* as a block of weights */
	uint8_t *ones; /* as a mask */
};

static void list(struct state *s, const char *prefix, const struct model *m, enum part part, const struct reform *r)
{
	if (part == MASK)
		state_add_mask(s, prefix, m, r->ones);
	else
		state_add_prefixed(s, prefix, m, r->zeros, part == WHOLE);
}

/* Each tensor once: they are the same ones in the same order, however they are named. from NULL: they are blank. */
static int rename_all(struct reform *r, const struct state *now, const struct state *then, bool blank, struct err *err)
{
	for (int i = 0; i < now->n; i++) {
		const char *name = then->tensor[i].name;
		const struct tensor *t = blank ? &now->tensor[i] : state_find(r->saved, name);
		if (!t)
			return err_set(err, ERR_CORRUPT, "tensor '%s' is missing", name);
		state_add(r->ret, now->tensor[i].name, t->dtype, t->rank, t->shape, t->data);
	}
	return OK;
}

/* What is kept as "to.…", from what was kept as "from.…", or was not (NULL). */
static int take(struct reform *r, const char *to, const char *from, enum part part, struct err *err)
{
	struct state now = {0}, then = {0};
	list(&now, to, r->now, part, r);
	list(&then, from ? from : to, r->then, part, r);
	int code = OK;
	if (now.failed || then.failed)
		code = err_set(err, ERR_NO_MEMORY, "no memory for the list of tensors");
	else if (now.n != then.n)
		code = err_set(err, ERR_CORRUPT, "the saved state is of another net");
	else
		code = rename_all(r, &now, &then, !from, err);
	state_free(&now);
	state_free(&then);
	return code;
}

static int take_moments(struct reform *r, const struct train_params *then, const struct train_params *now, struct err *err)
{
	const struct optim o = trainer_optim(now), before = trainer_optim(then);
	int code = OK;
	for (int i = 0; i < optim_moments(&o) && !code; i++) {
		char prefix[32];
		snprintf(prefix, sizeof prefix, "optim.%s", optim_moment_name(&o, i));
		code = take(r, prefix, i < optim_moments(&before) ? prefix : NULL, PARAMETERS, err);
	}
	return code;
}

static int take_weights(struct reform *r, struct err *err)
{
	const struct train_params *then = model_train(r->then), *now = model_train(r->now);
	const bool mean_then = then->ema > 0, mean_now = now->ema > 0;
	int code = take(r, "", mean_then && !mean_now ? "live" : "", WHOLE, err);
	if (!code && mean_now)
		code = take(r, "live", mean_then ? "live" : "", WHOLE, err);
	if (!code && now->prune.on)
		code = take(r, "mask", then->prune.on ? "mask" : NULL, MASK, err);
	return code ? code : take_moments(r, then, now, err);
}

static void list_moments(struct state *s, const struct reform *r)
{
	const struct optim o = trainer_optim(model_train(r->then));
	for (int i = 0; i < optim_moments(&o); i++) {
		char prefix[32];
		snprintf(prefix, sizeof prefix, "optim.%s", optim_moment_name(&o, i));
		list(s, prefix, r->then, PARAMETERS, r);
	}
}

/* Counters, trackers, statistics: whatever is no weights'. */
static int take_others(struct reform *r, struct err *err)
{
	static const struct {
		const char *prefix;
		enum part part;
	} rows[] = {{"", WHOLE}, {"live", WHOLE}, {"mask", MASK}};
	struct state weights = {0};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		list(&weights, rows[i].prefix, r->then, rows[i].part, r);
	list_moments(&weights, r);
	for (int i = 0; i < r->saved->n; i++) {
		const struct tensor *t = &r->saved->tensor[i];
		if (!state_find(&weights, t->name))
			state_add(r->ret, t->name, t->dtype, t->rank, t->shape, t->data);
	}
	const bool failed = weights.failed || r->ret->failed;
	state_free(&weights);
	return failed ? err_set(err, ERR_NO_MEMORY, "no memory for the list of tensors") : OK;
}

static int reform(struct reformed *ret, struct reform *r, struct err *err)
{
	const size_t reals = model_reals(r->now) * sizeof *r->zeros;
	ret->blank = calloc(1, reals + r->now->params);
	if (!ret->blank)
		return err_set(err, ERR_NO_MEMORY, "no memory for the state that is gone on from");
	r->zeros = ret->blank;
	r->ones = (uint8_t *)ret->blank + reals;
	if (model_train(r->now)->prune.on)
		memset(r->ones, 1, r->now->params);
	int code = take_weights(r, err);
	return code ? code : take_others(r, err);
}

int fork_reform(struct reformed *ret, const struct model *m, const void *before, const struct state *saved, struct err *err)
{
	struct model then;
	struct reformed made = {0};
	int code = model_plan_on(&then, m->family, before, &m->base, m->image, m->classes, err);
	if (code)
		return code;
	struct reform r = {.then = &then, .now = m, .saved = saved, .ret = &made.state};
	code = reform(&made, &r, err);
	model_free(&then);
	if (code)
		reformed_free(&made);
	else
		*ret = made;
	return code;
}

void reformed_free(struct reformed *r)
{
	state_free(&r->state);
	free(r->blank);
	*r = (struct reformed){0};
}

/* --- trackers --- */

void trainer_fork(struct trainer *t, const void *before)
{
	const struct train_params *then = before;
	if (then->ema > 0 && !t->ema && model_has_codes(t->m)) /* other weights are served */
		trainer_take_codes(t);
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
