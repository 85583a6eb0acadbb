#include "server/handlers/handlers.h"

#include "api/edit.h"
#include "api/spec.h"
#include "server/handlers/job_reply.h"
#include "server/limits.h"
#include "server/once.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- submit --- */

static int parse_spec(struct call *c, struct spec *ret, struct err *err)
{
	struct json *body;
	if (!c->req.body.len)
		return err_set(err, ERR_SYNTAX, "the body is empty; send a JSON object such as {\"kind\":\"ae\"}");
	int code = call_body_json(c, &body, err);
	if (code)
		return code;
	code = spec_parse(ret, body, err, &c->more);
	json_free(body);
	return code;
}

static int reply_estimate(struct call *c, struct spec *spec, struct err *err)
{
	struct estimate estimate;
	int code = sched_estimate(c->daemon->sched, spec, &estimate, err);
	if (code)
		return code;
	struct jsonw w;
	call_json(c, &w, 200);
	view_estimate(&w, spec, &estimate);
	return call_json_end(c, &w, err);
}

static int submit(struct call *c, struct once *once, struct spec *spec, struct err *err)
{
	struct job job;
	int code = sched_submit(c->daemon->sched, spec, once_key(once), &job, err);
	if (!code)
		conductor_wake(c->daemon->conductor);
	return code ? code : once_reply(once, &job, err);
}

static int parse_and_submit(struct call *c, struct once *once, bool validate_only, struct err *err)
{
	struct spec spec;
	int code = parse_spec(c, &spec, err);
	if (code)
		return code;
	code = validate_only ? reply_estimate(c, &spec, err) : submit(c, once, &spec, err);
	if (code == ERR_DATASET && !*err->pointer)
		snprintf(err->pointer, sizeof err->pointer, "#/dataset");
	spec_free(&spec);
	return code;
}

int h_job_submit(struct call *c, struct err *err)
{
	bool validate_only, answered = false;
	struct once once = {.call = c};
	int code = uri_bool(&c->req.uri, "validate_only", &validate_only, err);
	if (!code && !validate_only)
		code = once_open(&once, c, &answered, err);
	if (code || answered)
		return code;
	code = parse_and_submit(c, &once, validate_only, err);
	once_close(&once);
	return code;
}

/* --- list --- */

static int unknown_status(const char *word, struct err *err)
{
	char names[160] = "";
	for (int s = 0; s < JOB_STATUS_COUNT; s++) {
		size_t used = strlen(names);
		snprintf(names + used, sizeof names - used, "%s%s", s ? ", " : "", job_status_name((enum job_status)s));
	}
	return err_set(err, ERR_INVALID, "status must be one of %s, or several apart by commas; got '%s'", names, word);
}

static int check_statuses(const char *list, struct err *err)
{
	for (const char *at = list; at && *at;) {
		char word[JOB_WORD];
		enum job_status status;
		size_t n = strcspn(at, ",");
		snprintf(word, sizeof word, "%.*s", (int)(n < sizeof word ? n : sizeof word - 1), at);
		if (!job_status_parse(word, &status))
			return unknown_status(word, err);
		at += n + (at[n] == ',');
	}
	return OK;
}

/* "none": jobs that are no study's. */
static int take_study(struct call *c, struct store_filter *f, char id[JOB_ID_SIZE], struct err *err)
{
	struct job job;
	*id = '\0';
	if (strcmp(f->study, "none")) {
		int code = store_get(c->daemon->store, f->study, &job, err);
		if (code)
			return code;
		memcpy(id, job.id, sizeof job.id);
		job_free(&job);
	}
	f->study = id;
	return OK;
}

int h_job_list(struct call *c, struct err *err)
{
	const struct uri *u = &c->req.uri;
	struct store_filter f = {.status = uri_get(u, "status"), .kind = uri_get(u, "kind"), .name = uri_get(u, "name"),
		.dataset = uri_get(u, "dataset"), .after = uri_get(u, "after"), .study = uri_get(u, "study")};
	int64_t limit = 20;
	struct job *jobs;
	int n;
	bool more;
	char study[JOB_ID_SIZE];
	int code = uri_int(u, "limit", 1, LIMIT_LIST, &limit, err);
	if (!code)
		code = uri_order(u, &f.ascending, err);
	if (!code && f.dataset && (f.name || f.study))
		code = err_set(err, ERR_INVALID, "dataset goes with kind and status, not with name or study");
	if (!code && f.study)
		code = take_study(c, &f, study, err);
	if (!code)
		code = check_statuses(f.status, err);
	f.limit = (int)limit;
	if (!code)
		code = store_list(c->daemon->store, &f, &jobs, &n, &more, err);
	if (code)
		return code;
	struct jsonw w;
	for (int i = 0; i < n; i++)
		sched_live(c->daemon->sched, &jobs[i]);
	call_json(c, &w, 200);
	view_job_list(&w, jobs, n, more, c->daemon->config->path_prefix);
	for (int i = 0; i < n; i++)
		job_free(&jobs[i]);
	free(jobs);
	return call_json_end(c, &w, err);
}

/* --- one --- */

int h_job_show(struct call *c, struct err *err)
{
	struct job job;
	int64_t wait_s = 0;
	int code = uri_int(&c->req.uri, "wait_s", 0, LIMIT_WAIT_S, &wait_s, err);
	/* waiting for "latest" waits for the job that was the latest when it began */
	const char *ref = *c->park_job ? c->park_job : c->arg[0];
	if (code || (code = store_get(c->daemon->store, ref, &job, err)))
		return code;
	if (!job_terminal(job.status) && job_park(c, &job, 1000 * wait_s, 0)) {
		job_free(&job);
		return OK;
	}
	return job_reply(c, &job, 200, err);
}

/* --- edit --- */

/* What is told of changes that are no parameters'. */
static void describe(struct buf *b, const struct edit *e, const struct job *job)
{
	const char *apart = "";
	if (e->has_name && strcmp(e->name, job->name)) {
		buf_printf(b, "name '%s' → '%s'", job->name, e->name);
		apart = ", ";
	}
	if (e->has_priority && e->priority != job->priority) {
		buf_printf(b, "%spriority %d → %d", apart, job->priority, e->priority);
		apart = ", ";
	}
	if (e->has_metadata)
		buf_printf(b, "%smetadata changed", apart);
}

static int edit_once(struct call *c, const struct json *body, char id[JOB_ID_SIZE], struct err *err)
{
	struct job job;
	struct edit e;
	struct buf message = BUF_INIT;
	int code = store_get(c->daemon->store, *id ? id : c->arg[0], &job, err);
	if (code)
		return code;
	memcpy(id, job.id, sizeof job.id);
	sched_live(c->daemon->sched, &job);
	if (!(code = edit_parse(&e, &job, body, err, &c->more))) {
		describe(&message, &e, &job);
		const struct store_edit change = {.name = e.has_name ? e.name : NULL,
			.metadata = e.metadata,
			.has_priority = e.has_priority,
			.priority = e.priority,
			.params_now = job.params,
			.params_then = e.merged,
			.params = e.params,
			.epochs = e.epochs,
			.message = message.len ? message.data : NULL};
		code = sched_edit(c->daemon->sched, id, &change, err);
		edit_free(&e);
	}
	buf_free(&message);
	job_free(&job);
	return code;
}

int h_job_edit(struct call *c, struct err *err)
{
	enum { TRIES = 5 }; /* the parameters may change between reading and writing them */
	struct json *body;
	struct job job;
	char id[JOB_ID_SIZE] = "";
	int code = call_body_json(c, &body, err);
	if (code)
		return code;
	code = edit_once(c, body, id, err);
	for (int i = 1; i < TRIES && code == ERR_CONFLICT; i++)
		code = edit_once(c, body, id, err);
	json_free(body);
	if (code == ERR_CONFLICT)
		job_explain_conflict(c, id);
	if (!code)
		code = store_get(c->daemon->store, id, &job, err);
	return code ? code : job_reply(c, &job, 200, err);
}
