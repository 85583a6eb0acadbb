/* gz.h: the zlib door: a file or bytes in memory, gzip or not (told by the first two bytes), read as a stream.
 *
 * Why a stream: the reader above learns the sizes from a header and unpacks straight into memory of just that size.
 * Owner: who opens closes; `bytes` given to gz_open_bytes stay the caller's and must outlive the reader.
 * Invariants: never more bytes than asked for are unpacked, so a bomb costs nothing; a gzip stream that is cut short,
 * whose checksum differs or that is followed by something else is ERR_CORRUPT, at the latest by the read that would see
 * the end.
 */
#ifndef LATENTD_CORE_DATA_GZ_H
#define LATENTD_CORE_DATA_GZ_H

#include "core/base/err.h"

#include <stddef.h>
#include <stdint.h>

struct gz;

/* ERR_NOT_FOUND when there is no such file; ERR_IO when it is not a regular file or cannot be read. */
int gz_open(struct gz **ret, const char *path, struct err *err);
int gz_open_bytes(struct gz **ret, const void *bytes, size_t size, struct err *err);
void gz_close(struct gz *gz);
/* The next `size` unpacked bytes; *ret_got is less only at the end. */
int gz_read(struct gz *gz, void *bytes, size_t size, size_t *ret_got, struct err *err);
/* No reading of this source can give more bytes than that: its size, times what deflate can do if it is packed. */
size_t gz_bytes_max(const struct gz *gz);

/* The CRC-32 of gzip and PNG of what came before (crc; 0: nothing) and these bytes. */
uint32_t gz_crc32(uint32_t crc, const void *bytes, size_t size);

#endif
