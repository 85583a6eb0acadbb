/* affinity.h: how near points are to each other as probabilities: the P of t-SNE.
 *
 * p(j|i) is proportional to exp(-beta_i |x_i - x_j|^2) over the nearest neighbours of i, beta_i such that its entropy is
 * log(perplexity); P = (p(j|i) + p(i|j)) / 2 n. Source: van der Maaten 2014; beta by scikit-learn's search (from 1, doubled or
 * halved until bracketed, then bisected; ends within 1e-5 of the entropy, or after 100 steps).
 * Owner: affinity_close. Invariants: sums to 1; symmetric; no entry on the diagonal; the same for any number of threads.
 */
#ifndef LATENTD_CORE_LAB_AFFINITY_H
#define LATENTD_CORE_LAB_AFFINITY_H

#include "core/kern/kern.h"
#include "core/lab/halt.h"

#include <stddef.h>
#include <stdint.h>

/* Row i's entries are start[i] … start[i + 1] - 1, indices ascending. */
struct affinity {
	size_t n, *start; /* [n + 1] */
	uint32_t *index;
	double *p;
};

/* Neighbours that a perplexity asks for: 3 perplexity + 1, at most all others. */
int affinity_neighbours(size_t n, double perplexity);
/* p[k]: the share of each of k neighbours, from their squared distances; returns beta. */
double affinity_row(double *p, const double *square, int k, double perplexity);
/* x [n][d], n >= 2; 1 <= perplexity < n. ERR_UNAVAILABLE once halt, unless NULL, tells it to give up. */
int affinity_open(struct affinity *ret, const float *x, size_t n, int d, double perplexity, struct pool *pool,
	const struct kern *kern, const struct halt *halt, struct err *err);
void affinity_close(struct affinity *a);
/* Most that opening one takes. */
size_t affinity_bytes(size_t n, int d, double perplexity, int threads);

#endif
