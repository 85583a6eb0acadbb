#include "api/edit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One field of the body, null or there. */
static const struct json *field(const struct json *body, const char *key, bool *ret_null)
{
	const struct json *node = json_get(body, key);
	*ret_null = node && json_type(node) == JSON_NULL;
	return node;
}

static int take_name(struct edit *e, const struct job *now, const struct json *body, struct err *err)
{
	(void)now;
	bool null;
	const char *name = "";
	if (!field(body, "name", &null))
		return OK;
	int code = null ? OK : json_take_string(body, "name", "#/name", JOB_NAME_MAX, &name, err);
	if (!code && !null)
		code = spec_check_name(name, err);
	if (code)
		return code;
	e->has_name = true;
	snprintf(e->name, sizeof e->name, "%s", name);
	return OK;
}

static int take_priority(struct edit *e, const struct job *now, const struct json *body, struct err *err)
{
	(void)now;
	bool null;
	int64_t priority = 0;
	if (!field(body, "priority", &null))
		return OK;
	int code =
		null ? OK
			 : json_take_int(body, "priority", "#/priority", -SPEC_PRIORITY_MAX, SPEC_PRIORITY_MAX, &priority, err);
	e->has_priority = !code;
	e->priority = (int)priority;
	return code;
}

/* RFC 7396, section 2. target: NULL where there is none. */
static void write_merged(struct jsonw *w, const struct json *target, const struct json *patch)
{
	if (json_type(patch) != JSON_OBJECT) {
		jw_node(w, patch);
		return;
	}
	bool merges = target && json_type(target) == JSON_OBJECT;
	jw_object(w);
	for (const struct json *m = merges ? json_first(target) : NULL; m; m = json_next(m)) {
		const struct json *p = json_get(patch, json_key(m));
		if (p && json_type(p) == JSON_NULL)
			continue;
		jw_key(w, json_key(m));
		if (p)
			write_merged(w, m, p);
		else
			jw_node(w, m);
	}
	for (const struct json *p = json_first(patch); p; p = json_next(p)) {
		if (json_type(p) == JSON_NULL || (merges && json_get(target, json_key(p))))
			continue;
		jw_key(w, json_key(p));
		write_merged(w, NULL, p);
	}
	jw_end_object(w);
}

static int merge_metadata(struct edit *e, const char *now, const struct json *patch, struct err *err)
{
	struct json *target = NULL;
	struct buf text = BUF_INIT;
	struct jsonw w;
	int code = now ? json_parse(&target, now, strlen(now), err) : OK;
	if (code)
		return code;
	jw_init(&w, &text, false);
	write_merged(&w, target, patch);
	json_free(target);
	if (text.len > SPEC_METADATA_MAX) {
		code = err_field(err, ERR_INVALID, "#/metadata", "must have at most %d bytes of JSON, this would be %zu",
			SPEC_METADATA_MAX, text.len);
		buf_free(&text);
		return code;
	}
	e->metadata = buf_take(&text, NULL);
	return e->metadata ? OK : err_set(err, ERR_NO_MEMORY, "no memory for the metadata of a job");
}

static int take_metadata(struct edit *e, const struct job *now, const struct json *body, struct err *err)
{
	bool null;
	const struct json *node = field(body, "metadata", &null);
	if (!node)
		return OK;
	if (!null && json_type(node) != JSON_OBJECT)
		return json_fail_type(node, "#/metadata", "an object, or null", err);
	e->has_metadata = true;
	if (!null)
		return merge_metadata(e, now->metadata, node, err);
	e->metadata = strdup("{}");
	return e->metadata ? OK : err_set(err, ERR_NO_MEMORY, "no memory for the metadata of a job");
}

/* --- params --- */

static int fail_fixed(const struct family *f, const struct param *fixed, struct err *err)
{
	char pointer[96];
	struct buf names = BUF_INIT;
	for (const struct param *row = f->params; row->name; row++)
		if (row->live != PARAM_FIXED)
			buf_printf(&names, "%s%s", names.len ? ", " : "", row->name);
	snprintf(pointer, sizeof pointer, "#/params/%s", fixed->name);
	int code = err_field(err, ERR_INVALID, pointer, "is fixed once a job is submitted; what may change: %s",
		names.len ? names.data : "nothing");
	buf_free(&names);
	return code;
}

static int check_live(const struct family *f, const struct json *patch, struct err *err)
{
	for (const struct json *m = json_first(patch); m; m = json_next(m)) {
		const struct param *row = param_find(f->params, json_key(m));
		if (row && row->live == PARAM_FIXED)
			return fail_fixed(f, row, err);
	}
	return OK;
}

static int check_epochs(
	const struct job *now, const struct train_params *before, const struct train_params *after, struct err *err)
{
	if (after->epochs == before->epochs || after->epochs > now->epoch)
		return OK;
	return err_field(err, ERR_INVALID, "#/params/epochs", "must be at least %d, as epoch %d has begun; got %lld",
		now->epoch + 1, now->epoch + 1, (long long)after->epochs);
}

/* Texts of what changes and of the whole; nothing where the values are those in force. */
static int print_params(struct edit *e, const struct job *now, const struct family *f, const void *before,
	const void *after, struct err *err)
{
	struct buf changes = BUF_INIT, all = BUF_INIT;
	struct jsonw w;
	bool any = false;
	jw_init(&w, &changes, false);
	jw_object(&w);
	for (const struct param *row = f->params; row->name; row++)
		if (row->live != PARAM_FIXED && param_number(row, before) != param_number(row, after)) {
			jw_key(&w, row->name);
			spec_param_write(&w, row, after);
			any = true;
		}
	jw_end_object(&w);
	jw_init(&w, &all, false);
	spec_params_write(&w, f, after);
	bool failed = changes.failed || all.failed;
	if (any && !failed) {
		e->params = buf_take(&changes, NULL);
		e->merged = buf_take(&all, NULL);
		e->epochs = family_trains(f) ? ((const struct train_params *)after)->epochs : now->epochs;
	}
	buf_free(&changes);
	buf_free(&all);
	return failed ? err_set(err, ERR_NO_MEMORY, "no memory for the parameters of a job") : OK;
}

static int take_params(struct edit *e, const struct job *now, const struct json *body, struct err *err)
{
	const struct json *patch = json_get(body, "params");
	const struct family *f = family_find(now->kind);
	void *before = NULL, *after = NULL;
	if (!patch)
		return OK;
	if (json_type(patch) != JSON_OBJECT)
		return json_fail_type(patch, "#/params", "an object", err);
	if (!f || job_terminal(now->status))
		return err_set(
			err, ERR_CONFLICT, "%s has %s: its parameters stay what they were", now->id, job_status_name(now->status));
	int code = check_live(f, patch, err);
	if (!code)
		code = spec_params_parse(f, now->params, &before, err);
	if (!code)
		code = spec_params_parse(f, now->params, &after, err);
	if (!code)
		code = spec_params_read(f, patch, after, err, NULL);
	if (!code && family_trains(f))
		code = check_epochs(now, before, after, err);
	if (!code)
		code = print_params(e, now, f, before, after, err);
	free(before);
	free(after);
	return code;
}

int edit_parse(struct edit *ret, const struct job *now, const struct json *body, struct err *err, struct err_more *more)
{
	static const char *const fields[] = {"name", "priority", "metadata", "params", NULL};
	static int (*const steps[])(struct edit * e, const struct job *now, const struct json *body, struct err *err) = {
		take_name, take_priority, take_metadata, take_params};
	struct edit e = {0};
	if (json_type(body) != JSON_OBJECT)
		return json_fail_type(body, "#", "an object such as {\"params\":{\"lr\":0.001}}", err);
	int code = json_only(body, fields, "#", err, more);
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		struct err one = {0};
		if (steps[i](&e, now, body, &one))
			code = err_add(err, more, code, &one);
	}
	if (code)
		edit_free(&e);
	else
		*ret = e;
	return code;
}

void edit_free(struct edit *e)
{
	free(e->metadata);
	free(e->params);
	free(e->merged);
	*e = (struct edit){0};
}

void edit_describe(struct buf *b, const struct family *f, const void *before, const void *after)
{
	bool first = true;
	for (const struct param *row = f->params; row->name; row++)
		if (row->live != PARAM_FIXED && param_number(row, before) != param_number(row, after)) {
			buf_printf(b, "%s%s %.9g → %.9g", first ? "" : ", ", row->name, param_number(row, before),
				param_number(row, after));
			first = false;
		}
}
