#include "core/base/buf.h"

#include <stdint.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void test_grows_and_stays_a_string(void **state)
{
	(void)state;
	struct buf b = BUF_INIT;
	for (int i = 0; i < 1000; i++) {
		buf_printf(&b, "%d,", i);
		assert_int_equal(b.data[b.len], 0);
	}
	buf_str(&b, "and the end");
	assert_int_equal(b.len, 10 * 2 + 90 * 3 + 900 * 4 + 11);
	assert_memory_equal(b.data, "0,1,2,3,", 8);
	assert_string_equal(b.data + b.len - 7, "the end");
	assert_false(b.failed);
	buf_free(&b);
	assert_null(b.data);
}

static void test_bytes_and_reserve(void **state)
{
	(void)state;
	struct buf b = BUF_INIT;
	buf_append(&b, "a\0b", 3);
	buf_append(&b, NULL, 0);
	char *room = buf_reserve(&b, 500);
	assert_ptr_equal(room, b.data + 3);
	assert_int_equal(b.len, 3);
	memset(room, 'x', 500);
	b.len += 500;
	buf_str(&b, "y");
	assert_memory_equal(b.data, "a\0bx", 4);
	assert_string_equal(b.data + 502, "xy");
	buf_free(&b);
}

static void test_take_hands_over(void **state)
{
	(void)state;
	struct buf b = BUF_INIT;
	size_t size = 99;
	buf_str(&b, "text");
	char *text = buf_take(&b, &size);
	assert_string_equal(text, "text");
	assert_int_equal(size, 4);
	assert_null(b.data);
	free(text);
	text = buf_take(&b, NULL); /* an empty one is an empty string */
	assert_string_equal(text, "");
	free(text);
}

static void test_failure_sticks(void **state)
{
	(void)state;
	struct buf b = BUF_INIT;
	buf_str(&b, "kept");
	assert_null(buf_reserve(&b, SIZE_MAX - 2));
	assert_true(b.failed);
	buf_str(&b, "more");
	buf_printf(&b, "%d", 3);
	assert_int_equal(b.len, 4);
	assert_null(buf_take(&b, NULL));
	assert_false(b.failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grows_and_stays_a_string),
		cmocka_unit_test(test_bytes_and_reserve),
		cmocka_unit_test(test_take_hands_over),
		cmocka_unit_test(test_failure_sticks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
