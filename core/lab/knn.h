/* knn.h: the nearest of many rows, exactly, by looking at all of them.
 *
 * Why no tree: all distances of 60,000 codes take about a second on two cores, and of images a tree would look at nearly all, too.
 * How: distances in float by the kernels (core/kern/kern.h); what these cannot rule out is measured again in double.
 * Invariants: the outcome is that of square_distance, whatever the level and the number of threads: float sums are off by less
 * than the margin that is left to them. Of rows equally far the one of the lower index is nearer.
 * Not here: what is made of neighbours (affinity.h, quality.h).
 */
#ifndef LATENTD_CORE_LAB_KNN_H
#define LATENTD_CORE_LAB_KNN_H

#include "core/kern/kern.h"
#include "core/lab/halt.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Rows of d features, d >= 1. queries NULL: the rows themselves, each without itself. self, for queries that are among the rows: which
 * one each is, to be left out. k is 1 to so many as there are to choose from. */
struct knn {
	const float *rows;
	size_t n;
	int d;
	const float *queries;
	size_t nqueries;
	const uint32_t *self;
	int k;
	const struct halt *halt; /* NULL: to the end */
};

/* ret_index and, unless NULL, ret_square (squared distances), [queries][k], nearest first. ERR_INVALID where a number is not
 * finite, or k is out of range; ERR_UNAVAILABLE once it is told to give up. */
int knn_find(uint32_t *ret_index, double *ret_square, const struct knn *in, struct pool *pool, const struct kern *kern,
	struct err *err);
/* Most that it takes meanwhile, beside what it is given. */
size_t knn_bytes(size_t n, int d, int k, int threads);
/* In double: eight sums side by side, folded at the end. */
double square_distance(const float *a, const float *b, int d);

/* Rows as the kernels take them, for whoever looks at all pairs. */
struct row_blocks {
	real *block; /* [n / LANES, rounded up][d][LANES]; 0 beyond the last row */
	size_t n, blocks;
	int d;
	double margin; /* a distance of the kernels' is off by less than this share of the true one */
};
int row_blocks_open(struct row_blocks *ret, const float *rows, size_t n, int d, struct err *err);
void row_blocks_close(struct row_blocks *b);

#endif
