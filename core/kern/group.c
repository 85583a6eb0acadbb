/* Group norm (core/kern/kern.h): every sample, that is every lane, has its own mean and deviation per group of channels. */
#include "core/kern/level.h"
#include "core/kern/vec.h"

#include <stddef.h>

enum { TILE_C = 8, TILE_PAIRS = 4 };

/* For one group: first channel, channels, and values per sample. */
struct span {
	int first, channels;
	real n;
};

static struct span span_of(const struct group_norm *g, const struct map *m, int group)
{
	const int channels = m->c / g->groups;
	return (struct span){group * channels, channels, (real)(channels * m->h * m->w)};
}

/* total + the sums of nc channels from c on, one after the other: of x or, with a centre, of (x - centre)^2. */
ALWAYS_INLINE vec add_channels(vec total, const real *x, const struct map *m, int c, const vec *centre, int nc)
{
	const ptrdiff_t plane = (ptrdiff_t)map_plane(m);
	vec acc[TILE_C];
	for (int i = 0; i < nc; i++)
		acc[i] = splat_v(0);
	for (int y = 0; y < m->h; y++) {
		const real *at = x + map_at(m, c, y, 0);
		for (int col = 0; col < m->w; col++, at += LANES)
			for (int i = 0; i < nc; i++) {
				vec value = load_v(at + i * plane);
				vec d = centre ? value - *centre : value;
				acc[i] = centre ? fma_v(d, d, acc[i]) : acc[i] + d;
			}
	}
	for (int i = 0; i < nc; i++)
		total += acc[i];
	return total;
}

ALWAYS_INLINE vec group_sum(const real *x, const struct map *m, const struct span *s, const vec *centre)
{
	vec total = splat_v(0);
	int c = s->first, end = s->first + s->channels;
	for (; end - c >= TILE_C; c += TILE_C)
		total = add_channels(total, x, m, c, centre, TILE_C);
	for (; c < end; c++)
		total = add_channels(total, x, m, c, centre, 1);
	return total;
}

/* y = ((x - mean) invstd) gamma + beta for one group, VW lanes. */
ALWAYS_INLINE void group_normalise(real *y, const struct map *y_map, const real *x, const struct map *x_map,
	const struct group_norm *g, const struct span *s, vec mean, vec invstd)
{
	for (int c = s->first; c < s->first + s->channels; c++) {
		const vec gamma = splat_v(g->gamma[c]), beta = splat_v(g->beta[c]);
		for (int row = 0; row < x_map->h; row++) {
			real *to = y + map_at(y_map, c, row, 0);
			const real *from = x + map_at(x_map, c, row, 0);
			for (ptrdiff_t i = 0; i < (ptrdiff_t)x_map->w * LANES; i += LANES)
				store_v(to + i, fma_v((load_v(from + i) - mean) * invstd, gamma, beta));
		}
	}
}

void KERN(group_fwd)(
	real *y, const struct map *y_map, const real *x, const struct map *x_map, const struct group_norm *g)
{
	for (int group = 0; group < g->groups; group++)
		for (int lane = 0; lane < LANES; lane += VW) {
			const struct span s = span_of(g, x_map, group);
			const vec n = splat_v(s.n);
			vec mean = group_sum(x + lane, x_map, &s, NULL) / n;
			vec variance = group_sum(x + lane, x_map, &s, &mean) / n;
			vec invstd = splat_v(1) / sqrt_v(variance + splat_v(g->eps));
			store_v(g->mean + (ptrdiff_t)group * LANES + lane, mean);
			store_v(g->invstd + (ptrdiff_t)group * LANES + lane, invstd);
			group_normalise(y + lane, y_map, x + lane, x_map, g, &s, mean, invstd);
		}
}

/* --- backward --- */

struct pair {
	const real *dy, *x;
	const struct map *dy_map, *x_map;
};

/* What one group needs of its sums: per lane, sum of gamma dy and sum of gamma dy xhat. */
struct group_sums {
	real plain[LANES], product[LANES];
} __attribute__((aligned(64)));

/* Per lane and for nc channels from c on: sums of dy, and of dy xhat. */
ALWAYS_INLINE void pair_sums(
	real sum[][LANES], const struct pair *p, int c, const real *group_mean, const real *group_invstd, int nc)
{
	const ptrdiff_t dy_plane = (ptrdiff_t)map_plane(p->dy_map), x_plane = (ptrdiff_t)map_plane(p->x_map);
	for (int lane = 0; lane < LANES; lane += VW) {
		const vec mean = load_v(group_mean + lane), invstd = load_v(group_invstd + lane);
		vec plain[TILE_PAIRS], product[TILE_PAIRS];
		for (int i = 0; i < nc; i++)
			plain[i] = product[i] = splat_v(0);
		for (int y = 0; y < p->x_map->h; y++) {
			const real *dy = p->dy + map_at(p->dy_map, c, y, 0) + lane, *x = p->x + map_at(p->x_map, c, y, 0) + lane;
			for (int col = 0; col < p->x_map->w; col++, dy += LANES, x += LANES)
				for (int i = 0; i < nc; i++) {
					vec slope = load_v(dy + i * dy_plane);
					plain[i] += slope;
					product[i] = fma_v(slope, load_v(x + i * x_plane) - mean, product[i]);
				}
		}
		for (int i = 0; i < nc; i++) {
			store_v(sum[i] + lane, plain[i]);
			store_v(sum[nc + i] + lane, product[i] * invstd);
		}
	}
}

/* Takes nc channels into the group's sums, in order, and into the gradients of gamma and beta. */
ALWAYS_INLINE void bwd_sums(
	struct group_sums *sums, const struct pair *p, const struct group_norm *g, int group, int c, int nc)
{
	const ptrdiff_t at = (ptrdiff_t)group * LANES;
	real lane[2 * TILE_PAIRS][LANES] __attribute__((aligned(64)));
	pair_sums(lane, p, c, g->mean + at, g->invstd + at, nc);
	for (int i = 0; i < nc; i++)
		for (int l = 0; l < LANES; l += VW) {
			const vec gamma = splat_v(g->gamma[c + i]);
			store_v(sums->plain + l, fma_v(gamma, load_v(lane[i] + l), load_v(sums->plain + l)));
			store_v(sums->product + l, fma_v(gamma, load_v(lane[nc + i] + l), load_v(sums->product + l)));
		}
	if (!g->dgamma)
		return;
	real sum[2 * TILE_PAIRS];
	fold_rows(sum, lane, 2 * nc);
	for (int i = 0; i < nc; i++) {
		g->dbeta[c + i] += sum[i];
		g->dgamma[c + i] += sum[nc + i];
	}
}

/* dx = invstd (gamma dy - (plain + xhat product) / n) for one group, VW lanes. */
ALWAYS_INLINE void bwd_values(real *dx, const struct map *dx_map, const struct pair *p, const struct group_norm *g,
	const struct group_sums *sums, int group, int lane)
{
	const struct span s = span_of(g, p->x_map, group);
	const vec mean = load_v(g->mean + (ptrdiff_t)group * LANES + lane);
	const vec invstd = load_v(g->invstd + (ptrdiff_t)group * LANES + lane);
	const vec plain = load_v(sums->plain + lane) / splat_v(s.n), product = load_v(sums->product + lane) / splat_v(s.n);
	for (int c = s.first; c < s.first + s.channels; c++) {
		const vec gamma = splat_v(g->gamma[c]);
		for (int row = 0; row < p->x_map->h; row++) {
			real *to = dx + map_at(dx_map, c, row, 0) + lane;
			const real *dy = p->dy + map_at(p->dy_map, c, row, 0) + lane;
			const real *x = p->x + map_at(p->x_map, c, row, 0) + lane;
			for (ptrdiff_t i = 0; i < (ptrdiff_t)p->x_map->w * LANES; i += LANES) {
				vec xhat = (load_v(x + i) - mean) * invstd;
				store_v(to + i, invstd * (gamma * load_v(dy + i) - fma_v(xhat, product, plain)));
			}
		}
	}
}

void KERN(group_bwd)(real *dx, const struct map *dx_map, const real *dy, const struct map *dy_map, const real *x,
	const struct map *x_map, const struct group_norm *g)
{
	const struct pair p = {dy, x, dy_map, x_map};
	for (int group = 0; group < g->groups; group++) {
		const struct span s = span_of(g, x_map, group);
		struct group_sums sums = {{0}, {0}};
		int c = s.first, end = s.first + s.channels;
		for (; end - c >= TILE_PAIRS; c += TILE_PAIRS)
			bwd_sums(&sums, &p, g, group, c, TILE_PAIRS);
		for (; c < end; c++)
			bwd_sums(&sums, &p, g, group, c, 1);
		for (int lane = 0; dx && lane < LANES; lane += VW)
			bwd_values(dx, dx_map, &p, g, &sums, group, lane);
	}
}
