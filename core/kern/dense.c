/* Dense layers on blocks (core/kern/kern.h): lanes are samples forward and backward, inputs in the weight gradient. */
#include "core/kern/level.h"
#include "core/kern/vec.h"

#include <stddef.h>

/* Register tiles: outputs of a product, all counts up to the one that the registers hold, so that few outputs are one
 * tile, not several that wait for their own additions; weight gradients, outputs by vectors of inputs. */
#define COUNTS_8(X, n) X(n + 1) X(n + 2) X(n + 3) X(n + 4) X(n + 5) X(n + 6) X(n + 7) X(n + 8)
#define COUNTS_4(X, n) X(n + 1) X(n + 2) X(n + 3) X(n + 4)
#if VEC_BYTES == 64
#define ROW_COUNTS(X) COUNTS_8(X, 0) COUNTS_8(X, 8)
enum { TILE_ROWS = 16, TILE_I = 2 };
#define OUTPUT_COUNTS(X) X(8) X(4) X(2) X(1)
#else
#define ROW_COUNTS(X) COUNTS_8(X, 0) COUNTS_4(X, 8)
enum { TILE_ROWS = 12, TILE_I = 2 };
#define OUTPUT_COUNTS(X) X(4) X(2) X(1)
#endif
enum { TILE_O_MAX = 8, NEAR_INPUTS = 256 };

/* out[r] = bias[r] + sum over k of in[k] w[r row + k col], for n rows r. */
ALWAYS_INLINE void product_tile(
	real *out, const real *in, const real *w, const real *bias, ptrdiff_t row, ptrdiff_t col, int depth, int n)
{
	for (int lane = 0; lane < LANES; lane += VW) {
		vec sum[TILE_ROWS];
		for (int r = 0; r < n; r++)
			sum[r] = splat_v(bias ? bias[r] : 0);
		const real *value_at = in + lane, *at[TILE_ROWS / 4]; /* one pointer for four rows: there are few registers */
		for (int i = 0; i < (n + 3) / 4; i++)
			at[i] = w + 4 * i * row;
		for (int k = 0; k < depth; k++, value_at += LANES) {
			vec value = load_v(value_at);
			for (int r = 0; r < n; r++)
				sum[r] = fma_v(value, splat_v(at[r / 4][r % 4 * row]), sum[r]);
			for (int i = 0; i < (n + 3) / 4; i++)
				at[i] = hide_p(at[i] + col);
		}
		for (int r = 0; r < n; r++)
			store_v(out + r * LANES + lane, sum[r]);
	}
}

ALWAYS_INLINE void product(
	real *out, const real *in, const real *w, const real *bias, ptrdiff_t row, ptrdiff_t col, int depth, int rows)
{
	for (int tiles = (rows + TILE_ROWS - 1) / TILE_ROWS, r = 0; tiles > 0; tiles--) {
		const int count = (rows - r + tiles - 1) / tiles;
#define X(n)          \
	if (count == (n)) \
		product_tile(out + r * LANES, in, w + r * row, bias ? bias + r : NULL, row, col, depth, n);
		ROW_COUNTS(X)
#undef X
		r += count;
	}
}

void KERN(dense_fwd)(real *y, const real *x, const real *w, const real *b, int in, int out)
{
	product(y, x, w, b, in, 1, in, out);
}

void KERN(dense_bwd)(real *dx, const real *dy, const real *w, int in, int out)
{
	product(dx, dy, w, NULL, 1, in, out, in);
}

/* --- one sample by itself: lanes are outputs --- */

/* sum[r] + x[k] w[r in + k] over depth values of x, r < n. Both counts are VW but at the edges. */
ALWAYS_INLINE vec one_tile(vec sum, const real *x, const real *w, int in, int n, int depth)
{
	vec v[VW];
	for (int r = 0; r < VW; r++) {
		const real *row = w + (ptrdiff_t)(r < n ? r : 0) * in; /* sums of rows beyond the last are dropped */
		v[r] = depth == VW ? load_v(row) : load_part_v(row, (size_t)depth);
	}
	transpose_v(v);
	for (int k = 0; k < VW; k++)
		if (k < depth)
			sum = fma_v(splat_v(x[k]), v[k], sum);
	return sum;
}

void KERN(dense_one)(real *y, const real *x, const real *w, const real *b, int in, int out)
{
	for (int o = 0; o < out; o += VW, w += (ptrdiff_t)VW * in) {
		const int n = out - o < VW ? out - o : VW;
		vec sum = b ? load_part_v(b + o, (size_t)n) : splat_v(0);
		int i = 0;
		for (; n == VW && in - i >= VW; i += VW)
			sum = one_tile(sum, x + i, w + i, in, VW, VW);
		for (; i < in; i += VW)
			sum = one_tile(sum, x + i, w + i, in, n, in - i < VW ? in - i : VW);
		if (n == VW)
			store_v(y + o, sum);
		else
			store_part_v(y + o, sum, (size_t)n);
	}
}

/* --- weight gradients --- */

/* x [n][LANES] to rows [LANES][pitch], 0 from n to the next multiple of VW. */
static void transpose(real *rows, const real *x, int n, ptrdiff_t pitch)
{
	for (int i = 0; i < n; i += VW)
		for (int lane = 0; lane < LANES; lane += VW) {
			vec v[VW];
			for (int r = 0; r < VW; r++)
				v[r] = i + r < n ? load_v(x + (i + r) * LANES + lane) : splat_v(0);
			transpose_v(v);
			for (int r = 0; r < VW; r++)
				store_v(rows + (lane + r) * pitch + i, v[r]);
		}
}

/* dw[o][i] for no outputs and `vectors` times VW inputs; the last vector may be short: `part` of its inputs, or 0. */
ALWAYS_INLINE void wgrad_tile(
	real *dw, const real *rows, const real *dy, ptrdiff_t pitch, int in, int no, int vectors, size_t part)
{
	vec acc[TILE_O_MAX][TILE_I];
	for (int o = 0; o < no; o++)
		for (int v = 0; v < vectors; v++) {
			const real *from = dw + (ptrdiff_t)o * in + v * VW;
			acc[o][v] = part ? load_part_v(from, part) : load_v(from);
		}
	for (int n = 0; n < LANES; n++) {
		vec x[TILE_I];
		for (int v = 0; v < vectors; v++)
			x[v] = keep_v(load_v(rows + n * pitch + v * VW));
		for (int o = 0; o < no; o++) {
			vec factor = splat_v(dy[o * LANES + n]);
			for (int v = 0; v < vectors; v++)
				acc[o][v] = fma_v(factor, x[v], acc[o][v]);
		}
	}
	for (int o = 0; o < no; o++)
		for (int v = 0; v < vectors; v++) {
			real *to = dw + (ptrdiff_t)o * in + v * VW;
			if (part)
				store_part_v(to, acc[o][v], part);
			else
				store_v(to, acc[o][v]);
		}
}

/* n inputs of no outputs. */
ALWAYS_INLINE void wgrad_outputs(real *dw, const real *rows, const real *dy, ptrdiff_t pitch, int in, int n, int no)
{
	int i = 0;
	for (; n - i >= TILE_I * VW; i += TILE_I * VW)
		wgrad_tile(dw + i, rows + i, dy, pitch, in, no, TILE_I, 0);
	for (; n - i >= VW; i += VW)
		wgrad_tile(dw + i, rows + i, dy, pitch, in, no, 1, 0);
	if (i < n)
		wgrad_tile(dw + i, rows + i, dy, pitch, in, no, 1, (size_t)(n - i));
}

/* All outputs of as many inputs as stay in the L1 cache, before the next ones. */
void KERN(dense_wgrad)(real *dw, const real *x, const real *dy, real *scratch, int in, int out)
{
	for (int first = 0; first < in; first += NEAR_INPUTS) {
		const int n = in - first < NEAR_INPUTS ? in - first : NEAR_INPUTS;
		const ptrdiff_t pitch = (n + LANES - 1) / LANES * LANES;
		transpose(scratch, x + (ptrdiff_t)first * LANES, n, pitch);
		int o = 0;
#define X(no)                      \
	for (; out - o >= no; o += no) \
		wgrad_outputs(dw + (ptrdiff_t)o * in + first, scratch, dy + o * LANES, pitch, in, n, no);
		OUTPUT_COUNTS(X)
#undef X
	}
}
