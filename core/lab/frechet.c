#include "core/lab/frechet.h"

#include "core/lab/eigen.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SPAN = 250 };

/* --- sums ----------------------------------------------------------------------------------------------------------------- */

int moments_open(struct moments *ret, size_t d, struct err *err)
{
	double *memory = calloc(d + d * d, sizeof *memory);
	if (!memory)
		return err_set(err, ERR_NO_MEMORY, "no memory for a covariance of %zu features", d);
	*ret = (struct moments){.d = d, .sum = memory, .product = memory + d};
	return OK;
}

void moments_free(struct moments *m)
{
	free(m->sum);
	*m = (struct moments){0};
}

void moments_add(struct moments *to, const struct moments *more)
{
	to->n += more->n;
	for (size_t i = 0; i < to->d + to->d * to->d; i++)
		to->sum[i] += more->sum[i]; /* sums and products lie in one array */
}

struct spans {
	const float *rows;
	size_t n, d;
	double *sum; /* [spans][d + d d] */
};

static void add_row(double *sum, const float *row, size_t d)
{
	double *product = sum + d;
	for (size_t i = 0; i < d; i++, product += d) {
		const double x = (double)row[i];
		sum[i] += x;
		for (size_t j = i; j < d; j++)
			product[j] += x * (double)row[j];
	}
}

static void span_task(void *ctx, int task, int slot)
{
	const struct spans *s = ctx;
	const size_t from = (size_t)task * SPAN, end = from + SPAN < s->n ? from + SPAN : s->n;
	(void)slot;
	for (size_t i = from; i < end; i++)
		add_row(s->sum + (size_t)task * (s->d + s->d * s->d), s->rows + i * s->d, s->d);
}

int moments_of(struct moments *ret, const float *rows, size_t n, size_t d, struct pool *pool, struct err *err)
{
	const size_t tasks = (n + SPAN - 1) / SPAN, size = d + d * d;
	struct spans s = {.rows = rows, .n = n, .d = d, .sum = calloc(tasks * size + 1, sizeof *s.sum)};
	struct moments m;
	if (!s.sum)
		return err_set(err, ERR_NO_MEMORY, "no memory for a covariance of %zu features", d);
	int code = moments_open(&m, d, err);
	if (!code) {
		pool_run(pool, (int)tasks, span_task, &s);
		for (size_t i = 0; i < tasks; i++)
			moments_add(&m, &(struct moments){.d = d, .sum = s.sum + i * size});
		m.n = n;
		*ret = m;
	}
	free(s.sum);
	return code;
}

/* --- normal distributions ------------------------------------------------------------------------------------------------- */

static void mean_and_cov(const struct moments *m, double *mean, double *cov)
{
	const size_t d = m->d;
	const double n = (double)m->n;
	for (size_t i = 0; i < d; i++)
		mean[i] = m->sum[i] / n;
	for (size_t i = 0; i < d; i++)
		for (size_t j = i; j < d; j++)
			cov[i * d + j] = cov[j * d + i] = (m->product[i * d + j] - n * mean[i] * mean[j]) / (n - 1);
}

int normal_of(struct normal *ret, const struct moments *m, struct err *err)
{
	const size_t d = m->d;
	double *memory = calloc(d + 2 * d * d, sizeof *memory), *scratch = calloc(d * (2 * d + 1), sizeof *scratch);
	if (!memory || !scratch) {
		free(memory);
		free(scratch);
		return err_set(err, ERR_NO_MEMORY, "no memory for a covariance of %zu features", d);
	}
	*ret = (struct normal){.d = d, .mean = memory, .cov = memory + d, .root = memory + d + d * d};
	mean_and_cov(m, ret->mean, ret->cov);
	memcpy(scratch, ret->cov, d * d * sizeof *scratch);
	symmetric_root(scratch, d, ret->root, scratch + d * d);
	free(scratch);
	return OK;
}

void normal_free(struct normal *n)
{
	free(n->mean);
	*n = (struct normal){0};
}

/* c = a b, all [d][d]. */
static void multiply(double *c, const double *a, const double *b, size_t d)
{
	memset(c, 0, d * d * sizeof *c);
	for (size_t i = 0; i < d; i++)
		for (size_t k = 0; k < d; k++)
			for (size_t j = 0; j < d; j++)
				c[i * d + j] += a[i * d + k] * b[k * d + j];
}

/* Tr (R C R)^1/2: of a symmetric matrix, which rounding has left nearly so. */
static double trace_of_root(const struct normal *n, const double *cov, double *scratch)
{
	const size_t d = n->d;
	double *half = scratch, *whole = scratch + d * d, trace = 0;
	multiply(half, n->root, cov, d);
	multiply(whole, half, n->root, d);
	for (size_t i = 0; i < d; i++)
		for (size_t j = 0; j < i; j++)
			whole[i * d + j] = whole[j * d + i] = (whole[i * d + j] + whole[j * d + i]) / 2;
	symmetric_eigen(whole, d, half, NULL);
	for (size_t i = 0; i < d; i++)
		trace += half[i] < 0 ? 0 : sqrt(half[i]);
	return trace;
}

int frechet_distance(double *ret, const struct normal *n, const struct moments *m, struct err *err)
{
	const size_t d = n->d;
	double *mean = calloc(d + 3 * d * d, sizeof *mean), *cov = mean + d, distance = 0;
	if (!mean)
		return err_set(err, ERR_NO_MEMORY, "no memory for a covariance of %zu features", d);
	mean_and_cov(m, mean, cov);
	for (size_t i = 0; i < d; i++) {
		const double off = n->mean[i] - mean[i];
		distance += off * off + n->cov[i * d + i] + cov[i * d + i];
	}
	distance -= 2 * trace_of_root(n, cov, cov + d * d);
	*ret = distance < 0 ? 0 : distance; /* of rounding; NaN stays */
	free(mean);
	return OK;
}

double moments_spread(const struct moments *m, const struct normal *n)
{
	const double rows = (double)m->n;
	double sum = 0;
	for (size_t i = 0; i < m->d; i++) {
		double mean = m->sum[i] / rows, variance = (m->product[i * m->d + i] - rows * mean * mean) / (rows - 1);
		sum += n->cov[i * m->d + i] > 0 ? sqrt((variance < 0 ? 0 : variance) / n->cov[i * m->d + i]) : 1;
	}
	return sum / (double)m->d;
}
