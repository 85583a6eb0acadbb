#include "core/base/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void test_set_field_and_wrap(void **state)
{
	(void)state;
	struct err err;
	assert_int_equal(err_field(&err, ERR_INVALID, "#/params/lr", "must be %d", 3), ERR_INVALID);
	assert_string_equal(err.pointer, "#/params/lr");
	assert_string_equal(err.message, "must be 3");
	assert_int_equal(err_wrap(&err, "while loading %s", "x"), ERR_INVALID);
	assert_string_equal(err.message, "while loading x: must be 3");
	assert_string_equal(err.pointer, "#/params/lr");
	assert_int_equal(err_set(&err, ERR_FULL, "plain"), ERR_FULL);
	assert_string_equal(err.pointer, "");
	assert_int_equal(err.code, ERR_FULL);
}

static void test_without_a_place_to_write(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ERR_IO, "x"), ERR_IO);
	assert_int_equal(err_field(NULL, ERR_IO, "#", "x"), ERR_IO);
	assert_int_equal(err_errno(NULL, ENOENT, "x"), ERR_NOT_FOUND);
	assert_int_not_equal(err_wrap(NULL, "x"), OK);
}

/* Too long a context is cut; the cause stays. */
static void test_long_context_keeps_the_cause(void **state)
{
	(void)state;
	struct err err;
	char context[400];
	memset(context, 'c', sizeof context - 1);
	context[sizeof context - 1] = 0;
	err_set(&err, ERR_IO, "cause");
	err_wrap(&err, "%s", context);
	assert_non_null(strstr(err.message, ": cause"));
	err_set(&err, ERR_IO, "%s%s", context, context);
	assert_int_equal(strlen(err.message), sizeof err.message - 1);
}

static void test_errno_becomes_a_code(void **state)
{
	(void)state;
	static const struct {
		int error_number, code;
	} rows[] = {{ENOSPC, ERR_NO_SPACE}, {EDQUOT, ERR_NO_SPACE}, {ENOMEM, ERR_NO_MEMORY}, {ENOENT, ERR_NOT_FOUND},
		{EACCES, ERR_IO}, {EIO, ERR_IO}};
	struct err err;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(err_errno(&err, rows[i].error_number, "opening %s", "f"), rows[i].code);
	assert_string_equal(err.message, "opening f: Input/output error");
}

static void test_slugs(void **state)
{
	(void)state;
	assert_string_equal(err_slug(OK), "ok");
	assert_string_equal(err_slug(ERR_NO_SPACE), "no_space");
	assert_string_equal(err_slug(-1), "internal_error");
	assert_string_equal(err_slug(ERR_COUNT), "internal_error");
	for (int a = 0; a < ERR_COUNT; a++)
		for (int b = 0; b < a; b++)
			assert_string_not_equal(err_slug(a), err_slug(b));
}

/* The first is the error, eight more are kept, and each may be unwanted. */
static void test_several_fields(void **state)
{
	(void)state;
	struct err first = {0}, one;
	struct err_more more = {0};
	int code = OK;
	for (int i = 0; i < 12; i++) {
		err_field(&one, i ? ERR_INVALID : ERR_SYNTAX, "#/x", "number %d", i);
		code = err_add(&first, &more, code, &one);
		assert_int_equal(code, ERR_SYNTAX);
		assert_int_equal(err_add(NULL, NULL, code, &one), ERR_SYNTAX);
	}
	assert_string_equal(first.message, "number 0");
	assert_int_equal(more.n, ERR_MORE_MAX);
	assert_string_equal(more.item[ERR_MORE_MAX - 1].message, "number 8");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_several_fields),
		cmocka_unit_test(test_set_field_and_wrap),
		cmocka_unit_test(test_without_a_place_to_write),
		cmocka_unit_test(test_long_context_keeps_the_cause),
		cmocka_unit_test(test_errno_becomes_a_code),
		cmocka_unit_test(test_slugs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
