#include "core/lab/affinity.h"

#include "core/lab/knn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GRAIN = 64, STEPS = 100 };
static const double tolerance = 1e-5;

int affinity_neighbours(size_t n, double perplexity)
{
	const double wanted = floor(3 * perplexity + 1), most = (double)n - 1;
	return (int)(wanted < most ? wanted : most);
}

/* Shares at beta, and their entropy. The nearest counts as being at distance 0, which changes neither and cannot underflow. */
static double entropy_at(double *p, const double *square, int k, double beta)
{
	double sum = 0, far = 0;
	for (int j = 0; j < k; j++)
		sum += p[j] = exp(-beta * (square[j] - square[0]));
	for (int j = 0; j < k; j++) {
		p[j] /= sum;
		far += (square[j] - square[0]) * p[j];
	}
	return log(sum) + beta * far;
}

double affinity_row(double *p, const double *square, int k, double perplexity)
{
	double beta = 1, low = -INFINITY, high = INFINITY;
	for (int step = 0; step < STEPS; step++) {
		const double off = entropy_at(p, square, k, beta) - log(perplexity);
		if (fabs(off) <= tolerance)
			break;
		*(off > 0 ? &low : &high) = beta;
		beta = isinf(high) ? 2 * beta : isinf(low) ? beta / 2 : (low + high) / 2;
	}
	return beta;
}

/* --- rows of many ----------------------------------------------------------------------------------------------------------- */

struct rows {
	size_t n;
	int k;
	double perplexity;
	double *p, *square; /* [n][k] */
};

static void rows_task(void *ctx, int task, int slot)
{
	const struct rows *r = ctx;
	const size_t first = (size_t)task * GRAIN, end = first + GRAIN < r->n ? first + GRAIN : r->n, k = (size_t)r->k;
	(void)slot;
	for (size_t i = first; i < end; i++)
		affinity_row(r->p + i * k, r->square + i * k, r->k, r->perplexity);
}

/* Sparse rows; entries of a row lie from start[i] to start[i + 1]. */
static int sparse_open(struct affinity *ret, size_t n, size_t entries, struct err *err)
{
	struct affinity a = {.n = n, .start = calloc(n + 1, sizeof *a.start)};
	a.index = calloc(entries + 1, sizeof *a.index);
	a.p = calloc(entries + 1, sizeof *a.p);
	if (!a.start || !a.index || !a.p) {
		affinity_close(&a);
		return err_set(err, ERR_NO_MEMORY, "no memory for %zu affinities", entries);
	}
	*ret = a;
	return OK;
}

void affinity_close(struct affinity *a)
{
	free(a->start);
	free(a->index);
	free(a->p);
	*a = (struct affinity){0};
}

/* to, with as many entries, becomes the transpose of a; its rows are in order whatever those of a are. */
static void transpose(struct affinity *to, const struct affinity *a)
{
	const size_t entries = a->start[a->n];
	memset(to->start, 0, (a->n + 1) * sizeof *to->start);
	for (size_t e = 0; e < entries; e++)
		to->start[a->index[e] + 1]++;
	for (size_t i = 0; i < a->n; i++)
		to->start[i + 1] += to->start[i];
	for (size_t i = 0; i < a->n; i++)
		for (size_t e = a->start[i]; e < a->start[i + 1]; e++) {
			const size_t at = to->start[a->index[e]]++;
			to->index[at] = (uint32_t)i;
			to->p[at] = a->p[e];
		}
	memmove(to->start + 1, to->start, a->n * sizeof *to->start); /* they have moved on to the next row's */
	to->start[0] = 0;
}

/* The sum of row i of a and of b, whose entries are in order, from to->start[i] on. */
static void add_row(struct affinity *to, const struct affinity *a, const struct affinity *b, size_t i)
{
	size_t at = to->start[i], ea = a->start[i], eb = b->start[i];
	const size_t end_a = a->start[i + 1], end_b = b->start[i + 1];
	for (; ea < end_a || eb < end_b; at++) {
		const uint32_t ja = ea < end_a ? a->index[ea] : UINT32_MAX, jb = eb < end_b ? b->index[eb] : UINT32_MAX;
		to->index[at] = ja < jb ? ja : jb;
		to->p[at] = (ja <= jb ? a->p[ea] : 0) + (jb <= ja ? b->p[eb] : 0);
		ea += ja <= jb;
		eb += jb <= ja;
	}
	to->start[i + 1] = at;
}

/* ret = (a + a') / sum; a is used up. */
static int symmetrise(struct affinity *ret, struct affinity *a, struct err *err)
{
	const size_t entries = a->start[a->n];
	struct affinity turned = {0}, sum = {0};
	int code = sparse_open(&turned, a->n, entries, err);
	if (!code) {
		transpose(&turned, a);
		transpose(a, &turned);
		code = sparse_open(&sum, a->n, 2 * entries, err);
	}
	if (!code) {
		double total = 0;
		for (size_t i = 0; i < a->n; i++)
			add_row(&sum, a, &turned, i);
		for (size_t e = 0; e < sum.start[sum.n]; e++)
			total += sum.p[e];
		for (size_t e = 0; e < sum.start[sum.n]; e++)
			sum.p[e] /= total;
		*ret = sum;
	}
	affinity_close(&turned);
	return code;
}

int affinity_open(struct affinity *ret, const float *x, size_t n, int d, double perplexity, struct pool *pool,
	const struct kern *kern, const struct halt *halt, struct err *err)
{
	if (!(perplexity >= 1 && perplexity < (double)n))
		return err_field(err, ERR_INVALID, "#/params/perplexity",
			"must be at least 1 and below the number of points, %zu, got %g", n, perplexity);
	const int k = affinity_neighbours(n, perplexity);
	struct affinity a = {0};
	int code = sparse_open(&a, n, n * (size_t)k, err);
	double *square = calloc(n * (size_t)k, sizeof *square);
	if (!code && !square)
		code = err_set(err, ERR_NO_MEMORY, "no memory for the neighbours of %zu points", n);
	if (!code)
		code = knn_find(a.index, square, &(struct knn){.rows = x, .n = n, .d = d, .k = k, .halt = halt}, pool, kern, err);
	if (!code) {
		struct rows rows = {.n = n, .k = k, .perplexity = perplexity, .p = a.p, .square = square};
		pool_run(pool, (int)((n + GRAIN - 1) / GRAIN), rows_task, &rows);
		for (size_t i = 0; i <= n; i++)
			a.start[i] = i * (size_t)k;
	}
	free(square);
	if (!code)
		code = symmetrise(ret, &a, err);
	affinity_close(&a);
	return code;
}

size_t affinity_bytes(size_t n, int d, double perplexity, int threads)
{
	const int k = affinity_neighbours(n, perplexity);
	const size_t entries = n * (size_t)k, entry = sizeof(uint32_t) + sizeof(double),
				 starts = 3 * (n + 1) * sizeof(size_t);
	const size_t neighbours = entries * (entry + sizeof(double)) + knn_bytes(n, d, k, threads);
	const size_t sum = 4 * entries * entry;
	return starts + (neighbours > sum ? neighbours : sum);
}
