/* kmeans.h: codes in clusters: where a mixture of distributions begins (gmm.h).
 *
 * Source: k-means++ (Arthur & Vassilvitskii 2007) for the centres, then a few turns of Lloyd's k-means.
 * Invariants: the codes alone decide, by one fixed stream of draws; worked out in double, in order, on the calling thread.
 */
#ifndef LATENTD_CORE_MODEL_KMEANS_H
#define LATENTD_CORE_MODEL_KMEANS_H

#include "core/base/err.h"

#include <stddef.h>

enum { KMEANS_CENTRES_MAX = 50 };

/* codes [n][d], n >= 1: their clusters ret_label [n] and these clusters' centres [centres][d], centres <= KMEANS_CENTRES_MAX. */
int kmeans(int *ret_label, double *ret_centre, int centres, const float *codes, size_t n, size_t d, struct err *err);

#endif
