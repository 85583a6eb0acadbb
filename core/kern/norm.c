/* Batch norm in pieces (core/kern/kern.h): moments of a block, scale and shift, and the two passes back. What needs the
 * whole batch, and that is little, is worked out between them in double by the caller.
 *
 * Several channels go side by side, each its own chain of additions: one alone would wait for every sum. */
#include "core/kern/level.h"
#include "core/kern/vec.h"

#include <stddef.h>

enum { TILE_C = 8, TILE_PAIRS = 4 };

/* Per lane and for nc channels from x on: sums of x or, with a centre, of (x - centre)^2. Unused lanes are 0. */
ALWAYS_INLINE void lane_sums(
	real sum[][LANES], const real *x, const struct map *m, const real *centre, int lanes, int nc)
{
	const ptrdiff_t plane = (ptrdiff_t)map_plane(m);
	for (int lane = 0; lane < LANES; lane += VW) {
		vec acc[TILE_C];
		for (int i = 0; i < nc; i++)
			acc[i] = splat_v(0);
		for (int y = 0; y < m->h; y++) {
			const real *at = x + map_at(m, 0, y, 0) + lane;
			for (int col = 0; col < m->w; col++, at += LANES)
				for (int i = 0; i < nc; i++) {
					vec value = load_v(at + i * plane);
					vec d = centre ? value - splat_v(centre[i]) : value;
					acc[i] = centre ? fma_v(d, d, acc[i]) : acc[i] + d;
				}
		}
		for (int i = 0; i < nc; i++)
			store_v(sum[i] + lane, select_v(lanes_below(lanes, lane), acc[i], splat_v(0)));
	}
}

ALWAYS_INLINE void moments_tile(real *mean, real *m2, const real *x, const struct map *m, int lanes, int nc)
{
	const real n = (real)(lanes * m->h * m->w);
	real sum[TILE_C][LANES] __attribute__((aligned(64))), centre[TILE_C], square[TILE_C];
	lane_sums(sum, x, m, NULL, lanes, nc);
	fold_rows(centre, sum, nc);
	for (int i = 0; i < nc; i++)
		mean[i] = centre[i] = centre[i] / n;
	lane_sums(sum, x, m, centre, lanes, nc);
	fold_rows(square, sum, nc);
	for (int i = 0; i < nc; i++)
		m2[i] = square[i];
}

void KERN(moments)(real *mean, real *m2, const real *x, const struct map *m, int lanes)
{
	const size_t plane = map_plane(m);
	int c = 0;
	for (; m->c - c >= TILE_C; c += TILE_C)
		moments_tile(mean + c, m2 + c, x + (size_t)c * plane, m, lanes, TILE_C);
	for (; c < m->c; c++)
		moments_tile(mean + c, m2 + c, x + (size_t)c * plane, m, lanes, 1);
}

void KERN(affine)(
	real *y, const struct map *y_map, const real *x, const struct map *x_map, const real *scale, const real *shift)
{
	for (int c = 0; c < x_map->c; c++) {
		const vec factor = splat_v(scale[c]), offset = splat_v(shift[c]);
		for (int row = 0; row < x_map->h; row++) {
			real *to = y + map_at(y_map, c, row, 0);
			const real *from = x + map_at(x_map, c, row, 0);
			for (ptrdiff_t i = 0; i < (ptrdiff_t)x_map->w * LANES; i += VW)
				store_v(to + i, fma_v(load_v(from + i), factor, offset));
		}
	}
}

/* Two views of the same block: a gradient and the value it belongs to, whose halos may differ. */
struct pair {
	const real *dy, *x;
	const struct map *dy_map, *x_map;
};

/* Per lane and for nc channels from c on: sums of dy, then of dy (x - mean). */
ALWAYS_INLINE void pair_sums(real sum[][LANES], const struct pair *p, int c, const real *mean, int nc)
{
	const ptrdiff_t dy_plane = (ptrdiff_t)map_plane(p->dy_map), x_plane = (ptrdiff_t)map_plane(p->x_map);
	for (int lane = 0; lane < LANES; lane += VW) {
		vec plain[TILE_PAIRS], product[TILE_PAIRS];
		for (int i = 0; i < nc; i++)
			plain[i] = product[i] = splat_v(0);
		for (int y = 0; y < p->x_map->h; y++) {
			const real *dy = p->dy + map_at(p->dy_map, c, y, 0) + lane, *x = p->x + map_at(p->x_map, c, y, 0) + lane;
			for (int col = 0; col < p->x_map->w; col++, dy += LANES, x += LANES)
				for (int i = 0; i < nc; i++) {
					vec slope = load_v(dy + i * dy_plane);
					plain[i] += slope;
					product[i] = fma_v(slope, load_v(x + i * x_plane) - splat_v(mean[i]), product[i]);
				}
		}
		for (int i = 0; i < nc; i++) {
			store_v(sum[i] + lane, plain[i]);
			store_v(sum[nc + i] + lane, product[i]);
		}
	}
}

ALWAYS_INLINE void norm_sums_tile(
	real *sum_dy, real *sum_dy_xhat, const struct pair *p, int c, const real *mean, const real *invstd, int nc)
{
	real lane[2 * TILE_PAIRS][LANES] __attribute__((aligned(64))), sum[2 * TILE_PAIRS];
	pair_sums(lane, p, c, mean, nc);
	fold_rows(sum, lane, 2 * nc);
	for (int i = 0; i < nc; i++) {
		sum_dy[i] += sum[i];
		sum_dy_xhat[i] += sum[nc + i] * invstd[i];
	}
}

void KERN(norm_sums)(real *sum_dy, real *sum_dy_xhat, const real *dy, const struct map *dy_map, const real *x,
	const struct map *x_map, const real *mean, const real *invstd)
{
	const struct pair p = {dy, x, dy_map, x_map};
	int c = 0;
	for (; x_map->c - c >= TILE_PAIRS; c += TILE_PAIRS)
		norm_sums_tile(sum_dy + c, sum_dy_xhat + c, &p, c, mean + c, invstd + c, TILE_PAIRS);
	for (; c < x_map->c; c++)
		norm_sums_tile(sum_dy + c, sum_dy_xhat + c, &p, c, mean + c, invstd + c, 1);
}

void KERN(norm_bwd)(real *dx, const struct map *dx_map, const real *dy, const struct map *dy_map, const real *x,
	const struct map *x_map, const real *a, const real *b, const real *c0, int lanes)
{
	vec_bits used[LANES / VW];
	for (int lane = 0; lane < LANES; lane += VW)
		used[lane / VW] = lanes_below(lanes, lane);
	for (int c = 0; c < x_map->c; c++) {
		const vec of_dy = splat_v(a[c]), of_x = splat_v(b[c]), offset = splat_v(c0[c]);
		for (int row = 0; row < x_map->h; row++) {
			real *to = dx + map_at(dx_map, c, row, 0);
			const real *slope = dy + map_at(dy_map, c, row, 0), *from = x + map_at(x_map, c, row, 0);
			for (ptrdiff_t i = 0; i < (ptrdiff_t)x_map->w * LANES; i += LANES)
				for (int lane = 0; lane < LANES; lane += VW) {
					ptrdiff_t at = i + lane;
					vec value = fma_v(of_dy, load_v(slope + at), fma_v(of_x, load_v(from + at), offset));
					store_v(to + at, select_v(used[lane / VW], value, splat_v(0)));
				}
		}
	}
}
