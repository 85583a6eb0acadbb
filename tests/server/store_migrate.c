/* Databases of earlier versions. tests/server/schema/ has one of each. */
#include "server/store.h"

#include "tests/server/store_fixture.h"

#include <sys/stat.h>
#include <sys/wait.h>

enum { OLDEST = 1, NEWEST_OLD = 3 };

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
	snprintf(path, sizeof path, "tests/server/schema/v%d.sql", version);
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

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_each_is_brought_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
