#include "core/lab/truncnorm.h"

#include "core/base/normal.h"

#include <math.h>

/* Below it Phi is no normal number. */
#define TAIL (-37.0)

static const double log_sqrt_2pi = 0.91893853320467274178;

/* Nothing cancels: either two positive numbers are added, or the tails are subtracted from each other. */
double normal_mass(double a, double b)
{
	if (a > 0)
		return 0.5 * (erfc(a * M_SQRT1_2) - erfc(b * M_SQRT1_2));
	if (b > 0)
		return 0.5 * (erf(b * M_SQRT1_2) + erf(-a * M_SQRT1_2));
	return 0.5 * (erfc(-b * M_SQRT1_2) - erfc(-a * M_SQRT1_2));
}

double normal_log_mass(double a, double b)
{
	if (a > 0)
		return normal_log_mass(-b, -a);
	if (b > 0)
		return log(normal_mass(a, b));
	const double log_b = normal_log_cdf(b);
	return log_b + log1p(-exp(normal_log_cdf(a) - log_b));
}

double truncnorm_log_pdf(double x, double a, double b)
{
	return x < a || x > b ? -INFINITY : -0.5 * x * x - log_sqrt_2pi - normal_log_mass(a, b);
}

/* x <= TAIL with log Phi(x) = y, by Newton's steps: log Phi is concave, and its slope there nearly -x. */
static double tail_quantile(double y)
{
	double x = -sqrt(-2 * y);
	for (int i = 0; i < 50; i++) {
		const double log_cdf = normal_log_cdf(x);
		const double step = (log_cdf - y) / exp(-0.5 * x * x - log_sqrt_2pi - log_cdf);
		x -= step;
		if (!(fabs(step) > 1e-15 * fabs(x)))
			break;
	}
	return x;
}

double truncnorm_quantile(double q, double a, double b)
{
	double x;
	if (a > 0)
		return -truncnorm_quantile(1 - q, -b, -a);
	if (b <= TAIL) {
		const double log_a = normal_log_cdf(a), more = log(q) + normal_log_mass(a, b);
		const double most = fmax(log_a, more);
		x = tail_quantile(most + log1p(exp(fmin(log_a, more) - most)));
	} else {
		/* from the side where the tail is the smaller one */
		const double below = normal_cdf(a), above = b > 0 ? normal_cdf(-b) : 0;
		const double mass = b > 0 ? 1 - below - above : normal_cdf(b) - below, p = below + q * mass;
		x = p < 0.5 ? normal_quantile(p) : -normal_quantile(above + (1 - q) * mass);
	}
	return fmin(fmax(x, a), b);
}
