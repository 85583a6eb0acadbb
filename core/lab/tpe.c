#include "core/lab/tpe.h"

#include "core/lab/parzen.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* --- the better ones and the others --- */

enum { BELOW_MAX = 25 };

/* Trials in order of `stage`, then of value. */
struct rank {
	double stage, value;
};

static bool has_finished(const struct trial_record *t)
{
	return t->state == TRIAL_PRUNED || (t->state == TRIAL_COMPLETE && !isnan(t->value));
}

/* Nothing is known of it, but that its point is not to be sought. */
static bool is_shunned(const struct trial_record *t, bool constant_liar)
{
	return t->state == TRIAL_INFEASIBLE || (t->state == TRIAL_RUNNING && constant_liar);
}

static struct rank rank_of(const struct trial_record *t)
{
	if (t->state == TRIAL_COMPLETE)
		return (struct rank){-INFINITY, t->value};
	if (t->last_step >= 0)
		return (struct rank){-(double)t->last_step, isnan(t->intermediate) ? INFINITY : t->intermediate};
	return (struct rank){1, 0};
}

static bool before(const struct rank *a, const struct rank *b)
{
	return a->stage < b->stage || (a->stage == b->stage && a->value < b->value);
}

int tpe_split(enum tpe_side *ret_side, const struct trial_record *history, int n, bool constant_liar)
{
	struct rank best[BELOW_MAX + 1];
	int which[BELOW_MAX + 1], finished = 0, held = 0;
	for (int i = 0; i < n; i++) {
		const bool done = has_finished(&history[i]);
		finished += done;
		ret_side[i] = done || is_shunned(&history[i], constant_liar) ? TPE_ABOVE : TPE_NEITHER;
	}
	const int below = (int)fmin(ceil(0.1 * finished), BELOW_MAX);
	for (int i = 0; i < n; i++) {
		const struct rank rank = rank_of(&history[i]);
		if (!has_finished(&history[i]))
			continue;
		int at = held;
		for (; at > 0 && before(&rank, &best[at - 1]); at--) {
			best[at] = best[at - 1];
			which[at] = which[at - 1];
		}
		best[at] = rank;
		which[at] = i;
		held = held < below ? held + 1 : below;
	}
	for (int k = 0; k < held; k++)
		ret_side[which[k]] = TPE_BELOW;
	return finished;
}

/* --- dimensions that are drawn together --- */

struct asked {
	const struct space *s;
	const struct sampler_options *o;
	const struct trial_record *history;
	int n;
	int64_t number;
	enum tpe_side *side;   /* [n] */
	double *observed;      /* [n][space.n] at most */
	double *candidate;     /* [candidates][space.n] at most */
	double *score, *other; /* [candidates] */
};

struct joint {
	int n;
	int dim[SPACE_DIMS_MAX];
	struct range range[SPACE_DIMS_MAX];
};

static void joint_add(struct joint *j, int dim, struct range range)
{
	j->dim[j->n] = dim;
	j->range[j->n++] = range;
}

/* What the trials of one side had in these dimensions, oldest first; returns how many had them all. */
static int observe(const struct asked *a, const struct joint *j, enum tpe_side side)
{
	int rows = 0;
	for (int i = 0; i < a->n; i++) {
		if (a->side[i] != side)
			continue;
		bool all = true;
		for (int k = 0; k < j->n; k++) {
			const double v = a->history[i].x[j->dim[k]];
			a->observed[(size_t)rows * (size_t)j->n + (size_t)k] = v;
			all = all && !isnan(v) && (!j->range[k].log || v > 0);
		}
		rows += all;
	}
	return rows;
}

static int density(
	struct parzen **ret, const struct asked *a, const struct joint *j, enum tpe_side side, struct err *err)
{
	const int rows = observe(a, j, side);
	return parzen_open(ret, j->range, j->n, a->observed, rows, a->o->multivariate, err);
}

static void draw_candidates(const struct asked *a, const struct joint *j, const struct parzen *l)
{
	double u[SPACE_DIMS_MAX];
	for (int c = 0; c < a->o->candidates; c++) {
		double u_kernel = 0;
		for (int k = 0; k < j->n; k++)
			u[k] = space_draw(a->o->seed, a->number, j->dim[k], 1 + c, k == 0 ? &u_kernel : NULL);
		parzen_draw(l, u_kernel, u, a->candidate + (size_t)c * (size_t)j->n);
	}
}

/* The candidate with the most to expect, into the dimensions of ret_x. */
static int suggest_joint(const struct asked *a, const struct joint *j, double *ret_x, struct err *err)
{
	struct parzen *l = NULL, *g = NULL;
	int code = density(&l, a, j, TPE_BELOW, err), best = 0;
	if (!code)
		code = density(&g, a, j, TPE_ABOVE, err);
	if (!code) {
		draw_candidates(a, j, l);
		parzen_log_pdf(l, a->candidate, a->o->candidates, a->score);
		parzen_log_pdf(g, a->candidate, a->o->candidates, a->other);
		for (int c = 0; c < a->o->candidates; c++) {
			a->score[c] -= a->other[c];
			if (a->score[c] > a->score[best])
				best = c;
		}
		for (int k = 0; k < j->n; k++)
			ret_x[j->dim[k]] = a->candidate[(size_t)best * (size_t)j->n + (size_t)k];
	}
	parzen_close(l);
	parzen_close(g);
	return code;
}

/* --- a point --- */

/* Whether the finished trials that had dimension p are those that had q; q < 0: all. */
static bool had_by_the_same(const struct asked *a, int p, int q)
{
	for (int i = 0; i < a->n; i++)
		if (has_finished(&a->history[i]) && isnan(a->history[i].x[p]) != (q >= 0 && isnan(a->history[i].x[q])))
			return false;
	return true;
}

static bool had_by_any(const struct asked *a, int p)
{
	for (int i = 0; i < a->n; i++)
		if (has_finished(&a->history[i]) && !isnan(a->history[i].x[p]))
			return true;
	return false;
}

static bool is_joint(const struct asked *a, int i)
{
	const struct range r = space_hull(a->s, i);
	if (space_varies(a->s, i) || range_single(&r))
		return false;
	return a->o->group ? had_by_any(a, i) : had_by_the_same(a, i, -1);
}

/* Sets each dimension of ret_x that is drawn with others. */
static int suggest_together(const struct asked *a, double *ret_x, struct err *err)
{
	bool left[SPACE_DIMS_MAX];
	int code = OK;
	for (int i = 0; i < a->s->n; i++)
		left[i] = is_joint(a, i);
	for (int i = 0; i < a->s->n && !code; i++) {
		struct joint j = {0};
		if (!left[i])
			continue;
		for (int k = i; k < a->s->n; k++)
			if (left[k] && had_by_the_same(a, k, i)) {
				joint_add(&j, k, space_hull(a->s, k));
				left[k] = false;
			}
		code = suggest_joint(a, &j, ret_x, err);
	}
	return code;
}

static int suggest_one(const struct asked *a, int i, double *ret_x, struct err *err)
{
	struct joint j = {0};
	joint_add(&j, i, space_range(a->s, i, ret_x));
	if (!range_single(&j.range[0]))
		return suggest_joint(a, &j, ret_x, err);
	ret_x[i] = j.range[0].low;
	return OK;
}

static int suggest(const struct asked *a, double *ret_x, struct err *err)
{
	double x[SPACE_DIMS_MAX];
	int code = OK;
	for (int i = 0; i < a->s->n; i++)
		x[i] = NAN;
	if (a->o->multivariate)
		code = suggest_together(a, x, err);
	for (int i = 0; i < a->s->n && !code; i++)
		if (!space_active(a->s, i, x))
			x[i] = NAN;
		else if (isnan(x[i]))
			code = suggest_one(a, i, x, err);
	if (!code)
		memcpy(ret_x, x, (size_t)a->s->n * sizeof *x);
	return code;
}

int tpe_suggest(const struct space *s, const struct sampler_options *o, const struct trial_record *history, int n,
	int64_t number, double *ret_x, struct err *err)
{
	const size_t dims = (size_t)s->n, candidates = (size_t)o->candidates, rows = n > 0 ? (size_t)n : 1;
	struct asked a = {.s = s, .o = o, .history = history, .n = n, .number = number};
	if (o->candidates < 1 || o->candidates > SAMPLER_CANDIDATES_MAX)
		return err_set(err, ERR_INVALID, "candidates must be 1..%d, got %d", SAMPLER_CANDIDATES_MAX, o->candidates);
	double *room = malloc((rows * dims + candidates * (dims + 2)) * sizeof *room);
	a.side = malloc(rows * sizeof *a.side);
	if (!room || !a.side) {
		free(room);
		free(a.side);
		return err_set(err, ERR_NO_MEMORY, "no memory to look at %d trials", n);
	}
	a.observed = room;
	a.candidate = room + rows * dims;
	a.score = a.candidate + candidates * dims;
	a.other = a.score + candidates;
	int code = OK;
	if (tpe_split(a.side, history, n, o->constant_liar) < o->n_startup)
		space_random(s, o->seed, number, ret_x);
	else
		code = suggest(&a, ret_x, err);
	free(room);
	free(a.side);
	return code;
}
