#include "server/store/internal.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int refuse(struct sqlite3_stmt *q, struct err *err)
{
	char pointer[48], id[JOB_ID_SIZE], status[JOB_WORD];
	snprintf(pointer, sizeof pointer, "#/depends_on/%d", sqlite3_column_int(q, 0));
	sql_text(q, 1, id, sizeof id);
	sql_text(q, 2, status, sizeof status);
	if (!*status)
		return err_field(err, ERR_INVALID, pointer, "no job '%s'", id);
	return err_field(err, ERR_INVALID, pointer, "%s is %s: what depends on it would never run", id, status);
}

int depends_check(struct txn *t, const char *ids, struct err *err)
{
	struct sqlite3_stmt *q;
	bool row = false;
	if (!ids)
		return OK;
	int code = sql_start(t->conn, SQL_DEPENDS_BAD, &q, err, "s", ids);
	if (!code)
		code = sql_step(t->conn, q, &row, err);
	if (code || !row)
		return code;
	code = refuse(q, err);
	sql_reset(q);
	return code;
}

int depends_insert(struct txn *t, int64_t job, const char *ids, struct err *err)
{
	if (!ids)
		return OK;
	int code = sql_run(t->conn, SQL_DEPENDS_INSERT, err, "is", job, ids);
	return code ? code : sql_run(t->conn, SQL_DEPENDS_COUNT, err, "i", job);
}

int depends_recheck(struct txn *t, const char *job_id, struct err *err)
{
	struct sqlite3_stmt *q;
	bool row = false;
	int64_t job;
	int code = job_number(t->conn, job_id, &job, err);
	if (!code)
		code = sql_start(t->conn, SQL_DEPENDS_MISSED, &q, err, "i", job);
	if (!code)
		code = sql_step(t->conn, q, &row, err);
	if (code || !row)
		return code;
	char missed[JOB_ID_SIZE];
	sql_text(q, 0, missed, sizeof missed);
	sql_reset(q);
	return err_set(err, ERR_CONFLICT, "%s depends on %s, which has not succeeded", job_id, missed);
}

static int push_lost(struct txn *t, int64_t job, const char *job_id, struct err *err)
{
	if (t->nlost == t->lost_cap) {
		int cap = 2 * t->lost_cap + 16;
		struct lost *more = realloc(t->lost, (size_t)cap * sizeof *more);
		if (!more)
			return err_set(err, ERR_NO_MEMORY, "out of memory");
		t->lost = more;
		t->lost_cap = cap;
	}
	struct lost *l = &t->lost[t->nlost++];
	l->number = job;
	snprintf(l->id, sizeof l->id, "%s", job_id);
	return OK;
}

int depends_ended(struct txn *t, int64_t job, const char *job_id, bool succeeded, struct err *err)
{
	if (!succeeded)
		return push_lost(t, job, job_id, err);
	int code = sql_run(t->conn, SQL_DEPENDS_DONE, err, "i", job);
	return code ? code : sql_run(t->conn, SQL_DEPENDS_RECOUNT, err, "i", job);
}

int depends_next_lost(struct txn *t, char ret_id[JOB_ID_SIZE], enum job_status *ret_status, char *ret_why, size_t size,
	bool *ret_any, struct err *err)
{
	struct sqlite3_stmt *q;
	char status[JOB_WORD];
	*ret_any = false;
	for (; t->nlost; t->nlost--) {
		const struct lost *l = &t->lost[t->nlost - 1];
		int code = sql_start(t->conn, SQL_DEPENDS_WAITING, &q, err, "i", l->number);
		if (!code)
			code = sql_step(t->conn, q, ret_any, err);
		if (code)
			return code;
		if (!*ret_any)
			continue;
		sql_text(q, 0, ret_id, JOB_ID_SIZE);
		sql_text(q, 1, status, sizeof status);
		sql_reset(q);
		job_status_parse(status, ret_status);
		snprintf(ret_why, size, "%s, which it depends on, did not succeed", l->id);
		return OK;
	}
	return OK;
}
