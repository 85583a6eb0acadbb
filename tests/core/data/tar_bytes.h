/* tar_bytes.h: tar files for tests, entry by entry, so that each field can be wrong (POSIX.1-2017, pax, "ustar"). */
#ifndef LATENTD_TESTS_CORE_DATA_TAR_BYTES_H
#define LATENTD_TESTS_CORE_DATA_TAR_BYTES_H

#include "core/base/buf.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

enum { TAR_BLOCK = 512 };

/* type: '0' file, '1' hard link, '2' symbolic link, '3' device, '5' folder, '6' fifo, 'x' pax header. */
static inline void tar_header(struct buf *b, const char *name, char type, size_t size, const char *link)
{
	char h[TAR_BLOCK] = {0};
	unsigned sum = 0;
	memcpy(h, name, strlen(name) < 100 ? strlen(name) : 100);
	memcpy(h + 100, "0000644", 7);
	memcpy(h + 108, "0000000", 7);
	memcpy(h + 116, "0000000", 7);
	snprintf(h + 124, 12, "%011lo", (unsigned long)size);
	memcpy(h + 136, "00000000000", 11);
	h[156] = type;
	memcpy(h + 157, link, strlen(link));
	memcpy(h + 257, "ustar\00000", 8);
	memset(h + 148, ' ', 8);
	for (int i = 0; i < TAR_BLOCK; i++)
		sum += (unsigned char)h[i];
	snprintf(h + 148, 8, "%06o", sum);
	buf_append(b, h, sizeof h);
}

static inline void tar_bytes(struct buf *b, const void *bytes, size_t size)
{
	static const char zeros[TAR_BLOCK];
	buf_append(b, bytes, size);
	buf_append(b, zeros, (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK);
}

static inline void tar_file(struct buf *b, const char *name, const void *bytes, size_t size)
{
	tar_header(b, name, '0', size, "");
	tar_bytes(b, bytes, size);
}

static inline void tar_text(struct buf *b, const char *name, const char *text)
{
	tar_file(b, name, text, strlen(text));
}

static inline void tar_end(struct buf *b)
{
	static const char zeros[2 * TAR_BLOCK];
	buf_append(b, zeros, sizeof zeros);
}

/* A pax header: this path for the entry that follows. */
static inline void tar_pax_path(struct buf *b, const char *path)
{
	char record[1200];
	size_t n = strlen(path) + strlen(" path=\n") + 2; /* the length counts its own digits */
	n += (n > 99) + (n > 997);
	snprintf(record, sizeof record, "%zu path=%s\n", n, path);
	tar_header(b, "pax", 'x', strlen(record), "");
	tar_bytes(b, record, strlen(record));
}

/* The same as gzip. */
static inline void tar_pack(struct buf *ret, const struct buf *b)
{
	z_stream z = {.next_in = (Bytef *)b->data, .avail_in = (uInt)b->len};
	uLong most = compressBound(b->len) + 64;
	deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY);
	z.next_out = (Bytef *)buf_reserve(ret, most);
	z.avail_out = (uInt)most;
	deflate(&z, Z_FINISH);
	ret->len += z.total_out;
	deflateEnd(&z);
}

#endif
