/* pairs.h: two doubles side by side, their exponential and the tail of a normal distribution: what densities over many kernels are
 * summed with.
 *
 * Why: sixteen bytes are a vector on every processor, so that one build has the same bits everywhere, and no C library a say in them.
 * Use: rows of doubles of even length; any alignment.
 */
#ifndef LATENTD_CORE_LAB_PAIRS_H
#define LATENTD_CORE_LAB_PAIRS_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

typedef double pair __attribute__((vector_size(16)));
typedef double pair_anywhere __attribute__((vector_size(16), aligned(8)));
typedef int64_t pair_bits __attribute__((vector_size(16)));

static inline size_t pairs_room(size_t n)
{
	return (n + 1) & ~(size_t)1;
}

static inline pair pair_load(const double *x)
{
	return *(const pair_anywhere *)x;
}

static inline void pair_store(double *x, pair v)
{
	*(pair_anywhere *)x = v;
}

/* exp of x <= 700, to 1e-11; of x <= -700 exp(-700). 2^n exp(r) with |r| <= log(2) / 2, and exp(r) as a Taylor sum whose terms are
 * paired, so that the chains are short. */
static inline pair pair_exp(pair x)
{
	const pair least = {-700, -700}, magic = {0x1.8p52, 0x1.8p52};
	const pair_bits low = x < least, bias = {1023, 1023};
	x = (pair)(((pair_bits)x & ~low) | ((pair_bits)least & low));
	const pair rounded = x * 1.44269504088896340736 + magic, n = rounded - magic;
	const pair r = x - n * M_LN2, r2 = r * r, r4 = r2 * r2;
	const pair first = (1 + r) + r2 * (0.5 + r * (1.0 / 6));
	const pair second = (1.0 / 24 + r * (1.0 / 120)) + r2 * (1.0 / 720 + r * (1.0 / 5040));
	const pair third = 1.0 / 40320 + r * (1.0 / 362880);
	return (first + r4 * (second + r4 * third)) * (pair)(((pair_bits)rounded - (pair_bits)magic + bias) << 52);
}

/* erfc of x >= 0, to 5e-12: exp(-x^2) / (1 + 2x) times a polynomial in (x - 3) / (x + 3) (Shepherd & Laframboise 1981), which is the
 * expansion in Chebyshev polynomials to the 16th; its even and its odd terms are two chains. */
static inline pair pair_erfc(pair x)
{
	static const double even[] = {4.8336447587638137e-08, -3.1295999225795456e-07, 4.5946854655659327e-06,
		-0.00010497220703792669, 0.0018886299647551238, -0.023770503764947208, -0.11927366446086171,
		-0.047562294315383891, 1.2530080582695};
	static const double odd[] = {1.6976354192089038e-06, -1.7423364400615144e-05, 0.00012279544423052891,
		-0.00077866820971988799, 0.0025290529964095763, 0.068308080104386715, 0.12964515499379062,
		-0.13562110604825703};
	const pair t = (x - 3) / (x + 3), t2 = t * t;
	pair a = {even[0], even[0]}, b = {odd[0], odd[0]};
#pragma GCC unroll 8
	for (int i = 1; i < 8; i++) {
		a = a * t2 + even[i];
		b = b * t2 + odd[i];
	}
	return pair_exp(-x * x) * (a * t2 + even[8] + t * b) / (1 + 2 * x);
}

#endif
