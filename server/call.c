#include "server/call.h"

#include "api/problem.h"
#include "core/data/png.h"
#include "core/data/sha256.h"
#include "server/range.h"
#include "server/stream.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const struct {
	const char *name;
	bool changes;
} methods[METHOD_OTHER] = {
#define X(method, name, changes) [method] = {name, changes},
	METHODS(X)
#undef X
};

static const struct {
	const char *suffix, *media, *type;
} formats[FORMAT_COUNT] = {
#define X(format, suffix, media, type) [format] = {suffix, media, type},
	FORMATS(X)
#undef X
};

enum method method_find(const char *name)
{
	int m = 0;
	while (m < METHOD_OTHER && strcmp(methods[m].name, name))
		m++;
	return (enum method)m;
}

const char *method_name(enum method m)
{
	return m < METHOD_OTHER ? methods[m].name : "OTHER";
}

bool method_changes(enum method m)
{
	return m >= METHOD_OTHER || methods[m].changes;
}

const char *format_suffix(enum format f)
{
	return formats[f].suffix;
}

const char *format_media(enum format f)
{
	return formats[f].media;
}

const char *format_type(enum format f)
{
	return formats[f].type;
}

const char *format_name(enum format f)
{
	return formats[f].suffix ? formats[f].suffix + 1 : f == FORMAT_SSE ? "event-stream" : "file";
}

static void drop_reply(struct call *c)
{
	buf_free(&c->resp.body);
	if (c->resp.stream)
		stream_close(c->resp.stream);
	if (c->resp.file.open)
		close(c->resp.file.fd);
	c->resp = (struct response){0};
}

void call_fini(struct call *c)
{
	drop_reply(c);
	uri_free(&c->req.uri);
	buf_free(&c->req.body);
	buf_free(&c->problem_extra);
}

void call_header(struct call *c, const char *name, const char *format, ...)
{
	if (c->resp.nheaders == CALL_HEADERS_MAX)
		return;
	struct call_header *h = &c->resp.header[c->resp.nheaders++];
	va_list args;
	va_start(args, format);
	h->name = name;
	vsnprintf(h->value, sizeof h->value, format, args);
	va_end(args);
}

void call_json(struct call *c, struct jsonw *w, int status)
{
	c->resp.status = status;
	c->resp.type = format_type(FORMAT_JSON);
	jw_init(w, &c->resp.body, c->req.pretty);
}

int call_json_end(struct call *c, struct jsonw *w, struct err *err)
{
	jw_end_document(w);
	return c->resp.body.failed ? err_set(err, ERR_NO_MEMORY, "out of memory") : OK;
}

int call_png(struct call *c, struct canvas *canvas, struct err *err)
{
	int64_t scale = 1;
	int code = uri_int(&c->req.uri, "scale", 1, 16, &scale, err);
	if (!code && (canvas->w * scale > 4 * PNG_SIDE_MAX || canvas->h * scale > 4 * PNG_SIDE_MAX))
		code = err_set(err, ERR_INVALID, "a picture of %dx%d pixels, %d times enlarged, is more than %d a side", canvas->w,
			canvas->h, (int)scale, 4 * PNG_SIDE_MAX);
	if (!code)
		code = png_write(&c->resp.body, canvas, (int)scale, err);
	canvas_close(canvas);
	if (code)
		return code;
	c->resp.status = 200;
	c->resp.type = format_type(FORMAT_PNG);
	return OK;
}

int call_png_file(struct call *c, struct buf *file, struct err *err)
{
	int64_t scale = 1;
	int code = uri_int(&c->req.uri, "scale", 1, 16, &scale, err), w, h, channels;
	struct canvas canvas;
	if (!code && scale > 1)
		code = png_peek(&w, &h, &channels, file->data, file->len, err);
	if (!code && scale > 1 && !(code = png_read(&canvas, file->data, file->len, channels, err)))
		code = call_png(c, &canvas, err);
	if (code || scale > 1) {
		buf_free(file);
		return code;
	}
	c->resp.status = 200;
	c->resp.type = format_type(FORMAT_PNG);
	c->resp.body = *file;
	*file = BUF_INIT;
	return OK;
}

bool call_etag(struct call *c, const char *etag)
{
	call_header(c, "ETag", "\"%s\"", etag);
	call_header(c, "Cache-Control", "private, no-cache");
	if (!etag_listed(c->req.if_none_match, etag))
		return false;
	c->resp.status = 304;
	return true;
}

bool call_unchanged(struct call *c, const char *source)
{
	struct buf key = BUF_INIT;
	char hex[SHA256_HEX], etag[33];
	buf_printf(&key, "%s %s %s", source, format_name(c->format), c->req.target);
	sha256_text(key.data ? key.data : "", key.len, hex);
	buf_free(&key);
	snprintf(etag, sizeof etag, "%.32s", hex);
	return call_etag(c, etag);
}

void call_problem(struct call *c, int status, const struct err *err)
{
	drop_reply(c);
	c->resp.status = status ? status : problem_status(err->code);
	c->resp.type = "application/problem+json";
	char instance[512];
	snprintf(instance, sizeof instance, "%.*s", (int)strcspn(c->req.target, "?"), c->req.target);
	problem_write(&c->resp.body, c->resp.status, err, &c->more, instance, c->id,
		c->problem_extra.len ? c->problem_extra.data : NULL);
	if (c->resp.status == 503 || c->resp.status == 429)
		call_header(c, "Retry-After", "5");
}

int call_body_json(struct call *c, struct json **ret, struct err *err)
{
	const struct buf *body = &c->req.body;
	return body->len ? json_parse(ret, body->data, body->len, err) : json_parse(ret, "{}", 2, err);
}

bool media_is(const char *content_type, const char *media)
{
	size_t n = strlen(media);
	if (!content_type || strncasecmp(content_type, media, n))
		return false;
	content_type += n + strspn(content_type + n, " \t");
	return !*content_type || *content_type == ';';
}
