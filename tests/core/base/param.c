#include "core/base/param.h"

#include <math.h>
#include <stdbool.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct thing {
	int64_t count;
	double rate;
	bool on;
	int kind;
	struct param_ints sizes;
	int64_t seed;
	struct part {
		bool on;
		int64_t patience;
		double delta;
	} stop;
	unsigned extras;
};

#define FIELD(name, type, value, ...)                                 \
	{                                                                 \
#name, type, offsetof(struct thing, name), value, __VA_ARGS__ \
	}
static const struct param part_rows[] = {
	{"patience", PARAM_INT, offsetof(struct part, patience), "10", 1, 100, NULL, "training", NULL, "How long.", 0},
	{"delta", PARAM_REAL, offsetof(struct part, delta), "0.5", 0, 1, NULL, "training", NULL, "How much.", 0},
	{0},
};

static const struct param table[] = {
	FIELD(count, PARAM_INT, "5", 1, 512, NULL, "net", NULL, "How many.", 0),
	FIELD(rate, PARAM_REAL, "1e-3", 0, 10, NULL, "training", NULL, "How fast.", 0),
	FIELD(on, PARAM_BOOL, "true", 0, 0, NULL, "training", NULL, "Whether.", 0),
	FIELD(kind, PARAM_ENUM, "adam", 0, 0, "sgd|adam|adamw", "training", NULL, "Which.", 0),
	FIELD(sizes, PARAM_INTS, "8,16,32", 1, 100, NULL, "net", NULL, "Widths.", 2),
	FIELD(seed, PARAM_INT, "0", 0, 9007199254740991.0, NULL, "data", NULL, "Which one.", 0),
	FIELD(stop, PARAM_OBJECT, "null", 0, 0, NULL, "training", NULL, "When to stop.", 0, part_rows),
	FIELD(extras, PARAM_SET, "salt,oil", 0, 0, "salt|pepper|oil", "data", NULL, "With what.", 0),
	{0},
};

static struct thing fresh(void)
{
	struct thing t = {0};
	param_defaults(table, &t);
	return t;
}

static const struct param *row(const char *name)
{
	return param_find(table, name);
}

static void test_defaults(void **state)
{
	(void)state;
	struct thing t = fresh();
	assert_int_equal(t.count, 5);
	assert_true(t.rate == 1e-3);
	assert_true(t.on);
	assert_int_equal(t.kind, 1);
	assert_int_equal(t.sizes.n, 3);
	assert_int_equal(t.sizes.v[2], 32);
	assert_true(param_number(row("count"), &t) == 5);
	assert_true(param_number(row("rate"), &t) == 1e-3);
	assert_true(param_number(row("on"), &t) == 1);
	assert_true(param_number(row("kind"), &t) == 1);
	assert_true(isnan(param_number(row("sizes"), &t)));
	assert_int_equal(param_ints(row("sizes"), &t)->v[1], 16);
	assert_null(param_ints(row("count"), &t));
}

static void test_finding(void **state)
{
	(void)state;
	assert_null(param_find(table, "coun"));
	assert_string_equal(param_nearest(table, "cuont"), "count");
	assert_string_equal(param_nearest(table, "sise"), "sizes");
	assert_null(param_nearest(table, "something else"));
	assert_null(param_nearest(table, "loss")); /* three edits from "on", and no trace of it left */
	assert_null(param_nearest(table, "a name of more than forty-eight characters, which is far from all"));
}

struct refusal {
	const char *name, *text, *pointer, *message;
};

static void test_refusals(void **state)
{
	(void)state;
	static const struct refusal rows[] = {
		{"count", "0", "#/params/count", "must be 1..512, got 0"},
		{"count", "513", "#/params/count", "must be 1..512, got 513"},
		{"count", "1.5", "#/params/count", "must be a whole number 1..512, got 1.5"},
		{"count", "nan", "#/params/count", "must be a whole number 1..512, got nan"},
		{"seed", "-1", "#/params/seed", "must be 0..9007199254740991, got -1"},
		{"rate", "-0.1", "#/params/rate", "must be 0..10, got -0.1"},
		{"rate", "10.5", "#/params/rate", "must be 0..10, got 10.5"},
		{"rate", "inf", "#/params/rate", "must be 0..10, got inf"},
		{"rate", "fast", "#/params/rate", "must be a number 0..10"},
		{"on", "yes", "#/params/on", "must be true or false"},
		{"kind", "rmsprop", "#/params/kind", "must be one of sgd|adam|adamw, got 'rmsprop'"},
		{"kind", "ada", "#/params/kind", "must be one of sgd|adam|adamw, got 'ada'"},
		{"sizes", "8", "#/params/sizes", "must be a list of 2..16 whole numbers"},
		{"sizes", "8,9,101", "#/params/sizes/2", "must be 1..100, got 101"},
		{"sizes", "8;9", "#/params/sizes", "must be a list of 2..16 whole numbers"},
		{"stop", "off", "#/params/stop", "must be an object, or null to switch it off"},
		{"sizes", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", "#/params/sizes",
			"must be a list of 2..16 whole numbers"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct thing t = fresh(), before = t;
		struct err err;
		assert_int_equal(param_set_text(row(rows[i].name), &t, rows[i].text, &err), ERR_INVALID);
		assert_string_equal(err.pointer, rows[i].pointer);
		assert_string_equal(err.message, rows[i].message);
		assert_memory_equal(&t, &before, sizeof t);
	}
}

/* A value of another type than the row's is refused, whatever it is. */
static void test_types_are_strict(void **state)
{
	(void)state;
	struct thing t = fresh(), before = t;
	const double list[] = {1, 2};
	assert_int_equal(param_set_number(row("on"), &t, 1, NULL), ERR_INVALID);
	assert_int_equal(param_set_number(row("kind"), &t, 1, NULL), ERR_INVALID);
	assert_int_equal(param_set_bool(row("count"), &t, true, NULL), ERR_INVALID);
	assert_int_equal(param_set_choice(row("count"), &t, "5", NULL), ERR_INVALID);
	assert_int_equal(param_set_ints(row("rate"), &t, list, 2, NULL), ERR_INVALID);
	assert_memory_equal(&t, &before, sizeof t);
}

static void test_sets(void **state)
{
	(void)state;
	struct thing t = fresh();
	struct err err = {0};
	const char *const some[] = {"oil", "pepper", "oil"}, *const wrong[] = {"salt", "sugar"};
	assert_int_equal(t.extras, 5);
	assert_true(param_number(row("extras"), &t) == 5);
	assert_int_equal(param_set_choices(row("extras"), &t, some, 3, NULL), OK);
	assert_int_equal(t.extras, 6);
	assert_int_equal(param_set_choices(row("extras"), &t, wrong, 2, &err), ERR_INVALID);
	assert_string_equal(err.pointer, "#/params/extras/1");
	assert_string_equal(err.message, "must be one of salt|pepper|oil, got 'sugar'");
	assert_int_equal(param_set_choices(row("kind"), &t, some, 1, NULL), ERR_INVALID);
	assert_int_equal(param_set_text(row("extras"), &t, "salt", NULL), OK);
	assert_int_equal(t.extras, 1);
	assert_int_equal(param_set_text(row("extras"), &t, "-", NULL), OK);
	assert_int_equal(t.extras, 0);
	assert_int_equal(param_set_bool(row("extras"), &t, true, &err), ERR_INVALID);
	assert_string_equal(err.message, "must be a list of any of salt|pepper|oil");
}

static void test_set_all(void **state)
{
	(void)state;
	struct thing t = fresh();
	struct err err;
	assert_int_equal(param_set_all(table, &t, "count=7 rate=0.5  on=false kind=adamw sizes=1,2", &err), OK);
	assert_int_equal(t.count, 7);
	assert_true(t.rate == 0.5 && !t.on);
	assert_int_equal(t.kind, 2);
	assert_int_equal(t.sizes.n, 2);
	assert_int_equal(param_set_all(table, &t, "", &err), OK);
	assert_int_equal(param_set_all(table, &t, "count", &err), ERR_SYNTAX);
	assert_int_equal(param_set_all(table, &t, "cuont=3", &err), ERR_INVALID);
	assert_int_equal(param_set_all(table, &t, "count=0", &err), ERR_INVALID);
	assert_int_equal(t.count, 7);
}

/* Members have their defaults whether the object is on or not, so that switching it on is enough. */
static void test_objects(void **state)
{
	(void)state;
	struct thing t = fresh();
	struct err err;
	assert_false(param_is_on(row("stop"), &t));
	assert_int_equal(t.stop.patience, 10);
	assert_true(t.stop.delta == 0.5);
	assert_ptr_equal(param_object(row("stop"), &t), &t.stop);
	assert_null(param_object(row("count"), &t));
	assert_int_equal(param_set_all(table, &t, "stop=on", &err), OK);
	assert_true(param_is_on(row("stop"), &t) && t.stop.on);
	assert_int_equal(param_set_all(table, &t, "stop=null", &err), OK);
	assert_false(t.stop.on);
	assert_int_equal(param_set_all(table, &t, "stop.patience=3", &err), OK);
	assert_true(t.stop.on && t.stop.patience == 3);
	assert_int_equal(param_set_all(table, &t, "stop.patience=0", &err), ERR_INVALID);
	assert_string_equal(err.pointer, "#/params/stop/patience");
	assert_int_equal(param_set_all(table, &t, "stop.patients=3", &err), ERR_INVALID);
	assert_int_equal(param_set_all(table, &t, "count.patience=3", &err), ERR_INVALID);
	assert_int_equal(param_set_number(row("stop"), &t, 1, &err), ERR_INVALID);
	assert_int_equal(param_set_on(row("count"), &t, true, &err), ERR_INVALID);
	assert_int_equal(t.stop.patience, 3);
}

static void test_choices(void **state)
{
	(void)state;
	char text[16];
	assert_true(param_choice(row("kind"), 0, text, sizeof text));
	assert_string_equal(text, "sgd");
	assert_true(param_choice(row("kind"), 2, text, sizeof text));
	assert_string_equal(text, "adamw");
	assert_false(param_choice(row("kind"), 3, text, sizeof text));
	assert_false(param_choice(row("count"), 0, text, sizeof text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_finding),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_types_are_strict),
		cmocka_unit_test(test_sets),
		cmocka_unit_test(test_set_all),
		cmocka_unit_test(test_objects),
		cmocka_unit_test(test_choices),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
