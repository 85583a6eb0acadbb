#include "server/store/internal.h"

#include "server/store/journal.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct delete_op {
	struct op op;
	const char *job_id;
};

/* The query's row, if there is one, is a job that has not ended and needs this one. */
static int refuse_needed(struct txn *t, struct sqlite3_stmt *q, const char *job_id, struct err *err)
{
	char id[JOB_ID_SIZE], status[JOB_WORD];
	bool row = false;
	int code = sql_step(t->conn, q, &row, err);
	if (code || !row)
		return code;
	sql_text(q, 0, id, sizeof id);
	sql_text(q, 1, status, sizeof status);
	sql_reset(q);
	return err_set(
		err, ERR_CONFLICT, "%s is needed by %s, which is %s; wait for that one or cancel it", job_id, id, status);
}

static int check_free(struct txn *t, const char *job_id, int64_t number, struct err *err)
{
	struct sqlite3_stmt *q;
	int code = sql_start(t->conn, SQL_FROM_WAITING, &q, err, "s", job_id);
	if (!code)
		code = refuse_needed(t, q, job_id, err);
	if (!code)
		code = sql_start(t->conn, SQL_DEPENDS_WAITING, &q, err, "i", number);
	return code ? code : refuse_needed(t, q, job_id, err);
}

static int check_ended(struct txn *t, const char *job_id, struct err *err)
{
	struct sqlite3_stmt *q;
	char name[JOB_WORD];
	enum job_status status;
	bool row;
	int code = sql_start(t->conn, SQL_JOB_STATUS, &q, err, "s", job_id);
	if (!code)
		code = sql_step(t->conn, q, &row, err);
	if (code)
		return code;
	if (!row)
		return err_set(err, ERR_NOT_FOUND, "no job '%s'", job_id);
	sql_text(q, 0, name, sizeof name);
	sql_reset(q);
	if (job_status_parse(name, &status) && job_terminal(status))
		return OK;
	return err_set(err, ERR_CONFLICT, "%s is %s; cancel it first, or wait until it has ended", job_id, name);
}

/* As seen by those that outlive it. */
static int check_one(struct txn *t, const char *id, int64_t *ret_number, struct err *err)
{
	struct sqlite3_stmt *q;
	int code = check_ended(t, id, err);
	if (!code)
		code = job_number(t->conn, id, ret_number, err);
	if (!code)
		code = check_free(t, id, *ret_number, err);
	if (!code)
		code = sql_start(t->conn, SQL_TRIAL_OPEN, &q, err, "s", id);
	return code ? code : refuse_needed(t, q, id, err);
}

static int drop_one(struct txn *t, const char *id, int64_t number, struct err *err)
{
	int code = sql_run(t->conn, SQL_TOMBSTONE_PUT, err, "s", id);
	if (!code)
		code = sql_run(t->conn, SQL_TRIAL_FORGET_JOB, err, "s", id);
	if (code)
		return code;
	journal_deleted(&t->journal, id);
	return sql_run(t->conn, SQL_JOB_DELETE, err, "i", number);
}

struct child {
	char id[JOB_ID_SIZE];
	int64_t number;
};

/* A study goes with its children. */
static int list_children(struct txn *t, const char *study, struct child **ret, size_t *ret_n, struct err *err)
{
	struct sqlite3_stmt *q;
	struct child *list = NULL;
	size_t n = 0;
	bool row;
	int code = sql_start(t->conn, SQL_CHILDREN, &q, err, "s", study);
	while (!code && !(code = sql_step(t->conn, q, &row, err)) && row) {
		struct child *more = realloc(list, (n + 1) * sizeof *more);
		if (!more) {
			sql_reset(q);
			code = err_set(err, ERR_NO_MEMORY, "out of memory");
			break;
		}
		list = more;
		sql_text(q, 0, list[n++].id, JOB_ID_SIZE);
	}
	*ret = list;
	*ret_n = n;
	return code;
}

static int apply_delete(struct txn *t, struct op *base, struct err *err)
{
	const char *id = ((struct delete_op *)base)->job_id;
	struct child *children;
	size_t n;
	int64_t number = 0;
	int code = check_one(t, id, &number, err);
	if (code)
		return code;
	code = list_children(t, id, &children, &n, err);
	for (size_t i = 0; i < n && !code; i++)
		code = check_one(t, children[i].id, &children[i].number, err);
	if (!code)
		code = points_flush(t, err); /* of this batch, before their series go */
	for (size_t i = 0; i < n && !code; i++)
		code = drop_one(t, children[i].id, children[i].number, err);
	free(children);
	return code ? code : drop_one(t, id, number, err);
}

int store_delete(struct store *s, const char *job_id, struct err *err)
{
	struct delete_op op = {.op.apply = apply_delete, .job_id = job_id};
	return store_call(s, &op.op, err);
}

static int apply_buried(struct txn *t, struct op *base, struct err *err)
{
	return sql_run(t->conn, SQL_TOMBSTONE_DROP, err, "s", ((struct delete_op *)base)->job_id);
}

int store_buried(struct store *s, const char *job_id, struct err *err)
{
	struct delete_op op = {.op.apply = apply_buried, .job_id = job_id};
	return store_call(s, &op.op, err);
}

static int apply_promise(struct txn *t, struct op *base, struct err *err)
{
	return sql_run(t->conn, SQL_TOMBSTONE_PUT, err, "s", ((struct delete_op *)base)->job_id);
}

int store_promise(struct store *s, const char *job_id, struct err *err)
{
	struct delete_op op = {.op.apply = apply_promise, .job_id = job_id};
	return store_call(s, &op.op, err);
}

int store_tombstone(struct store *s, const char *after, char ret_id[JOB_ID_SIZE], struct err *err)
{
	struct conn *c;
	struct sqlite3_stmt *q;
	bool row = false;
	int code = reader_get(s, &c, err);
	if (code)
		return code;
	code = sql_start(c, SQL_TOMBSTONE, &q, err, "s", after);
	if (!code)
		code = sql_step(c, q, &row, err);
	if (!code && row) {
		sql_text(q, 0, ret_id, JOB_ID_SIZE);
		sql_reset(q);
	}
	reader_put(s, c);
	return code ? code : row ? OK : ERR_NOT_FOUND;
}
