/* nearest.h: which rows of many lie nearest to one: by codes or by the pixels of images.
 *
 * Why not knn.h: to find the neighbours of one, packing all rows for the kernels costs more than looking at them, and images need not
 * become floats.
 * Invariants: exact; distances in double, of codes by square_distance; of two equally near ones the first comes first: the same
 * answer for any threads.
 * Not here: the neighbours of many rows at once (knn.h).
 */
#ifndef LATENTD_CORE_LAB_NEAREST_H
#define LATENTD_CORE_LAB_NEAREST_H

#include "core/base/err.h"
#include "core/base/pool.h"

#include <stddef.h>
#include <stdint.h>

enum { NEAREST_MAX = 100 };

struct neighbour {
	size_t index;
	double distance; /* Euclidean */
};

/* Rows of codes, or else of images, whose bytes count as pixels in [0,1]. */
struct nearest_rows {
	const float *codes;    /* [n][d] */
	const uint8_t *images; /* [n][d], where codes is NULL */
	size_t n, d;
};
/* ret[k], the nearest first; k is 1..NEAREST_MAX and at most n. */
int nearest_find(struct neighbour *ret, int k, const struct nearest_rows *rows, const float *query, struct pool *pool,
	struct err *err);

#endif
