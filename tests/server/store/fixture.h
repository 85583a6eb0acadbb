/* fixture.h: an open store on a temporary data directory, and short forms of what its tests do. */
#ifndef LATENTD_TESTS_SERVER_STORE_FIXTURE_H
#define LATENTD_TESTS_SERVER_STORE_FIXTURE_H

#include "server/store/store.h"
#include "tests/server/temp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	char *dir;
	struct store *store;
};

static inline void reopen(struct fixture *f)
{
	struct err err = {0};
	store_close(f->store);
	f->store = NULL;
	if (store_open(&f->store, f->dir, &err))
		fail_msg("%s", err.message);
}

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	f->dir = temp_make();
	*state = f;
	reopen(f);
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;
	store_close(f->store);
	temp_remove(f->dir);
	free(f);
	return 0;
}

/* Inserts a job; its id into id. */
static inline void insert(struct store *s, const char *name, int priority, char id[JOB_ID_SIZE])
{
	struct err err = {0};
	struct job job = {.kind = "ae",
		.preset = "default",
		.dataset = "fashion-mnist",
		.priority = priority,
		.seed = 7,
		.epochs = 5,
		.params = (char[]){"{\"epochs\":5}"}};
	snprintf(job.name, sizeof job.name, "%s", name);
	assert_int_equal(job_make_id(job.id, &err), OK);
	assert_int_equal(store_insert(s, &job, &err), OK);
	assert_true(job.number > 0);
	assert_true(job.created_at_ms > 0);
	memcpy(id, job.id, JOB_ID_SIZE);
}

static inline struct job get(struct store *s, const char *ref)
{
	struct job job = {0};
	struct err err = {0};
	if (store_get(s, ref, &job, &err))
		fail_msg("%s", err.message);
	return job;
}

static inline enum job_status status_of(struct store *s, const char *ref)
{
	struct job job = get(s, ref);
	enum job_status status = job.status;
	job_free(&job);
	return status;
}

static inline void claim(struct store *s, const char *expected)
{
	struct job job = {0};
	assert_int_equal(store_claim(s, &job, NULL), OK);
	assert_string_equal(job.id, expected);
	assert_int_equal(job.status, JOB_RUNNING);
	job_free(&job);
}

/* All events of a job; checks that seq runs 1, 2, 3 … Returns how many there are of `type`. */
static inline int events_of(struct store *s, const char *id, enum event_type type, int *ret_all)
{
	struct event *events;
	int n, found = 0;
	assert_int_equal(store_events(s, id, 0, 1000000, &events, &n, NULL), OK);
	for (int i = 0; i < n; i++) {
		char begin[80];
		snprintf(begin, sizeof begin, "{\"seq\":%d,\"job\":\"%.31s\",\"at_ms\":", i + 1, id);
		assert_int_equal(events[i].seq, i + 1);
		assert_memory_equal(events[i].data, begin, strlen(begin));
		found += events[i].type == type;
		free(events[i].data);
	}
	free(events);
	if (ret_all)
		*ret_all = n;
	return found;
}

#endif
