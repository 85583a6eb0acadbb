#include "server/handlers/handlers.h"

#include "api/view.h"
#include "core/data/sha256.h"
#include "server/cache.h"
#include "server/export.h"
#include "server/page.h"
#include "server/range.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the list --- */

static void view_checkpoint(struct call *c, struct jsonw *w, const struct job *job, const struct checkpoint_info *i)
{
	char url[256], id[16];
	snprintf(id, sizeof id, "%d", i->epoch);
	jw_object(w);
	jw_kstring(w, "id", id);
	jw_kint(w, "epoch", i->epoch);
	jw_kint(w, "step", i->step);
	jw_kint(w, "bytes", (int64_t)i->bytes);
	jw_kint(w, "created_at_ms", i->created_at_ms);
	jw_kbool(w, "best", i->best);
	jw_kbool(w, "last", i->last);
	jw_key(w, "metric");
	if (*job->best_metric && isfinite(i->monitor)) {
		jw_object(w);
		jw_kstring(w, "name", job->best_metric);
		jw_kreal(w, "value", i->monitor);
		jw_end_object(w);
	} else {
		jw_null(w);
	}
	snprintf(url, sizeof url, "%s/v1/jobs/%s/checkpoints/%d/weights", c->daemon->config->path_prefix, job->id, i->epoch);
	jw_kstring(w, "url", url);
	jw_end_object(w);
}

/* after= an epoch, which need not have a checkpoint any more. */
static void cut_page(struct page *p, const struct checkpoint_info *infos, int n, int64_t after)
{
	int before = 0, until = 0;
	for (int i = 0; i < n; i++) {
		before += infos[i].epoch < after;
		until += infos[i].epoch <= after;
	}
	page_cut(p, n, after >= 0, before, until);
}

static int reply_checkpoints(struct call *c, const struct job *job, const struct checkpoint_info *infos, const struct page *p,
	struct err *err)
{
	struct jsonw w;
	char first[16] = "", last[16] = "";
	call_json(c, &w, 200);
	view_list_begin(&w);
	for (int i = 0, at = p->at; i < p->n; i++, at += p->step) {
		view_checkpoint(c, &w, job, &infos[at]);
		snprintf(last, sizeof last, "%d", infos[at].epoch);
		if (!i)
			memcpy(first, last, sizeof first);
	}
	view_list_end(&w, p->n ? first : NULL, p->n ? last : NULL, p->more);
	return call_json_end(c, &w, err);
}

int h_checkpoints(struct call *c, struct err *err)
{
	struct job job;
	struct page page;
	struct checkpoint_info *infos;
	int64_t after = -1;
	int n;
	int code = page_take(&page, &c->req.uri, err);
	if (!code)
		code = uri_int(&c->req.uri, "after", 0, INT_MAX, &after, err);
	if (code || (code = store_get(c->daemon->store, c->arg[0], &job, err)))
		return code;
	if ((code = export_list(c->daemon->store, c->daemon->config->data_dir, &job, &infos, &n, err))) {
		job_free(&job);
		return code;
	}
	cut_page(&page, infos, n, after);
	code = reply_checkpoints(c, &job, infos, &page, err);
	free(infos);
	job_free(&job);
	return code;
}

/* --- the file --- */

/* resp.body becomes the part that Range asks for. */
static int reply_part(struct call *c, const char *etag, struct err *err)
{
	struct buf *b = &c->resp.body;
	size_t first = 0, last = 0, size = b->len;
	call_header(c, "Accept-Ranges", "bytes");
	switch (range_parse(c->req.range, c->req.if_range, etag, size, &first, &last)) {
	case RANGE_WHOLE:
		break;
	case RANGE_OUTSIDE:
		err_set(err, ERR_INVALID, "the file has %zu bytes", size);
		call_problem(c, 416, err);
		call_header(c, "Content-Range", "bytes */%zu", size);
		break;
	case RANGE_PART:
		memmove(b->data, b->data + first, last - first + 1);
		b->len = last - first + 1;
		c->resp.status = 206;
		call_header(c, "Content-Range", "bytes %zu-%zu/%zu", first, last, size);
	}
	return OK;
}

static int reply_weights(struct call *c, const struct job *job, const char *which, struct err *err)
{
	char etag[SHA256_HEX];
	int epoch;
	int code = export_weights(c->daemon->config->data_dir, job, which, &c->resp.body, &epoch, err);
	if (code)
		return code;
	sha256_text(c->resp.body.data, c->resp.body.len, etag);
	call_header(c, "Latentd-Epoch", "%d", epoch);
	call_header(c, "Latentd-Step", "%lld", (long long)job_step_at(job, epoch));
	call_header(c, "Content-Disposition", "attachment; filename=\"%s-%d.safetensors\"", job->id, epoch);
	if (call_etag(c, etag)) {
		buf_free(&c->resp.body);
		return OK;
	}
	c->resp.status = 200;
	c->resp.type = format_type(FORMAT_FILE);
	return reply_part(c, etag, err);
}

int h_checkpoint_weights(struct call *c, struct err *err)
{
	struct job job;
	int code = store_get(c->daemon->store, c->arg[0], &job, err);
	if (code)
		return code;
	code = reply_weights(c, &job, c->arg[1], err);
	job_free(&job);
	return code;
}

/* {model} may bear @best, @last or @12; without it, what decode serves: last while it runs, best when it has ended. */
int h_model_weights(struct call *c, struct err *err)
{
	struct job job;
	char *at = strrchr(c->arg[0], '@');
	if (at)
		*at = '\0';
	int code = store_get(c->daemon->store, c->arg[0], &job, err);
	if (code)
		return code;
	code = reply_weights(c, &job, at ? at + 1 : job_terminal(job.status) ? "best" : "last", err);
	job_free(&job);
	return code;
}
