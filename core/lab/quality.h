/* quality.h: how well a map keeps what is near near.
 *
 *   trustworthiness  1 - 2 / (n k (2 n - 3 k - 1)) sum over points i and their k nearest j in the map of max(0, r - k), where j is
 *                    the r-th nearest of i in the data: falls with strangers that the map puts side by side
 *   continuity       the same with map and data exchanged: falls with neighbours that it tears apart
 *   recall           share of a point's 10 nearest in the data that are among its 10 nearest in the map
 *   accuracy         share of points whose label most of the 10 nearest others in the map have (the least of equal ones)
 * Sources: Venna and Kaski 2001; scikit-learn's trustworthiness and KNeighborsClassifier.
 * Invariants: exact neighbours and ranks (knn.h), so the same for any level and number of threads. Above QUALITY_ALL points means
 * are taken over QUALITY_SAMPLE of them that seed draws, each still among all others: figures are estimates of the same ones.
 */
#ifndef LATENTD_CORE_LAB_QUALITY_H
#define LATENTD_CORE_LAB_QUALITY_H

#include "core/kern/kern.h"
#include "core/lab/halt.h"

#include <stddef.h>
#include <stdint.h>

enum { QUALITY_ALL = 20000, QUALITY_SAMPLE = 10000, QUALITY_K_MAX = 15, QUALITY_RECALL = 10, QUALITY_KS = 3 };
extern const int quality_k[QUALITY_KS]; /* 5, 12, 15 */

/* NaN: there are too few points (n must be above 2 k), or no labels. */
struct quality {
	double trustworthiness[QUALITY_KS], continuity[QUALITY_KS], recall, accuracy;
	size_t sampled; /* points that the means are over */
};

/* x [n][d], map [n][2], labels [n] or NULL. */
struct quality_of {
	const float *x;
	size_t n;
	int d;
	const double *map;
	const uint8_t *labels;
	uint64_t seed;
	const struct halt *halt; /* NULL: to the end */
};
/* ERR_UNAVAILABLE once it is told to give up. */
int quality_measure(
	struct quality *ret, const struct quality_of *of, struct pool *pool, const struct kern *kern, struct err *err);

#endif
