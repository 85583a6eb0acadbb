#include "server/store/internal.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

/* A list that is filtered merges ranges: for each kind and status that there is and that fits, an index has the numbers in order,
 * whatever else is asked for. So a page costs the same at the head of a hundred thousand jobs as in an empty queue. */

struct numbers {
	int64_t *number;
	size_t n, cap;
};

static int out_of_memory(struct err *err)
{
	return err_set(err, ERR_NO_MEMORY, "out of memory");
}

static int add(struct numbers *l, int64_t number, struct err *err)
{
	if (l->n == l->cap) {
		size_t cap = 2 * l->cap + 128;
		int64_t *more = realloc(l->number, cap * sizeof *more);
		if (!more)
			return out_of_memory(err);
		l->number = more;
		l->cap = cap;
	}
	l->number[l->n++] = number;
	return OK;
}

/* Where the page begins, and how many rows tell whether another follows. */
struct span {
	int64_t from, limit;
};

static int take(struct conn *c, sqlite3_stmt *q, struct numbers *l, struct err *err)
{
	bool row;
	int code;
	while (!(code = sql_step(c, q, &row, err)) && row)
		if ((code = add(l, sqlite3_column_int64(q, 0), err))) {
			sql_reset(q);
			break;
		}
	return code;
}

static bool in_words(const char *list, const char *word)
{
	size_t n = strlen(word);
	for (const char *at = list; at && *at;) {
		size_t length = strcspn(at, ",");
		if (length == n && !memcmp(at, word, n))
			return true;
		at += length + (at[length] == ',');
	}
	return !list;
}

/* Children of one study, or jobs that are nobody's. */
static int take_study(struct conn *c, const struct store_filter *f, const struct span *s, struct numbers *l, struct err *err)
{
	sqlite3_stmt *q;
	int code = sql_start(c, f->ascending ? SQL_OF_STUDY_UP : SQL_OF_STUDY_DOWN, &q, err, "iissss", s->from, s->limit,
		f->study, f->kind, f->status, f->name);
	return code ? code : take(c, q, l, err);
}

/* The jobs of one kind and status. */
static int take_range(struct conn *c, const struct store_filter *f, const struct span *s, const char *kind,
	const char *status, struct numbers *l, struct err *err)
{
	static const enum sql of_kind[] = {SQL_OF_KIND_DOWN, SQL_OF_KIND_UP},
						  of_name[] = {SQL_OF_NAME_DOWN, SQL_OF_NAME_UP},
						  of_dataset[] = {SQL_OF_DATASET_DOWN, SQL_OF_DATASET_UP};
	const char *word = f->name ? f->name : f->dataset;
	const enum sql *which = f->name ? of_name : f->dataset ? of_dataset : of_kind;
	sqlite3_stmt *q;
	int code = word ? sql_start(c, which[f->ascending], &q, err, "iisss", s->from, s->limit, kind, status, word)
					: sql_start(c, which[f->ascending], &q, err, "iiss", s->from, s->limit, kind, status);
	return code ? code : take(c, q, l, err);
}

static int ascending(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static int descending(const void *a, const void *b)
{
	return ascending(b, a);
}

static int take_ranges(
	struct conn *c, const struct store_filter *f, const struct span *s, struct numbers *l, struct err *err)
{
	sqlite3_stmt *q;
	bool row;
	char kind[JOB_WORD], status[JOB_WORD];
	int code = sql_start(c, SQL_JOBS_COUNT, &q, err, "");
	while (!code && !(code = sql_step(c, q, &row, err)) && row) {
		sql_text(q, 0, kind, sizeof kind);
		sql_text(q, 1, status, sizeof status);
		if ((f->kind && strcmp(kind, f->kind)) || !in_words(f->status, status))
			continue;
		if ((code = take_range(c, f, s, kind, status, l, err)))
			sql_reset(q);
	}
	if (l->n)
		qsort(l->number, l->n, sizeof *l->number, f->ascending ? ascending : descending);
	return code;
}

static int find(struct conn *c, const struct store_filter *f, struct numbers *l, struct err *err)
{
	struct span s = {f->ascending ? 0 : INT64_MAX, (int64_t)f->limit + 1};
	sqlite3_stmt *q;
	int code = OK;
	if (f->after && !(code = sql_int(c, SQL_JOB_NUMBER, &s.from, 0, err, "s", f->after)) && !s.from)
		code = err_set(err, ERR_NOT_FOUND, "no job '%.140s' to list after", f->after);
	if (code)
		return code;
	if (f->study)
		return take_study(c, f, &s, l, err);
	if (f->status || f->kind || f->name || f->dataset)
		return take_ranges(c, f, &s, l, err);
	code = sql_start(c, f->ascending ? SQL_NUMBERS_UP : SQL_NUMBERS_DOWN, &q, err, "ii", s.from, s.limit);
	return code ? code : take(c, q, l, err);
}

static int load(struct conn *c, int64_t number, struct job *ret, struct err *err)
{
	sqlite3_stmt *q;
	bool row;
	int code = sql_start(c, SQL_JOB_BY_NUMBER, &q, err, "i", number);
	if (!code)
		code = sql_step(c, q, &row, err);
	if (code)
		return code;
	if (!row)
		return err_set(err, ERR_CORRUPT, "an index has a job %lld that is not there", (long long)number);
	code = job_read(c, q, ret, err);
	sql_reset(q);
	return code;
}

static int list(
	struct conn *c, const struct store_filter *f, struct job *jobs, int *ret_n, bool *ret_more, struct err *err)
{
	struct numbers l = {0};
	int code = find(c, f, &l, err);
	*ret_more = l.n > (size_t)f->limit;
	for (size_t i = 0; i < l.n && i < (size_t)f->limit && !code; i++)
		if (!(code = load(c, l.number[i], &jobs[i], err)))
			++*ret_n;
	free(l.number);
	return code;
}

int store_list(
	struct store *s, const struct store_filter *f, struct job **ret_jobs, int *ret_n, bool *ret_more, struct err *err)
{
	struct conn *c;
	int n = 0;
	bool more = false;
	struct job *jobs = calloc((size_t)f->limit + 1, sizeof *jobs);
	if (!jobs)
		return out_of_memory(err);
	int code = reader_get(s, &c, err);
	if (!code) {
		code = list(c, f, jobs, &n, &more, err);
		reader_put(s, c);
	}
	if (code) {
		while (n > 0)
			job_free(&jobs[--n]);
		free(jobs);
		return code;
	}
	*ret_jobs = jobs;
	*ret_n = n;
	*ret_more = more;
	return OK;
}
