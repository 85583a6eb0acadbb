#include "api/json.h"

#include "core/base/rng.h"
#include "tests/api/check.h"

#include <math.h>

static void expect(struct buf *b, const char *wanted)
{
	assert_false(b->failed);
	assert_string_equal(b->data, wanted);
	buf_free(b);
}

static void write_sample(struct jsonw *w)
{
	jw_object(w);
	jw_kint(w, "i", -9007199254740991);
	jw_kreal(w, "r", 0.1f);
	jw_kbool(w, "b", true);
	jw_kstring(w, "s", NULL);
	jw_key(w, "a");
	jw_array(w);
	jw_int(w, 1);
	jw_array(w);
	jw_end_array(w);
	jw_null(w);
	jw_end_array(w);
	jw_key(w, "raw");
	jw_raw(w, "{\"x\":[1,2]}");
	jw_key(w, "none");
	jw_raw(w, NULL);
	jw_end_object(w);
	jw_end_document(w);
}

static void compact(void **state)
{
	struct buf b = BUF_INIT;
	struct jsonw w;
	(void)state;
	jw_init(&w, &b, false);
	write_sample(&w);
	expect(&b,
		"{\"i\":-9007199254740991,\"r\":0.100000001,\"b\":true,\"s\":null,\"a\":[1,[],null],\"raw\":{\"x\":[1,2]},"
		"\"none\":null}\n");
}

static void pretty(void **state)
{
	struct buf b = BUF_INIT;
	struct jsonw w;
	(void)state;
	jw_init(&w, &b, true);
	write_sample(&w);
	expect(&b, "{\n  \"i\": -9007199254740991,\n  \"r\": 0.100000001,\n  \"b\": true,\n  \"s\": null,\n  \"a\": [\n    "
			   "1,\n    [],\n"
			   "    null\n  ],\n  \"raw\": {\n    \"x\": [\n      1,\n      2\n    ]\n  },\n  \"none\": null\n}\n");
}

static void strings_are_escaped(void **state)
{
	struct buf b = BUF_INIT;
	struct jsonw w;
	(void)state;
	jw_init(&w, &b, false);
	jw_string(&w, "\"\\\b\f\n\r\t\x01\x1f\x7f</script>&\xc3\xa9\xf0\x9f\x98\x80");
	expect(&b, "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\\u003c/script\\u003e\\u0026\xc3\xa9\xf0\x9f\x98\x80\"");
	jw_init(&w, &b, false);
	jw_string(&w, "a\x80"
				  "b\xe2\x82");
	expect(&b, "\"a\xef\xbf\xbd"
			   "b\xef\xbf\xbd\xef\xbf\xbd\"");
}

/* The fast path must print what printf prints, everywhere. */
static void reals_are_printf_s(void **state)
{
	enum { N = 40000 };
	static const float odd[] = {0, -0.f, 1, -1, .5f, .1f, 1e-4f, 9.9999e-5f, 99999999.f, 1e8f, 16777216.f, 123456.789f,
		1e-38f, 1e-45f, 3.4028235e38f, .99999994f, 9.9999999f, 1e7f, 9999999.f, .001f, 100, 1000000};
	(void)state;
	uint32_t words[4];
	for (uint32_t i = 0; i < N; i++) {
		float value;
		rng_words(words, (struct rng){.seed = 7, .stream = RNG_NOISE}, i);
		if (i < sizeof odd / sizeof *odd)
			value = odd[i];
		else if (i % 2)
			memcpy(&value, words, sizeof value); /* any bits */
		else
			value = (float)ldexp((double)words[0], -(int)(words[1] % 60)) * (words[2] & 1 ? 1.f : -1.f);
		char wanted[40];
		if (isfinite(value))
			snprintf(wanted, sizeof wanted, "%.9g", (double)value);
		else
			strcpy(wanted, "null");
		struct buf b = BUF_INIT;
		struct jsonw w;
		jw_init(&w, &b, false);
		jw_real(&w, (double)value);
		expect(&b, wanted);
	}
}

static void doubles_and_exact_numbers(void **state)
{
	static const struct row {
		double value;
		const char *real, *exact;
	} rows[] = {
		{1.0 / 3, "0.333333333", "0.3333333333333333"},
		{.1, "0.1", "0.1"},
		{.1 + .2, "0.3", "0.30000000000000004"},
		{1e-3, "0.001", "0.001"},
		{0.9999999, "0.9999999", "0.9999999"},
		{9007199254740991.0, "9.00719925e+15", "9007199254740991"},
		{1e16, "1e+16", "10000000000000000"},
		{1e300, "1e+300", "1e+300"},
		{-2.5, "-2.5", "-2.5"},
		{(double)NAN, "null", "null"},
		{(double)-INFINITY, "null", "null"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf b = BUF_INIT;
		struct jsonw w;
		jw_init(&w, &b, false);
		jw_real(&w, rows[i].value);
		expect(&b, rows[i].real);
		jw_init(&w, &b, false);
		jw_number(&w, rows[i].value);
		expect(&b, rows[i].exact);
	}
}

static void arrays_of_floats(void **state)
{
	struct buf b = BUF_INIT;
	struct jsonw w;
	const float values[] = {0, .5f, NAN};
	(void)state;
	jw_init(&w, &b, false);
	jw_array(&w);
	jw_reals(&w, values, 3);
	jw_reals(&w, values, 0);
	jw_end_array(&w);
	expect(&b, "[[0,0.5,null],[]]");
}

static void trees_print_as_they_were_read(void **state)
{
	static const char text[] =
		"{\"a\":[1,0.1,1e+300,-0.25],\"b\":{\"\":null},\"c\":\"\xc3\xa9\\n\",\"d\":true,\"seed\":9007199254740991}";
	struct json *root = parsed(text);
	struct buf b = BUF_INIT;
	(void)state;
	json_print(&b, root);
	json_free(root);
	expect(&b, text);
}

/* A stored text may use all the depth the reader allows and still stand inside a list's entry. */
static void deep_texts_fit(void **state)
{
	char deep[2 * JSON_DEPTH_MAX + 1] = "";
	struct buf b = BUF_INIT;
	struct jsonw w;
	(void)state;
	memset(deep, '[', JSON_DEPTH_MAX);
	memset(deep + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
	jw_init(&w, &b, true);
	for (int i = 0; i < 4; i++)
		jw_array(&w);
	jw_raw(&w, deep);
	for (int i = 0; i < 4; i++)
		jw_end_array(&w);
	assert_false(b.failed);
	buf_free(&b);
	jw_init(&w, &b, false);
	for (int i = 0; i < 100; i++)
		jw_array(&w);
	assert_true(b.failed);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compact),
		cmocka_unit_test(pretty),
		cmocka_unit_test(strings_are_escaped),
		cmocka_unit_test(reals_are_printf_s),
		cmocka_unit_test(doubles_and_exact_numbers),
		cmocka_unit_test(arrays_of_floats),
		cmocka_unit_test(trees_print_as_they_were_read),
		cmocka_unit_test(deep_texts_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
