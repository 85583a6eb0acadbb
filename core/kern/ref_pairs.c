/* References for pairs of points. */
#include "core/kern/ref.h"

#include <math.h>

void ref_distances(real *square, const real *rows, int n, const real *block, int d)
{
	for (int r = 0; r < n; r++)
		for (int l = 0; l < LANES; l++) {
			double sum = 0;
			for (int i = 0; i < d; i++) {
				double off = (double)rows[(size_t)r * (size_t)d + (size_t)i] - (double)block[i * LANES + l];
				sum += off * off;
			}
			square[r * LANES + l] = (real)sum;
		}
}

struct sums {
	double z, x, y;
};

/* Second derivatives of 1 / (1 + d^2) and of d / (1 + d^2)^2, weighed with the moments: kern.h's series written out otherwise. */
static void add_mass(struct sums *s, double x, double y, const struct mass *m)
{
	double dx = x - (double)m->x, dy = y - (double)m->y, q = 1 / (1 + dx * dx + dy * dy), n = (double)m->n;
	double xx = (double)m->xx / 4, xy = (double)m->xy / 4, yy = (double)m->yy / 4, trace = (double)m->trace;
	double shape = dx * dx * xx + 2 * dx * dy * xy + dy * dy * yy;
	s->z += n * q - trace * pow(q, 2) + 4 * shape * pow(q, 3);
	double along = n * pow(q, 2) - 2 * trace * pow(q, 3) + 12 * shape * pow(q, 4);
	s->x += along * dx - 4 * pow(q, 3) * (xx * dx + xy * dy);
	s->y += along * dy - 4 * pow(q, 3) * (xy * dx + yy * dy);
}

void ref_repel(struct forces *ret, const real *block, const struct mass *masses, const uint32_t *far, int nfar,
	const real *blocks, const uint32_t *near, int nnear)
{
	for (int lane = 0; lane < LANES; lane++) {
		double x = (double)block[lane], y = (double)block[LANES + lane];
		struct sums s = {0};
		for (int i = 0; i < nfar; i++)
			add_mass(&s, x, y, &masses[far[i]]);
		for (int i = 0; i < nnear * LANES; i++) {
			const real *other = blocks + (size_t)near[i / LANES] * 2 * LANES + i % LANES;
			add_mass(&s, x, y, &(struct mass){.x = other[0], .y = other[LANES], .n = 1});
		}
		ret->z[lane] = (real)s.z;
		ret->x[lane] = (real)s.x;
		ret->y[lane] = (real)s.y;
	}
}

void ref_attract(real ret[3], const real *map, const real at[2], const uint32_t *index, const real *p, int n)
{
	double x = 0, y = 0, logs = 0;
	for (int e = 0; e < n; e++) {
		double dx = (double)at[0] - (double)map[2 * (size_t)index[e]];
		double dy = (double)at[1] - (double)map[2 * (size_t)index[e] + 1];
		double u = 1 + dx * dx + dy * dy;
		x += (double)p[e] * dx / u;
		y += (double)p[e] * dy / u;
		logs += (double)p[e] * log(u);
	}
	ret[0] = (real)x;
	ret[1] = (real)y;
	ret[2] = (real)logs;
}
