/* call.h: one request and its reply, as handlers see them: no libmicrohttpd, no sockets, no threads.
 *
 * Life: http.c fills the request → door → route → the handler fills the reply (or fails, and the err becomes a problem) →
 * http.c sends it. A handler may also answer by a stream, or park the call until its job changes.
 * Owner: http.c; call_fini gives everything back. Strings of the request are borrowed and live as long as the call.
 */
#ifndef LATENTD_SERVER_CALL_H
#define LATENTD_SERVER_CALL_H

#include "api/job.h"
#include "api/json.h"
#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/data/grid.h"
#include "server/daemon.h"
#include "server/uri.h"

#include <stdbool.h>

/* method, name, changes state (the door looks closer) */
#define METHODS(X) \
	X(METHOD_GET, "GET", false) \
	X(METHOD_HEAD, "HEAD", false) \
	X(METHOD_OPTIONS, "OPTIONS", false) \
	X(METHOD_POST, "POST", true) \
	X(METHOD_PUT, "PUT", true) \
	X(METHOD_PATCH, "PATCH", true) \
	X(METHOD_DELETE, "DELETE", true)
enum method {
#define X(method, name, changes) method,
	METHODS(X)
#undef X
	METHOD_OTHER
};
enum method method_find(const char *name);
const char *method_name(enum method m); /* "OTHER" for METHOD_OTHER */
bool method_changes(enum method m);     /* true for METHOD_OTHER: what is unknown is not trusted */

/* format, suffix (NULL: none), media type, and the type that replies bear */
#define FORMATS(X) \
	X(FORMAT_JSON, ".json", "application/json", "application/json") \
	X(FORMAT_PNG, ".png", "image/png", "image/png") \
	X(FORMAT_NPY, ".npy", "application/x-npy", "application/x-npy") \
	X(FORMAT_CSV, ".csv", "text/csv", "text/csv; charset=utf-8") \
	X(FORMAT_TEXT, ".txt", "text/plain", "text/plain; charset=utf-8") \
	X(FORMAT_SVG, ".svg", "image/svg+xml", "image/svg+xml") \
	X(FORMAT_SSE, NULL, "text/event-stream", "text/event-stream") \
	X(FORMAT_FILE, NULL, "*/*", "application/octet-stream")
enum format {
#define X(format, suffix, media, type) format,
	FORMATS(X)
#undef X
	FORMAT_COUNT
};
/* Suffix without its dot, for people ("json"); "event-stream" and "file" for those without. */
const char *format_name(enum format f);
const char *format_suffix(enum format f);
const char *format_media(enum format f);
const char *format_type(enum format f);

enum { CALL_ARGS_MAX = 3, CALL_HEADERS_MAX = 12, CALL_HEADER_BYTES = 320, REQUEST_ID_SIZE = 24 };

struct request {
	enum method method;
	const char *target; /* raw, as sent */
	struct uri uri;
	const char *host, *origin, *sec_fetch_site, *authorization, *content_type, *accept, *last_event_id, *if_none_match, *range,
		*if_range, *idempotency_key;
	struct buf body;
	bool pretty;
};

struct stream;

struct response {
	int status; /* 0: not answered yet */
	const char *type;
	struct buf body;
	const void *fixed; /* instead of body: bytes that outlive every call */
	size_t fixed_bytes;
	struct stream *stream; /* instead of both: owned */
	struct call_file {     /* likewise: a file from its beginning on */
		bool open;
		int fd; /* owned */
		size_t bytes;
	} file;
	int nheaders;
	struct call_header {
		const char *name;
		char value[CALL_HEADER_BYTES];
	} header[CALL_HEADERS_MAX];
};

struct route;

struct call {
	struct daemon *daemon;
	struct request req;
	struct response resp;
	const struct route *route;
	char *arg[CALL_ARGS_MAX]; /* what the pattern's {…} matched, decoded */
	enum format format;
	char id[REQUEST_ID_SIZE];
	struct err_more more;     /* fields at fault beside the first */
	struct buf problem_extra; /* raw JSON members for the problem, ",\"current\":…" */
	/* parked until this job changes or the deadline: the handler runs again */
	char park_job[JOB_ID_SIZE];
	int64_t park_until_ms; /* monotonic; 0: not parked */
	int64_t wait_until_ms; /* when a handler that parks answers at the latest; its own to set */
	bool park_over;        /* nobody waits any more: answer now */
	unsigned ticket;       /* of what a handler that parks has asked for */
	bool streamed;         /* its duration says nothing */
	int64_t seen_commits;  /* hub_commits when the handler began: no change is missed */
	int64_t started_us;
};

/* OK, or the error that becomes the reply. */
typedef int handler_fn(struct call *c, struct err *err);

void call_fini(struct call *c);

/* --- replying --- */
void call_header(struct call *c, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Begins a JSON reply into resp.body; call_json_end closes the document. */
void call_json(struct call *c, struct jsonw *w, int status);
int call_json_end(struct call *c, struct jsonw *w, struct err *err);
/* The canvas as PNG, ?scale= times; closes the canvas. */
int call_png(struct call *c, struct canvas *canvas, struct err *err);
/* A picture file as it is stored, ?scale= times. Takes `file`. */
int call_png_file(struct call *c, struct buf *file, struct err *err);
/* A strong ETag and, when If-None-Match has it, 304 instead of a body: true. Call before the body is made. */
bool call_etag(struct call *c, const char *etag);
/* The same for a reply that follows from the request's URL, its format and `source` (a checksum) alone. */
bool call_unchanged(struct call *c, const char *source);
/* The problem+json reply of an error; status 0: as api/problem.h's table says. Replaces what was there. */
void call_problem(struct call *c, int status, const struct err *err);
/* A JSON request body; ERR_SYNTAX. An empty body is an empty object. json_free. */
int call_body_json(struct call *c, struct json **ret, struct err *err);
/* The request's content type without parameters is `media`. */
bool media_is(const char *content_type, const char *media);

#endif
