/* Databases of earlier versions. tests/server/store/schema/ has one of each. */
#include "server/store/store.h"

#include "tests/server/store/fixture.h"

#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { OLDEST = 1, NEWEST_OLD = 3 };

static atomic_int syncs_until_the_kill = INT32_MAX;

/* SQLite's, too: the program's symbols come before the C library's. */
int fdatasync(int fd)
{
	if (atomic_fetch_sub(&syncs_until_the_kill, 1) <= 0)
		_exit(9);
	return fsync(fd);
}

static char *read_text(const char *path)
{
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	char *text = calloc(1, 100000);
	assert_true(fread(text, 1, 99999, file) > 0);
	fclose(file);
	return text;
}

/* In place of what the fixture has open: a data directory as an earlier version left it. */
static void plant(struct fixture *f, int version)
{
	char path[300];
	store_close(f->store);
	f->store = NULL;
	temp_remove(f->dir);
	f->dir = temp_make();
	snprintf(path, sizeof path, "tests/server/store/schema/v%d.sql", version);
	char *sql = read_text(path);
	temp_sql(f->dir, sql);
	free(sql);
	assert_int_equal(temp_version(f->dir), version);
}

static void check_contents(struct store *s, int version)
{
	struct job old = get(s, "old"), begun = get(s, "job_bbbbbbbbbbbbbbbb"), next = get(s, "next");
	assert_string_equal(old.id, "job_aaaaaaaaaaaaaaaa");
	assert_int_equal(old.status, JOB_SUCCEEDED);
	assert_string_equal(old.params, "{\"epochs\":2,\"lr\":0.001}");
	assert_non_null(strstr(old.test, "0.0625"));
	assert_int_equal(old.best_epoch, 2);
	assert_true(old.train_s == 8.25);
	assert_int_equal(begun.status, JOB_QUEUED);
	assert_int_equal(begun.attempt, 1);
	assert_int_equal(begun.queue_position, 1);
	assert_int_equal(next.queue_position, 2);
	assert_int_equal(next.number, 3);
	job_free(&old);
	job_free(&begun);
	job_free(&next);
	int all;
	assert_int_equal(events_of(s, "job_aaaaaaaaaaaaaaaa", EVENT_END, &all), 1);
	assert_int_equal(all, 4);
	struct curve c;
	assert_int_equal(store_curve(s, "job_aaaaaaaaaaaaaaaa", "train_loss", 0, &c, NULL), OK);
	assert_int_equal(c.n, 6);
	for (int i = 0; i < 6; i++)
		assert_true(c.step[i] == i + 1 && c.value[i] == 3.0 / (i + 1) && c.time_ms[i] == 1700000001001 + i);
	curve_free(&c);
	char *body = NULL;
	assert_int_equal(
		store_result_get(s, "job_aaaaaaaaaaaaaaaa", "confusion", &body, NULL), version < 2 ? ERR_NOT_FOUND : OK);
	free(body);
	struct edit_list edits;
	assert_int_equal(store_edits(s, "job_bbbbbbbbbbbbbbbb", &edits, NULL), OK);
	assert_int_equal(edits.n, version >= 3);
	edit_list_free(&edits);
}

static void test_each_is_brought_up(void **state)
{
	struct fixture *f = *state;
	int now = temp_version(f->dir);
	for (int v = OLDEST; v <= NEWEST_OLD; v++) {
		plant(f, v);
		for (int i = 0; i < 2; i++) { /* and stays so */
			reopen(f);
			check_contents(f->store, v);
			assert_int_equal(temp_version(f->dir), now);
		}
		char id[JOB_ID_SIZE];
		insert(f->store, "new", 5, id);
		claim(f->store, id);
	}
}

static int version_in(const char *path)
{
	sqlite3 *db;
	sqlite3_stmt *q;
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &q, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	int version = sqlite3_column_int(q, 0);
	sqlite3_finalize(q);
	sqlite3_close(db);
	return version;
}

static void test_a_copy_is_kept(void **state)
{
	struct fixture *f = *state;
	for (int v = OLDEST; v <= NEWEST_OLD; v++) {
		char path[300];
		struct stat st;
		plant(f, v);
		reopen(f);
		snprintf(path, sizeof path, "%s/latentd.db.v%d", f->dir, v);
		assert_int_equal(version_in(path), v);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
}

/* Something is in the way of one of the later steps: all stays as it was. */
static void test_a_step_that_fails_undoes_all(void **state)
{
	struct fixture *f = *state;
	for (int v = OLDEST; v <= NEWEST_OLD; v++) {
		struct err err = {0};
		plant(f, v);
		temp_sql(f->dir, "CREATE TABLE blocks(x)");
		assert_int_not_equal(store_open(&f->store, f->dir, &err), OK);
		assert_int_equal(temp_version(f->dir), v);
		temp_sql(f->dir, "DROP TABLE blocks");
		reopen(f);
		check_contents(f->store, v);
	}
}

static void test_a_kill_leaves_old_or_new(void **state)
{
	struct fixture *f = *state;
	int now = temp_version(f->dir), old = 0, kills = 0;
	for (bool killed = true; killed; kills++) {
		int status;
		plant(f, NEWEST_OLD);
		pid_t child = fork();
		if (child == 0) {
			atomic_store(&syncs_until_the_kill, kills);
			_exit(store_open(&f->store, f->dir, NULL) ? 1 : 0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		killed = WEXITSTATUS(status) == 9;
		assert_true(killed || !WEXITSTATUS(status));
		int version = temp_version(f->dir);
		assert_true(version == now || version == NEWEST_OLD);
		old += version == NEWEST_OLD;
		reopen(f);
		check_contents(f->store, NEWEST_OLD);
	}
	print_message("%d kills, %d of them before the new version was there\n", kills - 1, old);
	assert_true(kills > 3 && old > 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_each_is_brought_up),
		TEST(test_a_copy_is_kept),
		TEST(test_a_step_that_fails_undoes_all),
		TEST(test_a_kill_leaves_old_or_new),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
