#include "core/lab/sampler.h"

#include "tests/core/lab/objectives.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 200 };

/* Trials as they come. */
struct run {
	struct space *s;
	struct sampler_options o;
	int n;
	struct trial_record history[MOST];
	double x[MOST][SPACE_DIMS_MAX];
};

static void next(struct run *r)
{
	struct err err = {0};
	if (sampler_suggest(r->s, &r->o, r->history, r->n, r->n, r->x[r->n], &err) ||
		space_contains(r->s, r->x[r->n], &err))
		fail_msg("trial %d: %s %s", r->n, err.pointer, err.message);
	r->history[r->n] = (struct trial_record){.state = TRIAL_RUNNING, .x = r->x[r->n]};
	r->n++;
}

static void tell(struct run *r, int i, enum trial_state state, double value)
{
	r->history[i].state = state;
	r->history[i].value = value;
}

/* n 0..2; a and d where n is 1 or 2, b where it is 2; c with a bound that n moves. */
static struct space *conditional(void)
{
	struct space *s = calloc(1, sizeof *s);
	s->n = 5;
	s->dim[0] = (struct dim){.name = "n", .type = DIM_INT, .low = BOUND_AT(0), .high = BOUND_AT(2)};
	s->dim[1] = (struct dim){.name = "a", .low = BOUND_AT(0), .high = BOUND_AT(1), .nconditions = 1};
	s->dim[2] = (struct dim){.name = "b", .low = BOUND_AT(0), .high = BOUND_AT(1), .nconditions = 1};
	s->dim[3] = (struct dim){.name = "c", .low = BOUND_AT(0), .high = {.of = 0, .factor = 0.5, .offset = 1}};
	s->dim[4] = (struct dim){.name = "d", .low = BOUND_AT(0), .high = BOUND_AT(1), .nconditions = 1};
	s->dim[4].condition[0] = s->dim[1].condition[0] = (struct condition){.of = 0, .n = 2, .value = {1, 2}};
	s->dim[2].condition[0] = (struct condition){.of = 0, .n = 1, .value = {2}};
	assert_int_equal(space_check(s, NULL), OK);
	return s;
}

/* Best at n = 2, a = 0.8, b = 0.3, c = 1.7. */
static double conditional_value(const double *x)
{
	return 3 - x[0] + fabs(x[3] - 1.7) + (isnan(x[1]) ? 0.5 : fabs(x[1] - 0.8)) +
		   (isnan(x[2]) ? 0.5 : fabs(x[2] - 0.3));
}

static void test_conditional(void **state)
{
	(void)state;
	for (int mode = 0; mode < 3; mode++) {
		struct run *r = calloc(1, sizeof *r);
		double best = INFINITY;
		int twos = 0;
		r->s = conditional();
		r->o = SAMPLER_DEFAULTS;
		r->o.seed = 5;
		r->o.multivariate = mode > 0;
		r->o.group = mode > 1;
		while (r->n < MOST) {
			next(r);
			const int i = r->n - 1;
			const bool infeasible = r->x[i][3] < 0.2;
			tell(r, i, infeasible ? TRIAL_INFEASIBLE : TRIAL_COMPLETE, infeasible ? NAN : conditional_value(r->x[i]));
			best = infeasible ? best : fmin(best, r->history[i].value);
			twos += i >= MOST / 2 && r->x[i][0] == 2;
		}
		assert_true(best < 1.2 && twos > 0.7 * MOST / 2); /* 1 is the least */
		free(r->s);
		free(r);
	}
}

/* Groups change what is drawn where dimensions have conditions, and nothing where they have none. */
static void test_groups(void **state)
{
	(void)state;
	for (int conditions = 0; conditions < 2; conditions++) {
		struct run *r = calloc(1, sizeof *r);
		double grouped[SPACE_DIMS_MAX], plain[SPACE_DIMS_MAX];
		int differ = 0;
		r->s = conditions ? conditional() : objective_space(&objectives[1]);
		r->o = SAMPLER_DEFAULTS;
		r->o.multivariate = true;
		while (r->n < 60) {
			next(r);
			tell(r, r->n - 1, TRIAL_COMPLETE,
				conditions ? conditional_value(r->x[r->n - 1]) : hartmann6(r->x[r->n - 1]));
		}
		for (int number = 60; number < 80; number++) {
			r->o.group = true;
			sampler_suggest(r->s, &r->o, r->history, r->n, number, grouped, NULL);
			r->o.group = false;
			sampler_suggest(r->s, &r->o, r->history, r->n, number, plain, NULL);
			differ += !space_same(r->s, grouped, plain);
		}
		assert_true(conditions ? differ > 5 : differ == 0);
		free(r->s);
		free(r);
	}
}

/* A trial of somebody's choice may lie outside: below a logarithm's range, far above another's. */
static void test_strangers(void **state)
{
	(void)state;
	for (int joint = 0; joint < 2; joint++) {
		struct run *r = calloc(1, sizeof *r);
		const double strange[] = {0, 1e-3, 1e6, 1};
		r->s = objective_space(&objectives[2]);
		r->o = SAMPLER_DEFAULTS;
		r->o.multivariate = r->o.group = joint != 0;
		memcpy(r->x[r->n], strange, sizeof strange);
		r->history[r->n] = (struct trial_record){.state = TRIAL_COMPLETE, .value = -1, .x = r->x[r->n]};
		r->n++;
		double best = INFINITY;
		while (r->n < 100) {
			next(r);
			tell(r, r->n - 1, TRIAL_COMPLETE, mixed(r->x[r->n - 1]));
			best = fmin(best, r->history[r->n - 1].value);
		}
		assert_true(best < 0.1);
		free(r->s);
		free(r);
	}
}

/* Asked again with the same history it says the same; another number, another point. */
static void test_pure(void **state)
{
	(void)state;
	struct run *r = calloc(1, sizeof *r);
	double again[SPACE_DIMS_MAX], other[SPACE_DIMS_MAX];
	r->s = objective_space(&objectives[2]);
	r->o = SAMPLER_DEFAULTS;
	while (r->n < 30) {
		next(r);
		tell(r, r->n - 1, TRIAL_COMPLETE, mixed(r->x[r->n - 1]));
	}
	for (int k = 0; k < 30; k++) {
		assert_int_equal(sampler_suggest(r->s, &r->o, r->history, k, k, again, NULL), OK);
		assert_memory_equal(again, r->x[k], (size_t)r->s->n * sizeof *again);
		assert_int_equal(sampler_suggest(r->s, &r->o, r->history, k, k + 1, other, NULL), OK);
		assert_false(space_same(r->s, again, other));
	}
	free(r->s);
	free(r);
}

/* Eight askers at once, none of whom has an answer yet, get eight points; the liar keeps them further apart. */
static void test_parallel(void **state)
{
	(void)state;
	double nearest[2] = {0};
	for (int liar = 0; liar < 2; liar++)
		for (int seed = 0; seed < 10; seed++) {
			struct run *r = calloc(1, sizeof *r);
			r->s = objective_space(&objectives[0]);
			r->o = SAMPLER_DEFAULTS;
			r->o.constant_liar = liar != 0;
			r->o.seed = (uint64_t)seed;
			while (r->n < 40) {
				next(r);
				tell(r, r->n - 1, TRIAL_COMPLETE, branin(r->x[r->n - 1]));
			}
			for (int k = 0; k < 8; k++)
				next(r);
			for (int i = 40; i < 48; i++)
				for (int k = 40; k < i; k++) {
					const double d = hypot(r->x[i][0] - r->x[k][0], r->x[i][1] - r->x[k][1]);
					assert_true(d > 0);
					nearest[liar] += fmin(d, 1);
				}
			free(r->s);
			free(r);
		}
	assert_true(nearest[1] > nearest[0]);
}

/* In order, without what was tried before (here by an enqueued trial), until nothing is left. */
static void test_grid(void **state)
{
	(void)state;
	struct run *r = calloc(1, sizeof *r);
	struct err err = {0};
	double x[SPACE_DIMS_MAX];
	r->s = calloc(1, sizeof *r->s);
	r->s->n = 2;
	r->s->dim[0] = (struct dim){.name = "a", .type = DIM_CATEGORICAL, .choices = 2};
	r->s->dim[1] = (struct dim){.name = "b", .type = DIM_INT, .step = 2, .low = BOUND_AT(2), .high = BOUND_AT(6)};
	r->o = SAMPLER_DEFAULTS;
	r->o.sampler = SAMPLER_GRID;
	r->x[0][0] = 0;
	r->x[0][1] = 4;
	r->history[r->n++] = (struct trial_record){.state = TRIAL_FAILED, .x = r->x[0]};
	for (int i = 0; i < 5; i++)
		next(r);
	const double expected[][2] = {{0, 4}, {0, 2}, {0, 6}, {1, 2}, {1, 4}, {1, 6}};
	for (int i = 0; i < 6; i++)
		assert_true(space_same(r->s, r->x[i], expected[i]));
	assert_int_equal(sampler_suggest(r->s, &r->o, r->history, r->n, r->n, x, &err), ERR_NOT_FOUND);
	r->s->dim[1] = (struct dim){.name = "b", .low = BOUND_AT(2), .high = BOUND_AT(6)};
	assert_int_equal(sampler_suggest(r->s, &r->o, r->history, 0, 0, x, &err), ERR_INVALID);
	assert_string_equal(err.pointer, "#/params/space/b/step");
	free(r->s);
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conditional),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_strangers),
		cmocka_unit_test(test_pure),
		cmocka_unit_test(test_parallel),
		cmocka_unit_test(test_grid),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
