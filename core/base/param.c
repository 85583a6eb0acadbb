#include "core/base/param.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct param *param_find(const struct param *table, const char *name)
{
	for (const struct param *row = table; row->name; row++)
		if (!strcmp(row->name, name))
			return row;
	return NULL;
}

/* Levenshtein distance, for short names only (longer ones count as far away). */
static int distance(const char *a, const char *b)
{
	enum { MAX = 48 };
	size_t na = strlen(a), nb = strlen(b);
	if (na > MAX || nb > MAX)
		return MAX;
	int row[MAX + 1];
	for (size_t j = 0; j <= nb; j++)
		row[j] = (int)j;
	for (size_t i = 1; i <= na; i++) {
		int diagonal = row[0];
		row[0] = (int)i;
		for (size_t j = 1; j <= nb; j++) {
			int replace = diagonal + (a[i - 1] != b[j - 1]);
			int shift = 1 + (row[j] < row[j - 1] ? row[j] : row[j - 1]);
			diagonal = row[j];
			row[j] = replace < shift ? replace : shift;
		}
	}
	return row[nb];
}

const char *param_nearest(const struct param *table, const char *name)
{
	const char *best = NULL;
	int best_distance = 4;
	for (const struct param *row = table; row->name; row++) {
		int d = distance(row->name, name);
		size_t longer = strlen(strlen(row->name) > strlen(name) ? row->name : name);
		/* of a short word, three edits leave nothing: 'loss' is not 'lr' */
		if (d < best_distance && (size_t)d * 2 <= longer) {
			best = row->name;
			best_distance = d;
		}
	}
	return best;
}

static void *field(const struct param *row, void *object)
{
	return (char *)object + row->offset;
}

static int fail(const struct param *row, struct err *err, const char *text)
{
	char pointer[80];
	snprintf(pointer, sizeof pointer, "#/params/%s", row->name);
	return err_field(err, ERR_INVALID, pointer, "%s", text);
}

struct number {
	char text[32];
};

/* In as few digits as read back the same: 0.1, 9007199254740991. */
static struct number print_number(double value)
{
	struct number n;
	snprintf(n.text, sizeof n.text, "%.15g", value);
	if (strtod(n.text, NULL) != value)
		snprintf(n.text, sizeof n.text, "%.17g", value);
	return n;
}

/* Said only to whom it helps: 0 is a whole number, 1.5 is none. */
static const char *wanted_whole(bool whole, double got)
{
	return whole && got != floor(got) ? "a whole number " : "";
}

/* "must be 1..512, got 0" */
static int fail_bounds(const struct param *row, struct err *err, double got)
{
	char text[160];
	snprintf(text, sizeof text, "must be %s%s..%s, got %s", wanted_whole(row->type != PARAM_REAL, got),
		print_number(row->min).text, print_number(row->max).text, print_number(got).text);
	return fail(row, err, text);
}

static bool in_bounds(const struct param *row, double value, bool whole)
{
	return isfinite(value) && value >= row->min && value <= row->max && (!whole || value == floor(value));
}

static int fail_type(const struct param *row, struct err *err)
{
	char text[200];
	if (row->type == PARAM_ENUM)
		snprintf(text, sizeof text, "must be one of %s", row->choices);
	else if (row->type == PARAM_BOOL)
		snprintf(text, sizeof text, "must be true or false");
	else if (row->type == PARAM_OBJECT)
		snprintf(text, sizeof text, "must be an object, or null to switch it off");
	else if (row->type == PARAM_SET)
		snprintf(text, sizeof text, "must be a list of any of %s", row->choices);
	else if (row->type == PARAM_INTS)
		snprintf(text, sizeof text, "must be a list of %d..%d whole numbers", row->min_items, PARAM_INTS_MAX);
	else if (row->type == PARAM_JSON)
		snprintf(text, sizeof text, "must be one of these types: %s", row->choices);
	else
		snprintf(text, sizeof text, "must be a %snumber %s..%s", row->type == PARAM_INT ? "whole " : "",
			print_number(row->min).text, print_number(row->max).text);
	return fail(row, err, text);
}

int param_set_number(const struct param *row, void *object, double value, struct err *err)
{
	if (row->type != PARAM_INT && row->type != PARAM_REAL)
		return fail_type(row, err);
	if (!in_bounds(row, value, row->type == PARAM_INT))
		return fail_bounds(row, err, value);
	if (row->type == PARAM_INT)
		*(int64_t *)field(row, object) = (int64_t)value;
	else
		*(double *)field(row, object) = value;
	return OK;
}

int param_set_bool(const struct param *row, void *object, bool value, struct err *err)
{
	if (row->type != PARAM_BOOL)
		return fail_type(row, err);
	*(bool *)field(row, object) = value;
	return OK;
}

bool param_choice(const struct param *row, int i, char *text, size_t size)
{
	const char *start = row->choices;
	for (; i > 0 && start; i--) {
		start = strchr(start, '|');
		start = start ? start + 1 : NULL;
	}
	if (!start)
		return false;
	snprintf(text, size, "%.*s", (int)strcspn(start, "|"), start);
	return true;
}

/* Its index, or -1. */
static int choice_index(const struct param *row, const char *choice)
{
	char text[48];
	for (int i = 0; param_choice(row, i, text, sizeof text); i++)
		if (!strcmp(text, choice))
			return i;
	return -1;
}

int param_set_choice(const struct param *row, void *object, const char *choice, struct err *err)
{
	if (row->type != PARAM_ENUM)
		return fail_type(row, err);
	int i = choice_index(row, choice);
	if (i >= 0) {
		*(int *)field(row, object) = i;
		return OK;
	}
	char message[240];
	snprintf(message, sizeof message, "must be one of %s, got '%.60s'", row->choices, choice);
	return fail(row, err, message);
}

int param_set_choices(const struct param *row, void *object, const char *const *choices, int n, struct err *err)
{
	if (row->type != PARAM_SET)
		return fail_type(row, err);
	unsigned bits = 0;
	for (int i = 0; i < n; i++) {
		int at = choice_index(row, choices[i]);
		if (at < 0) {
			char pointer[96];
			snprintf(pointer, sizeof pointer, "#/params/%s/%d", row->name, i);
			return err_field(err, ERR_INVALID, pointer, "must be one of %s, got '%.60s'", row->choices, choices[i]);
		}
		bits |= 1U << at;
	}
	*(unsigned *)field(row, object) = bits;
	return OK;
}

int param_set_ints(const struct param *row, void *object, const double *values, int n, struct err *err)
{
	if (row->type != PARAM_INTS || n < row->min_items || n > PARAM_INTS_MAX)
		return fail_type(row, err);
	struct param_ints list = {.n = n};
	for (int i = 0; i < n; i++) {
		if (!in_bounds(row, values[i], true)) {
			char pointer[96];
			snprintf(pointer, sizeof pointer, "#/params/%s/%d", row->name, i);
			return err_field(err, ERR_INVALID, pointer, "must be %s%s..%s, got %s", wanted_whole(true, values[i]),
				print_number(row->min).text, print_number(row->max).text, print_number(values[i]).text);
		}
		list.v[i] = (int64_t)values[i];
	}
	*(struct param_ints *)field(row, object) = list;
	return OK;
}

int param_set_on(const struct param *row, void *object, bool on, struct err *err)
{
	if (row->type != PARAM_OBJECT)
		return fail_type(row, err);
	*(bool *)field(row, object) = on;
	return OK;
}

int param_set_json(const struct param *row, void *object, const char *text, struct err *err)
{
	char message[120];
	const size_t size = strlen(text) + 1;
	if (row->type != PARAM_JSON)
		return fail_type(row, err);
	if (size > (size_t)row->max) {
		snprintf(message, sizeof message, "must have at most %.0f bytes of JSON, got %zu", row->max - 1, size - 1);
		return fail(row, err, message);
	}
	memcpy(field(row, object), text, size);
	return OK;
}

void *param_object(const struct param *row, void *object)
{
	return row->type == PARAM_OBJECT ? field(row, object) : NULL;
}

bool param_is_on(const struct param *row, const void *object)
{
	return row->type == PARAM_OBJECT && *(const bool *)((const char *)object + row->offset);
}

void param_nest(const struct param *row, struct err *err)
{
	static const char root[] = "#/params";
	char inner[sizeof err->pointer];
	memcpy(inner, err->pointer, sizeof inner);
	const char *member = strncmp(inner, root, sizeof root - 1) ? "" : inner + sizeof root - 1;
	snprintf(err->pointer, sizeof err->pointer, "%s/%s%.*s", root, row->name,
		(int)(sizeof err->pointer - sizeof root - 2), member);
}

static int set_list_text(const struct param *row, void *object, const char *text, struct err *err)
{
	double values[PARAM_INTS_MAX];
	int n = 0;
	if (!strcmp(text, "-"))
		text = "";
	while (*text) {
		char *end;
		if (n == PARAM_INTS_MAX)
			return fail_type(row, err);
		values[n++] = strtod(text, &end);
		if (end == text || (*end && *end != ','))
			return fail_type(row, err);
		text = *end ? end + 1 : end;
	}
	return param_set_ints(row, object, values, n, err);
}

static int set_choices_text(const struct param *row, void *object, const char *text, struct err *err)
{
	enum { MOST = 32 };
	char words[160];
	const char *choices[MOST];
	int n = 0;
	snprintf(words, sizeof words, "%s", strcmp(text, "-") ? text : "");
	for (char *rest = words, *word; n < MOST && (word = strtok_r(rest, ",", &rest));)
		choices[n++] = word;
	return param_set_choices(row, object, choices, n, err);
}

int param_set_text(const struct param *row, void *object, const char *text, struct err *err)
{
	char *end;
	double number;
	switch (row->type) {
	case PARAM_ENUM:
		return param_set_choice(row, object, text, err);
	case PARAM_INTS:
		return set_list_text(row, object, text, err);
	case PARAM_OBJECT:
		if (strcmp(text, "on") && strcmp(text, "null"))
			return fail_type(row, err);
		return param_set_on(row, object, text[0] == 'o', err);
	case PARAM_SET:
		return set_choices_text(row, object, text, err);
	case PARAM_JSON:
		return param_set_json(row, object, text, err);
	case PARAM_BOOL:
		if (strcmp(text, "true") && strcmp(text, "false"))
			return fail_type(row, err);
		return param_set_bool(row, object, text[0] == 't', err);
	default:
		number = strtod(text, &end);
		if (end == text || *end)
			return fail_type(row, err);
		return param_set_number(row, object, number, err);
	}
}

/* name=value, or object.member=value, which switches the object on. */
static int set_named(const struct param *table, void *object, char *name, const char *value, struct err *err)
{
	char *dot = strchr(name, '.');
	if (dot)
		*dot = '\0';
	const struct param *row = param_find(table, name);
	if (!row || (dot && row->type != PARAM_OBJECT))
		return err_set(err, ERR_INVALID, "no parameter '%s'", name);
	if (!dot)
		return param_set_text(row, object, value, err);
	int code = set_named(row->rows, param_object(row, object), dot + 1, value, err);
	if (code)
		param_nest(row, err);
	return code ? code : param_set_on(row, object, true, err);
}

static int set_assignment(const struct param *table, void *object, char *word, struct err *err)
{
	char *equals = strchr(word, '=');
	if (!equals)
		return err_set(err, ERR_SYNTAX, "'%.160s' is not name=value", word);
	*equals = '\0';
	return set_named(table, object, word, equals + 1, err);
}

int param_set_all(const struct param *table, void *object, const char *assignments, struct err *err)
{
	int code = OK;
	while (!code && *(assignments += strspn(assignments, " "))) {
		size_t length = strcspn(assignments, " ");
		char *word = strndup(assignments, length);
		assignments += length;
		code = word ? set_assignment(table, object, word, err) : err_set(err, ERR_NO_MEMORY, "out of memory");
		free(word);
	}
	return code;
}

void param_defaults(const struct param *table, void *object)
{
	struct err err;
	for (const struct param *row = table; row->name; row++) {
		if (row->type == PARAM_OBJECT)
			param_defaults(row->rows, param_object(row, object));
		if (param_set_text(row, object, row->by_default, &err)) {
			/* a table whose own default is out of bounds: every test that builds the table stops here */
			fprintf(stderr, "param %s: default '%s' %s\n", row->name, row->by_default, err.message);
			abort();
		}
	}
}

double param_number(const struct param *row, const void *object)
{
	const char *at = (const char *)object + row->offset;
	switch (row->type) {
	case PARAM_INT:
		return (double)*(const int64_t *)at;
	case PARAM_REAL:
		return *(const double *)at;
	case PARAM_BOOL:
		return *(const bool *)at;
	case PARAM_ENUM:
		return *(const int *)at;
	case PARAM_SET:
		return *(const unsigned *)at;
	default:
		return NAN;
	}
}

const struct param_ints *param_ints(const struct param *row, const void *object)
{
	return row->type == PARAM_INTS ? (const struct param_ints *)((const char *)object + row->offset) : NULL;
}

const char *param_json(const struct param *row, const void *object)
{
	return row->type == PARAM_JSON ? (const char *)object + row->offset : NULL;
}

bool param_equal(const struct param *row, const void *a, const void *b)
{
	const struct param_ints *x = param_ints(row, a), *y = param_ints(row, b);
	if (row->type == PARAM_INTS)
		return x->n == y->n && !memcmp(x->v, y->v, (size_t)x->n * sizeof *x->v);
	if (row->type == PARAM_JSON)
		return !strcmp(param_json(row, a), param_json(row, b));
	if (row->type != PARAM_OBJECT)
		return param_number(row, a) == param_number(row, b);
	if (!param_is_on(row, a) || !param_is_on(row, b))
		return param_is_on(row, a) == param_is_on(row, b);
	bool equal = true;
	for (const struct param *member = row->rows; member->name && equal; member++)
		equal = param_equal(member, (const char *)a + row->offset, (const char *)b + row->offset);
	return equal;
}

enum param_fork param_in_fork(const struct param *row)
{
	if (row->live == PARAM_LIVE_LOSS)
		return PARAM_FORK_LOSS;
	if (row->fork == PARAM_FORK_GROUP)
		return strcmp(row->group, "net") ? PARAM_FORK_FREE : PARAM_FORK_FIXED;
	return row->fork;
}
