/* gmm.h: a mixture of normal distributions over codes, fitted by expectation maximisation (Dempster et al. 1977).
 *
 * Why: the codes of an autoencoder follow no simple law; a point drawn from this one decodes into a picture far more often than
 * one from a box or a single bell (Ghosh et al. 2020: ex-post density estimation).
 * Semantics of scikit-learn's GaussianMixture: full covariances, `reg_covar` 1e-6 on their diagonals, until the mean log
 * likelihood gains less than `tol` 1e-3 or 100 iterations are over. The start is k-means++ and a few turns of k-means. How many
 * components is chosen by the Bayesian information criterion from GMM_SIZES, as far as there is a code for each parameter.
 * Invariants: worked out in double, in an order that the codes alone decide: same codes, same bits, whatever the threads.
 * Not here: where codes come from (codes.c), the other distributions (sample.h).
 */
#ifndef LATENTD_CORE_MODEL_GMM_H
#define LATENTD_CORE_MODEL_GMM_H

#include "core/base/err.h"
#include "core/base/pool.h"
#include "core/model/kmeans.h"
#include "core/model/state.h"

#define GMM_SIZES     \
	{                 \
		5, 10, 20, 50 \
	}
enum { GMM_COMPONENTS_MAX = KMEANS_CENTRES_MAX, GMM_ITERATIONS = 100 };

struct gmm {
	int components, latent_dim;
	double *weight;        /* [components], their sum is 1 */
	double *mean;          /* [components][latent_dim] */
	double *cov;           /* [components][latent_dim][latent_dim] */
	double *root;          /* [components][latent_dim][latent_dim]: lower triangular, root root^T = cov */
	double bic;            /* the lower, the better; of the codes it was fitted to */
	double log_likelihood; /* their mean, in nats */
	int64_t iterations;
	bool converged;
};

/* To codes [n][latent_dim], n >= 1. */
int gmm_fit(struct gmm *ret, const float *codes, size_t n, int latent_dim, struct pool *pool, struct err *err);
/* Goes on from weight, mean and cov as they are. */
int gmm_refine(struct gmm *g, const float *codes, size_t n, struct pool *pool, struct err *err);
/* An empty one, to be filled in. */
int gmm_alloc(struct gmm *ret, int components, int latent_dim, struct err *err);
void gmm_free(struct gmm *g);
/* z[count][latent_dim]; row i depends on (g, seed, i) only. */
void gmm_draw(float *z, size_t count, const struct gmm *g, uint64_t seed);
/* What is saved, as tensors gmm.*; and back. ERR_CORRUPT when a tensor is missing or misshapen. */
void gmm_state(struct gmm *g, struct state *s);
int gmm_load(struct gmm *ret, const struct state *saved, int latent_dim, struct err *err);

/* l l^T = cov [d][d], l lower triangular, for a covariance that may have lost rank: units without a variance of their own get 0. */
void cov_root(double *l, const double *cov, size_t d);

#endif
