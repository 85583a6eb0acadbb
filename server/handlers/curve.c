#include "server/handlers/handlers.h"

#include "api/chart.h"
#include "api/view.h"
#include "server/handlers/many.h"
#include "server/limits.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

enum { SERIES_MAX = 32 + LATENT_DIM_MAX, CHART_WIDTH = 960, CHART_HEIGHT = 540, POINTS_MAX = 1000000 };

struct curves {
	struct curve curve[SERIES_MAX];
	int n;
	int64_t next_step;
};

static void curves_free(struct curves *s)
{
	for (int i = 0; i < s->n; i++)
		curve_free(&s->curve[i]);
	s->n = 0;
}

/* The name is in the comma list, or that of its row in the kind, which stands for the curves of all units; NULL: every name is. */
static bool wanted(const char *list, const struct family *f, const char *name)
{
	const struct series *row = f ? series_find(f, name, strlen(name)) : NULL;
	size_t n = strlen(name), of_row = row ? strlen(row->name) : n;
	for (const char *at = list; at && *at;) {
		size_t word = strcspn(at, ",");
		if ((word == n || word == of_row) && !memcmp(at, name, word))
			return true;
		at += word + (at[word] == ',');
	}
	return !list;
}

/* The kind draws it, though perhaps no point was stored yet. */
static bool kind_draws(const char *kind, const char *name, size_t n)
{
	const struct family *f = family_find(kind);
	const struct series *s;
	for (int i = 0; f && (s = series_at(f, i)); i++)
		if (strlen(s->name) == n && !memcmp(s->name, name, n))
			return true;
	return f && series_find(f, name, n);
}

static int check_names(const char *list, const struct job *job, struct err *err)
{
	const struct family *f = family_find(job->kind);
	const struct series *first = f ? headline_at(f, 0) : NULL;
	if (list && !*list)
		return err_set(err, ERR_INVALID, "names must list series, such as %s", first ? first->name : "lr");
	for (const char *at = list; at && *at;) {
		size_t n = strcspn(at, ",");
		if (!kind_draws(job->kind, at, n))
			return err_set(err, ERR_INVALID, "no series '%.*s'; GET /v1/kinds/%s names them", (int)(n < 60 ? n : 60),
				at, job->kind);
		at += n + (at[n] == ',');
	}
	return OK;
}

/* Every series of the job that is in `list`, from a step on, to be thinned to so many points (0: not). */
static int read_curves(struct call *c, const char *id, const char *kind, const char *list, struct steps span, int64_t points,
	struct curves *ret, struct err *err)
{
	char(*names)[JOB_WORD] = NULL;
	int n = 0;
	int code = store_series(c->daemon->store, id, &names, &n, err);
	ret->n = 0;
	ret->next_step = span.from;
	for (int i = 0; i < n && !code && ret->n < SERIES_MAX; i++) {
		struct curve *curve = &ret->curve[ret->n];
		if (!wanted(list, family_find(kind), names[i]))
			continue;
		if ((code = store_curve_about(c->daemon->store, id, names[i], span, (size_t)points, curve, err)))
			break;
		ret->n++;
		if (curve->n && curve->step[curve->n - 1] >= ret->next_step)
			ret->next_step = curve->step[curve->n - 1] + 1;
	}
	free(names);
	if (code)
		curves_free(ret);
	return code;
}

static int shape_curves(struct curves *s, bool by_epoch, int64_t points, struct err *err)
{
	int code = OK;
	for (int i = 0; i < s->n && !code; i++) {
		if (by_epoch)
			code = curve_by_epoch(&s->curve[i], err);
		if (!code && points)
			code = curve_thin(&s->curve[i], (size_t)points, err);
	}
	return code;
}

/* --- numbers --- */

struct metrics_query {
	const char *names;
	struct steps span;
	int64_t points; /* 0: all */
	bool by_epoch;
};

static int take_metrics_query(struct call *c, struct metrics_query *q, struct err *err)
{
	const struct uri *u = &c->req.uri;
	const char *by = uri_get(u, "by");
	bool csv = c->format == FORMAT_CSV;
	*q = (struct metrics_query){.names = uri_get(u, "names"),
		.by_epoch = by ? !strcmp(by, "epoch") : csv,
		.points = csv ? 0 : 1000,
		.span.to = INT64_MAX};
	if (by && !q->by_epoch && strcmp(by, "step") != 0)
		return err_set(err, ERR_INVALID, "by must be step or epoch, got '%.60s'", by);
	int code = uri_int(u, "points", 2, POINTS_MAX, &q->points, err);
	if (!code)
		code = uri_int(u, "from_step", 0, INT64_MAX, &q->span.from, err);
	return code ? code : uri_int(u, "to_step", q->span.from, INT64_MAX, &q->span.to, err);
}

static int reply_metrics(struct call *c, const struct curves *s, bool by_epoch, struct err *err)
{
	c->resp.status = 200;
	if (c->format == FORMAT_CSV) {
		c->resp.type = format_type(FORMAT_CSV);
		view_metrics_csv(&c->resp.body, s->curve, s->n, by_epoch);
		return c->resp.body.failed ? err_set(err, ERR_NO_MEMORY, "out of memory") : OK;
	}
	struct jsonw w;
	call_json(c, &w, 200);
	view_metrics(&w, s->curve, s->n, s->next_step);
	return call_json_end(c, &w, err);
}

int h_job_metrics(struct call *c, struct err *err)
{
	struct metrics_query q;
	struct job job;
	struct curves s;
	int code = take_metrics_query(c, &q, err);
	if (code || (code = store_get(c->daemon->store, c->arg[0], &job, err)))
		return code;
	code = check_names(q.names, &job, err);
	if (!code)
		code = read_curves(c, job.id, job.kind, q.names, q.span, q.by_epoch ? 0 : q.points, &s, err);
	job_free(&job);
	if (code)
		return code;
	code = shape_curves(&s, q.by_epoch, q.points, err);
	if (!code)
		code = reply_metrics(c, &s, q.by_epoch, err);
	curves_free(&s);
	return code;
}

/* --- of several jobs --- */

/* Kinds draw different series: each name has to be one that some job's kind draws. */
static int check_common_names(const char *list, const struct many *m, struct err *err)
{
	if (list && !*list)
		return err_set(err, ERR_INVALID, "names must list series, such as lr");
	for (const char *at = list; at && *at;) {
		size_t n = strcspn(at, ",");
		int i = 0;
		while (i < m->n && !kind_draws(m->job[i].kind, at, n))
			i++;
		if (i == m->n)
			return err_set(err, ERR_INVALID, "none of these jobs has a series '%.*s'; GET /v1/kinds names them",
				(int)(n < 60 ? n : 60), at);
		at += n + (at[n] == ',');
	}
	return OK;
}

static int view_one(struct call *c, const struct many_job *job, const struct metrics_query *q, struct jsonw *w, struct err *err)
{
	struct curves s;
	int code = read_curves(c, job->id, job->kind, q->names, q->span, q->by_epoch ? 0 : q->points, &s, err);
	if (code == ERR_NOT_FOUND) /* it was deleted in this moment */
		return OK;
	if (code)
		return code;
	code = shape_curves(&s, q->by_epoch, q->points, err);
	if (!code) {
		jw_key(w, job->id);
		view_metrics(w, s.curve, s.n, s.next_step);
	}
	curves_free(&s);
	return code;
}

static int reply_many(struct call *c, const struct many *m, const struct metrics_query *q, struct err *err)
{
	struct jsonw w;
	int code = OK;
	call_json(c, &w, 200);
	jw_object(&w);
	jw_kstring(&w, "object", "metrics_list");
	jw_key(&w, "data");
	jw_object(&w);
	for (int i = 0; i < m->n && !code; i++)
		code = view_one(c, &m->job[i], q, &w, err);
	if (code)
		return code;
	jw_end_object(&w);
	jw_end_object(&w);
	return call_json_end(c, &w, err);
}

int h_metrics_many(struct call *c, struct err *err)
{
	struct metrics_query q;
	struct many m;
	int code = take_metrics_query(c, &q, err);
	if (code || (code = many_open(&m, c, LIMIT_METRICS_JOBS, NULL, err)))
		return code;
	if (q.points * m.n > POINTS_MAX)
		code = err_set(err, ERR_INVALID, "points times jobs may be at most %d, got %lld times %d", POINTS_MAX,
			(long long)q.points, m.n);
	if (!code)
		code = check_common_names(q.names, &m, err);
	if (!code)
		code = reply_many(c, &m, &q, err);
	many_free(&m);
	return code;
}

/* --- a picture --- */

static int take_chart(
	struct call *c, const struct job *job, struct chart *chart, char *title, size_t size, struct err *err)
{
	static const char *const axes[] = {[CHART_STEP] = "step", [CHART_EPOCH] = "epoch", [CHART_TIME] = "time"};
	const char *x = uri_get(&c->req.uri, "x");
	snprintf(title, size, "%s", *job->name ? job->name : job->id);
	*chart = (struct chart){.title = title, .x = CHART_EPOCH, .w = CHART_WIDTH, .h = CHART_HEIGHT};
	for (int i = CHART_STEP; x && i <= CHART_TIME; i++)
		if (!strcmp(axes[i], x)) {
			chart->x = (enum chart_x)i;
			x = NULL;
		}
	if (x)
		return err_set(err, ERR_INVALID, "x must be step, epoch or time, got '%.60s'", x);
	return uri_bool(&c->req.uri, "log", &chart->log_y, err);
}

static int reply_chart(struct call *c, const struct chart *chart, const struct curves *s, struct err *err)
{
	struct canvas canvas;
	if (c->format == FORMAT_PNG) {
		int code = chart_canvas(&canvas, chart, s->curve, s->n, err);
		return code ? code : call_png(c, &canvas, err);
	}
	c->resp.status = 200;
	c->resp.type = format_type(FORMAT_SVG);
	chart_svg(&c->resp.body, chart, s->curve, s->n);
	return c->resp.body.failed ? err_set(err, ERR_NO_MEMORY, "out of memory") : OK;
}

/* What a picture shows unless names say otherwise: the headlines, of which those of another unit than the first have another
 * scale. "" of a kind this daemon does not know. */
static void print_headlines(const char *kind, char *names, size_t size)
{
	const struct family *f = family_find(kind);
	const struct series *first = f ? headline_at(f, 0) : NULL, *s;
	size_t n = 0;
	*names = '\0';
	for (int i = 0; first && (s = headline_at(f, i)); i++)
		if (!strcmp(s->unit, first->unit))
			n += (size_t)snprintf(names + n, n < size ? size - n : 0, "%s%s", n ? "," : "", s->name);
}

enum { LINES_MAX = 16 };

static bool has_line(const struct reference_line *lines, int n, const struct reference_line *l)
{
	while (n-- > 0)
		if (lines[n].value == l->value && !strcmp(lines[n].label, l->label))
			return true;
	return false;
}

/* What the curves are measured by, each once: curves of one kind share theirs. */
static int collect_lines(const struct family *f, const struct curves *s, struct reference_line lines[LINES_MAX])
{
	int n = 0;
	for (int i = 0; i < s->n; i++) {
		const char *name = s->curve[i].series;
		const struct series *row = f ? series_find(f, name, strlen(name)) : NULL;
		const struct reference_line *end = row ? row->lines + sizeof row->lines / sizeof *row->lines : NULL;
		for (const struct reference_line *l = row ? row->lines : NULL; l < end && l->label && n < LINES_MAX; l++)
			if (!has_line(lines, n, l))
				lines[n++] = *l;
	}
	return n;
}

int h_curves(struct call *c, struct err *err)
{
	struct reference_line lines[LINES_MAX];
	const char *names = uri_get(&c->req.uri, "names");
	struct job job;
	struct chart chart;
	struct curves s;
	char title[JOB_NAME_SIZE], headlines[256];
	int code = store_get(c->daemon->store, c->arg[0], &job, err);
	if (code)
		return code;
	print_headlines(job.kind, headlines, sizeof headlines);
	code = take_chart(c, &job, &chart, title, sizeof title, err);
	if (!code)
		code = check_names(names ? names : headlines, &job, err);
	if (!code)
		code = read_curves(c, job.id, job.kind, names ? names : headlines, (struct steps){0, INT64_MAX}, CHART_WIDTH, &s, err);
	const struct family *f = family_find(job.kind);
	job_free(&job);
	if (code)
		return code;
	chart.lines = lines;
	chart.nlines = collect_lines(f, &s, lines);
	code = shape_curves(&s, false, CHART_WIDTH, err);
	if (!code)
		code = reply_chart(c, &chart, &s, err);
	curves_free(&s);
	return code;
}
