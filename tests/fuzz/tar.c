/* Any bytes as a tar: refused, or entries whose paths keep the promises of tar.h and stay within the limits. */
#include "core/data/tar.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const struct tar_limits limits = {.entries = 50, .bytes = 100000};
static size_t files, written;

static void check_path(const char *path)
{
	size_t n = strlen(path);
	if (n < 1 || n > TAR_PATH_MAX || path[n - 1] == '/')
		abort();
	for (const char *at = path; at; at = strchr(at, '/')) {
		at += *at == '/';
		if (*at == '/' || *at == '.' || !*at)
			abort();
	}
	for (size_t i = 0; i < n; i++)
		if ((uint8_t)path[i] < ' ' || path[i] == 0x7f)
			abort();
}

static int on_path(void *ctx, const char *path, struct err *err)
{
	(void)ctx, (void)err;
	check_path(path);
	if (++files > limits.entries)
		abort();
	return OK;
}

static int on_write(void *ctx, const void *some, size_t n, struct err *err)
{
	(void)ctx, (void)err, (void)some;
	if ((written += n) > limits.bytes)
		abort();
	return OK;
}

static int on_end(void *ctx, struct err *err)
{
	(void)ctx, (void)err;
	return OK;
}

/* Makes the headers' sums right, or hardly an input would get past them. */
static void repair(uint8_t *file, size_t size)
{
	for (size_t at = 0; at + 512 <= size; at += 512) {
		unsigned sum = 8 * ' ';
		if (memcmp(file + at + 257, "ustar", 5) != 0)
			continue;
		for (size_t i = 0; i < 512; i++)
			sum += i >= 148 && i < 156 ? 0 : file[at + i];
		for (size_t i = 0; i < 6; i++)
			file[at + 148 + i] = (uint8_t)('0' + (sum >> (15 - 3 * i) & 7));
		file[at + 154] = 0;
		file[at + 155] = ' ';
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const struct tar_sink sink = {on_path, on_path, on_write, on_end, NULL};
	struct err err = {0};
	uint8_t *file = malloc(size ? size : 1);
	if (!file)
		abort();
	if (size)
		memcpy(file, bytes, size);
	repair(file, size);
	files = written = 0;
	if (tar_read(file, size, &limits, &sink, &err) != err.code)
		abort();
	free(file);
	return 0;
}
