/* bundle.c: all there is of a run in one tar: what the addresses of its parts answer, under names that explain themselves.
 *
 * Built in a file without a name on the disk of the data directory, one part in memory at a time; gone with the reply, or with the
 * daemon. Whoever needs a part reads it by its own address: so there is no second way to make one.
 */
#include "server/handlers/handlers.h"

#include "core/data/tar_out.h"
#include "server/blob.h"
#include "server/route.h"
#include "server/version.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The address of a part is `of`, the job's id and `path`. A part that the run does not have (yet), or its kind never has, is left out. */
static const struct part {
	const char *name, *of, *path, *help;
} parts[] = {
	{"confusion.csv", "/v1/jobs/", "/confusion.csv", "which classes of the test images are taken for which"},
	{"confusion.json", "/v1/jobs/", "/confusion.json", "the same with precision, recall and F1"},
	{"confusion.png", "/v1/jobs/", "/confusion.png", "the same as a picture"},
	{"curves.png", "/v1/jobs/", "/curves.png", "the losses"},
	{"curves.svg", "/v1/jobs/", "/curves.svg", "the same as a drawing"},
	{"job.json", "/v1/jobs/", "", "the job: parameters, seed, results"},
	{"metrics.csv", "/v1/jobs/", "/metrics.csv", "a line per epoch, a column per series"},
	{"projection.csv", "/v1/jobs/", "/projection.csv", "the map"},
	{"projection.png", "/v1/jobs/", "/projection.png", "the same as a picture"},
	{"pytorch.py", "/v1/models/", "/pytorch.py",
		"the net as PyTorch code: python3 pytorch.py weights/best.safetensors …"},
	{"reconstructions.png", "/v1/jobs/", "/reconstructions.png", "the newest ones: originals above"},
	{"samples.png", "/v1/jobs/", "/samples.png", "the newest ones"},
	{"timelapse.png", "/v1/jobs/", "/timelapse.png", "the previews as an animation"},
	{"trials.csv", "/v1/jobs/", "/trials.csv", "the trials"},
	{"weights/best.safetensors", "/v1/jobs/", "/checkpoints/best/weights", "the model of the best epoch"},
	{"weights/last.safetensors", "/v1/jobs/", "/checkpoints/last/weights", "the model after the last step"},
};
enum { PARTS = sizeof parts / sizeof *parts, NAME_MAX_BYTES = 96, ENTRY_PATH = 128 };
static const char readme_name[] = "README.txt";

/* One file of the tar: `path` as of an address, or none: a file of the job, or README.txt. */
struct entry {
	char name[NAME_MAX_BYTES], path[ENTRY_PATH];
};

/* --- parts ---------------------------------------------------------------------------------------------------------------- */

/* What GET of the path answers, as if it had been asked for from where the bundle was. */
static int fetch(const struct call *c, const char *path, struct buf *ret, struct err *err)
{
	char allow[ROUTE_ALLOW_SIZE];
	struct call part = {
		.daemon = c->daemon, .req = {.method = METHOD_GET, .target = path, .host = c->req.host, .pretty = true}};
	int code = uri_parse(&part.req.uri, path, "", err);
	if (!code && route_find(&part, allow, err))
		code = ERR_NOT_FOUND;
	if (!code)
		code = part.route->handler(&part, err);
	if (!code && part.resp.body.failed)
		code = err_set(err, ERR_NO_MEMORY, "out of memory");
	if (!code) {
		*ret = part.resp.body;
		part.resp.body = BUF_INIT;
	}
	call_fini(&part);
	return code;
}

static int read_preview(const struct call *c, const char *job_id, const char *name, struct buf *ret, struct err *err)
{
	char path[BLOB_PATH_MAX];
	void *bytes;
	blob_path(path, sizeof path, c->daemon->config->data_dir, job_id, name);
	int code = blob_read(path, &bytes, &ret->len, err);
	ret->data = code ? NULL : bytes;
	ret->cap = ret->len;
	return code;
}

/* --- README --------------------------------------------------------------------------------------------------------------- */

/* Within single quotes of a shell. */
static void print_quoted(struct buf *b, const char *text)
{
	for (; *text; text++)
		if (*text == '\'')
			buf_str(b, "'\\''");
		else
			buf_append(b, text, 1);
}

/* What to POST for the same run: to .../fork of the job that it was taken from, or to /v1/jobs. */
static void print_request(struct buf *b, const struct job *job)
{
	struct jsonw w;
	char from[JOB_ID_SIZE + 16];
	jw_init(&w, b, false);
	jw_object(&w);
	if (job->fork_step) {
		jw_kint(&w, "checkpoint", job->from_epoch);
	} else {
		jw_kstring(&w, "kind", job->kind);
		jw_kstring(&w, "preset", job->preset);
		if (*job->dataset)
			jw_kstring(&w, "dataset", job->dataset);
		jw_kint(&w, "seed", (int64_t)job->seed);
		snprintf(from, sizeof from, "%s@%d", job->from_job, job->from_epoch);
		if (*job->from_job)
			jw_kstring(&w, "from", from);
	}
	jw_key(&w, "params");
	jw_raw(&w, job->params);
	jw_end_object(&w);
}

static void print_readme(struct buf *b, const struct call *c, const struct job *job)
{
	struct buf request = BUF_INIT;
	print_request(&request, job);
	buf_printf(b, "%s%s%s%s, a run of kind %s by latentd %s: %s, epoch %d of %d.\n\n", job->id, *job->name ? " (" : "",
		job->name, *job->name ? ")" : "", job->kind, latentd_version, job_status_name(job->status), job->epoch,
		job->epochs);
	buf_str(b,
		"The same again, with the same outcome where parameters were not changed while it ran:\n\n    curl --json '");
	print_quoted(b, request.data ? request.data : "");
	buf_printf(b, "' http://%s%s/v1/jobs%s%s%s\n\n", c->req.host ? c->req.host : "localhost:7117",
		c->daemon->config->path_prefix, job->fork_step ? "/" : "", job->fork_step ? job->from_job : "",
		job->fork_step ? "/fork" : "");
	if (*job->dataset)
		buf_printf(b,
			"It learned from the data set %s, whose images and labels have the sha256\n%s (GET /v1/datasets/%s tells it).\n\n",
			job->dataset, *job->dataset_sha256 ? job->dataset_sha256 : "(not known yet)", job->dataset);
	buf_str(b, "Files, where it has them:\n\n");
	for (int i = 0; i < PARTS; i++)
		buf_printf(b, "  %-26s%s\n", parts[i].name, parts[i].help);
	buf_printf(b, "  %-26s%s\n", "previews/", "pictures by epoch: the same images and the same codes each time");
	b->failed = b->failed || request.failed;
	buf_free(&request);
}

/* --- the tar -------------------------------------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

/* All that may be in it, sorted by name; malloc'd. */
static int list_entries(const struct call *c, const struct job *job, struct entry **ret, int *ret_n, struct err *err)
{
	struct blob_preview *previews;
	int n = 0, npreviews;
	int code = blob_previews(c->daemon->config->data_dir, job->id, &previews, &npreviews, err);
	if (code)
		return code;
	struct entry *e = calloc((size_t)npreviews + PARTS + 1, sizeof *e);
	for (int i = 0; e && i < PARTS; i++, n++) {
		snprintf(e[n].name, sizeof e[n].name, "%s", parts[i].name);
		snprintf(e[n].path, sizeof e[n].path, "%s%s%s", parts[i].of, job->id, parts[i].path);
	}
	for (int i = 0; e && i < npreviews; i++, n++)
		blob_preview_name(e[n].name, sizeof e[n].name, &previews[i]);
	free(previews);
	if (!e)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	strcpy(e[n++].name, readme_name);
	qsort(e, (size_t)n, sizeof *e, by_name);
	*ret = e;
	*ret_n = n;
	return OK;
}

static int make(const struct call *c, const struct job *job, const struct entry *e, struct buf *ret, struct err *err)
{
	if (*e->path)
		return fetch(c, e->path, ret, err);
	if (strcmp(e->name, readme_name) != 0)
		return read_preview(c, job->id, e->name, ret, err);
	print_readme(ret, c, job);
	return ret->failed ? err_set(err, ERR_NO_MEMORY, "out of memory") : OK;
}

/* The run has none of it: not yet, not any more, or never. */
static bool absent(int code)
{
	return code == ERR_NOT_FOUND || code == ERR_CONFLICT || code == ERR_UNSUPPORTED;
}

static int put_entry(
	const struct tar_out *t, const struct call *c, const struct job *job, const struct entry *e, struct err *err)
{
	char path[JOB_ID_SIZE + NAME_MAX_BYTES];
	struct buf bytes = BUF_INIT;
	struct err why = {0};
	int code = make(c, job, e, &bytes, &why);
	snprintf(path, sizeof path, "%s/%s", job->id, e->name);
	if (!code)
		code = tar_put(t, path, bytes.data, bytes.len, &why);
	buf_free(&bytes);
	if (code && !absent(code))
		*err = why;
	return absent(code) ? OK : code;
}

static int write_to_file(void *ctx, const void *bytes, size_t size, struct err *err)
{
	const int *fd = ctx;
	for (const char *at = bytes; size;) {
		ssize_t n = write(*fd, at, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, errno, "a bundle is not written");
		at += n;
		size -= (size_t)n;
	}
	return OK;
}

static int put_all(int fd, const struct call *c, const struct job *job, struct err *err)
{
	const struct tar_out t = {write_to_file, &fd};
	struct entry *e = NULL;
	int n = 0;
	int code = list_entries(c, job, &e, &n, err);
	if (code)
		return code;
	for (int i = 0; i < n && !code; i++)
		code = put_entry(&t, c, job, &e[i], err);
	free(e);
	return code ? code : tar_end(&t, err);
}

/* Nobody else sees it, and nothing is left of it after a kill; where a file system knows no such files it has a name for a moment. */
static int open_unnamed(const char *dir, int *ret, struct err *err)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
		char path[BLOB_PATH_MAX];
		snprintf(path, sizeof path, "%s/.bundle-XXXXXX", dir);
		fd = mkostemp(path, O_CLOEXEC);
		if (fd >= 0)
			unlink(path);
	}
	if (fd < 0)
		return err_errno(err, errno, "no file for a bundle in %s", dir);
	*ret = fd;
	return OK;
}

static int reply(struct call *c, const struct job *job, struct err *err)
{
	struct stat st;
	int fd = -1;
	int code = open_unnamed(c->daemon->config->data_dir, &fd, err);
	if (code)
		return code;
	if (!(code = put_all(fd, c, job, err)) && fstat(fd, &st))
		code = err_errno(err, errno, "a bundle is not read");
	if (code) {
		close(fd);
		return code;
	}
	c->resp.status = 200;
	c->resp.type = "application/x-tar";
	c->resp.file = (struct call_file){.open = true, .fd = fd, .bytes = (size_t)st.st_size};
	call_header(c, "Content-Disposition", "attachment; filename=\"%s.tar\"", job->id);
	return OK;
}

int h_bundle(struct call *c, struct err *err)
{
	struct job job;
	int code = store_get(c->daemon->store, c->arg[0], &job, err);
	if (code)
		return code;
	code = reply(c, &job, err);
	job_free(&job);
	return code;
}
