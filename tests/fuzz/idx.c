/* Any bytes as an IDX file, raw or packed: refused, or exactly as large as its sizes say. */
#include "core/data/idx.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct idx idx;
	struct err err = {0};
	int code = idx_parse(&idx, bytes, size, &err);
	if (code != err.code)
		abort();
	if (code)
		return 0;
	size_t n = 1;
	for (int i = 0; i < idx.rank; i++)
		n *= idx.dim[i];
	unsigned sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += idx.bytes[i];
	volatile unsigned sink = sum;
	(void)sink;
	idx_free(&idx);
	return 0;
}
