#include "server/store/backup.h"

#include "server/blob.h"
#include "server/store/copy.h"
#include "server/store/internal.h"
#include "server/store/journal.h"

#include <dirent.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4600 }; /* more than any path may have: what is longer fails when it is opened */

/* --- files --- */

/* What is there already is as it should be; what is gone was thinned since it was listed. */
static int take_file(const char *from, const char *to, struct backup *b, struct err *err)
{
	if (!access(to, F_OK))
		return OK;
	int code = blob_link(from, to, err);
	b->files += !code;
	return code == ERR_NOT_FOUND ? OK : code;
}

static int copy_file(const char *from, const char *to, struct err *err)
{
	void *bytes;
	size_t size;
	int code = blob_read(from, &bytes, &size, err);
	if (code)
		return code == ERR_NOT_FOUND ? OK : code;
	code = blob_write(to, bytes, size, err);
	free(bytes);
	return code;
}

static bool is_on_its_way(const char *name)
{
	size_t n = strlen(name);
	return name[0] == '.' || (n > 4 && !strcmp(name + n - 4, ".tmp"));
}

/* A folder and all beneath it. The depth is that of our own layout and of data sets: three. */
static int take_tree(const char *from, const char *to, struct backup *b, struct err *err)
{
	char *source = malloc(2 * PATH_BYTES), *target = source ? source + PATH_BYTES : NULL;
	DIR *dir = opendir(from);
	int code = source ? OK : err_set(err, ERR_NO_MEMORY, "out of memory");
	if (!code && !dir && errno != ENOENT)
		code = err_errno(err, errno, "opening %s", from);
	if (!code && dir)
		code = blob_make_dirs(to, err);
	for (struct dirent *entry; dir && !code && (entry = readdir(dir));) {
		struct stat st;
		if (is_on_its_way(entry->d_name))
			continue;
		if (snprintf(source, PATH_BYTES, "%s/%s", from, entry->d_name) >= PATH_BYTES ||
			snprintf(target, PATH_BYTES, "%s/%s", to, entry->d_name) >= PATH_BYTES) {
			code = err_set(err, ERR_INVALID, "a path beneath %.200s is too long", from);
			continue;
		}
		if (lstat(source, &st))
			continue;
		code = S_ISDIR(st.st_mode)   ? take_tree(source, target, b, err)
			   : S_ISREG(st.st_mode) ? take_file(source, target, b, err)
									 : OK;
	}
	if (dir)
		closedir(dir);
	free(source);
	return code;
}

/* --- the database --- */

static int copy_database(const char *data_dir, const char *to, struct err *err)
{
	char path[PATH_BYTES + 16];
	struct conn from, copy;
	snprintf(path, sizeof path, "%s/latentd.db", data_dir);
	if (access(path, F_OK))
		return err_set(err, ERR_NOT_FOUND, "%s has no latentd.db: it is no data directory", data_dir);
	int code = conn_open(&from, path, false, err);
	snprintf(path, sizeof path, "%s/latentd.db", to);
	if (!code) {
		code = db_copy(from.db, path, err);
		conn_close(&from);
	}
	if (!code && !(code = conn_open(&copy, path, true, err))) {
		code = sql_check(&copy, err);
		conn_close(&copy);
	}
	if (code == ERR_CORRUPT)
		err_wrap(err, "the database is damaged; run latentd recover first");
	return code;
}

/* Jobs that have ended in the copy have all their files by now. */
static int take_ended(const char *data_dir, const char *to, struct backup *b, struct err *err)
{
	char path[PATH_BYTES + 64], target[PATH_BYTES + 64], id[JOB_ID_SIZE];
	struct conn c;
	sqlite3_stmt *q;
	snprintf(path, sizeof path, "%s/latentd.db", to);
	int code = conn_open(&c, path, true, err);
	if (code)
		return code;
	if (sqlite3_prepare_v2(c.db, "SELECT id,status IN ('succeeded','failed','cancelled') FROM jobs", -1, &q, NULL) !=
		SQLITE_OK)
		code = sql_error(&c, err, "listing jobs");
	while (!code && sqlite3_step(q) == SQLITE_ROW) {
		b->jobs++;
		if (!sqlite3_column_int(q, 1))
			continue;
		sql_text(q, 0, id, sizeof id);
		snprintf(path, sizeof path, "%s/jobs/%s", data_dir, id);
		snprintf(target, sizeof target, "%s/jobs/%s", to, id);
		code = take_tree(path, target, b, err);
	}
	sqlite3_finalize(q);
	conn_close(&c);
	return code;
}

/* --- all of it --- */

static int fill(const char *data_dir, const char *to, struct backup *b, struct err *err)
{
	static const char *const folders[] = {"jobs", "datasets"};
	char from[PATH_BYTES + 16], target[PATH_BYTES + 16];
	int code = OK;
	for (int i = 0; i < 2 && !code; i++) {
		snprintf(from, sizeof from, "%s/%s", data_dir, folders[i]);
		snprintf(target, sizeof target, "%s/%s", to, folders[i]);
		code = take_tree(from, target, b, err);
	}
	if (!code)
		code = copy_database(data_dir, to, err);
	if (!code)
		code = take_ended(data_dir, to, b, err);
	journal_path(from, sizeof from, data_dir);
	journal_path(target, sizeof target, to);
	return code ? code : copy_file(from, target, err);
}

int store_backup(const char *data_dir, const char *to, struct backup *ret, struct err *err)
{
	char partial[4100];
	struct backup b = {0};
	if (strlen(to) > 4000)
		return err_set(err, ERR_INVALID, "--to is too long");
	snprintf(partial, sizeof partial, "%s.partial", to);
	if (!access(to, F_OK) || !access(partial, F_OK))
		return err_set(
			err, ERR_CONFLICT, "%s is there already: name a directory that is not", access(to, F_OK) ? partial : to);
	int code = blob_make_dirs(partial, err);
	if (!code)
		code = fill(data_dir, partial, &b, err);
	sync(); /* names of files, of which there may be thousands */
	if (!code && rename(partial, to))
		code = err_errno(err, errno, "naming %s", to);
	if (!code)
		code = blob_sync_parent(to, err);
	if (!code)
		*ret = b;
	return code;
}
