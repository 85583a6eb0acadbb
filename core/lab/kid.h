/* kid.h: the kernel distance: how unlike two clouds of features are, without taking them for normal distributions.
 *
 *   MMD^2 = mean over i != j of k(x_i, x_j) + mean over i != j of k(y_i, y_j) - 2 mean of k(x_i, y_j),  k(x, y) = (x.y / d + 1)^3
 *
 * unbiased, so around 0 for two clouds of one kind, below it now and then; over subsets drawn without replacement.
 * Source: Bińkowski et al. 2018.
 * Invariants: the subsets follow from the numbers of rows alone; the same bits for any number of threads.
 */
#ifndef LATENTD_CORE_LAB_KID_H
#define LATENTD_CORE_LAB_KID_H

#include "core/base/err.h"
#include "core/base/pool.h"
#include "core/kern/kern.h"

#include <stddef.h>

enum { KID_SUBSETS = 100, KID_SUBSET_ROWS = 1000 };

struct kid_clouds {
	const float *x, *y;
	size_t xs, ys; /* rows: at least 2 */
	int d;
	int subsets; /* at most KID_SUBSETS */
	size_t rows; /* of a subset, of either; at most xs and ys */
};
/* Mean and standard deviation over the subsets. */
struct kid {
	double mean, sd;
};
int kid(struct kid *ret, const struct kid_clouds *c, struct pool *pool, const struct kern *kern, struct err *err);

#endif
