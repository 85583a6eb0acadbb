#include "server/stream.h"

#include "tests/server/temp.h"

#include <semaphore.h>
#include <time.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
	struct daemon d;
	char *dir;
	struct job job;
	sem_t woken;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	f->dir = temp_make();
	*state = f;
	if (hub_open(&f->d.hub, NULL) || store_open(&f->d.store, f->dir, NULL))
		return -1;
	store_on_commit(f->d.store, hub_commit, f->d.hub);
	sem_init(&f->woken, 0, 0);
	f->job = (struct job){.kind = "ae", .preset = "default", .dataset = "x", .params = strdup("{}")};
	return job_make_id(f->job.id, NULL) || store_insert(f->d.store, &f->job, NULL);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	store_close(f->d.store);
	hub_close(f->d.hub);
	job_free(&f->job);
	temp_remove(f->dir);
	sem_destroy(&f->woken);
	free(f);
	return 0;
}

static int open_one(struct fixture *f, struct stream **ret, int64_t after, enum stream_form form)
{
	return stream_open(ret, &f->d, &(struct stream_job){f->job.id, after}, 1, form, NULL);
}

static void wake(void *ctx)
{
	sem_post(&((struct fixture *)ctx)->woken);
}

/* Reads until `wanted` came or the stream ended; what it said. */
static const char *read_until(struct fixture *f, struct stream *s, const char *wanted)
{
	static char text[8192];
	size_t used = 0;
	*text = '\0';
	while (!strstr(text, wanted)) {
		long n = stream_read(s, text + used, 7); /* in small bites */
		if (n < 0)
			return text;
		used += (size_t)n;
		text[used] = '\0';
		assert_true(used < sizeof text - 8);
		if (!n) {
			struct timespec until;
			clock_gettime(CLOCK_REALTIME, &until);
			until.tv_sec += 5;
			stream_park(s, -1, wake, f);
			if (sem_timedwait(&f->woken, &until))
				fail_msg("nothing more came after: %s", text);
		}
	}
	return text;
}

static void log_event(struct fixture *f, const char *message)
{
	char body[100];
	snprintf(body, sizeof body, "\"level\":\"info\",\"message\":\"%s\"", message);
	store_event(f->d.store, f->job.id, EVENT_LOG, NULL, body);
}

static void finish(struct fixture *f)
{
	assert_int_equal(store_move(f->d.store, f->job.id, JOB_QUEUED, JOB_CANCELLED, &(struct store_change){.finished = true}, NULL), OK);
}

static void tells_what_was_and_what_comes(void **state)
{
	struct fixture *f = *state;
	struct stream *s;
	char byte;
	assert_int_equal(open_one(f, &s, 0, STREAM_SSE), OK);
	const char *text = read_until(f, s, "\"queued\"");
	assert_non_null(strstr(text, "retry: "));
	assert_non_null(strstr(text, "id: 1\n"));
	log_event(f, "hello");
	assert_non_null(strstr(read_until(f, s, "hello"), "id: 2\n"));
	finish(f);
	text = read_until(f, s, "never");
	assert_non_null(strstr(text, "event: end"));
	assert_int_equal(stream_read(s, &byte, 1), -1);
	stream_close(s);
}

static void goes_on_after_an_event(void **state)
{
	struct fixture *f = *state;
	struct stream *s;
	log_event(f, "two");
	log_event(f, "three");
	finish(f);
	assert_int_equal(open_one(f, &s, 2, STREAM_SSE), OK);
	const char *text = read_until(f, s, "never");
	assert_null(strstr(text, "two"));
	assert_non_null(strstr(text, "id: 3\n"));
	stream_close(s);
}

static void tells_everything_in_batches(void **state)
{
	struct fixture *f = *state;
	struct stream *s;
	int64_t last = 0;
	size_t got = 0;
	enum { EVENTS = 450 };
	for (int i = 0; i < EVENTS; i++)
		log_event(f, "x");
	finish(f);
	assert_int_equal(store_last_seq(f->d.store, f->job.id, &last, NULL), OK);
	assert_true(last > EVENTS);
	/* events of kind log leave no trace in the lines for people: the stream must go on by itself */
	assert_int_equal(open_one(f, &s, 0, STREAM_TEXT), OK);
	for (char bytes[4096];;) {
		long n = stream_read(s, bytes, sizeof bytes);
		if (n < 0)
			break;
		got += (size_t)n;
		if (!n) {
			stream_park(s, -1, wake, f);
			sem_wait(&f->woken);
		}
	}
	assert_true(got > 0);
	stream_close(s);
}

/* --- several jobs --- */

static void add_job(struct fixture *f, struct job *job)
{
	*job = (struct job){.kind = "ae", .preset = "default", .dataset = "x", .params = strdup("{}")};
	assert_int_equal(job_make_id(job->id, NULL), OK);
	assert_int_equal(store_insert(f->d.store, job, NULL), OK);
}

static void end_job(struct fixture *f, const char *id)
{
	assert_int_equal(store_move(f->d.store, id, JOB_QUEUED, JOB_CANCELLED, &(struct store_change){.finished = true}, NULL), OK);
}

static void tells_of_several(void **state)
{
	struct fixture *f = *state;
	struct stream *s;
	struct job b;
	char byte;
	add_job(f, &b);
	struct stream_job both[] = {{f->job.id, 0}, {b.id, 1}};
	assert_int_equal(stream_open(&s, &f->d, both, 2, STREAM_SSE, NULL), OK);
	const char *text = read_until(f, s, "\"queued\"");
	assert_non_null(strstr(text, "id: 1,1\n"));
	store_event(f->d.store, b.id, EVENT_LOG, NULL, "\"message\":\"of b\"");
	assert_non_null(strstr(read_until(f, s, "of b"), "id: 1,2\n"));
	log_event(f, "of a");
	assert_non_null(strstr(read_until(f, s, "of a"), "id: 2,2\n"));
	finish(f); /* one of them */
	assert_non_null(strstr(read_until(f, s, "event: end"), "id: 4,2\n"));
	store_event(f->d.store, b.id, EVENT_LOG, NULL, "\"message\":\"alone\"");
	assert_non_null(strstr(read_until(f, s, "alone"), "id: 4,3\n"));
	end_job(f, b.id);
	assert_non_null(strstr(read_until(f, s, "never"), "id: 4,5\nevent: end"));
	assert_int_equal(stream_read(s, &byte, 1), -1);
	stream_close(s);
	job_free(&b);
}

static void nobody_waits_for_a_long_story(void **state)
{
	struct fixture *f = *state;
	struct stream *s;
	struct job b;
	static char text[200000];
	size_t used = 0;
	for (int i = 0; i < 450; i++)
		log_event(f, "x");
	assert_int_equal(store_flush(f->d.store, NULL), OK);
	add_job(f, &b);
	struct stream_job both[] = {{f->job.id, 0}, {b.id, 0}};
	finish(f);
	end_job(f, b.id);
	assert_int_equal(stream_open(&s, &f->d, both, 2, STREAM_SSE, NULL), OK);
	for (long n; (n = stream_read(s, text + used, sizeof text - used - 1)) >= 0; used += (size_t)n)
		if (!n) {
			stream_park(s, -1, wake, f);
			sem_wait(&f->woken);
		}
	int lines = 0;
	for (const char *at = text; (at = strstr(at, "\nid: ")); at++)
		lines++;
	assert_int_equal(lines, 453 + 3);
	char *end_of_b = strstr(text, b.id), *last = strstr(text, "id: 453,");
	assert_true(end_of_b && last && end_of_b < last); /* it came between the batches of the other */
	stream_close(s);
	job_free(&b);
}

static void a_deleted_job_has_ended(void **state)
{
	struct fixture *f = *state;
	struct stream *s;
	struct job b;
	add_job(f, &b);
	finish(f);
	struct stream_job both[] = {{f->job.id, 3}, {b.id, 1}};
	assert_int_equal(store_delete(f->d.store, f->job.id, NULL), OK);
	assert_int_equal(stream_open(&s, &f->d, both, 2, STREAM_SSE, NULL), OK);
	end_job(f, b.id);
	assert_non_null(strstr(read_until(f, s, "never"), "id: 3,3\nevent: end"));
	stream_close(s);
	job_free(&b);
}

/* Its reader was too slow: what was not read yet went with it. */
static void a_deletion_ends_who_waits(void **state)
{
	struct fixture *f = *state;
	struct stream *s;
	assert_int_equal(open_one(f, &s, 0, STREAM_SSE), OK);
	read_until(f, s, "\"queued\"");
	finish(f);
	assert_int_equal(store_delete(f->d.store, f->job.id, NULL), OK);
	assert_null(strstr(read_until(f, s, "never"), "event: end"));
	stream_close(s);
}

static void ends_when_the_daemon_drains(void **state)
{
	struct fixture *f = *state;
	struct stream *s;
	assert_int_equal(open_one(f, &s, 0, STREAM_SSE), OK);
	read_until(f, s, "\"queued\"");
	atomic_store(&f->d.draining, true);
	hub_wake_all(f->d.hub);
	assert_null(strstr(read_until(f, s, "never"), "event: end"));
	stream_close(s);
}

static void limits_how_many_are_open(void **state)
{
	struct fixture *f = *state;
	struct stream *s[STREAMS_MAX], *more;
	for (int i = 0; i < STREAMS_MAX; i++)
		assert_int_equal(open_one(f, &s[i], 0, STREAM_SSE), OK);
	assert_int_equal(open_one(f, &more, 0, STREAM_SSE), ERR_UNAVAILABLE);
	stream_close(s[0]);
	assert_int_equal(open_one(f, &s[0], 0, STREAM_TEXT), OK);
	for (int i = 0; i < STREAMS_MAX; i++)
		stream_close(s[i]);
}

static void may_be_closed_while_parked(void **state)
{
	struct fixture *f = *state;
	struct stream *s;
	assert_int_equal(open_one(f, &s, 0, STREAM_SSE), OK);
	read_until(f, s, "\"queued\"");
	stream_park(s, -1, wake, f);
	stream_close(s);
	log_event(f, "nobody listens");
	assert_int_equal(store_flush(f->d.store, NULL), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tells_what_was_and_what_comes, setup, teardown),
		cmocka_unit_test_setup_teardown(goes_on_after_an_event, setup, teardown),
		cmocka_unit_test_setup_teardown(tells_everything_in_batches, setup, teardown),
		cmocka_unit_test_setup_teardown(tells_of_several, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_waits_for_a_long_story, setup, teardown),
		cmocka_unit_test_setup_teardown(a_deleted_job_has_ended, setup, teardown),
		cmocka_unit_test_setup_teardown(a_deletion_ends_who_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(ends_when_the_daemon_drains, setup, teardown),
		cmocka_unit_test_setup_teardown(limits_how_many_are_open, setup, teardown),
		cmocka_unit_test_setup_teardown(may_be_closed_while_parked, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
