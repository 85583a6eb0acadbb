/* toy.h: a small data set: a run of eight epochs takes milliseconds, so that many fit into one test. */
#ifndef LATENTD_TESTS_SERVER_TOY_H
#define LATENTD_TESTS_SERVER_TOY_H

#include "api/edit.h"
#include "server/blob.h"
#include "tests/server/house.h"

#include <sys/stat.h>

/* What a sanitizer looks at is the same at any size, and takes it ten times as long. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { TOY_SIDE = 12 };
#else
enum { TOY_SIDE = 28 };
#endif

static inline void toy_put_u32(FILE *f, unsigned value)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		fputc((int)(value >> shift & 255), f);
}

static inline void toy_write_idx(const char *dir, const char *name, unsigned n, bool images, unsigned salt)
{
	char path[BLOB_PATH_MAX + 32];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	toy_put_u32(f, images ? 0x803 : 0x801);
	toy_put_u32(f, n);
	if (images) {
		toy_put_u32(f, TOY_SIDE);
		toy_put_u32(f, TOY_SIDE);
	}
	for (unsigned i = 0; i < n * (images ? TOY_SIDE * TOY_SIDE : 1); i++)
		fputc((int)(images ? (i * 7 + salt) % 251 : i % 10), f);
	fclose(f);
}

/* A folder of the house with n images to train on. */
static inline void toy_write_as(struct house *h, const char *name, unsigned n, unsigned salt)
{
	char dir[BLOB_PATH_MAX];
	snprintf(dir, sizeof dir, "%s/%s", h->dir, name);
	mkdir(dir, 0700);
	toy_write_idx(dir, "train-images-idx3-ubyte", n, true, salt);
	toy_write_idx(dir, "train-labels-idx1-ubyte", n, false, 0);
	toy_write_idx(dir, "t10k-images-idx3-ubyte", 64, true, 1);
	toy_write_idx(dir, "t10k-labels-idx1-ubyte", 64, false, 0);
}

static inline void toy_write(struct house *h, unsigned salt)
{
	toy_write_as(h, "toy", 256, salt);
}

/* As PATCH does. */
static inline void toy_edit(struct house *h, const char *id, const char *text)
{
	struct job job = house_job(h, id);
	struct json *json;
	struct edit e;
	struct err err = {0};
	if (json_parse(&json, text, strlen(text), &err) || edit_parse(&e, &job, json, &err, NULL))
		fail_msg("%s", err.message);
	const struct store_edit change = {
		.params_now = job.params, .params_then = e.merged, .params = e.params, .epochs = e.epochs};
	if (sched_edit(h->sched, id, &change, &err))
		fail_msg("%s", err.message);
	edit_free(&e);
	json_free(json);
	job_free(&job);
}

#endif
