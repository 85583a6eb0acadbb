#include "server/uri.h"

#include <stdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *target, *prefix;
	int code;
	const char *segments; /* decoded, apart by '|' */
} targets[] = {
	{"/", "", OK, ""},
	{"/v1/jobs", "", OK, "v1|jobs"},
	{"/v1/jobs/", "", OK, "v1|jobs|"},
	{"//v1", "", OK, "|v1"},
	{"/v1/jobs/a%20b", "", OK, "v1|jobs|a b"},
	{"/v1/jobs/a+b", "", OK, "v1|jobs|a+b"},
	{"/v1/jobs/a%2fb", "", OK, "v1|jobs|a/b"},
	{"/v1/jobs/%C3%BC", "", OK, "v1|jobs|\xc3\xbc"},
	{"/v1?x=/../", "", OK, "v1"},
	{"/lab/v1", "/lab", OK, "v1"},
	{"/lab", "/lab", OK, ""},
	{"/lab/", "/lab", OK, ""},
	{"/laboratory/v1", "/lab", OK, "laboratory|v1"},
	{"/v1", "/lab", OK, "v1"},
	{"http://localhost:1/v1", "", OK, "v1"},
	{"", "", ERR_SYNTAX, ""},
	{"v1", "", ERR_SYNTAX, ""},
	{"http://localhost", "", ERR_SYNTAX, ""},
	{"/v1/..", "", ERR_SYNTAX, ""},
	{"/../etc", "", ERR_SYNTAX, ""},
	{"/v1/./x", "", ERR_SYNTAX, ""},
	{"/%2e%2e/etc", "", ERR_SYNTAX, ""},
	{"/v1/%2E", "", ERR_SYNTAX, ""},
	{"/v1%00", "", ERR_SYNTAX, ""},
	{"/v1%0a", "", ERR_SYNTAX, ""},
	{"/v1\x7f", "", ERR_SYNTAX, ""},
	{"/v1/%", "", ERR_SYNTAX, ""},
	{"/v1/%4", "", ERR_SYNTAX, ""},
	{"/v1/%4g", "", ERR_SYNTAX, ""},
	{"/v1/%ff", "", ERR_SYNTAX, ""},
	{"/v1/%c0%af", "", ERR_SYNTAX, ""},
	{"/v1#x", "", ERR_SYNTAX, ""},
	{"/v1?x=%zz", "", ERR_SYNTAX, ""},
	{"/v1?x=%00", "", ERR_SYNTAX, ""},
	{"/1/2/3/4/5/6/7/8/9/10/11/12/13", "", ERR_NOT_FOUND, ""},
};

static void splits_paths(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
		struct uri u = {0};
		char joined[200] = "";
		int code = uri_parse(&u, targets[i].target, targets[i].prefix, NULL);
		for (int s = 0; s < u.nsegments; s++)
			snprintf(joined + strlen(joined), sizeof joined - strlen(joined), "%s%s", s ? "|" : "", u.segment[s]);
		if (code != targets[i].code || strcmp(joined, targets[i].segments) != 0)
			fail_msg("%s: code %d, '%s'", targets[i].target, code, joined);
		uri_free(&u);
	}
}

static struct uri parse(const char *target)
{
	struct uri u = {0};
	assert_int_equal(uri_parse(&u, target, "", NULL), OK);
	return u;
}

static void reads_queries(void **state)
{
	(void)state;
	struct uri u = parse("/v1?a=1&b=x+y%26z&flag&empty=&a%3d=2&&z=0.1,-1;2,3");
	assert_string_equal(uri_get(&u, "a"), "1");
	assert_string_equal(uri_get(&u, "b"), "x y&z");
	assert_string_equal(uri_get(&u, "flag"), "");
	assert_string_equal(uri_get(&u, "empty"), "");
	assert_string_equal(uri_get(&u, "a="), "2");
	assert_string_equal(uri_get(&u, "z"), "0.1,-1;2,3");
	assert_null(uri_get(&u, "none"));
	uri_free(&u);
	u = parse("http://[::1]:7/v1/x?q");
	assert_string_equal(u.authority, "[::1]:7");
	uri_free(&u);
	u = parse("*");
	assert_true(u.asterisk);
	uri_free(&u);
	assert_int_equal(uri_parse(&u, "/lab?x", "/lab", NULL), OK);
	assert_true(u.bare);
	uri_free(&u);
	assert_int_equal(uri_parse(&u, "/lab/", "/lab", NULL), OK);
	assert_false(u.bare);
	uri_free(&u);
}

static void limits_queries(void **state)
{
	(void)state;
	char target[1000] = "/v1?";
	for (int i = 0; i <= URI_PARAMS_MAX; i++)
		snprintf(target + strlen(target), sizeof target - strlen(target), "p%d=%d&", i, i);
	struct uri u;
	assert_int_equal(uri_parse(&u, target, "", NULL), ERR_SYNTAX);
}

static const struct {
	const char *text;
	int code;
	int64_t value;
} ints[] = {
	{"1", OK, 1}, {"100", OK, 100}, {"007", OK, 7}, {"0", ERR_INVALID, 0}, {"101", ERR_INVALID, 0}, {"-1", ERR_INVALID, 0},
	{"", ERR_INVALID, 0}, {"x", ERR_INVALID, 0}, {"1x", ERR_INVALID, 0}, {"1.0", ERR_INVALID, 0}, {"+1", ERR_INVALID, 0},
	{"%201", ERR_INVALID, 0}, {"99999999999999999999", ERR_INVALID, 0}, {"0x10", ERR_INVALID, 0},
};

static void reads_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof ints / sizeof *ints; i++) {
		char target[80];
		int64_t value = 0;
		snprintf(target, sizeof target, "/?n=%s", ints[i].text);
		struct uri u = parse(target);
		if (uri_int(&u, "n", 1, 100, &value, NULL) != ints[i].code || value != ints[i].value)
			fail_msg("n=%s", ints[i].text);
		uri_free(&u);
	}
	static const char *const not_reals[] = {"", "x", "nan", "inf", "1e999", "0x1p3", "11", "1.5x"};
	for (size_t i = 0; i < sizeof not_reals / sizeof *not_reals; i++) {
		char target[80];
		double x = 5;
		snprintf(target, sizeof target, "/?x=%s", not_reals[i]);
		struct uri u = parse(target);
		if (uri_real(&u, "x", -10, 10, &x, NULL) != ERR_INVALID || x != 5)
			fail_msg("x=%s", not_reals[i]);
		uri_free(&u);
	}
	double x = 0;
	struct uri u = parse("/?x=-2.5e-1");
	assert_int_equal(uri_real(&u, "x", -10, 10, &x, NULL), OK);
	assert_true(x == -0.25);
	uri_free(&u);
}

static void reads_flags(void **state)
{
	(void)state;
	bool flag = true;
	struct uri u = parse("/?a&b=true&c=1&d=0&e=false&f=yes");
	assert_true(!uri_bool(&u, "none", &flag, NULL) && !flag);
	assert_true(!uri_bool(&u, "a", &flag, NULL) && flag);
	assert_true(!uri_bool(&u, "b", &flag, NULL) && flag);
	assert_true(!uri_bool(&u, "c", &flag, NULL) && flag);
	assert_true(!uri_bool(&u, "d", &flag, NULL) && !flag);
	assert_true(!uri_bool(&u, "e", &flag, NULL) && !flag);
	assert_int_equal(uri_bool(&u, "f", &flag, NULL), ERR_INVALID);
	uri_free(&u);
}

static void knows_what_is_allowed(void **state)
{
	(void)state;
	struct err err = {0};
	struct uri u = parse("/?limit=1&pretty");
	assert_int_equal(uri_only(&u, "limit after", NULL), OK);
	assert_int_equal(uri_only(&u, "limits", &err), ERR_INVALID);
	assert_non_null(strstr(err.message, "'limit'"));
	assert_int_equal(uri_only(&u, "", NULL), ERR_INVALID);
	uri_free(&u);
	u = parse("/?limit=1&limit=2");
	assert_int_equal(uri_only(&u, "limit", NULL), ERR_INVALID);
	uri_free(&u);
	u = parse("/?=1");
	assert_int_equal(uri_only(&u, "limit after", NULL), ERR_INVALID);
	uri_free(&u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splits_paths),
		cmocka_unit_test(reads_queries),
		cmocka_unit_test(limits_queries),
		cmocka_unit_test(reads_numbers),
		cmocka_unit_test(reads_flags),
		cmocka_unit_test(knows_what_is_allowed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
