#include "server/handlers/handlers.h"

#include "api/view.h"
#include "server/limits.h"
#include "server/log.h"
#include "server/upload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "queued,running,…": every status in which a job may still read its data set. */
static void unfinished(char *text, size_t size)
{
	size_t used = 0;
	*text = '\0';
	for (int s = 0; s < JOB_STATUS_COUNT; s++)
		if (!job_terminal((enum job_status)s))
			used += (size_t)snprintf(
				text + used, size - used, "%s%s", used ? "," : "", job_status_name((enum job_status)s));
}

struct question {
	struct call *call;
	const char *sha256; /* of what would take its place; NULL: nothing */
	bool there;         /* a data set of that name, with this sha256 or another */
	bool same;
};

/* A job that has not begun takes what it finds. */
static bool would_miss(const struct question *q, const struct job *job)
{
	if (!q->sha256)
		return true;
	return *job->dataset_sha256 ? strcmp(job->dataset_sha256, q->sha256) != 0 : q->there && !q->same;
}

/* upload_ask_fn: no job that waits or runs would miss the data set there is now. */
static int ask_jobs(void *ctx, struct err *err)
{
	const struct question *q = ctx;
	char status[160];
	unfinished(status, sizeof status);
	const struct store_filter f = {.status = status, .dataset = q->call->arg[0], .limit = LIMIT_LIST};
	struct job *jobs;
	int n, busy = -1;
	bool more;
	int code = store_list(q->call->daemon->store, &f, &jobs, &n, &more, err);
	if (code)
		return code;
	for (int i = 0; i < n && busy < 0; i++)
		if (would_miss(q, &jobs[i]))
			busy = i;
	if (busy >= 0)
		code = err_set(err, ERR_CONFLICT,
			"data set %s is in use: %s is %s%s; wait for it or cancel it, or take another name", q->call->arg[0],
			jobs[busy].id, job_status_name(jobs[busy].status), n > 1 || more ? ", and there are more" : "");
	for (int i = 0; i < n; i++)
		job_free(&jobs[i]);
	free(jobs);
	return code;
}

/* The name is free or belongs to an uploaded data set. *ret_there: which of the two. */
static int check_owner(struct call *c, bool *ret_there, struct err *err)
{
	const struct config *config = c->daemon->config;
	const char *name = c->arg[0];
	char path[4096];
	if (!dataset_name_valid(name))
		return err_set(err, ERR_INVALID,
			"a data set's name must be 1 to %d letters, digits, '.', '_' and '-', not beginning with '.'; got '%.80s'",
			DATASET_NAME_MAX, name);
	*ret_there = !dataset_find(name, config->dataset_dirs, config->ndataset_dirs, path, sizeof path, NULL);
	if (!*ret_there || upload_owns(config->data_dir, path))
		return OK;
	return err_set(err, ERR_CONFLICT,
		"data set %s lies in %s and was not uploaded: only the files there can change it; take another name", name,
		path);
}

static int settle(struct call *c, struct upload *u, bool there, bool *ret_replaced, struct err *err)
{
	struct question q = {.call = c, .sha256 = u->data->sha256, .there = there};
	struct dataset *old;
	if (there && !cache_dataset(c->daemon->cache, c->arg[0], &old, NULL)) {
		q.same = !strcmp(old->sha256, q.sha256); /* the names of its classes may differ */
		dataset_put(old);
	}
	const char *data_dir = c->daemon->config->data_dir;
	return upload_settle(u, data_dir, c->arg[0], ask_jobs, &q, ret_replaced, err);
}

static int reply_dataset(struct call *c, const struct dataset *d, int status, struct err *err)
{
	const struct config *config = c->daemon->config;
	char path[UPLOAD_PATH_MAX];
	struct jsonw w;
	upload_place(path, config->data_dir, c->arg[0]);
	call_json(c, &w, status);
	view_dataset(&w, d, path, true);
	return call_json_end(c, &w, err);
}

int h_dataset_put(struct call *c, struct err *err)
{
	const struct buf *body = &c->req.body;
	struct upload u;
	bool there, replaced;
	if (!body->len)
		return err_set(err, ERR_SYNTAX, "the body is empty; send a tar of the data set's folder");
	int code = check_owner(c, &there, err);
	if (!code)
		code = upload_unpack(&u, c->daemon->config->data_dir, c->arg[0], body->data, body->len, err);
	if (code)
		return code;
	code = settle(c, &u, there, &replaced, err);
	if (!code) {
		log_info("data set uploaded", "name=%s sha256=%.12s replaced=%d", c->arg[0], u.data->sha256, replaced);
		if (!replaced)
			call_header(c, "Location", "%s/v1/datasets/%s", c->daemon->config->path_prefix, c->arg[0]);
		code = reply_dataset(c, u.data, replaced ? 200 : 201, err);
	}
	upload_drop(&u);
	return code;
}

int h_dataset_delete(struct call *c, struct err *err)
{
	struct question q = {.call = c};
	bool there;
	int code = check_owner(c, &there, err);
	if (code)
		return code;
	if (!there)
		return err_set(err, ERR_NOT_FOUND, "no data set '%.64s'; GET /v1/datasets lists them", c->arg[0]);
	code = upload_remove(c->daemon->config->data_dir, c->arg[0], ask_jobs, &q, err);
	if (code)
		return code;
	log_info("data set removed", "name=%s", c->arg[0]);
	c->resp.status = 204;
	return OK;
}
