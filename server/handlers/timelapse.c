/* timelapse.c: a run's preview pictures, one after the other, as an animated PNG. */
#include "server/handlers/handlers.h"

#include "core/data/apng.h"
#include "server/blob.h"
#include "server/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DELAY_MS = 150, DELAY_MIN_MS = 10, DELAY_MAX_MS = 10000, HOLD_MS = 1500, FRAMES = 200 };
/* A line beneath the picture says how far the run was. */
enum { LINE_H = 12, LINE_X = 4, LINE_Y = 2, INK = 0xffffff };

struct wanted {
	const char *kind; /* NULL: the first that there is */
	int64_t delay_ms, max_frames, scale;
};

static int take_wanted(const struct uri *u, struct wanted *w, struct err *err)
{
	*w = (struct wanted){.kind = uri_get(u, "kind"), .delay_ms = DELAY_MS, .max_frames = FRAMES, .scale = 1};
	int code = uri_int(u, "delay_ms", DELAY_MIN_MS, DELAY_MAX_MS, &w->delay_ms, err);
	if (!code)
		code = uri_int(u, "max_frames", 2, LIMIT_FRAMES, &w->max_frames, err);
	return code ? code : uri_int(u, "scale", 1, PNG_SCALE_MAX, &w->scale, err);
}

/* Those of the kind come to the front: their number. Without a kind that of the first is taken: they come sorted by it. */
static int keep_kind(struct blob_preview *all, int n, const struct wanted *w)
{
	char kind[sizeof all->what];
	int kept = 0;
	if (!n)
		return 0;
	snprintf(kind, sizeof kind, "%s", w->kind ? w->kind : all[0].what);
	for (int i = 0; i < n; i++)
		if (!strcmp(all[i].what, kind))
			all[kept++] = all[i];
	return kept;
}

/* At most so many, evenly, the first and the last among them. */
static int thin(struct blob_preview *all, int n, int most)
{
	if (n <= most)
		return n;
	for (int i = 0; i < most; i++)
		all[i] = all[((int64_t)i * (n - 1) + (most - 1) / 2) / (most - 1)];
	return most;
}

static int read_picture(
	const struct call *c, const char *job_id, const struct blob_preview *p, struct canvas *ret, struct err *err)
{
	char name[96], path[BLOB_PATH_MAX];
	void *bytes;
	size_t size;
	int w, h, channels;
	blob_preview_name(name, sizeof name, p);
	blob_path(path, sizeof path, c->daemon->config->data_dir, job_id, name);
	int code = blob_read(path, &bytes, &size, err);
	if (code)
		return code;
	if (!(code = png_peek(&w, &h, &channels, bytes, size, err)))
		code = png_read(ret, bytes, size, channels, err);
	free(bytes);
	return code;
}

/* The picture, and beneath it the line. */
static int paint_frame(
	const struct call *c, const char *job_id, const struct blob_preview *p, struct canvas *ret, struct err *err)
{
	char text[64], step[32] = "";
	struct canvas picture, frame;
	int code = read_picture(c, job_id, p, &picture, err);
	if (code)
		return code;
	if (!(code = canvas_open(&frame, picture.w, picture.h + LINE_H, picture.channels, 0, err))) {
		memcpy(frame.pixels, picture.pixels, (size_t)picture.w * (size_t)picture.h * (size_t)picture.channels);
		if (p->step)
			snprintf(step, sizeof step, ", step %lld", (long long)p->step);
		snprintf(text, sizeof text, "epoch %d%s", p->epoch, step);
		canvas_text(&frame, LINE_X, picture.h + LINE_Y, 1, INK, text);
		*ret = frame;
	}
	canvas_close(&picture);
	return code;
}

static int add_frames(
	struct call *c, const char *job_id, const struct blob_preview *p, int n, const struct wanted *w, struct err *err)
{
	struct apng a;
	apng_begin(&a, &c->resp.body, n, (int)w->scale);
	for (int i = 0; i < n; i++) {
		struct canvas frame;
		const bool last = i == n - 1;
		int code = paint_frame(c, job_id, &p[i], &frame, err);
		if (code)
			return code;
		const int64_t pixels = (int64_t)frame.w * frame.h * w->scale * w->scale;
		if (pixels * n > LIMIT_FRAME_PIXELS)
			code = err_set(err, ERR_INVALID,
				"%d frames of %d x %d pixels at scale %lld are more than %d pixels; ask for fewer by ?max_frames=", n,
				frame.w, frame.h, (long long)w->scale, LIMIT_FRAME_PIXELS);
		else
			code = apng_frame(&a, &frame, (int)(last && w->delay_ms < HOLD_MS ? HOLD_MS : w->delay_ms), err);
		canvas_close(&frame);
		if (code)
			return code;
	}
	return apng_end(&a, err);
}

/* What the picture follows from: previews never change. */
static void print_source(char *source, size_t size, const char *job_id, const struct blob_preview *p, int n)
{
	uint64_t sum = 1469598103934665603u; /* FNV-1a */
	for (int i = 0; i < n; i++) {
		const uint64_t at[] = {(uint64_t)p[i].epoch, (uint64_t)p[i].step};
		for (size_t k = 0; k < sizeof at; k++)
			sum = (sum ^ ((const uint8_t *)at)[k]) * 1099511628211u;
	}
	snprintf(source, size, "%s %s %d %016llx", job_id, n ? p->what : "", n, (unsigned long long)sum);
}

/* None of the kind that is wanted. */
static int explain(
	const struct blob_preview *all, int n, const struct job *job, const struct wanted *w, struct err *err)
{
	char kinds[120] = "";
	size_t used = 0;
	if (!n)
		return err_set(err, ERR_NOT_FOUND, "%s has no previews yet", job->id);
	for (int i = 0; i < n && used < sizeof kinds; i++)
		if (!strstr(kinds, all[i].what))
			used += (size_t)snprintf(kinds + used, sizeof kinds - used, "%s%s", used ? ", " : "", all[i].what);
	return err_set(
		err, ERR_INVALID, "kind must be one that %s has previews of (%s), got '%.60s'", job->id, kinds, w->kind);
}

static int reply(struct call *c, const struct job *job, const struct wanted *w, struct err *err)
{
	struct blob_preview *all;
	char source[128];
	int n;
	int code = blob_previews(c->daemon->config->data_dir, job->id, &all, &n, err);
	if (code)
		return code;
	int kept = keep_kind(all, n, w);
	if (!kept)
		code = explain(all, n, job, w, err);
	n = thin(all, kept, (int)w->max_frames);
	print_source(source, sizeof source, job->id, all, n);
	if (!code && !call_unchanged(c, source))
		code = add_frames(c, job->id, all, n, w, err);
	free(all);
	return code;
}

int h_timelapse(struct call *c, struct err *err)
{
	struct wanted w;
	struct job job;
	int code = take_wanted(&c->req.uri, &w, err);
	if (code || (code = store_get(c->daemon->store, c->arg[0], &job, err)))
		return code;
	code = reply(c, &job, &w, err);
	job_free(&job);
	if (code || c->resp.status)
		return code;
	c->resp.status = 200;
	c->resp.type = format_type(FORMAT_PNG);
	return OK;
}
