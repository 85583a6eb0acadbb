/* codes.c: statistics of the codes of training images: what sampling, sliders and maps start from.
 *
 * Everything is worked out in double, in one fixed order per figure; tasks own whole figures, so threads change no bit.
 */
#include "core/model/trainer.h"

#include "core/base/radix.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Units side by side in one task of the covariance. */
enum { TILE = 4 };

typedef double pair __attribute__((vector_size(16)));

static size_t columns(int latent_dim)
{
	return ((size_t)latent_dim + TILE - 1) / TILE * TILE;
}

static size_t stats_doubles(int latent_dim)
{
	size_t d = (size_t)latent_dim;
	return d * (4 + QUANTILES + d);
}

/* One run of stats_doubles; mean is its beginning. */
static void place(struct code_stats *s, double *memory, int latent_dim)
{
	size_t d = (size_t)latent_dim;
	*s = (struct code_stats){.latent_dim = latent_dim};
	if (!memory)
		return;
	s->mean = memory;
	s->std = s->mean + d;
	s->q01 = s->std + d;
	s->q99 = s->q01 + d;
	s->quantile = s->q99 + d;
	s->cov = s->quantile + QUANTILES * d;
}

void codes_layout(struct trainer *t, struct arena *a, int latent_dim, size_t images, int threads)
{
	t->coded = images;
	t->code = arena_alloc(a, images * (size_t)latent_dim * sizeof *t->code);
	t->centred = arena_alloc(a, images * columns(latent_dim) * sizeof *t->centred);
	size_t image_floats = LANES * (size_t)map_features(&t->m->image);
	uint32_t **sort = arena_alloc(a, (size_t)threads * sizeof *sort);
	float **rows = arena_alloc(a, (size_t)threads * sizeof *rows);
	for (int i = 0; i < threads; i++) {
		uint32_t *keys = arena_alloc(a, 2 * images * sizeof *keys);
		float *floats = arena_alloc(a, image_floats * sizeof *floats);
		if (sort) {
			sort[i] = keys;
			rows[i] = floats;
		}
	}
	t->sort = sort;
	t->rows = rows;
	place(&t->codes, arena_alloc(a, stats_doubles(latent_dim) * sizeof(double)), latent_dim);
}

/* --- the codes --------------------------------------------------------------------------------------------------------- */

/* Codes of training images index[0 … lanes-1]. */
static void encode_block(const struct trainer *t, const uint32_t *index, int lanes, int slot, float *z)
{
	size_t pixels = (size_t)map_features(&t->m->image);
	float *rows = t->rows[slot];
	for (int l = 0; l < lanes; l++) {
		const uint8_t *image = t->data->split[SPLIT_TRAIN].images + index[l] * pixels;
		for (size_t i = 0; i < pixels; i++)
			rows[(size_t)l * pixels + i] = (float)image[i] / 255.0f;
	}
	t->m->family->encode(t->m, t->kern, t->served, t->ws[slot], rows, lanes, z);
}

static void encode_task(void *ctx, int task, int slot)
{
	struct trainer *t = ctx;
	size_t end = (size_t)(task + 1) * SPAN_IMAGES;
	if (end > t->coded)
		end = t->coded;
	for (size_t from = (size_t)task * SPAN_IMAGES; from < end; from += LANES)
		encode_block(t, t->train + from, end - from < LANES ? (int)(end - from) : LANES, slot,
			t->code + from * (size_t)t->m->latent_dim);
}

/* All images that are trained or validated on, where they stand in their split. */
static void features_task(void *ctx, int task, int slot)
{
	struct trainer *t = ctx;
	size_t end = (size_t)(task + 1) * SPAN_IMAGES, n = t->trains + t->vals;
	if (end > n)
		end = n;
	for (size_t from = (size_t)task * SPAN_IMAGES; from < end; from += LANES) {
		uint32_t index[LANES];
		int lanes = end - from < LANES ? (int)(end - from) : LANES;
		for (int l = 0; l < lanes; l++)
			index[l] = (uint32_t)from + (uint32_t)l;
		encode_block(t, index, lanes, slot, t->own_features + from * (size_t)t->m->latent_dim);
	}
}

void trainer_take_features(struct trainer *t)
{
	pool_run(t->pool, (int)((t->trains + t->vals + SPAN_IMAGES - 1) / SPAN_IMAGES), features_task, t);
	t->features = t->own_features;
}

/* --- mean and quantiles, a tile of units a task -------------------------------------------------------------------------- */

static void take_quantiles(struct code_stats *s, size_t unit, const uint32_t *sorted, size_t n)
{
	for (size_t q = 0; q < QUANTILES; q++)
		s->quantile[q * (size_t)s->latent_dim + unit] =
			radix_at(sorted, n, (double)q * (double)(n - 1) / (QUANTILES - 1));
}

static void unit_figures(struct trainer *t, size_t unit, uint32_t *sort)
{
	size_t n = t->coded, d = (size_t)t->m->latent_dim;
	double sum = 0;
	for (size_t i = 0; i < n; i++) {
		sum += (double)t->code[i * d + unit];
		sort[i] = radix_key(t->code[i * d + unit]);
	}
	double mean = t->codes.mean[unit] = sum / (double)n;
	double *centred = t->centred + unit / TILE * n * TILE + unit % TILE;
	for (size_t i = 0; i < n; i++)
		centred[i * TILE] = (double)t->code[i * d + unit] - mean;
	radix_sort(sort, sort + n, n);
	take_quantiles(&t->codes, unit, sort + n, n);
}

static void units_task(void *ctx, int task, int slot)
{
	struct trainer *t = ctx;
	for (size_t unit = (size_t)task * TILE; unit < (size_t)(task + 1) * TILE; unit++)
		if (unit < (size_t)t->m->latent_dim)
			unit_figures(t, unit, t->sort[slot]);
}

/* --- covariance, a row of tiles a task ----------------------------------------------------------------------------------- */

/* sum over images of a[k] b[l], images ascending; a and b are [n][TILE]. */
static void tile_products(double ret[TILE][TILE], const double *a, const double *b, size_t n)
{
	pair sum[TILE][TILE / 2] = {0};
	for (size_t i = 0; i < n; i++)
		for (int k = 0; k < TILE; k++)
			for (int l = 0; l < TILE / 2; l++)
				sum[k][l] += a[i * TILE + (size_t)k] * ((const pair *)(b + i * TILE))[l];
	memcpy(ret, sum, sizeof sum);
}

static void cov_task(void *ctx, int task, int slot)
{
	(void)slot;
	struct trainer *t = ctx;
	size_t n = t->coded, d = (size_t)t->m->latent_dim, row = (size_t)task;
	double share = 1.0 / (double)(n > 1 ? n - 1 : 1);
	for (size_t col = row; col < columns(t->m->latent_dim) / TILE; col++) {
		double products[TILE][TILE];
		tile_products(products, t->centred + row * n * TILE, t->centred + col * n * TILE, n);
		for (size_t k = 0; k < TILE; k++)
			for (size_t l = 0; l < TILE; l++) {
				size_t i = row * TILE + k, j = col * TILE + l;
				if (i < d && j < d)
					t->codes.cov[i * d + j] = t->codes.cov[j * d + i] = products[k][l] * share;
			}
	}
}

void trainer_take_codes(struct trainer *t)
{
	int tiles = (int)(columns(t->m->latent_dim) / TILE);
	pool_run(t->pool, (int)((t->coded + SPAN_IMAGES - 1) / SPAN_IMAGES), encode_task, t);
	pool_run(t->pool, tiles, units_task, t);
	pool_run(t->pool, tiles, cov_task, t);
	code_stats_derive(&t->codes);
}

/* --- outside a trainer --------------------------------------------------------------------------------------------------- */

void code_stats_derive(struct code_stats *s)
{
	size_t d = (size_t)s->latent_dim;
	for (size_t i = 0; i < d; i++)
		s->std[i] = sqrt(s->cov[i * d + i]);
	memcpy(s->q01, s->quantile + d, d * sizeof *s->q01);
	memcpy(s->q99, s->quantile + (QUANTILES - 2) * d, d * sizeof *s->q99);
}

void code_stats_state(struct code_stats *c, struct state *s)
{
	int64_t d = c->latent_dim;
	state_add(s, "codes.mean", DTYPE_F64, 1, (int64_t[]){d}, c->mean);
	state_add(s, "codes.cov", DTYPE_F64, 2, (int64_t[]){d, d}, c->cov);
	state_add(s, "codes.quantiles", DTYPE_F64, 2, (int64_t[]){QUANTILES, d}, c->quantile);
}

static int reserve(struct code_stats *ret, int latent_dim, struct err *err)
{
	double *memory = calloc(stats_doubles(latent_dim), sizeof *memory);
	if (!memory)
		return err_set(err, ERR_NO_MEMORY, "no memory for the statistics of %d units", latent_dim);
	place(ret, memory, latent_dim);
	return OK;
}

int code_stats_load(struct code_stats *ret, const struct state *saved, int latent_dim, struct err *err)
{
	struct code_stats s;
	int code = reserve(&s, latent_dim, err);
	if (code)
		return code;
	struct state own = {0};
	code_stats_state(&s, &own);
	code = own.failed ? err_set(err, ERR_NO_MEMORY, "no memory for a list of tensors") : state_copy(&own, saved, err);
	state_free(&own);
	if (code) {
		code_stats_free(&s);
		return code;
	}
	code_stats_derive(&s);
	*ret = s;
	return OK;
}

int code_stats_copy(struct code_stats *ret, const struct code_stats *from, struct err *err)
{
	int code = reserve(ret, from->latent_dim, err);
	if (!code)
		memcpy(ret->mean, from->mean, stats_doubles(from->latent_dim) * sizeof *from->mean);
	return code;
}

void code_stats_free(struct code_stats *s)
{
	free(s->mean);
	*s = (struct code_stats){0};
}
