/* Max and average pooling between a big and a small map of as many channels (core/kern/kern.h). Taps that fall into the
 * padding are never read: no halo is needed. */
#include "core/kern/level.h"
#include "core/kern/vec.h"

#include <stddef.h>

/* The taps from..end - 1 of a window along one axis lie on the map; the first of them at map coordinate `at`. */
struct range {
	int from, end, at;
};

static struct range range_of(int small, int big_size, const struct conv *g)
{
	const int start = small * g->stride - g->padding;
	const int from = start < 0 ? -start : 0, end = big_size - start < g->kernel ? big_size - start : g->kernel;
	return (struct range){from, end, start + from};
}

/* One window, VW lanes; x is its first tap on the map. The first maximum in row order wins, and any NaN, as in PyTorch. */
ALWAYS_INLINE void max_window(
	real *y, real *tap, const real *x, ptrdiff_t row, struct range h, struct range w, int kernel)
{
	vec best = splat_v(-(real)INFINITY), at = splat_v((real)(h.from * kernel + w.from));
	for (int kh = h.from; kh < h.end; kh++, x += row)
		for (int kw = w.from; kw < w.end; kw++) {
			vec value = load_v(x + (kw - w.from) * LANES);
			vec_bits take = (value > best) | (value != value);
			best = select_v(take, value, best);
			at = select_v(take, splat_v((real)(kh * kernel + kw)), at);
		}
	store_v(y, best);
	if (tap)
		store_v(tap, at);
}

void KERN(max_pool)(real *small, real *tap, const real *big, const struct conv *g)
{
	const ptrdiff_t big_row = (ptrdiff_t)map_row(&g->big);
	for (int c = 0; c < g->small.c; c++)
		for (int y = 0; y < g->small.h; y++) {
			const struct range h = range_of(y, g->big.h, g);
			real *to = small + map_at(&g->small, c, y, 0);
			for (int x = 0; x < g->small.w; x++, to += LANES, tap += tap ? LANES : 0) {
				const struct range w = range_of(x, g->big.w, g);
				const real *from = big + map_at(&g->big, c, h.at, w.at);
				for (int lane = 0; lane < LANES; lane += VW)
					max_window(to + lane, tap ? tap + lane : NULL, from + lane, big_row, h, w, g->kernel);
			}
		}
}

static void clear(real *x, const struct map *m)
{
	for (int c = 0; c < m->c; c++)
		for (int y = 0; y < m->h; y++)
			memset(x + map_at(m, c, y, 0), 0, (size_t)m->w * LANES * sizeof *x);
}

/* Adds dy to the tap it came from. */
ALWAYS_INLINE void max_window_bwd(real *dx, vec dy, vec tap, ptrdiff_t row, struct range h, struct range w, int kernel)
{
	for (int kh = h.from; kh < h.end; kh++, dx += row)
		for (int kw = w.from; kw < w.end; kw++) {
			real *to = dx + (kw - w.from) * LANES;
			store_v(to, load_v(to) + select_v(tap == splat_v((real)(kh * kernel + kw)), dy, splat_v(0)));
		}
}

void KERN(max_pool_bwd)(real *dbig, const real *dsmall, const real *tap, const struct conv *g)
{
	const ptrdiff_t big_row = (ptrdiff_t)map_row(&g->big);
	clear(dbig, &g->big);
	for (int c = 0; c < g->small.c; c++)
		for (int y = 0; y < g->small.h; y++) {
			const struct range h = range_of(y, g->big.h, g);
			const real *dy = dsmall + map_at(&g->small, c, y, 0);
			for (int x = 0; x < g->small.w; x++, dy += LANES, tap += LANES) {
				const struct range w = range_of(x, g->big.w, g);
				real *dx = dbig + map_at(&g->big, c, h.at, w.at);
				for (int lane = 0; lane < LANES; lane += VW)
					max_window_bwd(dx + lane, load_v(dy + lane), load_v(tap + lane), big_row, h, w, g->kernel);
			}
		}
}

ALWAYS_INLINE vec window_sum(const real *x, ptrdiff_t row, struct range h, struct range w)
{
	vec sum = splat_v(0);
	for (int kh = h.from; kh < h.end; kh++, x += row)
		for (int kw = w.from; kw < w.end; kw++)
			sum += load_v(x + (kw - w.from) * LANES);
	return sum;
}

void KERN(avg_pool)(real *small, const real *big, const struct conv *g)
{
	const ptrdiff_t big_row = (ptrdiff_t)map_row(&g->big);
	const vec taps = splat_v((real)(g->kernel * g->kernel));
	for (int c = 0; c < g->small.c; c++)
		for (int y = 0; y < g->small.h; y++) {
			const struct range h = range_of(y, g->big.h, g);
			real *to = small + map_at(&g->small, c, y, 0);
			for (int x = 0; x < g->small.w; x++, to += LANES) {
				const struct range w = range_of(x, g->big.w, g);
				const real *from = big + map_at(&g->big, c, h.at, w.at);
				for (int lane = 0; lane < LANES; lane += VW)
					store_v(to + lane, window_sum(from + lane, big_row, h, w) / taps);
			}
		}
}

ALWAYS_INLINE void window_add(real *dx, vec share, ptrdiff_t row, struct range h, struct range w)
{
	for (int kh = h.from; kh < h.end; kh++, dx += row)
		for (int kw = w.from; kw < w.end; kw++) {
			real *to = dx + (kw - w.from) * LANES;
			store_v(to, load_v(to) + share);
		}
}

void KERN(avg_pool_bwd)(real *dbig, const real *dsmall, const struct conv *g)
{
	const ptrdiff_t big_row = (ptrdiff_t)map_row(&g->big);
	const vec taps = splat_v((real)(g->kernel * g->kernel));
	clear(dbig, &g->big);
	for (int c = 0; c < g->small.c; c++)
		for (int y = 0; y < g->small.h; y++) {
			const struct range h = range_of(y, g->big.h, g);
			const real *dy = dsmall + map_at(&g->small, c, y, 0);
			for (int x = 0; x < g->small.w; x++, dy += LANES) {
				const struct range w = range_of(x, g->big.w, g);
				real *dx = dbig + map_at(&g->big, c, h.at, w.at);
				for (int lane = 0; lane < LANES; lane += VW)
					window_add(dx + lane, load_v(dy + lane) / taps, big_row, h, w);
			}
		}
}
