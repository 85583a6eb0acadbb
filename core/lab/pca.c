#include "core/lab/pca.h"

#include "core/lab/eigen.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* CHUNK points at a time lie value by value, so that an inner product of two values runs along them; of bytes such a product fits
 * into 32 bits. A task of it takes TILE values with all that follow. */
enum { CHUNK = 2048, TILE = 16, ROWS = 256 };

double points_value(const struct points *x, size_t i, size_t j)
{
	size_t row = x->index ? x->index[i] : i;
	return x->bytes ? x->bytes[row * x->d + j] / 255.0 : (double)x->real[row * x->d + j];
}

static size_t tasks_of(size_t n, size_t grain)
{
	return (n + grain - 1) / grain;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* --- what is solved: a symmetric matrix ----------------------------------------------------------------------------------- */

struct fit {
	const struct points *x;
	struct pca *p;
	const struct halt *halt;
	size_t side;     /* of the matrix: d, or n where there are fewer points */
	double *matrix;  /* [side][side] */
	double *scratch; /* EIGEN_TOP_SCRATCH(side) */
	double *values;  /* [side] */
	double *vectors; /* [k][side] */
	/* by the points' values: one chunk */
	size_t from, chunk;
	int16_t *bytes;   /* [d][CHUNK], 0 beyond the last */
	double *centred;  /* [d][CHUNK], likewise; or of few points [n][d] */
	int64_t *product; /* [d][d], right of the diagonal and on it */
	int64_t *sum;     /* [d] */
};

static void turn_bytes(void *ctx, int task, int slot)
{
	struct fit *f = ctx;
	const struct points *x = f->x;
	const size_t end = least((size_t)(task + 1) * TILE, x->d);
	(void)slot;
	for (size_t j = (size_t)task * TILE; j < end; j++) {
		int16_t *to = f->bytes + j * CHUNK;
		int64_t sum = 0;
		for (size_t i = 0; i < CHUNK; i++) {
			size_t at = f->from + i, row = i < f->chunk && x->index ? x->index[at] : at;
			to[i] = i < f->chunk ? x->bytes[row * x->d + j] : 0;
			sum += to[i];
		}
		f->sum[j] += sum;
	}
}

static int32_t product_of(const int16_t *a, const int16_t *b)
{
	int32_t sum = 0;
	for (int i = 0; i < CHUNK; i++)
		sum += (int32_t)a[i] * b[i];
	return sum;
}

static void multiply_bytes(void *ctx, int task, int slot)
{
	struct fit *f = ctx;
	const size_t d = f->x->d, first = (size_t)task * TILE, end = least(first + TILE, d);
	(void)slot;
	for (size_t b = first; b < d; b++)
		for (size_t a = first; a < end && a <= b; a++)
			f->product[a * d + b] += product_of(f->bytes + a * CHUNK, f->bytes + b * CHUNK);
}

/* Both from exact integers: covariance = (n sum ab - sum a sum b) / (n (n - 1) 255^2). */
static void finish_bytes(struct fit *f)
{
	const size_t d = f->x->d;
	const double n = (double)f->x->n, scale = 1 / (n * (n - 1) * (255.0 * 255.0));
	for (size_t a = 0; a < d; a++) {
		f->p->mean[a] = (double)f->sum[a] / (255.0 * n);
		for (size_t b = a; b < d; b++) {
			__int128 exact = (__int128)f->x->n * f->product[a * d + b] - (__int128)f->sum[a] * f->sum[b];
			f->matrix[a * d + b] = f->matrix[b * d + a] = (double)exact * scale;
		}
	}
}

static int cov_bytes(struct fit *f, struct pool *pool, struct err *err)
{
	const int tiles = (int)tasks_of(f->x->d, TILE);
	int code = OK;
	for (f->from = 0; f->from < f->x->n && !code; f->from += f->chunk) {
		f->chunk = least(CHUNK, f->x->n - f->from);
		pool_run(pool, tiles, turn_bytes, f);
		pool_run(pool, tiles, multiply_bytes, f);
		code = halt_check(f->halt, err);
	}
	if (!code)
		finish_bytes(f);
	return code;
}

/* --- of reals ------------------------------------------------------------------------------------------------------------- */

static void mean_task(void *ctx, int task, int slot)
{
	struct fit *f = ctx;
	const size_t end = least((size_t)(task + 1) * TILE, f->x->d);
	(void)slot;
	for (size_t j = (size_t)task * TILE; j < end; j++) {
		double sum = 0;
		for (size_t i = 0; i < f->x->n; i++)
			sum += points_value(f->x, i, j);
		f->p->mean[j] = sum / (double)f->x->n;
	}
}

static void turn_reals(void *ctx, int task, int slot)
{
	struct fit *f = ctx;
	const size_t end = least((size_t)(task + 1) * TILE, f->x->d);
	(void)slot;
	for (size_t j = (size_t)task * TILE; j < end; j++)
		for (size_t i = 0; i < CHUNK; i++)
			f->centred[j * CHUNK + i] = i < f->chunk ? points_value(f->x, f->from + i, j) - f->p->mean[j] : 0;
}

static double inner(const double *a, const double *b, size_t n)
{
	double sum[4] = {0};
	size_t i = 0;
	for (; i + 4 <= n; i += 4)
		for (size_t l = 0; l < 4; l++)
			sum[l] += a[i + l] * b[i + l];
	for (; i < n; i++)
		sum[0] += a[i] * b[i];
	return sum[0] + sum[1] + (sum[2] + sum[3]);
}

static void multiply_reals(void *ctx, int task, int slot)
{
	struct fit *f = ctx;
	const size_t d = f->x->d, first = (size_t)task * TILE, end = least(first + TILE, d);
	(void)slot;
	for (size_t b = first; b < d; b++)
		for (size_t a = first; a < end && a <= b; a++)
			f->matrix[a * d + b] += inner(f->centred + a * CHUNK, f->centred + b * CHUNK, CHUNK);
}

static int cov_reals(struct fit *f, struct pool *pool, struct err *err)
{
	const int tiles = (int)tasks_of(f->x->d, TILE);
	const size_t d = f->x->d;
	int code = OK;
	pool_run(pool, tiles, mean_task, f);
	for (f->from = 0; f->from < f->x->n && !code; f->from += f->chunk) {
		f->chunk = least(CHUNK, f->x->n - f->from);
		pool_run(pool, tiles, turn_reals, f);
		pool_run(pool, tiles, multiply_reals, f);
		code = halt_check(f->halt, err);
	}
	for (size_t a = 0; a < d; a++)
		for (size_t b = a; b < d; b++)
			f->matrix[a * d + b] = f->matrix[b * d + a] = f->matrix[a * d + b] / (double)(f->x->n - 1);
	return code;
}

/* --- of fewer points than values: inner products of centred points --------------------------------------------------------- */

static void centre_task(void *ctx, int task, int slot)
{
	struct fit *f = ctx;
	const size_t end = least((size_t)(task + 1) * TILE, f->x->n);
	(void)slot;
	for (size_t i = (size_t)task * TILE; i < end; i++)
		for (size_t j = 0; j < f->x->d; j++)
			f->centred[i * f->x->d + j] = points_value(f->x, i, j) - f->p->mean[j];
}

static void gram_task(void *ctx, int task, int slot)
{
	struct fit *f = ctx;
	const size_t n = f->x->n, d = f->x->d, first = (size_t)task * TILE, end = least(first + TILE, n);
	(void)slot;
	for (size_t b = first; b < n; b++)
		for (size_t a = first; a < end && a <= b; a++)
			f->matrix[a * n + b] = f->matrix[b * n + a] =
				inner(f->centred + a * d, f->centred + b * d, d) / (double)(n - 1);
}

static int gram(struct fit *f, struct pool *pool, struct err *err)
{
	pool_run(pool, (int)tasks_of(f->x->d, TILE), mean_task, f);
	pool_run(pool, (int)tasks_of(f->x->n, TILE), centre_task, f);
	return halt_run(f->halt, pool, (int)tasks_of(f->x->n, TILE), gram_task, f, err);
}

/* Where a value of a component is the points' weighted sum; without variance there is no telling. */
static void component_of_points(struct fit *f, size_t c)
{
	const size_t n = f->x->n, d = f->x->d;
	const double *u = f->vectors + c * n, s = sqrt(f->p->variance[c] * (double)(n - 1));
	double *v = f->p->component + c * d;
	memset(v, 0, d * sizeof *v);
	if (!(f->values[c] > 1e-14 * f->values[0]))
		return;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < d; j++)
			v[j] += u[i] / s * f->centred[i * d + j];
}

/* --- components and their signs -------------------------------------------------------------------------------------------- */

static double score(const struct pca *p, const struct points *x, size_t i, const double *v, double offset)
{
	size_t row = x->index ? x->index[i] : i;
	double sum[4] = {0};
	size_t j = 0;
	if (x->bytes) {
		const uint8_t *a = x->bytes + row * p->d;
		for (; j + 4 <= p->d; j += 4)
			for (size_t l = 0; l < 4; l++)
				sum[l] += a[j + l] * v[j + l];
		for (; j < p->d; j++)
			sum[0] += a[j] * v[j];
		return (sum[0] + sum[1] + (sum[2] + sum[3])) / 255.0 - offset;
	}
	const float *a = x->real + row * p->d;
	for (; j + 4 <= p->d; j += 4)
		for (size_t l = 0; l < 4; l++)
			sum[l] += (double)a[j + l] * v[j + l];
	for (; j < p->d; j++)
		sum[0] += (double)a[j] * v[j];
	return sum[0] + sum[1] + (sum[2] + sum[3]) - offset;
}

static void sign_task(void *ctx, int task, int slot)
{
	struct fit *f = ctx;
	struct pca *p = f->p;
	double *v = p->component + (size_t)task * p->d, most = 0, at_most = 0;
	const double offset = inner(v, p->mean, p->d);
	(void)slot;
	for (size_t i = 0; i < f->x->n; i++) {
		double s = score(p, f->x, i, v, offset);
		if (fabs(s) > most) {
			most = fabs(s);
			at_most = s;
		}
	}
	for (size_t j = 0; at_most < 0 && j < p->d; j++)
		v[j] = -v[j];
}

static void take_components(struct fit *f, struct pool *pool)
{
	struct pca *p = f->p;
	for (size_t i = 0; i < f->side; i++)
		p->total += f->matrix[i * f->side + i];
	symmetric_eigen_top(f->matrix, f->side, p->k, f->values, f->vectors, f->scratch);
	for (size_t c = 0; c < p->k; c++) {
		p->variance[c] = f->values[c] > 0 ? f->values[c] : 0;
		p->ratio[c] = p->total > 0 ? p->variance[c] / p->total : 0;
		if (f->side == p->d)
			memcpy(p->component + c * p->d, f->vectors + c * p->d, p->d * sizeof *p->component);
		else
			component_of_points(f, c);
	}
	pool_run(pool, (int)p->k, sign_task, f);
}

/* --- memory --------------------------------------------------------------------------------------------------------------- */

static void *carve(char **at, size_t bytes)
{
	char *here = *at;
	if (here)
		*at += (bytes + 63) / 64 * 64;
	return here;
}

static size_t whole(size_t bytes)
{
	return (bytes + 63) / 64 * 64;
}

/* Fewer points than values are solved by points. */
static size_t side_of(size_t n, size_t d)
{
	return n <= d ? n : d;
}

static size_t result_bytes(size_t d, size_t k)
{
	return whole(d * sizeof(double)) + whole(k * d * sizeof(double)) + 2 * whole(k * sizeof(double));
}

static size_t fit_bytes(size_t n, size_t d, size_t k, bool bytes)
{
	const size_t side = side_of(n, d), real = sizeof(double);
	size_t total =
		whole(side * side * real) + whole(EIGEN_TOP_SCRATCH(side) * real) + whole(side * real) + whole(k * side * real);
	if (side < d)
		return total + whole(n * d * real);
	return total +
		   (bytes ? whole(d * CHUNK * sizeof(int16_t)) + whole(d * d * sizeof(int64_t)) + whole(d * sizeof(int64_t))
				  : whole(d * CHUNK * real));
}

size_t pca_bytes(size_t n, size_t d, size_t k)
{
	return result_bytes(d, k) + fit_bytes(n, d, k, true);
}

static void place(struct fit *f, char *at, size_t n, size_t d, size_t k)
{
	const size_t side = f->side, real = sizeof(double);
	f->matrix = carve(&at, side * side * real);
	f->scratch = carve(&at, EIGEN_TOP_SCRATCH(side) * real);
	f->values = carve(&at, side * real);
	f->vectors = carve(&at, k * side * real);
	if (side < d) {
		f->centred = carve(&at, n * d * real);
	} else if (f->x->bytes) {
		f->bytes = carve(&at, d * CHUNK * sizeof(int16_t));
		f->product = carve(&at, d * d * sizeof(int64_t));
		f->sum = carve(&at, d * sizeof(int64_t));
	} else {
		f->centred = carve(&at, d * CHUNK * real);
	}
}

static int open_result(struct pca *ret, size_t n, size_t d, size_t k, struct err *err)
{
	char *memory = calloc(1, result_bytes(d, k));
	if (!memory)
		return err_set(err, ERR_NO_MEMORY, "no memory for %zu principal components", k);
	*ret = (struct pca){.n = n, .d = d, .k = k};
	ret->mean = carve(&memory, d * sizeof(double));
	ret->component = carve(&memory, k * d * sizeof(double));
	ret->variance = carve(&memory, k * sizeof(double));
	ret->ratio = carve(&memory, k * sizeof(double));
	return OK;
}

int pca_fit(struct pca *ret, const struct points *x, size_t k, struct pool *pool, const struct halt *halt, struct err *err)
{
	struct pca p;
	struct fit f = {.x = x, .p = &p, .halt = halt, .side = side_of(x->n, x->d)};
	if (f.side > PCA_SIDE_MAX)
		return err_set(err, ERR_INVALID,
			"principal components of %zu points of %zu values: one of both must be at most %d", x->n, x->d,
			PCA_SIDE_MAX);
	int code = open_result(&p, x->n, x->d, k, err);
	if (code)
		return code;
	char *room = calloc(1, fit_bytes(x->n, x->d, k, x->bytes));
	if (!room) {
		pca_free(&p);
		return err_set(err, ERR_NO_MEMORY, "no memory for the principal components of %zu values", x->d);
	}
	place(&f, room, x->n, x->d, k);
	code = (f.side < x->d ? gram : x->bytes ? cov_bytes : cov_reals)(&f, pool, err);
	if (!code)
		take_components(&f, pool);
	free(room);
	if (code)
		pca_free(&p);
	else
		*ret = p;
	return code;
}

void pca_free(struct pca *p)
{
	free(p->mean);
	*p = (struct pca){0};
}

/* --- there and back ------------------------------------------------------------------------------------------------------- */

struct way {
	const struct pca *p;
	const struct points *x;
	bool whiten;
	const double *from;
	size_t n;
	double *to;
};

static double deviation(const struct way *w, size_t c)
{
	return w->whiten && w->p->variance[c] > 0 ? sqrt(w->p->variance[c]) : 1;
}

static void transform_task(void *ctx, int task, int slot)
{
	const struct way *w = ctx;
	const struct pca *p = w->p;
	const size_t end = least((size_t)(task + 1) * ROWS, w->x->n);
	(void)slot;
	for (size_t c = 0; c < p->k; c++) {
		const double *v = p->component + c * p->d, offset = inner(v, p->mean, p->d);
		for (size_t i = (size_t)task * ROWS; i < end; i++)
			w->to[i * p->k + c] = score(p, w->x, i, v, offset) / deviation(w, c);
	}
}

void pca_transform(const struct pca *p, const struct points *x, bool whiten, struct pool *pool, double *y)
{
	struct way w = {.p = p, .x = x, .whiten = whiten, .to = y};
	pool_run(pool, (int)tasks_of(x->n, ROWS), transform_task, &w);
}

static void inverse_task(void *ctx, int task, int slot)
{
	const struct way *w = ctx;
	const struct pca *p = w->p;
	const size_t end = least((size_t)(task + 1) * ROWS, w->n);
	(void)slot;
	for (size_t i = (size_t)task * ROWS; i < end; i++) {
		double *x = w->to + i * p->d;
		memcpy(x, p->mean, p->d * sizeof *x);
		for (size_t c = 0; c < p->k; c++) {
			const double *v = p->component + c * p->d, along = w->from[i * p->k + c] * deviation(w, c);
			for (size_t j = 0; j < p->d; j++)
				x[j] += along * v[j];
		}
	}
}

void pca_inverse(const struct pca *p, bool whiten, const double *y, size_t n, struct pool *pool, double *x)
{
	struct way w = {.p = p, .whiten = whiten, .from = y, .n = n, .to = x};
	pool_run(pool, (int)tasks_of(n, ROWS), inverse_task, &w);
}
