/* trial.h: kernels against the reference, for the tests of core/kern.
 *
 * Use: a try_fn draws a shape and inputs from its trial's seed, calls one kernel on guarded memory and records all that it
 * wrote. test_kernel runs it on many seeds and every level this processor has: within the bound of the double reference,
 * guards untouched, and AVX2 equal to AVX-512 bit for bit.
 */
#ifndef LATENTD_TESTS_CORE_KERN_TRIAL_H
#define LATENTD_TESTS_CORE_KERN_TRIAL_H

#include "core/kern/kern.h"

#include "core/base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { TRIALS = 60, GUARD = 64, ARRAYS_MAX = 12, OUT_MAX = 1 << 19 };

/* --- one trial: inputs drawn from its seed, guarded memory, what came out --- */

struct array {
	real *data;
	size_t n;
};

struct trial {
	uint64_t seed;
	uint32_t draws;
	struct array array[ARRAYS_MAX];
	int arrays;
	real *out; /* everything the kernel wrote, one after the other */
	size_t outs;
	double tolerance; /* per unit of magnitude 1 */
};

static inline int draw(struct trial *t, int low, int high)
{
	uint32_t words[4];
	rng_words(words, (struct rng){t->seed, RNG_NOISE, 1}, t->draws++);
	return low + (int)(words[0] % (uint32_t)(high - low + 1));
}

static const real guard_value = (real)-7.25e19;

static inline real *guarded(struct trial *t, size_t n)
{
	assert_true(t->arrays < ARRAYS_MAX);
	size_t all = (n + 2 * GUARD + 15) / 16 * 16;
	real *memory = aligned_alloc(64, all * sizeof *memory);
	assert_non_null(memory);
	for (size_t i = 0; i < all; i++)
		memory[i] = guard_value;
	t->array[t->arrays++] = (struct array){memory, n};
	return memory + GUARD;
}

/* n values in [-1, 1). */
static inline real *values(struct trial *t, size_t n)
{
	real *x = guarded(t, n);
	float *drawn = malloc((n + 1) * sizeof *drawn);
	rng_uniform(drawn, n, (struct rng){t->seed, RNG_NOISE, 2 + t->draws++}, -1, 1);
	for (size_t i = 0; i < n; i++)
		x[i] = drawn[i];
	free(drawn);
	return x;
}

/* A block with a zero halo. */
static inline real *block(struct trial *t, const struct map *m)
{
	real *x = values(t, map_reals(m));
	for (int c = 0; c < m->c; c++)
		for (int y = -m->halo; y < m->h + m->halo; y++)
			for (int col = -m->halo; col < m->w + m->halo; col++)
				if (y < 0 || y >= m->h || col < 0 || col >= m->w)
					memset(x + map_at(m, c, y, col), 0, LANES * sizeof *x);
	return x;
}

static inline void record(struct trial *t, const real *x, size_t n)
{
	assert_true(t->outs + n <= OUT_MAX);
	memcpy(t->out + t->outs, x, n * sizeof *x);
	t->outs += n;
}

static inline void close_trial(struct trial *t)
{
	for (int i = 0; i < t->arrays; i++) {
		const struct array *a = &t->array[i];
		for (size_t k = 0; k < GUARD; k++) {
			assert_true(a->data[k] == guard_value);
			assert_true(a->data[GUARD + a->n + k] == guard_value);
		}
		free(a->data);
	}
}

static inline struct map random_map(struct trial *t)
{
	return (struct map){draw(t, 1, 5), draw(t, 1, 7), draw(t, 1, 7), draw(t, 0, 2)};
}

/* --- comparing --- */

typedef void try_fn(const struct kern *k, struct trial *t);

static inline void run(try_fn *try, const struct kern *k, uint64_t seed, struct trial *t, real *out)
{
	*t = (struct trial){.seed = seed, .out = out, .tolerance = 0x1p-23 * 200};
	try(k, t);
	close_trial(t);
}

/* Of two outcomes, the first element that differs by more than rounding; -1: none. */
static inline long first_difference(const struct trial *want, const struct trial *got)
{
	for (size_t i = 0; i < want->outs; i++) {
		double a = (double)want->out[i], b = (double)got->out[i];
		if (!(fabs(a - b) <= want->tolerance * fmax(1, fabs(a))))
			return (long)i;
	}
	return -1;
}

static inline void compare(const struct trial *want, const struct trial *got, enum cpu_level level)
{
	assert_int_equal(want->outs, got->outs);
	long at = first_difference(want, got);
	if (at >= 0)
		fail_msg("seed %d, %s, element %ld of %zu: %.9g, not %.9g", (int)want->seed, cpu_name(level), at, want->outs,
			(double)got->out[at], (double)want->out[at]);
}

/* cmocka hands the kernel's try_fn over in *state. */
static inline void test_kernel(void **state)
{
	try_fn *try = *(try_fn **)*state;
	real *out[CPU_LEVEL_COUNT + 1];
	for (int i = 0; i <= CPU_LEVEL_COUNT; i++)
		out[i] = malloc(OUT_MAX * sizeof(real));
	for (uint64_t seed = 1; seed <= TRIALS; seed++) {
		struct trial want, got[CPU_LEVEL_COUNT] = {0};
		run(try, &kern_reference, seed, &want, out[CPU_LEVEL_COUNT]);
		for (int level = 0; level < CPU_LEVEL_COUNT; level++) {
			const struct kern *k = kern_at((enum cpu_level)level);
			if (!k)
				continue;
			assert_int_equal(k->level, level);
			run(try, k, seed, &got[level], out[level]);
			compare(&want, &got[level], (enum cpu_level)level);
		}
		if (got[CPU_AVX2].out && got[CPU_AVX512].out)
			assert_memory_equal(out[CPU_AVX2], out[CPU_AVX512], got[CPU_AVX2].outs * sizeof(real));
	}
	for (int i = 0; i <= CPU_LEVEL_COUNT; i++)
		free(out[i]);
}

#endif
