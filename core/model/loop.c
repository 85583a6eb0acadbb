/* loop.c: from where a trainer stands to its last step, telling the world through hooks. Knows no family and no server. */
#include "core/model/trainer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct loop {
	struct trainer *t;
	const struct hooks *hooks;
};

static void say(const struct loop *l, const char *series, double value)
{
	const struct trainer *t = l->t;
	if (!l->hooks->point)
		return;
	struct point p = {
		.step = t->step, .epoch = (double)t->step / (double)t->steps_per_epoch, .series = series, .value = value};
	l->hooks->point(l->hooks->ctx, &p);
}

/* The rows of one sort, in order, are the parts in order. */
static void say_parts(const struct loop *l, bool per_step, const double part[RESULT_PARTS], double images)
{
	const struct trainer *t = l->t;
	int i = 0;
	for (const struct series *s = t->m->family->series; s->name; s++) {
		const bool told = s->per_step == per_step && !(s->told && !s->told(t->m, t->step));
		if (s->source == SERIES_PART && s->per_step == per_step && i++ >= 0 && told)
			say(l, s->name, part[i - 1] / images);
		if (s->source == SERIES_GRAD_NORM && told)
			say(l, s->name, t->grad_norm[s->at]);
	}
}

/* Which part of a pass over the validation images is the one that is watched. */
static int monitor_part(const struct family *f)
{
	int i = 0;
	for (const struct series *s = f->series; strcmp(s->name, f->monitor); s++)
		i += !s->per_step && s->source == SERIES_PART;
	return i;
}

static int publish(const struct loop *l, struct err *err)
{
	return l->hooks->publish ? l->hooks->publish(l->hooks->ctx, l->t, err) : OK;
}

static bool is_last(const struct trainer *t, int64_t epoch)
{
	return epoch == t->p->epochs || tracker_stops(&t->track, t->p);
}

static int preview(const struct loop *l, int64_t epoch, struct err *err)
{
	int64_t every = l->t->p->preview_every_epochs;
	if (!l->hooks->preview || !every || (epoch % every && !is_last(l->t, epoch)))
		return OK;
	return l->hooks->preview(l->hooks->ctx, l->t, (int)epoch, err);
}

/* Step `step` of n parts an epoch of so many steps into `parts` as evenly as steps allow. */
static bool parts_epoch(int64_t step, int64_t n, int64_t parts)
{
	return step * parts / n > (step - 1) * parts / n;
}

/* A new best is always saved, so that "best" is a file too; so is what a roll-back would go to. */
static int save(const struct loop *l, int64_t epoch, struct err *err)
{
	const struct trainer *t = l->t;
	bool due = epoch % t->p->checkpoint_every_epochs == 0 || is_last(t, epoch) || epoch == trainer_best(t).epoch ||
			   epoch == t->watch.sound_epoch;
	if (!l->hooks->save || !due)
		return OK;
	return l->hooks->save(l->hooks->ctx, l->t, (int)epoch, err);
}

/* A step's gradients may be finite and what it made of the weights not: that must not become a result, nor replace one. */
static int check_epoch(const struct trainer *t, double value, struct err *err)
{
	bool codes = true;
	for (int i = 0; model_has_codes(t->m) && i < t->m->latent_dim; i++)
		codes = codes && isfinite(t->codes.mean[i]) && isfinite(t->codes.std[i]);
	if (isfinite(value) && codes && trainer_finite(t))
		return OK;
	return err_set(err, ERR_DIVERGED, "non-finite %s at step %lld; try a lower lr (it was %g)",
		!isfinite(value) ? trainer_monitor(t)
		: codes          ? "weights"
						 : "codes",
		(long long)t->step, t->p->lr);
}

static int64_t active_units(const struct trainer *t)
{
	const struct code_stats *c = &t->codes;
	int64_t active = 0;
	for (int j = 0; j < c->latent_dim; j++)
		active += c->cov[(size_t)j * (size_t)c->latent_dim + (size_t)j] > active_variance;
	return active;
}

static void warn(const struct loop *l, const struct alert *a)
{
	if (l->hooks->alert)
		l->hooks->alert(l->hooks->ctx, l->t, a);
}

/* As losses get small, a min_delta may get so large beside them that no progress counts: told when it begins to. */
static void watch_patience(const struct loop *l, int64_t epoch, double before, double now)
{
	static const double large = 0.01; /* of the loss */
	const struct early_stopping_params *stop = &l->t->p->early_stopping;
	struct alert alert = {.code = "min_delta_large", .remedy = "a min_delta below 1 % of the loss, or 0"};
	if (!stop->on || stop->min_delta <= large * now || (epoch > 1 && stop->min_delta > large * before))
		return;
	snprintf(alert.text, sizeof alert.text,
		"early_stopping.min_delta is %g, more than 1 %% of the loss (%.4g after epoch %lld): what counts as no improvement "
		"may be one",
		stop->min_delta, now, (long long)epoch);
	warn(l, &alert);
}

/* --- looks: what samples are worth, and whether something goes wrong --- */

enum { LOOK_SHARE = 10 }; /* one in so many of the samples at an epoch's end */

static int judge(const struct loop *l, bool epoch_end, struct err *err)
{
	struct trainer *t = l->t;
	t->verdict.count = 0;
	if (!t->m->judge_samples || !t->judge.look)
		return OK;
	if (!trainer_finite(t)) /* nothing to look at */
		return err_set(err, ERR_DIVERGED, "non-finite weights at step %lld; try a lower lr (it was %g)",
			(long long)t->step, t->p->lr);
	int code = t->judge.look(t->judge.ctx, t, t->m->judge_samples / (epoch_end ? 1 : LOOK_SHARE), &t->verdict, err);
	if (!epoch_end)
		t->verdict.fcd = (double)NAN; /* it falls with the number of samples: epochs would not compare with looks */
	return code;
}

static double verdict_value(const struct verdict *v, const struct series *s)
{
	return *(const double *)((const char *)v + s->at);
}

/* Of few samples not everything is known. */
static void say_verdict(const struct loop *l)
{
	const struct verdict *v = &l->t->verdict;
	for (const struct series *s = l->t->m->family->series; v->count && s->name; s++) {
		if (s->source == SERIES_VERDICT && !isnan(verdict_value(v, s)))
			say(l, s->name, verdict_value(v, s));
		for (int k = 0; s->source == SERIES_SHARES && k < v->classes; k++)
			say(l, l->t->share_name[k], v->share[k]);
	}
}

/* What the verdict says of an epoch. */
static double verdict_monitor(const struct trainer *t)
{
	const struct series *s = t->m->family->series;
	while (strcmp(s->name, t->m->family->monitor))
		s++;
	return verdict_value(&t->verdict, s);
}

static void look_for_signs(const struct loop *l, bool epoch_end, int64_t active)
{
	struct trainer *t = l->t;
	double mean[RESULT_PARTS];
	struct alert alert;
	const struct view view = {.epoch = t->step / t->steps_per_epoch,
		.step = t->step,
		.epoch_end = epoch_end,
		.active = {active, t->watch.active[0], t->watch.active[1]},
		.mean = mean,
		.grad_norm = t->watch.grad_norm,
		.verdict = t->verdict.count ? &t->verdict : NULL,
		.since_epoch = (t->watch.origin + t->steps_per_epoch - 1) / t->steps_per_epoch,
		.since_step = t->watch.origin,
		.most_share = t->watch.most_share,
		.best = t->track.best_epoch ? t->track.best_value : (double)NAN};
	watch_mean(&t->watch, mean);
	for (int i = 0; t->m->family->signs && t->m->family->signs[i].code; i++)
		if (watch_sign(&t->watch, t->m, i, &view, &alert))
			warn(l, &alert);
	/* of epochs that nobody judges the newest one counts as the best */
	watch_end(&t->watch, t->m, &view, t->verdict.count ? verdict_monitor(t) : -(double)view.epoch);
}

/* Inside an epoch; at its end end_epoch looks. */
static int look(const struct loop *l, struct err *err)
{
	int code = judge(l, false, err);
	if (code)
		return code;
	say_verdict(l);
	look_for_signs(l, false, -1);
	return preview(l, l->t->step / l->t->steps_per_epoch + 1, err);
}

/* What the parts of a batch cannot tell: of each unit, and of the codes. `sums` are over so many images. */
static void say_units(const struct loop *l, const double *sums, double images, int64_t active)
{
	const struct trainer *t = l->t;
	for (const struct series *s = t->m->family->series; s->name; s++) {
		for (int j = 0; s->source == SERIES_UNITS && j < t->m->unit_sums; j++)
			say(l, t->unit_name[j], sums[j] / images);
		if (s->source == SERIES_ACTIVE_UNITS)
			say(l, s->name, (double)active);
	}
}

static int tell_epoch(const struct loop *l, int64_t epoch, struct err *err)
{
	int code = publish(l, err);
	if (!code)
		code = preview(l, epoch, err);
	return code ? code : save(l, epoch, err);
}

/* The loss that pruning is judged by: of the validation images, or of as many of the others. */
static double probe(struct trainer *t)
{
	enum { PROBE_IMAGES = 10000 };
	size_t n = t->vals ? t->vals : t->trains < PROBE_IMAGES ? t->trains : PROBE_IMAGES;
	double part[RESULT_PARTS];
	trainer_pass(t, SPLIT_TRAIN, t->vals ? t->val : t->train, n, t->served, part);
	return part[monitor_part(t->m->family)] / (double)n;
}

static void prune(const struct loop *l, int64_t epoch)
{
	struct trainer *t = l->t;
	if (prune_due(&t->p->prune, epoch)) {
		say(l, "loss_before_prune", probe(t));
		trainer_prune(t, epoch);
		tracker_forget(&t->track);
		say(l, "loss_after_prune", probe(t));
	}
	if (t->mask)
		say(l, "sparsity", trainer_sparsity(t));
}

static int end_epoch(const struct loop *l, struct err *err)
{
	struct trainer *t = l->t;
	int64_t epoch = t->step / t->steps_per_epoch;
	struct epoch_loss loss;
	double part[RESULT_PARTS];
	loss.monitor = loss.train = t->epoch_part[0] / (double)t->epoch_images; /* the first headline: the first part */
	prune(l, epoch);
	if (t->vals) {
		trainer_pass(t, SPLIT_TRAIN, t->val, t->vals, t->served, part);
		loss.monitor = part[monitor_part(t->m->family)] / (double)t->vals;
	}
	if (model_has_codes(t->m) && !trainer_cached(t)) /* else they are those of the epoch before */
		trainer_take_codes(t);
	int code = judge(l, true, err);
	if (!code && t->verdict.count && !t->vals)
		loss.monitor = verdict_monitor(t);
	if (!code)
		code = check_epoch(t, loss.monitor, err);
	if (code)
		return code;
	const int64_t active = model_has_codes(t->m) ? active_units(t) : 0;
	if (t->vals)
		say_parts(l, false, part, (double)t->vals);
	say_units(l, t->vals ? t->unit : t->epoch_unit, (double)(t->vals ? t->vals : t->epoch_images), active);
	say_verdict(l);
	look_for_signs(l, true, active);
	watch_patience(l, epoch, t->track.last_value, loss.monitor);
	memset(t->epoch_part, 0, sizeof t->epoch_part);
	tracker_epoch(&t->track, t->p, epoch, loss);
	memset(t->epoch_unit, 0, (size_t)t->m->unit_sums * sizeof *t->epoch_unit);
	return tell_epoch(l, epoch, err);
}

static int one_step(const struct loop *l, struct err *err)
{
	struct trainer *t = l->t;
	double part[RESULT_PARTS], lr = trainer_lr(t), images = (double)trainer_next_batch(t);
	int code = trainer_step(t, part, err);
	if (code)
		return code;
	for (int i = 0; i < RESULT_PARTS; i++)
		t->epoch_part[i] += part[i];
	for (int j = 0; j < t->m->unit_sums; j++)
		t->epoch_unit[j] += t->unit[j];
	say_parts(l, true, part, images);
	say(l, "lr", lr);
	if (t->step % t->steps_per_epoch == 0)
		return end_epoch(l, err);
	return parts_epoch(t->step % t->steps_per_epoch, t->steps_per_epoch, t->m->family->looks_per_epoch) ? look(l, err)
																										: OK;
}

/* --- a run that is lost --- */

static const char *leader(const struct model *m)
{
	int net = 0;
	while (net < m->nets - 1 && !model_pace(m, net).leads)
		net++;
	return m->net[net].name;
}

/* To the best epoch that showed no sign of collapse; without one, to the beginning. */
static int roll_back(const struct loop *l, struct err *err)
{
	struct trainer *t = l->t;
	const int64_t epoch = t->watch.sound_epoch;
	struct alert alert = {
		.code = "rolled_back", .remedy = "nothing if the samples stay sound; else a lower lr_d, or a larger r1"};
	int code = OK;
	if (epoch && l->hooks->recall)
		code = l->hooks->recall(l->hooks->ctx, t, (int)epoch, err);
	else
		trainer_start_over(t);
	if (code)
		return code;
	if (epoch)
		snprintf(alert.text, sizeof alert.text,
			"went back to the weights of epoch %lld, with half the learning rate and twice the penalty (%lld of %d times)",
			(long long)epoch, (long long)t->watch.roll_backs, ROLL_BACKS_MAX);
	else
		snprintf(alert.text, sizeof alert.text,
			"no epoch was sound yet: began anew, with a tenth of the %s's learning rate and twice the penalty (%lld of %d times)",
			leader(t->m), (long long)t->watch.roll_backs, ROLL_BACKS_MAX);
	warn(l, &alert);
	return publish(l, err);
}

/* Between two steps, so that a run that is killed here does the same when it goes on. */
static int answer_collapse(const struct loop *l, bool *ret_lost, struct err *err)
{
	struct trainer *t = l->t;
	if (!t->watch.lost)
		return OK;
	const enum on_collapse policy = t->m->family->on_collapse ? t->m->family->on_collapse(t->m) : COLLAPSE_WARN;
	*ret_lost = policy == COLLAPSE_STOP || (policy == COLLAPSE_ROLLBACK && t->watch.roll_backs == ROLL_BACKS_MAX);
	if (policy == COLLAPSE_ROLLBACK && !*ret_lost)
		return roll_back(l, err);
	if (policy == COLLAPSE_WARN)
		t->watch.lost = 0;
	return OK;
}

static int answer_poll(const struct loop *l, bool *ret_stop, struct err *err)
{
	unsigned asked = l->hooks->poll ? l->hooks->poll(l->hooks->ctx) : 0;
	int code = OK;
	if (asked & LOOP_PUBLISH)
		code = publish(l, err);
	if (!code && (asked & LOOP_SAVE) && l->hooks->save)
		code = l->hooks->save(l->hooks->ctx, l->t, 0, err);
	*ret_stop = asked & LOOP_STOP;
	return code;
}

static int edit(const struct loop *l, struct err *err)
{
	return l->hooks->edit ? l->hooks->edit(l->hooks->ctx, l->t, err) : OK;
}

static bool all_done(const struct trainer *t)
{
	return t->step >= t->p->epochs * t->steps_per_epoch;
}

int train_loop(struct trainer *t, const struct hooks *hooks, enum loop_end *ret_end, struct err *err)
{
	struct loop l = {.t = t, .hooks = hooks};
	int code = publish(&l, err);
	if (!code && t->step == 0)
		code = preview(&l, 0, err);
	bool stop = false, lost = false;
	if (!code)
		code = edit(&l, err);
	while (!code && !all_done(t) && !tracker_stops(&t->track, t->p)) {
		code = answer_poll(&l, &stop, err);
		if (!code && !stop)
			code = answer_collapse(&l, &lost, err);
		if (stop || lost || code)
			break;
		code = one_step(&l, err);
		if (!code)
			code = edit(&l, err);
	}
	if (!code)
		*ret_end = stop ? LOOP_STOPPED : lost ? LOOP_COLLAPSED : all_done(t) ? LOOP_COMPLETED : LOOP_EARLY;
	return code;
}
