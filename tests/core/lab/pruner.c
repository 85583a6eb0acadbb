#include "core/lab/pruner.h"

#include "tests/core/lab/vectors.h"

struct told {
	int trials, steps;
	int64_t *step; /* [steps]: 1 … */
	const double *value, *length, *pruned, *options;
};

static const double *of_case(const struct vectors *v, int number, const char *what)
{
	char name[64];
	snprintf(name, sizeof name, "case.%d.%s", number, what);
	return doubles(v, name);
}

static struct told told_open(const struct vectors *v, int number)
{
	char name[64];
	snprintf(name, sizeof name, "case.%d.value", number);
	const struct tensor *value = vector(v, name);
	struct told t = {.trials = (int)value->shape[0],
		.steps = (int)value->shape[1],
		.value = value->data,
		.length = of_case(v, number, "length"),
		.pruned = of_case(v, number, "pruned"),
		.options = of_case(v, number, "options")};
	t.step = malloc((size_t)t.steps * sizeof *t.step);
	for (int i = 0; i < t.steps; i++)
		t.step[i] = i + 1;
	return t;
}

static struct pruner_options options_of(const double *o)
{
	struct pruner_options options = PRUNER_DEFAULTS;
	options.pruner = (enum pruner)o[0];
	if (options.pruner == PRUNER_MEDIAN) {
		options.n_startup = (int)o[1];
		options.warmup = (int64_t)o[2];
		options.interval = (int64_t)o[3];
	} else {
		options.min_resource = (int64_t)o[1];
		options.reduction = (int)o[2];
		options.spare = (int)o[3];
	}
	return options;
}

/* Each trial, asked at each of its steps, ends where Optuna's does. */
static void check_case(const struct vectors *v, int number)
{
	struct told t = told_open(v, number);
	struct learning_curve *others = calloc((size_t)t.trials, sizeof *others);
	const struct pruner_options o = options_of(t.options);
	for (int k = 0; k < t.trials; k++) {
		struct learning_curve *self = &others[k];
		*self = (struct learning_curve){.state = TRIAL_RUNNING, .step = t.step, .value = t.value + k * t.steps};
		for (self->n = 1; self->n <= (int)t.length[k]; self->n++) {
			bool ends;
			assert_int_equal(pruner_says(&ends, &o, others, k, self, NULL), OK);
			if (ends != (t.pruned[k] != 0 && self->n == (int)t.length[k]))
				fail_msg("case %d, trial %d, step %d: %d", number, k, self->n, ends);
		}
		self->n = (int)t.length[k];
		self->state = t.pruned[k] != 0 ? TRIAL_PRUNED : TRIAL_COMPLETE;
	}
	free(others);
	free(t.step);
}

static void test_optuna(void **state)
{
	(void)state;
	struct vectors v = vectors_open_file("tests/golden/pruner.safetensors");
	for (int i = 0; i < 6; i++)
		check_case(&v, i);
	vectors_close(&v);
}

static const int64_t steps[] = {1, 2, 3, 4, 8, 200, 400};

/* The first rung without min_resource: a hundredth of the longest complete trial. */
static void test_auto_resource(void **state)
{
	(void)state;
	const double good[] = {1, 1, 1, 1, 1, 1, 1}, bad[] = {2, 2, 2, 2, 2, 2, 2};
	struct pruner_options o = PRUNER_DEFAULTS;
	struct learning_curve other = {.state = TRIAL_PRUNED, .n = 7, .step = steps, .value = good};
	struct learning_curve self = {.state = TRIAL_RUNNING, .n = 1, .step = steps, .value = bad};
	bool ends;
	o.pruner = PRUNER_ASHA;
	pruner_says(&ends, &o, &other, 1, &self, NULL);
	assert_false(ends); /* nothing is complete */
	other.state = TRIAL_COMPLETE;
	for (self.n = 1; self.n < 4; self.n++) {
		pruner_says(&ends, &o, &other, 1, &self, NULL);
		assert_false(ends); /* the first rung is at 400 / 100 */
	}
	pruner_says(&ends, &o, &other, 1, &self, NULL);
	assert_true(ends);
	self.value = good;
	pruner_says(&ends, &o, &other, 1, &self, NULL);
	assert_false(ends);
}

/* Whoever has nothing at that step is not compared with. */
static void test_gaps(void **state)
{
	(void)state;
	static const int64_t odd[] = {1, 3};
	const double low[] = {0, 0}, value[] = {1, 1};
	struct pruner_options o = PRUNER_DEFAULTS;
	const struct learning_curve other = {.state = TRIAL_COMPLETE, .n = 2, .step = odd, .value = low};
	struct learning_curve self = {.n = 2, .step = steps, .value = value};
	bool ends;
	o.pruner = PRUNER_MEDIAN;
	o.n_startup = 1;
	pruner_says(&ends, &o, &other, 1, &self, NULL);
	assert_false(ends);
	self.n = 1;
	pruner_says(&ends, &o, &other, 1, &self, NULL);
	assert_true(ends);
}

static void test_edges(void **state)
{
	(void)state;
	const double value[] = {1}, nan[] = {NAN};
	struct pruner_options o = PRUNER_DEFAULTS;
	struct learning_curve others[5], self = {.n = 1, .step = steps, .value = nan};
	for (int i = 0; i < 5; i++)
		others[i] = (struct learning_curve){.state = TRIAL_COMPLETE, .n = 1, .step = steps, .value = value};
	bool ends = true;
	assert_int_equal(pruner_says(&ends, &o, others, 5, &self, NULL), OK);
	assert_false(ends); /* none */
	o.pruner = PRUNER_MEDIAN;
	pruner_says(&ends, &o, others, 4, &self, NULL);
	assert_false(ends);
	pruner_says(&ends, &o, others, 5, &self, NULL);
	assert_true(ends);
	self.n = 0;
	pruner_says(&ends, &o, others, 5, &self, NULL);
	assert_false(ends);
	self.n = 1;
	o.interval = 0;
	assert_int_equal(pruner_says(&ends, &o, others, 5, &self, NULL), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_optuna),
		cmocka_unit_test(test_auto_resource),
		cmocka_unit_test(test_gaps),
		cmocka_unit_test(test_edges),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
