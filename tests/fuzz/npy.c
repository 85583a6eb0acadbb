/* Any bytes as an npy file: refused, or an array that survives being written and read again. */
#include "core/data/npy.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	float *values, *again;
	int64_t shape[4], shape_again[4];
	int rank, rank_again;
	struct err err = {0};
	int code = npy_read(&values, shape, &rank, bytes, size, &err);
	if (code != err.code)
		abort();
	if (code)
		return 0;
	struct buf b = BUF_INIT;
	npy_write(&b, values, shape, rank);
	size_t n = (size_t)(shape[0] * shape[1] * shape[2] * shape[3]);
	if (b.failed || npy_read(&again, shape_again, &rank_again, b.data, b.len, &err) || rank != rank_again ||
		memcmp(shape, shape_again, sizeof shape) != 0 || memcmp(values, again, n * sizeof *values) != 0)
		abort();
	buf_free(&b);
	free(values);
	free(again);
	return 0;
}
