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
	struct watch_set set;
	struct daemon *daemon;
	enum stream_form form;
	struct watch_job job[STREAM_JOBS_MAX];
	int64_t after[STREAM_JOBS_MAX]; /* seq of its last event in `out` or before */
	bool due[STREAM_JOBS_MAX];      /* there may be events after that */
	bool over[STREAM_JOBS_MAX];     /* nothing follows, unless it is tried again */
	int turn;                       /* whose events come first in the next batch */
	int64_t spoke_ms;
	struct buf out;
	size_t taken; /* bytes of out that were read */
	bool ended;
	bool broken; /* ended before its end */
	void (*wake)(void *ctx);
	void *wake_ctx;
};

static atomic_int open_streams;

static void break_off(struct stream *s, int i, const struct err *err)
{
	log_warn("event stream ended", "job=%s error=%s", s->job[i].id, log_quote(err->message));
	s->ended = s->broken = true;
}

/* An end that a retry has taken back stands in the middle: only the last event of a job that has ended is its end. One that is
 * deleted meanwhile has ended, too. */
static bool is_over(struct stream *s, int i)
{
	bool over = true;
	struct err err = {0};
	int code = store_ended(s->daemon->store, s->job[i].id, s->after[i], &over, &err);
	if (code && code != ERR_NOT_FOUND)
		break_off(s, i, &err);
	return over;
}

static void append_event(struct stream *s, int i, const struct event *e)
{
	s->after[i] = e->seq;
	if (s->form == STREAM_SSE)
		sse_event(&s->out, e, s->after, s->set.n);
	else
		event_text(&s->out, e);
}

/* The next events of a job, at most `most`; how many. */
static int tell(struct stream *s, int i, int most)
{
	struct event *events = NULL;
	struct err err = {0};
	int n = 0;
	int code = store_events(s->daemon->store, s->job[i].id, s->after[i], most, &events, &n, &err);
	if (code && code != ERR_NOT_FOUND)
		break_off(s, i, &err);
	bool at_end = !n || events[n - 1].type == EVENT_END;
	for (int k = 0; k < n; k++) {
		append_event(s, i, &events[k]);
		free(events[k].data);
	}
	free(events);
	s->due[i] = n == most;
	s->over[i] = at_end && is_over(s, i);
	return n;
}

/* A batch of those that have something to tell, each in its turn. */
static int tell_all(struct stream *s)
{
	int told = 0, begin = s->turn;
	for (int k = 0; k < s->set.n && told < BATCH_EVENTS && !s->ended; k++) {
		int i = (begin + k) % s->set.n;
		if (s->due[i])
			told += tell(s, i, BATCH_EVENTS - told);
		s->turn = (i + 1) % s->set.n;
	}
	return told;
}

static bool all(const bool *of, int n, bool value)
{
	for (int i = 0; i < n; i++)
		if (of[i] != value)
			return false;
	return true;
}

/* The next batch, or a ping when it was silent for long. False: still nothing to say (not every event makes a line of text). */
static bool fill(struct stream *s)
{
	s->out.len = s->taken = 0;
	hub_take(s->daemon->hub, &s->set, s->due);
	int n = tell_all(s);
	if (s->out.failed) { /* nothing of it is sent: who comes back asks for it again */
		s->out.len = 0;
		s->ended = s->broken = true;
		return true;
	}
	bool told = all(s->due, s->set.n, false);
	int64_t now = clock_ms();
	if (!n && s->form == STREAM_SSE && now - s->spoke_ms >= STREAM_PING_MS)
		sse_ping(&s->out);
	if (s->out.len)
		s->spoke_ms = now;
	if (told && (all(s->over, s->set.n, true) || atomic_load(&s->daemon->draining)))
		s->ended = true;
	return s->out.len || s->ended;
}

static void arm(struct stream *s)
{
	s->watch.due_ms = s->form == STREAM_SSE ? s->spoke_ms + STREAM_PING_MS : INT64_MAX;
	if (!all(s->due, s->set.n, false)) /* there may be more: at once */
		s->watch.due_ms = 0;
	hub_arm(s->daemon->hub, &s->watch, 0);
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

int stream_open(struct stream **ret, struct daemon *d, const struct stream_job *jobs, int n, enum stream_form form, struct err *err)
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
	s->spoke_ms = clock_ms();
	s->watch.fire = fire;
	s->watch.hangup_fd = -1;
	s->watch.set = &s->set;
	s->set = (struct watch_set){.job = s->job, .n = n, .watch = &s->watch};
	for (int i = 0; i < n; i++) {
		snprintf(s->job[i].id, sizeof s->job[i].id, "%s", jobs[i].id);
		s->after[i] = jobs[i].after;
		s->due[i] = true; /* so that parking fires at once */
	}
	if (form == STREAM_SSE)
		buf_str(&s->out, "retry: 2000\n\n");
	hub_join(d->hub, &s->set);
	metrics_sse_clients(1);
	*ret = s;
	return OK;
}

void stream_close(struct stream *s)
{
	hub_disarm(s->daemon->hub, &s->watch);
	hub_leave(s->daemon->hub, &s->set);
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
