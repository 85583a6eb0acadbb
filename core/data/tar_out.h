/* tar_out.h: a tar file, written as it grows: plain files, in the format that every tar reads (POSIX.1-1988 ustar).
 *
 * Why not libarchive: it ends the process where it finds no memory; writing takes a header of 512 bytes and no memory.
 * Invariants: nothing of when, where or by whom is in it: the same files in the same order are the same bytes.
 */
#ifndef LATENTD_CORE_DATA_TAR_OUT_H
#define LATENTD_CORE_DATA_TAR_OUT_H

#include "core/base/err.h"

#include <stddef.h>

/* Takes the next bytes. */
struct tar_out {
	int (*write)(void *ctx, const void *bytes, size_t size, struct err *err);
	void *ctx;
};
/* A whole file, at a relative path. ERR_INVALID if the path does not fit: 100 bytes, or 155 before a '/' and 100 after it;
 * ERR_TOO_LARGE from 8 GiB on. */
int tar_put(const struct tar_out *t, const char *path, const void *bytes, size_t size, struct err *err);
/* What follows the last file. */
int tar_end(const struct tar_out *t, struct err *err);

#endif
