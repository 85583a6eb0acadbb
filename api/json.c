#include "api/json.h"

#include "api/json_scan.h"
#include "api/utf8.h"
#include "core/base/param.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A struct json is a cJSON node that has passed json_scan. */
static const cJSON *raw(const struct json *node)
{
	return (const cJSON *)node;
}

static const struct json *wrap(const cJSON *node)
{
	return (const struct json *)node;
}

/* --- reading --- */

void json_pointer_add(char *pointer, size_t size, const char *key)
{
	char escaped[2 * sizeof((struct err *)0)->pointer] = "/";
	size_t used = 1;
	for (; *key && used < sizeof escaped - 2; key++) {
		if (*key == '~' || *key == '/')
			escaped[used++] = '~';
		escaped[used++] = (char)(*key == '~' ? '0' : *key == '/' ? '1' : *key);
	}
	escaped[used] = '\0';
	utf8_show(pointer, size, escaped);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A key that `object` has twice; sorted, because a hostile object may have a hundred thousand. */
static int find_duplicate(const cJSON *object, const char **ret_key, struct err *err)
{
	size_t n = json_count(wrap(object)), i = 0;
	*ret_key = NULL;
	if (n < 2)
		return OK;
	const char **keys = malloc(n * sizeof *keys);
	if (!keys)
		return err_set(err, ERR_NO_MEMORY, "no memory for a JSON object of %zu fields", n);
	for (const cJSON *child = object->child; child; child = child->next)
		keys[i++] = child->string;
	qsort(keys, n, sizeof *keys, by_text);
	for (i = 1; i < n && !*ret_key; i++)
		if (!strcmp(keys[i - 1], keys[i]))
			*ret_key = keys[i];
	free(keys);
	return OK;
}

static int fail_duplicate(char *pointer, size_t size, const char *key, struct err *err)
{
	char shown[80] = "";
	json_pointer_add(pointer, size, key);
	utf8_show(shown, sizeof shown, key);
	return err_field(err, ERR_SYNTAX, pointer, "duplicate field '%s'", shown);
}

static int check_keys(const cJSON *node, char *pointer, size_t size, struct err *err)
{
	if (cJSON_IsObject(node)) {
		const char *duplicate;
		int code = find_duplicate(node, &duplicate, err);
		if (code || duplicate)
			return code ? code : fail_duplicate(pointer, size, duplicate, err);
	}
	int index = 0;
	for (const cJSON *child = node->child; child; child = child->next, index++) {
		if (!child->child)
			continue;
		char number[16];
		size_t length = strlen(pointer);
		snprintf(number, sizeof number, "%d", index);
		json_pointer_add(pointer, size, child->string ? child->string : number);
		int code = check_keys(child, pointer, size, err);
		if (code)
			return code;
		pointer[length] = '\0';
	}
	return OK;
}

static int read_tree(cJSON **ret, const char *text, size_t size, struct err *err)
{
	int code = json_scan(text, size, err);
	if (code)
		return code;
	/* the terminating NUL counts: require_null_terminated looks for it inside the buffer */
	cJSON *root = cJSON_ParseWithLengthOpts(text, size + 1, NULL, true);
	if (!root)
		return err_set(err, ERR_NO_MEMORY, "no memory for %zu bytes of JSON", size);
	char pointer[sizeof((struct err *)0)->pointer] = "#";
	code = check_keys(root, pointer, sizeof pointer, err);
	if (code)
		cJSON_Delete(root);
	else
		*ret = root;
	return code;
}

int json_parse(struct json **ret, const char *text, size_t size, struct err *err)
{
	char *copy = malloc(size + 1);
	if (!copy)
		return err_set(err, ERR_NO_MEMORY, "no memory for %zu bytes of JSON", size);
	if (size)
		memcpy(copy, text, size);
	copy[size] = '\0';
	cJSON *root = NULL;
	int code = read_tree(&root, copy, size, err);
	free(copy);
	if (!code)
		*ret = (struct json *)root;
	return code;
}

void json_free(struct json *root)
{
	cJSON_Delete((cJSON *)root);
}

/* --- looking --- */

enum json_type json_type(const struct json *node)
{
	switch (raw(node)->type & 0xff) {
	case cJSON_False:
	case cJSON_True:
		return JSON_BOOL;
	case cJSON_Number:
		return JSON_NUMBER;
	case cJSON_String:
		return JSON_STRING;
	case cJSON_Array:
		return JSON_ARRAY;
	case cJSON_Object:
		return JSON_OBJECT;
	default:
		return JSON_NULL;
	}
}

const char *json_type_name(enum json_type type)
{
	static const char *const names[] = {"null", "a boolean", "a number", "a string", "an array", "an object"};
	return names[type];
}

const struct json *json_get(const struct json *object, const char *key)
{
	return wrap(cJSON_GetObjectItemCaseSensitive(raw(object), key));
}

const struct json *json_first(const struct json *container)
{
	return wrap(raw(container)->child);
}

const struct json *json_next(const struct json *node)
{
	return wrap(raw(node)->next);
}

const char *json_key(const struct json *member)
{
	return raw(member)->string;
}

size_t json_count(const struct json *container)
{
	size_t n = 0;
	for (const cJSON *child = raw(container)->child; child; child = child->next)
		n++;
	return n;
}

double json_number(const struct json *node)
{
	return raw(node)->valuedouble;
}

const char *json_string(const struct json *node)
{
	return raw(node)->valuestring;
}

bool json_bool(const struct json *node)
{
	return cJSON_IsTrue(raw(node));
}

/* --- taking fields --- */

enum { SHOWN_MAX = 48 };

/* The value as people would write it, cut to what fits in a message. */
static void show(char ret[SHOWN_MAX + sizeof "…"], const struct json *node)
{
	struct buf text = BUF_INIT;
	json_print(&text, node);
	ret[0] = '\0';
	utf8_show(ret, SHOWN_MAX, text.data ? text.data : "");
	if (strlen(ret) < text.len)
		strcat(ret, "…");
	buf_free(&text);
}

int json_fail_type(const struct json *got, const char *pointer, const char *wanted, struct err *err)
{
	enum json_type type = json_type(got);
	char shown[SHOWN_MAX + sizeof "…"];
	if (type == JSON_NULL || type == JSON_ARRAY || type == JSON_OBJECT)
		return err_field(err, ERR_INVALID, pointer, "must be %s, got %s", wanted, json_type_name(type));
	show(shown, got);
	return err_field(err, ERR_INVALID, pointer, "must be %s, got %s (%s)", wanted, shown, json_type_name(type));
}

static int fail_value(const struct json *got, const char *pointer, const char *wanted, struct err *err)
{
	char shown[SHOWN_MAX + sizeof "…"];
	show(shown, got);
	return err_field(err, ERR_INVALID, pointer, "must be %s, got %s", wanted, shown);
}

/* The member, or NULL with *ret_code OK (absent) or the error of a wrong type. */
static const struct json *member(const struct json *object, const char *key, enum json_type type, const char *pointer,
	const char *wanted, int *ret_code, struct err *err)
{
	const struct json *node = json_get(object, key);
	*ret_code = OK;
	if (node && json_type(node) != type) {
		*ret_code = json_fail_type(node, pointer, wanted, err);
		return NULL;
	}
	return node;
}

static const char whole[] = "a whole number ";

int json_take_int(const struct json *object, const char *key, const char *pointer, int64_t min, int64_t max,
	int64_t *ret, struct err *err)
{
	char wanted[80];
	int code;
	snprintf(wanted, sizeof wanted, "%s%lld..%lld", whole, (long long)min, (long long)max);
	const struct json *node = member(object, key, JSON_NUMBER, pointer, wanted, &code, err);
	if (!node)
		return code;
	double number = json_number(node);
	if (number != floor(number))
		return fail_value(node, pointer, wanted, err);
	if (number < (double)min || number > (double)max)
		return fail_value(node, pointer, wanted + strlen(whole), err);
	*ret = (int64_t)number;
	return OK;
}

int json_take_real(const struct json *object, const char *key, const char *pointer, double min, double max, double *ret,
	struct err *err)
{
	char wanted[80];
	int code;
	snprintf(wanted, sizeof wanted, "a number %.15g..%.15g", min, max);
	const struct json *node = member(object, key, JSON_NUMBER, pointer, wanted, &code, err);
	if (!node)
		return code;
	double number = json_number(node);
	if (number < min || number > max)
		return fail_value(node, pointer, wanted, err);
	*ret = number;
	return OK;
}

int json_take_string(const struct json *object, const char *key, const char *pointer, size_t max_characters,
	const char **ret, struct err *err)
{
	int code;
	const struct json *node = member(object, key, JSON_STRING, pointer, "a string", &code, err);
	if (!node)
		return code;
	const char *text = json_string(node);
	size_t length = 0;
	for (const char *c = text; *c; c++)
		length += (*c & 0xc0) != 0x80; /* the first byte of a character */
	if (!length || length > max_characters)
		return err_field(err, ERR_INVALID, pointer, "must have 1..%zu characters, got %zu", max_characters, length);
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return err_field(err, ERR_INVALID, pointer, "must not contain control characters");
	*ret = text;
	return OK;
}

int json_take_bool(const struct json *object, const char *key, const char *pointer, bool *ret, struct err *err)
{
	int code;
	const struct json *node = member(object, key, JSON_BOOL, pointer, "true or false", &code, err);
	if (node)
		*ret = json_bool(node);
	return code;
}

static bool listed(const char *const *names, const char *name)
{
	for (; *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

static void unknown_field(
	const char *key, const char *const *allowed, const char *pointer_prefix, struct err *err)
{
	enum { NAMES = 40 };
	/* the rows of a table, so that "did you mean" is one rule everywhere */
	struct param rows[NAMES + 1] = {{0}};
	for (int i = 0; i < NAMES && allowed[i]; i++)
		rows[i].name = allowed[i];
	const char *near = param_nearest(rows, key);
	char pointer[sizeof err->pointer];
	snprintf(pointer, sizeof pointer, "%s", pointer_prefix);
	json_pointer_add(pointer, sizeof pointer, key);
	if (near)
		err_field(err, ERR_INVALID, pointer, "unknown field; did you mean '%s'?", near);
	else
		err_field(err, ERR_INVALID, pointer, "unknown field");
}

int json_only(const struct json *object, const char *const *allowed, const char *pointer_prefix, struct err *err,
	struct err_more *more)
{
	int code = OK;
	for (const struct json *field = json_first(object); field; field = json_next(field)) {
		struct err one = {0};
		if (listed(allowed, json_key(field)))
			continue;
		unknown_field(json_key(field), allowed, pointer_prefix, &one);
		code = err_add(err, more, code, &one);
	}
	return code;
}
