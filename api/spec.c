#include "api/spec.h"

#include "api/job.h"
#include "api/study.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t seed_max = (INT64_C(1) << 53) - 1; /* what every JSON reader keeps exactly */
static const char default_dataset[] = "fashion-mnist";

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
		"seeds",
		NULL,
	};
	int code = json_only(body, fields, "#", err, more);
	if (code)
		in_params(s->family, err);
	for (int i = 0; i < more->n; i++)
		in_params(s->family, &more->item[i]);
	return code;
}

/* What no single row of a kind can say of its parameters. */
static const struct rule {
	const struct family *family;
	int (*check)(struct spec *s, struct err *err, struct err_more *more);
} rules[] = {{&family_study, study_check}};

static int check_rules(struct spec *s, struct err *err, struct err_more *more)
{
	int code = OK;
	for (size_t i = 0; i < sizeof rules / sizeof *rules && !code; i++)
		if (rules[i].family == s->family)
			code = rules[i].check(s, err, more);
	return code;
}

static int parse_one(struct spec *ret, const struct json *body, struct err *err, struct err_more *more)
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
	if (!code)
		code = check_rules(&s, err, more);
	if (code)
		spec_free(&s);
	else
		*ret = s;
	return code;
}

int spec_parse(struct spec *ret, const struct json *body, struct err *err, struct err_more *more)
{
	struct json *repeats = NULL;
	struct spec s;
	int code = parse_one(&s, body, err, more);
	if (code || !json_get(body, "seeds")) {
		if (!code)
			*ret = s;
		return code;
	}
	if (family_trains(s.family)) {
		spec_free(&s);
		code = study_of_seeds(&repeats, body, err);
		if (!code)
			code = parse_one(ret, repeats, err, more);
		json_free(repeats);
		return code;
	}
	code = study_repeat(&s, json_get(body, "seeds"), err);
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
