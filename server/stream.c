#include "server/stream.h"

#include "server/clock.h"
#include "server/log.h"
#include "server/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_EVENTS = 200 };

struct stream {
	struct watch watch; /* first: fire() gets its address */
	struct daemon *daemon;
	enum stream_form form;
	int64_t after; /* seq of the last event in `out` or before */
	int64_t seen_commits;
	int64_t spoke_ms;
	struct buf out;
	size_t taken; /* bytes of out that were read */
	bool at_end;  /* the last event was an end */
	bool ended;
	bool broken; /* ended before its end */
	void (*wake)(void *ctx);
	void *wake_ctx;
};

static atomic_int open_streams;

static void append_event(struct stream *s, const struct event *e)
{
	if (s->form == STREAM_SSE)
		sse_event(&s->out, e);
	else
		event_text(&s->out, e);
	s->after = e->seq;
	s->at_end = e->type == EVENT_END;
}

/* An end that a retry has taken back stands in the middle: only the last event of a job that has ended is its end. */
static bool is_over(struct stream *s)
{
	bool over = false;
	struct err err;
	if (s->at_end && store_ended(s->daemon->store, s->watch.job, s->after, &over, &err)) {
		log_warn("event stream ended", "job=%s error=%s", s->watch.job, log_quote(err.message));
		over = true;
	}
	return over;
}

/* The next batch, or a ping when it was silent for long. False: still nothing to say (not every event makes a line of text). */
static bool fill(struct stream *s)
{
	struct event *events = NULL;
	struct err err;
	int n = 0;
	s->seen_commits = hub_commits(s->daemon->hub);
	s->out.len = s->taken = 0;
	if (store_events(s->daemon->store, s->watch.job, s->after, BATCH_EVENTS, &events, &n, &err)) {
		log_warn("event stream ended", "job=%s error=%s", s->watch.job, log_quote(err.message));
		s->ended = s->broken = true;
	}
	for (int i = 0; i < n; i++) {
		append_event(s, &events[i]);
		free(events[i].data);
	}
	free(events);
	if (s->out.failed) { /* nothing of it is sent: who comes back asks for it again */
		s->out.len = 0;
		s->ended = s->broken = true;
		return true;
	}
	s->ended = s->ended || (n && is_over(s));
	if (n == BATCH_EVENTS)
		s->seen_commits = -1; /* there may be more: the next parking fires at once */
	int64_t now = clock_ms();
	if (!n && s->form == STREAM_SSE && now - s->spoke_ms >= STREAM_PING_MS)
		sse_ping(&s->out);
	if (s->out.len)
		s->spoke_ms = now;
	if (n < BATCH_EVENTS && atomic_load(&s->daemon->draining))
		s->ended = true;
	return s->out.len || s->ended;
}

static void arm(struct stream *s)
{
	s->watch.due_ms = s->form == STREAM_SSE ? s->spoke_ms + STREAM_PING_MS : INT64_MAX;
	hub_arm(s->daemon->hub, &s->watch, s->seen_commits);
}

/* On the hub's thread. After wake() the reader owns the stream, and may close it. */
static void fire(struct watch *w)
{
	struct stream *s = (struct stream *)w;
	s->ended = s->ended || w->peer_gone;
	if (s->ended || fill(s))
		s->wake(s->wake_ctx);
	else
		arm(s);
}

int stream_open(
	struct stream **ret, struct daemon *d, const char *job_id, int64_t after, enum stream_form form, struct err *err)
{
	if (atomic_fetch_add(&open_streams, 1) >= STREAMS_MAX) {
		atomic_fetch_sub(&open_streams, 1);
		return err_set(err, ERR_UNAVAILABLE, "%d event streams are open already", STREAMS_MAX);
	}
	struct stream *s = calloc(1, sizeof *s);
	if (!s) {
		atomic_fetch_sub(&open_streams, 1);
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	}
	s->daemon = d;
	s->form = form;
	s->after = after;
	s->seen_commits = -1; /* so that parking fires at once */
	s->spoke_ms = clock_ms();
	s->watch.fire = fire;
	s->watch.hangup_fd = -1;
	snprintf(s->watch.job, sizeof s->watch.job, "%s", job_id);
	if (form == STREAM_SSE)
		buf_str(&s->out, "retry: 2000\n\n");
	metrics_sse_clients(1);
	*ret = s;
	return OK;
}

void stream_close(struct stream *s)
{
	hub_disarm(s->daemon->hub, &s->watch);
	buf_free(&s->out);
	free(s);
	metrics_sse_clients(-1);
	atomic_fetch_sub(&open_streams, 1);
}

long stream_read(struct stream *s, char *bytes, size_t size)
{
	size_t left = s->out.len - s->taken;
	if (!left)
		return s->broken ? -2 : s->ended ? -1 : 0;
	size_t n = left < size ? left : size;
	memcpy(bytes, s->out.data + s->taken, n);
	s->taken += n;
	return (long)n;
}

void stream_park(struct stream *s, int fd, void (*wake)(void *ctx), void *ctx)
{
	s->wake = wake;
	s->wake_ctx = ctx;
	s->watch.hangup_fd = fd;
	arm(s);
}
