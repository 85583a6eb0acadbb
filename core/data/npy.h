/* npy.h: NumPy's .npy: float32 out (version 1.0), the number types people send in (1.0 and 2.0); little-endian, C
 * order.
 *
 * Source: numpy/lib/format.py. Invariant: nothing is allocated before the shape was found to fit the bytes that are
 * there.
 */
#ifndef LATENTD_CORE_DATA_NPY_H
#define LATENTD_CORE_DATA_NPY_H

#include "core/base/buf.h"
#include "core/base/err.h"

#include <stdint.h>

/* Appends a whole file: the header, then the product of shape[rank] values. Sets b->failed if that product does not
 * fit. */
void npy_write(struct buf *b, const float *values, const int64_t *shape, int rank);
/* float32, float64 or uint8 arrays of rank 1..4 in C order, converted to float32 (uint8: /255); malloc'd. Sizes past
 * the rank are 1. ERR_SYNTAX for anything else, an empty array too. */
int npy_read(float **ret_values, int64_t shape[4], int *ret_rank, const void *file, size_t size, struct err *err);

#endif
