#include "core/lab/eigen.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { SWEEPS_MAX = 40 };

struct turn {
	double c, s;
};

/* The rotation that makes element (p, q) zero. */
static struct turn turn_of(double app, double aqq, double apq)
{
	double theta = (aqq - app) / (2 * apq);
	double t = 1 / (fabs(theta) + sqrt(theta * theta + 1));
	if (theta < 0)
		t = -t;
	double c = 1 / sqrt(t * t + 1);
	return (struct turn){c, t * c};
}

static void turn_rows(double *x, double *y, size_t n, struct turn r)
{
	for (size_t i = 0; i < n; i++) {
		double xi = x[i], yi = y[i];
		x[i] = r.c * xi - r.s * yi;
		y[i] = r.s * xi + r.c * yi;
	}
}

static void turn_columns(double *a, size_t n, size_t p, size_t q, struct turn r)
{
	for (size_t i = 0; i < n; i++) {
		double *row = a + i * n, x = row[p], y = row[q];
		row[p] = r.c * x - r.s * y;
		row[q] = r.s * x + r.c * y;
	}
}

/* True if there was an element large enough, beside the diagonal, to turn away. */
static bool sweep(double *a, size_t n, double *vectors)
{
	bool turned = false;
	for (size_t p = 0; p + 1 < n; p++)
		for (size_t q = p + 1; q < n; q++) {
			double apq = a[p * n + q], app = a[p * n + p], aqq = a[q * n + q];
			if (!(fabs(apq) > 1e-17 * sqrt(fabs(app * aqq))) || fabs(apq) < 1e-300)
				continue;
			struct turn r = turn_of(app, aqq, apq);
			turn_rows(a + p * n, a + q * n, n, r);
			turn_columns(a, n, p, q, r);
			a[p * n + q] = a[q * n + p] = 0;
			if (vectors)
				turn_rows(vectors + p * n, vectors + q * n, n, r);
			turned = true;
		}
	return turned;
}

void symmetric_eigen(double *a, size_t n, double *ret_values, double *ret_vectors)
{
	if (ret_vectors)
		memset(ret_vectors, 0, n * n * sizeof *ret_vectors);
	for (size_t i = 0; ret_vectors && i < n; i++)
		ret_vectors[i * n + i] = 1;
	for (int i = 0; i < SWEEPS_MAX && sweep(a, n, ret_vectors); i++)
		;
	for (size_t i = 0; i < n; i++)
		ret_values[i] = a[i * n + i];
}

void symmetric_root(double *a, size_t n, double *ret_root, double *scratch)
{
	double *vectors = scratch, *values = scratch + n * n;
	symmetric_eigen(a, n, values, vectors);
	memset(ret_root, 0, n * n * sizeof *ret_root);
	for (size_t k = 0; k < n; k++) {
		const double *v = vectors + k * n;
		double root = values[k] < 0 ? 0 : sqrt(values[k]); /* NaN stays */
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j < n; j++)
				ret_root[i * n + j] += root * v[i] * v[j];
	}
}
