#include "core/lab/quality.h"

#include "core/base/rng.h"
#include "core/lab/knn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GRAIN = 32, CLASSES = 256 };

const int quality_k[QUALITY_KS] = {5, 12, 15};

/* Points as seen from the data or from the map. */
struct space {
	const float *row; /* [n][d] */
	int d;
	uint32_t *near; /* [sampled][k]: neighbours here */
	uint32_t *rank; /* [sampled][k]: 1 + how many are nearer here than that neighbour in the other space */
};

struct survey {
	size_t n, m;
	int k;
	uint32_t *who; /* [m] */
	struct space data, map;
	const struct kern *kern;
	const struct halt *halt;
};

/* --- ranks ------------------------------------------------------------------------------------------------------------------ */

/* One of the other space's neighbours that is none here: all that are nearer are counted. */
struct stranger {
	uint32_t who, *rank;
	double square;
	real surely_nearer, surely_farther; /* what the kernels' distances say beyond doubt */
};

struct ranking {
	const struct survey *survey;
	const struct space *here, *there;
	struct row_blocks blocks;
	real *desk; /* [threads][GRAIN][d] */
};

typedef real few __attribute__((vector_size(16)));
typedef long long halves __attribute__((vector_size(16)));
#ifdef LATENTD_DOUBLE
typedef int64_t few_counts __attribute__((vector_size(16)));
#else
typedef int32_t few_counts __attribute__((vector_size(16)));
#endif
enum { FEW = 16 / sizeof(real) };

static few few_of(real x)
{
	few v = {0};
	for (size_t i = 0; i < FEW; i++)
		v[i] = x;
	return v;
}

/* How many of LANES distances are surely nearer; *ret_doubt: there may be one more. */
static uint32_t count_nearer(const real *square, const struct stranger *s, bool *ret_doubt)
{
	const few nearer = few_of(s->surely_nearer), farther = few_of(s->surely_farther);
	few_counts count = {0};
	halves doubt = {0};
	for (size_t i = 0; i < LANES; i += FEW) {
		few x;
		memcpy(&x, square + i, sizeof x);
		count -= (few_counts)(x < nearer);
		doubt |= (halves)(x >= nearer) & (halves)(x <= farther);
	}
	uint32_t sum = 0;
	for (size_t i = 0; i < FEW; i++)
		sum += (uint32_t)count[i];
	*ret_doubt = doubt[0] | doubt[1];
	return sum;
}

static uint32_t count_doubtful(
	const struct ranking *r, const float *query, const real *square, const struct stranger *s, size_t first)
{
	const size_t d = (size_t)r->here->d;
	uint32_t count = 0;
	for (size_t l = 0; l < LANES; l++)
		if (square[l] >= s->surely_nearer && square[l] <= s->surely_farther && first + l < r->blocks.n) {
			const double exact = square_distance(query, r->here->row + (first + l) * d, r->here->d);
			count += exact < s->square || (exact == s->square && first + l < s->who);
		}
	return count;
}

/* Known ranks are set at once; returns how many are to be counted. */
static int strangers_of(const struct ranking *r, size_t query, struct stranger *ret)
{
	const struct survey *v = r->survey;
	const size_t k = (size_t)v->k, d = (size_t)r->here->d;
	const uint32_t *near = r->here->near + query * k, *wanted = r->there->near + query * k;
	const float *row = r->here->row + (size_t)v->who[query] * d;
	int count = 0;
	for (size_t j = 0; j < k; j++) {
		uint32_t *rank = r->here->rank + query * k + j;
		for (size_t i = 0; i < k; i++)
			if (near[i] == wanted[j])
				*rank = (uint32_t)i + 1;
		if (*rank)
			continue;
		*rank = 1;
		const double square = square_distance(row, r->here->row + wanted[j] * d, r->here->d);
		ret[count++] = (struct stranger){.who = wanted[j],
			.rank = rank,
			.square = square,
			.surely_nearer = (real)(square * (1 - r->blocks.margin)),
			.surely_farther = (real)(square * (1 + r->blocks.margin))};
	}
	return count;
}

/* The distances of a query to LANES rows from `first` on. */
static void rank_block(
	const struct ranking *r, size_t query, real *square, const struct stranger *stranger, int strangers, size_t first)
{
	const size_t self = r->survey->who[query];
	for (size_t l = 0; l < LANES; l++)
		if (first + l >= r->survey->n || first + l == self)
			square[l] = (real)INFINITY;
	for (const struct stranger *s = stranger; s < stranger + strangers; s++) {
		bool doubt;
		*s->rank += count_nearer(square, s, &doubt);
		if (doubt)
			*s->rank += count_doubtful(r, r->here->row + self * (size_t)r->here->d, square, s, first);
	}
}

static void rank_task(void *ctx, int task, int slot)
{
	const struct ranking *r = ctx;
	const struct survey *v = r->survey;
	const size_t first = (size_t)task * GRAIN, count = v->m - first < GRAIN ? v->m - first : GRAIN;
	const size_t d = (size_t)r->here->d;
	struct stranger stranger[GRAIN][QUALITY_K_MAX];
	int strangers[GRAIN];
	real square[GRAIN * LANES], *row = r->desk + (size_t)slot * GRAIN * d;
	for (size_t q = 0; q < count; q++) {
		const float *from = r->here->row + (size_t)v->who[first + q] * d;
		for (size_t f = 0; f < d; f++)
			row[q * d + f] = (real)from[f];
		strangers[q] = strangers_of(r, first + q, stranger[q]);
	}
	for (size_t b = 0; b < r->blocks.blocks; b++) {
		v->kern->distances(square, row, (int)count, r->blocks.block + b * d * LANES, r->here->d);
		for (size_t q = 0; q < count; q++)
			rank_block(r, first + q, square + q * LANES, stranger[q], strangers[q], b * LANES);
	}
}

static int rank_all(
	const struct survey *v, const struct space *here, const struct space *there, struct pool *pool, struct err *err)
{
	struct ranking r = {.survey = v, .here = here, .there = there};
	int code = row_blocks_open(&r.blocks, here->row, v->n, here->d, err);
	if (code)
		return code;
	r.desk = calloc((size_t)pool_threads(pool) * GRAIN * (size_t)here->d, sizeof *r.desk);
	if (r.desk)
		code = halt_run(v->halt, pool, (int)((v->m + GRAIN - 1) / GRAIN), rank_task, &r, err);
	else
		code = err_set(err, ERR_NO_MEMORY, "no memory to rank %zu points", v->n);
	free(r.desk);
	row_blocks_close(&r.blocks);
	return code;
}

/* --- figures ---------------------------------------------------------------------------------------------------------------- */

/* Trustworthiness of where the other space's neighbours rank here. */
static double faith(const struct survey *v, const struct space *here, int k)
{
	uint64_t beyond = 0;
	if (k > v->k || v->n <= 2 * (size_t)k)
		return NAN;
	for (size_t q = 0; q < v->m; q++)
		for (int j = 0; j < k; j++) {
			const uint32_t rank = here->rank[q * (size_t)v->k + (size_t)j];
			beyond += rank > (uint32_t)k ? rank - (uint32_t)k : 0;
		}
	const double m = (double)v->m, n = (double)v->n;
	return 1 - 2 / (m * k * (2 * n - 3 * k - 1)) * (double)beyond;
}

static double recall_of(const struct survey *v)
{
	size_t kept = 0;
	if (v->k < QUALITY_RECALL)
		return NAN;
	for (size_t q = 0; q < v->m; q++)
		for (size_t j = 0; j < QUALITY_RECALL; j++)
			kept += v->data.rank[q * (size_t)v->k + j] <= QUALITY_RECALL;
	return (double)kept / ((double)v->m * QUALITY_RECALL);
}

static double accuracy_of(const struct survey *v, const uint8_t *labels)
{
	size_t right = 0;
	if (!labels || v->k < QUALITY_RECALL)
		return NAN;
	for (size_t q = 0; q < v->m; q++) {
		int votes[CLASSES] = {0}, best = 0;
		for (size_t j = 0; j < QUALITY_RECALL; j++)
			votes[labels[v->map.near[q * (size_t)v->k + j]]]++;
		for (int c = 1; c < CLASSES; c++)
			best = votes[c] > votes[best] ? c : best;
		right += best == labels[v->who[q]];
	}
	return (double)right / (double)v->m;
}

static void settle(struct quality *ret, const struct survey *v, const uint8_t *labels)
{
	for (int i = 0; i < QUALITY_KS; i++) {
		ret->trustworthiness[i] = faith(v, &v->data, quality_k[i]);
		ret->continuity[i] = faith(v, &v->map, quality_k[i]);
	}
	ret->recall = recall_of(v);
	ret->accuracy = accuracy_of(v, labels);
	ret->sampled = v->m;
}

/* --- all of it -------------------------------------------------------------------------------------------------------------- */

static int find_near(const struct survey *v, const struct space *s, struct pool *pool, struct err *err)
{
	const size_t d = (size_t)s->d;
	float *queries = calloc(v->m * d, sizeof *queries);
	if (!queries)
		return err_set(err, ERR_NO_MEMORY, "no memory for %zu points", v->m);
	for (size_t q = 0; q < v->m; q++)
		memcpy(queries + q * d, s->row + (size_t)v->who[q] * d, d * sizeof *queries);
	const struct knn in = {.rows = s->row,
		.n = v->n,
		.d = s->d,
		.queries = queries,
		.nqueries = v->m,
		.self = v->who,
		.k = v->k,
		.halt = v->halt};
	int code = knn_find(s->near, NULL, &in, pool, v->kern, err);
	free(queries);
	return code;
}

static void draw_sample(uint32_t *who, size_t n, uint64_t seed)
{
	if (n > QUALITY_ALL)
		rng_permutation(who, (uint32_t)n, (struct rng){seed, RNG_MAP, 1});
	else
		for (size_t i = 0; i < n; i++)
			who[i] = (uint32_t)i;
}

int quality_measure(
	struct quality *ret, const struct quality_of *of, struct pool *pool, const struct kern *kern, struct err *err)
{
	if (of->n < 2 || of->n > INT32_MAX)
		return err_set(err, ERR_INVALID, "the quality of a map needs at least 2 points, got %zu", of->n);
	struct survey v = {.n = of->n, .m = of->n > QUALITY_ALL ? QUALITY_SAMPLE : of->n, .kern = kern, .halt = of->halt};
	v.k = of->n - 1 < QUALITY_K_MAX ? (int)of->n - 1 : QUALITY_K_MAX;
	const size_t places = v.m * (size_t)v.k;
	float *map = calloc(2 * v.n, sizeof *map);
	v.who = calloc(v.n + 4 * places, sizeof *v.who);
	int code = map && v.who ? OK : err_set(err, ERR_NO_MEMORY, "no memory for the neighbours of %zu points", v.m);
	if (!code) {
		uint32_t *list = v.who + v.n;
		for (size_t i = 0; i < 2 * v.n; i++)
			map[i] = (float)of->map[i];
		draw_sample(v.who, v.n, of->seed);
		v.data = (struct space){.row = of->x, .d = of->d, .near = list, .rank = list + places};
		v.map = (struct space){.row = map, .d = 2, .near = list + 2 * places, .rank = list + 3 * places};
		code = find_near(&v, &v.data, pool, err);
	}
	if (!code)
		code = find_near(&v, &v.map, pool, err);
	if (!code)
		code = rank_all(&v, &v.data, &v.map, pool, err);
	if (!code)
		code = rank_all(&v, &v.map, &v.data, pool, err);
	if (!code)
		settle(ret, &v, of->labels);
	free(map);
	free(v.who);
	return code;
}
