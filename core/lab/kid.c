#include "core/lab/kid.h"

#include "core/base/rng.h"
#include "core/lab/cloud.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum { X, Y, CLOUDS };

/* What a thread works with: the rows of a subset twice, as blocks (times 1 / d) and as weights. */
struct desk {
	struct cloud left[CLOUDS], right[CLOUDS];
	uint32_t *order; /* [the larger number of rows] */
};

struct subsets {
	const struct kid_clouds *c;
	const struct kern *kern;
	struct desk *desk; /* [threads] */
	int threads;
	double mmd[KID_SUBSETS];
};

static void choose(struct desk *desk, const struct subsets *s, int which, int subset)
{
	const struct kid_clouds *c = s->c;
	const float *rows = which == X ? c->x : c->y;
	const size_t d = (size_t)c->d;
	rng_permutation(desk->order, (uint32_t)(which == X ? c->xs : c->ys),
		(struct rng){.stream = RNG_JUDGE, .step = 1 + (uint64_t)(which * KID_SUBSETS + subset)});
	for (size_t i = 0; i < c->rows; i++)
		for (size_t j = 0; j < d; j++) {
			real x = (real)rows[desk->order[i] * d + j];
			desk->left[which].row[i * d + j] = x / (real)d;
			desk->right[which].row[i * d + j] = x;
		}
}

/* 0, whose kernel is 0, where a row meets itself and in lanes that are not in use. */
static void leave_out(real *product, size_t first, int lanes, size_t from, int n, bool same)
{
	for (int l = 0; l < LANES; l++) {
		const size_t self = first + (size_t)l - from; /* wraps to something large where it is before the tile */
		if (same && self < (size_t)n)
			product[self * LANES + (size_t)l] = 0;
		for (int r = 0; l >= lanes && r < n; r++)
			product[r * LANES + l] = 0;
	}
}

static void add_cubes(double *sum, const real *product, int n)
{
	for (int r = 0; r < n; r++)
		for (int l = 0; l < LANES; l++) {
			const real v = product[r * LANES + l];
			sum[l] += (double)(v * v * v);
		}
}

/* Sum of k over all pairs of two clouds, or of one with itself. */
static double sum_kernel(const struct cloud *left, const struct cloud *right, bool same, const struct kern *kern)
{
	real block[FEATURES_MAX * LANES], product[CLOUD_TILE * LANES];
	double sum[LANES] = {0}, total = 0;
	for (size_t i = 0; i < left->n; i += LANES) {
		const int lanes = cloud_block(left, i, block);
		for (size_t from = 0; from < right->n; from += CLOUD_TILE) {
			const int n = cloud_products(right, from, block, kern, product);
			leave_out(product, i, lanes, from, n, same);
			add_cubes(sum, product, n);
		}
	}
	for (int l = 0; l < LANES; l++)
		total += sum[l];
	return total;
}

static void subset_task(void *ctx, int task, int slot)
{
	struct subsets *s = ctx;
	struct desk *desk = &s->desk[slot];
	const double n = (double)s->c->rows;
	double within = 0;
	for (int which = 0; which < CLOUDS; which++) {
		choose(desk, s, which, task);
		within += sum_kernel(&desk->left[which], &desk->right[which], true, s->kern);
	}
	s->mmd[task] = within / (n * (n - 1)) - 2 * sum_kernel(&desk->left[X], &desk->right[Y], false, s->kern) / (n * n);
}

static void close_desks(struct subsets *s)
{
	for (int t = 0; s->desk && t < s->threads; t++) {
		for (int which = 0; which < CLOUDS; which++) {
			cloud_close(&s->desk[t].left[which]);
			cloud_close(&s->desk[t].right[which]);
		}
		free(s->desk[t].order);
	}
	free(s->desk);
}

static int open_desk(struct desk *desk, const struct kid_clouds *c, struct err *err)
{
	int code = OK;
	for (int which = 0; which < CLOUDS && !code; which++)
		if (!(code = cloud_open(&desk->left[which], c->rows, c->d, err)))
			code = cloud_open(&desk->right[which], c->rows, c->d, err);
	if (code)
		return code;
	for (int which = 0; which < CLOUDS; which++)
		for (size_t i = 0; i < c->rows; i++)
			desk->right[which].offset[i] = 1;
	desk->order = calloc(c->xs > c->ys ? c->xs : c->ys, sizeof *desk->order);
	return desk->order ? OK : err_set(err, ERR_NO_MEMORY, "no memory to draw subsets");
}

static void summarise(struct kid *ret, const double *mmd, int n)
{
	double mean = 0, square = 0;
	for (int i = 0; i < n; i++)
		mean += mmd[i] / n;
	for (int i = 0; i < n; i++)
		square += (mmd[i] - mean) * (mmd[i] - mean);
	*ret = (struct kid){.mean = mean, .sd = sqrt(square / n)};
}

int kid(struct kid *ret, const struct kid_clouds *c, struct pool *pool, const struct kern *kern, struct err *err)
{
	struct subsets s = {.c = c, .kern = kern, .threads = pool_threads(pool)};
	if (c->rows < 2 || c->rows > c->xs || c->rows > c->ys || c->subsets < 1 || c->subsets > KID_SUBSETS)
		return err_set(err, ERR_INVALID, "subsets of %zu rows cannot be drawn from %zu and %zu", c->rows, c->xs, c->ys);
	s.desk = calloc((size_t)s.threads, sizeof *s.desk);
	int code = s.desk ? OK : err_set(err, ERR_NO_MEMORY, "no memory to draw subsets");
	for (int t = 0; t < s.threads && !code; t++)
		code = open_desk(&s.desk[t], c, err);
	if (!code) {
		pool_run(pool, c->subsets, subset_task, &s);
		summarise(ret, s.mmd, c->subsets);
	}
	close_desks(&s);
	return code;
}
