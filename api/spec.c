#include "api/spec.h"

#include "api/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t seed_max = (INT64_C(1) << 53) - 1; /* what every JSON reader keeps exactly */
static const char default_dataset[] = "fashion-mnist";

/* --- params --- */

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

static int set_row(const struct family *f, const struct param *row, const struct json *value, void *params,
	struct err *err, struct err_more *more)
{
	enum json_type type = json_type(value);
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

/* --- the body of POST /v1/jobs --- */

static void list_kinds(struct buf *b)
{
	const struct family *f;
	for (int i = 0; (f = family_at(i)); i++)
		buf_printf(b, "%s%s", i ? ", " : "", f->name);
}

static int take_kind(struct spec *s, const struct json *body, struct err *err)
{
	const char *kind = NULL;
	int code = json_take_string(body, "kind", "#/kind", JOB_WORD - 1, &kind, err);
	if (code)
		return code;
	s->family = kind ? family_find(kind) : NULL;
	if (s->family)
		return OK;
	struct buf kinds = BUF_INIT;
	list_kinds(&kinds);
	code = kind ? err_field(err, ERR_INVALID, "#/kind", "unknown kind '%s'; kinds: %s", kind, kinds.data)
				: err_field(err, ERR_INVALID, "#/kind", "is required; kinds: %s", kinds.data);
	buf_free(&kinds);
	return code;
}

static int take_preset(struct spec *s, const struct json *body, struct err *err, struct err_more *more)
{
	(void)more;
	const struct family *f = s->family;
	const char *name = f->presets->name;
	s->preset = f->presets; /* whatever is wrong with it, the params can be looked at */
	int code = json_take_string(body, "preset", "#/preset", JOB_WORD - 1, &name, err);
	if (code)
		return code;
	const struct preset *found = preset_find(f, name);
	if (found) {
		s->preset = found;
		return OK;
	}
	struct buf names = BUF_INIT;
	for (const struct preset *p = f->presets; p->name; p++)
		buf_printf(&names, "%s%s", p == f->presets ? "" : ", ", p->name);
	code =
		err_field(err, ERR_INVALID, "#/preset", "kind '%s' has no preset '%s'; presets: %s", f->name, name, names.data);
	buf_free(&names);
	return code;
}

/* A name stands where an id may stand ("/v1/models/{m}", "ae-8@best"), so it must not read as anything else. */
int spec_check_name(const char *name, struct err *err)
{
	if (!strncmp(name, "job_", 4))
		return err_field(err, ERR_INVALID, "#/name", "must not begin with job_: ids do");
	const char *end = strrchr(name, '.');
	if (end && !strcmp(end, ".json"))
		return err_field(err, ERR_INVALID, "#/name", "must not end in .json: addresses do");
	if (strpbrk(name, "@/"))
		return err_field(err, ERR_INVALID, "#/name", "must not contain '@' or '/'");
	if (!strcmp(name, "latest") || !strcmp(name, ".") || !strcmp(name, ".."))
		return err_field(err, ERR_INVALID, "#/name", "'%s' is reserved", name);
	return OK;
}

static int take_name(struct spec *s, const struct json *body, struct err *err, struct err_more *more)
{
	(void)more;
	const char *name = NULL;
	int code = json_take_string(body, "name", "#/name", JOB_NAME_MAX, &name, err);
	if (!code && name)
		code = spec_check_name(name, err);
	if (!code && name)
		snprintf(s->name, sizeof s->name, "%s", name);
	return code;
}

static int take_dataset(struct spec *s, const struct json *body, struct err *err, struct err_more *more)
{
	(void)more;
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	const char *name = default_dataset;
	int code = json_take_string(body, "dataset", "#/dataset", DATASET_NAME_MAX, &name, err);
	if (code)
		return code;
	/* it becomes the name of a folder */
	if (name[0] == '.' || name[strspn(name, allowed)])
		return err_field(err, ERR_INVALID, "#/dataset",
			"must be letters, digits, '.', '_' or '-', not beginning with '.'; GET /v1/datasets lists what is here");
	snprintf(s->dataset, sizeof s->dataset, "%s", name);
	s->dataset_given = json_get(body, "dataset");
	return OK;
}

static int set_checkpoint(struct spec *s, const char *which, const char *pointer, struct err *err)
{
	if (!*which || strlen(which) >= sizeof s->from_checkpoint)
		return err_field(err, ERR_INVALID, pointer, "must name a checkpoint: best, last or the number of an epoch");
	strcpy(s->from_checkpoint, which);
	return OK;
}

/* "ae-8", "ae-8@best" */
static int from_text(struct spec *s, const char *text, struct err *err)
{
	const char *at = strrchr(text, '@');
	size_t length = at ? (size_t)(at - text) : strlen(text);
	if (!length || length >= sizeof s->from)
		return err_field(err, ERR_INVALID, "#/from", "must be the id or name of a job, as \"ae-8\" or \"ae-8@best\"");
	memcpy(s->from, text, length);
	s->from[length] = '\0';
	return set_checkpoint(s, at ? at + 1 : "best", "#/from", err);
}

/* "best", or 12 */
int spec_take_checkpoint(struct spec *s, const struct json *object, const char *pointer, struct err *err)
{
	const char *which = "best";
	const struct json *checkpoint = json_get(object, "checkpoint");
	char number[SPEC_CHECKPOINT_SIZE];
	int64_t epoch = 0;
	int code;
	if (checkpoint && json_type(checkpoint) == JSON_NUMBER) {
		code = json_take_int(object, "checkpoint", pointer, 1, 999999, &epoch, err);
		snprintf(number, sizeof number, "%lld", (long long)epoch);
		which = number;
	} else {
		code = json_take_string(object, "checkpoint", pointer, SPEC_CHECKPOINT_SIZE - 1, &which, err);
	}
	return code ? code : set_checkpoint(s, which, pointer, err);
}

/* {"job":"ae-8","checkpoint":"best"} */
static int from_object(struct spec *s, const struct json *object, struct err *err, struct err_more *more)
{
	static const char *const fields[] = {"job", "checkpoint", NULL};
	const char *job = NULL;
	int code = json_only(object, fields, "#/from", err, more);
	if (!code)
		code = json_take_string(object, "job", "#/from/job", JOB_NAME_MAX, &job, err);
	if (!code && !job)
		code = err_field(err, ERR_INVALID, "#/from/job", "is required: the id or name of a job");
	if (code)
		return code;
	snprintf(s->from, sizeof s->from, "%s", job);
	return spec_take_checkpoint(s, object, "#/from/checkpoint", err);
}

static int take_from(struct spec *s, const struct json *body, struct err *err, struct err_more *more)
{
	const struct json *from = json_get(body, "from");
	if (!from || json_type(from) == JSON_NULL)
		return OK;
	if (!family_takes_from(s->family))
		return err_field(err, ERR_INVALID, "#/from", "a job of kind '%s' begins anew; leave it out", s->family->name);
	if (json_type(from) == JSON_STRING)
		return from_text(s, json_string(from), err);
	if (json_type(from) == JSON_OBJECT)
		return from_object(s, from, err, more);
	return json_fail_type(from, "#/from", "a job as \"ae-8@best\" or {\"job\":…,\"checkpoint\":…}", err);
}

static int take_numbers(struct spec *s, const struct json *body, struct err *err, struct err_more *more)
{
	(void)more;
	int64_t seed = 0, priority = 0, retries = 0;
	int code = json_take_int(body, "seed", "#/seed", 0, seed_max, &seed, err);
	if (!code)
		code = json_take_int(body, "priority", "#/priority", -SPEC_PRIORITY_MAX, SPEC_PRIORITY_MAX, &priority, err);
	if (!code)
		code = json_take_int(body, "time_limit_s", "#/time_limit_s", 0, SPEC_TIME_LIMIT_MAX, &s->time_limit_s, err);
	if (!code)
		code = json_take_int(body, "max_retries", "#/max_retries", 0, SPEC_RETRIES_MAX, &retries, err);
	s->max_retries = (int)retries;
	s->seed = (uint64_t)seed;
	s->priority = (int)priority;
	return code;
}

static int take_metadata(struct spec *s, const struct json *body, struct err *err, struct err_more *more)
{
	(void)more;
	const struct json *node = json_get(body, "metadata");
	if (!node)
		return OK;
	if (json_type(node) != JSON_OBJECT)
		return json_fail_type(node, "#/metadata", "an object", err);
	struct buf text = BUF_INIT;
	json_print(&text, node);
	if (text.len > SPEC_METADATA_MAX) {
		int code = err_field(
			err, ERR_INVALID, "#/metadata", "must have at most %d bytes of JSON, got %zu", SPEC_METADATA_MAX, text.len);
		buf_free(&text);
		return code;
	}
	s->metadata = buf_take(&text, NULL);
	return s->metadata ? OK : err_set(err, ERR_NO_MEMORY, "no memory for the metadata of a job");
}

static int take_depends(struct spec *s, const struct json *body, struct err *err, struct err_more *more)
{
	(void)more;
	const struct json *list = json_get(body, "depends_on");
	size_t n = list && json_type(list) == JSON_ARRAY ? json_count(list) : 0;
	if (!list)
		return OK;
	if (json_type(list) != JSON_ARRAY)
		return json_fail_type(list, "#/depends_on", "a list of ids or names of jobs", err);
	if (n > SPEC_DEPENDS_MAX)
		return err_field(err, ERR_INVALID, "#/depends_on", "must name at most %d jobs, got %zu", SPEC_DEPENDS_MAX, n);
	s->depends_on = calloc(n ? n : 1, sizeof *s->depends_on);
	if (!s->depends_on)
		return err_set(err, ERR_NO_MEMORY, "no memory for a job");
	for (const struct json *item = json_first(list); item; item = json_next(item)) {
		const char *name = json_string(item);
		char pointer[40];
		snprintf(pointer, sizeof pointer, "#/depends_on/%d", s->ndepends);
		if (json_type(item) != JSON_STRING)
			return json_fail_type(item, pointer, "the id or name of a job", err);
		if (!*name || strlen(name) >= JOB_NAME_SIZE)
			return err_field(err, ERR_INVALID, pointer, "must be the id or name of a job");
		strcpy(s->depends_on[s->ndepends++], name);
	}
	return OK;
}

typedef int take_fn(struct spec *s, const struct json *body, struct err *err, struct err_more *more);

/* Each is looked at, whatever is wrong with the others. */
static int take_each(take_fn *const *take, size_t n, struct spec *s, const struct json *body, int code, struct err *err,
	struct err_more *more)
{
	for (size_t i = 0; i < n; i++) {
		struct err one = {0};
		struct err_more others = {0};
		if (!take[i](s, body, &one, &others))
			continue;
		code = err_add(err, more, code, &one);
		for (int k = 0; k < others.n; k++)
			err_add(err, more, code, &others.item[k]);
	}
	return code;
}

int spec_take_labels(struct spec *s, const struct json *body, struct err *err, struct err_more *more)
{
	static take_fn *const labels[] = {take_name, take_numbers, take_metadata};
	return take_each(labels, sizeof labels / sizeof *labels, s, body, OK, err, more);
}

static int take_params(struct spec *s, const struct json *body, struct err *err, struct err_more *more)
{
	s->params = family_params(s->family, s->preset);
	if (!s->params)
		return err_set(err, ERR_NO_MEMORY, "no memory for the parameters of a job");
	const struct json *object = json_get(body, "params");
	return object ? spec_params_read(s->family, object, s->params, err, more) : OK;
}

/* The commonest slip: a hyper-parameter beside `kind`. */
static void in_params(const struct family *f, struct err *unknown)
{
	if (param_find(f->params, unknown->pointer + strlen("#/")))
		snprintf(unknown->message, sizeof unknown->message, "unknown field; a parameter belongs inside \"params\"");
}

static int only_known(struct spec *s, const struct json *body, struct err *err, struct err_more *more)
{
	static const char *const fields[] = {
		"kind",
		"preset",
		"name",
		"dataset",
		"seed",
		"priority",
		"time_limit_s",
		"max_retries",
		"params",
		"metadata",
		"from",
		"depends_on",
		NULL,
	};
	int code = json_only(body, fields, "#", err, more);
	if (code)
		in_params(s->family, err);
	for (int i = 0; i < more->n; i++)
		in_params(s->family, &more->item[i]);
	return code;
}

int spec_parse(struct spec *ret, const struct json *body, struct err *err, struct err_more *more)
{
	static take_fn *const fields[] = {only_known, take_preset, take_name, take_dataset, take_numbers, take_metadata,
		take_from, take_depends, take_params};
	struct spec s = {0};
	if (json_type(body) != JSON_OBJECT)
		return json_fail_type(body, "#", "an object such as {\"kind\":\"ae\"}", err);
	/* the kind says what the other fields may be */
	int code = take_kind(&s, body, err);
	if (s.family)
		code = take_each(fields, sizeof fields / sizeof *fields, &s, body, code, err, more);
	if (code)
		spec_free(&s);
	else
		*ret = s;
	return code;
}

void spec_free(struct spec *s)
{
	free(s->metadata);
	free(s->params);
	free(s->depends_on);
	*s = (struct spec){0};
}
