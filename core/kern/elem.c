/* What happens element by element: activations, and the way in and out of the lane layout
 * (core/kern/kern.h). */
#include "core/kern/level.h"
#include "core/kern/vec.h"

/* --- activations ---------------------------------------------------------------------------------------------------
 */

/* f(x), and dy f'(x) from y = f(x) (and x, where y does not tell). */
ALWAYS_INLINE vec none_fwd(vec x, vec alpha)
{
	(void)alpha;
	return x;
}
ALWAYS_INLINE vec none_bwd(vec dy, vec y, vec x, vec alpha)
{
	(void)y, (void)x, (void)alpha;
	return dy;
}

ALWAYS_INLINE vec relu_fwd(vec x, vec alpha)
{
	(void)alpha;
	return not_below_0_v(x);
}
ALWAYS_INLINE vec relu_bwd(vec dy, vec y, vec x, vec alpha)
{
	(void)x, (void)alpha;
	return where_above_0_v(y, dy);
}

ALWAYS_INLINE vec leaky_relu_fwd(vec x, vec alpha)
{
	return select_v(x < splat_v(0), alpha * x, x);
}
ALWAYS_INLINE vec leaky_relu_bwd(vec dy, vec y, vec x, vec alpha)
{
	(void)x;
	return select_v(y > splat_v(0), dy, alpha * dy);
}

ALWAYS_INLINE vec sigmoid_fwd(vec x, vec alpha)
{
	(void)alpha;
	return sigmoid_v(x);
}
ALWAYS_INLINE vec sigmoid_bwd(vec dy, vec y, vec x, vec alpha)
{
	(void)x, (void)alpha;
	return dy * (y * (splat_v(1) - y));
}

ALWAYS_INLINE vec tanh_fwd(vec x, vec alpha)
{
	(void)alpha;
	return tanh_v(x);
}
ALWAYS_INLINE vec tanh_bwd(vec dy, vec y, vec x, vec alpha)
{
	(void)x, (void)alpha;
	return dy * (splat_v(1) - y * y);
}

ALWAYS_INLINE vec silu_fwd(vec x, vec alpha)
{
	(void)alpha;
	return x * sigmoid_v(x);
}
ALWAYS_INLINE vec silu_bwd(vec dy, vec y, vec x, vec alpha)
{
	(void)alpha;
	vec s = sigmoid_v(x);
	return dy * fma_v(y, splat_v(1) - s, s);
}

/* Runs of whole vectors: n counts reals and is a multiple of LANES. */
typedef void fwd_run(real *x, size_t n, real alpha);
typedef void bwd_run(real *dx, const real *dy, const real *y, const real *x, size_t n, real alpha);

#define ACTS(X)       \
	X(ACT_NONE, none) \
	X(ACT_RELU, relu) X(ACT_LEAKY_RELU, leaky_relu) X(ACT_SIGMOID, sigmoid) X(ACT_TANH, tanh) X(ACT_SILU, silu)

#define X(act, f)                                                                                         \
	static void f##_fwd_run(real *x, size_t n, real alpha)                                                \
	{                                                                                                     \
		vec slope = splat_v(alpha);                                                                       \
		for (size_t i = 0; i < n; i += VW)                                                                \
			store_v(x + i, f##_fwd(load_v(x + i), slope));                                                \
	}                                                                                                     \
	static void f##_bwd_run(real *dx, const real *dy, const real *y, const real *x, size_t n, real alpha) \
	{                                                                                                     \
		vec slope = splat_v(alpha);                                                                       \
		for (size_t i = 0; i < n; i += VW)                                                                \
			store_v(dx + i, f##_bwd(load_v(dy + i), load_v(y + i), load_v(x + i), slope));                \
	}
ACTS(X)
#undef X

static fwd_run *const fwd_runs[ACT_COUNT] = {
#define X(act, f) [act] = f##_fwd_run,
	ACTS(X)
#undef X
};

static bwd_run *const bwd_runs[ACT_COUNT] = {
#define X(act, f) [act] = f##_bwd_run,
	ACTS(X)
#undef X
};

/* f(0) = 0 and the halos are 0: then a plane is one run from its first pixel to its last, and rows, which are short, are
 * not told apart. */
static const bool keeps_zero[ACT_COUNT] = {
	[ACT_NONE] = true, [ACT_RELU] = true, [ACT_LEAKY_RELU] = true, [ACT_TANH] = true, [ACT_SILU] = true};

void KERN(act_fwd)(real *x, const struct map *m, enum act act, real alpha)
{
	const size_t row = (size_t)m->w * LANES;
	for (int c = 0; c < m->c; c++)
		if (keeps_zero[act])
			fwd_runs[act](x + map_at(m, c, 0, 0), (size_t)(m->h - 1) * map_row(m) + row, alpha);
		else
			for (int y = 0; y < m->h; y++)
				fwd_runs[act](x + map_at(m, c, y, 0), row, alpha);
}

/* Rows only: dx may be a block whose halo is not zero yet. */
void KERN(act_bwd)(
	real *dx, const real *dy, const real *y, const real *x, const struct map *m, enum act act, real alpha)
{
	if (!x)
		x = y; /* loaded, not used */
	for (int c = 0; c < m->c; c++)
		for (int row = 0; row < m->h; row++) {
			size_t at = map_at(m, c, row, 0);
			bwd_runs[act](dx + at, dy + at, y + at, x + at, (size_t)m->w * LANES, alpha);
		}
}

/* --- in and out of the lane layout -----------------------------------------------------------------------------------
 */

typedef uint8_t bytes __attribute__((vector_size(LANES)));

/* LANES pixels of LANES images, [image][pixel] to [pixel][image]: four perfect shuffles. */
ALWAYS_INLINE void transpose_bytes(bytes r[LANES])
{
	bytes t[LANES];
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < LANES / 2; i++) {
			t[2 * i] = __builtin_shufflevector(r[i], r[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
			t[2 * i + 1] =
				__builtin_shufflevector(r[i], r[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
		}
		for (int i = 0; i < LANES / 2; i++) {
			r[2 * i] = __builtin_shufflevector(t[i], t[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
			r[2 * i + 1] =
				__builtin_shufflevector(t[i], t[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
		}
	}
}

/* Every lane of one pixel, 0..255 to 0..1; divided, as PyTorch's ToTensor does. */
ALWAYS_INLINE void store_pixel(real *to, bytes pixel)
{
	for (int lane = 0; lane < LANES; lane += VW)
		store_v(to + lane, from_bytes_v((const uint8_t *)&pixel + lane) / splat_v(255));
}

void KERN(load_u8)(real *x, const struct map *m, const uint8_t *const *images, int lanes)
{
	const size_t features = (size_t)map_features(m), columns = (size_t)m->w;
	size_t i = 0, column = 0;
	real *row = x + map_at(m, 0, 0, 0);
	for (int line = 1; i < features;) {
		bytes tile[LANES] = {0};
		const size_t n = features - i < LANES ? features - i : LANES;
		for (int l = 0; l < lanes; l++)
			memcpy(&tile[l], images[l] + i, n == LANES ? LANES : n); /* the usual size is known: no call */
		transpose_bytes(tile);
		for (size_t p = 0; p < n; p++, i++) {
			store_pixel(row + column * LANES, tile[p]);
			if (++column == columns) {
				column = 0;
				row = x + map_at(m, line / m->h, line % m->h, 0);
				line++;
			}
		}
	}
}

void KERN(load_rows)(real *x, const struct map *m, const float *rows, int lanes)
{
	const size_t features = (size_t)map_features(m);
	size_t i = 0;
	for (int c = 0; c < m->c; c++)
		for (int row = 0; row < m->h; row++) {
			real *to = x + map_at(m, c, row, 0);
			for (int col = 0; col < m->w; col++, i++, to += LANES)
				for (int l = 0; l < LANES; l++)
					to[l] = l < lanes ? rows[(size_t)l * features + i] : 0;
		}
}

void KERN(store_rows)(float *rows, const real *x, const struct map *m, int lanes)
{
	const size_t features = (size_t)map_features(m);
	size_t i = 0;
	for (int c = 0; c < m->c; c++)
		for (int row = 0; row < m->h; row++) {
			const real *from = x + map_at(m, c, row, 0);
			for (int col = 0; col < m->w; col++, i++, from += LANES)
				for (int l = 0; l < lanes; l++)
					rows[(size_t)l * features + i] = (float)from[l];
		}
}
