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

/* --- the largest of many -------------------------------------------------------------------------------------------------- */

static double dot(const double *x, const double *y, size_t n)
{
	double sum[4] = {0};
	size_t i = 0;
	for (; i + 4 <= n; i += 4)
		for (size_t l = 0; l < 4; l++)
			sum[l] += x[i + l] * y[i + l];
	for (; i < n; i++)
		sum[0] += x[i] * y[i];
	return sum[0] + sum[1] + (sum[2] + sum[3]);
}

/* v[m] becomes u of the reflection H = I - beta u u' that turns v into (alpha, 0, …, 0); 0: there is nothing to turn. */
static double reflection(double *v, size_t m, double *ret_alpha)
{
	double rest = dot(v + 1, v + 1, m - 1), norm = sqrt(v[0] * v[0] + rest);
	*ret_alpha = v[0];
	if (!(rest > 0) || !(norm > 0))
		return 0;
	*ret_alpha = v[0] > 0 ? -norm : norm;
	v[0] -= *ret_alpha;
	return 2 / (v[0] * v[0] + rest);
}

/* a := H a H with H = I - beta u u', a [m][m] in rows of n; w: [m] to work in. */
static void reflect_both(double *a, size_t n, size_t m, const double *u, double beta, double *w)
{
	for (size_t i = 0; i < m; i++)
		w[i] = beta * dot(a + i * n, u, m);
	double half = beta / 2 * dot(u, w, m);
	for (size_t i = 0; i < m; i++)
		w[i] -= half * u[i];
	for (size_t i = 0; i < m; i++) {
		double *row = a + i * n, ui = u[i], wi = w[i];
		for (size_t j = 0; j < m; j++)
			row[j] -= ui * w[j] + wi * u[j];
	}
}

/* Row k of a keeps, right of its diagonal, u of the reflection k, and beta[k] its factor. */
static void tridiagonal(double *a, size_t n, double *diagonal, double *beside, double *beta, double *w)
{
	for (size_t k = 0; k + 1 < n; k++) {
		double *u = a + k * n + k + 1;
		size_t m = n - k - 1;
		diagonal[k] = a[k * n + k];
		beta[k] = reflection(u, m, &beside[k]);
		if (beta[k] > 0)
			reflect_both(a + (k + 1) * n + k + 1, n, m, u, beta[k], w);
	}
	diagonal[n - 1] = a[n * n - 1];
	beside[n - 1] = 0;
}

/* One implicit step of QL with Wilkinson's shift on rows l … m of the tridiagonal matrix (EISPACK's tql2). Rows of z turn along. */
static void ql_step(double *d, double *e, size_t l, size_t m, double *z, size_t n)
{
	double g = (d[l + 1] - d[l]) / (2 * e[l]), r = sqrt(g * g + 1), s = 1, c = 1, p = 0;
	g = d[m] - d[l] + e[l] / (g + (g < 0 ? -r : r));
	for (size_t i = m; i-- > l;) {
		double f = s * e[i], b = c * e[i];
		e[i + 1] = r = sqrt(f * f + g * g);
		if (!(r > 0)) {
			d[i + 1] -= p;
			e[m] = 0;
			return;
		}
		s = f / r;
		c = g / r;
		g = d[i + 1] - p;
		r = (d[i] - g) * s + 2 * c * b;
		p = s * r;
		d[i + 1] = g + p;
		g = c * r - b;
		turn_rows(z + i * n, z + (i + 1) * n, n, (struct turn){c, s});
	}
	d[l] -= p;
	e[l] = g;
	e[m] = 0;
}

static size_t block_end(const double *d, const double *e, size_t l, size_t n)
{
	const double epsilon = 2.220446049250313e-16;
	size_t m = l;
	while (m + 1 < n && fabs(e[m]) > epsilon * (fabs(d[m]) + fabs(d[m + 1])))
		m++;
	return m;
}

/* Eigenvalues into d, eigenvectors of the tridiagonal matrix into the rows of z [n][n]. */
static void diagonalise(double *d, double *e, double *z, size_t n)
{
	enum { STEPS_MAX = 60 };
	memset(z, 0, n * n * sizeof *z);
	for (size_t i = 0; i < n; i++)
		z[i * n + i] = 1;
	for (size_t l = 0; l < n; l++) {
		size_t m;
		for (int steps = 0; steps < STEPS_MAX && (m = block_end(d, e, l, n)) != l; steps++)
			ql_step(d, e, l, m, z, n);
	}
}

/* A vector in terms of the tridiagonal matrix in those of the one that was: all reflections, the last one first. */
static void reflect_back(double *v, const double *a, const double *beta, size_t n)
{
	for (size_t k = n - 1; k-- > 0;) {
		const double *u = a + k * n + k + 1;
		double along = beta[k] * dot(u, v + k + 1, n - k - 1);
		for (size_t i = 0; along != 0 && i < n - k - 1; i++)
			v[k + 1 + i] -= along * u[i];
	}
}

static size_t largest_left(const double *d, const double *taken, size_t n)
{
	size_t best = n;
	for (size_t i = 0; i < n; i++)
		if (!(taken[i] > 0) && (best == n || d[i] > d[best]))
			best = i;
	return best;
}

void symmetric_eigen_top(double *a, size_t n, size_t k, double *ret_values, double *ret_vectors, double *scratch)
{
	double *z = scratch, *d = z + n * n, *beta = d + n, *w = beta + n, *e = ret_values;
	tridiagonal(a, n, d, e, beta, w);
	diagonalise(d, e, z, n);
	memset(w, 0, n * sizeof *w);
	for (size_t i = 0; i < n; i++) {
		size_t best = largest_left(d, w, n);
		w[best] = 1;
		ret_values[i] = d[best];
		if (i >= k)
			continue;
		memcpy(ret_vectors + i * n, z + best * n, n * sizeof *z);
		reflect_back(ret_vectors + i * n, a, beta, n);
	}
}
