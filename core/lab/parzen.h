/* parzen.h: a Parzen estimator: the density of points that trials had, a kernel around each, and the prior's over the whole range.
 *
 * Source: Optuna 3.1, samplers/_tpe (_ParzenEstimator), as TPESampler builds it: weights 1 for the newest 25 observations and a
 * ramp from 1 / n for older ones; prior weight 1; bandwidths from the neighbours (one dimension by itself) or by Scott's rule
 * (several: a kernel is a product over dimensions), kept within [width / min(100, 1 + kernels), width]; truncated normal kernels, of
 * the logarithm where a range is logarithmic; the mass of a cell where it has steps (of logarithmic integers: the density);
 * categorical kernels with 1 / (observations + 1) for each choice and 1 more for the observed one.
 * As there, the density of a kernel is that of (x - mu) / sigma: it is not divided by sigma.
 * Equal observations: in their order, where numpy's sort leaves that open.
 * Owner: parzen_close.
 * Invariants: densities are summed, not their logarithms: the prior keeps the sum from vanishing.
 */
#ifndef LATENTD_CORE_LAB_PARZEN_H
#define LATENTD_CORE_LAB_PARZEN_H

#include "core/lab/space.h"

/* Of one dimension, in the coordinates of its kernels: the value, its logarithm, or the number of the choice. */
struct parzen_dim {
	struct range range;
	double low, high; /* of the kernels: half a step beyond the range */
	bool cells;
	bool far; /* some kernels are far outside of the range */
	/* numbers: [kernels]; mass: of the normal distribution within low..high */
	double *mu, *sigma, *over_mass;
	double *over_sigma; /* of cells; else times the root of log2(e) / 2: its square is a power of 2 */
	double least_sigma;
	double *row;    /* of cells: [few][stride] masses of the kernels in each, those that are known, and one more row */
	int few;        /* 0: too many to be kept */
	uint64_t known; /* a bit for each of the few */
	double *log_scale; /* log2 of what the density is to be divided by: the mass times the root of 2 pi */
	double *share;     /* categorical: [choices][stride] */
};

struct parzen {
	int kernels; /* observations, then the prior */
	int stride;  /* kernels and one more where they are odd, without weight: rows are as long */
	int dims;
	double *weight, *cumulative; /* [kernels] */
	double *factor, *exponent;   /* [kernels]: the density at the point at hand is factor 2^exponent */
	struct parzen_dim dim[];
};

/* Of n observations x [n][dims] in ranges [dims]. joint: bandwidths by Scott's rule; else dims is 1. */
int parzen_open(
	struct parzen **ret, const struct range *range, int dims, const double *x, int n, bool joint, struct err *err);
void parzen_close(struct parzen *p);

/* A value of each dimension, from numbers in [0, 1): which kernel, and u [dims]. */
void parzen_draw(const struct parzen *p, double u_kernel, const double *u, double *ret_x);
/* log density at each of count points x [count][dims]. */
void parzen_log_pdf(struct parzen *p, const double *x, int count, double *ret);

#endif
