#include "core/base/rng.h"

#include <math.h>
#include <Random123/philox.h>

void rng_words(uint32_t words[4], struct rng r, uint32_t index)
{
	philox4x32_ctr_t counter = {{index, (uint32_t)r.step, (uint32_t)(r.step >> 32), (uint32_t)r.stream}};
	philox4x32_key_t key = {{(uint32_t)r.seed, (uint32_t)(r.seed >> 32)}};
	philox4x32_ctr_t drawn = philox4x32(counter, key);
	for (int i = 0; i < 4; i++)
		words[i] = drawn.v[i];
}

/* Word `i` of the stream seen as one long sequence. */
static uint32_t word_at(struct rng r, size_t i, uint32_t words[4])
{
	if (i % 4 == 0)
		rng_words(words, r, (uint32_t)(i / 4));
	return words[i % 4];
}

void rng_uniform(float *x, size_t n, struct rng r, float low, float high)
{
	uint32_t words[4];
	for (size_t i = 0; i < n; i++)
		x[i] = low + (high - low) * ((float)(word_at(r, i, words) >> 8) * 0x1p-24f);
}

void rng_normal(float *x, size_t n, struct rng r)
{
	rng_normal_from(x, 0, n, r);
}

void rng_normal_from(float *x, size_t first, size_t n, struct rng r)
{
	const double two_pi = 6.283185307179586476925286766559;
	for (size_t i = 0; i < n; i += 2) {
		uint32_t words[4];
		rng_words(words, r, (uint32_t)((first + i) / 2));
		/* u1 in (0,1] keeps the logarithm finite */
		double u1 = ((double)((uint64_t)words[0] << 21 ^ words[1] >> 11) + 1.0) * 0x1p-53;
		double u2 = (double)((uint64_t)words[2] << 21 ^ words[3] >> 11) * 0x1p-53;
		double radius = sqrt(-2.0 * log(u1));
		x[i] = (float)(radius * cos(two_pi * u2));
		if (i + 1 < n)
			x[i + 1] = (float)(radius * sin(two_pi * u2));
	}
}

/* Uniform in [0, bound) from draw number `i`: Lemire 2019, rejecting by drawing again at the same index. */
static uint32_t below(uint32_t bound, struct rng r, uint32_t i)
{
	uint32_t threshold = -bound % bound;
	for (;;) {
		uint32_t words[4];
		rng_words(words, r, i);
		for (int k = 0; k < 4; k++) {
			uint64_t product = (uint64_t)words[k] * bound;
			if ((uint32_t)product >= threshold)
				return (uint32_t)(product >> 32);
		}
		r.step += UINT64_C(1) << 32; /* four rejections in a row: a counter no other draw uses */
	}
}

void rng_permutation(uint32_t *order, uint32_t n, struct rng r)
{
	for (uint32_t i = 0; i < n; i++)
		order[i] = i;
	for (uint32_t i = n; i > 1; i--) {
		uint32_t j = below(i, r, i), swap = order[i - 1];
		order[i - 1] = order[j];
		order[j] = swap;
	}
}
