/* golden_file.h: a file of tests/golden, whole. */
#ifndef LATENTD_TESTS_CORE_GOLDEN_FILE_H
#define LATENTD_TESTS_CORE_GOLDEN_FILE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* Run from the top of the source tree; malloc'd. */
static inline void *read_whole(const char *path, size_t *ret_size)
{
	FILE *f = fopen(path, "rb");
	if (!f)
		fail_msg("%s: run from the top of the source tree", path);
	fseek(f, 0, SEEK_END);
	*ret_size = (size_t)ftell(f);
	rewind(f);
	void *bytes = malloc(*ret_size);
	assert_int_equal(fread(bytes, 1, *ret_size, f), *ret_size);
	fclose(f);
	return bytes;
}

#endif
