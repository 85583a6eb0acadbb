#include "core/base/radix.h"

#include <string.h>

enum { RADIX_BITS = 11, RADIX = 1 << RADIX_BITS };

uint32_t radix_key(float x)
{
	uint32_t bits;
	memcpy(&bits, &x, sizeof bits);
	return bits >> 31 ? ~bits : bits | UINT32_C(1) << 31;
}

float radix_value(uint32_t key)
{
	uint32_t bits = key >> 31 ? key & ~(UINT32_C(1) << 31) : ~key;
	float x;
	memcpy(&x, &bits, sizeof x);
	return x;
}

/* Three passes over 11 bits each. */
void radix_sort(uint32_t *key, uint32_t *spare, size_t n)
{
	for (int shift = 0; shift < 32; shift += RADIX_BITS) {
		size_t start[RADIX + 1] = {0};
		for (size_t i = 0; i < n; i++)
			start[(key[i] >> shift) % RADIX + 1]++;
		for (int r = 0; r < RADIX; r++)
			start[r + 1] += start[r];
		for (size_t i = 0; i < n; i++)
			spare[start[(key[i] >> shift) % RADIX]++] = key[i];
		uint32_t *swap = key;
		key = spare;
		spare = swap;
	}
}

double radix_at(const uint32_t *sorted, size_t n, double at)
{
	size_t below = (size_t)at, above = below + 1 < n ? below + 1 : below;
	double low = (double)radix_value(sorted[below]), high = (double)radix_value(sorted[above]);
	return low + (high - low) * (at - (double)below);
}
