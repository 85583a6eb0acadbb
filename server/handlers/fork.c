/* fork.c: a new job that goes on from a checkpoint of another. */
#include "server/handlers/handlers.h"

#include "api/fork.h"
#include "server/once.h"

static int reply_estimate(struct call *c, struct spec *spec, const struct json *changes, struct err *err)
{
	struct estimate estimate;
	struct jsonw w;
	int code = sched_estimate_fork(c->daemon->sched, c->arg[0], spec, changes, &estimate, err, &c->more);
	if (code)
		return code;
	call_json(c, &w, 200);
	view_estimate(&w, spec, &estimate);
	return call_json_end(c, &w, err);
}

static int fork_and_reply(
	struct call *c, struct once *once, struct spec *spec, const struct json *changes, struct err *err)
{
	struct job job;
	int code = sched_fork(c->daemon->sched, c->arg[0], spec, changes, once_key(once), &job, err, &c->more);
	return code ? code : once_reply(once, &job, err);
}

/* once: NULL to be told what it would be, only. */
static int parse_and_fork(struct call *c, struct once *once, struct err *err)
{
	struct json *body;
	const struct json *changes;
	struct spec spec;
	int code = call_body_json(c, &body, err);
	if (code)
		return code;
	code = fork_parse(&spec, &changes, body, err, &c->more);
	if (!code) {
		code = once ? fork_and_reply(c, once, &spec, changes, err) : reply_estimate(c, &spec, changes, err);
		spec_free(&spec);
	}
	json_free(body);
	return code;
}

int h_job_fork(struct call *c, struct err *err)
{
	bool validate_only, answered = false;
	struct once once;
	int code = uri_bool(&c->req.uri, "validate_only", &validate_only, err);
	if (!code && validate_only)
		return parse_and_fork(c, NULL, err);
	if (!code)
		code = once_open(&once, c, &answered, err);
	if (code || answered)
		return code;
	code = parse_and_fork(c, &once, err);
	once_close(&once);
	return code;
}
