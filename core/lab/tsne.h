/* tsne.h: t-SNE: points of many dimensions as a map of two that keeps neighbours together.
 *
 * What is made least is KL(P || Q): P of affinity.h, q_ij = k_ij / Z, k_ij = 1 / (1 + |y_i - y_j|^2), Z = sum over i != j of k_ij.
 * Attraction sums over P's entries. Repulsion is that of a tree of blocks (quadtree.h), to second order in each mass; with theta 0 of all
 * pairs. Its defaults are openTSNE's: the gradient is a quarter of KL's, sum_j (p_ij - q_ij) k_ij (y_i - y_j); steps of
 * momentum 0.8, with a gain for each coordinate (+ 0.2 while its steps go down the gradient, else x 0.8, at least 0.01), no longer
 * than 5; first with P times `early_exaggeration` at n / early_exaggeration, then at n. It begins with the first two principal
 * components, scaled to a standard deviation of 1e-4, and 1 % of that as noise, which parts points that are equal.
 * Sources: van der Maaten 2014; Kobak and Berens 2019; Belkina et al. 2019; Polichar et al. (openTSNE).
 * Owner: tsne_close. Invariants: an iteration is a function of the state: the same bits for any number of threads, and between AVX2 and
 * AVX-512, go it on from a saved one or not.
 * Not here: whether a map is good (quality.h), jobs.
 */
#ifndef LATENTD_CORE_LAB_TSNE_H
#define LATENTD_CORE_LAB_TSNE_H

#include "core/base/pool.h"
#include "core/kern/kern.h"
#include "core/model/state.h"

#include <stddef.h>
#include <stdint.h>

enum { TSNE_POINTS_MIN = 4, TSNE_EARLY_MAX = 250 };

struct tsne_options {
	double perplexity;         /* at least 1, below the number of points */
	int64_t iterations;        /* of a whole run: a third of them, at most TSNE_EARLY_MAX, are early ones */
	double learning_rate;      /* 0: as above; else of all iterations */
	double early_exaggeration; /* at least 1 */
	double theta;              /* 0: all pairs */
	uint64_t seed;
	const double *init; /* [n][2]: where to begin instead; NULL: principal components */
	const struct halt *halt; /* until it is open; NULL: to the end */
};

/* perplexity 30, 750 iterations, exaggeration 12, theta 0.5, seed 0. */
extern const struct tsne_options tsne_defaults;

struct tsne;

/* x [n][d], n >= TSNE_POINTS_MIN; not used afterwards. */
int tsne_open(struct tsne **ret, const float *x, size_t n, int d, const struct tsne_options *options, struct pool *pool,
	const struct kern *kern, struct err *err);
void tsne_close(struct tsne *t);
/* Most that a run takes, its opening included. */
size_t tsne_bytes(size_t n, int d, const struct tsne_options *options, int threads);

/* One iteration; ret_kl: of the map before it, P not exaggerated. ERR_DIVERGED: it is no number. */
int tsne_step(struct tsne *t, double *ret_kl, struct err *err);
/* Steps taken. */
int64_t tsne_iteration(const struct tsne *t);
/* [n][2], centred; valid until the next step. */
const double *tsne_map(const struct tsne *t);
/* KL of the map as it is, and, unless NULL, what the next step would follow: [n][2], without exaggeration. */
double tsne_gradient(struct tsne *t, double *ret_gradient);

/* Tensors that a run goes on from: map, update, gains, iteration; they point into t. */
void tsne_state(struct tsne *t, struct state *s);
int tsne_restore(struct tsne *t, const struct state *saved, struct err *err);

#endif
