#include "server/handlers.h"

#include "api/view.h"
#include "core/data/sha256.h"
#include "server/blob.h"
#include "server/route.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = {"reconstructions", "samples"};
enum { KINDS = 2 };

static int preview_epochs(struct call *c, const struct job *job, const char *kind, int **ret, int *ret_n, struct err *err)
{
	char suffix[64];
	snprintf(suffix, sizeof suffix, "-%s.png", kind);
	return blob_epochs(c->daemon->config->data_dir, job->id, "previews/epoch-", suffix, ret, ret_n, err);
}

static void view_preview(struct call *c, struct jsonw *w, const struct job *job, int epoch, const char *kind)
{
	char url[256];
	snprintf(url, sizeof url, "%s/v1/jobs/%s/previews/%d/%s.png", c->daemon->config->path_prefix, job->id, epoch, kind);
	jw_object(w);
	jw_kint(w, "step", job_step_at(job, epoch));
	jw_kint(w, "epoch", epoch);
	jw_kstring(w, "kind", kind);
	jw_kstring(w, "url", url);
	jw_end_object(w);
}

/* Every epoch's pictures, oldest first. Both kinds are written together; one that is missing yet is left out. */
static int view_previews(struct call *c, struct jsonw *w, const struct job *job, struct err *err)
{
	int *epochs[KINDS] = {NULL}, n[KINDS] = {0}, at[KINDS] = {0}, code = OK;
	for (int k = 0; k < KINDS && !code; k++)
		code = preview_epochs(c, job, kinds[k], &epochs[k], &n[k], err);
	for (bool any = !code; any;) {
		int least = INT32_MAX;
		for (int k = 0; k < KINDS; k++)
			if (at[k] < n[k] && epochs[k][at[k]] < least)
				least = epochs[k][at[k]];
		any = least != INT32_MAX;
		for (int k = 0; k < KINDS; k++)
			if (at[k] < n[k] && epochs[k][at[k]] == least) {
				view_preview(c, w, job, least, kinds[k]);
				at[k]++;
			}
	}
	for (int k = 0; k < KINDS; k++)
		free(epochs[k]);
	return code;
}

int h_previews(struct call *c, struct err *err)
{
	struct job job;
	struct jsonw w;
	int code = store_get(c->daemon->store, c->arg[0], &job, err);
	if (code)
		return code;
	call_json(c, &w, 200);
	view_list_begin(&w);
	code = view_previews(c, &w, &job, err);
	view_list_end(&w, NULL, NULL, false);
	job_free(&job);
	return code ? code : call_json_end(c, &w, err);
}

/* The word after the last '/' of the pattern is the kind. */
static const char *kind_of(const struct call *c)
{
	return strrchr(c->route->pattern, '/') + 1;
}

static int reply_picture(struct call *c, const struct job *job, int epoch, struct err *err)
{
	char name[96], path[4300], hex[SHA256_HEX], etag[40];
	void *bytes;
	struct buf file = BUF_INIT;
	blob_preview_name(name, sizeof name, epoch, kind_of(c));
	blob_path(path, sizeof path, c->daemon->config->data_dir, job->id, name);
	int code = blob_read(path, &bytes, &file.len, err);
	if (code == ERR_NOT_FOUND)
		return err_set(err, ERR_NOT_FOUND, "%s has no %s of epoch %d; GET /v1/jobs/%s/previews lists them", job->id, kind_of(c), epoch,
			job->id);
	if (code)
		return code;
	file.data = bytes;
	file.cap = file.len;
	const char *scale = uri_get(&c->req.uri, "scale");
	sha256_text(file.data, file.len, hex);
	snprintf(etag, sizeof etag, "%.32s%s%.2s", hex, scale ? "-" : "", scale ? scale : "");
	call_header(c, "Latentd-Epoch", "%d", epoch);
	call_header(c, "Latentd-Step", "%lld", (long long)job_step_at(job, epoch));
	if (call_etag(c, etag)) {
		buf_free(&file);
		return OK;
	}
	return call_png_file(c, &file, err);
}

/* An epoch has one preview of each kind, so ?step= can only name that one. */
static int check_step(struct call *c, const struct job *job, int epoch, struct err *err)
{
	int64_t step = job_step_at(job, epoch), wanted = step;
	int code = uri_int(&c->req.uri, "step", 0, INT64_MAX, &wanted, err);
	if (code || wanted == step)
		return code;
	return err_set(err, ERR_NOT_FOUND, "%s has no %s of epoch %d at step %lld; that of step %lld is there", job->id, kind_of(c), epoch,
		(long long)wanted, (long long)step);
}

int h_preview(struct call *c, struct err *err)
{
	struct job job;
	char *end;
	errno = 0;
	long epoch = strtol(c->arg[1], &end, 10);
	if (strspn(c->arg[1], "0123456789") != strlen(c->arg[1]) || errno || epoch > 1000000)
		return err_set(err, ERR_NOT_FOUND, "'%.60s' is not an epoch's number", c->arg[1]);
	int code = store_get(c->daemon->store, c->arg[0], &job, err);
	if (code)
		return code;
	code = check_step(c, &job, (int)epoch, err);
	if (!code)
		code = reply_picture(c, &job, (int)epoch, err);
	job_free(&job);
	return code;
}

int h_preview_latest(struct call *c, struct err *err)
{
	struct job job;
	int *epochs = NULL, n = 0;
	int code = store_get(c->daemon->store, c->arg[0], &job, err);
	if (code)
		return code;
	code = preview_epochs(c, &job, kind_of(c), &epochs, &n, err);
	if (!code && !n)
		code = err_set(err, ERR_NOT_FOUND, "%s has no %s yet", job.id, kind_of(c));
	if (!code)
		code = reply_picture(c, &job, epochs[n - 1], err);
	free(epochs);
	job_free(&job);
	return code;
}
