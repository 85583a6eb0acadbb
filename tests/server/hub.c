#include "server/hub.h"

#include "server/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct counted {
	struct watch watch; /* first */
	atomic_int begun, fired;
	bool saw_peer_gone;
	int slow_ms;
};

static void fire(struct watch *w)
{
	struct counted *c = (struct counted *)w;
	atomic_fetch_add(&c->begun, 1);
	if (c->slow_ms)
		usleep((unsigned)c->slow_ms * 1000);
	c->saw_peer_gone = w->peer_gone;
	atomic_fetch_add(&c->fired, 1);
}

static void prepare(struct counted *c, const char *job, int64_t due_ms)
{
	*c = (struct counted){.watch = {.due_ms = due_ms, .hangup_fd = -1, .fire = fire}};
	snprintf(c->watch.job, sizeof c->watch.job, "%s", job);
}

/* Waits for what should take a moment, on a machine that has none to spare. */
static bool fires(struct counted *c, int times)
{
	for (int i = 0; i < 20000 && atomic_load(&c->fired) < times; i++)
		usleep(1000);
	return atomic_load(&c->fired) == times;
}

static struct hub *open_hub(void)
{
	struct hub *h;
	assert_int_equal(hub_open(&h, NULL), OK);
	return h;
}

static void wakes_who_waits_for_a_job(void **state)
{
	(void)state;
	struct hub *h = open_hub();
	struct counted a, b;
	prepare(&a, "job_a", INT64_MAX);
	prepare(&b, "job_b", INT64_MAX);
	hub_arm(h, &a.watch, hub_commits(h));
	hub_arm(h, &b.watch, hub_commits(h));
	hub_commit(h, "job_a", 1, JOB_RUNNING);
	assert_true(fires(&a, 1));
	hub_commit(h, "job_a", 2, JOB_RUNNING);
	usleep(20000);
	assert_int_equal(atomic_load(&a.fired), 1); /* once per arming */
	assert_int_equal(atomic_load(&b.fired), 0);
	hub_wake_all(h);
	assert_true(fires(&b, 1));
	hub_close(h);
}

static void misses_no_change(void **state)
{
	(void)state;
	struct hub *h = open_hub();
	struct counted a;
	int64_t seen = hub_commits(h);
	hub_commit(h, "job_a", 1, JOB_RUNNING); /* after it was read, before it is armed */
	prepare(&a, "job_a", INT64_MAX);
	hub_arm(h, &a.watch, seen);
	assert_true(fires(&a, 1));
	hub_close(h);
}

static void tells_which_of_a_set_changed(void **state)
{
	(void)state;
	struct hub *h = open_hub();
	struct counted a;
	struct watch_job jobs[3] = {{.id = "job_a"}, {.id = "job_b"}, {.id = "job_c"}};
	struct watch_set set = {.job = jobs, .n = 3, .watch = &a.watch};
	bool changed[3] = {false};
	prepare(&a, "", INT64_MAX);
	a.watch.set = &set;
	hub_join(h, &set);
	hub_arm(h, &a.watch, 0);
	hub_commit(h, "job_x", 1, JOB_RUNNING); /* nobody's */
	usleep(20000);
	assert_int_equal(atomic_load(&a.fired), 0);
	hub_commit(h, "job_b", 1, JOB_RUNNING);
	assert_true(fires(&a, 1));
	hub_commit(h, "job_c", 1, JOB_RUNNING); /* while it is not armed */
	hub_take(h, &set, changed);
	assert_true(!changed[0] && changed[1] && changed[2]);
	hub_arm(h, &a.watch, 0); /* all is taken: nothing to fire for */
	usleep(20000);
	assert_int_equal(atomic_load(&a.fired), 1);
	hub_disarm(h, &a.watch);
	hub_commit(h, "job_a", 1, JOB_RUNNING);
	hub_arm(h, &a.watch, 0);
	assert_true(fires(&a, 2));
	hub_leave(h, &set);
	hub_commit(h, "job_a", 2, JOB_RUNNING);
	hub_close(h);
}

static void fires_when_due(void **state)
{
	(void)state;
	struct hub *h = open_hub();
	struct counted late, soon;
	int64_t begin = clock_ms();
	prepare(&late, "", begin + 60000);
	prepare(&soon, "", begin + 50);
	hub_arm(h, &late.watch, 0);
	usleep(10000); /* the thread sleeps for the late one */
	hub_arm(h, &soon.watch, 0);
	assert_true(fires(&soon, 1));
	assert_true(clock_ms() - begin >= 50);
	assert_int_equal(atomic_load(&late.fired), 0);
	hub_commit(h, "job_a", 1, JOB_RUNNING);
	hub_disarm(h, &late.watch);
	hub_close(h);
	assert_int_equal(atomic_load(&late.fired), 0);
}

static void disarm_waits_for_a_firing_one(void **state)
{
	(void)state;
	struct hub *h = open_hub();
	struct counted a;
	prepare(&a, "", 0);
	a.slow_ms = 50;
	hub_arm(h, &a.watch, 0);
	while (!atomic_load(&a.begun))
		usleep(100);
	hub_disarm(h, &a.watch);
	assert_int_equal(atomic_load(&a.fired), 1);
	hub_close(h);
}

static void notices_a_hangup(void **state)
{
	(void)state;
	struct hub *h = open_hub();
	struct counted a;
	int fds[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	prepare(&a, "job_a", INT64_MAX);
	a.watch.hangup_fd = fds[0];
	hub_arm(h, &a.watch, hub_commits(h));
	usleep(20000);
	assert_int_equal(atomic_load(&a.fired), 0);
	close(fds[1]);
	assert_true(fires(&a, 1));
	assert_true(a.saw_peer_gone);
	hub_close(h);
	close(fds[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wakes_who_waits_for_a_job),
		cmocka_unit_test(misses_no_change),
		cmocka_unit_test(tells_which_of_a_set_changed),
		cmocka_unit_test(fires_when_due),
		cmocka_unit_test(disarm_waits_for_a_firing_one),
		cmocka_unit_test(notices_a_hangup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
