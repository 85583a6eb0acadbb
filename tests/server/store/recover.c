/* Damaged databases: refused or sound, and what recover makes of them. COUNT: how many. */
#include "server/store/recover.h"

#include "api/manifest.h"
#include "server/blob.h"
#include "server/store/journal.h"
#include "tests/server/store/fixture.h"

#include <sys/stat.h>
#include <sys/wait.h>

enum { JOBS = 24, POINTS = 50 };

/* No power is cut here, and thousands of damaged files are to be looked at. SQLite's, too: the program's symbols come first. */
int fsync(int fd)
{
	(void)fd;
	return 0;
}

int fdatasync(int fd)
{
	(void)fd;
	return 0;
}

static void put_file(const char *dir, const char *id, const char *name, const char *text)
{
	char path[BLOB_PATH_MAX];
	blob_path(path, sizeof path, dir, id, name);
	assert_int_equal(blob_write(path, text, strlen(text), NULL), OK);
}

/* As the worker writes it. */
static void put_manifest(struct fixture *f, const char *id)
{
	struct job job = get(f->store, id);
	struct buf b = BUF_INIT;
	manifest_print(&b, &job, true);
	put_file(f->dir, id, "job.json", b.data);
	buf_free(&b);
	job_free(&job);
}

/* Jobs of every sort, in order: some that wait, one cancelled before it ran, some that ended with files, one that runs, one gone. */
static void make_jobs(struct fixture *f, char ids[JOBS][JOB_ID_SIZE])
{
	for (int i = 0; i < JOBS; i++) {
		char name[32];
		snprintf(name, sizeof name, "job number %d", i);
		insert(f->store, name, i < JOBS / 2 ? 5 : 0, ids[i]);
	}
	for (int i = 0; i < JOBS / 2; i++) {
		const struct store_change done = {.stop_reason = "completed", .finished = true, .test = "{\"loss\":0.5}"};
		claim(f->store, ids[i]);
		put_manifest(f, ids[i]);
		put_file(f->dir, ids[i], "checkpoints/epoch-000003.safetensors", "x");
		for (int k = 1; k <= POINTS; k++)
			store_point(f->store, ids[i], "train_loss", k, 0.1 * k, i + k);
		assert_int_equal(store_flush(f->store, NULL), OK);
		if (i)
			assert_int_equal(store_move(f->store, ids[i], JOB_RUNNING, JOB_SUCCEEDED, &done, NULL), OK);
	}
	assert_int_equal(store_move(f->store, ids[JOBS - 1], JOB_QUEUED, JOB_CANCELLED,
						 &(struct store_change){.stop_reason = "user_cancel"}, NULL),
		OK);
	assert_int_equal(store_move(f->store, ids[JOBS - 2], JOB_QUEUED, JOB_CANCELLED, NULL, NULL), OK);
	assert_int_equal(store_delete(f->store, ids[JOBS - 2], NULL), OK);
	assert_int_equal(store_buried(f->store, ids[JOBS - 2], NULL), OK);
}

/* NULL: the database is found damaged now. */
static char *list_jobs(struct store *s)
{
	struct buf b = BUF_INIT;
	struct job *jobs;
	int n;
	bool more;
	struct store_filter all = {.limit = 1000, .ascending = true};
	int code = store_list(s, &all, &jobs, &n, &more, NULL);
	assert_true(!code || code == ERR_CORRUPT);
	if (code)
		return NULL;
	for (int i = 0; i < n; i++) {
		buf_printf(&b, "%lld %s %s '%s' %s %s %llu %d %s %s %d\n", (long long)jobs[i].number, jobs[i].id, jobs[i].kind,
			jobs[i].name, job_status_name(jobs[i].status), jobs[i].params, (unsigned long long)jobs[i].seed,
			jobs[i].priority, jobs[i].metrics, jobs[i].test ? jobs[i].test : "-", jobs[i].attempt);
		job_free(&jobs[i]);
	}
	free(jobs);
	return buf_take(&b, NULL);
}

static void read_whole(const char *path, char **ret, size_t *ret_n)
{
	void *bytes;
	assert_int_equal(blob_read(path, &bytes, ret_n, NULL), OK);
	*ret = bytes;
}

static void write_whole(const char *path, const char *bytes, size_t n)
{
	FILE *file = fopen(path, "w");
	assert_int_equal(fwrite(bytes, 1, n, file), n);
	fclose(file);
}

/* All are there again; of the one that was deleted nothing is. */
static void check_restored(struct fixture *f, char ids[JOBS][JOB_ID_SIZE])
{
	for (int i = 0; i < JOBS; i++) {
		struct job job;
		int code = store_get(f->store, ids[i], &job, NULL);
		assert_int_equal(code, i == JOBS - 2 ? ERR_NOT_FOUND : OK);
		if (code)
			continue;
		assert_int_equal(job.number, i + 1);
		assert_int_equal(job.seed, 7);
		assert_string_equal(job.params, "{\"epochs\":5}");
		assert_string_equal(job.kind, "ae");
		assert_true(!job.fork_step && !job.from_epoch && !*job.from_job && !job.max_retries && !job.time_limit_s);
		if (i >= JOBS / 2 && i < JOBS - 2)
			assert_int_equal(job.status, JOB_QUEUED);
		job_free(&job);
		int all;
		events_of(f->store, ids[i], EVENT_END, &all); /* from 1 without a gap */
	}
}

static void test_from_manifests_alone(void **state)
{
	struct fixture *f = *state;
	char ids[JOBS][JOB_ID_SIZE], path[300];
	struct recovery r;
	struct err err = {0};
	make_jobs(f, ids);
	store_close(f->store);
	f->store = NULL;
	snprintf(path, sizeof path, "%s/latentd.db", f->dir);
	remove(path);
	assert_int_equal(store_open(&f->store, f->dir, &err), ERR_CORRUPT);
	assert_non_null(strstr(err.message, "latentd recover --data-dir"));
	assert_int_equal(store_recover(f->dir, &r, &err), OK);
	assert_false(r.sound);
	assert_int_equal(r.refound, JOBS - 1);
	assert_string_equal(r.kept, "");
	reopen(f);
	check_restored(f, ids);
	assert_int_equal(status_of(f->store, ids[JOBS - 1]), JOB_CANCELLED);
	struct job job = get(f->store, ids[1]); /* had succeeded: goes to its end again from its checkpoint */
	assert_int_equal(job.status, JOB_QUEUED);
	assert_int_equal(job.epoch, 3);
	job_free(&job);
	char id[JOB_ID_SIZE];
	insert(f->store, "after", 0, id);
	job = get(f->store, id);
	assert_int_equal(job.number, JOBS + 1);
	job_free(&job);
	assert_int_equal(store_recover(f->dir, &r, &err), ERR_IN_USE);
	store_close(f->store);
	f->store = NULL;
	assert_int_equal(store_recover(f->dir, &r, &err), OK);
	assert_true(r.sound);
}

static unsigned pick(unsigned *random, unsigned n)
{
	*random = *random * 1664525u + 1013904223u;
	return (unsigned)(((uint64_t)*random * n) >> 32);
}

/* 1 to 4096 bytes, in a row or anywhere, of other values. */
static void damage(char *bytes, size_t size, unsigned *random)
{
	unsigned n = 1 + pick(random, pick(random, 3) ? 4096 : 8), at = pick(random, (unsigned)size),
			 in_a_row = pick(random, 2);
	for (unsigned i = 0; i < n; i++) {
		size_t to = in_a_row ? (at + i) % size : pick(random, (unsigned)size);
		bytes[to] = (char)(bytes[to] ^ (1 + pick(random, 255)));
	}
}

static void remove_side_files(const char *db)
{
	static const char *const ends[] = {"-wal", "-shm"};
	char path[400];
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s%s", db, ends[i]);
		remove(path);
	}
}

static void restore_file(const char *db, const char *end, const char *bytes, size_t n)
{
	char path[400];
	snprintf(path, sizeof path, "%s%s", db, end);
	write_whole(path, bytes, n);
}

struct tally {
	int refused, identical, rows, refound;
};

/* One damaged database: it starts with the same jobs or not at all; and then recover has all jobs. */
static void one(struct fixture *f, char ids[JOBS][JOB_ID_SIZE], const char *db, const char *expected, struct tally *t)
{
	struct err err = {0};
	struct recovery r;
	if (store_open(&f->store, f->dir, &err)) {
		assert_int_equal(err.code, ERR_CORRUPT);
		t->refused++;
		if (store_recover(f->dir, &r, &err))
			fail_msg("%s", err.message);
		assert_false(r.sound);
		assert_true(*r.kept);
		remove(r.kept);
		t->rows += (int)r.from_rows;
		t->refound += (int)r.refound;
		reopen(f);
		check_restored(f, ids);
	} else {
		char *now = list_jobs(f->store);
		assert_non_null(now);
		assert_string_equal(now, expected);
		free(now);
		t->identical++;
	}
	store_close(f->store);
	f->store = NULL;
	remove_side_files(db);
}

/* A letter of an id: the row is known by its number. */
static void test_a_damaged_id(void **state)
{
	struct fixture *f = *state;
	char ids[JOBS][JOB_ID_SIZE], *now;
	struct recovery r;
	make_jobs(f, ids);
	store_close(f->store);
	f->store = NULL;
	temp_sql(f->dir, "UPDATE jobs SET id='job_another' WHERE number=5; CREATE TABLE odd(x); PRAGMA writable_schema=1;"
					 "UPDATE sqlite_schema SET rootpage=9999 WHERE name='odd'");
	assert_int_equal(store_open(&f->store, f->dir, NULL), ERR_CORRUPT);
	assert_int_equal(store_recover(f->dir, &r, NULL), OK);
	reopen(f);
	check_restored(f, ids);
	assert_non_null(now = list_jobs(f->store));
	assert_null(strstr(now, "job_another"));
	free(now);
}

static void test_damaged_anywhere(void **state)
{
	struct fixture *f = *state;
	char ids[JOBS][JOB_ID_SIZE], db[300], journal[300], seal[320], *whole, *text, *sums;
	size_t size, text_size, sums_size;
	int count = getenv("COUNT") ? atoi(getenv("COUNT")) : 60;
	unsigned random = 1;
	struct tally t = {0};
	make_jobs(f, ids);
	reopen(f); /* what was running waits: as each start will have it */
	char *expected = list_jobs(f->store);
	store_close(f->store);
	f->store = NULL;
	snprintf(db, sizeof db, "%s/latentd.db", f->dir);
	snprintf(seal, sizeof seal, "%s.seal", db);
	journal_path(journal, sizeof journal, f->dir);
	read_whole(db, &whole, &size);
	read_whole(seal, &sums, &sums_size);
	read_whole(journal, &text, &text_size);
	for (int i = 0; i < count; i++) {
		char *bytes = memcpy(malloc(size), whole, size);
		damage(bytes, size, &random);
		write_whole(db, bytes, size);
		free(bytes);
		restore_file(db, ".seal", sums, sums_size);
		write_whole(journal, text, text_size);
		one(f, ids, db, expected, &t);
	}
	print_message(
		"%d damaged: %d refused, %d as if nothing were; %d jobs restored with their rows, %d from manifests\n", count,
		t.refused, t.identical, t.rows, t.refound);
	assert_int_equal(t.refused + t.identical, count);
	assert_true(count < 60 || (t.rows > t.refound && t.refound > 0));
	free(expected);
	free(whole);
	free(text);
	free(sums);
}

/* After a kill there is no seal, and SQLite sees less: a changed letter goes through. What starts must work all the same. */
static void test_damaged_after_a_kill(void **state)
{
	struct fixture *f = *state;
	char ids[JOBS][JOB_ID_SIZE], db[300], seal[320], *whole;
	size_t size;
	int count = getenv("COUNT") ? atoi(getenv("COUNT")) / 4 : 15, refused = 0, same = 0, later = 0;
	unsigned random = 2;
	make_jobs(f, ids);
	reopen(f);
	char *expected = list_jobs(f->store);
	store_close(f->store);
	f->store = NULL;
	snprintf(db, sizeof db, "%s/latentd.db", f->dir);
	snprintf(seal, sizeof seal, "%s.seal", db);
	read_whole(db, &whole, &size);
	for (int i = 0; i < count; i++) {
		char *bytes = memcpy(malloc(size), whole, size);
		damage(bytes, size, &random);
		write_whole(db, bytes, size);
		free(bytes);
		remove(seal);
		int code = store_open(&f->store, f->dir, NULL);
		if (code) {
			assert_int_equal(code, ERR_CORRUPT);
			refused++;
		} else {
			char *now = list_jobs(f->store);
			same += now && !strcmp(now, expected);
			later += !now;
			free(now);
		}
		store_close(f->store);
		f->store = NULL;
		remove_side_files(db);
	}
	print_message("%d damaged after a kill: %d refused, %d with the same jobs, %d found out later, %d not noticed\n",
		count, refused, same, later, count - refused - same - later);
	free(expected);
	free(whole);
}

/* What can be read is kept: events and curves too. */
static void test_what_can_be_read_is_kept(void **state)
{
	struct fixture *f = *state;
	char ids[JOBS][JOB_ID_SIZE], db[300], *whole;
	struct recovery r;
	struct curve c;
	size_t size;
	make_jobs(f, ids);
	store_close(f->store);
	f->store = NULL;
	snprintf(db, sizeof db, "%s/latentd.db", f->dir);
	read_whole(db, &whole, &size);
	whole[68] ^= 1; /* of no meaning to anybody, but the seal sees it */
	write_whole(db, whole, size);
	free(whole);
	assert_int_equal(store_open(&f->store, f->dir, NULL), ERR_CORRUPT);
	assert_int_equal(store_recover(f->dir, &r, NULL), OK);
	assert_int_equal(r.from_rows + r.refound, JOBS - 1);
	reopen(f);
	int curves = 0;
	for (int i = 0; i < JOBS / 2; i++) {
		int all;
		assert_int_equal(store_curve(f->store, ids[i], "train_loss", 0, &c, NULL), OK);
		curves += c.n == POINTS;
		for (size_t k = 0; k < c.n; k++)
			assert_true(c.value[k] == (double)(i + (int)k + 1));
		curve_free(&c);
		events_of(f->store, ids[i], EVENT_END, &all);
		assert_true(all >= 2);
	}
	assert_int_equal(curves, JOBS / 2);
	assert_int_equal(r.from_rows, JOBS - 1);
	assert_int_equal(r.incomplete, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_from_manifests_alone),
		TEST(test_what_can_be_read_is_kept),
		TEST(test_a_damaged_id),
		TEST(test_damaged_anywhere),
		TEST(test_damaged_after_a_kill),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
