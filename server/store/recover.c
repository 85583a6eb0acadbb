#include "server/store/recover.h"

#include "server/blob.h"
#include "server/clock.h"
#include "server/store/internal.h"
#include "server/store/journal.h"
#include "server/store/seal.h"

#include <errno.h>
#include <stdio.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static bool has_bytes(const char *path)
{
	struct stat st;
	return !stat(path, &st) && st.st_size > 0;
}

/* Without a limit of time: who asks for it waits for the answer. */
static bool check_all(struct conn *c)
{
	sqlite3_stmt *q;
	char found[16] = "";
	if (sqlite3_prepare_v2(c->db, "PRAGMA quick_check(1)", -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW)
		sql_text(q, 0, found, sizeof found);
	sqlite3_finalize(q);
	return !strcmp(found, "ok");
}

/* *ret_sound: there is nothing to mend. */
static int examine(const char *path, bool *ret_sound, struct err *err)
{
	struct conn c;
	struct err why = {0};
	bool sealed;
	int version = 0;
	*ret_sound = false;
	if (!has_bytes(path) || seal_check(path, &sealed, &why) || conn_open(&c, path, false, &why))
		return OK;
	int code = schema_version(&c, false, &version, &why);
	*ret_sound = !code && check_all(&c);
	conn_close(&c);
	if (code == ERR_CONFLICT && err)
		*err = why;
	return code == ERR_CONFLICT ? code : OK;
}

static int fill(struct conn *to, const char *data_dir, const char *path, struct recovery *r, struct err *err)
{
	struct conn from;
	int64_t last = 0;
	int code = refound_read(to, data_dir, &last, err);
	if (!code)
		code = sql_script(to, "BEGIN IMMEDIATE", err);
	if (!code && has_bytes(path) && !conn_open(&from, path, false, NULL)) {
		int64_t told = salvage_last_number(&from);
		salvage(&from, to, told > last ? told : last, r);
		conn_close(&from);
	}
	if (!code)
		code = refound_write(to, data_dir, r, err);
	return code ? code : sql_script(to, "COMMIT", err);
}

static void remove_database(const char *path)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	char name[4300];
	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof name, "%s%s", path, ends[i]);
		unlink(name);
	}
}

static int build(const char *fresh, const char *data_dir, const char *path, struct recovery *r, struct err *err)
{
	struct conn to;
	remove_database(fresh);
	int code = conn_open(&to, fresh, true, err);
	if (code)
		return code;
	code = schema_migrate(&to, fresh, 0, err);
	if (!code)
		code = fill(&to, data_dir, path, r, err);
	conn_close(&to);
	if (!code && chmod(fresh, 0600))
		code = err_errno(err, errno, "%s", fresh);
	if (code)
		remove_database(fresh);
	return code;
}

static int keep_damaged(const char *path, struct recovery *r, struct err *err)
{
	char from[4300], to[4400], when[32];
	time_t now = (time_t)(clock_wall_ms() / 1000);
	struct tm tm;
	strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
	snprintf(r->kept, sizeof r->kept, "%s.damaged-%s", path, when);
	if (link(path, r->kept))
		return err_errno(err, errno, "keeping %s as %s", path, r->kept);
	snprintf(from, sizeof from, "%s-wal", path);
	snprintf(to, sizeof to, "%s-wal", r->kept);
	if (rename(from, to) && errno != ENOENT)
		return err_errno(err, errno, "keeping %s", from);
	snprintf(from, sizeof from, "%s-shm", path);
	unlink(from);
	return blob_sync_parent(path, err);
}

/* The journal is made anew at the next start, from the new database. */
static int take_place(const char *fresh, const char *data_dir, const char *path, struct recovery *r, struct err *err)
{
	char journal[4300];
	int code = has_bytes(path) ? keep_damaged(path, r, err) : OK;
	if (!code)
		code = seal_break(path, err);
	if (!code && rename(fresh, path))
		code = err_errno(err, errno, "putting %s in place", path);
	if (!code)
		code = blob_sync_parent(path, err);
	if (code)
		return code;
	journal_path(journal, sizeof journal, data_dir);
	unlink(journal);
	return OK;
}

int store_recover(const char *data_dir, struct recovery *ret, struct err *err)
{
	char path[4200], fresh[4250];
	struct recovery r = {0};
	int lock;
	int code = store_lock(data_dir, &lock, err);
	if (code)
		return code;
	snprintf(path, sizeof path, "%s/latentd.db", data_dir);
	snprintf(fresh, sizeof fresh, "%s.new", path);
	code = examine(path, &r.sound, err);
	if (!code && !r.sound)
		code = build(fresh, data_dir, path, &r, err);
	if (!code && !r.sound)
		code = take_place(fresh, data_dir, path, &r, err);
	close(lock);
	if (!code)
		*ret = r;
	return code;
}
