#include "server/store/internal.h"

#include "api/json.h"
#include "server/clock.h"
#include "server/store/journal.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- events --- */

static int touch(struct txn *t, const char *job_id, int64_t seq, enum job_status status, struct err *err)
{
	enum { LOOK_BACK = 32 }; /* a job that is told of twice does no harm; to look through thousands would */
	int i = t->ntouched > LOOK_BACK ? t->ntouched - LOOK_BACK : 0;
	while (i < t->ntouched && strcmp(t->touched[i].job_id, job_id))
		i++;
	if (i == t->touched_cap) {
		int cap = 2 * t->touched_cap + 16;
		struct touched *more = realloc(t->touched, (size_t)cap * sizeof *more);
		if (!more)
			return err_set(err, ERR_NO_MEMORY, "out of memory");
		t->touched = more;
		t->touched_cap = cap;
	}
	if (i == t->ntouched) {
		t->ntouched++;
		t->touched[i] = (struct touched){0};
		snprintf(t->touched[i].job_id, sizeof t->touched[i].job_id, "%s", job_id);
	}
	t->touched[i].last_seq = seq;
	t->touched[i].status = status;
	return OK;
}

static int next_seq(struct txn *t, int64_t job, int64_t *ret_seq, struct err *err)
{
	struct sqlite3_stmt *stmt;
	bool row;
	int code = sql_start(t->conn, SQL_EVENT_NUMBER, &stmt, err, "i", job);
	if (!code)
		code = sql_step(t->conn, stmt, &row, err);
	if (code)
		return code;
	if (!row)
		return err_set(err, ERR_NOT_FOUND, "no job number %lld", (long long)job);
	char id[JOB_ID_SIZE], name[JOB_WORD];
	enum job_status status = JOB_QUEUED;
	*ret_seq = sqlite3_column_int64(stmt, 0);
	sql_text(stmt, 1, name, sizeof name);
	sql_text(stmt, 2, id, sizeof id);
	job_status_parse(name, &status);
	code = sql_step(t->conn, stmt, &row, err); /* to its end: an open statement would keep COMMIT waiting */
	return code ? code : touch(t, id, *ret_seq, status, err);
}

int event_append(struct txn *t, int64_t job, enum event_type type, const char *once, const char *body, struct err *err)
{
	int64_t known = 0, seq = 0;
	const char *type_name = event_type_name(type);
	int code = once ? sql_int(t->conn, SQL_EVENT_KNOWN, &known, 0, err, "iss", job, type_name, once) : OK;
	if (code || known)
		return code;
	code = next_seq(t, job, &seq, err);
	if (code)
		return code;
	return sql_run(t->conn, SQL_EVENT_INSERT, err, "iisiss", job, seq, type_name, t->now_ms, once, body);
}

/* The last event tells what came of it, so that who follows need not ask again. */
static int append_end(struct txn *t, int64_t job, enum job_status status, const struct store_change *c, struct err *err)
{
	struct buf body = BUF_INIT;
	buf_printf(&body, "\"status\":\"%s\"", job_status_name(status));
	if (c->test)
		buf_printf(&body, ",\"test\":%s", c->test);
	if (c->generalisation_gap)
		buf_printf(&body, ",\"generalisation_gap\":%s", c->generalisation_gap);
	int code = body.failed ? err_set(err, ERR_NO_MEMORY, "out of memory")
						   : event_append(t, job, EVENT_END, NULL, body.data, err);
	buf_free(&body);
	return code;
}

static const struct store_change no_change = {0};

static int append_status(
	struct txn *t, int64_t job, enum job_status status, const struct store_change *c, struct err *err)
{
	char body[200], wish[40] = "";
	const char *quote = c->stop_reason ? "\"" : "";
	if (c->wishes && c->wish)
		snprintf(wish, sizeof wish, ",\"wish\":\"%s\"", job_wish_name(c->wish));
	snprintf(body, sizeof body, "\"status\":\"%s\",\"stop_reason\":%s%s%s%s", job_status_name(status), quote,
		c->stop_reason ? c->stop_reason : "null", quote, wish);
	int code = event_append(t, job, EVENT_STATUS, NULL, body, err);
	return code || !job_terminal(status) ? code : append_end(t, job, status, c, err);
}

/* --- calls --- */

struct insert_op {
	struct op op;
	const struct job *job;
	struct store_key *key;
	int64_t number, created_at_ms;
};

static int check_room(struct txn *t, struct err *err)
{
	int64_t waiting = 0;
	int limit = t->store->queue_limit;
	int code = limit ? sql_int(t->conn, SQL_QUEUE_LENGTH, &waiting, 0, err, "") : OK;
	if (!code && limit && waiting >= limit)
		code = err_set(err, ERR_FULL, "%d jobs are queued already; wait for some to finish or cancel some", limit);
	return code;
}

static void note_submitted(struct txn *t, const struct job *as_given, int64_t number)
{
	struct job job = *as_given; /* its texts stay the caller's */
	job.number = number;
	job.created_at_ms = t->now_ms;
	journal_submitted(&t->journal, &job);
}

int job_insert(struct txn *t, const struct job *j, int64_t *ret_number, struct err *err)
{
	const struct family *f = family_find(j->kind);
	int64_t parent = 0;
	int code = check_room(t, err);
	if (!code)
		code = depends_check(t, j->depends_on, err);
	if (!code && j->fork_step)
		code = job_number(t->conn, j->from_job, &parent, err);
	if (code)
		return code;
	code = sql_int(t->conn, SQL_JOB_INSERT, ret_number, 0, err, "sssssiiiiissssidsiiiiss", j->id, j->kind, j->preset,
		j->dataset, j->name, t->now_ms, (int64_t)j->priority, (int64_t)j->seed, (int64_t)j->epochs, j->steps, j->params,
		j->metadata, j->warnings, j->from_job, (int64_t)j->from_epoch, j->ancestors_train_s, j->depends_on,
		j->time_limit_s, (int64_t)j->max_retries, j->memory_bytes, (int64_t)(f && f->conducts), j->study, j->trial);
	if (!code)
		code = depends_insert(t, *ret_number, j->depends_on, err);
	if (!code && j->fork_step)
		code = points_branch(t, *ret_number, parent, j, err);
	if (!code && j->fork_step)
		code = sql_run(t->conn, SQL_TOMBSTONE_DROP, err, "s", j->id);
	if (!code)
		code = append_status(t, *ret_number, JOB_QUEUED, &no_change, err);
	if (!code)
		note_submitted(t, j, *ret_number);
	return code;
}

static int apply_insert(struct txn *t, struct op *base, struct err *err)
{
	struct insert_op *op = (struct insert_op *)base;
	int code = key_check(t, op->key, err);
	if (code || (op->key && op->key->replayed))
		return code;
	op->created_at_ms = t->now_ms;
	code = job_insert(t, op->job, &op->number, err);
	return code ? code : key_put(t, op->key, op->job->id, err);
}

int store_insert(struct store *s, struct job *job, struct err *err)
{
	return store_insert_once(s, job, NULL, err);
}

int store_insert_once(struct store *s, struct job *job, struct store_key *key, struct err *err)
{
	struct insert_op op = {.op.apply = apply_insert, .job = job, .key = key};
	int code = store_call(s, &op.op, err);
	if (code && key) { /* it may have come that far before the batch failed */
		free(key->reply);
		key->reply = NULL;
	}
	if (code || (key && key->replayed))
		return code;
	job->number = op.number;
	job->created_at_ms = op.created_at_ms;
	job->status = JOB_QUEUED;
	return OK;
}

static int refuse_move(struct txn *t, const char *job_id, enum job_status to, struct err *err)
{
	struct sqlite3_stmt *stmt;
	bool row;
	int code = sql_start(t->conn, SQL_JOB_STATUS, &stmt, err, "s", job_id);
	if (!code)
		code = sql_step(t->conn, stmt, &row, err);
	if (code)
		return code;
	if (!row)
		return err_set(err, ERR_NOT_FOUND, "no job '%s'", job_id);
	char status[JOB_WORD];
	sql_text(stmt, 0, status, sizeof status);
	sql_reset(stmt);
	return err_set(err, ERR_CONFLICT, "%s is %s; it cannot become %s now", job_id, status, job_status_name(to));
}

/* NULL: as it was. */
static const char *wish_then(enum job_status to, const struct store_change *c)
{
	if (job_terminal(to))
		return job_wish_name(WISH_NONE);
	return c->wishes ? job_wish_name(c->wish) : NULL;
}

/* What hangs on where it comes from and where it goes. */
static int settle_move(
	struct txn *t, const char *job_id, int64_t number, enum job_status from, enum job_status to, struct err *err)
{
	points_forget(t); /* whose reports are taken is asked anew */
	if (job_terminal(from)) {
		int code = sql_run(t->conn, SQL_JOB_REOPEN, err, "i", number);
		return code ? code : sql_run(t->conn, SQL_TRIALS_REOPEN, err, "i", number);
	}
	if (!job_terminal(to))
		return OK;
	points_end(t, job_id);
	int code = edits_end(t, number, err);
	return code ? code : depends_ended(t, number, job_id, to == JOB_SUCCEEDED, err);
}

static int move_one(struct txn *t, const char *job_id, enum job_status from, enum job_status to,
	const struct store_change *change, struct err *err)
{
	const struct store_change *c = change ? change : &no_change;
	int64_t number = 0;
	int code = points_flush(t, err); /* what was reported before comes before */
	if (!code && job_terminal(from) && !job_terminal(to))
		code = depends_recheck(t, job_id, err);
	if (!code)
		code = sql_int(t->conn, SQL_JOB_MOVE, &number, 0, err, "ssssssssiiisI", job_id, job_status_name(from),
			job_status_name(to), c->stop_reason, c->error_code, c->error_detail, c->test, c->generalisation_gap,
			(int64_t)c->first_start, (int64_t)c->finished, t->now_ms, wish_then(to, c), (int)(c->not_before_ms > 0),
			c->not_before_ms);
	if (code)
		return code;
	if (!number)
		return refuse_move(t, job_id, to, err);
	if (job_terminal(to) || job_terminal(from))
		journal_status(&t->journal, job_id, to, c->stop_reason);
	code = settle_move(t, job_id, number, from, to, err);
	return code ? code : append_status(t, number, to, c, err);
}

/* With a job that did not succeed those fail that wait for it, and those that wait for them: one after another, not one within
 * another, however long the chain. */
int job_move(struct txn *t, const char *job_id, enum job_status from, enum job_status to,
	const struct store_change *change, struct err *err)
{
	char id[JOB_ID_SIZE], detail[160];
	enum job_status status;
	const struct store_change failed = {.stop_reason = "dependency_failed",
		.error_code = "dependency_failed",
		.error_detail = detail,
		.finished = true};
	bool any = false;
	int code = move_one(t, job_id, from, to, change, err);
	if (!code)
		code = depends_next_lost(t, id, &status, detail, sizeof detail, &any, err);
	while (!code && any) {
		code = move_one(t, id, status, JOB_FAILED, &failed, err);
		if (!code)
			code = depends_next_lost(t, id, &status, detail, sizeof detail, &any, err);
	}
	return code;
}

struct move_op {
	struct op op;
	const char *job_id;
	enum job_status from, to;
	const struct store_change *change;
};

static int apply_move(struct txn *t, struct op *base, struct err *err)
{
	struct move_op *op = (struct move_op *)base;
	return job_move(t, op->job_id, op->from, op->to, op->change, err);
}

int store_move(struct store *s, const char *job_id, enum job_status from, enum job_status to,
	const struct store_change *change, struct err *err)
{
	if (!job_may_move(from, to) && !(from == to && change && change->wishes))
		return err_set(
			err, ERR_CONFLICT, "a job that is %s cannot become %s", job_status_name(from), job_status_name(to));
	struct move_op op = {.op.apply = apply_move, .job_id = job_id, .from = from, .to = to, .change = change};
	return store_call(s, &op.op, err);
}

static int apply_nothing(struct txn *t, struct op *op, struct err *err)
{
	(void)t, (void)op, (void)err;
	return OK;
}

int store_flush(struct store *s, struct err *err)
{
	struct op op = {.apply = apply_nothing};
	return store_call(s, &op, err);
}

/* --- reports --- */

struct event_op {
	struct op op;
	char job_id[JOB_ID_SIZE];
	enum event_type type;
	char *once, *body;
};

int job_number(struct conn *c, const char *job_id, int64_t *ret, struct err *err)
{
	int code = sql_int(c, SQL_JOB_NUMBER, ret, 0, err, "s", job_id);
	if (!code && !*ret)
		code = err_set(err, ERR_NOT_FOUND, "no job '%s'", job_id);
	return code;
}

int job_reporter(struct conn *c, const char *job_id, int64_t *ret, struct err *err)
{
	int code = sql_int(c, SQL_JOB_REPORTER, ret, -1, err, "s", job_id);
	if (!code && *ret < 0)
		code = err_set(err, ERR_NOT_FOUND, "no job '%s'", job_id);
	return code;
}

static int apply_event(struct txn *t, struct op *base, struct err *err)
{
	struct event_op *op = (struct event_op *)base;
	int64_t job;
	int code = job_reporter(t->conn, op->job_id, &job, err);
	if (code || !job)
		return code;
	if (op->type == EVENT_METRICS)
		return points_tell(t, op->job_id, job, op->once, op->body, err);
	return event_append(t, job, op->type, op->once, op->body, err);
}

static void release_event(struct op *base)
{
	struct event_op *op = (struct event_op *)base;
	free(op->once);
	free(op->body);
	free(op);
}

void store_event(struct store *s, const char *job_id, enum event_type type, const char *unique, const char *body)
{
	struct event_op *op = report_new(sizeof *op);
	op->op.apply = apply_event;
	op->op.release = release_event;
	op->type = type;
	snprintf(op->job_id, sizeof op->job_id, "%s", job_id);
	op->once = unique ? report_text(unique) : NULL;
	op->body = report_text(body);
	store_report(s, &op->op);
}

struct result_op {
	struct op op;
	char job_id[JOB_ID_SIZE], name[JOB_WORD];
	char *body;
};

static int apply_result(struct txn *t, struct op *base, struct err *err)
{
	const struct result_op *op = (struct result_op *)base;
	int64_t job;
	int code = job_reporter(t->conn, op->job_id, &job, err);
	return code || !job ? code : sql_run(t->conn, SQL_RESULT_PUT, err, "iss", job, op->name, op->body);
}

static void release_result(struct op *base)
{
	free(((struct result_op *)base)->body);
	free(base);
}

void store_result(struct store *s, const char *job_id, const char *name, const char *body)
{
	struct result_op *op = report_new(sizeof *op);
	op->op.apply = apply_result;
	op->op.release = release_result;
	snprintf(op->job_id, sizeof op->job_id, "%s", job_id);
	snprintf(op->name, sizeof op->name, "%s", name);
	op->body = report_text(body);
	store_report(s, &op->op);
}

struct progress_op {
	struct op op;
	struct job job; /* texts: warnings only */
};

static int apply_progress(struct txn *t, struct op *base, struct err *err)
{
	const struct job *j = &((struct progress_op *)base)->job;
	return sql_run(t->conn, SQL_JOB_PROGRESS, err, "siiiidddsdiss", j->id, (int64_t)j->epoch, (int64_t)j->epochs,
		j->step, j->steps, j->eta_ms, j->samples_per_s, j->train_s, j->best_metric, j->best_value,
		(int64_t)j->best_epoch, j->dataset_sha256, j->warnings);
}

static void release_progress(struct op *base)
{
	struct progress_op *op = (struct progress_op *)base;
	free(op->job.warnings);
	free(op);
}

void store_progress(struct store *s, const struct job *job)
{
	struct progress_op *op = report_new(sizeof *op);
	op->op.apply = apply_progress;
	op->op.release = release_progress;
	op->job = *job;
	op->job.params = op->job.metadata = op->job.depends_on = op->job.trial = op->job.metrics = op->job.test = op->job.generalisation_gap = NULL;
	op->job.warnings = job->warnings ? report_text(job->warnings) : NULL;
	store_report(s, &op->op);
}
