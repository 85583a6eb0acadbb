#include "server/handlers/event.h"

#include "api/view.h"
#include "server/handlers/handlers.h"
#include "server/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Several jobs, how far each is told, and, of a list, the events that come next. */
struct told {
	struct many jobs;
	struct stream_job place[STREAM_JOBS_MAX];
	bool all_told;
	struct {
		struct event *event;
		int n, at;
	} next[STREAM_JOBS_MAX];
};

static int cursor_error(const char *name, const char *text, const char *why, struct err *err)
{
	return err_set(err, ERR_INVALID, "%s must be the id of an event of these jobs, such as 12,7,0; got '%.60s': %s",
		name, text, why);
}

/* "12,7": the jobs after the second from their beginning. Last-Event-ID, then ?after=, as for one job. */
static int take_cursor(struct call *c, struct told *t, int njobs, struct err *err)
{
	const char *last = c->format == FORMAT_SSE ? c->req.last_event_id : NULL;
	const char *name = last && *last ? "Last-Event-ID" : "after",
			   *text = last && *last ? last : uri_get(&c->req.uri, "after");
	const char *at = text;
	for (int i = 0; at && *at; i++) {
		char *end;
		errno = 0;
		if (i == njobs)
			return cursor_error(name, text, "it has more numbers than there are jobs", err);
		long long seq = strtoll(at, &end, 10);
		if (*at < '0' || *at > '9' || errno || (*end && *end != ',') || (*end == ',' && !end[1]))
			return cursor_error(name, text, "these are no whole numbers by commas", err);
		t->place[i].after = seq;
		at = *end ? end + 1 : end;
	}
	return OK;
}

/* --- a list: what all of them have next, merged by time --- */

static int read_next(struct call *c, struct told *t, int most, struct err *err)
{
	int code = OK;
	for (int i = 0; i < t->jobs.n && !code; i++)
		code = store_events(
			c->daemon->store, t->place[i].id, t->place[i].after, most, &t->next[i].event, &t->next[i].n, err);
	return code;
}

/* Whose event comes first; -1: nobody has one. The clock may have been set back: of one job they stay in their order. */
static int earliest(const struct told *t)
{
	int best = -1;
	for (int i = 0; i < t->jobs.n; i++)
		if (t->next[i].at < t->next[i].n &&
			(best < 0 || t->next[i].event[t->next[i].at].at_ms < t->next[best].event[t->next[best].at].at_ms))
			best = i;
	return best;
}

static void write_id(struct jsonw *w, const char *key, const struct buf *id)
{
	jw_kstring(w, key, id->len ? id->data : NULL);
}

static void print_cursor(const struct told *t, struct buf *b)
{
	int64_t cursor[STREAM_JOBS_MAX];
	for (int i = 0; i < t->jobs.n; i++)
		cursor[i] = t->place[i].after;
	b->len = 0;
	sse_cursor(b, cursor, t->jobs.n);
}

static void view_next(struct jsonw *w, struct told *t, int limit)
{
	struct buf first = BUF_INIT, last = BUF_INIT;
	int i, n = 0;
	jw_object(w);
	jw_kstring(w, "object", "list");
	jw_key(w, "data");
	jw_array(w);
	while (n < limit && (i = earliest(t)) >= 0) {
		const struct event *e = &t->next[i].event[t->next[i].at++];
		view_event(w, e);
		t->place[i].after = e->seq;
		if (!n++)
			print_cursor(t, &first);
	}
	jw_end_array(w);
	if (n)
		print_cursor(t, &last);
	write_id(w, "first_id", &first);
	write_id(w, "last_id", &last);
	jw_kbool(w, "has_more", earliest(t) >= 0);
	jw_end_object(w);
	buf_free(&first);
	buf_free(&last);
}

static int list(struct call *c, struct told *t, struct err *err)
{
	int64_t limit = 100;
	struct jsonw w;
	int code = uri_int(&c->req.uri, "limit", 1, LIMIT_EVENTS, &limit, err);
	if (!code)
		code = read_next(c, t, (int)limit + 1, err);
	if (code)
		return code;
	call_json(c, &w, 200);
	view_next(&w, t, (int)limit);
	return call_json_end(c, &w, err);
}

static void told_free(struct told *t)
{
	for (int i = 0; i < t->jobs.n; i++) {
		for (int k = 0; k < t->next[i].n; k++)
			free(t->next[i].event[k].data);
		free(t->next[i].event);
	}
	many_free(&t->jobs);
	free(t);
}

static int answer(struct call *c, struct told *t, struct err *err)
{
	bool known[STREAM_JOBS_MAX] = {false};
	int n = many_count(c);
	int code = take_cursor(c, t, n < STREAM_JOBS_MAX ? n : STREAM_JOBS_MAX, err);
	for (int i = 0; i < STREAM_JOBS_MAX; i++)
		known[i] = t->place[i].after >
				   0; /* who has seen events of a job does not mistake its id: it was deleted, and has ended */
	if (!code)
		code = many_open(&t->jobs, c, STREAM_JOBS_MAX, known, err);
	t->all_told = true;
	for (int i = 0; i < t->jobs.n && !code; i++)
		code = event_place(c, &t->jobs.job[i], &t->place[i], &t->all_told, err);
	if (code)
		return code;
	return c->format == FORMAT_JSON ? list(c, t, err) : event_stream(c, t->place, t->jobs.n, t->all_told, err);
}

int h_events_many(struct call *c, struct err *err)
{
	struct told *t = calloc(1, sizeof *t);
	if (!t)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	int code = answer(c, t, err);
	told_free(t);
	return code;
}
