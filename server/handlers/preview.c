#include "server/handlers/handlers.h"

#include "api/view.h"
#include "core/data/sha256.h"
#include "server/blob.h"
#include "server/page.h"
#include "server/route.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t step_of(const struct job *job, const struct blob_preview *p)
{
	return p->step ? p->step : job_step_at(job, p->epoch);
}

enum { ID_SIZE = 64 };

/* "12-samples", "12-345-samples" */
static void print_id(char id[ID_SIZE], const struct blob_preview *p)
{
	char step[24] = "";
	if (p->step)
		snprintf(step, sizeof step, "%lld-", (long long)p->step);
	snprintf(id, ID_SIZE, "%d-%s%s", p->epoch, step, p->what);
}

static void view_preview(struct call *c, struct jsonw *w, const struct job *job, const struct blob_preview *p)
{
	struct buf url = BUF_INIT;
	char id[ID_SIZE];
	print_id(id, p);
	buf_printf(&url, "%s/v1/jobs/%s/previews/%d/%s.png", c->daemon->config->path_prefix, job->id, p->epoch, p->what);
	if (p->step)
		buf_printf(&url, "?step=%lld", (long long)p->step);
	jw_object(w);
	jw_kstring(w, "id", id);
	jw_kint(w, "step", step_of(job, p));
	jw_kint(w, "epoch", p->epoch);
	jw_kstring(w, "kind", p->what);
	jw_kbuf(w, "url", &url);
	jw_end_object(w);
	buf_free(&url);
}

static int cut_page(struct call *c, struct page *p, const struct blob_preview *all, int n, struct err *err)
{
	const char *after = uri_get(&c->req.uri, "after");
	char id[ID_SIZE];
	int at = 0;
	for (; after && at < n; at++) {
		print_id(id, &all[at]);
		if (!strcmp(id, after))
			break;
	}
	if (after && at == n)
		return err_set(err, ERR_NOT_FOUND, "no preview '%.60s' to list after", after);
	page_cut(p, n, after, at, at + 1);
	return OK;
}

static int reply_previews(
	struct call *c, const struct job *job, const struct blob_preview *all, const struct page *p, struct err *err)
{
	struct jsonw w;
	char first[ID_SIZE] = "", last[ID_SIZE] = "";
	call_json(c, &w, 200);
	view_list_begin(&w);
	for (int i = 0, at = p->at; i < p->n; i++, at += p->step) {
		view_preview(c, &w, job, &all[at]);
		print_id(last, &all[at]);
		if (!i)
			memcpy(first, last, sizeof first);
	}
	view_list_end(&w, p->n ? first : NULL, p->n ? last : NULL, p->more);
	return call_json_end(c, &w, err);
}

/* Those of one moment are written together; one that is missing yet is left out. */
int h_previews(struct call *c, struct err *err)
{
	struct job job;
	struct page page;
	struct blob_preview *all = NULL;
	int n = 0;
	int code = page_take(&page, &c->req.uri, err);
	if (code || (code = store_get(c->daemon->store, c->arg[0], &job, err)))
		return code;
	code = blob_previews(c->daemon->config->data_dir, job.id, &all, &n, err);
	if (!code)
		code = cut_page(c, &page, all, n, err);
	if (!code)
		code = reply_previews(c, &job, all, &page, err);
	free(all);
	job_free(&job);
	return code;
}

/* The word after the last '/' of the pattern is the kind. */
static const char *kind_of(const struct call *c)
{
	return strrchr(c->route->pattern, '/') + 1;
}

static int reply_picture(struct call *c, const struct job *job, const struct blob_preview *p, struct err *err)
{
	char name[96], path[BLOB_PATH_MAX], hex[SHA256_HEX], etag[40];
	void *bytes;
	struct buf file = BUF_INIT;
	blob_preview_name(name, sizeof name, p);
	blob_path(path, sizeof path, c->daemon->config->data_dir, job->id, name);
	int code = blob_read(path, &bytes, &file.len, err);
	if (code)
		return code;
	file.data = bytes;
	file.cap = file.len;
	const char *scale = uri_get(&c->req.uri, "scale");
	sha256_text(file.data, file.len, hex);
	snprintf(etag, sizeof etag, "%.32s%s%.2s", hex, scale ? "-" : "", scale ? scale : "");
	call_header(c, "Latentd-Epoch", "%d", p->epoch);
	call_header(c, "Latentd-Step", "%lld", (long long)step_of(job, p));
	if (call_etag(c, etag)) {
		buf_free(&file);
		return OK;
	}
	return call_png_file(c, &file, err);
}

/* Which picture is meant; -1: the newest. */
struct wanted {
	const char *what;
	int64_t epoch, step;
};

static int64_t distance(const struct job *job, const struct blob_preview *p, int64_t step)
{
	return llabs(step_of(job, p) - step);
}

/* The newest one that fits, and of those of the epoch (near) the one whose step is nearest. */
static const struct blob_preview *find(const struct job *job, const struct blob_preview *all, int n,
	const struct wanted *w, const struct blob_preview **ret_near)
{
	const struct blob_preview *found = NULL, *near = NULL;
	for (const struct blob_preview *p = all; p < all + n; p++) {
		if (strcmp(p->what, w->what) || (w->epoch >= 0 && p->epoch != w->epoch))
			continue;
		if (w->step < 0 || step_of(job, p) == w->step)
			found = p;
		if (!near || distance(job, p, w->step) < distance(job, near, w->step))
			near = p;
	}
	*ret_near = near;
	return found;
}

static int reply_wanted(struct call *c, const struct job *job, const struct wanted *w, struct err *err)
{
	struct blob_preview *all;
	const struct blob_preview *near;
	int n;
	int code = blob_previews(c->daemon->config->data_dir, job->id, &all, &n, err);
	if (code)
		return code;
	const struct blob_preview *found = find(job, all, n, w, &near);
	if (found)
		code = reply_picture(c, job, found, err);
	else if (near)
		code = err_set(err, ERR_NOT_FOUND, "%s has no %s of epoch %d at step %lld; nearest is that of step %lld",
			job->id, w->what, near->epoch, (long long)w->step, (long long)step_of(job, near));
	else if (w->epoch >= 0)
		code = err_set(err, ERR_NOT_FOUND, "%s has no %s of epoch %lld; GET /v1/jobs/%s/previews lists them", job->id,
			w->what, (long long)w->epoch, job->id);
	else
		code = err_set(err, ERR_NOT_FOUND, "%s has no %s yet", job->id, w->what);
	free(all);
	return code;
}

int h_preview(struct call *c, struct err *err)
{
	struct job job;
	struct wanted w = {.what = kind_of(c), .step = -1};
	char *end;
	errno = 0;
	w.epoch = strtol(c->arg[1], &end, 10);
	if (strspn(c->arg[1], "0123456789") != strlen(c->arg[1]) || errno || w.epoch > 1000000)
		return err_set(err, ERR_NOT_FOUND, "'%.60s' is not an epoch's number", c->arg[1]);
	int code = uri_int(&c->req.uri, "step", 0, INT64_MAX, &w.step, err);
	if (!code)
		code = store_get(c->daemon->store, c->arg[0], &job, err);
	if (code)
		return code;
	code = reply_wanted(c, &job, &w, err);
	job_free(&job);
	return code;
}

int h_preview_latest(struct call *c, struct err *err)
{
	struct job job;
	int code = store_get(c->daemon->store, c->arg[0], &job, err);
	if (code)
		return code;
	code = reply_wanted(c, &job, &(struct wanted){.what = kind_of(c), .epoch = -1, .step = -1}, err);
	job_free(&job);
	return code;
}
