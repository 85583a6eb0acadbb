#include "core/lab/trials.h"

#include <math.h>
#include <stdlib.h>

static bool ended(enum trial_state s)
{
	return s != TRIAL_RUNNING;
}

static int compare(const void *a, const void *b)
{
	const struct trials_row *x = a, *y = b;
	return x->phase != y->phase ? (int)x->phase - (int)y->phase : (x->number > y->number) - (x->number < y->number);
}

static const struct trials_row *find(const struct trials_row *rows, size_t n, enum trials_phase phase, int64_t number)
{
	const struct trials_row key = {.phase = phase, .number = number};
	return n ? bsearch(&key, rows, n, sizeof *rows, compare) : NULL;
}

static int64_t count(const struct trials_row *rows, size_t n, enum trials_phase phase, bool open_only)
{
	int64_t found = 0;
	for (size_t i = 0; i < n; i++)
		found += rows[i].phase == phase && !(open_only && ended(rows[i].state));
	return found;
}

/* Trials that could be built, or may yet be. */
static int64_t built(const struct trials_row *rows, size_t n)
{
	int64_t found = 0;
	for (size_t i = 0; i < n; i++)
		found += rows[i].phase == TRIALS_TRIAL && rows[i].state != TRIAL_INFEASIBLE;
	return found;
}

/* The least number that there is no row of: a row may be missing in the middle where a database was restored from the jobs. */
static int64_t next_number(const struct trials_row *rows, size_t n)
{
	int64_t number = 0;
	while ((size_t)number < n && rows[number].phase == TRIALS_TRIAL && rows[number].number == number)
		number++;
	return number;
}

static bool may_begin(const struct trials_plan *p, const struct trials_row *rows, size_t n, int64_t number)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].phase == TRIALS_TRIAL && rows[i].number <= number - p->parallel && !ended(rows[i].state))
			return false;
	return true;
}

/* Of those that could not be built a restored database knows nothing: they are found out again, whatever else is there. */
static bool has_hole(const struct trials_row *rows, size_t n)
{
	return next_number(rows, n) < count(rows, n, TRIALS_TRIAL, false);
}

static bool all_made(const struct trials_plan *p, const struct trials_row *rows, size_t n)
{
	if (has_hole(rows, n))
		return false;
	return built(rows, n) >= p->trials || next_number(rows, n) >= p->most;
}

static bool next_after(const struct trials_plan *p, const struct trials_row *rows, size_t n, struct trials_next *ret)
{
	for (size_t i = 0; i < n; i++)
		for (int k = 0; k < p->after && rows[i].phase == TRIALS_TRIAL && rows[i].state == TRIAL_COMPLETE; k++) {
			const int64_t number = rows[i].number * p->after + k;
			if (find(rows, n, TRIALS_AFTER, number))
				continue;
			*ret = (struct trials_next){TRIALS_MAKE, TRIALS_AFTER, number, rows[i].number, k};
			return true;
		}
	return false;
}

static bool next_retraining(
	const struct trials_plan *p, const struct trials_row *rows, size_t n, struct trials_next *ret)
{
	enum { MOST = 128 };
	int64_t finalists[MOST];
	const size_t found = trials_finalists(p, rows, n, finalists, MOST);
	for (size_t i = 0; i < found; i++)
		for (int k = 0; k < p->seeds; k++) {
			const int64_t number = finalists[i] * p->seeds + k;
			if (find(rows, n, TRIALS_RETRAIN, number))
				continue;
			*ret = (struct trials_next){TRIALS_MAKE, TRIALS_RETRAIN, number, finalists[i], k};
			return true;
		}
	return false;
}

struct trials_next trials_next(const struct trials_plan *p, const struct trials_row *rows, size_t n, bool stopping)
{
	const struct trials_next wait = {.move = TRIALS_WAIT};
	struct trials_next next = {.move = TRIALS_SETTLE};
	const bool open = count(rows, n, TRIALS_TRIAL, true) || count(rows, n, TRIALS_AFTER, true) ||
					  count(rows, n, TRIALS_RETRAIN, true);
	if (stopping)
		return open ? wait : next;
	if (next_after(p, rows, n, &next))
		return next;
	if (!all_made(p, rows, n)) {
		const int64_t number = next_number(rows, n);
		return may_begin(p, rows, n, number) ? (struct trials_next){TRIALS_MAKE, TRIALS_TRIAL, number, number, 0}
											 : wait;
	}
	if (count(rows, n, TRIALS_TRIAL, true))
		return wait;
	if (next_retraining(p, rows, n, &next))
		return count(rows, n, TRIALS_RETRAIN, true) < p->parallel ? next : wait;
	return open ? wait : next;
}

/* --- who is best --- */

static bool complete(const struct trials_row *r)
{
	return r && r->phase == TRIALS_TRIAL && r->state == TRIAL_COMPLETE && !isnan(r->value);
}

static bool better(const struct trials_row *a, const struct trials_row *b)
{
	return a->value < b->value || (a->value == b->value && a->number < b->number);
}

static bool is_among(
	const struct trials_row *rows, size_t n, const int64_t *numbers, size_t count, const struct trials_row *r)
{
	for (size_t i = 0; i < count; i++)
		if (find(rows, n, TRIALS_TRIAL, numbers[i])->group == r->group)
			return true;
	return false;
}

size_t trials_finalists(const struct trials_plan *p, const struct trials_row *rows, size_t n, int64_t *ret, size_t cap)
{
	size_t found = 0;
	while (found < cap && found < (size_t)p->top_k) {
		const struct trials_row *best = NULL;
		for (size_t i = 0; i < n; i++)
			if (complete(&rows[i]) && !is_among(rows, n, ret, found, &rows[i]) && (!best || better(&rows[i], best)))
				best = &rows[i];
		if (!best)
			break;
		ret[found++] = best->number;
	}
	const struct trials_row *baseline = p->enqueued && p->top_k ? find(rows, n, TRIALS_TRIAL, 0) : NULL;
	if (complete(baseline) && found < cap && !is_among(rows, n, ret, found, baseline))
		ret[found++] = baseline->number;
	return found;
}

/* Two passes, in order: the same bits whatever the order of the rows. */
static struct trials_score mean_of(const struct trials_row *const *rows, int n, int64_t trial)
{
	struct trials_score s = {.trial = trial, .n = n};
	for (int i = 0; i < n; i++)
		s.mean += rows[i]->value / n;
	for (int i = 0; i < n && n > 1; i++)
		s.std += (rows[i]->value - s.mean) * (rows[i]->value - s.mean) / (n - 1);
	s.std = sqrt(s.std);
	return s;
}

enum { REPEATS_MAX = 1024 };

static struct trials_score score_retrained(
	const struct trials_plan *p, const struct trials_row *rows, size_t n, int64_t trial)
{
	const struct trials_row *of[REPEATS_MAX];
	for (int k = 0; k < p->seeds && k < REPEATS_MAX; k++) {
		of[k] = find(rows, n, TRIALS_RETRAIN, trial * p->seeds + k);
		if (!of[k] || of[k]->state != TRIAL_COMPLETE || isnan(of[k]->value))
			return (struct trials_score){.trial = trial};
	}
	return mean_of(of, p->seeds, trial);
}

/* Of the group that the trial is the first of: rows by their numbers. A failed one takes the group out: the others' mean might only be
 * theirs. */
static struct trials_score score_group(const struct trials_row *rows, size_t n, int64_t trial)
{
	const struct trials_row *of[REPEATS_MAX];
	int count = 0;
	const struct trials_row *first = find(rows, n, TRIALS_TRIAL, trial);
	const struct trials_score none = {.trial = trial};
	for (const struct trials_row *r = first; r && r < rows + n && r->phase == TRIALS_TRIAL && count < REPEATS_MAX;
		 r++) {
		if (r->group == first->group && r->state == TRIAL_FAILED)
			return none;
		if (r->group == first->group && complete(r))
			of[count++] = r;
	}
	return count ? mean_of(of, count, trial) : none;
}

static bool is_retrained(const struct trials_row *rows, size_t n, const struct trials_plan *p)
{
	int64_t finalists[128];
	const size_t found = trials_finalists(p, rows, n, finalists, 128);
	for (size_t i = 0; i < found; i++)
		if (score_retrained(p, rows, n, finalists[i]).n)
			return true;
	return false;
}

struct trials_score trials_score(const struct trials_plan *p, const struct trials_row *rows, size_t n, int64_t trial)
{
	return is_retrained(rows, n, p) ? score_retrained(p, rows, n, trial) : score_group(rows, n, trial);
}

struct trials_score trials_winner(const struct trials_plan *p, const struct trials_row *rows, size_t n)
{
	const bool retrained = is_retrained(rows, n, p);
	struct trials_score best = {0};
	for (const struct trials_row *r = rows; r < rows + n && r->phase == TRIALS_TRIAL; r++) {
		if (!retrained && r->group != r->number)
			continue;
		const struct trials_score s =
			retrained ? score_retrained(p, rows, n, r->number) : score_group(rows, n, r->number);
		if (s.n && (!best.n || s.mean < best.mean))
			best = s;
	}
	return best;
}

struct trials_score trials_baseline(const struct trials_plan *p, const struct trials_row *rows, size_t n)
{
	return p->enqueued ? trials_score(p, rows, n, 0) : (struct trials_score){0};
}

void trials_count(
	const struct trials_plan *p, const struct trials_row *rows, size_t n, int64_t *ret_ended, int64_t *ret_all)
{
	const int64_t made = built(rows, n);
	int64_t ended_ones = 0;
	for (size_t i = 0; i < n; i++)
		ended_ones += ended(rows[i].state) && !(rows[i].phase == TRIALS_TRIAL && rows[i].state == TRIAL_INFEASIBLE);
	int64_t trials = all_made(p, rows, n) ? made : p->trials;
	int64_t retrained = p->top_k ? ((int64_t)p->top_k + (p->enqueued ? 1 : 0)) * p->seeds : 0;
	if (all_made(p, rows, n) && !count(rows, n, TRIALS_TRIAL, true)) {
		int64_t finalists[128];
		retrained = (int64_t)trials_finalists(p, rows, n, finalists, 128) * p->seeds;
	}
	*ret_ended = ended_ones;
	*ret_all = trials * (1 + p->after) + retrained;
}
