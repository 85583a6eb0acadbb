/* No statement of the store's looks through a whole table, however many jobs there are. */
#include "server/store/internal.h"

#include "tests/server/store/fixture.h"

static const struct {
	const char *name, *text;
} statements[SQL_COUNT] = {
#define X(id, text) [id] = {#id, text},
	SQL_STATEMENTS(X)
#undef X
};

/* Tables that have a row for each job, or for each of many things of a job. */
static bool grows(const char *step)
{
	static const char *const tables[] = {"jobs", "events", "series", "points", "blocks", "results", "edits", "keys",
		"depends", "j", "d", "p", "s", "r", "queue_buckets"};
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
		char begin[40];
		size_t n = (size_t)snprintf(begin, sizeof begin, "SCAN %s", tables[i]);
		if (!strncmp(step, begin, n) && (!step[n] || step[n] == ' '))
			return true;
	}
	return false;
}

/* In order and limited, a scan ends soon: of a table that is not filtered, or of an index that has only what is wanted. What workers
 * hold is as much as there are workers. */
/* Of what a worker or the conductor has in hand there is never much. */
static bool is_small(const char *step)
{
	return strstr(step, "INDEX jobs_held") || strstr(step, "INDEX jobs_conducting") || strstr(step, "INDEX trials_open");
}

static bool is_bad(const char *sql, const char *plan, const char *step)
{
	bool ends =
		strstr(sql, "LIMIT") && !strstr(plan, "TEMP B-TREE") && (strstr(step, "USING") || !strstr(sql, "WHERE"));
	return grows(step) && !ends && !is_small(step);
}

static int check(sqlite3 *db, const char *name, const char *sql)
{
	char explain[8000], plan[4000] = "", steps[16][240];
	sqlite3_stmt *q;
	int n = 0, bad = 0;
	snprintf(explain, sizeof explain, "EXPLAIN QUERY PLAN %s", sql);
	assert_int_equal(sqlite3_prepare_v2(db, explain, -1, &q, NULL), SQLITE_OK);
	while (sqlite3_step(q) == SQLITE_ROW && n < 16) {
		snprintf(steps[n], sizeof *steps, "%s", (const char *)sqlite3_column_text(q, 3));
		snprintf(plan + strlen(plan), sizeof plan - strlen(plan), "%s; ", steps[n++]);
	}
	sqlite3_finalize(q);
	for (int i = 0; i < n; i++)
		bad += is_bad(sql, plan, steps[i]);
	if (bad)
		print_error("%s: %s\n", name, plan);
	return bad;
}

static void test_every_statement_uses_an_index(void **state)
{
	struct fixture *f = *state;
	char path[300];
	sqlite3 *db;
	int bad = 0;
	snprintf(path, sizeof path, "%s/latentd.db", f->dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	for (int i = 0; i < SQL_COUNT; i++)
		if (i != SQL_JOBS_ALL && strncmp(statements[i].text, "BEGIN", 5) && strncmp(statements[i].text, "COMMIT", 6) &&
			strncmp(statements[i].text, "ROLLBACK", 8))
			bad += check(db, statements[i].name, statements[i].text);
	/* and what finds nothing must be able to find something */
	assert_true(is_bad("SELECT", "SCAN jobs; ", "SCAN jobs"));
	assert_int_equal(bad, 0);
	sqlite3_close(db);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_every_statement_uses_an_index),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
