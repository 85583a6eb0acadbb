/* Convolutions between a big and a small map (core/kern/kern.h).
 *
 * Both directions are one loop. An output element is a sum over the channels of the other map and over a rectangle of
 * taps; struct walk says how far apart those lie in memory. Going down, all pixels share one rectangle. Going up,
 * pixels whose coordinates agree modulo the stride do: they form a phase with every stride-th tap. Zero halos make all
 * taps readable; whole rows of them are left out. */
#include "core/kern/level.h"
#include "core/kern/vec.h"

#include <stddef.h>

/* Register tiles. Outputs: so many channels by at most so many pixels; a row of the table per count of channels, each
 * as large as the registers hold. Weight gradients: small channels by taps. */
#if VEC_BYTES == 64
#define OUTPUT_TILES(X) X(8, 3) X(4, 6) X(2, 7)
#define WINDOW_TILES(X) X(14) X(7) X(4) X(2) X(1)
enum { TILE_MAX = 24, WINDOW_WIDEST = 14 };
#else
#define OUTPUT_TILES(X) X(4, 3) X(2, 4)
#define WINDOW_TILES(X) X(7) X(4) X(2) X(1)
enum { TILE_MAX = 12, WINDOW_WIDEST = 7 };
#endif
#define WINDOW_COLS(X) X(1) X(2) X(3) X(4)
enum { TILE_WIDEST = 7, COLS_KNOWN = 4 };

/* Distances are in reals. */
struct walk {
	int channels, tap_rows, tap_cols; /* what is summed over, in this order */
	ptrdiff_t in_channel, in_row, in_col;
	ptrdiff_t w_channel, w_row, w_col;
	ptrdiff_t in_x, out_x;        /* one output pixel to the right */
	ptrdiff_t out_channel, w_out; /* one output channel on */
};

/* nc channels x nx pixels of one output row, VW lanes. */
ALWAYS_INLINE void tile(
	real *out, const real *in, const real *w, const real *bias, const struct walk *k, int nc, int nx)
{
	vec sum[TILE_MAX];
	for (int c = 0; c < nc; c++)
		for (int x = 0; x < nx; x++)
			sum[c * nx + x] = splat_v(bias ? bias[c] : 0);
	for (int i = 0; i < k->channels; i++, in += k->in_channel, w += k->w_channel) {
		const real *in_row = in, *w_row = w;
		for (int row = 0; row < k->tap_rows; row++, in_row += k->in_row, w_row += k->w_row) {
			const real *from = in_row, *weight = w_row;
			for (int col = 0; col < k->tap_cols; col++, from += k->in_col, weight += k->w_col) {
				vec value[TILE_WIDEST];
				for (int x = 0; x < nx; x++)
					value[x] = load_v(from + x * k->in_x);
				for (int c = 0; c < nc; c++) {
					vec factor = splat_v(weight[c * k->w_out]);
					for (int x = 0; x < nx; x++)
						sum[c * nx + x] = fma_v(value[x], factor, sum[c * nx + x]);
				}
			}
		}
	}
	for (int c = 0; c < nc; c++)
		for (int x = 0; x < nx; x++)
			store_v(out + c * k->out_channel + x * k->out_x, sum[c * nx + x]);
}

/* One channel x nx pixels, where one pixel on in the output is one tap on in the input: taps share what they load. */
ALWAYS_INLINE void window_tile(
	real *out, const real *in, const real *w, const real *bias, const struct walk *k, int nx, int cols)
{
	vec sum[WINDOW_WIDEST];
	for (int x = 0; x < nx; x++)
		sum[x] = splat_v(bias ? bias[0] : 0);
	for (int i = 0; i < k->channels; i++, in += k->in_channel, w += k->w_channel) {
		const real *from = in, *weight = w;
		for (int row = 0; row < k->tap_rows; row++, from += k->in_row, weight += k->w_row) {
			vec value[WINDOW_WIDEST + COLS_KNOWN - 1];
			for (int x = 0; x < nx + cols - 1; x++)
				value[x] = keep_v(load_v(from + x * k->in_x));
			for (int col = 0; col < cols; col++) {
				vec factor = splat_v(weight[col * k->w_col]);
				for (int x = 0; x < nx; x++)
					sum[x] = fma_v(value[x + col], factor, sum[x]);
			}
		}
	}
	for (int x = 0; x < nx; x++)
		store_v(out + x * k->out_x, sum[x]);
}

ALWAYS_INLINE void window_row(
	real *out, const real *in, const real *w, const real *bias, const struct walk *k, int n, int cols)
{
	int x = 0;
#define X(nx)                    \
	for (; n - x >= nx; x += nx) \
		window_tile(out + x * k->out_x, in + x * k->in_x, w, bias, k, nx, cols);
	WINDOW_TILES(X)
#undef X
}

/* nc channels of one output row of n pixels, VW lanes: tiles of `widest` pixels, and a rest that is cut evenly, since a
 * single pixel keeps few multipliers busy. */
ALWAYS_INLINE void row(
	real *out, const real *in, const real *w, const real *bias, const struct walk *k, int n, int nc, int widest)
{
	int x = 0;
	for (; n - x >= widest && n - x != widest + 1; x += widest)
		tile(out + x * k->out_x, in + x * k->in_x, w, bias, k, nc, widest);
	for (; widest > 4 && n - x >= 4; x += 4)
		tile(out + x * k->out_x, in + x * k->in_x, w, bias, k, nc, 4);
	for (; n - x >= 2; x += 2)
		tile(out + x * k->out_x, in + x * k->in_x, w, bias, k, nc, 2);
	if (x < n)
		tile(out + x * k->out_x, in + x * k->in_x, w, bias, k, nc, 1);
}

/* One output row of n pixels in channels c, c + 1, …; nc at a time. */
ALWAYS_INLINE int tiled(
	real *out, const real *in, const real *w, const real *bias, const struct walk *k, int n, int channels)
{
	int c = 0;
#define X(nc, widest)                                \
	for (; channels - c >= nc; c += nc)              \
		for (int lane = 0; lane < LANES; lane += VW) \
			row(out + c * k->out_channel + lane, in + lane, w + c * k->w_out, bias ? bias + c : NULL, k, n, nc, widest);
	OUTPUT_TILES(X)
#undef X
	return c;
}

/* The same for a single channel. */
static void single(real *out, const real *in, const real *w, const real *bias, const struct walk *k, int n)
{
	for (int lane = 0; lane < LANES; lane += VW) {
#define X(cols)                                                 \
	if (k->tap_cols == cols && k->in_x == k->in_col) {          \
		window_row(out + lane, in + lane, w, bias, k, n, cols); \
		continue;                                               \
	}
		WINDOW_COLS(X)
#undef X
		row(out + lane, in + lane, w, bias, k, n, 1, TILE_WIDEST);
	}
}

/* With the rectangle of taps as a constant where it is so small that the loops around it would cost more: the phases of
 * kernels up to 4 at stride 2. */
#define TAP_SHAPES(X) X(1, 1) X(1, 2) X(2, 1) X(2, 2)

ALWAYS_INLINE int tiled_by_shape(
	real *out, const real *in, const real *w, const real *bias, const struct walk *k, int n, int channels)
{
#define X(rows, cols)                                        \
	if (k->tap_rows == rows && k->tap_cols == cols) {        \
		struct walk known = *k;                              \
		known.tap_rows = rows;                               \
		known.tap_cols = cols;                               \
		return tiled(out, in, w, bias, &known, n, channels); \
	}
	TAP_SHAPES(X)
#undef X
	return tiled(out, in, w, bias, k, n, channels);
}

/* One output row of n pixels in all its channels. */
static void all_channels(
	real *out, const real *in, const real *w, const real *bias, const struct walk *k, int n, int channels)
{
	int c = tiled_by_shape(out, in, w, bias, k, n, channels);
	if (c < channels)
		single(out + c * k->out_channel, in, w + c * k->w_out, bias ? bias + c : NULL, k, n);
}

void KERN(conv_down)(real *small, const real *big, const real *w, const real *bias, const struct conv *g)
{
	const ptrdiff_t taps = (ptrdiff_t)g->kernel * g->kernel;
	struct walk k = {
		.channels = g->big.c,
		.tap_cols = g->kernel,
		.in_channel = (ptrdiff_t)map_plane(&g->big),
		.in_row = (ptrdiff_t)map_row(&g->big),
		.in_col = LANES,
		.w_channel = taps,
		.w_row = g->kernel,
		.w_col = 1,
		.in_x = g->stride * LANES,
		.out_x = LANES,
		.out_channel = (ptrdiff_t)map_plane(&g->small),
		.w_out = g->big.c * taps,
	};
	for (int y = 0; y < g->small.h; y++) {
		const int top = y * g->stride - g->padding; /* of the taps; rows of them that lie in the halo add nothing */
		const int first = top < 0 ? -top : 0;
		k.tap_rows = (g->big.h - top < g->kernel ? g->big.h - top : g->kernel) - first;
		all_channels(small + map_at(&g->small, 0, y, 0), big + map_at(&g->big, 0, top + first, -g->padding),
			w + (ptrdiff_t)first * g->kernel, bias, &k, g->small.w, g->small.c);
	}
}

/* Along one axis: the taps that reach the big coordinate `at`, and where in small the first of them lands. */
struct phase {
	int first, count; /* taps first, first + stride, … */
	int from;         /* small coordinate of tap `first`; each further tap lies one before */
};

static struct phase phase_of(int at, const struct conv *g)
{
	int first = (at + g->padding) % g->stride;
	int count = first < g->kernel ? (g->kernel - 1 - first) / g->stride + 1 : 0;
	return (struct phase){first, count, (at + g->padding) / g->stride};
}

/* Each phase's row from right to left: so taps and pixels go the same way in small. */
void KERN(conv_up)(real *big, const real *small, const real *w, const real *bias, const struct conv *g)
{
	const int s = g->stride;
	const ptrdiff_t taps = (ptrdiff_t)g->kernel * g->kernel;
	struct walk k = {
		.channels = g->small.c,
		.in_channel = (ptrdiff_t)map_plane(&g->small),
		.in_row = -(ptrdiff_t)map_row(&g->small),
		.in_col = -LANES,
		.w_channel = g->big.c * taps,
		.w_row = (ptrdiff_t)s * g->kernel,
		.w_col = s,
		.in_x = -LANES,
		.out_x = -s * LANES,
		.out_channel = (ptrdiff_t)map_plane(&g->big),
		.w_out = taps,
	};
	for (int y = 0; y < g->big.h; y++) {
		const struct phase py = phase_of(y, g);
		const int below = py.from - (g->small.h - 1), skipped = below > 0 ? below : 0; /* tap rows in the halo */
		k.tap_rows = (py.from + 1 < py.count ? py.from + 1 : py.count) - skipped;
		for (int x = 0; x < s && x < g->big.w; x++) {
			const struct phase px = phase_of(x, g);
			const int n = (g->big.w - x + s - 1) / s;
			k.tap_cols = px.count;
			all_channels(big + map_at(&g->big, 0, y, x + (n - 1) * s),
				small + map_at(&g->small, 0, py.from - skipped, px.from + n - 1),
				w + (ptrdiff_t)(py.first + skipped * s) * g->kernel + px.first, bias, &k, n, g->big.c);
		}
	}
}

/* --- one sample by itself ---
 *
 * A phase of the big map is computed as one run of the padded small map, row after row with the padding between them: its
 * "pixels" are LANES values that follow each other, and the loops above do not notice. */

/* m's values with zeros around them; returns where they end. */
static real *pad(real *to, const real *values, const struct map *m)
{
	const int row = m->w + 2 * m->halo, rows = m->h + 2 * m->halo;
	const size_t reals = (size_t)m->c * (size_t)rows * (size_t)row + LANES;
	memset(to, 0, reals * sizeof *to);
	for (int c = 0; c < m->c; c++)
		for (int y = 0; y < m->h; y++, values += m->w)
			memcpy(to + ((ptrdiff_t)c * rows + y + m->halo) * row + m->halo, values, (size_t)m->w * sizeof *to);
	return to + (reals + LANES - 1) / LANES * LANES;
}

/* Every s-th pixel of every s-th row, from rows that are `row` long. */
static void spread(real *to, const real *from, const struct map *m, int rows, int cols, ptrdiff_t row, int s)
{
	for (int y = 0; y < rows; y++, from += row, to += (ptrdiff_t)s * m->w)
		for (int x = 0; x < cols; x++)
			to[x * s] = from[x];
}

void KERN(conv_up_one)(
	real *big, const real *small, real *scratch, const real *w, const real *bias, const struct conv *g)
{
	const int s = g->stride;
	const struct map *m = &g->small, *out = &g->big;
	const ptrdiff_t taps = (ptrdiff_t)g->kernel * g->kernel, row = m->w + 2 * m->halo;
	real *sums = pad(scratch, small, m);
	struct walk k = {
		.channels = m->c,
		.in_channel = row * (m->h + 2 * m->halo),
		.in_row = -row,
		.in_col = -1,
		.w_channel = out->c * taps,
		.w_row = (ptrdiff_t)s * g->kernel,
		.w_col = s,
		.in_x = LANES,
		.out_x = LANES,
		.w_out = taps,
	};
	for (int y = 0; y < s && y < out->h; y++)
		for (int x = 0; x < s && x < out->w; x++) {
			const struct phase py = phase_of(y, g), px = phase_of(x, g);
			const int rows = (out->h - y + s - 1) / s, cols = (out->w - x + s - 1) / s;
			const int n = (int)((rows - 1) * row + cols + LANES - 1) / LANES;
			k.tap_rows = py.count;
			k.tap_cols = px.count;
			k.out_channel = (ptrdiff_t)n * LANES;
			all_channels(sums, scratch + (py.from + m->halo) * row + px.from + m->halo,
				w + (ptrdiff_t)py.first * g->kernel + px.first, bias, &k, n, out->c);
			for (int c = 0; c < out->c; c++)
				spread(
					big + ((ptrdiff_t)c * out->h + y) * out->w + x, sums + c * k.out_channel, out, rows, cols, row, s);
		}
}

/* --- weight gradients ----------------------------------------------------------------------------------------------
 *
 * A weight has LANES sums, each over the whole small map. They are kept for groups of small channels by LANES taps
 * (counted as in w: j = (c, kh, kw)); a group walks the maps in strips of rows that the L1 cache holds, and is folded
 * once at the end. Within a strip, tiles of sums live in registers: TILE_O channels by nj taps, which share loads. */
#if VEC_BYTES == 64
enum { WGRAD_O = 3, WGRAD_J = 8, WGRAD_J_9 = 9 };
#else
enum { WGRAD_O = 3, WGRAD_J = 4, WGRAD_J_9 = 3 };
#endif
enum { BIAS_C = 4, GROUP_O = 2 * WGRAD_O, STRIP_PIXELS = 56, NEAR_REALS = 96 << 10 };

struct strip {
	const struct conv *g;
	int y, end; /* rows of small */
};

/* no small channels x nj taps; sum points at the first of them. */
ALWAYS_INLINE void wgrad_tile(
	real *sum, const real *big, const real *small, const ptrdiff_t *tap, const struct strip *s, int no, int nj)
{
	const struct conv *g = s->g;
	const ptrdiff_t step = g->stride * LANES, plane = (ptrdiff_t)map_plane(&g->small);
	for (int lane = 0; lane < LANES; lane += VW) {
		vec acc[WGRAD_O][WGRAD_J_9 > WGRAD_J ? WGRAD_J_9 : WGRAD_J];
		for (int o = 0; o < no; o++)
			for (int j = 0; j < nj; j++)
				acc[o][j] = s->y ? load_v(sum + (o * LANES + j) * LANES + lane) : splat_v(0);
		for (int y = s->y; y < s->end; y++) {
			const real *x_at = big + map_at(&g->big, 0, y * g->stride - g->padding, -g->padding) + lane;
			const real *dy_at = small + map_at(&g->small, 0, y, 0) + lane;
			for (int x = 0; x < g->small.w; x++, x_at += step, dy_at += LANES) {
				vec dy[WGRAD_O];
				for (int o = 0; o < no; o++)
					dy[o] = load_v(dy_at + o * plane);
				for (int j = 0; j < nj; j++) {
					vec value = keep_v(load_v(x_at + tap[j]));
					for (int o = 0; o < no; o++)
						acc[o][j] = fma_v(dy[o], value, acc[o][j]);
				}
			}
		}
		for (int o = 0; o < no; o++)
			for (int j = 0; j < nj; j++)
				store_v(sum + (o * LANES + j) * LANES + lane, acc[o][j]);
	}
}

/* n small channels: tiles of 3, and 2 + 2 rather than 3 + 1, as a single channel keeps few multipliers busy. */
ALWAYS_INLINE void wgrad_channels(
	real *sum, const real *big, const real *small, const ptrdiff_t *tap, const struct strip *s, int n, int nj)
{
	const size_t plane = map_plane(&s->g->small);
	int o = 0;
	for (; n - o >= WGRAD_O && n - o != WGRAD_O + 1; o += WGRAD_O)
		wgrad_tile(sum + o * LANES * LANES, big, small + (size_t)o * plane, tap, s, WGRAD_O, nj);
	for (; n - o >= 2; o += 2)
		wgrad_tile(sum + o * LANES * LANES, big, small + (size_t)o * plane, tap, s, 2, nj);
	if (o < n)
		wgrad_tile(sum + o * LANES * LANES, big, small + (size_t)o * plane, tap, s, 1, nj);
}

/* to[i] += by[i], i < n <= LANES. */
ALWAYS_INLINE void add_row(real *to, const real *by, int n)
{
	int i = 0;
	for (; n - i >= VW; i += VW)
		store_v(to + i, load_v(to + i) + load_v(by + i));
	if (i < n)
		store_part_v(to + i, load_part_v(to + i, (size_t)(n - i)) + load_v(by + i), (size_t)(n - i));
}

struct group {
	int o, n_o;           /* small channels */
	int j, n_j;           /* taps, LANES at most */
	ptrdiff_t tap[LANES]; /* where each reads, counted from the first tap of channel 0 */
};

static void wgrad_group(real *dw, const real *big, const real *small, const struct conv *g, const struct group *at)
{
	UNINITIALIZED real sum[GROUP_O][LANES][LANES] __attribute__((aligned(64)));
	if (at->n_j < LANES)
		memset(sum, 0, sizeof sum); /* all are folded */
	small += (size_t)at->o * map_plane(&g->small);
	const int rows = g->small.w < STRIP_PIXELS ? STRIP_PIXELS / g->small.w : 1;
	for (struct strip s = {g, 0, 0}; s.y < g->small.h; s.y = s.end) {
		s.end = g->small.h - s.y < rows ? g->small.h : s.y + rows;
		if (at->n_j == 9)
			for (int j = 0; j < 9; j += WGRAD_J_9)
				wgrad_channels(sum[0][j], big, small, at->tap + j, &s, at->n_o, WGRAD_J_9);
		else
			for (int j = 0; j < at->n_j; j += WGRAD_J)
				wgrad_channels(sum[0][j], big, small, at->tap + j, &s, at->n_o, WGRAD_J);
	}
	for (int o = 0; o < at->n_o; o++) {
		UNINITIALIZED real folded[LANES] __attribute__((aligned(64)));
		fold_block(folded, sum[o]);
		add_row(dw + (ptrdiff_t)(at->o + o) * g->big.c * g->kernel * g->kernel + at->j, folded, at->n_j);
	}
}

/* A tap of the big map; they follow each other as in w. */
struct tap {
	int c, kh, kw;
};

static void next_tap(struct tap *t, const struct conv *g)
{
	if (++t->kw < g->kernel)
		return;
	t->kw = 0;
	if (++t->kh < g->kernel)
		return;
	t->kh = 0;
	t->c++;
}

/* All taps of as many small channels as the L2 cache holds, before the next ones. */
void KERN(conv_wgrad)(real *dw, const real *big, const real *small, const struct conv *g)
{
	const int all = g->big.c * g->kernel * g->kernel;
	const int planes = (int)(NEAR_REALS / map_plane(&g->small)) / GROUP_O * GROUP_O;
	const int near = planes < GROUP_O ? GROUP_O : planes;
	for (int first = 0; first < g->small.c; first += near) {
		struct tap t = {0, 0, 0};
		const int end = g->small.c - first < near ? g->small.c : first + near;
		for (int j = 0; j < all; j += LANES) {
			struct group at = {.j = j, .n_j = all - j < LANES ? all - j : LANES};
			for (int i = 0; i < LANES; i++) {
				at.tap[i] = (ptrdiff_t)map_at(&g->big, t.c, t.kh, t.kw) - (ptrdiff_t)map_at(&g->big, 0, 0, 0);
				if (i < at.n_j - 1) /* tiles beyond the last tap repeat it, and the copies are dropped */
					next_tap(&t, g);
			}
			next_tap(&t, g);
			for (at.o = first; at.o < end; at.o += GROUP_O) {
				at.n_o = end - at.o < GROUP_O ? end - at.o : GROUP_O;
				wgrad_group(dw, big, small, g, &at);
			}
		}
	}
}

/* --- biases ----------------------------------------------------------------------------------------------------------
 */

/* The sums of n channels, one chain of additions each: several at once, as an addition takes longer than a load. */
ALWAYS_INLINE void plane_sums(real sum[][LANES], const real *dy, const struct map *m, int n)
{
	const ptrdiff_t plane = (ptrdiff_t)map_plane(m);
	for (int lane = 0; lane < LANES; lane += VW) {
		vec acc[BIAS_C];
		for (int c = 0; c < n; c++)
			acc[c] = splat_v(0);
		for (int y = 0; y < m->h; y++) {
			const real *at = dy + map_at(m, 0, y, 0) + lane;
			for (int x = 0; x < m->w; x++, at += LANES)
				for (int c = 0; c < n; c++)
					acc[c] += load_v(at + c * plane);
		}
		for (int c = 0; c < n; c++)
			store_v(sum[c] + lane, acc[c]);
	}
}

void KERN(bias_grad)(real *db, const real *dy, const struct map *m)
{
	for (int first = 0; first < m->c; first += LANES) {
		const int n = m->c - first < LANES ? m->c - first : LANES;
		real sum[LANES][LANES] __attribute__((aligned(64))) = {0};
		const real *from = dy + map_at(m, first, -m->halo, -m->halo);
		int c = 0;
		for (; n - c >= BIAS_C; c += BIAS_C)
			plane_sums(sum + c, from + (size_t)c * map_plane(m), m, BIAS_C);
		for (; c < n; c++)
			plane_sums(sum + c, from + (size_t)c * map_plane(m), m, 1);
		real folded[LANES] __attribute__((aligned(64)));
		fold_block(folded, sum);
		add_row(db + first, folded, n);
	}
}
