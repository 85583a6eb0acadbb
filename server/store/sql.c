#include "server/store/internal.h"

#include "server/clock.h"
#include "server/log.h"
#include "server/store/seal.h"

#include <math.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const char *const text_of[SQL_COUNT] = {
#define X(id, text) [id] = text,
	SQL_STATEMENTS(X)
#undef X
};

/* mmap_size 0: a damaged file must be an error, not a SIGBUS. trusted_schema: a file is data, not code. */
static const char writer_setup[] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
								   "PRAGMA trusted_schema=OFF; PRAGMA mmap_size=0; PRAGMA journal_size_limit=67108864;";
static const char reader_setup[] =
	"PRAGMA query_only=ON; PRAGMA trusted_schema=OFF; PRAGMA mmap_size=0; PRAGMA cache_size=-1024;";

/* SQLite knows a full disk, but no quota; why the last write failed its files can tell (sqlite3_system_errno cannot, of a commit). */
static bool over_quota(sqlite3 *db)
{
	static const int files[] = {SQLITE_FCNTL_FILE_POINTER, SQLITE_FCNTL_JOURNAL_POINTER};
	if (sqlite3_extended_errcode(db) != SQLITE_IOERR_WRITE)
		return false;
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		sqlite3_file *file = NULL;
		int error = 0;
		if (sqlite3_file_control(db, "main", files[i], &file) == SQLITE_OK && file && file->pMethods &&
			file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &error) == SQLITE_OK && error == EDQUOT)
			return true;
	}
	return false;
}

/* What our statements cannot meet in tables of ours is damage, too; only a trigger's own refusal is not. */
static int code_of(sqlite3 *db)
{
	if (sqlite3_extended_errcode(db) == SQLITE_CONSTRAINT_TRIGGER)
		return ERR_IO;
	switch (sqlite3_errcode(db) & 0xff) {
	case SQLITE_FULL:
		return ERR_NO_SPACE;
	case SQLITE_NOMEM:
		return ERR_NO_MEMORY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_ERROR:
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
		return ERR_CORRUPT;
	case SQLITE_IOERR:
		return over_quota(db) ? ERR_NO_SPACE : ERR_IO;
	default:
		return ERR_IO;
	}
}

int sql_error(struct conn *c, struct err *err, const char *doing)
{
	c->failed = true;
	return err_set(err, code_of(c->db), "database: %s: %s", doing, sqlite3_errmsg(c->db));
}

bool sql_sync_failed(const struct conn *c)
{
	int rc = sqlite3_extended_errcode(c->db);
	return rc == SQLITE_IOERR_FSYNC || rc == SQLITE_IOERR_DIR_FSYNC;
}

int sql_script(struct conn *c, const char *text, struct err *err)
{
	if (sqlite3_exec(c->db, text, NULL, NULL, NULL) != SQLITE_OK)
		return sql_error(c, err, "setting up");
	return OK;
}

int conn_open(struct conn *c, const char *path, bool writable, struct err *err)
{
	enum { BUSY_TIMEOUT_MS = 5000 };
	int access = writable ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
	*c = (struct conn){0};
	int rc = sqlite3_open_v2(path, &c->db, access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
	if (!c->db)
		return err_set(err, ERR_NO_MEMORY, "opening %s: out of memory", path);
	int code = rc == SQLITE_OK ? OK : sql_error(c, err, "opening");
	if (!code) {
		sqlite3_busy_timeout(c->db, BUSY_TIMEOUT_MS);
		code = sql_script(c, writable ? writer_setup : reader_setup, err);
	}
	if (code)
		conn_close(c);
	return code ? err_wrap(err, "%s", path), code : OK;
}

void conn_close(struct conn *c)
{
	for (int i = 0; i < SQL_COUNT; i++)
		sqlite3_finalize(c->stmt[i]);
	sqlite3_close(c->db);
	*c = (struct conn){0};
}

static int is_late(void *until)
{
	return clock_ms() > *(const int64_t *)until;
}

static int check_with(struct conn *c, const char *question, bool *ret_late, struct err *err)
{
	sqlite3_stmt *q;
	char found[160] = "";
	int rc = sqlite3_prepare_v2(c->db, question, -1, &q, NULL);
	if (rc == SQLITE_OK && (rc = sqlite3_step(q)) == SQLITE_ROW)
		sql_text(q, 0, found, sizeof found);
	int code = OK;
	*ret_late = (rc & 0xff) == SQLITE_INTERRUPT;
	if (rc != SQLITE_ROW && !*ret_late)
		code = sql_error(c, err, "checking");
	else if (!*ret_late && strcmp(found, "ok"))
		code = err_set(err, ERR_CORRUPT, "%.*s", (int)strcspn(found, "\n"), found);
	sqlite3_finalize(q);
	return code;
}

int sql_check(struct conn *c, struct err *err)
{
	/* the second compares tables and indexes, which takes several times as long */
	static const char *const questions[] = {"PRAGMA quick_check(1)", "PRAGMA integrity_check(1)"};
	enum { STEPS_BETWEEN = 20000 };
	int64_t until = clock_ms() + STORE_CHECK_MS;
	bool late = false;
	int code = OK;
	sqlite3_progress_handler(c->db, STEPS_BETWEEN, is_late, &until);
	for (int i = 0; i < 2 && !code && !late; i++)
		code = check_with(c, questions[i], &late, err);
	sqlite3_progress_handler(c->db, 0, NULL, NULL);
	if (late)
		log_warn("the database is large: it was not checked to its end", "ms=%d", STORE_CHECK_MS);
	return code;
}

static int bind(sqlite3_stmt *stmt, int at, char type, va_list *args)
{
	switch (type) {
	case 'i':
		return sqlite3_bind_int64(stmt, at, va_arg(*args, int64_t));
	case 'd':
		return sqlite3_bind_double(stmt, at, va_arg(*args, double));
	case 's':
		return sqlite3_bind_text(stmt, at, va_arg(*args, const char *), -1, SQLITE_STATIC);
	case 'I': {
		int given = va_arg(*args, int);
		int64_t value = va_arg(*args, int64_t);
		return given ? sqlite3_bind_int64(stmt, at, value) : sqlite3_bind_null(stmt, at);
	}
	case 'D': {
		int given = va_arg(*args, int);
		double value = va_arg(*args, double);
		return given ? sqlite3_bind_double(stmt, at, value) : sqlite3_bind_null(stmt, at);
	}
	case 'b': {
		const void *bytes = va_arg(*args, const void *);
		return sqlite3_bind_blob64(stmt, at, bytes, va_arg(*args, size_t), SQLITE_STATIC);
	}
	default:
		return SQLITE_MISUSE;
	}
}

static int start(struct conn *c, enum sql which, sqlite3_stmt **ret, struct err *err, const char *types, va_list *args)
{
	sqlite3_stmt *stmt = c->stmt[which];
	if (!stmt) {
		if (sqlite3_prepare_v3(c->db, text_of[which], -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL) != SQLITE_OK)
			return sql_error(c, err, "preparing");
		c->stmt[which] = stmt;
	}
	for (int i = 0; types[i]; i++)
		if (bind(stmt, i + 1, types[i], args) != SQLITE_OK)
			return sql_error(c, err, "binding");
	*ret = stmt;
	return OK;
}

static int first_int(struct conn *c, sqlite3_stmt *stmt, int64_t *ret, int64_t absent, struct err *err)
{
	int64_t first = absent;
	bool row, any = false;
	int code;
	while (!(code = sql_step(c, stmt, &row, err)) && row) {
		if (!any && sqlite3_column_count(stmt) > 0)
			first = sqlite3_column_int64(stmt, 0);
		any = true;
	}
	if (!code && ret)
		*ret = first;
	return code;
}

static int adhoc(struct conn *c, const char *text, int64_t *ret, struct err *err, const char *types, va_list *args)
{
	sqlite3_stmt *stmt;
	if (sqlite3_prepare_v2(c->db, text, -1, &stmt, NULL) != SQLITE_OK)
		return sql_error(c, err, "preparing");
	int code = OK;
	for (int i = 0; types[i] && !code; i++)
		if (bind(stmt, i + 1, types[i], args) != SQLITE_OK)
			code = sql_error(c, err, "binding");
	if (!code)
		code = first_int(c, stmt, ret, 0, err);
	sqlite3_finalize(stmt);
	return code;
}

int sql_adhoc(struct conn *c, const char *text, struct err *err, const char *types, ...)
{
	va_list args;
	va_start(args, types);
	int code = adhoc(c, text, NULL, err, types, &args);
	va_end(args);
	return code;
}

int sql_adhoc_int(struct conn *c, const char *text, int64_t *ret, struct err *err, const char *types, ...)
{
	va_list args;
	va_start(args, types);
	int code = adhoc(c, text, ret, err, types, &args);
	va_end(args);
	return code;
}

int sql_start(struct conn *c, enum sql which, sqlite3_stmt **ret, struct err *err, const char *types, ...)
{
	va_list args;
	va_start(args, types);
	int code = start(c, which, ret, err, types, &args);
	va_end(args);
	return code;
}

int sql_step(struct conn *c, sqlite3_stmt *stmt, bool *ret_row, struct err *err)
{
	int rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		*ret_row = true;
		return OK;
	}
	int code = rc == SQLITE_DONE ? OK : sql_error(c, err, "running");
	sqlite3_reset(stmt);
	if (!code)
		*ret_row = false;
	return code;
}

void sql_reset(sqlite3_stmt *stmt)
{
	sqlite3_reset(stmt);
}

int sql_run(struct conn *c, enum sql which, struct err *err, const char *types, ...)
{
	sqlite3_stmt *stmt;
	va_list args;
	va_start(args, types);
	int code = start(c, which, &stmt, err, types, &args);
	va_end(args);
	return code ? code : first_int(c, stmt, NULL, 0, err);
}

int sql_int(struct conn *c, enum sql which, int64_t *ret, int64_t absent, struct err *err, const char *types, ...)
{
	sqlite3_stmt *stmt;
	va_list args;
	va_start(args, types);
	int code = start(c, which, &stmt, err, types, &args);
	va_end(args);
	return code ? code : first_int(c, stmt, ret, absent, err);
}

void sql_text(sqlite3_stmt *stmt, int column, char *text, size_t size)
{
	const char *value = (const char *)sqlite3_column_text(stmt, column);
	size_t length = value ? strlen(value) : 0;
	if (length >= size)
		length = size - 1;
	if (length)
		memcpy(text, value, length);
	text[length] = '\0';
}

char *sql_text_dup(sqlite3_stmt *stmt, int column)
{
	const char *value = (const char *)sqlite3_column_text(stmt, column);
	return value ? strdup(value) : NULL;
}
