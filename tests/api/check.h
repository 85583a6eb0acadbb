/* check.h: what the tests of this floor share: cmocka in its order, and "this text, as JSON". */
#ifndef LATENTD_TESTS_API_CHECK_H
#define LATENTD_TESTS_API_CHECK_H

/* clang-format off: cmocka wants these first, in this order */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include "api/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The tree of `text`, which must be JSON; json_free it. */
static inline struct json *parsed(const char *text)
{
	struct json *root;
	struct err err = {0};
	if (json_parse(&root, text, strlen(text), &err))
		fail_msg("%s: %s", text, err.message);
	return root;
}

/* What a writer left in `b` is JSON; its tree, and the buf is freed. */
static inline struct json *parsed_buf(struct buf *b)
{
	assert_false(b->failed);
	struct json *root = parsed(b->data);
	buf_free(b);
	return root;
}

/* The node at "a/b/0/c" below root, which must be there. */
static inline const struct json *at(const struct json *root, const char *path)
{
	char step[64];
	const struct json *node = root;
	while (node && *path) {
		size_t length = strcspn(path, "/");
		snprintf(step, sizeof step, "%.*s", (int)length, path);
		path += length + (path[length] == '/');
		if (json_type(node) == JSON_OBJECT) {
			node = json_get(node, step);
			continue;
		}
		node = json_first(node);
		for (int i = atoi(step); node && i > 0; i--)
			node = json_next(node);
	}
	if (!node)
		fail_msg("nothing at the path that ends in %s", step);
	return node;
}

static inline const char *text_at(const struct json *root, const char *path)
{
	assert_int_equal(json_type(at(root, path)), JSON_STRING);
	return json_string(at(root, path));
}

static inline double number_at(const struct json *root, const char *path)
{
	assert_int_equal(json_type(at(root, path)), JSON_NUMBER);
	return json_number(at(root, path));
}

#endif
