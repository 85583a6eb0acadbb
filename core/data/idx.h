/* idx.h: the IDX format of MNIST and its kin: magic 0x000008RR (bytes, rank RR), RR big-endian sizes, then the bytes.
 *
 * Source: yann.lecun.com/exdb/mnist. Invariants: sizes are checked against the file's real length (of a packed file:
 * the most it could hold) before anything is allocated from them; no more than that is unpacked, whatever a .gz claims;
 * a file that is shorter or longer than its sizes say is ERR_CORRUPT.
 */
#ifndef LATENTD_CORE_DATA_IDX_H
#define LATENTD_CORE_DATA_IDX_H

#include "core/base/err.h"

#include <stddef.h>
#include <stdint.h>

#define IDX_BYTES_MAX ((size_t)4 << 30)

struct idx {
	int rank; /* 1: labels, 3: images (h, w), 4: images (c, h, w) */
	size_t dim[4];
	uint8_t *bytes; /* malloc'd, the product of dim */
};

/* Reads `path`, raw or gzip (told by its first bytes). */
int idx_read(struct idx *ret, const char *path, struct err *err);
/* The same from a whole file in memory. */
int idx_parse(struct idx *ret, const void *file, size_t size, struct err *err);
/* Rank and sizes only, from the first bytes of `path`; bytes == NULL. */
int idx_peek(struct idx *ret, const char *path, struct err *err);
void idx_free(struct idx *idx);

#endif
