#include "server/store/copy.h"

#include "server/blob.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGES_AT_ONCE = 1000, BUSY_TRIES = 200, BUSY_MS = 25 };

/* While others write, the source may be busy for moments. */
static int copy_pages(sqlite3 *from, sqlite3 *to, struct err *err)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
	int rc = SQLITE_OK, tries = 0;
	if (!b)
		return err_set(err, ERR_IO, "copying the database: %s", sqlite3_errmsg(to));
	while ((rc = sqlite3_backup_step(b, PAGES_AT_ONCE)) != SQLITE_DONE) {
		if (rc != SQLITE_OK && (((rc & 0xff) != SQLITE_BUSY && (rc & 0xff) != SQLITE_LOCKED) || ++tries > BUSY_TRIES))
			break;
		if (rc != SQLITE_OK)
			usleep(BUSY_MS * 1000);
	}
	sqlite3_backup_finish(b);
	if (rc == SQLITE_DONE)
		return OK;
	int code = (rc & 0xff) == SQLITE_FULL ? ERR_NO_SPACE : (rc & 0xff) == SQLITE_CORRUPT ? ERR_CORRUPT : ERR_IO;
	return err_set(err, code, "copying the database: %s", sqlite3_errstr(rc));
}

static int make_durable(const char *path, struct err *err)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	int error = fd < 0 || fchmod(fd, 0600) || fsync(fd) ? errno : 0;
	if (fd >= 0)
		close(fd);
	return error ? err_errno(err, error, "making %s durable", path) : OK;
}

static int copy_to(struct sqlite3 *from, const char *path, struct err *err)
{
	sqlite3 *to;
	unlink(path);
	int rc = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
	int code =
		rc == SQLITE_OK ? copy_pages(from, to, err) : err_set(err, ERR_IO, "creating %s: %s", path, sqlite3_errstr(rc));
	if (sqlite3_close(to) != SQLITE_OK && !code)
		code = err_set(err, ERR_IO, "closing %s", path);
	return code ? code : make_durable(path, err);
}

int db_copy(struct sqlite3 *from, const char *path, struct err *err)
{
	char temporary[4400];
	if (strlen(path) + sizeof ".tmp" > sizeof temporary)
		return err_set(err, ERR_INVALID, "the path %.60s… is too long", path);
	snprintf(temporary, sizeof temporary, "%s.tmp", path);
	int code = copy_to(from, temporary, err);
	if (!code && rename(temporary, path))
		code = err_errno(err, errno, "writing %s", path);
	if (code)
		unlink(temporary);
	return code ? code : blob_sync_parent(path, err);
}
