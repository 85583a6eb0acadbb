#include "core/lab/importance.h"

#include "tests/core/lab/vectors.h"

static void read_space(struct space *s, const struct tensor *t)
{
	const double *row = t->data;
	memset(s, 0, sizeof *s);
	s->n = (int)t->shape[0];
	for (int i = 0; i < s->n; i++, row += 6) {
		s->dim[i] = (struct dim){.type = (enum dim_type)row[0],
			.log = row[1] != 0,
			.step = row[2],
			.low = BOUND_AT(row[3]),
			.high = BOUND_AT(row[4]),
			.choices = (int)row[5]};
		snprintf(s->dim[i].name, sizeof s->dim[i].name, "d%d", i);
	}
	assert_int_equal(space_check(s, NULL), OK);
}

static void test_numpy(void **state)
{
	(void)state;
	struct vectors v = vectors_open_file("tests/golden/importance.safetensors");
	struct space *s = malloc(sizeof *s);
	for (int number = 0; number < 3; number++) {
		char name[3][64];
		snprintf(name[0], sizeof name[0], "case.%d.x", number);
		snprintf(name[1], sizeof name[1], "case.%d.value", number);
		snprintf(name[2], sizeof name[2], "case.%d.importance", number);
		const double *x = doubles(&v, name[0]), *value = doubles(&v, name[1]), *theirs = doubles(&v, name[2]);
		const int n = (int)vector(&v, name[1])->shape[0];
		snprintf(name[0], sizeof name[0], "case.%d.space", number);
		read_space(s, vector(&v, name[0]));
		struct trial_record *history = calloc((size_t)n, sizeof *history);
		double ours[SPACE_DIMS_MAX];
		for (int i = 0; i < n; i++)
			history[i] = (struct trial_record){.state = TRIAL_COMPLETE, .value = value[i], .x = x + i * s->n};
		assert_int_equal(importance_ped_anova(ours, s, history, n, NULL), OK);
		for (int i = 0; i < s->n; i++)
			if (!(fabs(ours[i] - theirs[i]) < 1e-9))
				fail_msg("%d trials, dimension %d: %.12g, numpy %.12g", n, i, ours[i], theirs[i]);
		free(history);
	}
	free(s);
	vectors_close(&v);
}

static void test_edges(void **state)
{
	(void)state;
	struct space *s = calloc(1, sizeof *s);
	const double x[5][3] = {{0, 7, NAN}, {0.5, 7, NAN}, {1, 7, NAN}, {0.2, 7, 0}, {NAN, NAN, NAN}};
	struct trial_record history[5];
	struct err err = {0};
	double ret[3];
	s->n = 3;
	s->dim[0] = (struct dim){.name = "x", .low = BOUND_AT(0), .high = BOUND_AT(1)};
	s->dim[1] = (struct dim){.name = "one", .type = DIM_INT, .low = BOUND_AT(7), .high = BOUND_AT(7)};
	s->dim[2] = (struct dim){.name = "rare", .low = BOUND_AT(0), .high = BOUND_AT(1)};
	for (int i = 0; i < 5; i++)
		history[i] = (struct trial_record){.state = i < 4 ? TRIAL_COMPLETE : TRIAL_FAILED, .value = i, .x = x[i]};
	assert_int_equal(importance_ped_anova(ret, s, history, 2, &err), ERR_CONFLICT);
	assert_non_null(strstr(err.message, "at least 3"));
	assert_int_equal(importance_ped_anova(ret, s, history, 5, NULL), OK);
	assert_true(ret[0] == 1 && ret[1] == 0 && ret[2] == 0);
	for (int i = 0; i < 4; i++)
		history[i].value = 1; /* the best are all there are */
	assert_int_equal(importance_ped_anova(ret, s, history, 5, NULL), OK);
	assert_true(ret[0] == 1 && ret[1] == 0 && ret[2] == 0);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numpy),
		cmocka_unit_test(test_edges),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
