/* space_point.c: points of a space ↔ parameters of a job. */
#include "api/space.h"

#include "api/spec.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct param *innermost(const struct space_name *n)
{
	return n->member ? n->member : n->row;
}

void study_space_write(struct jsonw *w, const struct study_space *s, int i, double x)
{
	const struct space_name *n = &s->name[i];
	char choice[48];
	if (isnan(x)) {
		jw_null(w);
	} else if (s->space.dim[i].type != DIM_CATEGORICAL) {
		jw_number(w, x);
	} else if (n->variants) {
		jw_string(w, json_key(n->choice[(int)x]));
	} else if (n->choice[(int)x]) {
		jw_node(w, n->choice[(int)x]);
	} else if (innermost(n)->type == PARAM_BOOL) {
		jw_bool(w, x != 0);
	} else {
		jw_string(w, param_choice(innermost(n), (int)x, choice, sizeof choice) ? choice : NULL);
	}
}

double study_space_value(const struct study_space *s, int i, const struct json *value)
{
	const struct dim *d = &s->space.dim[i];
	double found = NAN;
	struct buf wanted = BUF_INIT;
	if (d->type != DIM_CATEGORICAL)
		return json_type(value) == JSON_NUMBER ? json_number(value) : NAN;
	json_print(&wanted, value);
	for (int k = 0; k < d->choices && isnan(found); k++) {
		struct buf one = BUF_INIT;
		struct jsonw w;
		jw_init(&w, &one, false);
		study_space_write(&w, s, i, k);
		if (!one.failed && !wanted.failed && !strcmp(one.data, wanted.data))
			found = k;
		buf_free(&one);
	}
	buf_free(&wanted);
	return found;
}

/* --- to parameters --- */

/* {"lr":VALUE} or {"prune":{"amount":VALUE}} */
int study_param_read(const struct family *f, const struct param *row, const struct param *member, const char *value,
	void *params, struct err *err)
{
	struct buf text = BUF_INIT;
	struct json *object = NULL;
	buf_printf(&text, "{\"%s\":", row->name);
	if (member)
		buf_printf(&text, "{\"%s\":", member->name);
	buf_printf(&text, "%s%s", value, member ? "}}" : "}");
	int code = text.failed ? err_set(err, ERR_NO_MEMORY, "no memory for a trial")
						   : json_parse(&object, text.data, text.len, err);
	if (!code)
		code = spec_params_read(f, object, params, err, NULL);
	json_free(object);
	buf_free(&text);
	return code;
}

static int set_param(const struct study_space *s, int i, double x, void *params, struct err *err)
{
	const struct space_name *n = &s->name[i];
	struct buf value = BUF_INIT;
	struct jsonw w;
	jw_init(&w, &value, false);
	study_space_write(&w, s, i, x);
	int code = value.failed ? err_set(err, ERR_NO_MEMORY, "no memory for a trial")
							: study_param_read(s->family, n->row, n->member, value.data, params, err);
	buf_free(&value);
	return code;
}

static int set_variant(const struct study_space *s, int i, double x, void *params, uint64_t *seed, struct err *err)
{
	return study_params_set(s->family, s->name[i].choice[(int)x], "#/params", params, seed, NULL, err);
}

/* The dimension of entry `item` of that list; -1: none. */
static int find_item(const struct study_space *s, const struct param *row, int item)
{
	for (int i = 0; i < s->space.n; i++)
		if (s->name[i].what == SPACE_ITEM && s->name[i].row == row && s->name[i].item == item)
			return i;
	return -1;
}

static int set_list(
	const struct study_space *s, const struct param *row, const double *x, void *params, struct err *err)
{
	const struct param_ints base = *param_ints(row, params);
	double values[PARAM_INTS_MAX];
	int n = 0;
	while (n < PARAM_INTS_MAX) {
		int i = find_item(s, row, n);
		if (i >= 0 && !isnan(x[i]))
			values[n] = s->space.dim[i].type == DIM_CATEGORICAL ? json_number(s->name[i].choice[(int)x[i]]) : x[i];
		else if (n < base.n && (i < 0 || space_active(&s->space, i, x)))
			values[n] = (double)base.v[n];
		else
			break;
		n++;
	}
	bool same = base.n == 1 && row->min_items; /* one for all says what many equal ones do */
	for (int k = 0; k < n; k++)
		same = same && values[k] == (double)base.v[0];
	return same ? OK : param_set_ints(row, params, values, n, err);
}

static int apply_one(const struct study_space *s, int i, double x, void *params, uint64_t *seed, struct err *err)
{
	const struct space_name *n = &s->name[i];
	if (isnan(x))
		return OK;
	if (n->what == SPACE_SEED)
		*seed = (uint64_t)(s->space.dim[i].type == DIM_CATEGORICAL ? json_number(n->choice[(int)x]) : x);
	if (n->what == SPACE_HELPER && n->variants)
		return set_variant(s, i, x, params, seed, err);
	return n->what == SPACE_PARAM ? set_param(s, i, x, params, err) : OK;
}

int study_space_apply(const struct study_space *s, const double *x, void *params, uint64_t *seed, struct err *err)
{
	int code = OK;
	for (int i = 0; i < s->space.n && !code; i++)
		code = apply_one(s, i, x[i], params, seed, err);
	for (const struct param *row = s->family->params; row->name && !code; row++) {
		bool any = false;
		for (int i = 0; i < s->space.n; i++)
			any = any || (s->name[i].what == SPACE_ITEM && s->name[i].row == row);
		if (any)
			code = set_list(s, row, x, params, err);
	}
	return code;
}

/* --- values by name --- */

/* An entry that is there, or the one after the last. */
static int set_item(const struct param *row, int item, const struct json *value, void *params, struct err *err)
{
	const struct param_ints *list = param_ints(row, params);
	double values[PARAM_INTS_MAX];
	const int n = item < list->n ? list->n : item + 1;
	if (item > list->n)
		return err_set(err, ERR_INVALID, "comes after the end: the list %s has %d entries", row->name, list->n);
	for (int i = 0; i < list->n; i++)
		values[i] = (double)list->v[i];
	values[item] = json_type(value) == JSON_NUMBER ? json_number(value) : NAN;
	return param_set_ints(row, params, values, n, err);
}

static int set_seed(const struct json *value, uint64_t *seed, struct err *err)
{
	double v = json_type(value) == JSON_NUMBER ? json_number(value) : NAN;
	if (!(v >= 0 && v <= 9007199254740991.0) || v != floor(v))
		return err_set(err, ERR_INVALID, "must be a whole number 0..9007199254740991");
	*seed = (uint64_t)v;
	return OK;
}

static int set_value(const struct family *f, const struct json *value, void *params, uint64_t *seed,
	const struct study_space *space, struct err *err)
{
	const char *name = json_key(value), *dot = strchr(name, '.');
	char head[SPACE_NAME_MAX];
	snprintf(head, sizeof head, "%.*s", dot ? (int)(dot - name) : (int)strlen(name), name);
	const struct param *row = param_find(f->params, head), *member = NULL;
	if (!strcmp(name, "seed"))
		return set_seed(value, seed, err);
	if (row && dot && row->type == PARAM_INTS)
		return set_item(row, atoi(dot + 1), value, params, err);
	if (row && dot && row->type == PARAM_OBJECT)
		member = param_find(row->rows, dot + 1);
	if (row && !dot == !member) {
		struct buf text = BUF_INIT;
		json_print(&text, value);
		int code = text.failed ? err_set(err, ERR_NO_MEMORY, "no memory for a trial")
							   : study_param_read(f, row, member, text.data, params, err);
		buf_free(&text);
		return code;
	}
	if (space && study_space_find(space, name) >= 0) /* a helper */
		return OK;
	const char *near = param_nearest(f->params, head);
	return err_set(err, ERR_INVALID, near ? "unknown parameter; did you mean '%s'?" : "is no parameter of kind %s",
		near ? near : f->name);
}

int study_params_set(const struct family *f, const struct json *values, const char *pointer, void *params,
	uint64_t *seed, const struct study_space *space, struct err *err)
{
	if (json_type(values) != JSON_OBJECT)
		return json_fail_type(values, pointer, "an object of parameters by name", err);
	for (const struct json *v = json_first(values); v; v = json_next(v)) {
		struct err why = {0};
		char at[160];
		int code = set_value(f, v, params, seed, space, &why);
		if (!code)
			continue;
		snprintf(at, sizeof at, "%s", pointer);
		json_pointer_add(at, sizeof at, json_key(v));
		return err_field(err, code, at, "%s", why.message);
	}
	return OK;
}

/* --- back --- */

static bool changes_nothing(const struct study_space *s, int i, int choice, const void *params, uint64_t seed)
{
	const size_t size = s->family->params_size;
	void *copy = malloc(size);
	uint64_t then = seed;
	if (!copy)
		return false;
	memcpy(copy, params, size);
	bool same = !apply_one(s, i, choice, copy, &then, NULL) && then == seed;
	for (const struct param *row = s->family->params; row->name && same; row++)
		same = param_equal(row, params, copy);
	free(copy);
	return same;
}

/* The choice under which nothing would change; of several variants the one that says most. */
static double locate_choice(const struct study_space *s, int i, const void *params, uint64_t seed)
{
	double found = NAN;
	size_t most = 0;
	for (int k = 0; k < s->space.dim[i].choices; k++) {
		const size_t says = s->name[i].variants ? json_count(s->name[i].choice[k]) : 0;
		if ((isnan(found) || says > most) && changes_nothing(s, i, k, params, seed)) {
			found = k;
			most = says;
		}
	}
	return found;
}

static double locate_item(const struct space_name *n, const void *params)
{
	const struct param_ints *list = param_ints(n->row, params);
	if (n->item < list->n)
		return (double)list->v[n->item];
	return list->n == 1 && n->row->min_items ? (double)list->v[0] : NAN; /* one for all */
}

static double locate_number(const struct space_name *n, const void *params, uint64_t seed)
{
	if (n->what == SPACE_SEED)
		return (double)seed;
	if (n->what == SPACE_ITEM)
		return locate_item(n, params);
	if (n->member && !param_is_on(n->row, params))
		return NAN;
	return n->member ? param_number(n->member, (const char *)params + n->row->offset) : param_number(n->row, params);
}

static bool has_value(const struct condition *c, double v)
{
	for (int k = 0; k < c->n; k++)
		if (c->value[k] == v)
			return true;
	return false;
}

/* Whether, were helper i v, those entries of lists would be there on its account that are there. */
static bool explains(const struct study_space *s, int helper, double v, const void *params)
{
	bool any = false, all = true;
	for (int i = helper + 1; i < s->space.n && all; i++) {
		const struct dim *d = &s->space.dim[i];
		const struct space_name *n = &s->name[i];
		for (int c = 0; c < d->nconditions && n->what == SPACE_ITEM && !n->row->min_items; c++)
			if (d->condition[c].of == helper) {
				all = all && has_value(&d->condition[c], v) == (n->item < param_ints(n->row, params)->n);
				any = true;
			}
	}
	return any && all;
}

static double locate_helper(const struct study_space *s, int i, const double *x, const void *params)
{
	enum { MOST = 1000 };
	const struct range r = space_range(&s->space, i, x);
	if (r.type == DIM_FLOAT)
		return NAN;
	double v = r.low;
	for (int k = 0; k < MOST && v <= r.high; k++, v += r.step)
		if (explains(s, i, v, params))
			return v;
	return NAN;
}

static double locate_one(const struct study_space *s, int i, const double *x, const void *params, uint64_t seed)
{
	const struct space_name *n = &s->name[i];
	if (!space_active(&s->space, i, x))
		return NAN;
	if (n->what == SPACE_HELPER && !n->variants)
		return locate_helper(s, i, x, params);
	if (s->space.dim[i].type == DIM_CATEGORICAL && n->what != SPACE_ITEM)
		return locate_choice(s, i, params, seed);
	double v = locate_number(n, params, seed);
	if (s->space.dim[i].type == DIM_CATEGORICAL) {
		for (int k = 0; k < s->space.dim[i].choices; k++)
			if (json_number(n->choice[k]) == v)
				return k;
		return NAN;
	}
	const struct range r = space_range(&s->space, i, x);
	return !isnan(v) && range_contains(&r, v) ? v : NAN;
}

/* What is given by name, if it is a value of the dimension. */
static double given_value(const struct study_space *s, int i, const double *x, const struct json *given)
{
	const struct json *value = given ? json_get(given, s->space.dim[i].name) : NULL;
	if (!value || !space_active(&s->space, i, x))
		return NAN;
	const struct range r = space_range(&s->space, i, x);
	double v = study_space_value(s, i, value);
	return r.type == DIM_CATEGORICAL || range_contains(&r, v) ? v : NAN;
}

void study_space_locate(
	const struct study_space *s, const void *params, uint64_t seed, const struct json *given, double *ret_x)
{
	for (int i = 0; i < s->space.n; i++) {
		ret_x[i] = given_value(s, i, ret_x, given);
		if (isnan(ret_x[i]))
			ret_x[i] = locate_one(s, i, ret_x, params, seed);
	}
}
