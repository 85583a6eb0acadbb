#include "server/handlers/job_reply.h"

#include "api/view.h"
#include "server/clock.h"

#include <stdio.h>

int job_reply(struct call *c, struct job *job, int status, struct err *err)
{
	struct jsonw w;
	sched_live(c->daemon->sched, job);
	call_json(c, &w, status);
	view_job(&w, job, c->daemon->config->path_prefix);
	job_free(job);
	return call_json_end(c, &w, err);
}

void job_explain_conflict(struct call *c, const char *ref)
{
	struct job job;
	struct jsonw w;
	struct buf b = BUF_INIT;
	if (store_get(c->daemon->store, ref, &job, NULL))
		return;
	sched_live(c->daemon->sched, &job);
	jw_init(&w, &b, false);
	jw_object(&w);
	jw_kstring(&w, "current", job_status_name(job.status));
	jw_key(&w, "allowed");
	view_allowed(&w, &job);
	jw_end_object(&w);
	if (!b.failed) /* the members without their braces */
		buf_printf(&c->problem_extra, ",%.*s", (int)b.len - 2, b.data + 1);
	buf_free(&b);
	job_free(&job);
}

bool job_park(struct call *c, const struct job *job, int64_t for_ms, int64_t look_ms)
{
	const int64_t now = clock_ms();
	if (!c->wait_until_ms)
		c->wait_until_ms = now + for_ms;
	if (now >= c->wait_until_ms || c->park_over || atomic_load(&c->daemon->draining))
		return false;
	snprintf(c->park_job, sizeof c->park_job, "%s", job->id);
	c->park_until_ms = look_ms && now + look_ms < c->wait_until_ms ? now + look_ms : c->wait_until_ms;
	return true;
}
