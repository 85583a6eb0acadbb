#include "server/handlers/event.h"

#include "api/view.h"
#include "server/handlers/handlers.h"
#include "server/limits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Last-Event-ID, then ?after=: an EventSource that reconnects repeats the URL it was opened with. */
static int take_after(struct call *c, int64_t *ret, struct err *err)
{
	const char *last = c->format == FORMAT_SSE ? c->req.last_event_id : NULL;
	*ret = 0;
	if (!last || !*last)
		return uri_int(&c->req.uri, "after", 0, INT64_MAX, ret, err);
	char *end;
	errno = 0;
	long long n = strtoll(last, &end, 10);
	if (strspn(last, "0123456789") != strlen(last) || errno)
		return err_set(err, ERR_INVALID, "Last-Event-ID must be the id of an event, got '%.60s'", last);
	*ret = n;
	return OK;
}

int event_place(struct call *c, const struct many_job *job, struct stream_job *place, bool *all_told, struct err *err)
{
	int64_t newest = 0;
	int code = job->gone ? OK : store_last_seq(c->daemon->store, job->id, &newest, err);
	if (code)
		return code;
	place->id = job->id;
	*all_told &= job_terminal(job->status) && place->after >= newest;
	place->after = place->after < newest ? place->after : newest;
	return OK;
}

int event_stream(struct call *c, const struct stream_job *places, int n, bool all_told, struct err *err)
{
	if (atomic_load(&c->daemon->draining))
		return err_set(err, ERR_UNAVAILABLE, "the daemon is stopping");
	if (all_told) {
		c->resp.status = 204; /* and no other status keeps an EventSource from coming back */
		return OK;
	}
	enum stream_form form = c->format == FORMAT_SSE ? STREAM_SSE : STREAM_TEXT;
	int code = stream_open(&c->resp.stream, c->daemon, places, n, form, err);
	if (code)
		return code;
	c->resp.status = 200;
	c->resp.type = format_type(c->format);
	c->streamed = true;
	call_header(c, "Cache-Control", "no-cache, no-transform");
	call_header(c, "X-Accel-Buffering", "no"); /* nginx would hold events back */
	return OK;
}

static int open_stream(struct call *c, const struct job *job, int64_t after, struct err *err)
{
	struct stream_job place = {.after = after};
	struct many_job one = {.status = job->status};
	bool all_told = true;
	snprintf(one.id, sizeof one.id, "%s", job->id);
	int code = event_place(c, &one, &place, &all_told, err);
	return code ? code : event_stream(c, &place, 1, all_told, err);
}

struct page {
	const char *types; /* NULL: all */
	int64_t after;     /* events with a larger seq */
	int limit;
	bool descending;
};

static int check_types(const char *list, struct err *err)
{
	enum event_type type;
	for (const char *at = list; at; at += strcspn(at, ","), at = *at ? at + 1 : NULL) {
		char name[16];
		snprintf(name, sizeof name, "%.*s", (int)strcspn(at, ","), at);
		if (!event_type_parse(name, &type))
			return err_set(err, ERR_INVALID, "types must list kinds of events, such as log,alert; got '%.60s'", list);
	}
	return OK;
}

static int take_page(struct call *c, struct page *p, struct err *err)
{
	int64_t limit = 100;
	bool ascending = true;
	int code = uri_int(&c->req.uri, "limit", 1, LIMIT_EVENTS, &limit, err);
	if (!code)
		code = uri_order(&c->req.uri, &ascending, err);
	p->limit = (int)limit;
	p->descending = !ascending;
	p->types = uri_get(&c->req.uri, "types");
	return code ? code : check_types(p->types, err);
}

static int read_types(struct call *c, const char *job_id, const struct page *p, struct event **ret, int *ret_n,
	bool *ret_more, struct err *err)
{
	int code =
		store_events_of(c->daemon->store, job_id, p->types, p->after, p->descending, p->limit + 1, ret, ret_n, err);
	*ret_more = !code && *ret_n > p->limit;
	if (*ret_more)
		free((*ret)[--*ret_n].data);
	return code;
}

/* Sequence numbers have no gaps: the newest `limit` events, or those older than `after`, are a range. */
static int read_page(
	struct call *c, const char *job_id, struct page *p, struct event **ret, int *ret_n, bool *ret_more, struct err *err)
{
	int64_t from = p->after, newest = 0;
	int code = store_last_seq(c->daemon->store, job_id, &newest, err);
	if (!code && p->descending) {
		int64_t last = p->after && p->after <= newest ? p->after - 1 : newest;
		from = last > p->limit ? last - p->limit : 0;
		p->limit = (int)(last - from);
	}
	if (code || (p->descending && !p->limit)) {
		*ret = NULL;
		*ret_n = 0;
		*ret_more = false;
		return code;
	}
	code = store_events(c->daemon->store, job_id, from, p->limit, ret, ret_n, err);
	*ret_more = p->descending ? from > 0 : !code && *ret_n && (*ret)[*ret_n - 1].seq < newest;
	return code;
}

/* `reversed`: they are to be told from the last one on. */
static void view_events(struct jsonw *w, const struct event *events, int n, bool reversed, bool more)
{
	jw_object(w);
	jw_kstring(w, "object", "list");
	jw_key(w, "data");
	jw_array(w);
	for (int i = 0; i < n; i++)
		view_event(w, &events[reversed ? n - 1 - i : i]);
	jw_end_array(w);
	static const char *const ends[] = {"first_id", "last_id"};
	for (int i = 0; i < 2; i++) {
		jw_key(w, ends[i]);
		if (n)
			jw_int(w, events[(i == 1) == reversed ? 0 : n - 1].seq);
		else
			jw_null(w);
	}
	jw_kbool(w, "has_more", more);
	jw_end_object(w);
}

static int list_events(struct call *c, const char *job_id, int64_t after, struct err *err)
{
	struct page p = {.after = after};
	struct event *events;
	int n;
	bool more;
	int code = take_page(c, &p, err);
	if (!code && p.types)
		code = read_types(c, job_id, &p, &events, &n, &more, err);
	else if (!code)
		code = read_page(c, job_id, &p, &events, &n, &more, err);
	if (code)
		return code;
	struct jsonw w;
	call_json(c, &w, 200);
	view_events(&w, events, n, p.descending && !p.types, more);
	for (int i = 0; i < n; i++)
		free(events[i].data);
	free(events);
	return call_json_end(c, &w, err);
}

int h_events(struct call *c, struct err *err)
{
	struct job job;
	int64_t after;
	int code = take_after(c, &after, err);
	if (code || (code = store_get(c->daemon->store, c->arg[0], &job, err)))
		return code;
	code = c->format == FORMAT_JSON ? list_events(c, job.id, after, err) : open_stream(c, &job, after, err);
	job_free(&job);
	return code;
}
