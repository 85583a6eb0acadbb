#include "server/config.h"
#include "server/log.h"

#include "tests/server/store/fixture.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>

static atomic_int syncs_that_work = INT32_MAX;

/* SQLite's, too: the program's symbols come before the C library's. */
int fdatasync(int fd)
{
	if (atomic_fetch_sub(&syncs_that_work, 1) > 0)
		return fsync(fd);
	errno = EIO;
	return -1;
}

static atomic_bool disk_is_full;

/* Likewise; which of the two SQLite calls depends on how it was built. */
ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at)
{
	struct iovec part = {(void *)bytes, n};
	if (!atomic_load(&disk_is_full))
		return pwritev(fd, &part, 1, at);
	errno = ENOSPC;
	return -1;
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at)
{
	return pwrite64(fd, bytes, n, at);
}

/* What comes to a full disk is refused with its name, nothing that is there is lost, and all goes on by itself when there is room. */
static void test_full_disk(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	struct job job = {.id = "job_refused", .kind = "ae", .preset = "default", .dataset = "d"}, back;
	struct curve c;
	char id[JOB_ID_SIZE];
	insert(f->store, "kept", 0, id);
	for (int round = 0; round < 3; round++) {
		atomic_store(&disk_is_full, true);
		store_point(f->store, id, "train_loss", round + 1, 0, 0.5);
		assert_int_equal(store_insert(f->store, &job, &err), ERR_NO_SPACE); /* 507 */
		assert_int_equal(status_of(f->store, "kept"), JOB_QUEUED);
		assert_int_equal(store_get(f->store, "job_refused", &back, NULL), ERR_NOT_FOUND);
		atomic_store(&disk_is_full, false);
		insert(f->store, "", 0, (char[JOB_ID_SIZE]){0});
	}
	usleep(1500000); /* reports are tried again by themselves */
	assert_int_equal(store_curve(f->store, id, "train_loss", 0, &c, NULL), OK);
	assert_int_equal(c.n, 3);
	curve_free(&c);
	reopen(f);
	assert_int_equal(status_of(f->store, "kept"), JOB_QUEUED);
}

/* In a process of its own: exits 0 if the second insertion is answered at all. */
static void insert_on_a_failing_disk(const char *dir, char id[JOB_ID_SIZE])
{
	struct store *store;
	struct job job = {.id = "job_lost", .kind = "ae", .preset = "default", .dataset = "d"};
	log_setup(LOG_LEVEL_COUNT, false);
	if (store_open(&store, dir, NULL))
		_exit(1);
	insert(store, "kept", 0, id);
	atomic_store(&syncs_that_work, 0);
	store_insert(store, &job, NULL);
	_exit(0);
}

static void test_failed_sync_ends_the_process(void **state)
{
	struct fixture *f = *state;
	char id[JOB_ID_SIZE];
	int status;
	store_close(f->store); /* its thread does not live in a child */
	f->store = NULL;
	pid_t child = fork();
	if (child == 0)
		insert_on_a_failing_disk(f->dir, id);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_IO);
	reopen(f); /* what was answered is there */
	assert_int_equal(status_of(f->store, "kept"), JOB_QUEUED);
	struct err err = {0};
	struct job job;
	int code = store_get(f->store, "job_lost", &job, &err); /* what was not may be: the kernel decides */
	if (!code)
		job_free(&job);
	else
		assert_int_equal(code, ERR_NOT_FOUND);
}

static void remove_database(const char *dir)
{
	static const char *const names[] = {"latentd.db", "latentd.db-wal", "latentd.db-shm", "latentd.db.seal"};
	char path[300];
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		remove(path);
	}
}

static void test_lost_database_is_not_begun_anew(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	char path[300];
	snprintf(path, sizeof path, "%s/jobs", f->dir);
	mkdir(path, 0700);
	store_close(f->store);
	f->store = NULL;
	remove_database(f->dir);
	reopen(f); /* no run is there yet */
	snprintf(path, sizeof path, "%s/jobs/job_1", f->dir);
	mkdir(path, 0700);
	reopen(f); /* the usual case */
	store_close(f->store);
	f->store = NULL;
	remove_database(f->dir);
	for (int i = 0; i < 2; i++) { /* and not at the second try either */
		assert_int_equal(store_open(&f->store, f->dir, &err), ERR_CORRUPT);
		assert_non_null(strstr(err.message, "latentd.db is missing"));
	}
}

/* Where SQLite's own check sees nothing: one letter in a job's name, after a clean stop. */
static void test_a_changed_letter_is_seen(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	char id[JOB_ID_SIZE], path[300], *bytes, *at;
	insert(f->store, "a-name-to-be-found", 0, id);
	store_close(f->store);
	f->store = NULL;
	snprintf(path, sizeof path, "%s/latentd.db", f->dir);
	FILE *file = fopen(path, "r+");
	bytes = calloc(1, 1 << 20);
	size_t n = fread(bytes, 1, 1 << 20, file);
	assert_non_null(at = memmem(bytes, n, "a-name-to-be-found", 18));
	fseek(file, at - bytes, SEEK_SET);
	fputc('b', file);
	fclose(file);
	assert_int_equal(store_open(&f->store, f->dir, &err), ERR_CORRUPT);
	assert_non_null(strstr(err.message, "latentd recover --data-dir"));
	assert_non_null(strstr(err.message, path));
	file = fopen(path, "r+");
	fseek(file, at - bytes, SEEK_SET);
	fputc('a', file);
	fclose(file);
	free(bytes);
	reopen(f); /* and nothing was changed */
	assert_int_equal(status_of(f->store, id), JOB_QUEUED);
}

static bool is_sealed(const char *dir)
{
	char path[300];
	snprintf(path, sizeof path, "%s/latentd.db.seal", dir);
	return !access(path, F_OK);
}

/* After a kill there is no seal, and SQLite's check finds a page that is not one. */
static void test_a_killed_database_is_checked(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	char id[JOB_ID_SIZE], path[300], page[4096];
	for (int i = 0; i < 60; i++)
		insert(f->store, "", 0, id);
	assert_false(is_sealed(f->dir));
	store_close(f->store);
	f->store = NULL;
	assert_true(is_sealed(f->dir));
	snprintf(path, sizeof path, "%s/latentd.db.seal", f->dir);
	remove(path);
	reopen(f); /* sound */
	store_close(f->store);
	f->store = NULL;
	remove(path);
	snprintf(path, sizeof path, "%s/latentd.db", f->dir);
	FILE *file = fopen(path, "r+");
	memset(page, 0xa5, sizeof page);
	for (int i = 1; i < 8; i++) {
		fseek(file, 4096 * i, SEEK_SET);
		fwrite(page, sizeof page, 1, file);
	}
	fclose(file);
	assert_int_equal(store_open(&f->store, f->dir, &err), ERR_CORRUPT);
	assert_non_null(strstr(err.message, "latentd recover"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_failed_sync_ends_the_process),
		TEST(test_full_disk),
		TEST(test_lost_database_is_not_begun_anew),
		TEST(test_a_changed_letter_is_seen),
		TEST(test_a_killed_database_is_checked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
