#include "server/range.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void finds_tags(void **state)
{
	(void)state;
	assert_true(etag_listed("\"a\"", "a"));
	assert_true(etag_listed("W/\"a\"", "a"));
	assert_true(etag_listed("\"x\", \"a\"", "a"));
	assert_true(etag_listed("\"x,\" ,W/\"y\",\"a\"", "a"));
	assert_true(etag_listed("*", "a"));
	assert_false(etag_listed(NULL, "a"));
	assert_false(etag_listed("", "a"));
	assert_false(etag_listed("a", "a"));
	assert_false(etag_listed("\"ab\"", "a"));
	assert_false(etag_listed("\"a", "a"));
	assert_false(etag_listed("\"x\" a", "a"));
}

static const struct {
	const char *range, *if_range;
	size_t size;
	enum range_result result;
	size_t first, last;
} ranges[] = {
	{NULL, NULL, 10, RANGE_WHOLE, 0, 0},
	{"bytes=0-3", NULL, 10, RANGE_PART, 0, 3},
	{"bytes=0-0", NULL, 10, RANGE_PART, 0, 0},
	{"bytes=9-9", NULL, 10, RANGE_PART, 9, 9},
	{"bytes=3-", NULL, 10, RANGE_PART, 3, 9},
	{"bytes=3-99", NULL, 10, RANGE_PART, 3, 9},
	{"bytes=-4", NULL, 10, RANGE_PART, 6, 9},
	{"bytes=-99", NULL, 10, RANGE_PART, 0, 9},
	{"BYTES=1-2", NULL, 10, RANGE_PART, 1, 2},
	{"bytes=1-2", "\"tag\"", 10, RANGE_PART, 1, 2},
	{"bytes=1-2", "\"other\"", 10, RANGE_WHOLE, 0, 0},
	{"bytes=1-2", "W/\"tag\"", 10, RANGE_WHOLE, 0, 0},
	{"bytes=10-", NULL, 10, RANGE_OUTSIDE, 0, 0},
	{"bytes=10-20", NULL, 10, RANGE_OUTSIDE, 0, 0},
	{"bytes=-0", NULL, 10, RANGE_OUTSIDE, 0, 0},
	{"bytes=0-", NULL, 0, RANGE_OUTSIDE, 0, 0},
	{"bytes=3-2", NULL, 10, RANGE_WHOLE, 0, 0},
	{"bytes=a-b", NULL, 10, RANGE_WHOLE, 0, 0},
	{"bytes=", NULL, 10, RANGE_WHOLE, 0, 0},
	{"bytes=-", NULL, 10, RANGE_WHOLE, 0, 0},
	{"bytes=1-2,4-5", NULL, 10, RANGE_WHOLE, 0, 0},
	{"items=0-3", NULL, 10, RANGE_WHOLE, 0, 0},
	{"bytes=99999999999999999999-", NULL, 10, RANGE_WHOLE, 0, 0},
};

static void cuts_ranges(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
		size_t first = 0, last = 0;
		enum range_result got = range_parse(ranges[i].range, ranges[i].if_range, "tag", ranges[i].size, &first, &last);
		if (got != ranges[i].result || first != ranges[i].first || last != ranges[i].last)
			fail_msg("%s: %d %zu-%zu", ranges[i].range ? ranges[i].range : "-", got, first, last);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_tags),
		cmocka_unit_test(cuts_ranges),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
