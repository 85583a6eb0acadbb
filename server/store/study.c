#include "server/store/study.h"

#include "server/store/internal.h"

#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const states[] = {
	[TRIAL_COMPLETE] = "complete",
	[TRIAL_PRUNED] = "pruned",
	[TRIAL_RUNNING] = "running",
	[TRIAL_INFEASIBLE] = "infeasible",
	[TRIAL_FAILED] = "failed",
};
static const char *const phases[TRIALS_PHASES] = {
	[TRIALS_TRIAL] = "trial", [TRIALS_AFTER] = "after", [TRIALS_RETRAIN] = "retrain"};

const char *trial_state_name(enum trial_state s)
{
	return states[s];
}

const char *trial_phase_name(enum trials_phase p)
{
	return phases[p];
}

static enum trial_state parse_state(const char *name)
{
	for (int s = 0; s < (int)(sizeof states / sizeof *states); s++)
		if (!strcmp(states[s], name))
			return (enum trial_state)s;
	return TRIAL_FAILED;
}

/* --- writes --- */

struct trial_op {
	struct op op;
	const char *study_id;
	const struct trial *trial;
	struct job *job;
	bool held;
};

static int apply_trial(struct txn *t, struct op *base, struct err *err)
{
	struct trial_op *op = (struct trial_op *)base;
	const struct trial *r = op->trial;
	int64_t study = 0, number = 0;
	int code = job_number(t->conn, op->study_id, &study, err);
	if (!code && op->job)
		code = job_insert(t, op->job, &number, err);
	if (code)
		return code;
	if (op->job) {
		op->job->number = number;
		op->job->created_at_ms = t->now_ms;
	}
	return sql_run(t->conn, SQL_TRIAL_INSERT, err, "iiiiissss", study, (int64_t)r->row.phase, r->row.number, r->row.of,
		r->seed, op->job ? op->job->id : NULL, states[r->row.state], r->reason, r->x);
}

int store_trial_insert(
	struct store *s, const char *study_id, const struct trial *trial, struct job *job, struct err *err)
{
	struct trial_op op = {.op.apply = apply_trial, .study_id = study_id, .trial = trial, .job = job};
	return store_call(s, &op.op, err);
}

static int apply_end(struct txn *t, struct op *base, struct err *err)
{
	struct trial_op *op = (struct trial_op *)base;
	const struct trial *r = op->trial;
	int64_t study = 0;
	int code = job_number(t->conn, op->study_id, &study, err);
	return code ? code
				: sql_run(t->conn, SQL_TRIAL_END, err, "iiisddis", study, (int64_t)r->row.phase, r->row.number,
					  states[r->row.state], r->row.value, r->intermediate, r->last_step, r->reason);
}

int store_trial_end(struct store *s, const char *study_id, const struct trial *trial, struct err *err)
{
	struct trial_op op = {.op.apply = apply_end, .study_id = study_id, .trial = trial};
	return store_call(s, &op.op, err);
}

static int apply_hold(struct txn *t, struct op *base, struct err *err)
{
	struct trial_op *op = (struct trial_op *)base;
	int64_t study = 0;
	int code = job_number(t->conn, op->study_id, &study, err);
	return code ? code
				: sql_run(t->conn, SQL_TRIAL_HOLD, err, "iiii", study, (int64_t)op->trial->row.phase,
					  op->trial->row.number, (int64_t)op->held);
}

int store_trial_hold(struct store *s, const char *study_id, const struct trial *trial, bool held, struct err *err)
{
	struct trial_op op = {.op.apply = apply_hold, .study_id = study_id, .trial = trial, .held = held};
	return store_call(s, &op.op, err);
}

/* --- reads --- */

static double real_or_nan(sqlite3_stmt *q, int column)
{
	return sqlite3_column_type(q, column) == SQLITE_NULL ? (double)NAN : sqlite3_column_double(q, column);
}

static int read_trial(sqlite3_stmt *q, struct trial *t, struct err *err)
{
	char state[JOB_WORD], status[JOB_WORD];
	*t = (struct trial){0};
	t->row.phase = (enum trials_phase)sqlite3_column_int(q, 0);
	t->row.number = t->row.group = sqlite3_column_int64(q, 1);
	t->row.of = sqlite3_column_int64(q, 2);
	t->seed = sqlite3_column_int64(q, 3);
	sql_text(q, 4, t->job, sizeof t->job);
	sql_text(q, 5, state, sizeof state);
	t->row.state = parse_state(state);
	t->row.value = real_or_nan(q, 6);
	t->intermediate = real_or_nan(q, 7);
	t->last_step = sqlite3_column_int64(q, 8);
	sql_text(q, 9, t->reason, sizeof t->reason);
	t->x = sql_text_dup(q, 10);
	t->held = sqlite3_column_int(q, 11);
	sql_text(q, 12, status, sizeof status);
	t->there = *t->job && job_status_parse(status, &t->status);
	t->epoch = sqlite3_column_int(q, 13);
	t->epochs = sqlite3_column_int(q, 14);
	t->train_s = sqlite3_column_double(q, 15);
	t->started_at_ms = sqlite3_column_int64(q, 16);
	t->finished_at_ms = sqlite3_column_int64(q, 17);
	sql_text(q, 18, t->name, sizeof t->name);
	return t->x ? OK : err_set(err, ERR_NO_MEMORY, "out of memory");
}

static int read_all(struct conn *c, const char *study_id, struct trial **all, size_t *n, struct err *err)
{
	sqlite3_stmt *q;
	int64_t study = 0;
	size_t cap = 0;
	bool row;
	int code = job_number(c, study_id, &study, err);
	if (!code)
		code = sql_start(c, SQL_TRIALS, &q, err, "i", study);
	while (!code && !(code = sql_step(c, q, &row, err)) && row) {
		if (*n == cap) {
			cap = 2 * cap + 32;
			struct trial *more = realloc(*all, cap * sizeof *more);
			code = more ? OK : err_set(err, ERR_NO_MEMORY, "out of memory");
			if (more)
				*all = more;
		}
		if (!code)
			code = read_trial(q, &(*all)[*n], err);
		if (code)
			sql_reset(q);
		else
			++*n;
	}
	return code;
}

int store_trials(struct store *s, const char *study_id, struct trial **ret, size_t *ret_n, struct err *err)
{
	struct conn *c;
	struct trial *all = NULL;
	size_t n = 0;
	int code = reader_get(s, &c, err);
	if (code)
		return code;
	code = read_all(c, study_id, &all, &n, err);
	reader_put(s, c);
	if (code) {
		trials_free(all, n);
		return code;
	}
	*ret = all;
	*ret_n = n;
	return OK;
}

void trials_free(struct trial *trials, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(trials[i].x);
	free(trials);
}

static int read_ids(struct conn *c, char (**ids)[JOB_ID_SIZE], size_t *n, struct err *err)
{
	sqlite3_stmt *q;
	bool row;
	int code = sql_start(c, SQL_STUDIES, &q, err, "");
	while (!code && !(code = sql_step(c, q, &row, err)) && row) {
		char(*more)[JOB_ID_SIZE] = realloc(*ids, (*n + 1) * sizeof *more);
		if (!more) {
			sql_reset(q);
			return err_set(err, ERR_NO_MEMORY, "out of memory");
		}
		*ids = more;
		sql_text(q, 0, more[(*n)++], JOB_ID_SIZE);
	}
	return code;
}

int store_studies(struct store *s, char (**ret_ids)[JOB_ID_SIZE], size_t *ret_n, struct err *err)
{
	struct conn *c;
	char(*ids)[JOB_ID_SIZE] = NULL;
	size_t n = 0;
	int code = reader_get(s, &c, err);
	if (code)
		return code;
	code = read_ids(c, &ids, &n, err);
	reader_put(s, c);
	if (code) {
		free(ids);
		return code;
	}
	*ret_ids = ids;
	*ret_n = n;
	return OK;
}
