/* buf.h: bytes that grow at the end: JSON text, PNG files, npy arrays, SQL-free report lines.
 *
 * Owner: the caller; buf_free gives the memory back, buf_take hands it over.
 * Invariants: data[len] is always a NUL byte (when data is not NULL), so a buf of text is a C string; after an allocation
 * failed, `failed` stays set and every further append is a no-op: check once at the end.
 */
#ifndef LATENTD_CORE_BASE_BUF_H
#define LATENTD_CORE_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data; /* malloc'd, or NULL while empty */
	size_t len, cap;
	bool failed;
};

#define BUF_INIT ((struct buf){0})

void buf_free(struct buf *b);
/* Makes room for `extra` more bytes and returns where they start (uninitialised; not yet counted in len), or NULL. */
char *buf_reserve(struct buf *b, size_t extra);
void buf_append(struct buf *b, const void *bytes, size_t size);
void buf_str(struct buf *b, const char *text);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Hands the bytes to the caller (free() them) and empties the buf; NULL if an append failed. */
char *buf_take(struct buf *b, size_t *ret_size);

#endif
