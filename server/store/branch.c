/* branch.c: the curves of a fork begin as those of the job that it goes on from: its points up to a step, copied. */
#include "server/store/internal.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

struct branch {
	struct txn *t;
	int64_t job, to_step;
};

struct series_id {
	int64_t id;
	char name[JOB_WORD];
};

/* All of them first: a query is not changed under itself. */
static int list_series(struct conn *c, int64_t job, struct series_id **ret, int *ret_n, struct err *err)
{
	sqlite3_stmt *q;
	bool row;
	struct series_id *list = NULL;
	int n = 0, code = sql_start(c, SQL_SERIES_IDS, &q, err, "i", job);
	while (!code && !(code = sql_step(c, q, &row, err)) && row) {
		struct series_id *more = realloc(list, (size_t)(n + 1) * sizeof *more);
		if (!more) {
			sql_reset(q);
			code = err_set(err, ERR_NO_MEMORY, "out of memory");
			break;
		}
		list = more;
		list[n].id = sqlite3_column_int64(q, 0);
		sql_text(q, 1, list[n].name, sizeof list[n].name);
		n++;
	}
	*ret = list;
	*ret_n = n;
	return code;
}

/* A copy of one row's data; *ret NULL where there is no such row. */
static int read_data(
	struct conn *c, enum sql which, int64_t series, int64_t step, void **ret, size_t *ret_bytes, struct err *err)
{
	sqlite3_stmt *q;
	bool row;
	*ret = NULL;
	int code = sql_start(c, which, &q, err, "ii", series, step);
	if (!code)
		code = sql_step(c, q, &row, err);
	if (code || !row)
		return code;
	*ret_bytes = (size_t)sqlite3_column_bytes(q, 0);
	*ret = malloc(*ret_bytes + 1);
	if (*ret && *ret_bytes)
		memcpy(*ret, sqlite3_column_blob(q, 0), *ret_bytes);
	sql_reset(q);
	return *ret ? OK : err_set(err, ERR_NO_MEMORY, "out of memory");
}

/* The row that reaches beyond the step, up to it. */
static int copy_part(const struct branch *b, int64_t from, int64_t to, struct err *err)
{
	void *data;
	size_t bytes;
	int64_t step;
	double value;
	int code = read_data(b->t->conn, SQL_POINTS_AFTER, from, b->to_step, &data, &bytes, err);
	if (code || !data)
		return code;
	bytes = points_cut(data, bytes, b->to_step, &step, &value);
	if (bytes)
		code = sql_run(b->t->conn, SQL_POINTS_INSERT, err, "iib", to, step, data, bytes);
	free(data);
	return code;
}

/* What the series' own row says of its newest point; a series that only began later is none of the branch's. */
static int settle_series(const struct branch *b, int64_t series, struct err *err)
{
	void *data;
	size_t bytes;
	int64_t step;
	double value;
	int code = read_data(b->t->conn, SQL_POINTS_NEWEST, series, b->to_step, &data, &bytes, err);
	if (code)
		return code;
	if (data && points_cut(data, bytes, b->to_step, &step, &value))
		code = sql_run(b->t->conn, SQL_SERIES_UPDATE, err, "iid", series, step, value);
	else
		code = sql_run(b->t->conn, SQL_SERIES_DROP, err, "i", series);
	free(data);
	return code;
}

static int copy_series(const struct branch *b, const struct series_id *from, struct err *err)
{
	int64_t to = 0;
	int code = sql_int(b->t->conn, SQL_SERIES_INSERT, &to, 0, err, "is", b->job, from->name);
	if (!code)
		code = sql_run(b->t->conn, SQL_POINTS_COPY, err, "iii", from->id, to, b->to_step);
	if (!code)
		code = copy_part(b, from->id, to, err);
	return code ? code : settle_series(b, to, err);
}

int points_branch(struct txn *t, int64_t job, int64_t parent, const struct job *fork, struct err *err)
{
	const struct branch b = {.t = t, .job = job, .to_step = fork->fork_step};
	struct series_id *list = NULL;
	int n = 0, code = points_flush(t, err); /* what was reported before comes before */
	if (!code)
		code = sql_run(t->conn, SQL_JOB_BRANCH, err, "iiissdi", job, fork->fork_step, (int64_t)fork->epoch,
			fork->dataset_sha256, fork->best_metric, fork->best_value, (int64_t)fork->best_epoch);
	if (!code)
		code = list_series(t->conn, parent, &list, &n, err);
	for (int i = 0; i < n && !code; i++)
		code = copy_series(&b, &list[i], err);
	free(list);
	return code;
}
