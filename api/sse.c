#include "api/sse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const type_names[EVENT_TYPE_COUNT] = {
#define X(type, name) [type] = name,
	EVENT_TYPES(X)
#undef X
};

const char *event_type_name(enum event_type t)
{
	return type_names[t];
}

bool event_type_parse(const char *name, enum event_type *ret)
{
	for (int t = 0; t < EVENT_TYPE_COUNT; t++)
		if (!strcmp(type_names[t], name)) {
			*ret = (enum event_type)t;
			return true;
		}
	return false;
}

void sse_cursor(struct buf *b, const int64_t *cursor, int n)
{
	for (int i = 0; i < n; i++)
		buf_printf(b, "%s%lld", i ? "," : "", (long long)cursor[i]);
}

void sse_event(struct buf *b, const struct event *e, const int64_t *cursor, int n)
{
	buf_str(b, "id: ");
	sse_cursor(b, cursor, n);
	/* data is one line: compact JSON escapes every line break */
	buf_printf(b, "\nevent: %s\ndata: %s\n\n", event_type_name(e->type), e->data);
}

void sse_ping(struct buf *b)
{
	buf_str(b, ": ping\n\n");
}

/* --- lines for people --- */

static double number_of(const struct json *object, const char *key, double absent)
{
	const struct json *node = json_get(object, key);
	return node && json_type(node) == JSON_NUMBER ? json_number(node) : absent;
}

static const char *text_of(const struct json *object, const char *key)
{
	const struct json *node = json_get(object, key);
	return node && json_type(node) == JSON_STRING ? json_string(node) : NULL;
}

/* "21 s", "3 min 05 s", "1 h 02 min" */
static void duration(struct buf *b, double seconds)
{
	long s = (long)(seconds + .5);
	if (s < 60)
		buf_printf(b, "%ld s", s);
	else if (s < 3600)
		buf_printf(b, "%ld min %02ld s", s / 60, s % 60);
	else
		buf_printf(b, "%ld h %02ld min", s / 3600, s % 3600 / 60);
}

/* Members of epoch_end that are not one of its series. */
static bool is_frame(const char *key)
{
	static const char *const frame[] = {"epoch", "epochs", "seconds", "eta_ms"};
	for (size_t i = 0; i < sizeof frame / sizeof *frame; i++)
		if (!strcmp(frame[i], key))
			return true;
	return false;
}

static void metrics_text(struct buf *b, const struct json *data)
{
	const struct json *end = json_get(data, "epoch_end");
	if (!end || json_type(end) != JSON_OBJECT)
		return;
	buf_printf(b, "epoch %.0f/%.0f", number_of(end, "epoch", 0), number_of(end, "epochs", 0));
	for (const struct json *m = json_first(end); m; m = json_next(m))
		if (json_type(m) == JSON_NUMBER && !is_frame(json_key(m)))
			buf_printf(b, "  %s %#.4g", json_key(m), json_number(m));
	buf_printf(b, "  %.2f s", number_of(end, "seconds", 0));
	double eta_ms = number_of(end, "eta_ms", -1);
	if (eta_ms > 0) {
		buf_str(b, "  eta ");
		duration(b, eta_ms / 1000);
	}
	buf_str(b, "\n");
}

static void status_text(struct buf *b, const struct json *data)
{
	const char *job = text_of(data, "job"), *status = text_of(data, "status"), *reason = text_of(data, "stop_reason");
	buf_printf(b, "%s %s", job ? job : "job", status ? status : "?");
	if (reason && *reason)
		buf_printf(b, " (%s)", reason);
	buf_str(b, "\n");
}

/* "test  loss 0.4817  accuracy 0.829" */
static void end_text(struct buf *b, const struct json *data)
{
	const struct json *test = json_get(data, "test");
	if (!test || json_type(test) != JSON_OBJECT)
		return;
	buf_str(b, "test");
	for (const struct json *m = json_first(test); m; m = json_next(m))
		if (json_type(m) == JSON_NUMBER)
			buf_printf(b, "  %s %#.4g", json_key(m), json_number(m));
	buf_str(b, "\n");
}

static void log_text(struct buf *b, const struct json *data)
{
	const char *level = text_of(data, "level"), *message = text_of(data, "message");
	buf_printf(b, "%s: %s\n", level ? level : "info", message ? message : "");
}

void event_text(struct buf *b, const struct event *e)
{
	static void (*const printers[EVENT_TYPE_COUNT])(struct buf * b, const struct json *data) = {
		[EVENT_STATUS] = status_text,
		[EVENT_METRICS] = metrics_text,
		[EVENT_LOG] = log_text,
		[EVENT_ALERT] = log_text,
		[EVENT_END] = end_text,
	};
	struct json *data;
	if (!printers[e->type])
		return;
	if (json_parse(&data, e->data, strlen(e->data), NULL)) { /* it was written by us: there is no memory to read it */
		b->failed = true;
		return;
	}
	if (json_type(data) == JSON_OBJECT)
		printers[e->type](b, data);
	json_free(data);
}
