/* stream.h: a job's events as they are committed: SSE for programs, lines for people.
 *
 * Why: a reader is only a place in the stored events plus one batch of text, so a slow one costs nothing and slows nobody.
 * Threads: one reader (http.c's) and the hub take turns: whoever read everything parks the stream, the hub fills and wakes it.
 * Invariants: events come in order, without a gap or a repeat, from the first after `after`; the stream ends after the
 * `end` event of a job that has ended (one that is retried has more) or when the daemon drains; at most STREAMS_MAX are open.
 */
#ifndef LATENTD_SERVER_STREAM_H
#define LATENTD_SERVER_STREAM_H

#include "server/daemon.h"

#include <stddef.h>

enum { STREAMS_MAX = 256, STREAM_PING_MS = 15000 };

enum stream_form { STREAM_SSE, STREAM_TEXT };

struct stream;

/* ERR_UNAVAILABLE when too many are open. `after`: 0, or the last event the client has seen. */
int stream_open(struct stream **ret, struct daemon *d, const char *job_id, int64_t after, enum stream_form form, struct err *err);
void stream_close(struct stream *s);
/* Copies up to `size` bytes: their number, 0 when there is nothing yet (then park it), -1 at the end, -2 where it breaks off (its
 * client has to see that it was not the end). */
long stream_read(struct stream *s, char *bytes, size_t size);
/* Calls wake(ctx) once, from another thread, when stream_read has something to say. fd: the client's socket. */
void stream_park(struct stream *s, int fd, void (*wake)(void *ctx), void *ctx);

#endif
