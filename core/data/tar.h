/* tar.h: the libarchive door: a tar file in memory, as plain files and folders only.
 *
 * Why: a data set comes as one tar from somebody else. Whoever writes its files must not have to think of links, devices,
 * "..", absolute paths and archives that unpack to a thousand times their size: nothing of that gets past this room.
 * Invariants: a path given to a sink is relative, 1..TAR_PATH_MAX bytes, has neither empty nor "." nor ".." parts, no control
 * character and no part that begins with a dot; entries with such a part (".DS_Store", "._x.png", ".git/…") are left out,
 * for a data set has no hidden files. A folder may come twice or never; its files may come first.
 * Not here: where the files go (server/upload.h), writing one (tar_out.h).
 */
#ifndef LATENTD_CORE_DATA_TAR_H
#define LATENTD_CORE_DATA_TAR_H

#include "core/base/err.h"

#include <stddef.h>

enum { TAR_PATH_MAX = 1000, TAR_DEPTH_MAX = 16 };

struct tar_limits {
	size_t entries; /* files and folders */
	size_t bytes;   /* of all files, unpacked */
};

/* What becomes of the entries, in their order; the first that fails ends the reading with its code. */
struct tar_sink {
	int (*folder)(void *ctx, const char *path, struct err *err);
	int (*begin)(void *ctx, const char *path, struct err *err); /* a file: then its bytes, then end */
	int (*write)(void *ctx, const void *bytes, size_t size, struct err *err);
	int (*end)(void *ctx, struct err *err);
	void *ctx;
};

/* Reads all of a tar (ustar, pax, GNU), raw or gzip. ERR_SYNTAX: not a tar, or a damaged one; ERR_INVALID: an entry that no
 * data set has; ERR_TOO_LARGE: beyond a limit. The message names the entry. */
int tar_read(
	const void *bytes, size_t size, const struct tar_limits *limits, const struct tar_sink *sink, struct err *err);

#endif
