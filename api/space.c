#include "api/space.h"

#include "api/spec.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double whole_max = 9007199254740991.0; /* every whole number up to here is a double */

/* While a space is being read. */
struct reader {
	struct study_space *s;
	const struct json *member[SPACE_DIMS_MAX]; /* in the order in which they refer to each other */
	int n;
	char pointer[160]; /* of the dimension that is being read */
};

struct pointer {
	char text[160];
};

/* Of a field of the dimension that is being read, or of itself. */
static struct pointer at(const struct reader *r, const char *field)
{
	struct pointer p;
	memcpy(p.text, r->pointer, sizeof p.text);
	if (field)
		json_pointer_add(p.text, sizeof p.text, field);
	return p;
}

static int fail_at(const struct reader *r, const char *field, struct err *err, const char *text)
{
	return err_field(err, ERR_INVALID, at(r, field).text, "%s", text);
}

static void point_at(struct reader *r, const char *name)
{
	snprintf(r->pointer, sizeof r->pointer, "#/params/space");
	json_pointer_add(r->pointer, sizeof r->pointer, name);
}

int study_space_find(const struct study_space *s, const char *name)
{
	for (int i = 0; i < s->space.n; i++)
		if (!strcmp(s->space.dim[i].name, name))
			return i;
	return -1;
}

/* --- names --- */

/* "channels.0", "prune.amount", "lr". False: nothing of the kind's. */
static bool resolve(const struct family *f, const char *name, struct space_name *ret)
{
	const char *dot = strchr(name, '.');
	char head[SPACE_NAME_MAX], *end;
	snprintf(head, sizeof head, "%.*s", dot ? (int)(dot - name) : (int)strlen(name), name);
	*ret = (struct space_name){.what = SPACE_PARAM, .row = param_find(f->params, head)};
	if (!ret->row || !dot)
		return ret->row;
	if (ret->row->type == PARAM_OBJECT) {
		ret->member = param_find(ret->row->rows, dot + 1);
		return ret->member;
	}
	ret->what = SPACE_ITEM;
	ret->item = (int)strtol(dot + 1, &end, 10);
	return ret->row->type == PARAM_INTS && dot[1] >= '0' && dot[1] <= '9' && !*end && ret->item < PARAM_INTS_MAX;
}

static const struct param *innermost(const struct space_name *n)
{
	return n->member ? n->member : n->row;
}

/* --- what refers to what --- */

static const struct json *reference(const struct json *bound)
{
	const struct json *of = bound && json_type(bound) == JSON_OBJECT ? json_get(bound, "of") : NULL;
	return of && json_type(of) == JSON_STRING ? of : NULL;
}

/* The member of the space speaks of the dimension `name`. */
static bool refers_to(const struct json *member, const char *name)
{
	if (json_type(member) != JSON_OBJECT)
		return false;
	const struct json *when = json_get(member, "when");
	const struct json *low = reference(json_get(member, "low")), *high = reference(json_get(member, "high"));
	return (low && !strcmp(json_string(low), name)) || (high && !strcmp(json_string(high), name)) ||
		   (when && json_type(when) == JSON_OBJECT && json_get(when, name));
}

static bool is_placed(const struct reader *r, const struct json *member)
{
	for (int i = 0; i < r->n; i++)
		if (r->member[i] == member)
			return true;
	return false;
}

/* All that it refers to, of what there is, comes before. */
static bool is_ready(const struct reader *r, const struct json *member)
{
	for (const struct json *m = json_first(r->s->tree); m; m = json_next(m))
		if (refers_to(member, json_key(m)) && !is_placed(r, m))
			return false;
	return true;
}

/* As they are given, but for those that refer to later ones. */
static int order(struct reader *r, struct err *err)
{
	const struct json *next;
	do {
		next = json_first(r->s->tree);
		while (next && (is_placed(r, next) || !is_ready(r, next)))
			next = json_next(next);
		if (next)
			r->member[r->n++] = next;
	} while (next);
	for (const struct json *m = json_first(r->s->tree); m; m = json_next(m)) {
		point_at(r, json_key(m));
		if (!is_placed(r, m))
			return fail_at(r, NULL, err, "refers, perhaps through others, to itself");
	}
	return OK;
}

static bool is_referred_to(const struct reader *r, const char *name)
{
	for (const struct json *m = json_first(r->s->tree); m; m = json_next(m))
		if (refers_to(m, name))
			return true;
	return false;
}

/* --- numbers --- */

static int take_reference(
	struct reader *r, const struct json *node, const char *key, struct bound *ret, struct err *err)
{
	static const char *const fields[] = {"of", "factor", "offset", NULL};
	char text[200];
	const char *of = NULL;
	double factor = 1, offset = 0;
	const struct pointer pointer = at(r, key);
	int code = json_only(node, fields, pointer.text, err, NULL);
	if (!code)
		code = json_take_string(node, "of", pointer.text, SPACE_NAME_MAX - 1, &of, err);
	if (!code)
		code = json_take_real(node, "factor", pointer.text, -1e300, 1e300, &factor, err);
	if (!code)
		code = json_take_real(node, "offset", pointer.text, -1e300, 1e300, &offset, err);
	if (code)
		return code;
	int i = of ? study_space_find(r->s, of) : -1;
	if (i >= 0 && r->s->space.dim[i].type != DIM_CATEGORICAL) {
		*ret = (struct bound){.of = i, .factor = factor, .offset = offset};
		return OK;
	}
	snprintf(text, sizeof text,
		"must say in 'of' which dimension it follows: one of this space that has low and high%s%.64s%s",
		of ? ", got '" : "", of ? of : "", of ? "'" : "");
	return fail_at(r, key, err, text);
}

struct limits {
	bool whole;
	double min, max;
};

static struct limits limits_of(const struct space_name *n)
{
	if (n->what == SPACE_SEED)
		return (struct limits){true, 0, whole_max};
	if (n->what == SPACE_HELPER)
		return (struct limits){false, -1e300, 1e300};
	const struct param *row = innermost(n);
	return (struct limits){row->type != PARAM_REAL, row->min, row->max};
}

static int check_limits(struct reader *r, const struct limits *l, double v, const char *field, struct err *err)
{
	char text[160];
	if (v >= l->min && v <= l->max && (!l->whole || v == floor(v)))
		return OK;
	snprintf(text, sizeof text, "must be %s%.15g..%.15g, got %.15g", l->whole && v != floor(v) ? "a whole number " : "",
		l->min, l->max, v);
	return fail_at(r, field, err, text);
}

static int take_bound(struct reader *r, const struct json *member, const char *key, const struct limits *l,
	struct bound *ret, struct err *err)
{
	const struct json *node = json_get(member, key);
	if (!node)
		return fail_at(r, key, err, "is required: a number, or {\"of\":\"another\",\"factor\":0.5}");
	if (json_type(node) == JSON_OBJECT)
		return take_reference(r, node, key, ret, err);
	if (json_type(node) != JSON_NUMBER)
		return json_fail_type(node, at(r, key).text, "a number, or {\"of\":\"another\",\"factor\":0.5}", err);
	*ret = BOUND_AT(json_number(node));
	return check_limits(r, l, ret->offset, key, err);
}

static bool is_whole(const struct bound *b)
{
	return b->offset == floor(b->offset) && (b->of < 0 || b->factor == floor(b->factor));
}

static int take_numbers(
	struct reader *r, const struct json *member, struct dim *d, const struct space_name *n, struct err *err)
{
	const struct limits l = limits_of(n);
	if (n->what == SPACE_PARAM && innermost(n)->type != PARAM_INT && innermost(n)->type != PARAM_REAL)
		return fail_at(r, NULL, err, "is no number: it needs values");
	int code = take_bound(r, member, "low", &l, &d->low, err);
	if (!code)
		code = take_bound(r, member, "high", &l, &d->high, err);
	if (!code)
		code = json_take_bool(member, "log", at(r, "log").text, &d->log, err);
	if (!code)
		code = json_take_real(member, "step", at(r, "step").text, 1e-300, 1e300, &d->step, err);
	if (code)
		return code;
	const bool helper = n->what == SPACE_HELPER;
	d->type = l.whole || (helper && is_whole(&d->low) && is_whole(&d->high) && d->step == floor(d->step)) ? DIM_INT
																										  : DIM_FLOAT;
	return OK;
}

/* --- choices --- */

/* Whether the parameter takes the value; the error's pointer is the caller's to set. */
static int try_value(const struct study_space *s, const struct space_name *n, const struct json *value, struct err *err)
{
	const struct limits l = n->what == SPACE_HELPER ? (struct limits){0} : limits_of(n);
	if (n->what == SPACE_HELPER) {
		if (json_type(value) != JSON_OBJECT && json_type(value) != JSON_ARRAY && json_type(value) != JSON_NULL)
			return OK;
		return err_set(err, ERR_INVALID, "must be a number, a text or a flag: a helper sets nothing");
	}
	if (n->what == SPACE_PARAM) {
		void *params = family_params(s->family, s->family->presets);
		struct buf text = BUF_INIT;
		json_print(&text, value);
		int code = !params || text.failed ? err_set(err, ERR_NO_MEMORY, "no memory for a study")
										  : study_param_read(s->family, n->row, n->member, text.data, params, err);
		buf_free(&text);
		free(params);
		return code;
	}
	double v = json_type(value) == JSON_NUMBER ? json_number(value) : NAN;
	if (v >= l.min && v <= l.max && v == floor(v))
		return OK;
	return err_set(err, ERR_INVALID, "must be a whole number %.15g..%.15g", l.min, l.max);
}

static int take_values(struct reader *r, const struct json *values, const char *field, struct dim *d,
	struct space_name *n, struct err *err)
{
	char text[120];
	if (json_type(values) != JSON_ARRAY || !json_count(values) || json_count(values) > SPACE_CHOICES_MAX) {
		snprintf(text, sizeof text, "must be a list of 1..%d values", SPACE_CHOICES_MAX);
		return fail_at(r, field, err, text);
	}
	d->type = DIM_CATEGORICAL;
	for (const struct json *v = json_first(values); v; v = json_next(v)) {
		struct err why = {0};
		int code = try_value(r->s, n, v, &why);
		if (code) {
			char index[16];
			struct pointer pointer = at(r, field);
			snprintf(index, sizeof index, "%d", d->choices);
			json_pointer_add(pointer.text, sizeof pointer.text, index);
			return err_field(err, code, pointer.text, "%s", why.message);
		}
		n->choice[d->choices++] = v;
	}
	return OK;
}

static int take_variants(
	struct reader *r, const struct json *variants, struct dim *d, struct space_name *n, struct err *err)
{
	char text[120];
	if (n->what != SPACE_HELPER)
		return fail_at(r, "variants", err, "are for a name that is no parameter; a parameter has values");
	if (json_type(variants) != JSON_OBJECT || !json_count(variants) || json_count(variants) > SPACE_CHOICES_MAX) {
		snprintf(text, sizeof text, "must be an object of 1..%d named sets of parameters", SPACE_CHOICES_MAX);
		return fail_at(r, "variants", err, text);
	}
	d->type = DIM_CATEGORICAL;
	n->variants = true;
	for (const struct json *v = json_first(variants); v; v = json_next(v)) {
		uint64_t seed = 0;
		void *params = family_params(r->s->family, r->s->family->presets);
		struct pointer pointer = at(r, "variants");
		json_pointer_add(pointer.text, sizeof pointer.text, json_key(v));
		int code = params ? study_params_set(r->s->family, v, pointer.text, params, &seed, NULL, err)
						  : err_set(err, ERR_NO_MEMORY, "no memory for a study");
		free(params);
		if (code)
			return code;
		n->choice[d->choices++] = v;
	}
	return OK;
}

/* All choices of an enum, both of a flag: parsed text of their own that lives in the tree cannot be, so numbers stand for them. */
static int take_all_choices(struct reader *r, struct dim *d, const struct space_name *n, struct err *err)
{
	const struct param *row = n->what == SPACE_PARAM ? innermost(n) : NULL;
	char choice[48];
	if (!row || (row->type != PARAM_ENUM && row->type != PARAM_BOOL))
		return fail_at(r, NULL, err, "needs low and high, or values");
	d->type = DIM_CATEGORICAL;
	while (row->type == PARAM_BOOL
			   ? d->choices < 2
			   : d->choices < SPACE_CHOICES_MAX && param_choice(row, d->choices, choice, sizeof choice))
		d->choices++;
	return OK;
}

/* --- conditions --- */

static int take_condition(struct reader *r, const struct json *c, struct dim *d, struct err *err)
{
	struct condition *to = &d->condition[d->nconditions];
	char text[160];
	struct pointer pointer = at(r, "when");
	json_pointer_add(pointer.text, sizeof pointer.text, json_key(c));
	to->of = study_space_find(r->s, json_key(c));
	if (to->of < 0)
		return err_field(err, ERR_INVALID, pointer.text, "must name a dimension of this space");
	const bool list = json_type(c) == JSON_ARRAY;
	for (const struct json *v = list ? json_first(c) : c; v; v = list ? json_next(v) : NULL) {
		double x = study_space_value(r->s, to->of, v);
		if (isnan(x) || to->n == SPACE_CHOICES_MAX) {
			snprintf(text, sizeof text, isnan(x) ? "must be values that %.64s can have" : "must be fewer values",
				json_key(c));
			return err_field(err, ERR_INVALID, pointer.text, "%s", text);
		}
		to->value[to->n++] = x;
	}
	if (!to->n)
		return err_field(err, ERR_INVALID, pointer.text, "must be one value or a list of them");
	d->nconditions++;
	return OK;
}

static int take_when(struct reader *r, const struct json *member, struct dim *d, struct err *err)
{
	const struct json *when = json_get(member, "when");
	char text[80];
	int code = OK;
	if (!when)
		return OK;
	if (json_type(when) != JSON_OBJECT || json_count(when) > SPACE_CONDITIONS_MAX) {
		snprintf(text, sizeof text, "must be an object such as {\"n_conv\":[3,4]} of at most %d names",
			SPACE_CONDITIONS_MAX);
		return fail_at(r, "when", err, text);
	}
	for (const struct json *c = json_first(when); c && !code; c = json_next(c))
		code = take_condition(r, c, d, err);
	return code;
}

/* --- one dimension --- */

static int fail_unknown(const struct reader *r, const char *name, struct err *err)
{
	char text[240], head[SPACE_NAME_MAX];
	const struct family *f = r->s->family;
	const char *dot = strchr(name, '.');
	snprintf(head, sizeof head, "%.*s", dot ? (int)(dot - name) : (int)strlen(name), name);
	const struct param *row = dot ? param_find(f->params, head) : NULL;
	const bool object = row && row->type == PARAM_OBJECT;
	const char *near = object ? param_nearest(row->rows, dot + 1) : param_nearest(f->params, head);
	if (row && row->type == PARAM_INTS)
		snprintf(text, sizeof text, "must be an entry of a list, as '%.60s.0'", head);
	else if (near)
		snprintf(text, sizeof text, "unknown parameter; did you mean '%s%s%s%s'?", object ? head : "",
			object ? "." : "", near, dot && !object ? dot : "");
	else
		snprintf(text, sizeof text,
			"is no parameter of kind %s (GET /v1/kinds/%s lists them), and nothing in the space refers to it", f->name,
			f->name);
	return fail_at(r, NULL, err, text);
}

static int take_name(struct reader *r, const struct json *member, struct space_name *ret, struct err *err)
{
	const char *name = json_key(member);
	char text[80];
	if (!*name || strlen(name) >= SPACE_NAME_MAX) {
		snprintf(text, sizeof text, "must have a name of 1..%d characters", SPACE_NAME_MAX - 1);
		return fail_at(r, NULL, err, text);
	}
	*ret = (struct space_name){.what = SPACE_SEED};
	if (!strcmp(name, "seed") || resolve(r->s->family, name, ret))
		return OK;
	*ret = (struct space_name){.what = SPACE_HELPER};
	bool variants = json_type(member) == JSON_OBJECT && json_get(member, "variants");
	return variants || is_referred_to(r, name) ? OK : fail_unknown(r, name, err);
}

static int take_dim(struct reader *r, const struct json *member, struct err *err)
{
	static const char *const fields[] = {"low", "high", "log", "step", "values", "variants", "when", NULL};
	const int i = r->s->space.n;
	struct dim *d = &r->s->space.dim[i];
	struct space_name *n = &r->s->name[i];
	point_at(r, json_key(member));
	int code = take_name(r, member, n, err);
	if (code)
		return code;
	snprintf(d->name, sizeof d->name, "%s", json_key(member));
	if (json_type(member) == JSON_ARRAY) {
		code = take_values(r, member, NULL, d, n, err);
	} else if (json_type(member) != JSON_OBJECT) {
		return json_fail_type(
			member, r->pointer, "an object such as {\"low\":1,\"high\":16}, or a list of values", err);
	} else {
		const struct json *values = json_get(member, "values"), *variants = json_get(member, "variants");
		code = json_only(member, fields, r->pointer, err, NULL);
		if (!code && (!!values + !!variants + (json_get(member, "low") || json_get(member, "high"))) > 1)
			code = fail_at(r, NULL, err, "must have low and high, or values, or variants: one of these");
		if (!code)
			code = values     ? take_values(r, values, "values", d, n, err)
				   : variants ? take_variants(r, variants, d, n, err)
				   : json_get(member, "low") || json_get(member, "high") || n->what == SPACE_HELPER
					   ? take_numbers(r, member, d, n, err)
					   : take_all_choices(r, d, n, err);
		if (!code)
			code = take_when(r, member, d, err);
	}
	r->s->space.n += !code;
	return code;
}

int study_space_read(struct study_space **ret, const char *text, const struct family *family, struct err *err)
{
	struct study_space *s = calloc(1, sizeof *s);
	struct reader r = {.s = s};
	if (!s)
		return err_set(err, ERR_NO_MEMORY, "no memory for a study");
	s->family = family;
	int code = json_parse(&s->tree, text, strlen(text), err);
	if (!code && json_type(s->tree) != JSON_OBJECT)
		code = json_fail_type(s->tree, "#/params/space", "an object", err);
	if (!code && json_count(s->tree) > SPACE_DIMS_MAX)
		code = err_field(err, ERR_INVALID, "#/params/space", "must have at most %d dimensions, got %zu", SPACE_DIMS_MAX,
			json_count(s->tree));
	if (!code)
		code = order(&r, err);
	for (int i = 0; i < r.n && !code; i++)
		code = take_dim(&r, r.member[i], err);
	if (!code && s->space.n)
		code = space_check(&s->space, err);
	if (code)
		study_space_free(s);
	else
		*ret = s;
	return code;
}

void study_space_free(struct study_space *s)
{
	if (!s)
		return;
	json_free(s->tree);
	free(s);
}
