#include "api/job.h"

#include "tests/api/check.h"

static void statuses(void **state)
{
	enum job_status s;
	(void)state;
	for (int i = 0; i < JOB_STATUS_COUNT; i++) {
		assert_true(job_status_parse(job_status_name((enum job_status)i), &s));
		assert_int_equal(s, i);
	}
	assert_string_equal(job_status_name(JOB_CANCELLING), "cancelling");
	assert_true(job_terminal(JOB_SUCCEEDED) && job_terminal(JOB_FAILED) && job_terminal(JOB_CANCELLED));
	assert_false(job_terminal(JOB_QUEUED) || job_terminal(JOB_RUNNING) || job_terminal(JOB_CANCELLING));
	assert_false(job_status_parse("Queued", &s));
	assert_false(job_status_parse("", &s));
}

/* The diagram written the other way round: from each status, where one may go. */
static void moves(void **state)
{
	static const char *const to[JOB_STATUS_COUNT] = {
		[JOB_QUEUED] = "running failed cancelled",
		[JOB_RUNNING] = "queued cancelling succeeded failed",
		[JOB_CANCELLING] = "succeeded failed cancelled",
		[JOB_SUCCEEDED] = "",
		[JOB_FAILED] = "",
		[JOB_CANCELLED] = "",
	};
	(void)state;
	for (int from = 0; from < JOB_STATUS_COUNT; from++)
		for (int i = 0; i < JOB_STATUS_COUNT; i++) {
			bool legal = strstr(to[from], job_status_name((enum job_status)i)) != NULL;
			assert_int_equal(job_may_move((enum job_status)from, (enum job_status)i), legal);
		}
}

/* Every actor's rows, so that none can be lost or change hands unseen. */
static void actors(void **state)
{
	int count[4] = {0};
	(void)state;
	for (const struct job_move *m = job_moves; m->from != m->to; m++) {
		count[m->who]++;
		assert_false(job_terminal(m->from));
		if (m->who == ACTOR_USER)
			assert_true(m->to == JOB_CANCELLED || m->to == JOB_CANCELLING);
	}
	assert_int_equal(count[ACTOR_USER], 2);
	assert_int_equal(count[ACTOR_WORKER], 6);
	assert_int_equal(count[ACTOR_RESTART], 2);
	assert_int_equal(count[ACTOR_DEPENDENCY], 1);
}

static void ids(void **state)
{
	enum { N = 20000, MEAN = 8889, SPREAD = 93 }; /* of a letter among 16 N, and its standard deviation */
	char id[JOB_ID_SIZE], before[JOB_ID_SIZE] = "";
	int seen[128] = {0};
	struct err err;
	(void)state;
	for (int i = 0; i < N; i++) {
		assert_int_equal(job_make_id(id, &err), OK);
		assert_int_equal(strlen(id), 20);
		assert_int_equal(strncmp(id, "job_", 4), 0);
		assert_int_equal(strspn(id + 4, "0123456789abcdefghijklmnopqrstuvwxyz"), 16);
		assert_string_not_equal(id, before);
		memcpy(before, id, sizeof id);
		for (const char *c = id + 4; *c; c++)
			seen[(unsigned char)*c]++;
	}
	for (const char *c = "0123456789abcdefghijklmnopqrstuvwxyz"; *c; c++)
		assert_in_range(seen[(unsigned char)*c], MEAN - 7 * SPREAD, MEAN + 7 * SPREAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statuses),
		cmocka_unit_test(moves),
		cmocka_unit_test(actors),
		cmocka_unit_test(ids),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
