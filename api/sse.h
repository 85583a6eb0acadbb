/* sse.h: events as text: Server-Sent Events frames (WHATWG HTML 9.2) and lines for people. */
#ifndef LATENTD_API_SSE_H
#define LATENTD_API_SSE_H

#include "api/json.h"

#include <stdint.h>

/* type, name */
#define EVENT_TYPES(X) \
	X(EVENT_STATUS, "status") \
	X(EVENT_METRICS, "metrics") \
	X(EVENT_CHECKPOINT, "checkpoint") \
	X(EVENT_PREVIEW, "preview") \
	X(EVENT_LOG, "log") \
	X(EVENT_ALERT, "alert") \
	X(EVENT_END, "end")
enum event_type {
#define X(type, name) type,
	EVENT_TYPES(X)
#undef X
	EVENT_TYPE_COUNT
};
const char *event_type_name(enum event_type t);
bool event_type_parse(const char *name, enum event_type *ret);

struct event {
	int64_t seq; /* from 1, without gaps, per job */
	enum event_type type;
	int64_t at_ms;
	char *data; /* JSON object text, complete: seq, job, at_ms and what the type adds; malloc'd */
};

/* "12,7,0" */
void sse_cursor(struct buf *b, const int64_t *cursor, int n);
/* "id: 7\nevent: status\ndata: {…}\n\n"; of several jobs "id: 12,7,0\n…": for each of them the seq after which it goes on. */
void sse_event(struct buf *b, const struct event *e, const int64_t *cursor, int n);
void sse_ping(struct buf *b);
/* The line of events.txt for this event, or nothing:
 * "epoch 3/50  train_loss 0.01932  val_loss 0.01917  0.45 s  eta 21 s". */
void event_text(struct buf *b, const struct event *e);

#endif
