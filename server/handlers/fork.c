/* fork.c: a new job that goes on from a checkpoint of another. */
#include "server/handlers/handlers.h"

#include "api/fork.h"
#include "server/once.h"

static int parse_and_fork(struct call *c, struct once *once, struct err *err)
{
	struct json *body;
	const struct json *changes;
	struct spec spec;
	struct job job;
	int code = call_body_json(c, &body, err);
	if (code)
		return code;
	code = fork_parse(&spec, &changes, body, err, &c->more);
	if (!code) {
		code = sched_fork(c->daemon->sched, c->arg[0], &spec, changes, once_key(once), &job, err, &c->more);
		spec_free(&spec);
	}
	json_free(body);
	return code ? code : once_reply(once, &job, err);
}

int h_job_fork(struct call *c, struct err *err)
{
	bool answered;
	struct once once;
	int code = once_open(&once, c, &answered, err);
	if (code || answered)
		return code;
	code = parse_and_fork(c, &once, err);
	once_close(&once);
	return code;
}
