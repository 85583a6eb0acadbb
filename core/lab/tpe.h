/* tpe.h: the Tree-structured Parzen Estimator: draw from the density l of the better trials what the density g of the others holds for
 * least likely.
 *
 * Source: Bergstra et al. 2011; Optuna 3.1, TPESampler, with its defaults: of n finished trials the min(ceil(n / 10), 25) best make l;
 * trials that were pruned come behind those that completed, the longer they went the better, and by value; those without a value
 * come last. Of `candidates` draws from l the one with the largest log l - log g is taken, the first of equals.
 * Differences: an infeasible trial joins g, but does not count as finished. A dimension whose bounds depend on another is drawn by
 * itself, given that one's value, also when multivariate. Draws are addressed, not taken from a generator.
 * Use: through sampler_suggest.
 */
#ifndef LATENTD_CORE_LAB_TPE_H
#define LATENTD_CORE_LAB_TPE_H

#include "core/lab/sampler.h"

int tpe_suggest(const struct space *s, const struct sampler_options *o, const struct trial_record *history, int n,
	int64_t number, double *ret_x, struct err *err);

/* Which density trial i of the history belongs to; of neither: failed ones, and running ones unless constant_liar. */
enum tpe_side { TPE_NEITHER, TPE_BELOW, TPE_ABOVE };
/* ret_side [n]; returns how many trials have finished. */
int tpe_split(enum tpe_side *ret_side, const struct trial_record *history, int n, bool constant_liar);

#endif
