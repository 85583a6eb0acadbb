/* shape.h: products of sizes that cannot overflow unseen. Every size that comes from a request or a file passes here. */
#ifndef LATENTD_CORE_BASE_SHAPE_H
#define LATENTD_CORE_BASE_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* *product = a * b; false (and product untouched) if it does not fit. */
static inline bool size_mul(size_t a, size_t b, size_t *product)
{
	size_t result;
	if (__builtin_mul_overflow(a, b, &result))
		return false;
	*product = result;
	return true;
}

/* *sum = a + b; false (and sum untouched) if it does not fit. */
static inline bool size_add(size_t a, size_t b, size_t *sum)
{
	size_t result;
	if (__builtin_add_overflow(a, b, &result))
		return false;
	*sum = result;
	return true;
}

/* *product = dims[0] * … * dims[n-1] * unit; false if any dim is negative or the product does not fit. */
static inline bool shape_bytes(const int64_t *dims, int n, size_t unit, size_t *product)
{
	size_t total = unit;
	for (int i = 0; i < n; i++)
		if (dims[i] < 0 || !size_mul(total, (size_t)dims[i], &total))
			return false;
	*product = total;
	return true;
}

#endif
