/* vec.h: the few vector primitives all kernels are written in, at the natural width of the level being compiled.
 *
 * Why: one source per kernel; what differs between levels is the width VW, the fused multiply-add and nothing else.
 * Use: only in files that the Makefile compiles once per level (KERN_PER_LEVEL). A block row of LANES samples is walked
 * in LANES / VW passes. Invariants: every primitive is correctly rounded or a fixed sequence of such operations, so
 * AVX2 and AVX-512 give the same bits; NaN goes through every one of them.
 */
#ifndef LATENTD_CORE_KERN_VEC_H
#define LATENTD_CORE_KERN_VEC_H

#include "core/base/real.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define ALWAYS_INLINE static inline __attribute__((always_inline))

#if defined(__AVX512F__) && !defined(LATENTD_DOUBLE)
#define VEC_BYTES 64
#elif defined(__AVX2__) && !defined(LATENTD_DOUBLE)
#define VEC_BYTES 32
#else
#define VEC_BYTES 16
#endif
enum { VW = VEC_BYTES / sizeof(real) };

#ifdef LATENTD_DOUBLE
typedef int64_t real_bits;
#else
typedef int32_t real_bits;
#endif
typedef real vec __attribute__((vector_size(VEC_BYTES)));
typedef real vec_anywhere __attribute__((vector_size(VEC_BYTES), aligned(sizeof(real))));
typedef real_bits vec_bits __attribute__((vector_size(VEC_BYTES))); /* what comparisons of vec give: 0 or all ones */

/* Keeps the compiler from zeroing an array that is about to be written (release builds zero what is not initialised). */
#define UNINITIALIZED __attribute__((uninitialized))

ALWAYS_INLINE vec load_v(const real *x)
{
	return *(const vec_anywhere *)x;
}

ALWAYS_INLINE void store_v(real *x, vec v)
{
	*(vec_anywhere *)x = v;
}

/* The first n < VW elements; the others are 0 and stay unread. */
ALWAYS_INLINE vec load_part_v(const real *x, size_t n)
{
#if VEC_BYTES == 64
	return (vec)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), x);
#elif VEC_BYTES == 32
	const __m256i index = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
	return (vec)_mm256_maskload_ps(x, _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), index));
#else
	vec v = {0};
	memcpy(&v, x, n * sizeof(real));
	return v;
#endif
}

ALWAYS_INLINE void store_part_v(real *x, vec v, size_t n)
{
#if VEC_BYTES == 64
	_mm512_mask_storeu_ps(x, (__mmask16)((1u << n) - 1), (__m512)v);
#elif VEC_BYTES == 32
	/* masked stores take some processors tens of cycles */
	__m128 rest = _mm256_castps256_ps128((__m256)v);
	if (n & 4) {
		_mm_storeu_ps(x, rest);
		x += 4;
		rest = _mm256_extractf128_ps((__m256)v, 1);
	}
	if (n & 2) {
		_mm_storel_pi((__m64 *)x, rest);
		x += 2;
		rest = _mm_movehl_ps(rest, rest);
	}
	if (n & 1)
		_mm_store_ss(x, rest);
#else
	memcpy(x, &v, n * sizeof(real));
#endif
}

/* splat_v: x in every element. fma_v: a b + c, rounded once where the level can. sqrt_v: correctly rounded.
 * from_bytes_v: VW bytes, each to the number it is. */
#if VEC_BYTES == 64
ALWAYS_INLINE vec splat_v(real x)
{
	return (vec)_mm512_set1_ps(x);
}
ALWAYS_INLINE vec fma_v(vec a, vec b, vec c)
{
	return (vec)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}
ALWAYS_INLINE vec sqrt_v(vec x)
{
	return (vec)_mm512_sqrt_ps((__m512)x);
}
ALWAYS_INLINE vec from_bytes_v(const uint8_t *x)
{
	return (vec)_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)x)));
}
#elif VEC_BYTES == 32
ALWAYS_INLINE vec splat_v(real x)
{
	return (vec)_mm256_set1_ps(x);
}
ALWAYS_INLINE vec fma_v(vec a, vec b, vec c)
{
	return (vec)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
}
ALWAYS_INLINE vec sqrt_v(vec x)
{
	return (vec)_mm256_sqrt_ps((__m256)x);
}
ALWAYS_INLINE vec from_bytes_v(const uint8_t *x)
{
	return (vec)_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)x)));
}
#else
ALWAYS_INLINE vec splat_v(real x)
{
	vec v;
	for (int i = 0; i < VW; i++)
		v[i] = x;
	return v;
}
ALWAYS_INLINE vec fma_v(vec a, vec b, vec c)
{
#if defined(__aarch64__) && !defined(LATENTD_DOUBLE)
	return (vec)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
	return a * b + c;
#endif
}
ALWAYS_INLINE vec sqrt_v(vec x)
{
	for (int i = 0; i < VW; i++)
		x[i] = (real)sqrt(x[i]); /* a float's root by way of double is the correctly rounded float root */
	return x;
}
ALWAYS_INLINE vec from_bytes_v(const uint8_t *x)
{
	vec v;
	for (int i = 0; i < VW; i++)
		v[i] = x[i];
	return v;
}
#endif

ALWAYS_INLINE vec select_v(vec_bits mask, vec yes, vec no)
{
	return (vec)((mask & (vec_bits)yes) | (~mask & (vec_bits)no));
}

/* x < 0 ? 0 : x, NaN and -0 as they are. y > 0 ? x : 0. */
#if VEC_BYTES == 64
ALWAYS_INLINE vec not_below_0_v(vec x)
{
	return (vec)_mm512_max_ps(_mm512_setzero_ps(), (__m512)x); /* of NaN, and of equals, max gives the second */
}
ALWAYS_INLINE vec where_above_0_v(vec y, vec x)
{
	return (vec)_mm512_maskz_mov_ps(_mm512_cmp_ps_mask((__m512)y, _mm512_setzero_ps(), _CMP_GT_OQ), (__m512)x);
}
#else
#if VEC_BYTES == 32
ALWAYS_INLINE vec not_below_0_v(vec x)
{
	return (vec)_mm256_max_ps(_mm256_setzero_ps(), (__m256)x);
}
#else
ALWAYS_INLINE vec not_below_0_v(vec x)
{
	return select_v(x < splat_v(0), splat_v(0), x);
}
#endif
ALWAYS_INLINE vec where_above_0_v(vec y, vec x)
{
	return (vec)((vec_bits)x & (vec_bits)(y > splat_v(0)));
}
#endif

/* Ones where the element's lane, counted from `first`, is below `lanes`. */
ALWAYS_INLINE vec_bits lanes_below(int lanes, int first)
{
	vec_bits mask;
	for (int i = 0; i < VW; i++)
		mask[i] = first + i < lanes ? -1 : 0;
	return mask;
}

/* 32-bit words, and high and low halves of their products with b. */
typedef uint32_t vec_words __attribute__((vector_size(VEC_BYTES)));
typedef uint64_t vec_wide __attribute__((vector_size(VEC_BYTES)));
enum { WORDS = VEC_BYTES / sizeof(uint32_t) };

/* Products of the low words of each pair. */
ALWAYS_INLINE vec_wide mul_low_words_v(vec_wide a, vec_wide b)
{
#if VEC_BYTES == 64
	return (vec_wide)_mm512_mul_epu32((__m512i)a, (__m512i)b);
#elif VEC_BYTES == 32
	return (vec_wide)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif defined(__x86_64__)
	return (vec_wide)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
	return (a & UINT32_MAX) * (b & UINT32_MAX);
#endif
}

ALWAYS_INLINE void mul_words_v(vec_words a, uint32_t b, vec_words *ret_high, vec_words *ret_low)
{
	const vec_wide factor = (vec_wide){0} + b, low = (vec_wide){0} + UINT32_MAX;
	vec_wide even = mul_low_words_v((vec_wide)a, factor), odd = mul_low_words_v((vec_wide)a >> 32, factor);
	*ret_high = (vec_words)((even >> 32) | (odd & ~low));
	*ret_low = (vec_words)((even & low) | (odd << 32));
}

/* x, in a register from here on. gcc 12 reads memory again for each use of what was loaded, and reads are what a kernel
 * has no more of than multiply-adds. */
ALWAYS_INLINE vec keep_v(vec x)
{
#if defined(__x86_64__)
	__asm__("" : "+v"(x));
#elif defined(__aarch64__)
	__asm__("" : "+w"(x));
#endif
	return x;
}

/* x, of which the compiler knows nothing: not that it is another pointer plus so much, which takes a register more. */
ALWAYS_INLINE const real *hide_p(const real *x)
{
	__asm__("" : "+r"(x));
	return x;
}

/* --- across lanes --------------------------------------------------------------------------------------------------
 *
 * Butterflies of two vectors at distance h, a power of two below VW; which element of (a, b) comes to place i. */
#define OWN(i, h) ((i) & (h) ? VW + (i) : (i))                 /* a's where bit h of i is clear, else b's */
#define OTHER(i, h) ((i) & (h) ? VW + ((i) ^ (h)) : (i) ^ (h)) /* the one h away from that */
#define LOW(i, h) ((i) & (h) ? VW + ((i) ^ (h)) : (i))         /* where bit h is clear: first a's, then b's */
#define HIGH(i, h) ((i) & (h) ? VW + (i) : (i) ^ (h))          /* where bit h is set */
#define EACH_2(f, i, h) f(i, h), f((i) + 1, h)
#define EACH_4(f, i, h) EACH_2(f, i, h), EACH_2(f, (i) + 2, h)
#define EACH_8(f, i, h) EACH_4(f, i, h), EACH_4(f, (i) + 4, h)
#if VEC_BYTES == 64
#define HALVES(X) X(8) X(4) X(2) X(1)
#define EACH(f, h) EACH_8(f, 0, h), EACH_8(f, 8, h)
#elif VEC_BYTES == 32
#define HALVES(X) X(4) X(2) X(1)
#define EACH(f, h) EACH_8(f, 0, h)
#elif defined(LATENTD_DOUBLE)
#define HALVES(X) X(1)
#define EACH(f, h) EACH_2(f, 0, h)
#else
#define HALVES(X) X(2) X(1)
#define EACH(f, h) EACH_4(f, 0, h)
#endif
#define SHUFFLE_V(a, b, f, h) __builtin_shufflevector(a, b, EACH(f, h))

/* The one tree by which lanes are ever added up: l + (l + 8), then + 4, + 2, + 1; here for LANES rows at once, the sum of
 * row r into to[r]. A level first adds whole vectors, then halves of two rows at a time. */
ALWAYS_INLINE void fold_block(real *to, const real row[LANES][LANES])
{
	for (int first = 0; first < LANES; first += VW) {
		vec v[VW];
		for (int r = 0; r < VW; r++) {
			vec part[LANES / VW];
			for (int i = 0; i < LANES / VW; i++)
				part[i] = load_v(row[first + r] + i * VW);
			for (int half = LANES / VW / 2; half > 0; half /= 2)
				for (int i = 0; i < half; i++)
					part[i] += part[i + half];
			v[r] = part[0];
		}
#define X(h)                    \
	for (int r = 0; r < h; r++) \
		v[r] = SHUFFLE_V(v[r], v[r + h], OWN, h) + SHUFFLE_V(v[r], v[r + h], OTHER, h);
		HALVES(X)
#undef X
		store_v(to + first, v[0]);
	}
}

/* The same tree for one row. */
ALWAYS_INLINE real fold_lanes(const real lane[LANES])
{
	typedef real half __attribute__((vector_size(8 * sizeof(real)), aligned(sizeof(real))));
	typedef real quarter __attribute__((vector_size(4 * sizeof(real))));
	typedef real pair __attribute__((vector_size(2 * sizeof(real))));
	half h = *(const half *)lane + *(const half *)(lane + 8);
	quarter q = __builtin_shufflevector(h, h, 0, 1, 2, 3) + __builtin_shufflevector(h, h, 4, 5, 6, 7);
	pair p = __builtin_shufflevector(q, q, 0, 1) + __builtin_shufflevector(q, q, 2, 3);
	return p[0] + p[1];
}

/* fold_lanes of eight rows at once: the same additions, with all eight sums in one vector at the end. */
ALWAYS_INLINE void fold_lanes_8(real sum[8], const real lane[8][LANES])
{
	typedef real half __attribute__((vector_size(8 * sizeof(real)), aligned(sizeof(real))));
	half h[8], q[4], p[2];
	for (int i = 0; i < 8; i++)
		h[i] = *(const half *)lane[i] + *(const half *)(lane[i] + 8);
	for (int i = 0; i < 4; i++)
		q[i] = __builtin_shufflevector(h[i], h[i + 4], 0, 1, 2, 3, 8, 9, 10, 11) +
			   __builtin_shufflevector(h[i], h[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
	for (int i = 0; i < 2; i++)
		p[i] = __builtin_shufflevector(q[i], q[i + 2], 0, 1, 8, 9, 4, 5, 12, 13) +
			   __builtin_shufflevector(q[i], q[i + 2], 2, 3, 10, 11, 6, 7, 14, 15);
	*(half *)sum = __builtin_shufflevector(p[0], p[1], 0, 8, 2, 10, 4, 12, 6, 14) +
				   __builtin_shufflevector(p[0], p[1], 1, 9, 3, 11, 5, 13, 7, 15);
}

ALWAYS_INLINE void fold_rows(real *sum, const real lane[][LANES], int n)
{
	if (n == 8)
		fold_lanes_8(sum, lane);
	else
		for (int i = 0; i < n; i++)
			sum[i] = fold_lanes(lane[i]);
}

/* Rows of VW become columns. */
ALWAYS_INLINE void transpose_v(vec v[VW])
{
#define X(h)                                     \
	for (int r = 0; r < VW; r++)                 \
		if (!(r & h)) {                          \
			vec a = v[r], b = v[r + h];          \
			v[r] = SHUFFLE_V(a, b, LOW, h);      \
			v[r + h] = SHUFFLE_V(a, b, HIGH, h); \
		}
	HALVES(X)
#undef X
}

#ifdef LATENTD_DOUBLE
/* The gradient tests difference these: they must be smooth far below the polynomials' error. */
ALWAYS_INLINE vec exp_v(vec x)
{
	for (int i = 0; i < VW; i++)
		x[i] = exp(x[i]);
	return x;
}
ALWAYS_INLINE vec tanh_v(vec x)
{
	for (int i = 0; i < VW; i++)
		x[i] = tanh(x[i]);
	return x;
}
ALWAYS_INLINE vec log_v(vec x)
{
	for (int i = 0; i < VW; i++)
		x[i] = log(x[i]);
	return x;
}
ALWAYS_INLINE vec log1p_v(vec x)
{
	for (int i = 0; i < VW; i++)
		x[i] = log1p(x[i]);
	return x;
}
#else
/* e^x within 2 ulp on [-87, 88], constant beyond. x = n ln 2 + r, |r| <= ln 2 / 2, a polynomial of degree 6 in r
 * (Cephes expf), times 2^n made from its exponent bits. */
ALWAYS_INLINE vec exp_v(vec x)
{
	x = select_v(x < splat_v(-87.0f), splat_v(-87.0f), x);
	x = select_v(x > splat_v(88.0f), splat_v(88.0f), x);
	/* adding 1.5 * 2^23 rounds to a whole number and leaves it in the low bits */
	const vec magic = splat_v(12582912.0f);
	vec shifted = fma_v(x, splat_v(1.44269504f), magic);
	vec n = shifted - magic;
	vec r = fma_v(n, splat_v(-0.693359375f), x);
	r = fma_v(n, splat_v(2.12194440e-4f), r);
	vec p = splat_v(1.9875691500e-4f);
	p = fma_v(p, r, splat_v(1.3981999507e-3f));
	p = fma_v(p, r, splat_v(8.3334519073e-3f));
	p = fma_v(p, r, splat_v(4.1665795894e-2f));
	p = fma_v(p, r, splat_v(1.6666665459e-1f));
	p = fma_v(p, r, splat_v(5.0000001201e-1f));
	p = fma_v(p, r * r, r + splat_v(1.0f));
	vec_bits exponent = (vec_bits)shifted - (vec_bits)magic + 127;
	return p * (vec)(exponent << 23);
}

/* tanh x within 4 ulp: x + x^3 P(x^2) (Cephes tanhf) below 0.625, 1 - 2 / (e^2x + 1) beyond. */
ALWAYS_INLINE vec tanh_v(vec x)
{
	vec z = x * x;
	vec p = splat_v(-5.70498872745e-3f);
	p = fma_v(p, z, splat_v(2.06390887954e-2f));
	p = fma_v(p, z, splat_v(-5.37397155531e-2f));
	p = fma_v(p, z, splat_v(1.33314422036e-1f));
	p = fma_v(p, z, splat_v(-3.33332819422e-1f));
	vec near = fma_v(p * z, x, x);
	vec one = splat_v(1.0f);
	vec far = one - splat_v(2.0f) / (exp_v(x + x) + one);
	return select_v(z < splat_v(0.390625f), near, far);
}

/* 2 artanh s = log((1 + s) / (1 - s)) for |s| <= 1/3, within 1 ulp: 2 s + s^3 P(s^2), P interpolated at Chebyshev points. */
ALWAYS_INLINE vec twice_artanh_v(vec s)
{
	vec z = s * s;
	vec p = splat_v(0.268562615f);
	p = fma_v(p, z, splat_v(0.2823596f));
	p = fma_v(p, z, splat_v(0.400075823f));
	p = fma_v(p, z, splat_v(0.666666389f));
	return fma_v(s * z, p, s + s);
}

/* log(1 + x) within 2 ulp for 0 <= x <= 1. */
ALWAYS_INLINE vec log1p_v(vec x)
{
	return twice_artanh_v(x / (x + splat_v(2.0f)));
}

/* log x within 2 ulp (absolutely 1e-7 near 1) for normal x > 0; infinity and NaN stay what they are. x = 2^n m,
 * sqrt(1/2) <= m < sqrt(2). */
ALWAYS_INLINE vec log_v(vec x)
{
	const vec_bits half_root = (vec_bits)splat_v(0.707106781f);
	vec_bits above = (vec_bits)x - half_root; /* the exponent, counted from sqrt(1/2), and what is beyond */
	vec_bits exponent = above >> 23;
	vec m = (vec)((above & 0x7fffff) + half_root);
	vec n = __builtin_convertvector(exponent, vec);
	vec one = splat_v(1.0f);
	vec y = fma_v(n, splat_v(-2.12194440e-4f), twice_artanh_v((m - one) / (m + one)));
	y = fma_v(n, splat_v(0.693359375f), y);
	return select_v(x < splat_v(INFINITY), y, x);
}
#endif

ALWAYS_INLINE vec sigmoid_v(vec x)
{
	vec one = splat_v(1);
	return one / (one + exp_v(-x));
}

#endif
