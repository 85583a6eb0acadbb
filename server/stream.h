/* stream.h: the events of a job, or of several, as they are committed: SSE for programs, lines for people.
 *
 * Why: a reader is only a place in the stored events plus one batch of text, so a slow one costs nothing and slows nobody. Of several
 * jobs that is a place in each, and only those that have changed are read.
 * Threads: one reader (http.c's) and the hub take turns: whoever read everything parks the stream, the hub fills and wakes it.
 * Invariants: a job's events come in order, without a gap or a repeat, from the first after `after`, and the id of each says how far
 * every job of the stream was told; the stream ends after the `end` event of the last job that has ended (one that is retried has
 * more; one that is deleted has ended) or when the daemon drains; at most STREAMS_MAX are open.
 */
#ifndef LATENTD_SERVER_STREAM_H
#define LATENTD_SERVER_STREAM_H

#include "server/daemon.h"

#include <stddef.h>

enum { STREAMS_MAX = 256, STREAM_JOBS_MAX = 100, STREAM_PING_MS = 15000 };

enum stream_form { STREAM_SSE, STREAM_TEXT };

struct stream;

struct stream_job {
	const char *id;
	int64_t after; /* 0, or the last event that the client has seen of it */
};
/* 1 <= n <= STREAM_JOBS_MAX. ERR_UNAVAILABLE when too many are open. */
int stream_open(
	struct stream **ret, struct daemon *d, const struct stream_job *jobs, int n, enum stream_form form, struct err *err);
void stream_close(struct stream *s);
/* Copies up to `size` bytes: their number, 0 when there is nothing yet (then park it), -1 at the end, -2 where it breaks off (its
 * client has to see that it was not the end). */
long stream_read(struct stream *s, char *bytes, size_t size);
/* Calls wake(ctx) once, from another thread, when stream_read has something to say. fd: the client's socket. */
void stream_park(struct stream *s, int fd, void (*wake)(void *ctx), void *ctx);

#endif
