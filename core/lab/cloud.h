/* cloud.h: rows of features as the kernels take them, and inner products of all of one cloud with all of another.
 *
 * Why: nearest neighbours and kernel distances are a product of two large matrices, which a dense layer is, too: sixteen rows of
 * one cloud are a block, the other cloud's are the weights.
 * Owner: cloud_close.
 * Invariants: each inner product is one chain of additions over the features in order (core/kern/kern.h).
 */
#ifndef LATENTD_CORE_LAB_CLOUD_H
#define LATENTD_CORE_LAB_CLOUD_H

#include "core/base/err.h"
#include "core/kern/kern.h"

#include <stddef.h>

enum { FEATURES_MAX = 512, CLOUD_TILE = 256 };

struct cloud {
	size_t n;
	int d;
	real *row;    /* [n][d] */
	real *offset; /* [n]: what its inner products begin with */
};

/* n rows of zeros, d at most FEATURES_MAX. */
int cloud_open(struct cloud *ret, size_t n, int d, struct err *err);
void cloud_close(struct cloud *c);
/* Up to LANES rows from `from` on, as a block [d][LANES], 0 beyond the last; returns how many. */
int cloud_block(const struct cloud *c, size_t from, real *ret_block);
/* Up to CLOUD_TILE rows of c from `from` on: product[i][lane] = offset[from + i] + <block's lane, row from + i>; returns how many. */
int cloud_products(const struct cloud *c, size_t from, const real *block, const struct kern *k, real *ret_product);

#endif
