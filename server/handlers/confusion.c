#include "server/handlers/handlers.h"

#include "api/confusion.h"
#include "core/model/model.h"

#include <stdlib.h>

/* What a job without a matrix is told. */
static int explain(const struct job *job, struct err *err)
{
	const struct family *f = family_find(job->kind);
	if (f && !family_can(f, ABILITY_CLASSIFY))
		return family_lacks(f, "classes", err);
	if (!job_terminal(job->status))
		return err_set(err, ERR_CONFLICT, "%s is %s; its confusion matrix is of the test images, once it has succeeded",
			job->id, job_status_name(job->status));
	return err_set(err, ERR_NOT_FOUND, "%s has no confusion matrix: it is %s", job->id, job_status_name(job->status));
}

static int reply_json(struct call *c, const char *text, struct err *err)
{
	struct jsonw w;
	call_json(c, &w, 200);
	jw_raw(&w, text);
	return call_json_end(c, &w, err);
}

static int reply_csv(struct call *c, const struct confusion *confusion, struct err *err)
{
	c->resp.status = 200;
	c->resp.type = format_type(FORMAT_CSV);
	confusion_csv(&c->resp.body, confusion);
	return c->resp.body.failed ? err_set(err, ERR_NO_MEMORY, "out of memory") : OK;
}

static int reply(struct call *c, const char *text, struct err *err)
{
	struct confusion confusion;
	struct canvas canvas;
	if (c->format == FORMAT_JSON)
		return reply_json(c, text, err);
	int code = confusion_parse(&confusion, text, err);
	if (code)
		return code;
	if (c->format == FORMAT_CSV)
		code = reply_csv(c, &confusion, err);
	else if (!(code = confusion_canvas(&canvas, &confusion, err)))
		code = call_png(c, &canvas, err);
	confusion_free(&confusion);
	return code;
}

int h_confusion(struct call *c, struct err *err)
{
	struct job job;
	char *text = NULL;
	int code = store_get(c->daemon->store, c->arg[0], &job, err);
	if (code)
		return code;
	code = store_result_get(c->daemon->store, job.id, "confusion", &text, err);
	if (code == ERR_NOT_FOUND)
		code = explain(&job, err);
	if (!code)
		code = reply(c, text, err);
	free(text);
	job_free(&job);
	return code;
}
