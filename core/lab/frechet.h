/* frechet.h: how far two clouds of features lie apart, as normal distributions.
 *
 *   d = |m1 - m2|^2 + Tr(C1 + C2 - 2 (C1^1/2 C2 C1^1/2)^1/2)
 *
 * m, C: means and unbiased covariances. Source: Heusel et al. 2017 (with another net's features).
 * Owner: moments_free, normal_free.
 * Invariants: rows are summed in spans of a fixed length, on the pool, and the spans in order: the same bits for any number of
 * threads. Sums of disjoint rows add up.
 */
#ifndef LATENTD_CORE_LAB_FRECHET_H
#define LATENTD_CORE_LAB_FRECHET_H

#include "core/base/err.h"
#include "core/base/pool.h"

#include <stddef.h>

/* Sums over rows of d values, and over products of two of them. */
struct moments {
	size_t n, d;
	double *sum;     /* [d] */
	double *product; /* [d][d], upper triangle */
};
/* Of n rows [n][d]. */
int moments_of(struct moments *ret, const float *rows, size_t n, size_t d, struct pool *pool, struct err *err);
/* All 0, to add to. */
int moments_open(struct moments *ret, size_t d, struct err *err);
void moments_add(struct moments *to, const struct moments *more);
void moments_free(struct moments *m);

/* What they are compared with. */
struct normal {
	size_t d;
	double *mean; /* [d] */
	double *cov;  /* [d][d] */
	double *root; /* [d][d]: of cov */
};
int normal_of(struct normal *ret, const struct moments *m, struct err *err);
void normal_free(struct normal *n);

int frechet_distance(double *ret, const struct normal *n, const struct moments *m, struct err *err);
/* Mean over the features of their standard deviation in shares of that in n. */
double moments_spread(const struct moments *m, const struct normal *n);

#endif
