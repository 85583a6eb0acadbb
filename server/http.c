#include "server/http.h"

#include "api/problem.h"
#include "server/admit.h"
#include "server/clock.h"
#include "server/crash.h"
#include "server/lanes.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/stream.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NETWORK_THREADS = 2, CONNECTION_BYTES = 32 * 1024, STREAM_BYTES = 16 * 1024, CLOSE_GRACE_MS = 1000 };

struct http {
	struct daemon *daemon;
	struct door door;
	struct MHD_Daemon *mhd;
	struct lanes *lanes;
	uint64_t id_base;
	atomic_uint_fast64_t id_next;
	atomic_int exchanges; /* calls that have not ended */
	atomic_int suspended; /* connections that only a lane or the hub can bring back */
	atomic_bool closing;
};

/* One accepted socket and the moment by which its client must have gone on. */
enum wire_phase { WIRE_HEADERS, WIRE_BODY };
struct wire {
	struct watch watch; /* first: its fire gets its address */
	struct http *http;
	int fd;
	enum wire_phase phase;
	const char *target; /* of the request whose body is read; borrowed from it */
};

enum phase { PHASE_HEADERS, PHASE_BODY, PHASE_AWAY, PHASE_DONE };

/* One request on its way through the library's callbacks. AWAY: suspended; a lane or the hub has it. */
struct exchange {
	struct call call;
	struct http *http;
	struct MHD_Connection *connection;
	struct wire *wire;
	enum phase phase;
	size_t body_limit;
	bool body_too_large, close_after;
	bool refused; /* call.resp is the reply already; the body is read only so that it reaches the client */
	struct lane_task task;
	struct watch watch; /* parked until a job changes */
};

#define FROM(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

static void make_id(struct http *h, char id[REQUEST_ID_SIZE])
{
	uint64_t n = h->id_base + atomic_fetch_add(&h->id_next, 1) * 0x9e3779b97f4a7c15u;
	snprintf(id, REQUEST_ID_SIZE, "req_%016llx", (unsigned long long)n);
}

/* --- suspending --- */

/* False while closing: the library may only stop once nothing is suspended, so nothing is any more. */
static bool suspend(struct http *h, struct MHD_Connection *connection)
{
	atomic_fetch_add(&h->suspended, 1);
	if (atomic_load(&h->closing)) {
		atomic_fetch_sub(&h->suspended, 1);
		return false;
	}
	MHD_suspend_connection(connection);
	return true;
}

/* The network thread has the connection then, and may end whatever belongs to it. */
static void resume(struct http *h, struct MHD_Connection *connection)
{
	MHD_resume_connection(connection);
	atomic_fetch_sub(&h->suspended, 1);
}

/* --- headers every reply bears --- */

static const struct {
	const char *name, *value;
} common_headers[] = {
	{"Content-Security-Policy", "default-src 'self'; img-src 'self' blob: data:; style-src 'self'; object-src 'none'; "
								"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"},
	{"X-Content-Type-Options", "nosniff"},
	{"X-Frame-Options", "DENY"},
	{"Referrer-Policy", "no-referrer"},
	{"Cross-Origin-Opener-Policy", "same-origin"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
};

/* --- deadlines --- */

/* While a body is read the library takes no reply, and none was sent on this connection but perhaps "100 Continue". */
static void refuse_midway(struct wire *w, int status, const struct err *err)
{
	struct buf text = BUF_INIT;
	struct call c = {.daemon = w->http->daemon, .req.target = w->target};
	make_id(w->http, c.id);
	call_problem(&c, status, err);
	buf_printf(&text, "HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Type: %s\r\nContent-Length: %zu\r\n", status,
		problem_title(status), c.resp.type, c.resp.body.len);
	for (size_t i = 0; i < sizeof common_headers / sizeof *common_headers; i++)
		buf_printf(&text, "%s: %s\r\n", common_headers[i].name, common_headers[i].value);
	buf_printf(&text, "Cache-Control: no-store\r\nX-Request-Id: %s\r\n\r\n", c.id);
	buf_append(&text, c.resp.body.data, c.resp.body.len);
	if (!text.failed && send(w->fd, text.data, text.len, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)text.len)
		metrics_http_request(method_name(METHOD_OTHER), "none", status);
	shutdown(w->fd, SHUT_WR);
	buf_free(&text);
	call_fini(&c);
}

/* The socket is still the client's: the library closes it only after hub_disarm in on_connection. */
static void wire_late(struct watch *watch)
{
	struct wire *w = (struct wire *)watch;
	struct err err = {0};
	err_set(&err, ERR_INVALID, "the body did not arrive within %d seconds", HTTP_BODY_MS / 1000);
	if (w->phase == WIRE_BODY)
		refuse_midway(w, 408, &err);
	shutdown(w->fd, SHUT_RDWR);
}

static void wire_expect(struct wire *w, enum wire_phase phase, int64_t within_ms)
{
	struct hub *hub = w->http->daemon->hub;
	hub_disarm(hub, &w->watch);
	w->phase = phase;
	w->watch.due_ms = clock_ms() + within_ms;
	hub_arm(hub, &w->watch, 0);
}

static void on_connection(
	void *cls, struct MHD_Connection *connection, void **context, enum MHD_ConnectionNotificationCode code)
{
	struct http *h = cls;
	crash_serves_requests();
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
		struct wire *w = calloc(1, sizeof *w);
		if (!w || !info) {
			free(w);
			return; /* requests on it are answered 503 */
		}
		w->http = h;
		w->fd = info->connect_fd;
		w->watch.fire = wire_late;
		w->watch.hangup_fd = -1;
		*context = w;
		wire_expect(w, WIRE_HEADERS, HTTP_HEADER_MS);
	} else if (*context) {
		struct wire *w = *context;
		hub_disarm(h->daemon->hub, &w->watch);
		free(w);
		*context = NULL;
	}
}

/* --- replying --- */

static void wake_stream(void *ctx)
{
	struct exchange *x = ctx;
	resume(x->http, x->connection);
}

struct source {
	struct stream *stream;
	struct exchange *exchange;
};

static ssize_t read_stream(void *cls, uint64_t position, char *bytes, size_t size)
{
	(void)position;
	struct source *source = cls;
	struct exchange *x = source->exchange;
	long n = stream_read(source->stream, bytes, size);
	if (n < 0)
		return n == -1 ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
	if (n)
		return n;
	if (!suspend(x->http, x->connection))
		return MHD_CONTENT_READER_END_OF_STREAM;
	stream_park(source->stream, x->wire->fd, wake_stream, x);
	return 0;
}

static void free_stream(void *cls)
{
	struct source *source = cls;
	stream_close(source->stream);
	free(source);
}

static struct MHD_Response *make_stream(struct exchange *x)
{
	struct source *source = malloc(sizeof *source);
	if (!source)
		return NULL;
	*source = (struct source){x->call.resp.stream, x};
	struct MHD_Response *r =
		MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BYTES, read_stream, source, free_stream);
	if (r)
		x->call.resp.stream = NULL; /* free_stream closes it */
	else
		free(source);
	return r;
}

static struct MHD_Response *make_response(struct exchange *x)
{
	struct response *resp = &x->call.resp;
	if (resp->stream)
		return make_stream(x);
	if (resp->file.open) {
		struct MHD_Response *r = MHD_create_response_from_fd64(resp->file.bytes, resp->file.fd);
		resp->file.open = r == NULL; /* else the library closes it */
		return r;
	}
	if (resp->fixed)
		return MHD_create_response_from_buffer(resp->fixed_bytes, (void *)resp->fixed, MHD_RESPMEM_PERSISTENT);
	size_t size = 0;
	bool failed = resp->body.failed;
	char *bytes = buf_take(&resp->body, &size);
	if (failed)
		return NULL;
	if (!bytes)
		return MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);
	struct MHD_Response *r = MHD_create_response_from_buffer(size, bytes, MHD_RESPMEM_MUST_FREE);
	if (!r)
		free(bytes);
	return r;
}

static void add_headers(struct exchange *x, struct MHD_Response *r)
{
	const struct response *resp = &x->call.resp;
	bool caching = false;
	for (size_t i = 0; i < sizeof common_headers / sizeof *common_headers; i++)
		MHD_add_response_header(r, common_headers[i].name, common_headers[i].value);
	for (int i = 0; i < resp->nheaders; i++) {
		MHD_add_response_header(r, resp->header[i].name, resp->header[i].value);
		caching = caching || !strcmp(resp->header[i].name, "Cache-Control");
	}
	if (!caching)
		MHD_add_response_header(r, "Cache-Control", "no-store");
	if (resp->type && resp->status != 304)
		MHD_add_response_header(r, "Content-Type", resp->type);
	if (x->call.route && x->call.route->nformats > 1)
		MHD_add_response_header(r, "Vary", "Accept");
	MHD_add_response_header(r, "X-Request-Id", x->call.id);
	if (x->close_after)
		MHD_add_response_header(r, "Connection", "close");
}

static enum MHD_Result reply(struct exchange *x)
{
	struct MHD_Response *r = make_response(x);
	if (!r)
		return MHD_NO; /* out of memory: the connection is closed */
	add_headers(x, r);
	enum MHD_Result queued = MHD_queue_response(x->connection, (unsigned)x->call.resp.status, r);
	MHD_destroy_response(r);
	return queued;
}

/* --- handlers, away from the network threads --- */

static void come_back(struct exchange *x)
{
	x->phase = PHASE_DONE;
	resume(x->http, x->connection);
}

static void run_on_lane(struct lane_task *task)
{
	struct exchange *x = FROM(task, struct exchange, task);
	call_run(&x->call);
	if (!x->call.park_until_ms || x->call.resp.status) {
		come_back(x);
		return;
	}
	snprintf(x->watch.job, sizeof x->watch.job, "%s", x->call.park_job);
	x->watch.due_ms = x->call.park_until_ms;
	x->watch.hangup_fd = x->wire->fd;
	hub_arm(x->http->daemon->hub, &x->watch, x->call.seen_commits);
}

/* Its job changed, its time is up, or its client has gone (then the answer goes nowhere). */
static void unpark(struct watch *watch)
{
	struct exchange *x = FROM(watch, struct exchange, watch);
	x->call.park_over = x->call.park_over || watch->peer_gone;
	lanes_submit(x->http->lanes, &x->task, true);
}

/* To a lane; or, if that is not possible, an answer that says so. */
static bool send_away(struct exchange *x)
{
	struct err err = {0};
	x->phase = PHASE_AWAY;
	if (!suspend(x->http, x->connection)) {
		err_set(&err, ERR_UNAVAILABLE, "the daemon is stopping");
		call_problem(&x->call, 0, &err);
		return false;
	}
	if (!lanes_submit(x->http->lanes, &x->task, false)) {
		err_set(&err, ERR_UNAVAILABLE, "too many requests wait already");
		call_problem(&x->call, 0, &err);
		come_back(x);
	}
	return true;
}

/* The request is whole. */
static enum MHD_Result dispatch(struct exchange *x)
{
	if (x->call.req.body.failed || x->body_too_large)
		return MHD_NO; /* closed: out of memory, or refused already */
	if (!x->refused && x->call.route->flags & ROUTE_INLINE)
		call_run(&x->call);
	else if (!x->refused && send_away(x))
		return MHD_YES;
	x->phase = PHASE_DONE;
	return reply(x);
}

/* --- reading a request --- */

static void *on_target(void *cls, const char *target, struct MHD_Connection *connection)
{
	struct http *h = cls;
	struct exchange *x = calloc(1, sizeof *x);
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	char *copy = strdup(target);
	if (!x || !copy) {
		free(x);
		free(copy);
		return NULL;
	}
	x->http = h;
	x->connection = connection;
	x->wire = info ? info->socket_context : NULL;
	x->call.daemon = h->daemon;
	x->call.req.target = copy;
	x->call.started_us = clock_us();
	x->task.run = run_on_lane;
	x->watch.fire = unpark;
	make_id(h, x->call.id);
	atomic_fetch_add(&h->exchanges, 1);
	return x;
}

/* RFC 9110 5.6.2: "Content-Length : 5" is a header of another name to the library, and Content-Length to some proxies. */
static const char token_characters[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

static enum MHD_Result count_header(void *cls, enum MHD_ValueKind kind, const char *key, const char *value)
{
	(void)kind;
	struct door_framing *f = cls;
	f->strange_names += !key[0] || key[strspn(key, token_characters)];
	if (!strcasecmp(key, "Host"))
		f->hosts++;
	if (!strcasecmp(key, "Content-Length") && !f->content_lengths++)
		f->content_length = value ? value : "";
	if (!strcasecmp(key, "Transfer-Encoding") && !f->transfer_encodings++)
		f->transfer_encoding = value ? value : "";
	return MHD_YES;
}

static void take_headers(struct exchange *x, const char *method, const char *version, struct door_framing *f)
{
	struct request *req = &x->call.req;
	const struct {
		const char *name;
		const char **value;
	} wanted[] = {{"Host", &req->host}, {"Origin", &req->origin}, {"Sec-Fetch-Site", &req->sec_fetch_site},
		{"Authorization", &req->authorization}, {"Content-Type", &req->content_type}, {"Accept", &req->accept},
		{"Last-Event-ID", &req->last_event_id}, {"If-None-Match", &req->if_none_match}, {"Range", &req->range},
		{"If-Range", &req->if_range}, {"Idempotency-Key", &req->idempotency_key}};
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
		*wanted[i].value = MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, wanted[i].name);
	req->method = method_find(method);
	*f = (struct door_framing){.http_1_1 = !strcmp(version, "HTTP/1.1")};
	MHD_get_connection_values(x->connection, MHD_HEADER_KIND, count_header, f);
}

/* Closing a socket with unread bytes resets it, and the reply may be lost: a body that is on its way is read first, unless the
 * framing cannot be trusted, it is too large, or the client waits to be told to send it. */
static bool worth_reading(const struct exchange *x, const struct door_framing *f)
{
	bool has_body = f->transfer_encodings || (f->content_lengths && strcmp(f->content_length, "0") != 0);
	bool waits = MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, "Expect");
	return has_body && !waits && !x->close_after && x->call.resp.status != 413;
}

/* The headers are complete. */
static enum MHD_Result begin(struct exchange *x, const char *method, const char *version)
{
	struct door_framing framing;
	take_headers(x, method, version, &framing);
	struct admission a = {
		&x->http->door, &framing, x->http->daemon->config->path_prefix, &x->body_limit, &x->close_after};
	x->phase = PHASE_BODY;
	x->refused = !call_admit(&x->call, &a);
	if (x->refused && !worth_reading(x, &framing)) {
		x->phase = PHASE_DONE;
		return reply(x);
	}
	x->wire->target = x->call.req.target;
	wire_expect(x->wire, WIRE_BODY, HTTP_BODY_MS);
	return MHD_YES;
}

/* Only a chunked body can turn out too large here. It is refused at once and then swallowed: a client that still writes would be
 * reset before it reads the reply. Its deadline bounds that. */
static void take_body(struct exchange *x, const char *bytes, size_t size)
{
	struct buf *body = &x->call.req.body;
	struct err err = {0};
	if (x->refused || x->body_too_large)
		return;
	if (size <= x->body_limit - body->len) {
		buf_append(body, bytes, size);
		return;
	}
	x->body_too_large = true;
	buf_free(body);
	refuse_midway(x->wire, door_size((uint64_t)x->body_limit + 1, x->body_limit, &err), &err);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
	const char *version, const char *upload, size_t *upload_size, void **context)
{
	(void)cls, (void)connection, (void)url;
	struct exchange *x = *context;
	if (!x || !x->wire)
		return MHD_NO; /* out of memory when it came */
	if (x->phase == PHASE_HEADERS)
		return begin(x, method, version);
	if (x->phase == PHASE_DONE)
		return reply(x);
	if (*upload_size) {
		take_body(x, upload, *upload_size);
		*upload_size = 0;
		return MHD_YES;
	}
	hub_disarm(x->http->daemon->hub, &x->wire->watch);
	return dispatch(x);
}

static void on_completed(
	void *cls, struct MHD_Connection *connection, void **context, enum MHD_RequestTerminationCode code)
{
	(void)connection, (void)code;
	struct http *h = cls;
	struct exchange *x = *context;
	if (!x)
		return;
	const struct call *c = &x->call;
	hub_disarm(h->daemon->hub, &x->watch);
	if (c->resp.status) {
		double seconds = (double)(clock_us() - c->started_us) * 1e-6;
		metrics_http_request(method_name(c->req.method), c->route ? c->route->pattern : "none", c->resp.status);
		if (!c->streamed)
			metrics_observe(METRIC_HTTP_SECONDS, seconds);
		log_debug("request", "id=%s method=%s target=%s status=%d ms=%.3f", c->id, method_name(c->req.method),
			log_quote(c->req.target), c->resp.status, seconds * 1e3);
	}
	if (x->wire)
		wire_expect(x->wire, WIRE_HEADERS, HTTP_IDLE_MS);
	free((char *)c->req.target);
	call_fini(&x->call);
	free(x);
	*context = NULL;
	atomic_fetch_sub(&h->exchanges, 1);
}

/* --- the library --- */

__attribute__((format(printf, 2, 0))) static void on_log(void *cls, const char *format, va_list args)
{
	(void)cls;
	char text[400];
	vsnprintf(text, sizeof text, format, args);
	text[strcspn(text, "\n")] = '\0';
	log_debug("libmicrohttpd", "text=%s", log_quote(text));
}

/* The target is decoded in uri.c, from the raw text. */
static size_t leave_escaped(void *cls, struct MHD_Connection *connection, char *text)
{
	(void)cls, (void)connection;
	return strlen(text);
}

/* Some descriptors are for nobody's connection: the database, its readers, checkpoints. Without one a job could not be saved. */
static unsigned connections(void)
{
	enum { SPARE = 48, FEWEST = 4 };
	struct rlimit r;
	if (getrlimit(RLIMIT_NOFILE, &r) || r.rlim_cur >= HTTP_CONNECTIONS_MAX + SPARE)
		return HTTP_CONNECTIONS_MAX;
	return r.rlim_cur > SPARE + FEWEST ? (unsigned)r.rlim_cur - SPARE : FEWEST;
}

/* Not its strict mode: that answers a missing Host with a page of its own, whose header it sends twice; door_framing is stricter. */
static struct MHD_Daemon *start(struct http *h, int listen_fd)
{
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG;
	return MHD_start_daemon(flags, 0, NULL, NULL, on_request, h, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
		MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_THREAD_POOL_SIZE, (unsigned)NETWORK_THREADS,
		MHD_OPTION_STRICT_FOR_CLIENT, 0, MHD_OPTION_CONNECTION_LIMIT, connections(), MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)(HTTP_IDLE_MS / 1000), MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
		MHD_OPTION_URI_LOG_CALLBACK, on_target, h, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, h, MHD_OPTION_NOTIFY_COMPLETED, on_completed, h, MHD_OPTION_END);
}

int http_open(struct http **ret, struct daemon *d, const struct door *door, int listen_fd, struct err *err)
{
	struct http *h = calloc(1, sizeof *h);
	if (!h)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	h->daemon = d;
	h->door = *door;
	if (getrandom(&h->id_base, sizeof h->id_base, 0) != sizeof h->id_base)
		h->id_base = (uint64_t)clock_wall_ms(); /* ids need only differ, not be secret */
	int code = lanes_open(&h->lanes, LANES_COUNT, err);
	if (!code && !(h->mhd = start(h, listen_fd))) {
		code = err_set(err, ERR_IO, "libmicrohttpd does not start");
		lanes_close(h->lanes);
	}
	if (code)
		free(h);
	else
		*ret = h;
	return code;
}

void http_drain(struct http *h)
{
	hub_wake_all(h->daemon->hub);
}

void http_close(struct http *h)
{
	MHD_socket fd = MHD_quiesce_daemon(h->mhd);
	atomic_store(&h->closing, true);
	hub_wake_all(h->daemon->hub);
	int64_t until = clock_ms() + CLOSE_GRACE_MS;
	while (atomic_load(&h->suspended) || (atomic_load(&h->exchanges) && clock_ms() < until))
		usleep(2000);
	lanes_close(h->lanes);
	MHD_stop_daemon(h->mhd);
	if (fd != MHD_INVALID_SOCKET)
		close(fd);
	free(h);
}
