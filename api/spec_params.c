/* spec_params.c: parameters as JSON ↔ the struct that a family's rows describe. */
#include "api/spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Tries a JSON value on a row through the setter of the value's own type; a row of another type then says what it
 * wants. */
static int set_value(const struct param *row, const struct json *value, void *params, struct err *err)
{
	switch (json_type(value)) {
	case JSON_NUMBER:
		return param_set_number(row, params, json_number(value), err);
	case JSON_BOOL:
		return param_set_bool(row, params, json_bool(value), err);
	case JSON_STRING:
		return param_set_choice(row, params, json_string(value), err);
	default: /* null, object: of no row's type */
		return row->type == PARAM_BOOL ? param_set_number(row, params, 0, err)
									   : param_set_bool(row, params, false, err);
	}
}

static bool type_fits(const struct param *row, enum json_type type)
{
	static const enum json_type wanted[] = {
		[PARAM_INT] = JSON_NUMBER,
		[PARAM_REAL] = JSON_NUMBER,
		[PARAM_BOOL] = JSON_BOOL,
		[PARAM_ENUM] = JSON_STRING,
		[PARAM_INTS] = JSON_ARRAY,
		[PARAM_OBJECT] = JSON_OBJECT,
		[PARAM_SET] = JSON_ARRAY,
	};
	return wanted[row->type] == type;
}

static int set_list(const struct param *row, const struct json *array, void *params, struct err *err)
{
	double values[PARAM_INTS_MAX] = {0};
	size_t count = json_count(array);
	int n = 0;
	for (const struct json *item = json_first(array); item && n < PARAM_INTS_MAX; item = json_next(item), n++) {
		if (json_type(item) != JSON_NUMBER) {
			char pointer[96], wanted[96];
			snprintf(pointer, sizeof pointer, "#/params/%s/%d", row->name, n);
			snprintf(wanted, sizeof wanted, "a whole number %.15g..%.15g", row->min, row->max);
			return json_fail_type(item, pointer, wanted, err);
		}
		values[n] = json_number(item);
	}
	if (count >= (size_t)row->min_items && count <= PARAM_INTS_MAX)
		return param_set_ints(row, params, values, n, err);
	char pointer[96];
	snprintf(pointer, sizeof pointer, "#/params/%s", row->name);
	return err_field(err, ERR_INVALID, pointer, "must be a list of %d..%d whole numbers, got %zu", row->min_items,
		PARAM_INTS_MAX, count);
}

static int read_rows(const struct family *f, const struct param *rows, const struct json *object, void *params,
	struct err *err, struct err_more *more);

/* A member that does not fit is named within its object. */
static int set_object(const struct family *f, const struct param *row, const struct json *value, void *params,
	struct err *err, struct err_more *more)
{
	struct err_more others = {0};
	struct err first = {0};
	int code = read_rows(f, row->rows, value, param_object(row, params), &first, &others);
	if (!code)
		return param_set_on(row, params, true, err);
	param_nest(row, &first);
	*err = first;
	for (int i = 0; i < others.n; i++) {
		param_nest(row, &others.item[i]);
		err_add(err, more, code, &others.item[i]);
	}
	return code;
}

static int set_choices(const struct param *row, const struct json *array, void *params, struct err *err)
{
	enum { MOST = 32 };
	const char *choices[MOST];
	int n = 0;
	for (const struct json *item = json_first(array); item; item = json_next(item), n++) {
		char pointer[96], wanted[160];
		snprintf(pointer, sizeof pointer, "#/params/%s/%d", row->name, n);
		snprintf(wanted, sizeof wanted, "one of %s", row->choices);
		if (json_type(item) != JSON_STRING)
			return json_fail_type(item, pointer, wanted, err);
		if (n == MOST)
			return err_field(err, ERR_INVALID, pointer, "is one too many: at most %d", MOST);
		choices[n] = json_string(item);
	}
	return param_set_choices(row, params, choices, n, err);
}

static const char *const json_types[] = {
	[JSON_NULL] = "null",
	[JSON_BOOL] = "boolean",
	[JSON_NUMBER] = "number",
	[JSON_STRING] = "string",
	[JSON_ARRAY] = "array",
	[JSON_OBJECT] = "object",
};

/* "object|null" → "an object or null" */
static void list_types(const char *choices, char *text, size_t size)
{
	size_t used = 0;
	*text = '\0';
	for (int t = JSON_NULL; t <= JSON_OBJECT; t++)
		if (strstr(choices, json_types[t]) && used < size)
			used += (size_t)snprintf(
				text + used, size - used, "%s%s", used ? " or " : "", json_type_name((enum json_type)t));
}

/* What it may hold is for whoever knows what it means. */
static int set_json(const struct param *row, const struct json *value, void *params, struct err *err)
{
	char wanted[96], pointer[96];
	struct buf text = BUF_INIT;
	snprintf(pointer, sizeof pointer, "#/params/%s", row->name);
	list_types(row->choices, wanted, sizeof wanted);
	if (!strstr(row->choices, json_types[json_type(value)]))
		return json_fail_type(value, pointer, wanted, err);
	json_print(&text, value);
	int code = text.failed ? err_set(err, ERR_NO_MEMORY, "no memory for the parameters of a job")
						   : param_set_json(row, params, text.data, err);
	buf_free(&text);
	return code;
}

static int set_row(const struct family *f, const struct param *row, const struct json *value, void *params,
	struct err *err, struct err_more *more)
{
	enum json_type type = json_type(value);
	if (row->type == PARAM_JSON)
		return set_json(row, value, params, err);
	if (type == JSON_ARRAY && row->type == PARAM_INTS)
		return set_list(row, value, params, err);
	if (type == JSON_OBJECT && row->type == PARAM_OBJECT)
		return set_object(f, row, value, params, err, more);
	if (type == JSON_NULL && row->type == PARAM_OBJECT)
		return param_set_on(row, params, false, err);
	if (type == JSON_ARRAY && row->type == PARAM_SET)
		return set_choices(row, value, params, err);
	struct err wrong;
	int code = set_value(row, value, params, &wrong);
	if (!code)
		return OK;
	if (type_fits(row, type))
		return err_field(err, code, wrong.pointer, "%s", wrong.message);
	/* "must be X" becomes "must be X, got Y (a string)" */
	const char *wanted = strncmp(wrong.message, "must be ", 8) ? wrong.message : wrong.message + 8;
	return json_fail_type(value, wrong.pointer, wanted, err);
}

static int unknown_param(const struct family *f, const struct param *rows, const char *key, struct err *err)
{
	char pointer[sizeof err->pointer] = "#/params";
	json_pointer_add(pointer, sizeof pointer, key);
	const char *near = param_nearest(rows, key);
	if (near)
		return err_field(err, ERR_INVALID, pointer, "unknown parameter; did you mean '%s'?", near);
	return err_field(err, ERR_INVALID, pointer, "unknown parameter; GET /v1/kinds/%s lists the parameters", f->name);
}

/* All members of a JSON object onto the struct that the rows describe. */
static int read_rows(const struct family *f, const struct param *rows, const struct json *object, void *params,
	struct err *err, struct err_more *more)
{
	int code = OK;
	for (const struct json *member = json_first(object); member; member = json_next(member)) {
		struct err one = {0};
		struct err_more others = {0};
		const struct param *row = param_find(rows, json_key(member));
		if (!(row ? set_row(f, row, member, params, &one, &others) : unknown_param(f, rows, json_key(member), &one)))
			continue;
		code = err_add(err, more, code, &one);
		for (int i = 0; i < others.n; i++)
			err_add(err, more, code, &others.item[i]);
	}
	return code;
}

int spec_params_read(
	const struct family *f, const struct json *object, void *params, struct err *err, struct err_more *more)
{
	if (json_type(object) != JSON_OBJECT)
		return json_fail_type(object, "#/params", "an object", err);
	return read_rows(f, f->params, object, params, err, more);
}

static void write_rows(struct jsonw *w, const struct param *rows, const void *params)
{
	jw_object(w);
	for (const struct param *row = rows; row->name; row++) {
		jw_key(w, row->name);
		spec_param_write(w, row, params);
	}
	jw_end_object(w);
}

void spec_param_write(struct jsonw *w, const struct param *row, const void *params)
{
	char choice[48];
	double number = param_number(row, params);
	const struct param_ints *list = param_ints(row, params);
	switch (row->type) {
	case PARAM_INT:
	case PARAM_REAL:
		jw_number(w, number);
		break;
	case PARAM_BOOL:
		jw_bool(w, number != 0);
		break;
	case PARAM_ENUM:
		jw_string(w, param_choice(row, (int)number, choice, sizeof choice) ? choice : NULL);
		break;
	case PARAM_INTS:
		jw_array(w);
		for (int i = 0; i < list->n; i++)
			jw_int(w, list->v[i]);
		jw_end_array(w);
		break;
	case PARAM_OBJECT:
		if (param_is_on(row, params))
			write_rows(w, row->rows, (const char *)params + row->offset);
		else
			jw_null(w);
		break;
	case PARAM_SET:
		jw_array(w);
		for (int i = 0; param_choice(row, i, choice, sizeof choice); i++)
			if ((unsigned)number >> i & 1)
				jw_string(w, choice);
		jw_end_array(w);
		break;
	case PARAM_JSON:
		jw_raw(w, param_json(row, params));
		break;
	}
}

void spec_params_write(struct jsonw *w, const struct family *f, const void *params)
{
	write_rows(w, f->params, params);
}

int spec_params_parse(const struct family *f, const char *text, void **ret_params, struct err *err)
{
	struct json *object;
	int code = json_parse(&object, text, strlen(text), err);
	if (code)
		return code;
	void *params = family_params(f, f->presets);
	code = params ? spec_params_read(f, object, params, err, NULL)
				  : err_set(err, ERR_NO_MEMORY, "no memory for the parameters of a job");
	json_free(object);
	if (code)
		free(params);
	else
		*ret_params = params;
	return code;
}
