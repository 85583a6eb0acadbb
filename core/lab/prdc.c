#include "core/lab/prdc.h"

#include "core/lab/cloud.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { RARELY = 100 }; /* one real in so many has so near a neighbour */

/* A cloud, its rows' squared lengths, the squared radii of their balls and distances of their nearest neighbours. */
struct balls {
	struct cloud cloud; /* offset: - |row|^2 / 2, so that |a - b|^2 = |a|^2 - 2 product */
	real *square, *reach, *nearest;
};

struct search {
	const struct balls *of;
	const struct kern *kern;
	int k;
};

struct counts {
	const struct balls *reals, *fakes;
	const struct kern *kern;
	uint8_t *covered, *recalled; /* [threads][reals]: holds a fake; is in a fake's ball */
	uint32_t *inside;            /* [fakes]: real balls that it is in */
};

/* --- balls ---------------------------------------------------------------------------------------------------------------- */

static void balls_close(struct balls *b)
{
	cloud_close(&b->cloud);
	free(b->square);
}

static int balls_open(struct balls *ret, const float *rows, size_t n, int d, const double *centre, struct err *err)
{
	struct balls b = {.square = calloc(3 * n + 1, sizeof *b.square)};
	int code = b.square ? cloud_open(&b.cloud, n, d, err) : err_set(err, ERR_NO_MEMORY, "no memory for %zu balls", n);
	if (code) {
		free(b.square);
		return code;
	}
	b.reach = b.square + n;
	b.nearest = b.reach + n;
	for (size_t i = 0; i < n; i++) {
		double square = 0;
		for (int j = 0; j < d; j++) {
			real x = (real)((double)rows[i * (size_t)d + (size_t)j] - centre[j]);
			b.cloud.row[i * (size_t)d + (size_t)j] = x;
			square += (double)x * (double)x;
		}
		b.square[i] = (real)square;
		b.cloud.offset[i] = (real)(-square / 2);
	}
	*ret = b;
	return OK;
}

/* The k least of what it saw, ascending. */
struct least {
	real v[PRDC_K_MAX];
};

static void least_see(struct least *l, int k, real x)
{
	int i = k - 1;
	for (; i > 0 && l->v[i - 1] > x; i--)
		l->v[i] = l->v[i - 1];
	l->v[i] = x;
}

/* One row of a tile: the distances of LANES rows from one. `self`: the lane that is that one, or none of them. */
static void see_row(struct least *near, int k, const real *far, const real *worst, int self)
{
	int any = 0;
	for (int l = 0; l < LANES; l++)
		any |= far[l] < worst[l];
	for (int l = 0; any && l < LANES; l++)
		if (far[l] < near[l].v[k - 1] && l != self)
			least_see(&near[l], k, far[l]);
}

static void near_tile(
	const struct search *s, struct least *near, const real *block, const real *square, size_t first, size_t from)
{
	real product[CLOUD_TILE * LANES], far[LANES], worst[LANES];
	const int n = cloud_products(&s->of->cloud, from, block, s->kern, product);
	for (int r = 0; r < n; r++) {
		const size_t self = from + (size_t)r - first; /* wraps to something large before the block */
		for (int l = 0; l < LANES; l++) {
			far[l] = square[l] - 2 * product[r * LANES + l];
			worst[l] = near[l].v[s->k - 1];
		}
		see_row(near, s->k, far, worst, self < LANES ? (int)self : -1);
	}
}

static void near_task(void *ctx, int task, int slot)
{
	const struct search *s = ctx;
	const struct balls *b = s->of;
	const size_t first = (size_t)task * LANES;
	real block[FEATURES_MAX * LANES], square[LANES] = {0};
	struct least near[LANES];
	(void)slot;
	const int lanes = cloud_block(&b->cloud, first, block);
	for (int l = 0; l < LANES; l++)
		for (int i = 0; i < s->k; i++)
			near[l].v[i] = (real)INFINITY;
	memcpy(square, b->square + first, (size_t)lanes * sizeof *square);
	for (size_t from = 0; from < b->cloud.n; from += CLOUD_TILE)
		near_tile(s, near, block, square, first, from);
	for (int l = 0; l < lanes; l++) {
		b->reach[first + (size_t)l] = near[l].v[s->k - 1];
		b->nearest[first + (size_t)l] = near[l].v[0];
	}
}

static int blocks_of(size_t n)
{
	return (int)((n + LANES - 1) / LANES);
}

/* --- who is in whose ball ------------------------------------------------------------------------------------------------- */

/* A block of fakes: nobody is in a ball that does not reach, or near what is infinitely far. */
struct visitors {
	real block[FEATURES_MAX * LANES], square[LANES], reach[LANES];
	uint32_t inside[LANES];
};

static void count_tile(const struct counts *c, struct visitors *v, size_t from, int slot)
{
	const struct balls *reals = c->reals;
	real product[CLOUD_TILE * LANES];
	const int n = cloud_products(&reals->cloud, from, v->block, c->kern, product);
	uint8_t *covered = c->covered + (size_t)slot * reals->cloud.n + from;
	uint8_t *recalled = c->recalled + (size_t)slot * reals->cloud.n + from;
	for (int r = 0; r < n; r++) {
		const real own = reals->reach[from + (size_t)r];
		int in = 0, of = 0;
		for (int l = 0; l < LANES; l++) {
			const real far = v->square[l] - 2 * product[r * LANES + l];
			v->inside[l] += far < own;
			in |= far < own;
			of |= far < v->reach[l];
		}
		covered[r] |= (uint8_t)in;
		recalled[r] |= (uint8_t)of;
	}
}

static void count_task(void *ctx, int task, int slot)
{
	const struct counts *c = ctx;
	const struct balls *fakes = c->fakes;
	const size_t first = (size_t)task * LANES;
	struct visitors v;
	const int lanes = cloud_block(&fakes->cloud, first, v.block);
	for (int l = 0; l < LANES; l++) {
		v.square[l] = l < lanes ? fakes->square[first + (size_t)l] : (real)INFINITY;
		v.reach[l] = l < lanes ? fakes->reach[first + (size_t)l] : 0;
		v.inside[l] = 0;
	}
	for (size_t from = 0; from < c->reals->cloud.n; from += CLOUD_TILE)
		count_tile(c, &v, from, slot);
	memcpy(c->inside + first, v.inside, (size_t)lanes * sizeof *v.inside);
}

static double share(const uint8_t *seen, size_t n, int threads)
{
	size_t found = 0;
	for (size_t i = 0; i < n; i++) {
		uint8_t any = 0;
		for (int t = 0; t < threads; t++)
			any |= seen[(size_t)t * n + i];
		found += any;
	}
	return (double)found / (double)n;
}

static int count(struct prdc *ret, struct counts *c, int k, struct pool *pool, struct err *err)
{
	const int threads = pool_threads(pool);
	const size_t reals = c->reals->cloud.n, fakes = c->fakes->cloud.n;
	c->covered = calloc(2 * (size_t)threads * reals, 1);
	c->inside = calloc(fakes, sizeof *c->inside);
	int code = c->covered && c->inside ? OK : err_set(err, ERR_NO_MEMORY, "no memory to look for neighbours");
	if (!code) {
		double within = 0, pairs = 0;
		c->recalled = c->covered + (size_t)threads * reals;
		pool_run(pool, blocks_of(fakes), count_task, c);
		for (size_t i = 0; i < fakes; i++) {
			within += c->inside[i] > 0;
			pairs += c->inside[i];
		}
		*ret = (struct prdc){.precision = within / (double)fakes,
			.recall = share(c->recalled, reals, threads),
			.density = pairs / ((double)k * (double)fakes),
			.coverage = share(c->covered, reals, threads)};
	}
	free(c->covered);
	free(c->inside);
	return code;
}

static int ascending(const void *a, const void *b)
{
	const real x = *(const real *)a, y = *(const real *)b;
	return (x > y) - (x < y);
}

/* Sorts what the reals know of their nearest neighbours. */
static double duplicates(const struct balls *reals, const struct balls *fakes)
{
	size_t near = 0;
	qsort(reals->nearest, reals->cloud.n, sizeof *reals->nearest, ascending);
	const real bound = reals->nearest[reals->cloud.n / RARELY];
	for (size_t i = 0; i < fakes->cloud.n; i++)
		near += fakes->nearest[i] < bound;
	return (double)near / (double)fakes->cloud.n;
}

int prdc(struct prdc *ret, const struct prdc_clouds *c, struct pool *pool, const struct kern *kern, struct err *err)
{
	double centre[FEATURES_MAX] = {0};
	struct balls reals = {0}, fakes = {0};
	if (c->k < 1 || c->k > PRDC_K_MAX || (size_t)c->k >= c->reals || (size_t)c->k >= c->fakes || c->d > FEATURES_MAX)
		return err_set(err, ERR_INVALID, "k must be 1..%d and below the number of rows, got %d", PRDC_K_MAX, c->k);
	for (size_t i = 0; i < c->reals; i++)
		for (int j = 0; j < c->d; j++)
			centre[j] += (double)c->real_rows[i * (size_t)c->d + (size_t)j] / (double)c->reals;
	int code = balls_open(&reals, c->real_rows, c->reals, c->d, centre, err);
	if (!code)
		code = balls_open(&fakes, c->fake_rows, c->fakes, c->d, centre, err);
	if (!code) {
		pool_run(pool, blocks_of(c->reals), near_task, &(struct search){&reals, kern, c->k});
		pool_run(pool, blocks_of(c->fakes), near_task, &(struct search){&fakes, kern, c->k});
		code = count(ret, &(struct counts){.reals = &reals, .fakes = &fakes, .kern = kern}, c->k, pool, err);
		if (!code)
			ret->duplicates = duplicates(&reals, &fakes);
	}
	balls_close(&reals);
	balls_close(&fakes);
	return code;
}
