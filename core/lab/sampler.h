/* sampler.h: what a study tries next: at random, by a Tree-structured Parzen Estimator, or the grid in order.
 *
 * Why: a pure function of the space, the options (with the study's seed), the trials before and the number of the new one: whoever
 * asks again after a crash, gets the same point.
 * Invariants: no state, no clock; every draw is addressed by (seed, number, dimension, draw).
 * Not here: when a trial is due, what it is worth (server).
 */
#ifndef LATENTD_CORE_LAB_SAMPLER_H
#define LATENTD_CORE_LAB_SAMPLER_H

#include "core/lab/space.h"

enum sampler { SAMPLER_TPE, SAMPLER_RANDOM, SAMPLER_GRID, SAMPLER_COUNT };
extern const char *const sampler_names[SAMPLER_COUNT + 1]; /* as Optuna calls them; ends with NULL */

struct sampler_options {
	enum sampler sampler;
	bool multivariate;  /* TPE: dimensions that all trials had are drawn together */
	bool group;         /* multivariate: so are others that the same trials had */
	bool constant_liar; /* TPE: trials that run are taken for bad ones */
	int n_startup;      /* finished trials before which TPE draws at random */
	int candidates;     /* of which TPE keeps the best: 1 … SAMPLER_CANDIDATES_MAX */
	uint64_t seed;
};
enum { SAMPLER_CANDIDATES_MAX = 1000 };
#define SAMPLER_DEFAULTS ((struct sampler_options){.n_startup = 10, .candidates = 24})

/* The point that trial `number` is to try, given n others in the order of their numbers; ret_x [space.n].
 * TPE and random may repeat a point, as Optuna's do. The grid gives the first combination that no trial of the history has (whatever
 * became of it), and ERR_NOT_FOUND when none is left. */
int sampler_suggest(const struct space *s, const struct sampler_options *o, const struct trial_record *history, int n,
	int64_t number, double *ret_x, struct err *err);

#endif
