#include "core/lab/space.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct dim *add(struct space *s, const char *name, enum dim_type type, double low, double high)
{
	struct dim *d = &s->dim[s->n++];
	*d = (struct dim){.type = type, .low = BOUND_AT(low), .high = BOUND_AT(high)};
	snprintf(d->name, sizeof d->name, "%s", name);
	return d;
}

static struct dim *add_choice(struct space *s, const char *name, int choices)
{
	struct dim *d = add(s, name, DIM_CATEGORICAL, 0, 0);
	d->choices = choices;
	return d;
}

static void when(struct dim *d, int of, int n, const double *value)
{
	struct condition *c = &d->condition[d->nconditions++];
	*c = (struct condition){.of = of, .n = n};
	memcpy(c->value, value, (size_t)n * sizeof *value);
}

/* layers 1..3; width.0 4..8, width.1 4..16 where layers > 1; kernel 2..6, padding 0..kernel / 2; norm a|b */
static struct space *nets(void)
{
	struct space *s = calloc(1, sizeof *s);
	add(s, "layers", DIM_INT, 1, 3);
	add(s, "width.0", DIM_INT, 4, 8)->step = 2;
	struct dim *d = add(s, "width.1", DIM_INT, 4, 16);
	d->step = 4;
	when(d, 0, 2, (double[]){2, 3});
	add(s, "kernel", DIM_INT, 2, 6);
	add(s, "padding", DIM_INT, 0, 0)->high = (struct bound){.of = 3, .factor = 0.5};
	when(add_choice(s, "norm", 2), 0, 1, (double[]){3});
	return s;
}

static void test_sound(void **state)
{
	(void)state;
	struct space *s = nets();
	struct err err = {0};
	if (space_check(s, &err))
		fail_msg("%s %s", err.pointer, err.message);
	assert_true(space_varies(s, 4) && !space_varies(s, 3) && !space_varies(s, 5));
	assert_true(space_hull(s, 4).low == 0 && space_hull(s, 4).high == 3);
	free(s);
}

static void assert_refused(const struct space *s, const char *pointer, const char *part)
{
	struct err err = {0};
	assert_int_equal(space_check(s, &err), ERR_INVALID);
	assert_string_equal(err.pointer, pointer);
	if (!strstr(err.message, part))
		fail_msg("'%s' has no '%s'", err.message, part);
}

/* Each row spoils one thing of a space of x, n (1..9), c (3 choices) and y. */
static void spoil_order(struct space *s)
{
	s->dim[0].high.offset = -1;
}
static void spoil_log(struct space *s)
{
	s->dim[0].log = true;
	s->dim[0].low.offset = 0;
}
static void spoil_log_int(struct space *s)
{
	s->dim[1].log = true;
	s->dim[1].low.offset = 0;
}
static void spoil_nan(struct space *s)
{
	s->dim[0].low.offset = NAN;
}
static void spoil_fraction(struct space *s)
{
	s->dim[1].high.offset = 2.5;
}
static void spoil_step(struct space *s)
{
	s->dim[0].step = -1;
}
static void spoil_step_int(struct space *s)
{
	s->dim[1].step = 0.5;
}
static void spoil_log_step(struct space *s)
{
	s->dim[0].log = true;
	s->dim[0].step = 0.1;
}
static void spoil_choices(struct space *s)
{
	s->dim[2].choices = 0;
}
static void spoil_forward(struct space *s)
{
	s->dim[0].high = (struct bound){.of = 1, .factor = 1};
}
static void spoil_categorical_bound(struct space *s)
{
	s->dim[3].high = (struct bound){.of = 2, .factor = 1};
}
static void spoil_meeting(struct space *s)
{
	s->dim[3].low = BOUND_AT(5);
	s->dim[3].high = (struct bound){.of = 1, .factor = 2, .offset = 2};
}
static void spoil_self(struct space *s)
{
	when(&s->dim[3], 3, 1, (double[]){1});
}
static void spoil_empty(struct space *s)
{
	when(&s->dim[3], 2, 0, (double[]){1});
}
static void spoil_value(struct space *s)
{
	when(&s->dim[3], 2, 2, (double[]){1, 3});
}
static void spoil_name(struct space *s)
{
	strcpy(s->dim[3].name, "n");
}
static void spoil_all(struct space *s)
{
	s->n = 0;
}

static void test_faults(void **state)
{
	(void)state;
	static const struct {
		void (*spoil)(struct space *s);
		const char *pointer, *part;
	} rows[] = {
		{spoil_order, "#/params/space/x/high", "below low"},
		{spoil_log, "#/params/space/x/low", "above 0"},
		{spoil_log_int, "#/params/space/n/low", "at least 1"},
		{spoil_nan, "#/params/space/x/low", "finite"},
		{spoil_fraction, "#/params/space/n/high", "integer"},
		{spoil_step, "#/params/space/x/step", "above 0"},
		{spoil_step_int, "#/params/space/n/step", "integer"},
		{spoil_log_step, "#/params/space/x/step", "log"},
		{spoil_choices, "#/params/space/c/values", "got 0"},
		{spoil_forward, "#/params/space/x/high", "earlier"},
		{spoil_categorical_bound, "#/params/space/y/high", "number"},
		{spoil_meeting, "#/params/space/y/high", "can fall below low"},
		{spoil_self, "#/params/space/y/when", "earlier"},
		{spoil_empty, "#/params/space/y/when", "got 0"},
		{spoil_value, "#/params/space/y/when", "'c' never has"},
		{spoil_name, "#/params/space", "twice"},
		{spoil_all, "#/params/space", "got 0"},
	};
	struct space *s = malloc(sizeof *s);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		memset(s, 0, sizeof *s);
		add(s, "x", DIM_FLOAT, 0.5, 1);
		add(s, "n", DIM_INT, 1, 9);
		add_choice(s, "c", 3);
		add(s, "y", DIM_FLOAT, 0, 1);
		assert_int_equal(space_check(s, NULL), OK);
		rows[i].spoil(s);
		assert_refused(s, rows[i].pointer, rows[i].part);
	}
	free(s);
}

/* Both bounds follow n: 2 n is never below n, though the one's least is below the other's most. */
static void test_bounds_together(void **state)
{
	(void)state;
	struct space *s = calloc(1, sizeof *s);
	add(s, "n", DIM_INT, 1, 9);
	struct dim *d = add(s, "m", DIM_INT, 0, 0);
	d->low = (struct bound){.of = 0, .factor = 1};
	d->high = (struct bound){.of = 0, .factor = 2};
	assert_int_equal(space_check(s, NULL), OK);
	d->high.offset = -2;
	assert_refused(s, "#/params/space/m/high", "can fall below low");
	d->high = (struct bound){.of = 0, .factor = 0.5};
	assert_refused(s, "#/params/space/m/high", "can fall below low");
	free(s);
}

static void test_ranges(void **state)
{
	(void)state;
	struct space *s = calloc(1, sizeof *s);
	add(s, "tenths", DIM_FLOAT, 0, 0.35)->step = 0.1;
	add(s, "lr", DIM_FLOAT, 1e-5, 1e-1)->log = true;
	add(s, "n", DIM_INT, 1, 8)->log = true;
	add_choice(s, "c", 3);
	assert_int_equal(space_check(s, NULL), OK);
	struct range r = space_range(s, 0, NULL);
	assert_true(fabs(r.high - 0.3) < 1e-12);
	assert_true(
		range_contains(&r, 0.3) && range_contains(&r, 0) && !range_contains(&r, 0.35) && !range_contains(&r, 0.15));
	assert_true(range_at(&r, 0) == 0 && fabs(range_at(&r, 0.999) - 0.3) < 1e-12 && range_nearest(&r, 9) == r.high);
	s->dim[0].high.offset = 0.3; /* 0.3 / 0.1 < 3 in binary */
	r = space_range(s, 0, NULL);
	assert_true(fabs(r.high - 0.3) < 1e-12);
	r = space_range(s, 1, NULL);
	assert_true(
		fabs(range_at(&r, 0.5) - 1e-3) < 1e-12 && range_at(&r, 0) >= r.low && range_at(&r, 1 - 0x1p-53) <= r.high);
	r = space_range(s, 2, NULL);
	assert_true(range_at(&r, 0) == 1 && range_at(&r, 0.2) == 1 && range_at(&r, 0.9999) == 8 && range_contains(&r, 5) &&
				!range_contains(&r, 4.5));
	r = space_range(s, 3, NULL);
	assert_true(range_at(&r, 0) == 0 && range_at(&r, 0.34) == 1 && range_at(&r, 0.999) == 2 && !range_contains(&r, 3));
	free(s);
}

/* Every point is inside; every value of each dimension comes, about equally often where it always may. */
static void test_random(void **state)
{
	(void)state;
	enum { N = 3000 };
	struct space *s = nets();
	int layers[4] = {0}, padding[4] = {0};
	double x[6], again[6];
	for (int k = 0; k < N; k++) {
		struct err err = {0};
		space_random(s, 7, k, x);
		space_random(s, 7, k, again);
		assert_true(space_same(s, x, again));
		if (space_contains(s, x, &err))
			fail_msg("%s %s", err.pointer, err.message);
		assert_true(isnan(x[2]) == (x[0] == 1) && isnan(x[5]) == (x[0] != 3) && x[4] <= floor(x[3] / 2));
		layers[(int)x[0]]++;
		padding[(int)x[4]]++;
	}
	for (int v = 1; v <= 3; v++)
		assert_in_range(layers[v], N / 3 - 120, N / 3 + 120); /* 4.6 standard deviations */
	assert_true(padding[0] > padding[3] && padding[3] > N / 5 / 4 - 60);
	space_random(s, 8, 0, again);
	space_random(s, 7, 0, x);
	assert_false(space_same(s, x, again));
	free(s);
}

static void test_outside(void **state)
{
	(void)state;
	struct space *s = nets();
	const double good[] = {2, 6, 8, 4, 2, NAN};
	static const struct {
		int i;
		double value;
		const char *pointer, *part;
	} rows[] = {
		{0, 4, "#/layers", "1..3"},
		{0, NAN, "#/layers", "needs a value"},
		{1, 5, "#/width.0", "on a step"},
		{2, NAN, "#/width.1", "needs a value"},
		{4, 3, "#/padding", "0..2"},
		{5, 0, "#/norm", "no place here"},
	};
	assert_int_equal(space_contains(s, good, NULL), OK);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		double x[6];
		struct err err = {0};
		memcpy(x, good, sizeof x);
		x[rows[i].i] = rows[i].value;
		assert_int_equal(space_contains(s, x, &err), ERR_INVALID);
		assert_string_equal(err.pointer, rows[i].pointer);
		if (!strstr(err.message, rows[i].part))
			fail_msg("'%s' has no '%s'", err.message, rows[i].part);
	}
	free(s);
}

/* All combinations, each once and inside, and no other. */
static void test_grid(void **state)
{
	(void)state;
	struct space *s = nets();
	/* layers 1: width.0 3 times kernel and padding (2: 2, 3: 2, 4: 3, 5: 3, 6: 4); 2: 4 of width.1; 3: and 2 of norm */
	const int64_t combinations = 3 * 14 * (1 + 4 + 4 * 2);
	double(*seen)[6] = malloc((size_t)combinations * sizeof *seen), x[6];
	int64_t n = 0;
	assert_int_equal(space_grid_check(s, NULL), OK);
	assert_int_equal(space_grid_count(s), combinations);
	space_grid_first(s, x);
	do {
		assert_true(n < combinations);
		assert_int_equal(space_contains(s, x, NULL), OK);
		for (int64_t k = 0; k < n; k++)
			assert_false(space_same(s, x, seen[k]));
		memcpy(seen[n++], x, sizeof x);
	} while (space_grid_next(s, x));
	assert_int_equal(n, combinations);
	assert_true(space_same(s, x, seen[n - 1]));
	assert_true(space_same(s, seen[0], (double[]){1, 4, NAN, 2, 0, NAN}));
	assert_true(space_same(s, seen[1], (double[]){1, 4, NAN, 2, 1, NAN}));
	assert_true(space_same(s, seen[2], (double[]){1, 4, NAN, 3, 0, NAN}));
	free(seen);
	free(s);
}

static void test_grid_needs_steps(void **state)
{
	(void)state;
	struct space *s = calloc(1, sizeof *s);
	struct err err = {0};
	struct dim *d = add(s, "x", DIM_FLOAT, 0, 1);
	assert_int_equal(space_grid_check(s, &err), ERR_INVALID);
	assert_string_equal(err.pointer, "#/params/space/x/step");
	d->step = 0.1;
	assert_int_equal(space_grid_check(s, NULL), OK);
	assert_int_equal(space_grid_count(s), 11);
	d->step = 1e-7;
	assert_int_equal(space_grid_count(s), SPACE_GRID_MAX);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sound),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_bounds_together),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_outside),
		cmocka_unit_test(test_grid),
		cmocka_unit_test(test_grid_needs_steps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
