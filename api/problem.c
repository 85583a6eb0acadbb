#include "api/problem.h"

#include "api/json.h"

#include <stdio.h>
#include <string.h>

static const int status_of[ERR_COUNT] = {
	[ERR_SYNTAX] = 400,
	[ERR_INVALID] = 422,
	[ERR_NOT_FOUND] = 404,
	[ERR_CONFLICT] = 409,
	[ERR_UNSUPPORTED] = 422,
	[ERR_NO_JUDGE] = 422,
	[ERR_ACCEPT] = 406,
	[ERR_MEDIA] = 415,
	[ERR_TOO_LARGE] = 413,
	[ERR_FULL] = 429,
	[ERR_UNAVAILABLE] = 503,
	[ERR_DENIED] = 403,
	[ERR_IO] = 500,
	[ERR_NO_SPACE] = 507,
	[ERR_NO_MEMORY] = 503,
	[ERR_CORRUPT] = 500,
	[ERR_DATASET] = 422,
	[ERR_DATASET_CHANGED] = 409,
	[ERR_DIVERGED] = 500,
	[ERR_IN_USE] = 409,
	[ERR_KEY_REUSED] = 422,
	[ERR_INTERNAL] = 500,
};

/* RFC 9110 section 15, 6585, 4918. slug: of replies no err code stands for. */
static const struct status_row {
	int status;
	const char *title, *slug;
} statuses[] = {
	{400, "Bad Request", "bad_request"},
	{401, "Unauthorized", "unauthorized"},
	{403, "Forbidden", "forbidden"},
	{404, "Not Found", "not_found"},
	{405, "Method Not Allowed", "method_not_allowed"},
	{406, "Not Acceptable", "not_acceptable"},
	{408, "Request Timeout", "request_timeout"},
	{409, "Conflict", "conflict"},
	{411, "Length Required", "length_required"},
	{412, "Precondition Failed", "precondition_failed"},
	{413, "Content Too Large", "too_large"},
	{414, "URI Too Long", "uri_too_long"},
	{415, "Unsupported Media Type", "unsupported_media_type"},
	{416, "Range Not Satisfiable", "range_not_satisfiable"},
	{421, "Misdirected Request", "misdirected_request"},
	{422, "Unprocessable Content", "invalid_field"},
	{429, "Too Many Requests", "too_many_requests"},
	{431, "Request Header Fields Too Large", "headers_too_large"},
	{500, "Internal Server Error", "internal_error"},
	{501, "Not Implemented", "not_implemented"},
	{503, "Service Unavailable", "unavailable"},
	{507, "Insufficient Storage", "no_space"},
};

static const struct status_row *find(int status)
{
	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
		if (statuses[i].status == status)
			return &statuses[i];
	return NULL;
}

int problem_status(int code)
{
	return code > OK && code < ERR_COUNT ? status_of[code] : 500;
}

const char *problem_title(int status)
{
	const struct status_row *row = find(status);
	return row ? row->title : "Error";
}

const char *problem_slug(int status, int code)
{
	const struct status_row *row = find(status);
	return problem_status(code) == status || !row ? err_slug(code) : row->slug;
}

/* "#/params/channels/1" → "params.channels.1". */
static void field_name(char *ret, size_t size, const char *pointer)
{
	pointer += strspn(pointer, "#/");
	snprintf(ret, size, "%s", pointer);
	for (char *c = ret; *c; c++)
		if (*c == '/')
			*c = '.';
}

static void write_detail(struct jsonw *w, const struct err *err)
{
	char field[sizeof err->pointer], detail[sizeof field + sizeof err->message + 2];
	field_name(field, sizeof field, err->pointer);
	snprintf(detail, sizeof detail, "%s%s%s", field, *field ? ": " : "", err->message);
	jw_kstring(w, "detail", detail);
}

static void write_field(struct jsonw *w, const struct err *err)
{
	jw_object(w);
	jw_kstring(w, "pointer", err->pointer);
	jw_kstring(w, "detail", err->message);
	jw_end_object(w);
}

static void write_errors(struct jsonw *w, const struct err *err, const struct err_more *more)
{
	if (!*err->pointer)
		return;
	jw_key(w, "errors");
	jw_array(w);
	write_field(w, err);
	for (int i = 0; more && i < more->n; i++)
		write_field(w, &more->item[i]);
	jw_end_array(w);
}

void problem_write(struct buf *b, int status, const struct err *err, const struct err_more *more, const char *instance,
	const char *request_id, const char *extra)
{
	struct jsonw w;
	jw_init(&w, b, false);
	jw_object(&w);
	/* about:blank: the title is the status's own phrase; `code` is what a program tells problems apart by */
	jw_kstring(&w, "type", "about:blank");
	jw_kstring(&w, "title", problem_title(status));
	jw_kint(&w, "status", status);
	write_detail(&w, err);
	jw_kstring(&w, "instance", instance);
	jw_kstring(&w, "code", problem_slug(status, err->code));
	jw_kstring(&w, "request_id", request_id);
	write_errors(&w, err, more);
	if (extra)
		buf_str(b, extra);
	jw_end_object(&w);
	jw_end_document(&w);
}
