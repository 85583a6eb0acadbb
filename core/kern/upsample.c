/* Up-sampling by a whole factor (core/kern/kern.h).
 *
 * Bilinear: pixels of the big row whose coordinates agree modulo the factor have the same two weights and reach the same
 * two neighbours of their small pixel; one such set is a phase, so weights are worked out once per phase. */
#include "core/kern/level.h"
#include "core/kern/vec.h"

#include <stddef.h>

static int clamp(int at, int size)
{
	return at < 0 ? 0 : at < size ? at : size - 1;
}

static int factor_of(const struct map *big, const struct map *small)
{
	return big->h / small->h;
}

/* --- nearest --- */

void KERN(up_nearest)(real *big, const struct map *big_map, const real *small, const struct map *small_map)
{
	const int f = factor_of(big_map, small_map);
	for (int c = 0; c < big_map->c; c++)
		for (int y = 0; y < big_map->h; y++) {
			real *to = big + map_at(big_map, c, y, 0);
			const real *from = small + map_at(small_map, c, y / f, 0);
			for (int x = 0; x < small_map->w; x++, from += LANES)
				for (int i = 0; i < f; i++, to += LANES)
					memcpy(to, from, LANES * sizeof *to);
		}
}

void KERN(up_nearest_bwd)(real *dsmall, const struct map *small_map, const real *dbig, const struct map *big_map)
{
	const int f = factor_of(big_map, small_map);
	const ptrdiff_t row = (ptrdiff_t)map_row(big_map);
	for (int c = 0; c < small_map->c; c++)
		for (int y = 0; y < small_map->h; y++)
			for (int x = 0; x < small_map->w; x++)
				for (int lane = 0; lane < LANES; lane += VW) {
					const real *from = dbig + map_at(big_map, c, y * f, x * f) + lane;
					vec sum = splat_v(0);
					for (int ky = 0; ky < f; ky++)
						for (int kx = 0; kx < f; kx++)
							sum += load_v(from + ky * row + kx * LANES);
					store_v(dsmall + map_at(small_map, c, y, x) + lane, sum);
				}
}

/* --- bilinear --- */

/* Big coordinates j f + p read small ones j + before and j + before + 1, with these weights. */
struct phase {
	int before;
	real weight[2];
};

/* The pixel's centre in small coordinates is (p + .5) / f - .5 away from j; doubled and times f it is whole. */
static struct phase phase_of(int p, int f)
{
	int offset = 2 * p + 1 - f;
	struct phase at = {.before = offset < 0 ? -1 : 0};
	at.weight[1] = (real)(offset < 0 ? offset + 2 * f : offset) / (real)(2 * f);
	at.weight[0] = 1 - at.weight[1];
	return at;
}

/* The two small rows or columns, moved to the edge where they lie beyond. */
struct near {
	int at[2];
};

static struct near near_of(int j, const struct phase *p, int size)
{
	return (struct near){{clamp(j + p->before, size), clamp(j + p->before + 1, size)}};
}

/* One big row, all phases: to[x] from the small rows `upper` and `lower`. */
ALWAYS_INLINE void bilinear_row(
	real *to, const real *upper, const real *lower, const real weight[2], const struct map *small, int f)
{
	for (int p = 0; p < f; p++) {
		const struct phase px = phase_of(p, f);
		const vec w0 = splat_v(px.weight[0]), w1 = splat_v(px.weight[1]), h0 = splat_v(weight[0]),
				  h1 = splat_v(weight[1]);
		for (int j = 0; j < small->w; j++) {
			const struct near x = near_of(j, &px, small->w);
			const ptrdiff_t left = x.at[0] * LANES, right = x.at[1] * LANES;
			for (int lane = 0; lane < LANES; lane += VW) {
				vec above = fma_v(w1, load_v(upper + right + lane), w0 * load_v(upper + left + lane));
				vec below = fma_v(w1, load_v(lower + right + lane), w0 * load_v(lower + left + lane));
				store_v(to + (j * f + p) * LANES + lane, fma_v(h1, below, h0 * above));
			}
		}
	}
}

void KERN(up_bilinear)(real *big, const struct map *big_map, const real *small, const struct map *small_map)
{
	const int f = factor_of(big_map, small_map);
	for (int c = 0; c < big_map->c; c++)
		for (int y = 0; y < big_map->h; y++) {
			const struct phase py = phase_of(y % f, f);
			const struct near rows = near_of(y / f, &py, small_map->h);
			bilinear_row(big + map_at(big_map, c, y, 0), small + map_at(small_map, c, rows.at[0], 0),
				small + map_at(small_map, c, rows.at[1], 0), py.weight, small_map, f);
		}
}

ALWAYS_INLINE void add_to(real *x, vec weight, vec value)
{
	store_v(x, fma_v(weight, value, load_v(x)));
}

/* The transpose of bilinear_row. Edge pixels reach one small pixel twice: every addition is a load and a store. */
ALWAYS_INLINE void bilinear_row_bwd(
	real *upper, real *lower, const real *from, const real weight[2], const struct map *small, int f)
{
	for (int p = 0; p < f; p++) {
		const struct phase px = phase_of(p, f);
		const vec w0 = splat_v(px.weight[0]), w1 = splat_v(px.weight[1]), h0 = splat_v(weight[0]),
				  h1 = splat_v(weight[1]);
		for (int j = 0; j < small->w; j++) {
			const struct near x = near_of(j, &px, small->w);
			const ptrdiff_t left = x.at[0] * LANES, right = x.at[1] * LANES;
			for (int lane = 0; lane < LANES; lane += VW) {
				vec dy = load_v(from + (j * f + p) * LANES + lane), above = h0 * dy, below = h1 * dy;
				add_to(upper + left + lane, w0, above);
				add_to(upper + right + lane, w1, above);
				add_to(lower + left + lane, w0, below);
				add_to(lower + right + lane, w1, below);
			}
		}
	}
}

void KERN(up_bilinear_bwd)(real *dsmall, const struct map *small_map, const real *dbig, const struct map *big_map)
{
	const int f = factor_of(big_map, small_map);
	for (int c = 0; c < small_map->c; c++) {
		for (int y = 0; y < small_map->h; y++)
			memset(dsmall + map_at(small_map, c, y, 0), 0, (size_t)small_map->w * LANES * sizeof *dsmall);
		for (int y = 0; y < big_map->h; y++) {
			const struct phase py = phase_of(y % f, f);
			const struct near rows = near_of(y / f, &py, small_map->h);
			bilinear_row_bwd(dsmall + map_at(small_map, c, rows.at[0], 0), dsmall + map_at(small_map, c, rows.at[1], 0),
				dbig + map_at(big_map, c, y, 0), py.weight, small_map, f);
		}
	}
}
