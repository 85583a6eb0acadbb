#include "api/json.h"
#include "api/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void jw_init(struct jsonw *w, struct buf *b, bool pretty)
{
	*w = (struct jsonw){.b = b, .pretty = pretty, .first = {true}};
}

static void newline(struct jsonw *w)
{
	if (!w->pretty)
		return;
	buf_append(w->b, "\n", 1);
	for (int i = 0; i < w->depth; i++)
		buf_append(w->b, "  ", 2);
}

/* Whatever must stand before the next value or key. */
static void separate(struct jsonw *w)
{
	if (w->after_key) {
		w->after_key = false;
		return;
	}
	if (!w->first[w->depth])
		buf_append(w->b, ",", 1);
	w->first[w->depth] = false;
	if (w->depth)
		newline(w);
}

static void open(struct jsonw *w, char bracket)
{
	separate(w);
	buf_append(w->b, &bracket, 1);
	if (w->depth + 1 >= (int)(sizeof w->first / sizeof *w->first)) {
		/* deeper than any reader here accepts: the document is lost, and the caller sees it */
		w->b->failed = true;
		return;
	}
	w->first[++w->depth] = true;
}

static void close(struct jsonw *w, char bracket)
{
	bool empty = w->first[w->depth];
	if (w->depth)
		w->depth--;
	if (!empty)
		newline(w);
	buf_append(w->b, &bracket, 1);
}

void jw_object(struct jsonw *w)
{
	open(w, '{');
}

void jw_end_object(struct jsonw *w)
{
	close(w, '}');
}

void jw_array(struct jsonw *w)
{
	open(w, '[');
}

void jw_end_array(struct jsonw *w)
{
	close(w, ']');
}

/* NULL if the character needs no escape. */
static const char *short_escape(unsigned char c)
{
	static const char *const escapes[128] = {
		['"'] = "\\\"",
		['\\'] = "\\\\",
		['\b'] = "\\b",
		['\f'] = "\\f",
		['\n'] = "\\n",
		['\r'] = "\\r",
		['\t'] = "\\t",
		['<'] = "\\u003c",
		['>'] = "\\u003e",
		['&'] = "\\u0026",
		[0x7f] = "\\u007f",
	};
	return c < 128 ? escapes[c] : NULL;
}

static void quoted(struct buf *b, const char *text)
{
	size_t left = strlen(text);
	buf_append(b, "\"", 1);
	while (left) {
		unsigned char c = (unsigned char)*text;
		const char *escape = short_escape(c);
		size_t length = utf8_length(text, left);
		if (escape)
			buf_str(b, escape);
		else if (c < 0x20)
			buf_printf(b, "\\u%04x", c);
		else if (length)
			buf_append(b, text, length);
		else
			buf_str(b, "\xef\xbf\xbd");
		text += length ? length : 1;
		left -= length ? length : 1;
	}
	buf_append(b, "\"", 1);
}

void jw_key(struct jsonw *w, const char *key)
{
	separate(w);
	quoted(w->b, key);
	buf_append(w->b, ": ", w->pretty ? 2 : 1);
	w->after_key = true;
}

void jw_string(struct jsonw *w, const char *value)
{
	separate(w);
	if (value)
		quoted(w->b, value);
	else
		buf_str(w->b, "null");
}

void jw_int(struct jsonw *w, int64_t value)
{
	separate(w);
	buf_printf(w->b, "%lld", (long long)value);
}

/* %.9g of a float whose first nine digits are digits/10^k exactly: written with a table, not with printf's big numbers.
 *
 * A float has 24 significant bits and 10^k (k ≤ 12) 28 odd ones, so value * 10^k is exact in a double, and rint rounds
 * the true value to even as printf does. Returns 0 where that argument does not hold. */
static int short_real(char text[32], double value)
{
	static const double power[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12};
	double size = fabs(value);
	if (!(size >= 1e-4 && size < 1e8))
		return 0;
	int k = 12;
	while (size * power[k] >= 1e9)
		k--;
	uint64_t digits = (uint64_t)rint(size * power[k]);
	for (; k > 0 && digits % 10 == 0; k--)
		digits /= 10;
	char reversed[24];
	int n = 0, length = 0;
	for (; digits || n <= k; digits /= 10) {
		if (n == k && k)
			reversed[length++] = '.';
		reversed[length++] = (char)('0' + digits % 10);
		n++;
	}
	int at = 0;
	if (value < 0)
		text[at++] = '-';
	while (length)
		text[at++] = reversed[--length];
	return at;
}

static void real_text(struct buf *b, double value)
{
	char text[32];
	if (!isfinite(value)) {
		buf_append(b, "null", 4);
		return;
	}
	int length = (double)(float)value == value ? short_real(text, value) : 0;
	if (!length)
		length = snprintf(text, sizeof text, "%.9g", value);
	buf_append(b, text, (size_t)length);
}

void jw_real(struct jsonw *w, double value)
{
	separate(w);
	real_text(w->b, value);
}

void jw_number(struct jsonw *w, double value)
{
	char text[32] = "null";
	separate(w);
	for (int precision = 15; isfinite(value) && precision <= 17; precision++) {
		snprintf(text, sizeof text, "%.*g", precision, value);
		if (strtod(text, NULL) == value)
			break;
	}
	if (value == floor(value) && fabs(value) < 1e17)
		snprintf(text, sizeof text, "%.0f", value);
	buf_str(w->b, text);
}

void jw_bool(struct jsonw *w, bool value)
{
	separate(w);
	buf_str(w->b, value ? "true" : "false");
}

void jw_null(struct jsonw *w)
{
	separate(w);
	buf_str(w->b, "null");
}

void jw_reals(struct jsonw *w, const float *values, size_t n)
{
	separate(w);
	buf_append(w->b, "[", 1);
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_append(w->b, ",", 1);
		real_text(w->b, (double)values[i]);
	}
	buf_append(w->b, "]", 1);
}

void jw_node(struct jsonw *w, const struct json *node)
{
	switch (json_type(node)) {
	case JSON_NULL:
		jw_null(w);
		break;
	case JSON_BOOL:
		jw_bool(w, json_bool(node));
		break;
	case JSON_NUMBER:
		jw_number(w, json_number(node));
		break;
	case JSON_STRING:
		jw_string(w, json_string(node));
		break;
	case JSON_ARRAY:
		jw_array(w);
		for (const struct json *child = json_first(node); child; child = json_next(child))
			jw_node(w, child);
		jw_end_array(w);
		break;
	case JSON_OBJECT:
		jw_object(w);
		for (const struct json *child = json_first(node); child; child = json_next(child)) {
			jw_key(w, json_key(child));
			jw_node(w, child);
		}
		jw_end_object(w);
		break;
	}
}

void json_print(struct buf *b, const struct json *node)
{
	struct jsonw w;
	jw_init(&w, b, false);
	jw_node(&w, node);
}

void jw_raw(struct jsonw *w, const char *json)
{
	struct json *root;
	if (json && w->pretty) {
		if (json_parse(&root, json, strlen(json), NULL)) {
			w->b->failed = true; /* it is JSON of ours: there was no memory to read it */
			return;
		}
		jw_node(w, root);
		json_free(root);
		return;
	}
	separate(w);
	buf_str(w->b, json ? json : "null");
}

void jw_end_document(struct jsonw *w)
{
	buf_append(w->b, "\n", 1);
}

void jw_kstring(struct jsonw *w, const char *key, const char *value)
{
	jw_key(w, key);
	jw_string(w, value);
}

void jw_kbuf(struct jsonw *w, const char *key, const struct buf *text)
{
	w->b->failed |= text->failed;
	jw_kstring(w, key, text->failed ? NULL : text->data);
}

void jw_kint(struct jsonw *w, const char *key, int64_t value)
{
	jw_key(w, key);
	jw_int(w, value);
}

void jw_kreal(struct jsonw *w, const char *key, double value)
{
	jw_key(w, key);
	jw_real(w, value);
}

void jw_kbool(struct jsonw *w, const char *key, bool value)
{
	jw_key(w, key);
	jw_bool(w, value);
}

void jw_kreals(struct jsonw *w, const char *key, const double *values, size_t n)
{
	jw_key(w, key);
	jw_array(w);
	for (size_t i = 0; i < n; i++)
		jw_real(w, values[i]);
	jw_end_array(w);
}
