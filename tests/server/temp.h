/* temp.h: a data directory for one test, gone afterwards. */
#ifndef LATENTD_TESTS_SERVER_TEMP_H
#define LATENTD_TESTS_SERVER_TEMP_H

#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline int temp_remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

static inline void temp_remove(char *dir)
{
	nftw(dir, temp_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(dir);
}

static inline char *temp_make(void)
{
	const char *base = getenv("TMPDIR");
	char path[200];
	snprintf(path, sizeof path, "%s/latentd-test-XXXXXX", base ? base : "/tmp");
	return mkdtemp(path) ? strdup(path) : NULL;
}

/* For what no API does: the marks of a kill, a disk that is full. */
static inline void temp_sql(const char *dir, const char *sql)
{
	char path[300];
	sqlite3 *db;
	snprintf(path, sizeof path, "%s/latentd.db", dir);
	if (sqlite3_open(path, &db) != SQLITE_OK || sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
		fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db));
		abort();
	}
	sqlite3_close(db);
	snprintf(path, sizeof path, "%s/latentd.db.seal", dir); /* as a kill leaves it */
	remove(path);
}

/* The schema's version. */
static inline int temp_version(const char *dir)
{
	char path[300];
	sqlite3 *db;
	sqlite3_stmt *stmt;
	snprintf(path, sizeof path, "%s/latentd.db", dir);
	if (sqlite3_open(path, &db) != SQLITE_OK ||
		sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &stmt, NULL) != SQLITE_OK || sqlite3_step(stmt) != SQLITE_ROW)
		abort();
	int version = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return version;
}

#endif
