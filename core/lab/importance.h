/* importance.h: how much each dimension has to do with being among the best: PED-ANOVA.
 *
 * Of the trials that had a dimension, the best tenth (at least two) and all make a density each, on at most 50 cells (a categorical
 * one: its choices), and
 *   importance = sum over cells of all (top / all - 1)^2,
 * normalised over the dimensions. Densities are Parzen estimators: a normal kernel around each cell with trials, cut to the range, of
 * width 1.059 min(iqr / 1.34, sd) n^-1/5 and at least 0.5 / 1.64 cells, and one of the range's width; for choices as in parzen.h.
 * Source: Watanabe, Bansal, Hutter 2023, as in Optuna 3.6, PedAnovaImportanceEvaluator.
 * Difference: a dimension that not all trials had is judged by those that had it; there it is left out.
 */
#ifndef LATENTD_CORE_LAB_IMPORTANCE_H
#define LATENTD_CORE_LAB_IMPORTANCE_H

#include "core/lab/space.h"

enum { IMPORTANCE_TRIALS_MIN = 3 };

/* ret [space.n], sum 1 (0 for a dimension with one value or of too few trials), of the complete trials. ERR_CONFLICT: there are not
 * enough of them. */
int importance_ped_anova(
	double *ret, const struct space *s, const struct trial_record *history, int n, struct err *err);

#endif
