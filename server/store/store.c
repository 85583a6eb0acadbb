#include "server/store/store.h"

#include "server/blob.h"
#include "server/log.h"
#include "server/store/internal.h"
#include "server/store/journal.h"
#include "server/store/seal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- one daemon per directory --- */

/* Who has the lock writes its pid next: until then the file names the one before, who is gone. */
static void read_holder(int fd, char *holder, size_t size)
{
	enum { TRIES = 50, PAUSE_US = 10000 };
	for (int i = 0; i < TRIES; i++) {
		ssize_t n = pread(fd, holder, size - 1, 0);
		holder[n > 0 ? n : 0] = '\0';
		holder[strcspn(holder, "\n")] = '\0';
		int pid = atoi(holder);
		if (pid > 0 && (!kill(pid, 0) || errno == EPERM))
			return;
		usleep(PAUSE_US);
	}
}

/* The lock has a file of its own: closing any descriptor of the database's would drop SQLite's POSIX locks on it. */
static int take(int fd, const char *data_dir, const char *path, struct err *err)
{
	char holder[32] = "";
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK)
			return err_errno(err, errno, "locking %s", path);
		read_holder(fd, holder, sizeof holder);
		return err_set(
			err, ERR_IN_USE, "%s is in use by another latentd (pid %s)", data_dir, *holder ? holder : "unknown");
	}
	snprintf(holder, sizeof holder, "%d\n", (int)getpid());
	if (ftruncate(fd, 0) || pwrite(fd, holder, strlen(holder), 0) < 0)
		return err_errno(err, errno, "writing %s", path);
	return OK;
}

int store_lock(const char *data_dir, int *ret_fd, struct err *err)
{
	char path[4200];
	snprintf(path, sizeof path, "%s/lock", data_dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_errno(err, errno, "opening %s", path);
	int code = take(fd, data_dir, path, err);
	if (code)
		close(fd);
	else
		*ret_fd = fd;
	return code;
}

/* SQLite would create the file with the umask's mode. Nothing of SQLite is open in this process yet, so no lock is lost. */
static int create_private(const char *path, struct err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return errno == EEXIST ? OK : err_errno(err, errno, "creating %s", path);
	close(fd);
	return OK;
}

/* A new database beside runs means that theirs is lost: to begin as if nothing had been is not for us to decide. */
static bool has_runs(const char *data_dir)
{
	char path[4200];
	snprintf(path, sizeof path, "%s/jobs", data_dir);
	DIR *dir = opendir(path);
	bool any = false;
	for (struct dirent *entry; dir && !any && (entry = readdir(dir));)
		any = entry->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return any;
}

/* --- readers --- */

static struct reader *idle_reader_locked(struct store *s)
{
	struct reader *closed = NULL;
	for (int i = 0; i < STORE_READERS; i++) {
		struct reader *r = &s->reader[i];
		if (!r->busy && r->open)
			return r;
		if (!r->busy)
			closed = r;
	}
	return closed;
}

static void give_back(struct store *s, struct reader *r)
{
	pthread_mutex_lock(&s->lock);
	r->busy = false;
	pthread_cond_signal(&s->reader_free);
	pthread_mutex_unlock(&s->lock);
}

int reader_get(struct store *s, struct conn **ret, struct err *err)
{
	struct reader *r;
	pthread_mutex_lock(&s->lock);
	while (!(r = idle_reader_locked(s)))
		pthread_cond_wait(&s->reader_free, &s->lock);
	r->busy = true;
	pthread_mutex_unlock(&s->lock);
	int code = OK;
	if (!r->open) {
		code = conn_open(&r->conn, s->path, false, err);
		r->open = !code;
	}
	if (!code)
		code = sql_run(&r->conn, SQL_BEGIN_READ, err, "");
	if (code)
		give_back(s, r);
	else
		*ret = &r->conn;
	return code;
}

void reader_put(struct store *s, struct conn *c)
{
	struct reader *r = (struct reader *)((char *)c - offsetof(struct reader, conn));
	if (sql_run(c, SQL_COMMIT, NULL, "") || c->failed) { /* start afresh next time */
		conn_close(c);
		r->open = false;
	}
	give_back(s, r);
}

/* --- open and close --- */

static int store_new(struct store **ret, struct err *err)
{
	struct store *s = calloc(1, sizeof *s);
	if (!s)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&s->work, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_cond_init(&s->reader_free, NULL);
	pthread_mutex_init(&s->lock, NULL);
	s->last = &s->first;
	s->lock_fd = s->journal_fd = -1;
	*ret = s;
	return OK;
}

/* What an earlier version wrote has none. A transaction each: a kill on the way loses nothing. */
static int make_blocks(struct store *s, struct err *err)
{
	struct blocks_op op = {.op.apply = apply_blocks};
	int code;
	do {
		code = store_call(s, &op.op, err);
	} while (!code && op.series);
	return code;
}

/* Nothing is written before it is known that the database is sound and of a version that we know. */
static int open_sound(struct store *s, const char *data_dir, struct err *err)
{
	bool sealed;
	int version = 0;
	int code = seal_check(s->path, &sealed, err);
	if (!code)
		code = conn_open(&s->writer, s->path, true, err);
	if (!code)
		code = schema_version(&s->writer, !has_runs(data_dir), &version, err);
	if (!code && !sealed && version)
		code = sql_check(&s->writer, err);
	if (!code)
		code = seal_break(s->path, err);
	return code ? code : schema_migrate(&s->writer, s->path, version, err);
}

static int say_remedy(const char *data_dir, struct err *err)
{
	char why[200];
	if (!err)
		return ERR_CORRUPT;
	snprintf(why, sizeof why, "%.199s", err->message);
	return err_set(err, ERR_CORRUPT, "%s/latentd.db cannot be used (%s); run: latentd recover --data-dir %s", data_dir,
		why, data_dir);
}

static int open_in(struct store *s, const char *data_dir, struct err *err)
{
	struct recovery_op recovery = {.op.apply = apply_recovery, .data_dir = data_dir};
	int code = blob_make_dirs(data_dir, err);
	if (!code)
		code = store_lock(data_dir, &s->lock_fd, err);
	if (!code)
		blob_sweep_dir(data_dir);
	snprintf(s->path, sizeof s->path, "%s/latentd.db", data_dir);
	journal_path(s->journal_path, sizeof s->journal_path, data_dir);
	if (!code)
		code = create_private(s->path, err);
	if (!code)
		code = open_sound(s, data_dir, err);
	if (!code)
		code = journal_open(s, true, err);
	if (!code)
		code = writer_start(s, err);
	if (!code)
		code = store_call(s, &recovery.op, err);
	if (!code)
		code = make_blocks(s, err);
	s->sound = !code;
	return code == ERR_CORRUPT ? say_remedy(data_dir, err) : code;
}

int store_open(struct store **ret, const char *data_dir, struct err *err)
{
	struct store *s = NULL;
	int code = store_new(&s, err);
	if (code)
		return code;
	code = open_in(s, data_dir, err);
	if (code)
		store_close(s);
	else
		*ret = s;
	return code;
}

/* Where the WAL could not be folded in, there is nothing to seal: the next start checks. */
static void seal(struct store *s)
{
	char wal[4300];
	struct err err = {0};
	snprintf(wal, sizeof wal, "%s-wal", s->path);
	if (!access(wal, F_OK))
		log_warn("the database was not closed to its end", "remedy=%s", log_quote("the next start checks it"));
	else if (seal_write(s->path, &err))
		log_warn("the database is not sealed", "error=%s", log_quote(err.message));
}

void store_close(struct store *s)
{
	if (!s)
		return;
	writer_stop(s);
	for (int i = 0; i < STORE_READERS; i++)
		if (s->reader[i].open)
			conn_close(&s->reader[i].conn);
	if (s->writer.db)
		conn_close(&s->writer); /* the last one: folds the WAL into the database */
	if (s->sound)
		seal(s);
	journal_close(s);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	live_free(s);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->work);
	pthread_cond_destroy(&s->reader_free);
	free(s);
}

void store_on_commit(struct store *s, store_notify_fn *fn, void *ctx)
{
	pthread_mutex_lock(&s->lock);
	s->notify = fn;
	s->notify_ctx = ctx;
	pthread_mutex_unlock(&s->lock);
}

void store_set_memory_limit(struct store *s, size_t bytes)
{
	s->memory_limit = (int64_t)(bytes < INT64_MAX ? bytes : INT64_MAX);
}

void store_set_queue_limit(struct store *s, int jobs)
{
	s->queue_limit = jobs;
}
