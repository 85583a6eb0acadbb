/* pca.h: principal components of points: the directions along which they vary most.
 *
 * Why ours: a map is part of what a job gives, so its bits may depend on nothing but the points; what is told of it (variance, signs)
 * is what scikit-learn 1.2 tells with a full SVD.
 * Source: the covariance's eigenvectors where there are more points than values, else those of the points' inner products. Signs as
 * its svd_flip: of the point that lies furthest along a component the coordinate is positive (the first of several).
 * Owner: pca_free.
 * Invariants: double throughout; sums over pixels are exact integers; work is cut by components and points, never by threads.
 */
#ifndef LATENTD_CORE_LAB_PCA_H
#define LATENTD_CORE_LAB_PCA_H

#include "core/lab/halt.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The smaller of points and values decides what is solved; more of both takes minutes. */
enum { PCA_SIDE_MAX = 4096 };

/* n points of d values each, in rows: of bytes, each standing for itself / 255, or of reals. */
struct points {
	size_t n, d;
	const uint8_t *bytes;  /* [n][d], or the rows that `index` says; NULL: real */
	const float *real;     /* likewise */
	const uint32_t *index; /* [n]; NULL: all from the first */
};
/* Value j of point i in double. */
double points_value(const struct points *x, size_t i, size_t j);

struct pca {
	size_t n, d, k;
	double *mean;      /* [d] */
	double *component; /* [k][d], unit vectors, by falling variance */
	double *variance;  /* [k]: explained_variance, by n - 1 */
	double *ratio;     /* [k]: explained_variance_ratio */
	double total;      /* variance of all values together */
};

/* 1 <= k <= min(n - 1, d). Along a component without variance nothing is known but that it is there: of fewer points than values it
 * is all zeros. ERR_INVALID beyond PCA_SIDE_MAX, ERR_NO_MEMORY; ERR_UNAVAILABLE once halt, unless NULL, tells it to give up. */
int pca_fit(struct pca *ret, const struct points *x, size_t k, struct pool *pool, const struct halt *halt, struct err *err);
void pca_free(struct pca *p);
/* y [n][k]: coordinates along the components; whiten: each divided by the deviation along it. */
void pca_transform(const struct pca *p, const struct points *x, bool whiten, struct pool *pool, double *y);
/* x [n][d]: the points that have these coordinates. */
void pca_inverse(const struct pca *p, bool whiten, const double *y, size_t n, struct pool *pool, double *x);
/* Bytes that fit needs beside the points. */
size_t pca_bytes(size_t n, size_t d, size_t k);

#endif
