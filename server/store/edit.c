/* edit.c: what is changed of a job after it was submitted. */
#include "server/store/internal.h"

#include "api/json.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* step < 0: it belongs to none. */
static int say(struct txn *t, int64_t job, const char *message, int64_t step, struct err *err)
{
	struct buf b = BUF_INIT;
	struct jsonw w;
	jw_init(&w, &b, false);
	jw_object(&w);
	jw_kstring(&w, "level", "info");
	jw_kstring(&w, "message", message);
	if (step >= 0)
		jw_kint(&w, "step", step);
	jw_end_object(&w);
	if (b.failed)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	b.data[b.len - 1] = '\0'; /* members only */
	int code = event_append(t, job, EVENT_LOG, NULL, b.data + 1, err);
	buf_free(&b);
	return code;
}

/* --- asked for --- */

struct edit_op {
	struct op op;
	const char *job_id;
	const struct store_edit *edit;
};

static int edit_params(struct txn *t, int64_t job, const struct edit_op *op, struct err *err)
{
	const struct store_edit *e = op->edit;
	int64_t same = 0;
	int code =
		sql_int(t->conn, SQL_JOB_EDIT_PARAMS, &same, 0, err, "issi", job, e->params_now, e->params_then, e->epochs);
	if (code)
		return code;
	if (!same)
		return err_set(err, ERR_CONFLICT, "%s has changed meanwhile, or ended", op->job_id);
	return sql_run(t->conn, SQL_EDIT_INSERT, err, "iss", job, e->params, e->params_now);
}

static int apply_edit(struct txn *t, struct op *base, struct err *err)
{
	const struct edit_op *op = (const struct edit_op *)base;
	const struct store_edit *e = op->edit;
	int64_t job;
	int code = job_number(t->conn, op->job_id, &job, err);
	if (!code && e->params)
		code = edit_params(t, job, op, err);
	if (!code)
		code = sql_run(
			t->conn, SQL_JOB_EDIT, err, "isIs", job, e->name, (int)e->has_priority, (int64_t)e->priority, e->metadata);
	return !code && e->message ? say(t, job, e->message, -1, err) : code;
}

int store_edit(struct store *s, const char *job_id, const struct store_edit *edit, struct err *err)
{
	struct edit_op op = {.op.apply = apply_edit, .job_id = job_id, .edit = edit};
	return store_call(s, &op.op, err);
}

/* --- taken effect --- */

struct settle_op {
	struct op op;
	const char *job_id, *params, *message;
	int64_t number, step, epochs;
};

static int apply_settle(struct txn *t, struct op *base, struct err *err)
{
	const struct settle_op *op = (const struct settle_op *)base;
	int64_t job;
	int code = points_flush(t, err); /* what was reported before comes before */
	if (!code)
		code = job_reporter(t->conn, op->job_id, &job, err);
	if (!code && !job)
		code = err_set(err, ERR_CONFLICT, "%s was cancelled", op->job_id);
	if (!code)
		code = sql_run(t->conn, SQL_EDIT_SETTLE, err, "iii", job, op->number, op->step);
	if (!code)
		code = sql_run(t->conn, SQL_JOB_SET_PARAMS, err, "isi", job, op->params, op->epochs);
	return code ? code : say(t, job, op->message, op->step, err);
}

int store_edit_settle(struct store *s, const char *job_id, int64_t number, int64_t step, const char *params,
	int64_t epochs, const char *message, struct err *err)
{
	struct settle_op op = {.op.apply = apply_settle,
		.job_id = job_id,
		.number = number,
		.step = step,
		.params = params,
		.epochs = epochs,
		.message = message};
	return store_call(s, &op.op, err);
}

int edits_end(struct txn *t, int64_t job, struct err *err)
{
	int64_t dropped = 0;
	int code = sql_run(t->conn, SQL_EDITS_UNDO, err, "i", job);
	if (!code)
		code = sql_int(t->conn, SQL_EDITS_DROP, &dropped, 0, err, "i", job);
	return !code && dropped ? say(t, job, "a change of parameters came too late: the job has ended without it", -1, err)
							: code;
}

/* --- read --- */

static int add_row(struct edit_list *l, sqlite3_stmt *q, struct err *err)
{
	struct edit_row *more = realloc(l->row, (size_t)(l->n + 1) * sizeof *more);
	char *params = sql_text_dup(q, 2);
	if (more)
		l->row = more;
	if (!more || !params) {
		free(params);
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	}
	l->row[l->n++] = (struct edit_row){.number = sqlite3_column_int64(q, 0),
		.step = sqlite3_column_type(q, 1) == SQLITE_NULL ? -1 : sqlite3_column_int64(q, 1),
		.params = params};
	return OK;
}

static int read_first(struct conn *c, int64_t job, struct edit_list *l, struct err *err)
{
	sqlite3_stmt *q;
	bool row = false;
	int code = sql_start(c, SQL_JOB_FIRST_PARAMS, &q, err, "i", job);
	if (!code)
		code = sql_step(c, q, &row, err);
	if (code)
		return code;
	l->params_first = row ? sql_text_dup(q, 0) : NULL;
	sql_reset(q);
	return l->params_first ? OK : err_set(err, ERR_NO_MEMORY, "out of memory");
}

static int read_edits(struct conn *c, const char *job_id, struct edit_list *l, struct err *err)
{
	int64_t job;
	sqlite3_stmt *q;
	bool row;
	int code = job_number(c, job_id, &job, err);
	if (!code)
		code = sql_int(c, SQL_JOB_TOLD, &l->told_step, 0, err, "i", job);
	if (!code)
		code = read_first(c, job, l, err);
	if (!code)
		code = sql_start(c, SQL_EDITS, &q, err, "i", job);
	while (!code && !(code = sql_step(c, q, &row, err)) && row)
		if ((code = add_row(l, q, err)))
			sql_reset(q);
	return code;
}

int store_edits(struct store *s, const char *job_id, struct edit_list *ret, struct err *err)
{
	struct conn *c;
	struct edit_list l = {0};
	int code = reader_get(s, &c, err);
	if (code)
		return code;
	code = read_edits(c, job_id, &l, err);
	reader_put(s, c);
	if (code)
		edit_list_free(&l);
	else
		*ret = l;
	return code;
}

void edit_list_free(struct edit_list *l)
{
	for (int i = 0; i < l->n; i++)
		free(l->row[i].params);
	free(l->row);
	free(l->params_first);
	*l = (struct edit_list){0};
}
