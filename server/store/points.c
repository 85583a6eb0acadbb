#include "server/store/internal.h"

#include "api/json.h"
#include "server/clock.h"
#include "server/store/blocks.h"

#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { METRICS_EVENT_MS = 200 };

/* --- what the writer remembers of a job between commits --- */

static struct live *live_find(struct store *s, const char *job_id)
{
	for (struct live *l = s->live; l; l = l->next)
		if (!strcmp(l->job_id, job_id))
			return l;
	struct live *l = calloc(1, sizeof *l);
	if (!l)
		return NULL;
	snprintf(l->job_id, sizeof l->job_id, "%s", job_id);
	l->last_event_ms = INT64_MIN / 2;
	l->next = s->live;
	return s->live = l;
}

static void live_note(struct live *l, const char *series, int64_t step, double epoch, double value)
{
	int i = 0;
	while (i < l->n && strcmp(l->newest[i].series, series))
		i++;
	if (i == NEWEST_MAX)
		return;
	if (i == l->n) {
		l->n++;
		snprintf(l->newest[i].series, sizeof l->newest[i].series, "%s", series);
	}
	l->newest[i].step = step;
	l->newest[i].epoch = epoch;
	l->newest[i].value = value;
}

void live_settle(struct store *s, bool committed)
{
	for (struct live **at = &s->live, *l; (l = *at);) {
		if (l->written && committed) {
			l->last_event_ms = clock_ms();
			l->n = 0;
		}
		l->written = false;
		if (!l->n && clock_ms() - l->last_event_ms > METRICS_EVENT_MS) { /* nothing left to hold back */
			*at = l->next;
			free(l);
		} else {
			at = &l->next;
		}
	}
}

void live_free(struct store *s)
{
	while (s->live) {
		struct live *next = s->live->next;
		free(s->live);
		s->live = next;
	}
}

/* --- a point on its way in --- */

struct point_op {
	struct op op;
	char job_id[JOB_ID_SIZE], series[JOB_WORD];
	int64_t step, time_ms;
	double epoch, value;
};

static int series_open(struct txn *t, struct pending *p, struct err *err)
{
	struct sqlite3_stmt *stmt;
	bool row;
	int code = job_reporter(t->conn, p->job_id, &p->job, err);
	p->last_step = INT64_MAX; /* all are dropped */
	if (code || !p->job)
		return code;
	code = sql_start(t->conn, SQL_SERIES_FIND, &stmt, err, "is", p->job, p->series);
	if (!code)
		code = sql_step(t->conn, stmt, &row, err);
	if (code)
		return code;
	p->last_step = INT64_MIN;
	if (!row)
		return sql_int(t->conn, SQL_SERIES_INSERT, &p->series_id, 0, err, "is", p->job, p->series);
	p->series_id = sqlite3_column_int64(stmt, 0);
	if (sqlite3_column_type(stmt, 1) != SQLITE_NULL)
		p->last_step = sqlite3_column_int64(stmt, 1);
	bool known = tail_read(&p->tail, sqlite3_column_blob(stmt, 2), (size_t)sqlite3_column_bytes(stmt, 2));
	sql_reset(stmt);
	return known || p->last_step == INT64_MIN ? OK : blocks_rebuild(t->conn, p->series_id, &p->tail, err);
}

static int pending_find(struct txn *t, const struct point_op *op, struct pending **ret, struct err *err)
{
	struct pending **at = &t->pending;
	for (; *at; at = &(*at)->next)
		if (!strcmp((*at)->series, op->series) && !strcmp((*at)->job_id, op->job_id)) {
			*ret = *at;
			return OK;
		}
	struct pending *p = calloc(1, sizeof *p);
	if (!p)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	memcpy(p->job_id, op->job_id, sizeof p->job_id);
	memcpy(p->series, op->series, sizeof p->series);
	int code = series_open(t, p, err);
	if (code) {
		free(p);
		return code;
	}
	*ret = *at = p;
	return OK;
}

static int apply_point(struct txn *t, struct op *base, struct err *err)
{
	const struct point_op *op = (const struct point_op *)base;
	struct pending *p = NULL;
	int code = pending_find(t, op, &p, err);
	if (code || op->step <= p->last_step) /* stored already: a step that was repeated after a kill */
		return code;
	struct record r;
	record_write(&r, &(struct sample){op->step, op->time_ms, op->epoch, op->value});
	buf_append(&p->data, &r, sizeof r);
	p->last_step = op->step;
	p->last_value = op->value;
	struct live *l = live_find(t->store, op->job_id);
	if (p->data.failed || !l)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	live_note(l, op->series, op->step, op->epoch, op->value);
	return OK;
}

static void release_point(struct op *op)
{
	free(op);
}

void store_point(struct store *s, const char *job_id, const char *series, int64_t step, double epoch, double value)
{
	struct point_op *op = report_new(sizeof *op);
	op->op.apply = apply_point;
	op->op.release = release_point;
	op->step = step;
	op->epoch = epoch;
	op->value = value;
	op->time_ms = clock_wall_ms();
	snprintf(op->job_id, sizeof op->job_id, "%s", job_id);
	snprintf(op->series, sizeof op->series, "%s", series);
	store_report(s, &op->op);
}

/* --- rows and events --- */

static int write_rows(struct txn *t, struct err *err)
{
	int code = OK;
	for (struct pending *p = t->pending; p && !code; p = p->next) {
		if (!p->data.len)
			continue;
		code = sql_run(t->conn, SQL_POINTS_INSERT, err, "iib", p->series_id, p->last_step, p->data.data, p->data.len);
		if (!code)
			code = sql_run(t->conn, SQL_SERIES_UPDATE, err, "iid", p->series_id, p->last_step, p->last_value);
		if (!code)
			code = blocks_add(t->conn, p->series_id, &p->tail, p->data.data, p->data.len, err);
		p->data.len = 0;
	}
	return code;
}

static void print_newest(struct buf *b, const struct live *l)
{
	struct jsonw w;
	buf_str(b, "\"points\":");
	jw_init(&w, b, false);
	jw_array(&w);
	for (int i = 0; i < l->n; i++) {
		jw_object(&w);
		jw_kint(&w, "step", l->newest[i].step);
		jw_kreal(&w, "epoch", l->newest[i].epoch);
		jw_kstring(&w, "name", l->newest[i].series);
		jw_kreal(&w, "value", l->newest[i].value);
		jw_end_object(&w);
	}
	jw_end_array(&w);
}

static int write_event(struct txn *t, struct live *l, struct err *err)
{
	int64_t job = 0;
	struct buf body = BUF_INIT;
	int code = sql_int(t->conn, SQL_JOB_NUMBER, &job, 0, err, "s", l->job_id);
	if (code || !job)
		return code;
	print_newest(&body, l);
	code = body.failed ? err_set(err, ERR_NO_MEMORY, "out of memory")
					   : event_append(t, job, EVENT_METRICS, NULL, body.data, err);
	buf_free(&body);
	l->written = !code;
	return code;
}

int points_tell(struct txn *t, const char *job_id, int64_t job, const char *once, const char *body, struct err *err)
{
	struct buf all = BUF_INIT;
	struct live *l = live_find(t->store, job_id);
	if (!l)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	print_newest(&all, l);
	buf_printf(&all, ",%s", body);
	int code = all.failed ? err_set(err, ERR_NO_MEMORY, "out of memory")
						  : event_append(t, job, EVENT_METRICS, once, all.data, err);
	buf_free(&all);
	if (!code)
		l->n = 0;
	return code;
}

int points_flush(struct txn *t, struct err *err)
{
	int64_t now = clock_ms();
	int code = write_rows(t, err);
	for (struct live *l = t->store->live; l && !code; l = l->next)
		if (l->n && !l->written && now - l->last_event_ms >= METRICS_EVENT_MS)
			code = write_event(t, l, err);
	return code;
}

void points_end(struct txn *t, const char *job_id)
{
	for (struct live *l = t->store->live; l; l = l->next)
		if (!l->written && !strcmp(l->job_id, job_id))
			l->n = 0;
}

void points_forget(struct txn *t)
{
	while (t->pending) {
		struct pending *next = t->pending->next;
		buf_free(&t->pending->data);
		free(t->pending);
		t->pending = next;
	}
}

/* --- a curve on its way out --- */

static void curve_take(struct curve *c, const void *data, size_t n, struct steps span)
{
	const char *at = data;
	for (size_t i = 0; i < n; i++, at += sizeof(struct record)) {
		const struct sample s = record_read(at);
		if (s.step < span.from || s.step > span.to)
			continue;
		c->step[c->n] = s.step;
		c->epoch[c->n] = s.epoch;
		c->time_ms[c->n] = s.time_ms;
		c->value[c->n] = c->min[c->n] = c->max[c->n] = s.value;
		c->weight[c->n++] = 1;
	}
}

size_t points_cut(const void *data, size_t bytes, int64_t to_step, int64_t *ret_step, double *ret_value)
{
	size_t n = 0;
	for (; (n + 1) * sizeof(struct record) <= bytes; n++) {
		const struct sample s = record_read((const char *)data + n * sizeof(struct record));
		if (s.step > to_step)
			break;
		*ret_step = s.step;
		*ret_value = s.value;
	}
	return n * sizeof(struct record);
}

static bool ends_after(const void *data, size_t n, int64_t step)
{
	return n && record_read((const char *)data + (n - 1) * sizeof(struct record)).step > step;
}

static int curve_read(struct conn *conn, int64_t series, struct curve *c, struct steps span, struct err *err)
{
	struct sqlite3_stmt *stmt;
	size_t cap = 0;
	bool row;
	int code = sql_start(conn, SQL_POINTS_OF, &stmt, err, "ii", series, span.from);
	while (!code && !(code = sql_step(conn, stmt, &row, err)) && row) {
		size_t n = (size_t)sqlite3_column_bytes(stmt, 0) / sizeof(struct record);
		if (c->n + n > cap) {
			cap = 2 * cap + n + 64;
			code = curve_reserve(c, cap, err);
		}
		if (!code)
			curve_take(c, sqlite3_column_blob(stmt, 0), n, span);
		if (code || ends_after(sqlite3_column_blob(stmt, 0), n, span.to)) {
			sql_reset(stmt);
			break;
		}
	}
	return code;
}

/* *ret 0: the job has no such series. *ret_known: its tail is. */
static int series_lookup(struct conn *conn, const char *job_id, const char *name, int64_t *ret, struct tail *tail,
	bool *ret_known, struct err *err)
{
	struct sqlite3_stmt *stmt;
	int64_t job = 0;
	bool row;
	*ret = 0;
	int code = job_number(conn, job_id, &job, err);
	if (!code)
		code = sql_start(conn, SQL_SERIES_FIND, &stmt, err, "is", job, name);
	if (!code)
		code = sql_step(conn, stmt, &row, err);
	if (code || !row)
		return code;
	*ret = sqlite3_column_int64(stmt, 0);
	*ret_known = tail_read(tail, sqlite3_column_blob(stmt, 2), (size_t)sqlite3_column_bytes(stmt, 2));
	sql_reset(stmt);
	return OK;
}

static int curve_find(
	struct conn *conn, const char *job_id, struct steps span, size_t points, struct curve *c, struct err *err)
{
	int64_t series;
	struct tail tail;
	bool known = false, done = false;
	int code = series_lookup(conn, job_id, c->series, &series, &tail, &known, err);
	if (!code && series && points && known)
		code = blocks_curve(conn, series, &tail, span, points, c, &done, err);
	return code || !series || done ? code : curve_read(conn, series, c, span, err);
}

int store_curve_about(struct store *s, const char *job_id, const char *series, struct steps span, size_t points,
	struct curve *ret, struct err *err)
{
	struct conn *conn;
	struct curve c = {0};
	int code = reader_get(s, &conn, err);
	if (code)
		return code;
	snprintf(c.series, sizeof c.series, "%s", series);
	code = curve_find(conn, job_id, span, points, &c, err);
	reader_put(s, conn);
	if (code)
		curve_free(&c);
	else
		*ret = c;
	return code;
}

int store_curve(
	struct store *s, const char *job_id, const char *series, int64_t from_step, struct curve *ret, struct err *err)
{
	return store_curve_about(s, job_id, series, (struct steps){from_step, INT64_MAX}, 0, ret, err);
}

/* --- what was written by an earlier version --- */

int apply_blocks(struct txn *t, struct op *base, struct err *err)
{
	struct blocks_op *op = (struct blocks_op *)base;
	struct tail tail;
	int code = sql_int(t->conn, SQL_SERIES_UNBLOCKED, &op->series, 0, err, "i", op->series);
	return code || !op->series ? code : blocks_rebuild(t->conn, op->series, &tail, err);
}
