#include "core/base/normal.h"

#include <math.h>

double normal_cdf(double x)
{
	return 0.5 * erfc(-x * M_SQRT1_2);
}

/* Of Phi(x) by its asymptotic series, to the last term that still shrinks it: x < -20. */
static double log_tail(double x)
{
	const double over = 1 / (x * x);
	double sum = 1, term = 1;
	for (int i = 1; i < 40; i++) {
		const double next = -term * over * (2 * i - 1);
		if (fabs(next) < 1e-17 * fabs(sum) || fabs(next) >= fabs(term))
			break;
		term = next;
		sum += term;
	}
	return -0.5 * x * x - log(-x) - 0.5 * log(2 * M_PI) + log(sum);
}

double normal_log_cdf(double x)
{
	if (x > 6)
		return -normal_cdf(-x);
	return x > -20 ? log(normal_cdf(x)) : log_tail(x);
}

enum { TERMS = 8 };

/* A quotient of two polynomials, the constants first. */
struct rational {
	double top[TERMS], bottom[TERMS];
};

static double rational(const struct rational *r, double x)
{
	double top = r->top[TERMS - 1], bottom = r->bottom[TERMS - 1];
	for (int i = TERMS - 2; i >= 0; i--) {
		top = top * x + r->top[i];
		bottom = bottom * x + r->bottom[i];
	}
	return top / bottom;
}

double normal_quantile(double p)
{
	static const struct rational middle = {
		{3.3871328727963666080e0, 1.3314166789178437745e+2, 1.9715909503065514427e+3, 1.3731693765509461125e+4,
			4.5921953931549871457e+4, 6.7265770927008700853e+4, 3.3430575583588128105e+4, 2.5090809287301226727e+3},
		{1, 4.2313330701600911252e+1, 6.8718700749205790830e+2, 5.3941960214247511077e+3, 2.1213794301586595867e+4,
			3.9307895800092710610e+4, 2.8729085735721942674e+4, 5.2264952788528545610e+3}};
	static const struct rational near = {
		{1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
			1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4},
		{1, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1, 1.48103976427480074590e-1,
			1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9}};
	static const struct rational far = {
		{6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
			2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7},
		{1, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2, 7.86869131145613259100e-4,
			1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15}};
	const double q = p - 0.5;
	if (!(p > 0 && p < 1))
		return p == 0 ? -INFINITY : p == 1 ? INFINITY : NAN;
	if (fabs(q) <= 0.425)
		return q * rational(&middle, 0.180625 - q * q);
	const double r = sqrt(-log(q < 0 ? p : 1 - p));
	const double x = r <= 5 ? rational(&near, r - 1.6) : rational(&far, r - 5);
	return q < 0 ? -x : x;
}
