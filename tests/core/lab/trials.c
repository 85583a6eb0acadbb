/* What a study does next: every order in which its jobs may end is gone through, and all lead to the same rows and the same winner. */
#include "core/lab/trials.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS_MAX = 64 };

struct world {
	struct trials_plan plan;
	/* What becomes of each trial, by its number: 'c' complete, 'p' pruned, 'f' failed, 'i' cannot be built. */
	const char *fates;
	int64_t ends; /* ways to the end that were gone */
	struct trials_row first[ROWS_MAX];
	size_t nfirst;
	struct trials_score winner;
};

static enum trial_state fate_of(const struct world *w, const struct trials_row *r)
{
	if (r->phase != TRIALS_TRIAL)
		return TRIAL_COMPLETE;
	switch (w->fates[r->number]) {
	case 'p':
		return TRIAL_PRUNED;
	case 'f':
		return TRIAL_FAILED;
	case 'i':
		return TRIAL_INFEASIBLE;
	default:
		return TRIAL_COMPLETE;
	}
}

/* Trial 5 is worth least; again, on average, trial 0 is. */
static double value_of(const struct trials_row *r)
{
	static const double values[] = {0.5, 0.9, 0.4, 0.8, 0.3, 0.1, 0.7, 0.2, 0.6, 0.95};
	return r->phase == TRIALS_RETRAIN ? (double)r->of + 0.01 * (double)r->number : values[r->number % 10];
}

static size_t place(struct trials_row *rows, size_t n, struct trials_row r)
{
	size_t at = n;
	while (
		at > 0 && (rows[at - 1].phase > r.phase || (rows[at - 1].phase == r.phase && rows[at - 1].number > r.number))) {
		rows[at] = rows[at - 1];
		at--;
	}
	rows[at] = r;
	return n + 1;
}

static void check_rule(const struct world *w, const struct trials_row *rows, size_t n, const struct trials_next *next)
{
	int open = 0;
	for (size_t i = 0; i < n; i++) {
		assert_false(rows[i].phase == next->phase && rows[i].number == next->number);
		if (rows[i].phase == TRIALS_TRIAL && next->phase == TRIALS_TRIAL &&
			rows[i].number <= next->number - w->plan.parallel)
			assert_true(rows[i].state != TRIAL_RUNNING);
		if (rows[i].phase == TRIALS_TRIAL && next->phase == TRIALS_RETRAIN)
			assert_true(rows[i].state != TRIAL_RUNNING);
		open += rows[i].phase == next->phase && rows[i].state == TRIAL_RUNNING;
	}
	if (next->phase != TRIALS_AFTER)
		assert_true(open < w->plan.parallel);
}

static void at_end(struct world *w, const struct trials_row *rows, size_t n)
{
	const struct trials_score s = trials_winner(&w->plan, rows, n);
	if (!w->ends++) {
		memcpy(w->first, rows, n * sizeof *rows);
		w->nfirst = n;
		w->winner = s;
	}
	assert_int_equal(n, w->nfirst);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(rows[i].phase, w->first[i].phase);
		assert_int_equal(rows[i].number, w->first[i].number);
		assert_int_equal(rows[i].state, w->first[i].state);
	}
	assert_int_equal(s.trial, w->winner.trial);
	assert_int_equal(s.n, w->winner.n);
	assert_true(s.mean == w->winner.mean);
}

static void walk(struct world *w, const struct trials_row *from, size_t n)
{
	struct trials_row rows[ROWS_MAX];
	struct trials_next next;
	if (n)
		memcpy(rows, from, n * sizeof *rows);
	while ((next = trials_next(&w->plan, rows, n, false)).move == TRIALS_MAKE) {
		struct trials_row r = {next.phase, next.number, next.of, TRIAL_RUNNING, (double)NAN, next.number};
		check_rule(w, rows, n, &next);
		if (fate_of(w, &r) == TRIAL_INFEASIBLE)
			r.state = TRIAL_INFEASIBLE;
		n = place(rows, n, r);
		assert_true(n < ROWS_MAX);
	}
	if (next.move == TRIALS_SETTLE)
		at_end(w, rows, n);
	bool any = false;
	for (size_t i = 0; i < n; i++) {
		if (rows[i].state != TRIAL_RUNNING)
			continue;
		struct trials_row then[ROWS_MAX];
		any = true;
		memcpy(then, rows, n * sizeof *rows);
		then[i].state = fate_of(w, &rows[i]);
		if (then[i].state == TRIAL_COMPLETE && then[i].phase != TRIALS_AFTER)
			then[i].value = value_of(&then[i]);
		walk(w, then, n);
	}
	assert_true(any != (next.move == TRIALS_SETTLE)); /* it never waits for nothing, nor settles while something runs */
}

static int64_t rows_of(const struct world *w, enum trials_phase phase)
{
	int64_t n = 0;
	for (size_t i = 0; i < w->nfirst; i++)
		n += w->first[i].phase == phase;
	return n;
}

static void one_after_another(void **state)
{
	(void)state;
	struct world w = {.plan = {.trials = 4, .most = 40, .parallel = 1}, .fates = "cccccccccc"};
	walk(&w, NULL, 0);
	assert_int_equal(w.ends, 1);
	assert_int_equal(rows_of(&w, TRIALS_TRIAL), 4);
	assert_int_equal(w.winner.trial, 2);
}

static void several_at_once(void **state)
{
	(void)state;
	for (int parallel = 2; parallel <= 4; parallel++) {
		struct world w = {.plan = {.trials = 5, .most = 50, .parallel = parallel}, .fates = "cpcfcccccc"};
		walk(&w, NULL, 0);
		assert_true(w.ends > 1);
		assert_int_equal(rows_of(&w, TRIALS_TRIAL), 5);
		assert_int_equal(w.winner.trial, 4);
	}
}

static void what_cannot_be_built_is_not_counted(void **state)
{
	(void)state;
	struct world w = {.plan = {.trials = 3, .most = 30, .parallel = 2}, .fates = "iciicicccccccccccccccccccccccccc"};
	walk(&w, NULL, 0);
	assert_int_equal(rows_of(&w, TRIALS_TRIAL), 7); /* 1, 4 and 6 can be */
	assert_int_equal(w.winner.trial, 4);
	struct world none = {.plan = {.trials = 3, .most = 6, .parallel = 2}, .fates = "iiiiiiiiii"};
	walk(&none, NULL, 0);
	assert_int_equal(rows_of(&none, TRIALS_TRIAL), 6);
	assert_int_equal(none.winner.n, 0);
}

static void finalists_and_the_baseline_are_trained_again(void **state)
{
	(void)state;
	struct world w = {
		.plan = {.trials = 4, .most = 40, .enqueued = 1, .parallel = 2, .top_k = 1, .seeds = 2}, .fates = "cccccccccc"};
	walk(&w, NULL, 0);
	assert_int_equal(rows_of(&w, TRIALS_RETRAIN), 4); /* the best, and trial 0, on two seeds each */
	assert_int_equal(w.winner.trial, 0);
	assert_int_equal(w.winner.n, 2);
	assert_true(fabs(w.winner.mean - 0.005) < 1e-12);
	assert_true(fabs(w.winner.std - 0.01 / sqrt(2)) < 1e-12);
	struct trials_score s = trials_baseline(&w.plan, w.first, w.nfirst);
	assert_true(s.n == 2 && s.mean == w.winner.mean);
	struct world lost = w;
	lost.ends = 0;
	lost.fates = "fccccccccc"; /* a baseline that failed is none */
	walk(&lost, NULL, 0);
	assert_int_equal(rows_of(&lost, TRIALS_RETRAIN), 2);
	assert_int_equal(lost.winner.trial, 2);
}

static void jobs_after_trials(void **state)
{
	(void)state;
	struct world w = {.plan = {.trials = 2, .most = 20, .parallel = 2, .after = 2}, .fates = "cpcccccccc"};
	walk(&w, NULL, 0);
	assert_int_equal(rows_of(&w, TRIALS_AFTER), 2); /* of the complete one only */
}

static void repeats_are_worth_their_mean(void **state)
{
	(void)state;
	const struct trials_plan plan = {.trials = 6, .most = 6, .parallel = 1};
	struct trials_row rows[6];
	static const double values[] = {1, 2, 0.5, 3, 1.2, 1.4};
	for (int i = 0; i < 6; i++)
		rows[i] = (struct trials_row){TRIALS_TRIAL, i, i, TRIAL_COMPLETE, values[i], i % 2};
	struct trials_score s = trials_winner(&plan, rows, 6);
	assert_int_equal(s.trial, 0);
	assert_int_equal(s.n, 3);
	assert_true(fabs(s.mean - 0.9) < 1e-12);
	rows[4].state = TRIAL_FAILED; /* a variant that sometimes fails is none */
	s = trials_winner(&plan, rows, 6);
	assert_int_equal(s.trial, 1);
}

static void stopping_begins_nothing(void **state)
{
	(void)state;
	const struct trials_plan plan = {.trials = 6, .most = 60, .parallel = 2, .top_k = 1, .seeds = 1};
	struct trials_row rows[] = {
		{TRIALS_TRIAL, 0, 0, TRIAL_COMPLETE, 1, 0}, {TRIALS_TRIAL, 1, 1, TRIAL_RUNNING, (double)NAN, 1}};
	assert_int_equal(trials_next(&plan, rows, 2, false).move, TRIALS_MAKE);
	assert_int_equal(trials_next(&plan, rows, 2, true).move, TRIALS_WAIT);
	rows[1].state = TRIAL_FAILED;
	assert_int_equal(trials_next(&plan, rows, 2, true).move, TRIALS_SETTLE);
	assert_int_equal(trials_winner(&plan, rows, 2).trial, 0);
}

static void a_hole_is_filled_first(void **state)
{
	(void)state;
	const struct trials_plan plan = {.trials = 4, .most = 40, .parallel = 1};
	const struct trials_row rows[] = {
		{TRIALS_TRIAL, 0, 0, TRIAL_COMPLETE, 1, 0}, {TRIALS_TRIAL, 2, 2, TRIAL_COMPLETE, 2, 2}};
	const struct trials_next next = trials_next(&plan, rows, 2, false);
	assert_int_equal(next.move, TRIALS_MAKE);
	assert_int_equal(next.number, 1);
	const struct trials_plan full = {.trials = 2, .most = 20, .parallel = 1};
	assert_int_equal(trials_next(&full, rows, 2, false).number, 1); /* also when there are enough */
	const struct trials_row all[] = {rows[0], {TRIALS_TRIAL, 1, 1, TRIAL_INFEASIBLE, (double)NAN, 1}, rows[1]};
	assert_int_equal(trials_next(&full, all, 3, false).move, TRIALS_SETTLE);
}

static void progress(void **state)
{
	(void)state;
	const struct trials_plan plan = {
		.trials = 4, .most = 40, .enqueued = 1, .parallel = 1, .after = 1, .top_k = 2, .seeds = 3};
	int64_t ended, all;
	trials_count(&plan, NULL, 0, &ended, &all);
	assert_int_equal(ended, 0);
	assert_int_equal(all, 4 * 2 + 3 * 3);
	const struct trials_row rows[] = {
		{TRIALS_TRIAL, 0, 0, TRIAL_COMPLETE, 1, 0}, {TRIALS_TRIAL, 1, 1, TRIAL_INFEASIBLE, (double)NAN, 1}};
	trials_count(&plan, rows, 2, &ended, &all);
	assert_int_equal(ended, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_after_another),
		cmocka_unit_test(several_at_once),
		cmocka_unit_test(what_cannot_be_built_is_not_counted),
		cmocka_unit_test(finalists_and_the_baseline_are_trained_again),
		cmocka_unit_test(jobs_after_trials),
		cmocka_unit_test(repeats_are_worth_their_mean),
		cmocka_unit_test(stopping_begins_nothing),
		cmocka_unit_test(a_hole_is_filled_first),
		cmocka_unit_test(progress),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
