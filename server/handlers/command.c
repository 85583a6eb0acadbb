/* command.c: POST /v1/jobs/{job}/<command>, and the queue's own.
 *
 * A command answers when it has had its effect: until then the call is parked, for LIMIT_COMMAND_S; then 202 and the job as it is.
 */
#include "server/handlers/handlers.h"

#include "server/handlers/job_reply.h"
#include "server/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* {} or, where the command has one, {"force":true}. */
static int take_force(struct call *c, bool has_force, bool *ret, struct err *err)
{
	static const char *const no_fields[] = {NULL}, *const force_only[] = {"force", NULL};
	struct json *body;
	int code = call_body_json(c, &body, err);
	if (code)
		return code;
	const struct json *force = json_get(body, "force");
	code = json_only(body, has_force ? force_only : no_fields, "#", err, NULL);
	if (!code && force && json_type(force) != JSON_BOOL)
		code = json_fail_type(force, "#/force", "true or false", err);
	*ret = !code && force && json_bool(force);
	json_free(body);
	return code;
}

/* The path's last word, and whether there is force in the body. */
static int take_command(struct call *c, enum job_command *ret, struct err *err)
{
	const char *name = c->req.uri.segment[c->req.uri.nsegments - 1];
	int first = 0;
	bool force;
	while (strcmp(job_command_name((enum job_command)first), name))
		first++;
	const bool has_force =
		first + 1 < JOB_COMMAND_COUNT && !strcmp(job_command_name((enum job_command)(first + 1)), name);
	int code = take_force(c, has_force, &force, err);
	*ret = (enum job_command)(first + force);
	return code;
}

/* --- waiting --- */

enum { COMMAND_MS = 1000 * LIMIT_COMMAND_S };

static int reply_when_done(struct call *c, enum job_command command, bool done, struct job *job, struct err *err)
{
	if (done)
		return job_reply(c, job, 200, err);
	if (!job_command_waits(job, command)) {
		const char *name = job_command_name(command);
		int code = err_set(
			err, ERR_CONFLICT, "%s is %s by now: %s came too late", job->id, job_status_name(job->status), name);
		job_explain_conflict(c, job->id);
		job_free(job);
		return code;
	}
	if (!job_park(c, job, COMMAND_MS, 0))
		return job_reply(c, job, 202, err);
	job_free(job);
	return OK;
}

int h_job_command(struct call *c, struct err *err)
{
	enum job_command command;
	struct job job;
	bool done;
	int code = take_command(c, &command, err);
	if (code)
		return code;
	if (*c->park_job) { /* asked already: what has come of it? */
		code = store_get(c->daemon->store, c->park_job, &job, err);
		return code ? code : reply_when_done(c, command, job_command_done(&job, command), &job, err);
	}
	code = sched_command(c->daemon->sched, c->arg[0], command, &done, &job, err);
	conductor_wake(c->daemon->conductor);
	if (code == ERR_CONFLICT)
		job_explain_conflict(c, c->arg[0]);
	return code ? code : reply_when_done(c, command, done || job_command_done(&job, command), &job, err);
}

/* --- checkpoint now --- */

static int reply_checkpoint(struct call *c, const struct job *job, const struct saved_checkpoint *s, struct err *err)
{
	struct jsonw w;
	char url[256], which[16] = "last";
	if (!s->inside)
		snprintf(which, sizeof which, "%d", s->epoch);
	snprintf(url, sizeof url, "%s/v1/jobs/%s/checkpoints/%s/weights", c->daemon->config->path_prefix, job->id, which);
	call_json(c, &w, 200);
	jw_object(&w);
	jw_kint(&w, "epoch", s->epoch);
	jw_kint(&w, "step", s->step);
	jw_kint(&w, "bytes", (int64_t)s->bytes);
	jw_kbool(&w, "inside", s->inside);
	jw_kstring(&w, "url", url);
	jw_end_object(&w);
	return call_json_end(c, &w, err);
}

/* It has left its worker, which need not have looked any more. */
static int fail_late(const struct job *job, struct err *err)
{
	return err_set(
		err, ERR_CONFLICT, "%s is %s by now: checkpoint came too late", job->id, job_status_name(job->status));
}

/* Takes the job. */
static int await_checkpoint(struct call *c, struct job *job, struct err *err)
{
	enum { LOOK_MS = 250 }; /* a checkpoint that was known already wakes nobody */
	struct saved_checkpoint saved;
	bool there = false;
	if (!c->ticket) /* else it is on its way; between the claim and the worker's taking it up nobody can be asked */
		c->ticket = sched_ask_checkpoint(c->daemon->sched, job->id);
	int code = c->ticket ? sched_checkpoint(c->daemon->sched, job->id, c->ticket, &there, &saved, err) : OK;
	if (!code && there)
		code = reply_checkpoint(c, job, &saved, err);
	else if (!code && !job_live(job->status))
		code = fail_late(job, err);
	else if (!code && !job_park(c, job, COMMAND_MS, LOOK_MS))
		return job_reply(c, job, 202, err);
	if (code == ERR_CONFLICT)
		job_explain_conflict(c, job->id);
	job_free(job);
	return code;
}

int h_job_checkpoint(struct call *c, struct err *err)
{
	struct job job;
	bool force;
	int code = take_force(c, false, &force, err);
	if (!code)
		code = store_get(c->daemon->store, *c->park_job ? c->park_job : c->arg[0], &job, err);
	if (code)
		return code;
	if (c->ticket || job_command_find(&job, COMMAND_CHECKPOINT))
		return await_checkpoint(c, &job, err);
	code = job_check_trains(&job, err);
	if (!code) {
		code = err_set(err, ERR_CONFLICT, "%s is %s; a checkpoint is written of a job that is running", job.id,
			job_status_name(job.status));
		job_explain_conflict(c, job.id);
	}
	job_free(&job);
	return code;
}

/* --- the queue --- */

int h_queue(struct call *c, struct err *err)
{
	struct store_queue q;
	struct jsonw w;
	int code = store_queue(c->daemon->store, &q, err);
	if (code)
		return code;
	call_json(c, &w, 200);
	jw_object(&w);
	jw_kstring(&w, "object", "queue");
	jw_kbool(&w, "paused", q.paused);
	jw_key(&w, "jobs");
	jw_object(&w);
	for (int s = 0; s < JOB_STATUS_COUNT; s++)
		if (!job_terminal((enum job_status)s))
			jw_kint(&w, job_status_name((enum job_status)s), q.count[s]);
	jw_end_object(&w);
	jw_key(&w, "memory");
	jw_object(&w);
	jw_kint(&w, "held_bytes", q.memory_held);
	jw_kint(&w, "limit_bytes", q.memory_limit);
	jw_end_object(&w);
	jw_key(&w, "next");
	jw_array(&w);
	for (int i = 0; i < q.n; i++)
		jw_string(&w, q.next[i]);
	jw_end_array(&w);
	jw_end_object(&w);
	return call_json_end(c, &w, err);
}

static int pause_queue(struct call *c, bool paused, struct err *err)
{
	bool force;
	int code = take_force(c, false, &force, err);
	if (!code)
		code = sched_pause_queue(c->daemon->sched, paused, err);
	return code ? code : h_queue(c, err);
}

int h_queue_pause(struct call *c, struct err *err)
{
	return pause_queue(c, true, err);
}

int h_queue_resume(struct call *c, struct err *err)
{
	return pause_queue(c, false, err);
}
