/* manual.h: words for the programs that write pages of the manual as Markdown (manual_kinds.c, manual_api.c). Run by make. */
#ifndef LATENTD_DEPLOY_MANUAL_H
#define LATENTD_DEPLOY_MANUAL_H

#include "api/json.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* For each child of a container, and of one that is not there none. */
#define EACH(child, container) \
	(const struct json *child = (container) ? json_first(container) : NULL; child; child = json_next(child))

static inline const char *text_of(const struct json *object, const char *key)
{
	const struct json *node = object ? json_get(object, key) : NULL;
	return node && json_type(node) == JSON_STRING ? json_string(node) : "";
}

/* Plain text that is to stay plain, also in the cell of a table. */
static inline void put_plain(const char *text)
{
	for (; *text; text++) {
		if (strchr("\\`*_[]<>|#~", *text))
			putchar('\\');
		putchar(*text == '\n' ? ' ' : *text);
	}
}

/* Text that is Markdown already, on one line of a table. */
static inline void put_cell(const char *text)
{
	for (; *text; text++) {
		if (*text == '|')
			putchar('\\');
		putchar(*text == '\n' ? ' ' : *text);
	}
}

static inline void put_code(const char *text)
{
	putchar('`');
	put_cell(text);
	putchar('`');
}

/* A value as JSON, as code; a text without its quotes. */
static inline void put_value(const struct json *value)
{
	if (json_type(value) == JSON_STRING) {
		put_code(*json_string(value) ? json_string(value) : "\"\"");
		return;
	}
	struct buf b = BUF_INIT;
	json_print(&b, value);
	char *text = buf_take(&b, NULL);
	put_code(text ? text : "");
	free(text);
}

static inline bool values_equal(const struct json *a, const struct json *b)
{
	struct buf one = BUF_INIT, two = BUF_INIT;
	json_print(&one, a);
	json_print(&two, b);
	char *left = buf_take(&one, NULL), *right = buf_take(&two, NULL);
	bool equal = left && right && !strcmp(left, right);
	free(left);
	free(right);
	return equal;
}

#endif
