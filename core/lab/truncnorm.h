/* truncnorm.h: the standard normal distribution cut to an interval [a, b], a < b; loc and scale are the caller's.
 *
 * Source: as scipy.stats.truncnorm, but for the direct sums where nothing underflows.
 */
#ifndef LATENTD_CORE_LAB_TRUNCNORM_H
#define LATENTD_CORE_LAB_TRUNCNORM_H

/* Phi(b) - Phi(a), and its logarithm also where that is no number any more. */
double normal_mass(double a, double b);
double normal_log_mass(double a, double b);
/* log density at x; -infinity outside [a, b]. */
double truncnorm_log_pdf(double x, double a, double b);
/* The quantile q of [0, 1], within [a, b]. */
double truncnorm_quantile(double q, double a, double b);

#endif
