/* house.h: store, cache, pool and workers on a temporary data directory, as main opens them; for tests of the server. */
#ifndef LATENTD_TESTS_SERVER_HOUSE_H
#define LATENTD_TESTS_SERVER_HOUSE_H

#include "core/data/sha256.h"
#include "server/clock.h"
#include "server/export.h"
#include "server/log.h"
#include "server/sched.h"
#include "tests/server/temp.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

struct house {
	char *dir;
	const char *dataset_dirs[1]; /* the data directory itself: a test may put data sets there */
	int workers, checkpoint_ms;
	size_t memory_limit_bytes;
	struct store *store;
	struct cache *cache;
	struct pool *pool;
	struct sched *sched;
};

static inline void house_open(struct house *h)
{
	struct err err = {0};
	h->dataset_dirs[0] = h->dir;
	if (store_open(&h->store, h->dir, &err) || cache_open(&h->cache, h->store, h->dir, h->dataset_dirs, 1, &err) ||
		pool_open(&h->pool, 2, &err))
		fail_msg("%s", err.message);
	const struct sched_config config = {.store = h->store,
		.cache = h->cache,
		.pool = h->pool,
		.kern = kern_at(cpu_best()),
		.data_dir = h->dir,
		.workers = h->workers,
		.memory_limit_bytes = h->memory_limit_bytes,
		.checkpoint_ms = h->checkpoint_ms};
	if (sched_open(&h->sched, &config, &err))
		fail_msg("%s", err.message);
}

static inline void house_close(struct house *h)
{
	sched_close(h->sched);
	cache_close(h->cache);
	store_close(h->store);
	if (h->pool)
		pool_close(h->pool);
	h->sched = NULL;
	h->cache = NULL;
	h->store = NULL;
	h->pool = NULL;
}

static inline int house_setup(void **state)
{
	struct house *h = calloc(1, sizeof *h);
	log_setup(LOG_LEVEL_ERROR, false);
	h->dir = temp_make();
	h->workers = 1;
	house_open(h);
	*state = h;
	return 0;
}

static inline int house_teardown(void **state)
{
	struct house *h = *state;
	house_close(h);
	temp_remove(h->dir);
	free(h);
	return 0;
}

/* Parses a body with ' for ". */
static inline void house_spec(struct spec *ret, const char *body)
{
	struct json *json;
	struct err err = {0};
	char *text = strdup(body);
	for (char *c = text; *c; c++)
		if (*c == '\'')
			*c = '"';
	if (json_parse(&json, text, strlen(text), &err) || spec_parse(ret, json, &err, NULL))
		fail_msg("%s: %s", text, err.message);
	json_free(json);
	free(text);
}

static inline int house_try_submit(struct house *h, const char *body, char id[JOB_ID_SIZE], struct err *err)
{
	struct spec spec;
	struct job job;
	house_spec(&spec, body);
	int code = sched_submit(h->sched, &spec, NULL, &job, err);
	spec_free(&spec);
	if (!code) {
		memcpy(id, job.id, JOB_ID_SIZE);
		job_free(&job);
	}
	return code;
}

static inline void house_submit(struct house *h, const char *body, char id[JOB_ID_SIZE])
{
	struct err err = {0};
	if (house_try_submit(h, body, id, &err))
		fail_msg("%s", err.message);
}

/* A command; *ret: the job then. */
static inline int house_ask(struct house *h, const char *id, enum job_command command, struct job *ret, struct err *err)
{
	bool done;
	return sched_command(h->sched, id, command, &done, ret, err);
}

/* As the API would show it. */
static inline struct job house_job(struct house *h, const char *id)
{
	struct job job;
	struct err err = {0};
	if (store_get(h->store, id, &job, &err))
		fail_msg("%s", err.message);
	if (h->sched)
		sched_live(h->sched, &job);
	return job;
}

/* Waits until it has ended or has done `step` steps; returns its status then. */
static inline enum job_status house_wait(struct house *h, const char *id, int64_t step)
{
	int64_t deadline = clock_ms() + 200000; /* sanitizers are slow */
	for (;;) {
		struct job job = house_job(h, id);
		enum job_status status = job.status;
		bool there = job_terminal(status) || (status != JOB_QUEUED && job.step >= step);
		job_free(&job);
		if (there)
			return status;
		if (clock_ms() > deadline)
			fail_msg("%s is still %s", id, job_status_name(status));
		usleep(2000);
	}
}

static inline enum job_status house_wait_end(struct house *h, const char *id)
{
	return house_wait(h, id, INT64_MAX);
}

static inline void house_hash_series(struct house *h, const char *id, const char *series, struct sha256 *hash)
{
	struct curve c;
	assert_int_equal(store_curve(h->store, id, series, 0, &c, NULL), OK);
	assert_true(c.n > 0);
	for (size_t i = 0; i < c.n; i++) {
		assert_true(i == 0 || c.step[i] > c.step[i - 1]);
		sha256_update(hash, &c.step[i], sizeof c.step[i]);
		sha256_update(hash, &c.epoch[i], sizeof c.epoch[i]);
		sha256_update(hash, &c.value[i], sizeof c.value[i]);
	}
	curve_free(&c);
}

/* What must be equal for equal runs: the weights file of both checkpoints and every series but the timings. */
static inline void house_fingerprint(struct house *h, const char *id, char text[SHA256_HEX])
{
	static const char *const which[] = {"best", "last"}, *const series[] = {"train_loss", "val_loss", "lr"};
	struct job job = house_job(h, id);
	struct sha256 hash;
	uint8_t digest[SHA256_BYTES];
	struct err err = {0};
	sha256_init(&hash);
	for (int i = 0; i < 2; i++) {
		struct buf file = BUF_INIT;
		if (export_weights(h->dir, &job, which[i], &file, NULL, &err))
			fail_msg("%s", err.message);
		sha256_update(&hash, file.data, file.len);
		buf_free(&file);
	}
	for (int i = 0; i < 3; i++)
		house_hash_series(h, id, series[i], &hash);
	sha256_digest(&hash, digest);
	sha256_hex(digest, text);
	job_free(&job);
}

/* How many events of that type there are whose data contain `text` (NULL: any). Checks that seq has no gap. */
static inline int house_events(struct house *h, const char *id, enum event_type type, const char *text)
{
	struct event *events;
	int n, found = 0;
	assert_int_equal(store_events(h->store, id, 0, 1000000, &events, &n, NULL), OK);
	for (int i = 0; i < n; i++) {
		assert_int_equal(events[i].seq, i + 1);
		found += events[i].type == type && (!text || strstr(events[i].data, text));
		free(events[i].data);
	}
	free(events);
	return found;
}

/* The curve has every step, and each epoch's end was told once, with the mean of its points. */
static inline void house_check_epochs(struct house *h, const char *id, int epochs, int steps)
{
	struct curve c;
	char text[80];
	assert_int_equal(store_curve(h->store, id, "train_loss", 0, &c, NULL), OK);
	assert_int_equal(c.n, epochs * steps);
	for (int epoch = 1; epoch <= epochs; epoch++) {
		double sum = 0;
		for (int i = 0; i < steps; i++)
			sum += c.value[(epoch - 1) * steps + i];
		snprintf(text, sizeof text, "\"epoch_end\":{\"epoch\":%d,\"epochs\":%d,\"train_loss\":%.9g,", epoch, epochs,
			sum / steps);
		assert_int_equal(house_events(h, id, EVENT_METRICS, text), 1);
	}
	curve_free(&c);
}

static inline bool house_has_file(struct house *h, const char *id, const char *name)
{
	char path[600];
	snprintf(path, sizeof path, "%s/jobs/%s/%s", h->dir, id, name);
	return access(path, R_OK) == 0;
}

#endif
