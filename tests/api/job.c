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
	assert_false(job_terminal(JOB_PAUSING) || job_terminal(JOB_PAUSED));
	assert_true(job_live(JOB_RUNNING) && job_live(JOB_PAUSING) && job_live(JOB_CANCELLING));
	assert_false(job_live(JOB_QUEUED) || job_live(JOB_PAUSED) || job_live(JOB_SUCCEEDED));
	assert_false(job_status_parse("Queued", &s));
	assert_false(job_status_parse("", &s));
}

/* The diagram written the other way round: from each status, where one may go. */
static void moves(void **state)
{
	static const char *const to[JOB_STATUS_COUNT] = {
		[JOB_QUEUED] = "running cancelled paused failed",
		[JOB_RUNNING] = "queued pausing cancelling succeeded failed cancelled",
		[JOB_PAUSING] = "paused running cancelling succeeded failed cancelled",
		[JOB_PAUSED] = "queued cancelled failed",
		[JOB_CANCELLING] = "succeeded failed cancelled",
		[JOB_SUCCEEDED] = "",
		[JOB_FAILED] = "queued",
		[JOB_CANCELLED] = "queued",
	};
	(void)state;
	for (int from = 0; from < JOB_STATUS_COUNT; from++)
		for (int i = 0; i < JOB_STATUS_COUNT; i++) {
			bool legal = strstr(to[from], job_status_name((enum job_status)i)) != NULL;
			assert_int_equal(job_may_move((enum job_status)from, (enum job_status)i), legal);
		}
}

/* Every actor's rows, so that none can be lost or change hands unseen. A worker moves what is at it; a user never says how a run
 * went. */
static void actors(void **state)
{
	int count[ACTOR_DEPENDENCY + 1] = {0};
	(void)state;
	for (const struct job_move *m = job_moves; m->from != m->to; m++) {
		count[m->who]++;
		assert_false(m->from == JOB_SUCCEEDED);
		if (m->who == ACTOR_USER)
			assert_true(m->to != JOB_SUCCEEDED && m->to != JOB_FAILED);
		else if (m->who == ACTOR_DEPENDENCY)
			assert_true(m->to == JOB_FAILED && !job_live(m->from) && !job_terminal(m->from));
		else
			assert_true(job_live(m->from) || m->from == JOB_QUEUED);
	}
	assert_int_equal(count[ACTOR_USER], 13);
	assert_int_equal(count[ACTOR_WORKER], 10);
	assert_int_equal(count[ACTOR_RESTART], 3);
	assert_int_equal(count[ACTOR_DEPENDENCY], 2);
	for (int s = 0; s < JOB_STATUS_COUNT; s++) {
		const struct job_move *m = job_restart_move((enum job_status)s);
		assert_int_equal(m != NULL, job_live((enum job_status)s));
		assert_true(!m || !job_live(m->to));
	}
}

/* Each command in each state, written by hand: a change of status ("→"), nothing new ("="), refused ("-"). "→queued!": with the wish
 * to stop; "~": of a job that has not begun it is refused. */
static const struct {
	const char *status, *pause, *resume, *stop, *cancel, *force, *retry, *checkpoint;
} wanted[] = {
	{"queued", "→paused", "=", "→queued!~", "→cancelled", "→cancelled", "=", "-"},
	{"running", "→pausing", "=", "→running!", "→cancelling", "→cancelled", "=", "→running"},
	{"pausing", "=", "→running", "→running!", "→cancelling", "→cancelled", "-", "-"},
	{"paused", "=", "→queued", "→queued!~", "→cancelled", "→cancelled", "-", "-"},
	{"cancelling", "-", "-", "-", "=", "→cancelled", "-", "-"},
	{"succeeded", "-", "-", "=", "-", "-", "-", "-"},
	{"failed", "-", "-", "-", "-", "-", "→queued", "-"},
	{"cancelled", "-", "-", "-", "=", "=", "→queued", "-"},
};

static void check_pair(enum job_status status, enum job_command command, const char *want)
{
	struct job job = {.status = status, .step = 1}, fresh = {.status = status};
	const struct job_command_row *row = job_command_find(&job, command);
	assert_int_equal(row != NULL, *want != '-');
	assert_int_equal(job_command_changes(&job, command), *want != '-' && *want != '=');
	assert_int_equal(job_command_find(&fresh, command) != NULL, *want != '-' && !strchr(want, '~'));
	if (!row)
		return;
	const char *to = *want == '=' ? job_status_name(status) : want + strlen("→");
	const size_t length = strcspn(to, "!~");
	assert_int_equal(strlen(job_status_name(row->to)), length);
	assert_memory_equal(job_status_name(row->to), to, length);
	assert_int_equal(row->wish, strchr(want, '!') ? WISH_STOP : WISH_NONE);
	assert_true(row->from == row->to || job_may_move(row->from, row->to));
	/* asked again it changes nothing more; then either it is done or somebody works at it */
	job.status = row->to;
	job.wish = row->wish;
	if (command == COMMAND_CHECKPOINT)
		return;
	assert_false(job_command_changes(&job, command));
	assert_true(job_command_done(&job, command) != job_command_waits(&job, command));
}

static void commands(void **state)
{
	int rows = 0, wanted_rows = 0;
	(void)state;
	assert_int_equal(sizeof wanted / sizeof *wanted, JOB_STATUS_COUNT);
	for (int i = 0; i < JOB_STATUS_COUNT; i++) {
		const char *const want[JOB_COMMAND_COUNT] = {wanted[i].pause, wanted[i].resume, wanted[i].stop,
			wanted[i].cancel, wanted[i].force, wanted[i].retry, wanted[i].checkpoint};
		enum job_status status;
		assert_true(job_status_parse(wanted[i].status, &status));
		for (int c = 0; c < JOB_COMMAND_COUNT; c++) {
			check_pair(status, (enum job_command)c, want[c]);
			wanted_rows += *want[c] != '-';
		}
	}
	for (const struct job_command_row *r = job_command_rows; r->command != JOB_COMMAND_COUNT; r++)
		rows++;
	assert_int_equal(rows, wanted_rows);
}

static void wishes(void **state)
{
	enum job_wish w;
	struct job job = {.status = JOB_RUNNING, .step = 1, .wish = WISH_STOP};
	(void)state;
	for (int i = 0; i < WISH_COUNT; i++) {
		assert_true(job_wish_parse(job_wish_name((enum job_wish)i), &w));
		assert_int_equal(w, i);
	}
	assert_false(job_wish_parse("stopp", &w));
	assert_false(job_command_changes(&job, COMMAND_STOP)); /* asked already */
	assert_true(job_command_waits(&job, COMMAND_STOP));
	assert_true(job_command_changes(&job, COMMAND_PAUSE)); /* may be taken back */
	assert_true(job_command_done(&job, COMMAND_RESUME));
}

/* What a kind without a net lacks is a checkpoint, and nothing else. */
static void kinds_without_a_net(void **state)
{
	(void)state;
	for (int c = 0; c < JOB_COMMAND_COUNT; c++)
		for (int s = 0; s < JOB_STATUS_COUNT; s++) {
			const struct job net = {.kind = "ae", .status = (enum job_status)s, .step = 1},
							 none = {.kind = "projection", .status = net.status, .step = 1};
			const enum job_command command = (enum job_command)c;
			assert_int_equal(job_command_exists(&none, command), command != COMMAND_CHECKPOINT);
			if (command == COMMAND_CHECKPOINT)
				assert_null(job_command_find(&none, command));
			else
				assert_ptr_equal(job_command_find(&none, command), job_command_find(&net, command));
		}
	struct err err = {0};
	assert_int_equal(job_check_trains(&(struct job){.kind = "vae"}, &err), OK);
	assert_int_equal(job_check_trains(&(struct job){.kind = "of another day"}, &err), OK);
	assert_int_equal(job_check_trains(&(struct job){.kind = "projection"}, &err), ERR_UNSUPPORTED);
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
		cmocka_unit_test(commands),
		cmocka_unit_test(wishes),
		cmocka_unit_test(kinds_without_a_net),
		cmocka_unit_test(ids),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
