#include "server/lanes.h"

#include <stdatomic.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct step {
	struct lane_task task; /* first */
	atomic_int *count;
	int order;
	int sleep_ms;
	atomic_bool started;
};

static void run(struct lane_task *t)
{
	struct step *s = (struct step *)t;
	atomic_store(&s->started, true);
	usleep((unsigned)s->sleep_ms * 1000);
	s->order = atomic_fetch_add(s->count, 1);
}

static void runs_in_order_and_finishes(void **state)
{
	(void)state;
	enum { N = 50 };
	struct lanes *l;
	struct step steps[N];
	atomic_int count = 0;
	assert_int_equal(lanes_open(&l, 1, NULL), OK);
	for (int i = 0; i < N; i++) {
		steps[i] = (struct step){.task = {.run = run}, .count = &count, .sleep_ms = i == 0 ? 20 : 0};
		assert_true(lanes_submit(l, &steps[i].task, false));
	}
	lanes_close(l); /* runs what waits */
	assert_int_equal(atomic_load(&count), N);
	for (int i = 0; i < N; i++)
		assert_int_equal(steps[i].order, i);
}

static void refuses_too_many(void **state)
{
	(void)state;
	struct lanes *l;
	struct step *steps = calloc(LANES_QUEUE_MAX + 3, sizeof *steps);
	atomic_int count = 0;
	int n = 0;
	assert_non_null(steps);
	assert_int_equal(lanes_open(&l, 1, NULL), OK);
	steps[n] = (struct step){.task = {.run = run}, .count = &count, .sleep_ms = 300};
	assert_true(lanes_submit(l, &steps[n++].task, false));
	while (!atomic_load(&steps[0].started))
		usleep(1000); /* then the queue is empty */
	for (int i = 0; i < LANES_QUEUE_MAX; i++) {
		steps[n] = (struct step){.task = {.run = run}, .count = &count};
		assert_true(lanes_submit(l, &steps[n++].task, false));
	}
	steps[n] = (struct step){.task = {.run = run}, .count = &count};
	assert_false(lanes_submit(l, &steps[n].task, false));
	assert_true(lanes_submit(l, &steps[n++].task, true));
	lanes_close(l);
	assert_int_equal(atomic_load(&count), n);
	free(steps);
}

static void runs_side_by_side(void **state)
{
	(void)state;
	struct lanes *l;
	struct step slow, quick;
	atomic_int count = 0;
	assert_int_equal(lanes_open(&l, 2, NULL), OK);
	slow = (struct step){.task = {.run = run}, .count = &count, .sleep_ms = 200};
	quick = (struct step){.task = {.run = run}, .count = &count};
	lanes_submit(l, &slow.task, false);
	lanes_submit(l, &quick.task, false);
	lanes_close(l);
	assert_int_equal(quick.order, 0);
	assert_int_equal(slow.order, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_in_order_and_finishes),
		cmocka_unit_test(refuses_too_many),
		cmocka_unit_test(runs_side_by_side),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
