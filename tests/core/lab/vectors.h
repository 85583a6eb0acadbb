/* vectors.h: golden vectors of tests/golden (by default those of judge.py), and the levels and pools that figures must not depend on. */
#ifndef LATENTD_TESTS_CORE_LAB_VECTORS_H
#define LATENTD_TESTS_CORE_LAB_VECTORS_H

#include "api/safetensors.h"
#include "core/base/cpu.h"
#include "core/base/pool.h"
#include "core/kern/kern.h"
#include "tests/core/golden_file.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct vectors {
	void *bytes;
	struct safetensors file;
};

static inline struct vectors vectors_open_file(const char *path)
{
	struct vectors v;
	struct err err = {0};
	size_t size;
	v.bytes = read_whole(path, &size);
	if (safetensors_read(&v.file, v.bytes, size, &err))
		fail_msg("%s", err.message);
	return v;
}

static inline struct vectors vectors_open(void)
{
	return vectors_open_file("tests/golden/judge.safetensors");
}

static inline void vectors_close(struct vectors *v)
{
	safetensors_free(&v->file);
	free(v->bytes);
}

static inline const struct tensor *vector(const struct vectors *v, const char *name)
{
	const struct tensor *t = state_find(&v->file.state, name);
	if (!t)
		fail_msg("no tensor %s", name);
	return t;
}

static inline const double *doubles(const struct vectors *v, const char *name)
{
	return vector(v, name)->data;
}

static inline void assert_near(double x, double y, double relative)
{
	if (!(fabs(x - y) <= relative * fabs(y)))
		fail_msg("%.12g is not within %g of %.12g", x, relative * fabs(y), y);
}

static inline const struct kern *best_kern(void)
{
	return kern_at(cpu_best());
}

#endif
