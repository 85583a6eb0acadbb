/* Pairs of points (core/kern/kern.h): distances between rows, and the two forces of t-SNE. Lanes are points. */
#include "core/kern/level.h"
#include "core/kern/vec.h"

#include <stddef.h>

/* --- distances ---------------------------------------------------------------------------------------------------------- */

enum { TILE_PAIRS = 8 }; /* rows against a block at once: their sums are in registers */

ALWAYS_INLINE void distances_tile(real *square, const real *rows, const real *block, int d, int n)
{
	for (int lane = 0; lane < LANES; lane += VW) {
		vec sum[TILE_PAIRS];
		for (int r = 0; r < n; r++)
			sum[r] = splat_v(0);
		for (int i = 0; i < d; i++) {
			const vec other = keep_v(load_v(block + i * LANES + lane));
			for (int r = 0; r < n; r++) {
				const vec off = splat_v(rows[(ptrdiff_t)r * d + i]) - other;
				sum[r] = fma_v(off, off, sum[r]);
			}
		}
		for (int r = 0; r < n; r++)
			store_v(square + r * LANES + lane, sum[r]);
	}
}

void KERN(distances)(real *square, const real *rows, int n, const real *block, int d)
{
	int r = 0;
	for (; n - r >= TILE_PAIRS; r += TILE_PAIRS)
		distances_tile(square + r * LANES, rows + (ptrdiff_t)r * d, block, d, TILE_PAIRS);
	for (; r < n; r++)
		distances_tile(square + r * LANES, rows + (ptrdiff_t)r * d, block, d, 1);
}

/* --- repulsion ---------------------------------------------------------------------------------------------------------- */

struct forces_vec {
	vec z, x, y;
};

ALWAYS_INLINE struct forces_vec repel_point(struct forces_vec f, vec x, vec y, real at_x, real at_y)
{
	const vec dx = x - splat_v(at_x), dy = y - splat_v(at_y), one = splat_v(1);
	const vec q = one / fma_v(dx, dx, fma_v(dy, dy, one)), qq = q * q;
	return (struct forces_vec){f.z + q, fma_v(qq, dx, f.x), fma_v(qq, dy, f.y)};
}

ALWAYS_INLINE struct forces_vec repel_mass(struct forces_vec f, vec x, vec y, const struct mass *m)
{
	const vec dx = x - splat_v(m->x), dy = y - splat_v(m->y), one = splat_v(1), n = splat_v(m->n);
	const vec trace = splat_v(m->trace), xy = splat_v(m->xy);
	const vec q = one / fma_v(dx, dx, fma_v(dy, dy, one)), qq = q * q;
	const vec turned_x = fma_v(splat_v(m->xx), dx, xy * dy), turned_y = fma_v(xy, dx, splat_v(m->yy) * dy);
	const vec t = q * fma_v(dx, turned_x, dy * turned_y);
	const vec along = qq * fma_v(q, fma_v(splat_v(3), t, splat_v(-2) * trace), n), across = -(qq * q);
	f.z = fma_v(q, fma_v(q, t - trace, n), f.z);
	f.x = fma_v(across, turned_x, fma_v(along, dx, f.x));
	f.y = fma_v(across, turned_y, fma_v(along, dy, f.y));
	return f;
}

void KERN(repel)(struct forces *ret, const real *block, const struct mass *masses, const uint32_t *far, int nfar,
	const real *blocks, const uint32_t *near, int nnear)
{
	for (int lane = 0; lane < LANES; lane += VW) {
		const vec x = load_v(block + lane), y = load_v(block + LANES + lane);
		struct forces_vec f = {splat_v(0), splat_v(0), splat_v(0)};
		for (int i = 0; i < nfar; i++)
			f = repel_mass(f, x, y, &masses[far[i]]);
		for (int i = 0; i < nnear; i++) {
			const real *other = blocks + (size_t)near[i] * 2 * LANES;
			for (int l = 0; l < LANES; l++)
				f = repel_point(f, x, y, other[l], other[LANES + l]);
		}
		store_v(ret->z + lane, f.z);
		store_v(ret->x + lane, f.x);
		store_v(ret->y + lane, f.y);
	}
}

/* --- attraction --------------------------------------------------------------------------------------------------------- */

#if VEC_BYTES > 16 && !defined(LATENTD_DOUBLE)
/* To the loads a point is a double: two vectors of VW / 2 of them, then evens and odds. */
typedef double vec_points __attribute__((vector_size(VEC_BYTES)));

ALWAYS_INLINE double point_at(const real *map, uint32_t i)
{
	double point;
	memcpy(&point, map + 2 * (size_t)i, sizeof point);
	return point;
}

ALWAYS_INLINE vec_points points_at(const real *map, const uint32_t *i)
{
#define POINT(l, h) point_at(map, i[l])
#if VEC_BYTES == 64
	return (vec_points){EACH_8(POINT, 0, 0)};
#else
	return (vec_points){EACH_4(POINT, 0, 0)};
#endif
#undef POINT
}

/* x and y of VW points, which lie in pairs. */
ALWAYS_INLINE void gather_points(vec *ret_x, vec *ret_y, const real *map, const uint32_t *index)
{
	const vec low = (vec)points_at(map, index), high = (vec)points_at(map, index + VW / 2);
#define EVEN(i, h) 2 * (i)
#define ODD(i, h) 2 * (i) + 1
	*ret_x = SHUFFLE_V(low, high, EVEN, 0);
	*ret_y = SHUFFLE_V(low, high, ODD, 0);
#undef EVEN
#undef ODD
}
#else
ALWAYS_INLINE void gather_points(vec *ret_x, vec *ret_y, const real *map, const uint32_t *index)
{
	vec x = splat_v(0), y = splat_v(0);
	for (int l = 0; l < VW; l++) {
		x[l] = map[2 * (size_t)index[l]];
		y[l] = map[2 * (size_t)index[l] + 1];
	}
	*ret_x = x;
	*ret_y = y;
}
#endif

void KERN(attract)(real ret[3], const real *map, const real at[2], const uint32_t *index, const real *p, int n)
{
	enum { PARTS = LANES / VW };
	vec fx[PARTS], fy[PARTS], logs[PARTS];
	const vec one = splat_v(1), x = splat_v(at[0]), y = splat_v(at[1]);
	for (int i = 0; i < PARTS; i++)
		fx[i] = fy[i] = logs[i] = splat_v(0);
	for (int e = 0; e < n; e += LANES)
		for (int i = 0; i < PARTS; i++) {
			vec other_x, other_y;
			gather_points(&other_x, &other_y, map, index + e + i * VW);
			const vec dx = x - other_x, dy = y - other_y, weight = load_v(p + e + i * VW);
			const vec u = fma_v(dx, dx, fma_v(dy, dy, one)), pull = weight / u;
			fx[i] = fma_v(pull, dx, fx[i]);
			fy[i] = fma_v(pull, dy, fy[i]);
			logs[i] = fma_v(weight, log_v(u), logs[i]);
		}
	real lane[3][LANES];
	for (int i = 0; i < PARTS; i++) {
		store_v(lane[0] + i * VW, fx[i]);
		store_v(lane[1] + i * VW, fy[i]);
		store_v(lane[2] + i * VW, logs[i]);
	}
	for (int k = 0; k < 3; k++)
		ret[k] = fold_lanes(lane[k]);
}
