#include "server/store/internal.h"

#include "api/json.h"

#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int out_of_memory(struct err *err)
{
	return err_set(err, ERR_NO_MEMORY, "out of memory");
}

static void read_words(sqlite3_stmt *q, struct job *j)
{
	char status[JOB_WORD];
	j->number = sqlite3_column_int64(q, 0);
	sql_text(q, 1, j->id, sizeof j->id);
	sql_text(q, 2, j->kind, sizeof j->kind);
	sql_text(q, 3, j->preset, sizeof j->preset);
	sql_text(q, 4, j->dataset, sizeof j->dataset);
	sql_text(q, 5, j->dataset_sha256, sizeof j->dataset_sha256);
	sql_text(q, 6, j->name, sizeof j->name);
	sql_text(q, 7, status, sizeof status);
	job_status_parse(status, &j->status);
	sql_text(q, 8, j->stop_reason, sizeof j->stop_reason);
	j->created_at_ms = sqlite3_column_int64(q, 9);
	j->started_at_ms = sqlite3_column_int64(q, 10);
	j->finished_at_ms = sqlite3_column_int64(q, 11);
	j->priority = sqlite3_column_int(q, 12);
	j->seed = (uint64_t)sqlite3_column_int64(q, 13);
	j->attempt = sqlite3_column_int(q, 14);
}

static void read_progress(sqlite3_stmt *q, struct job *j)
{
	j->epoch = sqlite3_column_int(q, 15);
	j->epochs = sqlite3_column_int(q, 16);
	j->step = sqlite3_column_int64(q, 17);
	j->steps = sqlite3_column_int64(q, 18);
	j->eta_ms = sqlite3_column_type(q, 19) == SQLITE_NULL ? -1 : sqlite3_column_double(q, 19);
	j->samples_per_s = sqlite3_column_double(q, 20);
	j->train_s = sqlite3_column_double(q, 21);
	sql_text(q, 22, j->best_metric, sizeof j->best_metric);
	j->best_value = sqlite3_column_double(q, 23);
	j->best_epoch = sqlite3_column_int(q, 24);
	j->test = sql_text_dup(q, 25);
	sql_text(q, 26, j->error_code, sizeof j->error_code);
	sql_text(q, 27, j->error_detail, sizeof j->error_detail);
	j->params = sql_text_dup(q, 28);
	j->metadata = sql_text_dup(q, 29);
	j->warnings = sql_text_dup(q, 30);
	j->generalisation_gap = sql_text_dup(q, 31);
	sql_text(q, 32, j->from_job, sizeof j->from_job);
	j->from_epoch = sqlite3_column_int(q, 33);
	j->ancestors_train_s = sqlite3_column_double(q, 34);
	j->fork_step = sqlite3_column_int64(q, 40);
	j->memory_bytes = sqlite3_column_int64(q, 41);
}

static void read_control(sqlite3_stmt *q, struct job *j)
{
	char wish[JOB_WORD];
	sql_text(q, 35, wish, sizeof wish);
	job_wish_parse(wish, &j->wish);
	j->time_limit_s = sqlite3_column_int64(q, 36);
	j->max_retries = sqlite3_column_int(q, 37);
	j->retries = sqlite3_column_int(q, 38);
	j->depends_on = sql_text_dup(q, 39);
	sql_text(q, 42, j->study, sizeof j->study);
	j->trial = sql_text_dup(q, 43);
}

/* {"train_loss":0.01,…}: the newest value of each series. */
static int read_metrics(struct conn *c, struct job *j, struct err *err)
{
	struct buf text = BUF_INIT;
	struct jsonw w;
	sqlite3_stmt *q;
	bool row;
	char name[JOB_WORD];
	jw_init(&w, &text, false);
	jw_object(&w);
	int code = sql_start(c, SQL_SERIES_OF_JOB, &q, err, "i", j->number);
	while (!code && !(code = sql_step(c, q, &row, err)) && row) {
		sql_text(q, 0, name, sizeof name);
		jw_kreal(&w, name, sqlite3_column_type(q, 1) == SQLITE_NULL ? NAN : sqlite3_column_double(q, 1));
	}
	jw_end_object(&w);
	j->metrics = buf_take(&text, NULL);
	return code ? code : j->metrics ? OK : out_of_memory(err);
}

void job_read_row(sqlite3_stmt *q, struct job *ret)
{
	*ret = (struct job){0};
	read_words(q, ret);
	read_progress(q, ret);
	read_control(q, ret);
}

/* A text that there was no memory for looks like none. */
static bool texts_lost(struct conn *c, sqlite3_stmt *q, const struct job *j)
{
	const struct {
		int column;
		const char *text;
	} copied[] = {{25, j->test}, {28, j->params}, {29, j->metadata}, {30, j->warnings}, {31, j->generalisation_gap},
		{39, j->depends_on}, {43, j->trial}};
	bool lost = (sqlite3_errcode(c->db) & 0xff) == SQLITE_NOMEM;
	for (size_t i = 0; i < sizeof copied / sizeof *copied; i++)
		lost |= !copied[i].text && sqlite3_column_type(q, copied[i].column) != SQLITE_NULL;
	return lost;
}

int job_read(struct conn *c, sqlite3_stmt *q, struct job *ret, struct err *err)
{
	struct job j;
	job_read_row(q, &j);
	int code = texts_lost(c, q, &j) ? out_of_memory(err) : read_metrics(c, &j, err);
	if (!code && j.status == JOB_QUEUED)
		code = sql_int(c, SQL_QUEUE_POSITION, &j.queue_position, 0, err, "ii", (int64_t)j.priority, j.number);
	if (code)
		job_free(&j);
	else
		*ret = j;
	return code;
}

/* ERR_NOT_FOUND without a message when there is no such row. */
static int load_one(struct conn *c, enum sql which, const char *key, struct job *ret, struct err *err)
{
	sqlite3_stmt *q;
	bool row;
	int code = sql_start(c, which, &q, err, key ? "s" : "", key);
	if (!code)
		code = sql_step(c, q, &row, err);
	if (code || !row)
		return code ? code : err_set(err, ERR_NOT_FOUND, "no job '%s'", key ? key : "latest");
	code = job_read(c, q, ret, err);
	sql_reset(q);
	return code;
}

int job_load(struct conn *c, const char *id, struct job *ret, struct err *err)
{
	return load_one(c, SQL_JOB_BY_ID, id, ret, err);
}

static int get(struct conn *c, const char *ref, struct job *ret, struct err *err)
{
	if (!strcmp(ref, "latest"))
		return load_one(c, SQL_JOB_LATEST, NULL, ret, err);
	return load_one(c, strncmp(ref, "job_", 4) ? SQL_JOB_BY_NAME : SQL_JOB_BY_ID, ref, ret, err);
}

static int fail_not_found(struct conn *c, const char *ref, struct err *err)
{
	struct job newest = {0};
	int code = load_one(c, SQL_JOB_LATEST, NULL, &newest, err);
	if (code == ERR_NOT_FOUND)
		return err_set(err, code, "no job '%.140s'; there are no jobs yet", ref);
	if (!code)
		code = err_set(err, ERR_NOT_FOUND, "no job '%.140s'; newest: %s", ref, newest.id);
	job_free(&newest);
	return code;
}

int store_get(struct store *s, const char *ref, struct job *ret, struct err *err)
{
	struct conn *c;
	int code = reader_get(s, &c, err);
	if (code)
		return code;
	code = get(c, ref, ret, err);
	if (code == ERR_NOT_FOUND)
		code = fail_not_found(c, ref, err);
	reader_put(s, c);
	return code;
}

/* --- numbers --- */

int store_counts(struct store *s, void (*fn)(void *ctx, const char *kind, enum job_status status, int64_t n), void *ctx,
	struct err *err)
{
	struct conn *c;
	sqlite3_stmt *q;
	bool row;
	int code = reader_get(s, &c, err);
	if (code)
		return code;
	code = sql_start(c, SQL_JOBS_COUNT, &q, err, "");
	while (!code && !(code = sql_step(c, q, &row, err)) && row) {
		char kind[JOB_WORD], name[JOB_WORD];
		enum job_status status;
		sql_text(q, 0, kind, sizeof kind);
		sql_text(q, 1, name, sizeof name);
		if (job_status_parse(name, &status))
			fn(ctx, kind, status, sqlite3_column_int64(q, 2));
	}
	reader_put(s, c);
	return code;
}

/* --- events, series --- */

static int event_read(sqlite3_stmt *q, const char *job_id, struct event *ret, struct err *err)
{
	struct event e = {.seq = sqlite3_column_int64(q, 0), .at_ms = sqlite3_column_int64(q, 2)};
	char type[JOB_WORD];
	struct buf data = BUF_INIT;
	sql_text(q, 1, type, sizeof type);
	if (!event_type_parse(type, &e.type))
		return err_set(err, ERR_CORRUPT, "event %lld has the unknown type '%s'", (long long)e.seq, type);
	buf_printf(&data, "{\"seq\":%lld,\"job\":\"%s\",\"at_ms\":%lld,%s}", (long long)e.seq, job_id, (long long)e.at_ms,
		(const char *)sqlite3_column_text(q, 3));
	e.data = buf_take(&data, NULL);
	if (!e.data)
		return out_of_memory(err);
	*ret = e;
	return OK;
}

/* What is asked of a job's events. */
struct wish {
	const char *job_id, *types; /* types: ",log,alert,"; NULL: all */
	int64_t after;
	bool newest_first;
	int limit;
};

static int start_events(struct conn *c, const struct wish *w, int64_t job, sqlite3_stmt **ret, struct err *err)
{
	if (!w->types)
		return sql_start(c, SQL_EVENTS, ret, err, "iii", job, w->after, (int64_t)w->limit);
	int64_t after = w->newest_first && !w->after ? INT64_MAX : w->after;
	return sql_start(c, w->newest_first ? SQL_EVENTS_OF_NEWEST : SQL_EVENTS_OF, ret, err, "iiis", job, after,
		(int64_t)w->limit, w->types);
}

static int events(struct conn *c, const struct wish *w, struct event **ret, int *ret_n, struct err *err)
{
	int64_t job = 0;
	sqlite3_stmt *q;
	bool row;
	int cap = 0;
	int code = sql_int(c, SQL_JOB_NUMBER, &job, 0, err, "s", w->job_id);
	if (!code && !job)
		code = err_set(err, ERR_NOT_FOUND, "no job '%s'", w->job_id);
	if (!code)
		code = start_events(c, w, job, &q, err);
	while (!code && !(code = sql_step(c, q, &row, err)) && row) {
		if (*ret_n == cap) {
			cap = 2 * cap + 16;
			struct event *more = realloc(*ret, (size_t)cap * sizeof *more);
			code = more ? OK : out_of_memory(err);
			if (more)
				*ret = more;
		}
		if (!code)
			code = event_read(q, w->job_id, &(*ret)[*ret_n], err);
		if (code)
			sql_reset(q);
		else
			++*ret_n;
	}
	return code;
}

static int read_events(struct store *s, const struct wish *w, struct event **ret_events, int *ret_n, struct err *err)
{
	struct conn *c;
	struct event *list_of = NULL;
	int n = 0;
	int code = reader_get(s, &c, err);
	if (code)
		return code;
	code = events(c, w, &list_of, &n, err);
	reader_put(s, c);
	if (!code) {
		*ret_events = list_of;
		*ret_n = n;
		return OK;
	}
	for (int i = 0; i < n; i++)
		free(list_of[i].data);
	free(list_of);
	return code;
}

int store_events(struct store *s, const char *job_id, int64_t after, int limit, struct event **ret_events, int *ret_n,
	struct err *err)
{
	const struct wish w = {.job_id = job_id, .after = after, .limit = limit};
	return read_events(s, &w, ret_events, ret_n, err);
}

int store_events_of(struct store *s, const char *job_id, const char *types, int64_t after, bool newest_first, int limit,
	struct event **ret_events, int *ret_n, struct err *err)
{
	char list[256];
	snprintf(list, sizeof list, ",%s,", types);
	const struct wish w = {
		.job_id = job_id, .types = list, .after = after, .newest_first = newest_first, .limit = limit};
	return read_events(s, &w, ret_events, ret_n, err);
}

int store_result_get(struct store *s, const char *job_id, const char *name, char **ret, struct err *err)
{
	struct conn *c;
	sqlite3_stmt *q;
	bool row;
	int code = reader_get(s, &c, err);
	if (code)
		return code;
	code = sql_start(c, SQL_RESULT, &q, err, "ss", job_id, name);
	if (!code)
		code = sql_step(c, q, &row, err);
	if (!code && !row)
		code = err_set(err, ERR_NOT_FOUND, "%s has no %s", job_id, name);
	if (!code) {
		*ret = sql_text_dup(q, 0);
		sql_reset(q);
		code = *ret ? OK : out_of_memory(err);
	}
	reader_put(s, c);
	return code;
}

int store_state(
	struct store *s, const char *job_id, enum job_status *ret_status, enum job_wish *ret_wish, struct err *err)
{
	struct conn *c;
	sqlite3_stmt *q;
	bool row = false;
	char word[JOB_WORD];
	int code = reader_get(s, &c, err);
	if (code)
		return code;
	code = sql_start(c, SQL_JOB_STATUS, &q, err, "s", job_id);
	if (!code)
		code = sql_step(c, q, &row, err);
	if (!code && !row)
		code = err_set(err, ERR_NOT_FOUND, "no job '%s'", job_id);
	if (!code) {
		sql_text(q, 0, word, sizeof word);
		job_status_parse(word, ret_status);
		sql_text(q, 1, word, sizeof word);
		job_wish_parse(word, ret_wish);
		sql_reset(q);
	}
	reader_put(s, c);
	return code;
}

int store_ended(struct store *s, const char *job_id, int64_t seq, bool *ret, struct err *err)
{
	enum job_status status = JOB_QUEUED;
	enum job_wish wish;
	int64_t newest = 0;
	int code = store_state(s, job_id, &status, &wish, err);
	if (!code && job_terminal(status)) /* in this order: an end that is taken back meanwhile has events after it */
		code = store_last_seq(s, job_id, &newest, err);
	if (!code)
		*ret = job_terminal(status) && newest <= seq;
	return code;
}

int store_last_seq(struct store *s, const char *job_id, int64_t *ret_seq, struct err *err)
{
	struct conn *c;
	int64_t seq = -1;
	int code = reader_get(s, &c, err);
	if (code)
		return code;
	code = sql_int(c, SQL_JOB_LAST_SEQ, &seq, -1, err, "s", job_id);
	reader_put(s, c);
	if (!code && seq < 0)
		code = err_set(err, ERR_NOT_FOUND, "no job '%s'", job_id);
	if (!code)
		*ret_seq = seq;
	return code;
}

int store_series(struct store *s, const char *job_id, char (**ret_names)[JOB_WORD], int *ret_n, struct err *err)
{
	struct conn *c;
	sqlite3_stmt *q;
	bool row;
	int64_t job = 0;
	char(*names)[JOB_WORD] = NULL;
	int n = 0;
	int code = reader_get(s, &c, err);
	if (code)
		return code;
	code = sql_int(c, SQL_JOB_NUMBER, &job, 0, err, "s", job_id);
	if (!code && !job)
		code = err_set(err, ERR_NOT_FOUND, "no job '%s'", job_id);
	if (!code)
		code = sql_start(c, SQL_SERIES_OF_JOB, &q, err, "i", job);
	while (!code && !(code = sql_step(c, q, &row, err)) && row) {
		char(*more)[JOB_WORD] = realloc(names, (size_t)(n + 1) * sizeof *more);
		if (!more) {
			sql_reset(q);
			code = out_of_memory(err);
			break;
		}
		names = more;
		sql_text(q, 0, names[n++], JOB_WORD);
	}
	reader_put(s, c);
	if (code) {
		free(names);
		return code;
	}
	*ret_names = names;
	*ret_n = n;
	return OK;
}
