#include "server/store/internal.h"

#include "api/manifest.h"
#include "api/utf8.h"
#include "server/store/blocks.h"
#include "server/store/recover.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 80 };

/* Rows of one table, from a database that may fail at any of them into one that does not. */
struct copier {
	const char *table, *where;
	sqlite3_stmt *read, *write;
	int columns;
};

/* Those that both know: the old one may be of an earlier version. */
static void list_columns(struct conn *from, struct conn *to, const char *table, struct buf *list, int *ret_n)
{
	sqlite3_stmt *mine = NULL, *theirs = NULL;
	*ret_n = 0;
	if (sqlite3_prepare_v2(to->db, "SELECT name FROM pragma_table_info(?1)", -1, &mine, NULL) == SQLITE_OK &&
		sqlite3_prepare_v2(from->db, "SELECT 1 FROM pragma_table_info(?1) WHERE name=?2", -1, &theirs, NULL) ==
			SQLITE_OK) {
		sqlite3_bind_text(mine, 1, table, -1, SQLITE_STATIC);
		sqlite3_bind_text(theirs, 1, table, -1, SQLITE_STATIC);
		while (sqlite3_step(mine) == SQLITE_ROW && *ret_n < COLUMNS_MAX) {
			const char *name = (const char *)sqlite3_column_text(mine, 0);
			sqlite3_bind_text(theirs, 2, name, -1, SQLITE_TRANSIENT);
			if (sqlite3_step(theirs) == SQLITE_ROW)
				buf_printf(list, "%s%s", (*ret_n)++ ? "," : "", name);
			sqlite3_reset(theirs);
		}
	}
	sqlite3_finalize(mine);
	sqlite3_finalize(theirs);
}

static void copier_open(struct copier *c, struct conn *from, struct conn *to)
{
	struct buf columns = BUF_INIT, read = BUF_INIT, write = BUF_INIT;
	list_columns(from, to, c->table, &columns, &c->columns);
	if (c->columns && !columns.failed) {
		buf_printf(&read, "SELECT %s FROM %s WHERE %s", columns.data, c->table, c->where);
		buf_printf(&write, "INSERT INTO %s(%s) VALUES(?", c->table, columns.data);
		for (int i = 1; i < c->columns; i++)
			buf_str(&write, ",?");
		buf_str(&write, ")");
		if (read.failed || write.failed || sqlite3_prepare_v2(from->db, read.data, -1, &c->read, NULL) != SQLITE_OK ||
			sqlite3_prepare_v2(to->db, write.data, -1, &c->write, NULL) != SQLITE_OK)
			c->columns = 0;
	}
	buf_free(&columns);
	buf_free(&read);
	buf_free(&write);
}

static void copier_close(struct copier *c)
{
	sqlite3_finalize(c->read);
	sqlite3_finalize(c->write);
	c->read = c->write = NULL;
}

/* A text that is none is damage. */
static bool is_sound(sqlite3_stmt *row, int column)
{
	if (sqlite3_column_type(row, column) != SQLITE_TEXT)
		return true;
	const char *text = (const char *)sqlite3_column_text(row, column);
	size_t left = (size_t)sqlite3_column_bytes(row, column), n = 1;
	for (; text && left && *text && n; left -= n, text += n)
		n = utf8_length(text, left);
	return text && n && !left;
}

/* Rows in order, until there are no more (*ret_whole) or one cannot be read or does not fit. */
static int copy(struct copier *c, int64_t key, bool *ret_whole)
{
	int n = 0, rc = SQLITE_ERROR;
	*ret_whole = false;
	if (!c->columns)
		return 0;
	sqlite3_bind_int64(c->read, 1, key);
	while ((rc = sqlite3_step(c->read)) == SQLITE_ROW) {
		bool fits = true;
		for (int i = 0; i < c->columns && fits; i++) {
			fits = is_sound(c->read, i);
			sqlite3_bind_value(c->write, i + 1, sqlite3_column_value(c->read, i));
		}
		fits = fits && sqlite3_step(c->write) == SQLITE_DONE;
		sqlite3_reset(c->write);
		if (!fits)
			break;
		n++;
	}
	*ret_whole = rc == SQLITE_DONE;
	sqlite3_reset(c->read);
	return n;
}

enum {
	OF_JOBS,
	OF_EVENTS,
	OF_SERIES,
	OF_POINTS,
	OF_RESULTS,
	OF_EDITS,
	OF_DEPENDS,
	OF_TRIALS,
	OF_KEYS,
	OF_TOMBSTONES,
	OF_SETTINGS,
	TABLES
};
static const struct copier tables[TABLES] = {
	[OF_JOBS] = {.table = "jobs", .where = "number=?1"},
	[OF_EVENTS] = {.table = "events", .where = "job=?1 ORDER BY seq"},
	[OF_SERIES] = {.table = "series", .where = "job=?1 ORDER BY id"},
	[OF_POINTS] = {.table = "points", .where = "series=?1 ORDER BY last_step"},
	[OF_RESULTS] = {.table = "results", .where = "job=?1"},
	[OF_EDITS] = {.table = "edits", .where = "job=?1 ORDER BY number"},
	[OF_DEPENDS] = {.table = "depends", .where = "job=?1"},
	[OF_TRIALS] = {.table = "trials", .where = "study=?1 ORDER BY phase,number"},
	[OF_KEYS] = {.table = "keys", .where = "at_ms>=?1"},
	[OF_TOMBSTONES] = {.table = "tombstones", .where = "?1=?1"},
	[OF_SETTINGS] = {.table = "settings", .where = "?1=?1"},
};

/* A row that was read may still be nonsense. */
static bool makes_sense(struct conn *to, int64_t number)
{
	static const char question[] = "SELECT id,status,kind<>'' AND dataset<>'' AND json_valid(coalesce(params,'{}')) AND"
								   " json_valid(coalesce(metadata,'{}')) AND json_valid(coalesce(warnings,'[]')) AND"
								   " json_valid(coalesce(test,'{}')) FROM jobs WHERE number=?1";
	sqlite3_stmt *q;
	char id[JOB_ID_SIZE + 1], name[JOB_WORD];
	enum job_status status;
	bool sense = false;
	if (sqlite3_prepare_v2(to->db, question, -1, &q, NULL) != SQLITE_OK)
		return false;
	sqlite3_bind_int64(q, 1, number);
	if (sqlite3_step(q) == SQLITE_ROW) {
		sql_text(q, 0, id, sizeof id);
		sql_text(q, 1, name, sizeof name);
		sense = manifest_id_valid(id) && job_status_parse(name, &status) && sqlite3_column_int(q, 2);
	}
	sqlite3_finalize(q);
	return sense;
}

static void run(struct conn *to, const char *sql, int64_t number)
{
	sqlite3_stmt *q;
	if (sqlite3_prepare_v2(to->db, sql, -1, &q, NULL) != SQLITE_OK)
		return;
	sqlite3_bind_int64(q, 1, number);
	sqlite3_step(q);
	sqlite3_finalize(q);
}

/* The first one that is missing, of no known type, or no JSON. */
static int64_t first_bad_event(struct conn *to, int64_t number)
{
	static const char question[] = "SELECT seq,type,json_valid('{'||body||'}') FROM events WHERE job=?1 ORDER BY seq";
	sqlite3_stmt *q;
	int64_t next = 1;
	if (sqlite3_prepare_v2(to->db, question, -1, &q, NULL) != SQLITE_OK)
		return next;
	sqlite3_bind_int64(q, 1, number);
	while (sqlite3_step(q) == SQLITE_ROW) {
		char type[JOB_WORD];
		enum event_type known;
		sql_text(q, 1, type, sizeof type);
		if (sqlite3_column_int64(q, 0) != next || !event_type_parse(type, &known) || !sqlite3_column_int(q, 2))
			break;
		next++;
	}
	sqlite3_finalize(q);
	return next;
}

/* A curve ends where its points do; its blocks are made anew. Events count from 1 without a gap. */
static void trim(struct conn *to, int64_t number)
{
	char sql[200];
	int64_t bad = first_bad_event(to, number);
	run(to,
		"DELETE FROM points WHERE series IN (SELECT id FROM series WHERE job=?1) AND (length(data)=0 OR length(data)%32<>0)",
		number);
	run(to, "UPDATE series SET tail=NULL, last_step=(SELECT max(last_step) FROM points WHERE series=id) WHERE job=?1",
		number);
	snprintf(sql, sizeof sql, "DELETE FROM events WHERE job=?1 AND seq>=%lld", (long long)bad);
	run(to, sql, number);
	snprintf(sql, sizeof sql, "UPDATE jobs SET last_seq=%lld WHERE number=?1", (long long)bad - 1);
	run(to, sql, number);
}

static bool copy_points(struct copier *all, struct conn *to, int64_t number)
{
	sqlite3_stmt *q;
	bool whole = true, one;
	if (sqlite3_prepare_v2(to->db, "SELECT id FROM series WHERE job=?1", -1, &q, NULL) != SQLITE_OK)
		return false;
	sqlite3_bind_int64(q, 1, number);
	while (sqlite3_step(q) == SQLITE_ROW) {
		copy(&all[OF_POINTS], sqlite3_column_int64(q, 0), &one);
		whole = whole && one;
	}
	sqlite3_finalize(q);
	return whole;
}

static void copy_job(struct copier *all, struct conn *to, int64_t number, struct recovery *r)
{
	static const int belongings[] = {OF_EVENTS, OF_SERIES, OF_RESULTS, OF_EDITS, OF_DEPENDS, OF_TRIALS};
	bool whole, all_whole = true;
	if (!copy(&all[OF_JOBS], number, &whole))
		return;
	if (!makes_sense(to, number)) {
		run(to, "DELETE FROM jobs WHERE number=?1", number);
		return;
	}
	for (size_t i = 0; i < sizeof belongings / sizeof *belongings; i++) {
		copy(&all[belongings[i]], number, &whole);
		all_whole = all_whole && (whole || !all[belongings[i]].columns);
	}
	all_whole = copy_points(all, to, number) && all_whole;
	trim(to, number);
	r->from_rows++;
	r->incomplete += !all_whole;
}

void salvage(struct conn *from, struct conn *to, int64_t last_number, struct recovery *r)
{
	struct copier all[TABLES];
	bool whole;
	memcpy(all, tables, sizeof all);
	for (int i = 0; i < TABLES; i++)
		copier_open(&all[i], from, to);
	for (int64_t number = 1; number <= last_number && all[OF_JOBS].columns; number++)
		copy_job(all, to, number, r);
	for (int i = OF_KEYS; i <= OF_SETTINGS; i++)
		copy(&all[i], 0, &whole);
	for (int i = 0; i < TABLES; i++)
		copier_close(&all[i]);
}

int64_t salvage_last_number(struct conn *from)
{
	static const char *const questions[] = {
		"SELECT seq FROM sqlite_sequence WHERE name='jobs'", "SELECT max(number) FROM jobs"};
	enum { MOST = 10000000 }; /* more is nonsense, and each number is asked for */
	int64_t last = 0;
	for (int i = 0; i < 2; i++) {
		sqlite3_stmt *q = NULL;
		if (sqlite3_prepare_v2(from->db, questions[i], -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW) {
			int64_t n = sqlite3_column_int64(q, 0);
			if (n > last && n <= MOST)
				last = n;
		}
		sqlite3_finalize(q);
	}
	return last;
}
