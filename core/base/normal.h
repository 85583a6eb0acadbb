/* normal.h: the standard normal distribution.
 *
 * Sources: the C library's erfc; Wichura 1988, algorithm AS 241 (PPND16), for the quantile, to 1e-15.
 * Not here: truncated ones (core/lab/truncnorm.h), draws (core/base/rng.h).
 */
#ifndef LATENTD_CORE_BASE_NORMAL_H
#define LATENTD_CORE_BASE_NORMAL_H

/* Phi(x) */
double normal_cdf(double x);
/* log Phi(x), also where Phi is no number any more. */
double normal_log_cdf(double x);
/* x with Phi(x) = p; 0 and 1: the infinities; outside: NaN. Exact also for p next to 0; for p next to 1 take -normal_quantile(1 - p). */
double normal_quantile(double p);

#endif
