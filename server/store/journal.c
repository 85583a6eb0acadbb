#include "server/store/journal.h"

#include "api/manifest.h"
#include "server/blob.h"
#include "server/log.h"
#include "server/store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SUM_CHARACTERS = 16, ROOM_BYTES = 16 << 20 };

void journal_path(char *path, size_t size, const char *data_dir)
{
	snprintf(path, size, "%s/jobs.journal", data_dir);
}

/* FNV-1a. */
static uint64_t sum_of(const char *text, size_t n)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < n; i++)
		sum = (sum ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
	return sum;
}

static void add_line(struct buf *b, const struct buf *line)
{
	if (line->failed)
		b->failed = true;
	else
		buf_printf(b, "%016" PRIx64 " %s\n", sum_of(line->data, line->len), line->data);
}

void journal_submitted(struct buf *b, const struct job *job)
{
	struct buf line = BUF_INIT;
	buf_str(&line, "+");
	manifest_print(&line, job, false);
	add_line(b, &line);
	buf_free(&line);
}

void journal_status(struct buf *b, const char *job_id, enum job_status status, const char *stop_reason)
{
	struct buf line = BUF_INIT;
	buf_printf(&line, "=%s %s %s", job_id, job_status_name(status), stop_reason && *stop_reason ? stop_reason : "-");
	add_line(b, &line);
	buf_free(&line);
}

void journal_deleted(struct buf *b, const char *job_id)
{
	struct buf line = BUF_INIT;
	buf_printf(&line, "-%s", job_id);
	add_line(b, &line);
	buf_free(&line);
}

/* --- reading --- */

static int read_line(char *line, size_t n, journal_fn *fn, void *ctx, struct err *err)
{
	char *end;
	if (n < SUM_CHARACTERS + 2 || line[SUM_CHARACTERS] != ' ')
		return OK;
	uint64_t sum = strtoull(line, &end, 16);
	char *text = line + SUM_CHARACTERS + 1;
	if (end != line + SUM_CHARACTERS || sum != sum_of(text, n - SUM_CHARACTERS - 1))
		return OK; /* torn by a power cut, or damaged */
	return fn(ctx, (enum journal_word) * text, text + 1, err);
}

int journal_read(const char *path, journal_fn *fn, void *ctx, struct err *err)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	ssize_t n;
	int code = OK;
	if (!file)
		return err_errno(err, errno, "opening %s", path);
	while (!code && (n = getline(&line, &size, file)) > 0) {
		if (line[n - 1] != '\n')
			break;
		line[n - 1] = '\0';
		code = read_line(line, (size_t)n - 1, fn, ctx, err);
	}
	free(line);
	fclose(file);
	return code;
}

/* --- the store's own --- */

/* What is known of jobs that have ended is in their folders, but for how. */
static int print_all(struct conn *c, FILE *file, struct err *err)
{
	sqlite3_stmt *q;
	bool row;
	int code = sql_start(c, SQL_JOBS_ALL, &q, err, "");
	while (!code && !(code = sql_step(c, q, &row, err)) && row) {
		struct job job;
		struct buf text = BUF_INIT;
		job_read_row(q, &job);
		if (!job_terminal(job.status) || !job.attempt)
			journal_submitted(&text, &job);
		if (job_terminal(job.status))
			journal_status(&text, job.id, job.status, job.stop_reason);
		if (text.failed)
			code = err_set(err, ERR_NO_MEMORY, "out of memory");
		else if (fwrite(text.data, 1, text.len, file) != text.len)
			code = err_errno(err, errno, "writing the journal");
		buf_free(&text);
		job_free(&job);
		if (code)
			sql_reset(q);
	}
	return code;
}

static int rewrite(struct store *s, struct err *err)
{
	char temporary[4300];
	snprintf(temporary, sizeof temporary, "%s.tmp", s->journal_path);
	int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!file)
		return err_errno(err, errno, "creating %s", temporary);
	int code = print_all(&s->writer, file, err);
	if (!code && (fflush(file) || fsync(fd)))
		code = err_errno(err, errno, "writing %s", temporary);
	if (fclose(file) && !code)
		code = err_errno(err, errno, "writing %s", temporary);
	if (!code && rename(temporary, s->journal_path))
		code = err_errno(err, errno, "writing %s", s->journal_path);
	if (code)
		unlink(temporary);
	return code ? code : blob_sync_parent(s->journal_path, err);
}

/* Appends go to the file that has the name now. */
static int reopen_file(struct store *s, struct err *err)
{
	struct stat st;
	if (s->journal_fd >= 0)
		close(s->journal_fd);
	s->journal_fd = open(s->journal_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->journal_fd < 0 || fstat(s->journal_fd, &st))
		return err_errno(err, errno, "opening %s", s->journal_path);
	s->journal_bytes = st.st_size;
	return OK;
}

int journal_open(struct store *s, bool is_known, struct err *err)
{
	struct stat st;
	int64_t waiting = 0;
	enum { BYTES_A_JOB = 4096 };
	bool there = !stat(s->journal_path, &st);
	int code = sql_int(&s->writer, SQL_QUEUE_LENGTH, &waiting, 0, err, "");
	if (!code && (!there || !is_known || st.st_size > ROOM_BYTES + BYTES_A_JOB * waiting))
		code = rewrite(s, err);
	if (!code)
		code = reopen_file(s, err);
	s->journal_limit = 2 * s->journal_bytes + ROOM_BYTES;
	return code;
}

void journal_append(struct store *s, const struct buf *lines)
{
	struct err err = {0};
	if (!lines->len || lines->failed || s->journal_fd < 0)
		return;
	ssize_t n = write(s->journal_fd, lines->data, lines->len);
	if (n != (ssize_t)lines->len) {
		log_warn(
			"the journal of jobs could not be written", "remedy=%s", log_quote("it is made anew at the next start"));
		unlink(s->journal_path); /* one with holes is worse than none */
		return;
	}
	s->journal_bytes += n;
	if (s->journal_bytes <= s->journal_limit)
		return;
	if (rewrite(s, &err) || reopen_file(s, &err))
		log_warn("the journal of jobs could not be shortened", "error=%s", log_quote(err.message));
	s->journal_limit = 2 * s->journal_bytes + ROOM_BYTES;
}

void journal_close(struct store *s)
{
	if (s->journal_fd < 0)
		return;
	fdatasync(s->journal_fd);
	close(s->journal_fd);
	s->journal_fd = -1;
}
