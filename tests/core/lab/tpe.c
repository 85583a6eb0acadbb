#include "core/lab/tpe.h"

#include "tests/core/lab/objectives.h"
#include "tests/core/lab/tpe_cases.h"

/* Which trials are the better ones, as Optuna divides them. */
static void test_split(void **state)
{
	(void)state;
	struct vectors v = vectors_open_file("tests/golden/tpe.safetensors");
	for (int i = 0; i < (int)*doubles(&v, "cases"); i++) {
		struct tpe_case c = tpe_case_open(&v, i);
		enum tpe_side *side = calloc((size_t)c.n, sizeof *side);
		assert_int_equal(tpe_split(side, c.history, c.n, c.liar), c.finished);
		for (int k = 0; k < c.n; k++)
			assert_int_equal(side[k], (int)c.side[k]);
		free(side);
		tpe_case_close(&c);
	}
	vectors_close(&v);
}

/* An infeasible trial is among the worse ones, however few have finished; a failed one counts for nothing. */
static void test_states(void **state)
{
	(void)state;
	const double x[] = {0};
	const struct trial_record history[] = {
		{.state = TRIAL_INFEASIBLE, .x = x},
		{.state = TRIAL_FAILED, .x = x},
		{.state = TRIAL_PRUNED, .last_step = 3, .intermediate = NAN, .x = x},
		{.state = TRIAL_RUNNING, .x = x},
		{.state = TRIAL_COMPLETE, .value = NAN, .x = x},
	};
	enum tpe_side side[5];
	assert_int_equal(tpe_split(side, history, 5, true), 1);
	assert_true(side[0] == TPE_ABOVE && side[1] == TPE_NEITHER && side[2] == TPE_BELOW && side[3] == TPE_ABOVE &&
				side[4] == TPE_NEITHER);
	tpe_split(side, history, 5, false);
	assert_int_equal(side[3], TPE_NEITHER);
}

enum { TRIALS = 100, SEEDS = 20 };

/* Best value found. */
static double search(const struct objective *f, const struct sampler_options *o, int trials)
{
	double(*x)[SPACE_DIMS_MAX] = malloc((size_t)trials * sizeof *x), best = INFINITY;
	struct trial_record *history = calloc((size_t)trials, sizeof *history);
	struct space *s = objective_space(f);
	struct err err = {0};
	for (int k = 0; k < trials; k++) {
		if (sampler_suggest(s, o, history, k, k, x[k], &err) || space_contains(s, x[k], &err))
			fail_msg("trial %d: %s %s", k, err.pointer, err.message);
		history[k] = (struct trial_record){.state = TRIAL_COMPLETE, .value = f->value(x[k]), .x = x[k]};
		best = fmin(best, history[k].value);
	}
	free(s);
	free(history);
	free(x);
	return best;
}

static double median_best(const struct objective *f, struct sampler_options o)
{
	double best[SEEDS];
	for (int seed = 0; seed < SEEDS; seed++) {
		o.seed = (uint64_t)seed;
		const double found = search(f, &o, TRIALS);
		int at = seed;
		for (; at > 0 && best[at - 1] > found; at--)
			best[at] = best[at - 1];
		best[at] = found;
	}
	return 0.5 * (best[SEEDS / 2 - 1] + best[SEEDS / 2]) - f->least;
}

/* Of each function it finds better points than chance does, alone and multivariate. */
static void test_better_than_random(void **state)
{
	(void)state;
	struct sampler_options o = SAMPLER_DEFAULTS, random = SAMPLER_DEFAULTS;
	random.sampler = SAMPLER_RANDOM;
	for (const struct objective *f = objectives; f->name; f++) {
		const double chance = median_best(f, random);
		for (int joint = 0; joint < 2; joint++) {
			o.multivariate = o.group = joint != 0;
			const double found = median_best(f, o);
			print_message("%s: %.4g, at random %.4g\n", f->name, found, chance);
			if (!(found < 0.5 * chance))
				fail_msg("%s: %g, at random %g", f->name, found, chance);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_better_than_random),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
