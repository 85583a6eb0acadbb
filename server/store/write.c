#include "server/store/internal.h"

#include "server/clock.h"
#include "server/config.h"
#include "server/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { RETRY_MS = 1000 };

static void enqueue_locked(struct store *s, struct op *op)
{
	op->next = NULL;
	*s->last = op;
	s->last = &op->next;
	if (op->waits)
		s->calls++;
	else if (!s->due_ms)
		s->due_ms = clock_ms() + STORE_BATCH_MS;
}

int store_call(struct store *s, struct op *op, struct err *err)
{
	op->waits = true;
	op->done = false;
	op->err = (struct err){0};
	pthread_cond_init(&op->answered, NULL);
	pthread_mutex_lock(&s->lock);
	if (s->stop) {
		err_set(&op->err, ERR_UNAVAILABLE, "the store is closing");
	} else {
		enqueue_locked(s, op);
		pthread_cond_signal(&s->work);
		while (!op->done)
			pthread_cond_wait(&op->answered, &s->lock);
	}
	pthread_mutex_unlock(&s->lock);
	pthread_cond_destroy(&op->answered);
	if (op->err.code && err)
		*err = op->err;
	return op->err.code;
}

void store_report(struct store *s, struct op *op)
{
	pthread_mutex_lock(&s->lock);
	bool asleep = !s->due_ms;
	enqueue_locked(s, op);
	if (asleep) /* otherwise the writer wakes by itself at due_ms */
		pthread_cond_signal(&s->work);
	pthread_mutex_unlock(&s->lock);
}

/* One that was dropped would leave a gap in a curve or a list of events for ever: what comes after it is on disk. So its worker waits
 * until there is memory again, as it does for room on the disk. */
void *report_new(size_t size)
{
	const struct timespec pause = {.tv_nsec = 20000000};
	void *op;
	for (bool told = false; !(op = calloc(1, size)); told = true) {
		if (!told)
			log_error("no memory for a report: waiting", "bytes=%zu", size);
		nanosleep(&pause, NULL);
	}
	return op;
}

char *report_text(const char *text)
{
	const size_t size = strlen(text) + 1;
	return memcpy(report_new(size), text, size);
}

/* --- the writer thread --- */

static struct timespec monotonic(int64_t ms)
{
	return (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
}

/* Until a caller waits, reports are due or the end is near. */
static void wait_for_work_locked(struct store *s)
{
	while (!s->stop && !s->calls) {
		if (!s->due_ms) {
			pthread_cond_wait(&s->work, &s->lock);
		} else {
			struct timespec due = monotonic(s->due_ms);
			if (pthread_cond_timedwait(&s->work, &s->lock, &due) == ETIMEDOUT && s->due_ms <= clock_ms())
				return;
		}
	}
}

static struct op *take_all_locked(struct store *s)
{
	struct op *batch = s->first;
	s->first = NULL;
	s->last = &s->first;
	s->due_ms = 0;
	s->calls = 0;
	return batch;
}

static int apply_all(struct txn *t, struct op *batch, struct err *err)
{
	int code = sql_run(t->conn, SQL_BEGIN_WRITE, err, "");
	for (struct op *op = batch; op && !code; op = op->next) {
		op->err = (struct err){0};
		op->err.code = op->apply(t, op, &op->err);
		if (t->conn->failed || op->err.code == ERR_NO_MEMORY) { /* it may have stopped half way */
			*err = op->err;
			code = op->err.code;
		} else if (op->err.code && !op->waits) {
			log_error("a report was refused", "error=%s", log_quote(op->err.message));
		}
	}
	if (!code)
		code = points_flush(t, err);
	if (!code)
		code = sql_run(t->conn, SQL_COMMIT, err, "");
	return code;
}

/* The kernel may have dropped what it could not write, and another fsync would say that all is well: only reading the files
 * anew tells what they hold. The next start does, and everything that was answered OK is there. */
static void end_if_not_durable(const struct conn *c)
{
	if (!sql_sync_failed(c))
		return;
	log_error(
		"the database cannot be made durable: ending at once", "remedy=%s", log_quote("check the disk, start again"));
	_exit(EXIT_IO);
}

/* What is written to files that nobody can find any more is lost. The lock is in the directory as long as that is there. */
static void end_if_removed(const struct store *s)
{
	struct stat held, there;
	char path[sizeof s->path];
	int length = (int)(strrchr(s->path, '/') - s->path);
	snprintf(path, sizeof path, "%.*s/lock", length, s->path);
	if (!stat(path, &there) && !fstat(s->lock_fd, &held) && held.st_ino == there.st_ino && held.st_dev == there.st_dev)
		return;
	log_error("the data directory was removed: ending at once", "lock=%s", log_quote(path));
	_exit(EXIT_IO);
}

/* All of the batch is on disk, or none of it. */
static int commit(struct txn *t, struct op *batch, struct err *err)
{
	end_if_removed(t->store);
	t->conn->failed = false;
	int code = apply_all(t, batch, err);
	if (code) {
		log_error("commit failed", "error=%s", log_quote(err->message));
		end_if_not_durable(t->conn);
		struct err ignored; /* some errors have rolled back already */
		sql_run(t->conn, SQL_ROLLBACK, &ignored, "");
		t->ntouched = t->nlost = 0;
	}
	points_forget(t);
	live_settle(t->store, !code);
	return code;
}

static void answer_locked(struct op *op, int code, const struct err *err)
{
	if (code)
		op->err = *err;
	op->done = true;
	pthread_cond_signal(&op->answered);
}

/* Callers get their answer; reports are freed, or kept to be tried again in front of what came since. */
static void settle_batch(struct store *s, struct op *batch, int code, const struct err *err)
{
	struct op *kept = NULL, **kept_end = &kept, *next;
	pthread_mutex_lock(&s->lock);
	for (struct op *op = batch; op; op = next) {
		next = op->next;
		if (op->waits) {
			answer_locked(op, code, err);
		} else if (code) {
			*kept_end = op;
			kept_end = &op->next;
		} else {
			op->release(op);
		}
	}
	*kept_end = NULL;
	if (kept) {
		*kept_end = s->first;
		if (!s->first)
			s->last = kept_end;
		s->first = kept;
		s->due_ms = clock_ms() + RETRY_MS;
	}
	pthread_mutex_unlock(&s->lock);
}

/* store_on_commit may come while what store_open wrote is still being told. */
static void tell_listener(struct store *s, const struct txn *t)
{
	pthread_mutex_lock(&s->lock);
	store_notify_fn *notify = s->notify;
	void *ctx = s->notify_ctx;
	pthread_mutex_unlock(&s->lock);
	for (int i = 0; i < t->ntouched && notify; i++)
		notify(ctx, t->touched[i].job_id, t->touched[i].last_seq, t->touched[i].status);
}

static void write_batch(struct store *s, struct op *batch)
{
	struct txn t = {.store = s, .conn = &s->writer, .now_ms = clock_wall_ms()};
	struct err err = {0};
	int code = commit(&t, batch, &err);
	if (!code)
		journal_append(s, &t.journal);
	settle_batch(s, batch, code, &err);
	tell_listener(s, &t);
	free(t.touched);
	free(t.lost);
	buf_free(&t.journal);
}

static void *writer_main(void *arg)
{
	struct store *s = arg;
	pthread_mutex_lock(&s->lock);
	for (;;) {
		wait_for_work_locked(s);
		bool last_round = s->stop;
		struct op *batch = take_all_locked(s);
		pthread_mutex_unlock(&s->lock);
		if (batch)
			write_batch(s, batch);
		pthread_mutex_lock(&s->lock);
		if (last_round)
			break;
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

int writer_start(struct store *s, struct err *err)
{
	int error = pthread_create(&s->thread, NULL, writer_main, s);
	if (error)
		return err_errno(err, error, "starting the store's writer");
	s->started = true;
	return OK;
}

/* Reports that still cannot be written (a full disk) are given up here: workers repeat them from their checkpoints. */
static void drop_rest(struct store *s)
{
	int lost = 0;
	for (struct op *op = s->first, *next; op; op = next, lost++) {
		next = op->next;
		op->release(op);
	}
	s->first = NULL;
	s->last = &s->first;
	if (lost)
		log_error("reports could not be written", "reports=%d", lost);
}

void writer_stop(struct store *s)
{
	if (!s->started)
		return;
	pthread_mutex_lock(&s->lock);
	s->stop = true;
	pthread_cond_signal(&s->work);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	s->started = false;
	drop_rest(s);
}
