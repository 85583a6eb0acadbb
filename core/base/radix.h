/* radix.h: sorting many floats by their bits: the same order whoever sorts, in time that is linear.
 *
 * Invariants: -NaN < -inf < … < -0 < 0 < … < inf < NaN; no comparison, so no order of equal ones that could differ.
 */
#ifndef LATENTD_CORE_BASE_RADIX_H
#define LATENTD_CORE_BASE_RADIX_H

#include <stddef.h>
#include <stdint.h>

/* Unsigned order of the key = order of the numbers; and back. */
uint32_t radix_key(float x);
float radix_value(uint32_t key);
/* Sorts key[n] into spare[n], ascending; key is used up. */
void radix_sort(uint32_t *key, uint32_t *spare, size_t n);
/* What lies at place `at` (0 … n - 1) of sorted[n], n ≥ 1, linear between neighbours: numpy's p-quantile is at p (n - 1). */
double radix_at(const uint32_t *sorted, size_t n, double at);

#endif
