#include "core/nn/spectral.h"

#include <math.h>
#include <string.h>

enum { CHAINS = 8, FIRST_ITERATIONS = 15 };
static const double eps = 1e-12; /* torch's */

/* One layer's matrix and its vectors. */
struct matrix {
	size_t rows, cols;
	const real *w;
	real *u, *v;
};

static struct matrix matrix_of(const struct layer *l, const real *w, const real *buffers)
{
	return (struct matrix){l->u_count, l->v_count, w + l->weight, (real *)buffers + l->u, (real *)buffers + l->v};
}

/* CHAINS sums side by side, folded in order. */
static double dot(const real *a, const real *b, size_t n)
{
	double sum[CHAINS] = {0}, total = 0;
	size_t i = 0;
	for (; i + CHAINS <= n; i += CHAINS)
		for (size_t c = 0; c < CHAINS; c++)
			sum[c] += (double)a[i + c] * (double)b[i + c];
	for (size_t c = 0; i + c < n; c++)
		sum[c] += (double)a[i + c] * (double)b[i + c];
	for (size_t c = 0; c < CHAINS; c++)
		total += sum[c];
	return total;
}

static void normalise(real *x, size_t n)
{
	double norm = sqrt(dot(x, x, n));
	for (size_t i = 0; i < n; i++)
		x[i] = (real)((double)x[i] / (norm > eps ? norm : eps));
}

static void iterate(const struct matrix *m)
{
	memset(m->v, 0, m->cols * sizeof *m->v);
	for (size_t r = 0; r < m->rows; r++)
		for (size_t c = 0; c < m->cols; c++)
			m->v[c] += m->w[r * m->cols + c] * m->u[r];
	normalise(m->v, m->cols);
	for (size_t r = 0; r < m->rows; r++)
		m->u[r] = (real)dot(m->w + r * m->cols, m->v, m->cols);
	normalise(m->u, m->rows);
}

static double sigma_of(const struct matrix *m)
{
	double sigma = 0;
	for (size_t r = 0; r < m->rows; r++)
		sigma += (double)m->u[r] * dot(m->w + r * m->cols, m->v, m->cols);
	return sigma;
}

void spectral_init(const struct layer *l, const real *w, real *buffers, struct rng r)
{
	const struct matrix m = matrix_of(l, w, buffers);
	for (size_t i = 0; i < m.rows; i++) {
		float drawn[2]; /* one at a time: the block may be of doubles */
		rng_normal_from(drawn, i / 2 * 2, 2, r);
		m.u[i] = (real)drawn[i % 2];
	}
	normalise(m.u, m.rows);
	for (int i = 0; i < FIRST_ITERATIONS; i++)
		iterate(&m);
}

void spectral_iterate(const struct net *net, const real *w, real *buffers)
{
	for (int i = 0; i < net->n; i++)
		if (net->layer[i].spec.spectral_norm) {
			const struct matrix m = matrix_of(&net->layer[i], w, buffers);
			iterate(&m);
		}
}

void spectral_weights(const struct net *net, const real *w, const real *buffers, real *ret_w)
{
	memcpy(ret_w, w, net->params * sizeof *w);
	for (int i = 0; i < net->n; i++) {
		const struct layer *l = &net->layer[i];
		if (!l->spec.spectral_norm)
			continue;
		const struct matrix m = matrix_of(l, w, buffers);
		const real scale = (real)(1 / sigma_of(&m));
		for (size_t k = 0; k < l->weights; k++)
			ret_w[l->weight + k] *= scale;
	}
}

void spectral_grad(const struct net *net, const real *w, const real *buffers, real *dw)
{
	for (int i = 0; i < net->n; i++) {
		const struct layer *l = &net->layer[i];
		if (!l->spec.spectral_norm)
			continue;
		const struct matrix m = matrix_of(l, w, buffers);
		const double sigma = sigma_of(&m), along = dot(dw + l->weight, m.w, l->weights) / sigma;
		for (size_t r = 0; r < m.rows; r++) {
			real *row = dw + l->weight + r * m.cols;
			const double pull = along * (double)m.u[r];
			for (size_t c = 0; c < m.cols; c++)
				row[c] = (real)(((double)row[c] - pull * (double)m.v[c]) / sigma);
		}
	}
}
