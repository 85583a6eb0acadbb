/* pairs.h: two doubles side by side, powers of 2 and the tail of a normal distribution: what densities over many kernels are
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

/* 2^x of x <= 1000, to 2e-12; of x <= -1000 2^-1000. 2^n 2^r with |r| <= 0.5, and 2^r as the polynomial through nine Chebyshev points, its
 * terms paired so that the chains are short. */
static inline pair pair_exp2(pair x)
{
	const pair least = {-1000, -1000}, magic = {0x1.8p52, 0x1.8p52};
	const pair_bits low = x < least, bias = {1023, 1023};
	x = (pair)(((pair_bits)x & ~low) | ((pair_bits)least & low));
	const pair rounded = x + magic, r = x - (rounded - magic), r2 = r * r, r4 = r2 * r2;
	const pair first = (1 + r * 0.69314718054593349) + r2 * (0.24022650695812989 + r * 0.055504109412059327);
	const pair second = (0.0096181291594025584 + r * 0.0013333450568000645) +
						r2 * (0.00015403455852453838 + r * 1.5310079402249296e-05) + r4 * 1.3255224878668817e-06;
	return (first + r4 * second) * (pair)(((pair_bits)rounded - (pair_bits)magic + bias) << 52);
}

/* erfc of x >= 0, to 1e-11: exp(-x^2) / (1 + 2x) times a polynomial in (x - 3) / (x + 3) (Shepherd & Laframboise 1981), which is the
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
	return pair_exp2(-M_LOG2E * x * x) * (a * t2 + even[8] + t * b) / (1 + 2 * x);
}

#endif
