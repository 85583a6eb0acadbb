/* queue.c: whose turn it is: claims, the queue's own state, what a restart makes of jobs. */
#include "server/store/internal.h"

#include "server/blob.h"
#include "server/clock.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

/* --- claims --- */

struct claim_op {
	struct op op;
	struct job *job;
};

/* One that fits alone but not beside those that run waits for them; who is next stays next. A job whose need is not known takes none. */
static int check_fits(struct txn *t, const char *id, struct err *err)
{
	int64_t held = 0, needed = 0;
	const int64_t limit = t->store->memory_limit;
	int code = limit ? sql_int(t->conn, SQL_MEMORY_HELD, &held, 0, err, "") : OK;
	if (!code && held)
		code = sql_int(t->conn, SQL_JOB_MEMORY, &needed, 0, err, "s", id);
	if (code || !held || needed <= limit - held)
		return code;
	return err_set(err, ERR_NOT_FOUND, "%s waits for memory", id);
}

static int apply_claim(struct txn *t, struct op *base, struct err *err)
{
	struct claim_op *op = (struct claim_op *)base;
	struct sqlite3_stmt *stmt;
	bool row;
	int code = sql_start(t->conn, SQL_JOB_NEXT, &stmt, err, "i", clock_ms());
	if (!code)
		code = sql_step(t->conn, stmt, &row, err);
	if (code)
		return code;
	if (!row)
		return err_set(err, ERR_NOT_FOUND, "no job waits");
	char id[JOB_ID_SIZE];
	sql_text(stmt, 0, id, sizeof id);
	sql_reset(stmt);
	if ((code = check_fits(t, id, err)))
		return code;
	const struct store_change start = {.first_start = true};
	code = job_move(t, id, JOB_QUEUED, JOB_RUNNING, &start, err);
	return code ? code : job_load(t->conn, id, op->job, err);
}

int store_claim(struct store *s, struct job *ret, struct err *err)
{
	struct job job = {0};
	struct claim_op op = {.op.apply = apply_claim, .job = &job};
	int code = store_call(s, &op.op, err);
	if (code)
		job_free(&job);
	else
		*ret = job;
	return code;
}

struct release_op {
	struct op op;
	const char *job_id;
};

static int apply_release(struct txn *t, struct op *base, struct err *err)
{
	return sql_run(t->conn, SQL_JOB_RELEASE, err, "s", ((struct release_op *)base)->job_id);
}

int store_release(struct store *s, const char *job_id, struct err *err)
{
	struct release_op op = {.op.apply = apply_release, .job_id = job_id};
	return store_call(s, &op.op, err);
}

struct measured_op {
	struct op op;
	const char *job_id;
	int64_t memory_bytes;
	bool fits;
};

static int apply_measured(struct txn *t, struct op *base, struct err *err)
{
	struct measured_op *op = (struct measured_op *)base;
	const int64_t limit = t->store->memory_limit;
	int64_t held = 0;
	int code = sql_run(t->conn, SQL_JOB_MEASURED, err, "si", op->job_id, op->memory_bytes);
	if (!code)
		code = sql_int(t->conn, SQL_MEMORY_HELD, &held, 0, err, "");
	op->fits = !limit || held <= limit || held == op->memory_bytes;
	return code;
}

int store_measured(struct store *s, const char *job_id, int64_t memory_bytes, struct err *err)
{
	struct measured_op op = {.op.apply = apply_measured, .job_id = job_id, .memory_bytes = memory_bytes};
	int code = store_call(s, &op.op, err);
	return code || op.fits ? code : err_set(err, ERR_UNAVAILABLE, "%s waits for memory", job_id);
}

int store_later(struct store *s, int64_t *ret_ms, struct err *err)
{
	struct conn *c;
	int code = reader_get(s, &c, err);
	if (code)
		return code;
	code = sql_int(c, SQL_JOBS_LATER, ret_ms, 0, err, "i", clock_ms());
	reader_put(s, c);
	return code;
}

/* --- the queue itself --- */

struct pause_op {
	struct op op;
	bool paused;
};

static int apply_pause(struct txn *t, struct op *base, struct err *err)
{
	return sql_run(t->conn, ((struct pause_op *)base)->paused ? SQL_QUEUE_PAUSE : SQL_QUEUE_RESUME, err, "");
}

int store_pause_queue(struct store *s, bool paused, struct err *err)
{
	struct pause_op op = {.op.apply = apply_pause, .paused = paused};
	return store_call(s, &op.op, err);
}

static int read_queue(struct conn *c, struct store_queue *q, struct err *err)
{
	struct sqlite3_stmt *stmt;
	int64_t paused = 0;
	bool row;
	int code = sql_int(c, SQL_QUEUE_PAUSED, &paused, 0, err, "");
	q->paused = paused;
	if (!code)
		code = sql_int(c, SQL_MEMORY_HELD, &q->memory_held, 0, err, "");
	for (int s = 0; s < JOB_STATUS_COUNT && !code; s++)
		if (!job_terminal((enum job_status)s))
			code = sql_int(c, SQL_STATUS_COUNT, &q->count[s], 0, err, "s", job_status_name((enum job_status)s));
	if (!code)
		code = sql_start(c, SQL_JOBS_NEXT, &stmt, err, "i", (int64_t)STORE_QUEUE_NEXT);
	while (!code && !(code = sql_step(c, stmt, &row, err)) && row)
		sql_text(stmt, 0, q->next[q->n++], JOB_ID_SIZE);
	return code;
}

int store_queue(struct store *s, struct store_queue *ret, struct err *err)
{
	struct conn *c;
	struct store_queue q = {0};
	int code = reader_get(s, &c, err);
	if (code)
		return code;
	q.memory_limit = s->memory_limit;
	code = read_queue(c, &q, err);
	reader_put(s, c);
	if (!code)
		*ret = q;
	return code;
}

/* --- recovery --- */

static int recover_one(struct txn *t, const char *id, const char *status, struct err *err)
{
	static const struct store_change cancelled = {.stop_reason = "user_cancel", .finished = true};
	enum job_status from;
	const struct job_move *m = job_status_parse(status, &from) ? job_restart_move(from) : NULL;
	return m ? job_move(t, id, from, m->to, job_terminal(m->to) ? &cancelled : NULL, err) : OK;
}

struct unfinished {
	char id[JOB_ID_SIZE], status[JOB_WORD];
};

static int list_unfinished(struct conn *c, struct unfinished **ret, int *ret_n, struct err *err)
{
	struct sqlite3_stmt *stmt;
	struct unfinished *list = NULL;
	int n = 0;
	bool row;
	int code = sql_start(c, SQL_JOBS_UNFINISHED, &stmt, err, "");
	while (!code && !(code = sql_step(c, stmt, &row, err)) && row) {
		struct unfinished *more = realloc(list, (size_t)(n + 1) * sizeof *more);
		if (!more) {
			sql_reset(stmt);
			code = err_set(err, ERR_NO_MEMORY, "out of memory");
			break;
		}
		list = more;
		sql_text(stmt, 0, list[n].id, sizeof list[n].id);
		sql_text(stmt, 1, list[n].status, sizeof list[n].status);
		n++;
	}
	*ret = list;
	*ret_n = n;
	return code;
}

int apply_recovery(struct txn *t, struct op *op, struct err *err)
{
	const struct recovery_op *recovery = (const struct recovery_op *)op;
	struct unfinished *list;
	int n;
	/* first all of them, then the moves: a query is not changed under itself */
	int code = list_unfinished(t->conn, &list, &n, err);
	for (int i = 0; i < n && !code; i++) {
		blob_sweep(recovery->data_dir, list[i].id);
		code = recover_one(t, list[i].id, list[i].status, err);
	}
	free(list);
	return code ? code : sql_run(t->conn, SQL_JOBS_RELEASE, err, "");
}
