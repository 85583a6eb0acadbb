#include "core/lab/knn.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GRAIN = 32, SUMS = 8 };

double square_distance(const float *a, const float *b, int d)
{
	double sum[SUMS] = {0};
	int i = 0;
	for (; i + SUMS <= d; i += SUMS)
		for (int s = 0; s < SUMS; s++) {
			double off = (double)a[i + s] - (double)b[i + s];
			sum[s] += off * off;
		}
	for (int s = 0; i < d; i++, s++) {
		double off = (double)a[i] - (double)b[i];
		sum[s] += off * off;
	}
	for (int half = SUMS / 2; half; half /= 2)
		for (int s = 0; s < half; s++)
			sum[s] += sum[s + half];
	return sum[0];
}

/* --- rows as blocks ------------------------------------------------------------------------------------------------------- */

static bool all_finite(const float *x, size_t n)
{
	float sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += x[i] * 0; /* stays 0 unless one is not */
	return sum == 0;
}

int row_blocks_open(struct row_blocks *ret, const float *rows, size_t n, int d, struct err *err)
{
	if (!n || d < 1 || n > UINT32_MAX)
		return err_set(err, ERR_INVALID, "distances need rows and features, got %zu rows of %d", n, d);
	if (!all_finite(rows, n * (size_t)d))
		return err_set(err, ERR_INVALID, "distances need finite numbers, got infinity or NaN");
	struct row_blocks b = {.n = n, .blocks = (n + LANES - 1) / LANES, .d = d};
	/* each of d squares and sums rounds once, and so did the differences before their squares */
	b.margin = (double)(d + 8) * (sizeof(real) == sizeof(double) ? DBL_EPSILON : (double)FLT_EPSILON);
	b.block = calloc(b.blocks * (size_t)d * LANES, sizeof *b.block);
	if (!b.block)
		return err_set(err, ERR_NO_MEMORY, "no memory for %zu rows of %d features", n, d);
	for (size_t i = 0; i < n; i++)
		for (int f = 0; f < d; f++)
			b.block[(i / LANES * (size_t)d + (size_t)f) * LANES + i % LANES] = (real)rows[i * (size_t)d + (size_t)f];
	*ret = b;
	return OK;
}

void row_blocks_close(struct row_blocks *b)
{
	free(b->block);
	*b = (struct row_blocks){0};
}

/* --- the nearest of all --------------------------------------------------------------------------------------------------- */

struct near {
	double square;
	uint32_t who;
};

/* A query's nearest so far: at least the k of them that matter, in no order; all others seen are at least `worst` away. Room for twice
 * k: sorting out is rare. */
struct shortlist {
	struct near *near;
	int n;
	double worst;
};

/* A slot's scratch, for GRAIN queries. */
struct desk {
	real *row; /* [GRAIN][d] */
	struct shortlist list[GRAIN];
	struct near *near; /* [GRAIN][2 k] */
};

struct search {
	const struct knn *in;
	const float *queries;
	size_t nqueries;
	struct row_blocks base;
	const struct kern *kern;
	struct desk *desk; /* [threads] */
	uint32_t *index;
	double *square;
};

static bool nearer(struct near a, struct near b)
{
	return a.square < b.square || (a.square == b.square && a.who < b.who);
}

static void swap(struct near *a, struct near *b)
{
	const struct near keep = *a;
	*a = *b;
	*b = keep;
}

/* The k least to the front, the last of them at k - 1 (Hoare's selection; no two are equal). */
static void select_least(struct near *x, int n, int k)
{
	int low = 0, high = n - 1;
	while (low < high) {
		const int middle = low + (high - low) / 2;
		if (nearer(x[middle], x[low]))
			swap(x + middle, x + low);
		if (nearer(x[high], x[low]))
			swap(x + high, x + low);
		if (nearer(x[high], x[middle]))
			swap(x + high, x + middle);
		const struct near pivot = x[middle];
		int i = low, j = high;
		while (i <= j) {
			while (nearer(x[i], pivot))
				i++;
			while (nearer(pivot, x[j]))
				j--;
			if (i <= j)
				swap(x + i++, x + j--);
		}
		if (k - 1 <= j)
			high = j;
		else if (k - 1 >= i)
			low = i;
		else
			return;
	}
}

static void sort_out(struct shortlist *h, int k)
{
	if (h->n < k)
		return;
	select_least(h->near, h->n, k);
	h->n = k;
	h->worst = h->near[k - 1].square;
}

static void take(struct shortlist *h, int k, struct near one)
{
	h->near[h->n++] = one;
	if (h->n == 2 * k)
		sort_out(h, k);
}

static int by_nearness(const void *a, const void *b)
{
	const struct near *x = a, *y = b;
	return nearer(*y, *x) - nearer(*x, *y);
}

typedef real few __attribute__((vector_size(16)));
typedef long long halves __attribute__((vector_size(16)));

static bool any_within(const real *square, real limit)
{
	enum { FEW = 16 / sizeof(real) };
	few bound = {0}, x;
	halves in = {0};
	for (size_t i = 0; i < FEW; i++)
		bound[i] = limit;
	for (size_t i = 0; i < LANES; i += FEW) {
		memcpy(&x, square + i, sizeof x);
		in |= (halves)(x <= bound);
	}
	return in[0] | in[1];
}

/* The row that a query is itself, or none of them. */
static size_t self_of(const struct knn *in, size_t query)
{
	return in->self ? in->self[query] : in->queries ? in->n : query;
}

/* One query against LANES rows from `first` on, whose float distances are known. */
static void see_block(const struct search *s, size_t query, const real *square, size_t first, struct shortlist *h)
{
	const struct knn *in = s->in;
	if (!any_within(square, (real)(h->worst * (1 + s->base.margin))))
		return;
	const size_t d = (size_t)in->d, last = in->n - first < LANES ? in->n - first : LANES, self = self_of(in, query);
	for (size_t l = 0; l < last; l++) {
		if ((double)square[l] > h->worst * (1 + s->base.margin) || first + l == self)
			continue;
		const double exact = square_distance(s->queries + query * d, in->rows + (first + l) * d, in->d);
		if (exact < h->worst) /* of equals the first counts */
			take(h, in->k, (struct near){exact, (uint32_t)(first + l)});
	}
}

static void write_down(const struct search *s, size_t query, struct shortlist *h)
{
	const size_t k = (size_t)s->in->k;
	sort_out(h, s->in->k);
	qsort(h->near, k, sizeof *h->near, by_nearness);
	for (size_t j = 0; j < k; j++) {
		s->index[query * k + j] = h->near[j].who;
		if (s->square)
			s->square[query * k + j] = h->near[j].square;
	}
}

static void search_task(void *ctx, int task, int slot)
{
	const struct search *s = ctx;
	const size_t first = (size_t)task * GRAIN, d = (size_t)s->in->d;
	const size_t count = s->nqueries - first < GRAIN ? s->nqueries - first : GRAIN;
	struct desk *desk = &s->desk[slot];
	real square[GRAIN * LANES];
	for (size_t i = 0; i < count * d; i++)
		desk->row[i] = (real)s->queries[first * d + i];
	for (size_t q = 0; q < count; q++)
		desk->list[q] = (struct shortlist){.near = desk->near + q * 2 * (size_t)s->in->k, .worst = INFINITY};
	for (size_t b = 0; b < s->base.blocks; b++) {
		s->kern->distances(square, desk->row, (int)count, s->base.block + b * d * LANES, s->in->d);
		for (size_t q = 0; q < count; q++)
			see_block(s, first + q, square + q * LANES, b * LANES, &desk->list[q]);
	}
	for (size_t q = 0; q < count; q++)
		write_down(s, first + q, &desk->list[q]);
}

static size_t desk_reals(int d)
{
	return ((size_t)GRAIN * (size_t)d + LANES - 1) / LANES * LANES;
}

static struct desk *desks_open(int threads, int d, int k)
{
	const size_t near = (size_t)GRAIN * 2 * (size_t)k;
	struct desk *desk = calloc((size_t)threads, sizeof *desk);
	struct near *memory = calloc((size_t)threads, desk_reals(d) * sizeof(real) + near * sizeof *memory);
	if (!desk || !memory) {
		free(desk);
		free(memory);
		return NULL;
	}
	for (int t = 0; t < threads; t++) {
		desk[t].near = memory + (size_t)t * near;
		desk[t].row = (real *)(memory + (size_t)threads * near) + (size_t)t * desk_reals(d);
	}
	return desk;
}

int knn_find(uint32_t *ret_index, double *ret_square, const struct knn *in, struct pool *pool, const struct kern *kern,
	struct err *err)
{
	struct search s = {.in = in, .kern = kern, .index = ret_index, .square = ret_square};
	s.queries = in->queries ? in->queries : in->rows;
	s.nqueries = in->queries ? in->nqueries : in->n;
	const size_t others = in->n - (in->n && (in->self || !in->queries));
	if (in->k < 1 || (size_t)in->k > others)
		return err_set(err, ERR_INVALID, "k must be 1..%zu, the number of rows to choose from, got %d", others, in->k);
	if (in->queries && !all_finite(in->queries, in->nqueries * (size_t)in->d))
		return err_set(err, ERR_INVALID, "distances need finite numbers, got infinity or NaN");
	int code = row_blocks_open(&s.base, in->rows, in->n, in->d, err);
	if (code)
		return code;
	s.desk = desks_open(pool_threads(pool), in->d, in->k);
	if (s.desk)
		code = halt_run(in->halt, pool, (int)((s.nqueries + GRAIN - 1) / GRAIN), search_task, &s, err);
	else
		code = err_set(err, ERR_NO_MEMORY, "no memory to look for %d neighbours", in->k);
	free(s.desk ? s.desk[0].near : NULL);
	free(s.desk);
	row_blocks_close(&s.base);
	return code;
}

size_t knn_bytes(size_t n, int d, int k, int threads)
{
	const size_t desk =
		sizeof(struct desk) + desk_reals(d) * sizeof(real) + (size_t)GRAIN * 2 * (size_t)k * sizeof(struct near);
	return (n + LANES) * (size_t)d * sizeof(real) + (size_t)threads * desk;
}
