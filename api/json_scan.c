#include "api/json_scan.h"

#include "api/json.h"
#include "api/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scan {
	const char *start, *at, *end;
	int depth;
	struct err *err;
};

static int value(struct scan *s);

static int fail(const struct scan *s, const char *what)
{
	int line = 1, column = 1;
	for (const char *c = s->start; c < s->at; c++) {
		if (*c == '\n') {
			line++;
			column = 1;
		} else if ((*c & 0xc0) != 0x80) {
			column++;
		}
	}
	return err_set(s->err, ERR_SYNTAX, "line %d, column %d: %s", line, column, what);
}

static bool next_is(const struct scan *s, char c)
{
	return s->at < s->end && *s->at == c;
}

static bool take(struct scan *s, char c)
{
	if (!next_is(s, c))
		return false;
	s->at++;
	return true;
}

static void blanks(struct scan *s)
{
	while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r'))
		s->at++;
}

/* "expected X, got 'c'", or what ended too early. */
static int expected(const struct scan *s, const char *what)
{
	char text[96];
	if (s->at == s->end)
		snprintf(text, sizeof text, "the text ends where %s should be", what);
	else if (*s->at > ' ' && *s->at < 0x7f)
		snprintf(text, sizeof text, "expected %s, got '%c'", what, *s->at);
	else
		snprintf(text, sizeof text, "expected %s, got byte 0x%02x", what, (unsigned char)*s->at);
	return fail(s, text);
}

static int hex4(struct scan *s, unsigned *ret)
{
	unsigned code = 0;
	for (int i = 0; i < 4; i++, s->at++) {
		static const char digits[] = "0123456789abcdef";
		const char *digit = s->at < s->end && *s->at ? strchr(digits, *s->at | 0x20) : NULL;
		/* or-ing 0x20 makes letters small but also turns control characters into digits: ask again */
		if (!digit || *s->at < '0')
			return expected(s, "four hex digits");
		code = code * 16 + (unsigned)(digit - digits);
	}
	*ret = code;
	return OK;
}

/* After "\u". */
static int unicode_escape(struct scan *s)
{
	unsigned high, low;
	int code = hex4(s, &high);
	if (code)
		return code;
	if (!high)
		return fail(s, "\\u0000 is not supported in a string");
	if (high >= 0xdc00 && high <= 0xdfff)
		return fail(s, "a low surrogate without the high one before it");
	if (high < 0xd800 || high > 0xdbff)
		return OK;
	if (!take(s, '\\') || !take(s, 'u'))
		return fail(s, "a high surrogate without the low one after it");
	code = hex4(s, &low);
	if (!code && (low < 0xdc00 || low > 0xdfff))
		return fail(s, "a high surrogate without the low one after it");
	return code;
}

static int escape(struct scan *s)
{
	if (take(s, 'u'))
		return unicode_escape(s);
	if (s->at == s->end || !*s->at || !strchr("\"\\/bfnrt", *s->at))
		return expected(s, "one of \" \\ / b f n r t u after the backslash");
	s->at++;
	return OK;
}

static int string(struct scan *s)
{
	if (!take(s, '"'))
		return expected(s, "a string");
	while (!take(s, '"')) {
		if (s->at == s->end)
			return fail(s, "the text ends inside a string");
		if ((unsigned char)*s->at < 0x20)
			return fail(s, "a raw control character in a string (write it as \\n, \\t, \\u00…)");
		if (take(s, '\\')) {
			int code = escape(s);
			if (code)
				return code;
			continue;
		}
		size_t length = utf8_length(s->at, (size_t)(s->end - s->at));
		if (!length)
			return fail(s, "bytes that are not UTF-8");
		s->at += length;
	}
	return OK;
}

static bool digits(struct scan *s)
{
	const char *from = s->at;
	while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
		s->at++;
	return s->at > from;
}

static int number(struct scan *s)
{
	const char *from = s->at;
	take(s, '-');
	if (next_is(s, '0')) {
		s->at++;
		if (s->at < s->end && *s->at >= '0' && *s->at <= '9')
			return fail(s, "a number with a leading zero");
	} else if (!digits(s)) {
		return expected(s, "a digit");
	}
	if (take(s, '.') && !digits(s))
		return expected(s, "a digit after the decimal point");
	if (take(s, 'e') || take(s, 'E')) {
		if (!take(s, '+'))
			take(s, '-');
		if (!digits(s))
			return expected(s, "a digit in the exponent");
	}
	/* the text ends with a NUL, so strtod stops in time */
	return isfinite(strtod(from, NULL)) ? OK : fail(s, "a number too large for a double");
}

static int literal(struct scan *s, const char *word)
{
	for (const char *c = word; *c; c++)
		if (!take(s, *c))
			return expected(s, "a value (an object, array, string, number, true, false or null)");
	return OK;
}

/* `close` after a list of members, each read by `member`. */
static int container(struct scan *s, char close, int (*member)(struct scan *s))
{
	s->at++;
	if (++s->depth > JSON_DEPTH_MAX)
		return fail(s, "nested too deeply (32 levels at most)");
	blanks(s);
	if (!take(s, close)) {
		do {
			int code = member(s);
			if (code)
				return code;
			blanks(s);
		} while (take(s, ','));
		if (!take(s, close))
			return expected(s, close == '}' ? "',' or '}'" : "',' or ']'");
	}
	s->depth--;
	return OK;
}

static int object_member(struct scan *s)
{
	blanks(s);
	if (!next_is(s, '"'))
		return expected(s, "a field name in double quotes");
	int code = string(s);
	if (code)
		return code;
	blanks(s);
	if (!take(s, ':'))
		return expected(s, "':'");
	return value(s);
}

static int value(struct scan *s)
{
	blanks(s);
	switch (s->at < s->end ? *s->at : '\0') {
	case '{':
		return container(s, '}', object_member);
	case '[':
		return container(s, ']', value);
	case '"':
		return string(s);
	case 't':
		return literal(s, "true");
	case 'f':
		return literal(s, "false");
	case 'n':
		return literal(s, "null");
	default:
		if (s->at < s->end && (*s->at == '-' || (*s->at >= '0' && *s->at <= '9')))
			return number(s);
		return expected(s, "a value (an object, array, string, number, true, false or null)");
	}
}

int json_scan(const char *text, size_t size, struct err *err)
{
	struct scan s = {.start = text, .at = text, .end = text + size, .err = err};
	if (size >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		return fail(&s, "a byte order mark; JSON here is UTF-8 without one");
	int code = value(&s);
	if (code)
		return code;
	blanks(&s);
	return s.at == s.end ? OK : expected(&s, "nothing more after the value");
}
