/* files.h: a folder of its own for a test, and IDX files in it, whole or spoilt. */
#ifndef LATENTD_TESTS_CORE_DATA_FILES_H
#define LATENTD_TESTS_CORE_DATA_FILES_H

#include "core/base/buf.h"

#include <ftw.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static inline int files_open(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/latentd-test-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline int files_close(void **state)
{
	(void)state;
	return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* folder/name; the text lasts for the next 31 calls. */
static inline const char *in_folder(const char *name)
{
	static char path[32][400];
	static int next;
	next = (next + 1) % 32;
	snprintf(path[next], sizeof path[next], "%s/%s", folder, name);
	return path[next];
}

static inline void make_folder(const char *name)
{
	assert_int_equal(mkdir(in_folder(name), 0777), 0);
}

static inline void put_file(const char *name, const void *bytes, size_t size)
{
	FILE *f = fopen(in_folder(name), "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

static inline void put_text(const char *name, const char *text)
{
	put_file(name, text, strlen(text));
}

/* An IDX file: rank sizes, then their product of bytes (i * 7 + 1) % below. */
static inline struct buf idx_bytes(int rank, const uint32_t *dim, unsigned below)
{
	struct buf b = BUF_INIT;
	const uint8_t magic[4] = {0, 0, 8, (uint8_t)rank};
	size_t n = 1;
	buf_append(&b, magic, 4);
	for (int i = 0; i < rank; i++) {
		const uint8_t size[4] = {
			(uint8_t)(dim[i] >> 24), (uint8_t)(dim[i] >> 16), (uint8_t)(dim[i] >> 8), (uint8_t)dim[i]};
		buf_append(&b, size, 4);
		n *= dim[i];
	}
	for (size_t i = 0; i < n; i++)
		buf_append(&b, &(uint8_t){(uint8_t)((i * 7 + 1) % below)}, 1);
	assert_false(b.failed);
	return b;
}

static inline void put_idx(const char *name, int rank, const uint32_t *dim, unsigned below)
{
	struct buf b = idx_bytes(rank, dim, below);
	put_file(name, b.data, b.len);
	buf_free(&b);
}

/* A small data set in folder/name: train n, test n / 2 images of 1 x h x w in `classes` classes. */
static inline void put_dataset(const char *name, uint32_t n, uint32_t h, uint32_t w, unsigned classes)
{
	char file[300];
	make_folder(name);
	snprintf(file, sizeof file, "%s/train-images-idx3-ubyte", name);
	put_idx(file, 3, (uint32_t[]){n, h, w}, 251);
	snprintf(file, sizeof file, "%s/train-labels-idx1-ubyte", name);
	put_idx(file, 1, (uint32_t[]){n}, classes);
	snprintf(file, sizeof file, "%s/t10k-images-idx3-ubyte", name);
	put_idx(file, 3, (uint32_t[]){n / 2, h, w}, 251);
	snprintf(file, sizeof file, "%s/t10k-labels-idx1-ubyte", name);
	put_idx(file, 1, (uint32_t[]){n / 2}, classes);
}

#endif
