#include "api/json.h"

#include "tests/api/check.h"

/* A text with its length, for those that hold a NUL. */
#define TEXT(s)          \
	{                    \
		s, sizeof(s) - 1 \
	}
struct text {
	const char *bytes;
	size_t size;
};

static void accepts(void **state)
{
	static const struct text texts[] = {
		TEXT("null"),
		TEXT("true"),
		TEXT(" false "),
		TEXT("[]"),
		TEXT("{}"),
		TEXT("[[] ]"),
		TEXT("\t\n\r [1 , 2]\n"),
		TEXT("0"),
		TEXT("-0"),
		TEXT("-1"),
		TEXT("1.5"),
		TEXT("1e5"),
		TEXT("1E+5"),
		TEXT("1.5e-5"),
		TEXT("[0e+1]"),
		TEXT("[-0.000000000000000000000000000000000000000000000000000000000000000000000000000001]"),
		TEXT("[0.10000000000000000000000000000000000000000000000000000000000000000000000000000000000000, 2]"),
		TEXT("1e-400"),
		TEXT("9007199254740991"),
		TEXT("\"\""),
		TEXT("\"a\""),
		TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""),
		TEXT("\"\\u0041\""),
		TEXT("\"\\u0001\""),
		TEXT("\"\\uD83D\\uDE00\""),
		TEXT("\"\\ud83d\\ude00\""),
		TEXT("\"\x7f\""),
		TEXT("\"\xc3\xa9\""),
		TEXT("\"\xe2\x82\xac\""),
		TEXT("\"\xf0\x9f\x98\x80\""),
		TEXT("\"\xf4\x8f\xbf\xbf\""),
		TEXT("\"\xed\x9f\xbf\""),
		TEXT("\"\xee\x80\x80\""),
		TEXT("{\"a\":1,\"b\":{\"a\":2}}"),
		TEXT("{\"a\":1,\"A\":2}"),
		TEXT("{\"\":0}"),
		TEXT("{\"a\\u0062\":0}"),
		TEXT("[{\"a\":1},{\"a\":1}]"),
		/* side by side is not deep */
		TEXT("[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]"
			 "]"),
	};
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct json *root;
		struct err err = {0};
		int code = json_parse(&root, texts[i].bytes, texts[i].size, &err);
		if (code)
			fail_msg("refused: %s (%s)", texts[i].bytes, err.message);
		json_free(root);
	}
}

static const struct refused_row {
	struct text text;
	const char *message; /* its beginning */
} refused[] = {
	{TEXT(""), "line 1, column 1: the text ends where a value"},
	{TEXT("  \n "), "line 2, column 2: the text ends"},
	{TEXT("\xef\xbb\xbf{}"), "line 1, column 1: a byte order mark"},
	{TEXT("{} x"), "line 1, column 4: expected nothing more after the value, got 'x'"},
	{TEXT("1 2"), "line 1, column 3: expected nothing more"},
	{TEXT("{}\0"), "line 1, column 3: expected nothing more after the value, got byte 0x00"},
	{TEXT("[\0]"), "line 1, column 2: expected a value"},
	{TEXT("01"), "line 1, column 2: a number with a leading zero"},
	{TEXT("-01"), "line 1, column 3: a number with a leading zero"},
	{TEXT("1."), "line 1, column 3: the text ends where a digit after the decimal point"},
	{TEXT("[1.]"), "line 1, column 4: expected a digit after the decimal point, got ']'"},
	{TEXT(".5"), "line 1, column 1: expected a value"},
	{TEXT("+1"), "line 1, column 1: expected a value"},
	{TEXT("-"), "line 1, column 2: the text ends where a digit"},
	{TEXT("--1"), "line 1, column 2: expected a digit, got '-'"},
	{TEXT("1e"), "line 1, column 3: the text ends where a digit in the exponent"},
	{TEXT("1e+"), "line 1, column 4: the text ends where a digit in the exponent"},
	{TEXT("1e400"), "line 1, column 6: a number too large for a double"},
	{TEXT("-1e400"), "line 1, column 7: a number too large for a double"},
	{TEXT("123123e100000000000000000000000000000000000000000000000000000000000000000000"),
		"line 1, column 77: a number too large for a double"},
	{TEXT("0x10"), "line 1, column 2: expected nothing more"},
	{TEXT("NaN"), "line 1, column 1: expected a value"},
	{TEXT("Infinity"), "line 1, column 1: expected a value"},
	{TEXT("nul"), "line 1, column 4: the text ends where a value"},
	{TEXT("nulL"), "line 1, column 4: expected a value"},
	{TEXT("True"), "line 1, column 1: expected a value"},
	{TEXT("[1,]"), "line 1, column 4: expected a value"},
	{TEXT("[,1]"), "line 1, column 2: expected a value"},
	{TEXT("[1 2]"), "line 1, column 4: expected ',' or ']', got '2'"},
	{TEXT("[1"), "line 1, column 3: the text ends where ',' or ']'"},
	{TEXT("]"), "line 1, column 1: expected a value"},
	{TEXT("[}"), "line 1, column 2: expected a value"},
	{TEXT("{\"a\":1,}"), "line 1, column 8: expected a field name in double quotes, got '}'"},
	{TEXT("{a:1}"), "line 1, column 2: expected a field name in double quotes, got 'a'"},
	{TEXT("{'a':1}"), "line 1, column 2: expected a field name"},
	{TEXT("{1:1}"), "line 1, column 2: expected a field name"},
	{TEXT("{\"a\" 1}"), "line 1, column 6: expected ':', got '1'"},
	{TEXT("{\"a\":}"), "line 1, column 6: expected a value"},
	{TEXT("{\"a\":1 \"b\":2}"), "line 1, column 8: expected ',' or '}'"},
	{TEXT("{\"a\":1"), "line 1, column 7: the text ends where ',' or '}'"},
	{TEXT("{"), "line 1, column 2: the text ends where a field name"},
	{TEXT("/* c */ {}"), "line 1, column 1: expected a value"},
	{TEXT("{}//"), "line 1, column 3: expected nothing more"},
	{TEXT("\"a"), "line 1, column 3: the text ends inside a string"},
	{TEXT("'a'"), "line 1, column 1: expected a value"},
	{TEXT("\"a\nb\""), "line 1, column 3: a raw control character"},
	{TEXT("\"a\0b\""), "line 1, column 3: a raw control character"},
	{TEXT("\"\x1f\""), "line 1, column 2: a raw control character"},
	{TEXT("\"\\x\""), "line 1, column 3: expected one of"},
	{TEXT("\"\\\0\""), "line 1, column 3: expected one of"},
	{TEXT("\"\\u12\""), "line 1, column 6: expected four hex digits, got '\"'"},
	{TEXT("\"\\u12g4\""), "line 1, column 6: expected four hex digits, got 'g'"},
	{TEXT("\"\\u\x10\x10\x10\x10\""), "line 1, column 4: expected four hex digits"},
	{TEXT("\"\\u0000\""), "line 1, column 8: \\u0000 is not supported"},
	{TEXT("\"\\ud800\""), "line 1, column 8: a high surrogate without the low one"},
	{TEXT("\"\\ud800\\u0041\""), "line 1, column 14: a high surrogate without the low one"},
	{TEXT("\"\\ude00\""), "line 1, column 8: a low surrogate without the high one"},
	{TEXT("\"\x80\""), "line 1, column 2: bytes that are not UTF-8"},
	{TEXT("\"\xc0\xaf\""), "line 1, column 2: bytes that are not UTF-8"},
	{TEXT("\"\xc3\""), "line 1, column 2: bytes that are not UTF-8"},
	{TEXT("\"\xe0\x80\xaf\""), "line 1, column 2: bytes that are not UTF-8"},
	{TEXT("\"\xed\xa0\x80\""), "line 1, column 2: bytes that are not UTF-8"},
	{TEXT("\"\xf4\x90\x80\x80\""), "line 1, column 2: bytes that are not UTF-8"},
	{TEXT("\"\xf8\x88\x80\x80\x80\""), "line 1, column 2: bytes that are not UTF-8"},
	{TEXT("\"\xe2\x82"), "line 1, column 2: bytes that are not UTF-8"},
	{TEXT("[\n\"\xe2\x82\xac\xe2\x82\xac\" x]"), "line 2, column 6: expected ',' or ']', got 'x'"},
	{TEXT("\xff\xfe{\0}\0"), "line 1, column 1: expected a value"},
	{TEXT("[\x0b"
		  "1]"),
		"line 1, column 2: expected a value"},
	{TEXT("{\"a\":1,\"a\":2}"), "duplicate field 'a'"},
	{TEXT("{\"a\":1,\"\\u0061\":2}"), "duplicate field 'a'"},
	{TEXT("{\"a\":1,\"b\":2,\"c\":3,\"b\":4}"), "duplicate field 'b'"},
};

static void rejects(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		struct json *root = NULL;
		struct err err = {0};
		if (!json_parse(&root, refused[i].text.bytes, refused[i].text.size, &err))
			fail_msg("accepted: %s", refused[i].text.bytes);
		assert_int_equal(err.code, ERR_SYNTAX);
		assert_null(root);
		if (strncmp(err.message, refused[i].message, strlen(refused[i].message)))
			fail_msg("%s\n  says   %s\n  wanted %s", refused[i].text.bytes, err.message, refused[i].message);
	}
}

static void depth_is_bounded(void **state)
{
	char text[2 * (JSON_DEPTH_MAX + 1) + 1] = "";
	struct json *root;
	struct err err;
	(void)state;
	for (int depth = JSON_DEPTH_MAX; depth <= JSON_DEPTH_MAX + 1; depth++) {
		memset(text, '[', (size_t)depth);
		memset(text + depth, ']', (size_t)depth);
		int code = json_parse(&root, text, 2 * (size_t)depth, &err);
		assert_int_equal(code, depth > JSON_DEPTH_MAX ? ERR_SYNTAX : OK);
		if (!code)
			json_free(root);
	}
	assert_string_equal(err.message, "line 1, column 34: nested too deeply (32 levels at most)");
}

static void duplicate_names_its_place(void **state)
{
	struct json *root;
	struct err err;
	const char *text = "{\"x\":{\"y\":[1]},\"a\":[0,{\"b/c\":{\"~d\":1,\"~d\":2}}]}";
	(void)state;
	assert_int_equal(json_parse(&root, text, strlen(text), &err), ERR_SYNTAX);
	assert_string_equal(err.pointer, "#/a/1/b~1c/~0d");
	assert_string_equal(err.message, "duplicate field '~d'");
}

/* A hundred thousand fields must not take quadratic time (this would be minutes). */
static void many_fields_are_cheap(void **state)
{
	struct buf b = BUF_INIT;
	(void)state;
	buf_str(&b, "{");
	for (int i = 0; i < 100000; i++)
		buf_printf(&b, "%s\"k%d\":0", i ? "," : "", i);
	buf_str(&b, "}");
	struct json *root = parsed_buf(&b);
	assert_int_equal(json_count(root), 100000);
	json_free(root);
}

static void values_survive(void **state)
{
	struct json *root =
		parsed("{\"n\":-1.5e3,\"big\":9007199254740991,\"s\":\"\\u00e9\\uD83D\\uDE00\\n\",\"t\":true,\"z\":null,"
			   "\"a\":[1,[],{}],\"N\":7,"
			   "\"long\":0.1000000000000000055511151231257827021181583404541015625000000000000000000000}");
	(void)state;
	assert_true(number_at(root, "n") == -1500);
	assert_true(number_at(root, "N") == 7);
	assert_true(number_at(root, "big") == 9007199254740991.0);
	assert_true(number_at(root, "long") == 0.1);
	assert_string_equal(text_at(root, "s"), "\xc3\xa9\xf0\x9f\x98\x80\n");
	assert_true(json_bool(at(root, "t")));
	assert_int_equal(json_type(at(root, "z")), JSON_NULL);
	assert_int_equal(json_type(at(root, "a/1")), JSON_ARRAY);
	assert_int_equal(json_type(at(root, "a/2")), JSON_OBJECT);
	assert_int_equal(json_count(at(root, "a")), 3);
	assert_string_equal(json_key(json_first(root)), "n");
	assert_null(json_get(root, "T"));
	json_free(root);
}

static void takes_integers(void **state)
{
	static const struct row {
		const char *text, *message; /* NULL: taken */
	} rows[] = {
		{"{}", NULL},
		{"{\"seed\":1}", NULL},
		{"{\"seed\":1e1}", NULL},
		{"{\"seed\":11}", "must be 1..10, got 11"},
		{"{\"seed\":0}", "must be 1..10, got 0"},
		{"{\"seed\":1.5}", "must be a whole number 1..10, got 1.5"},
		{"{\"seed\":\"8\"}", "must be a whole number 1..10, got \"8\" (a string)"},
		{"{\"seed\":true}", "must be a whole number 1..10, got true (a boolean)"},
		{"{\"seed\":null}", "must be a whole number 1..10, got null"},
		{"{\"seed\":[1]}", "must be a whole number 1..10, got an array"},
		{"{\"seed\":\"0123456789012345678901234567890123456789012345678901234567890\"}",
			"must be a whole number 1..10, got \"0123456789012345678901234567890123456789012345… (a string)"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct json *root = parsed(rows[i].text);
		struct err err = {0};
		int64_t value = -7;
		int code = json_take_int(root, "seed", "#/seed", 1, 10, &value, &err);
		assert_int_equal(code, rows[i].message ? ERR_INVALID : OK);
		assert_string_equal(err.pointer, rows[i].message ? "#/seed" : "");
		assert_string_equal(err.message, rows[i].message ? rows[i].message : "");
		assert_int_equal(value, i == 1 ? 1 : i == 2 ? 10 : -7);
		json_free(root);
	}
}

static void takes_other_types(void **state)
{
	struct json *root =
		parsed("{\"r\":0.25,\"far\":2,\"s\":\"abc\",\"wide\":\"ä€\",\"empty\":\"\",\"bad\":\"a\\nb\",\"del\":\"\\u007f\",\"b\":true}");
	struct err err = {0};
	double real = 0;
	const char *text = NULL;
	bool flag = false;
	(void)state;
	assert_int_equal(json_take_real(root, "r", "#/r", 0, 1, &real, &err), OK);
	assert_true(real == .25);
	assert_int_equal(json_take_real(root, "far", "#/far", 0, 1.5, &real, &err), ERR_INVALID);
	assert_string_equal(err.message, "must be a number 0..1.5, got 2");
	assert_int_equal(json_take_real(root, "s", "#/s", 0, 1, &real, &err), ERR_INVALID);
	assert_int_equal(json_take_string(root, "s", "#/s", 3, &text, &err), OK);
	assert_string_equal(text, "abc");
	assert_int_equal(json_take_string(root, "wide", "#/wide", 2, &text, &err), OK); /* characters, not bytes */
	assert_int_equal(json_take_string(root, "wide", "#/wide", 1, &text, &err), ERR_INVALID);
	assert_int_equal(json_take_string(root, "s", "#/s", 2, &text, &err), ERR_INVALID);
	assert_string_equal(err.message, "must have 1..2 characters, got 3");
	assert_int_equal(json_take_string(root, "empty", "#/empty", 2, &text, &err), ERR_INVALID);
	assert_int_equal(json_take_string(root, "bad", "#/bad", 9, &text, &err), ERR_INVALID);
	assert_int_equal(json_take_string(root, "del", "#/del", 9, &text, &err), ERR_INVALID);
	assert_string_equal(err.message, "must not contain control characters");
	assert_int_equal(json_take_string(root, "r", "#/r", 9, &text, &err), ERR_INVALID);
	assert_string_equal(err.message, "must be a string, got 0.25 (a number)");
	assert_int_equal(json_take_bool(root, "b", "#/b", &flag, &err), OK);
	assert_true(flag);
	assert_int_equal(json_take_bool(root, "r", "#/r", &flag, &err), ERR_INVALID);
	assert_int_equal(json_take_bool(root, "none", "#/none", &flag, &err), OK);
	json_free(root);
}

static void only_known_fields(void **state)
{
	static const char *const allowed[] = {"kind", "latent_dim", NULL};
	struct json *good = parsed("{\"latent_dim\":1,\"kind\":0}"), *near = parsed("{\"kind\":0,\"latnt_dim\":1}"),
				*far = parsed("{\"something/else\":1}");
	struct err err = {0};
	(void)state;
	assert_int_equal(json_only(good, allowed, "#", &err, NULL), OK);
	assert_int_equal(json_only(near, allowed, "#/x", &err, NULL), ERR_INVALID);
	assert_string_equal(err.pointer, "#/x/latnt_dim");
	assert_string_equal(err.message, "unknown field; did you mean 'latent_dim'?");
	assert_int_equal(json_only(far, allowed, "#", &err, NULL), ERR_INVALID);
	assert_string_equal(err.pointer, "#/something~1else");
	assert_string_equal(err.message, "unknown field");
	json_free(good);
	json_free(near);
	json_free(far);
}

static void pointers_are_cut_not_overrun(void **state)
{
	char pointer[12] = "#", key[600];
	(void)state;
	memset(key, '/', sizeof key);
	key[sizeof key - 1] = '\0';
	json_pointer_add(pointer, sizeof pointer, key);
	assert_string_equal(pointer, "#/~1~1~1~1~");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts),
		cmocka_unit_test(rejects),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(duplicate_names_its_place),
		cmocka_unit_test(many_fields_are_cheap),
		cmocka_unit_test(values_survive),
		cmocka_unit_test(takes_integers),
		cmocka_unit_test(takes_other_types),
		cmocka_unit_test(only_known_fields),
		cmocka_unit_test(pointers_are_cut_not_overrun),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
