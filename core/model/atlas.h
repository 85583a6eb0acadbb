/* atlas.h: codes laid out so that a look at their images tells what the units of a code do: grids over two, traversals of each.
 *
 * Invariants: where codes are drawn from a normal distribution, units are laid out by it; else by what the training codes were
 * found to be (struct code_stats). A unit that is not laid out stays at its mean.
 * Not here: ways between codes (walk.h), images (server).
 */
#ifndef LATENTD_CORE_MODEL_ATLAS_H
#define LATENTD_CORE_MODEL_ATLAS_H

#include "core/model/train.h"

struct spread {
	int latent_dim;
	bool normal;                    /* codes are drawn from a standard normal distribution */
	const struct code_stats *stats; /* latent_dim 0: there are none, and the spread is normal */
};

/* Of a unit: its mean over the training codes (0 without), and its p-quantile. */
double spread_mean(const struct spread *s, int unit);
double spread_quantile(const struct spread *s, int unit, double p);
/* Its variance over the training codes (1 without). */
double spread_variance(const struct spread *s, int unit);
/* order[latent_dim]: the units, those with most variance first, equal ones as they come. */
void spread_order(const struct spread *s, int *order);

/* Values of a unit along a side of a grid: its quantiles at (i + 0.5) / n. */
void grid_values(double *ret, int n, const struct spread *s, int unit);
/* z[n][latent_dim] of one unit laid out, or z[n * n][latent_dim] of two (dims): the first grows to the right, the second upwards:
 * the first row has the greatest values of the second. */
void grid_codes(float *z, int n, const struct spread *s, const int *dims, int ndims);

/* How far a traversal goes: so many standard deviations from the mean to each side (of a normal spread: of the distribution that
 * codes are drawn from), or from quantile to quantile, evenly in probability. */
#define REACHES(X)    \
	X(REACH_SD, "sd") \
	X(REACH_QUANTILE, "quantile")
enum reach {
#define X(reach, name) reach,
	REACHES(X)
#undef X
		REACH_COUNT
};
/* -1 if there is none of that name. */
int reach_find(const char *name);
const char *reach_name(enum reach r);
static const double reach_sd = 3, reach_quantile = 0.01; /* to 1 - reach_quantile */
enum { TRAVERSE_STEPS_MAX = 64 };
/* Values of a unit, `steps` of them (2..TRAVERSE_STEPS_MAX), rising. */
void traverse_values(double *ret, int steps, const struct spread *s, int unit, enum reach reach);
/* z[units * steps][latent_dim], a unit after the other. */
void traverse_codes(float *z, int steps, const struct spread *s, const int *unit, int units, enum reach reach);

#endif
