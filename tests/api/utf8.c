#include "api/utf8.h"

#include "tests/api/check.h"

/* The rule, counted: every code point encodes to one well-formed text, and the borders around it are refused. */
static size_t encode(unsigned char *text, unsigned code)
{
	static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
	size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	for (size_t i = length - 1; i > 0; i--, code >>= 6)
		text[i] = (unsigned char)(0x80 | (code & 0x3f));
	text[0] = (unsigned char)(code | lead[length]);
	return length;
}

static void every_code_point(void **state)
{
	(void)state;
	for (unsigned code = 0; code <= 0x110000; code++) {
		unsigned char text[4];
		size_t length = encode(text, code);
		bool legal = code < 0x110000 && (code < 0xd800 || code > 0xdfff);
		assert_int_equal(utf8_length((char *)text, 4), legal ? length : 0);
		assert_int_equal(utf8_length((char *)text, length - 1), 0);
	}
}

static void broken_forms(void **state)
{
	static const char *const texts[] = {
		"\x80\x80\x80",
		"\xbf\x80\x80",
		"\xc0\x80\x80",
		"\xc1\xbf\x80",
		"\xc3\x41\x80",
		"\xe0\x9f\xbf",
		"\xe2\x82\x41",
		"\xe2\xc2\x82",
		"\xed\xa0\x80",
		"\xf0\x8f\xbf\xbf",
		"\xf1\x80\x80\xc0",
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"\xff\xbf\xbf\xbf",
	};
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_int_equal(utf8_length(texts[i], strlen(texts[i])), 0);
}

static void shows_one_line(void **state)
{
	char text[8] = "a";
	(void)state;
	utf8_show(text, sizeof text, "b\nc\x7f");
	assert_string_equal(text, "ab?c?");
	utf8_show(text, sizeof text, "\xe2\x82\xac"); /* three bytes, two are left */
	assert_string_equal(text, "ab?c?");
	utf8_show(text, sizeof text, "\xc3\xa9");
	assert_string_equal(text, "ab?c?\xc3\xa9");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_point),
		cmocka_unit_test(broken_forms),
		cmocka_unit_test(shows_one_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
