#include "core/data/tar_out.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK = 512, NAME = 100, PREFIX = 155, SIZE_BITS = 33 };

/* POSIX.1-1988; numbers are octal digits. */
struct header {
	char name[NAME], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[NAME], magic[6], version[2],
		user[32], group[32], major[8], minor[8], prefix[PREFIX], rest[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is a block");

/* As one name, or as what stands before a slash and what after it. */
static int put_path(struct header *h, const char *path, struct err *err)
{
	const size_t n = strlen(path);
	const char *name = path;
	if (n > NAME)
		for (name = strchr(path, '/'); name && strlen(name + 1) > NAME; name = strchr(name + 1, '/'))
			;
	if (!n || !name || name - path > PREFIX)
		return err_set(err, ERR_INVALID, "a tar has no room for the path '%.60s…' of %zu bytes", path, n);
	if (name > path) {
		memcpy(h->prefix, path, (size_t)(name - path));
		name++;
	}
	memcpy(h->name, name, strlen(name));
	return OK;
}

/* Of all bytes, its own counted as blanks. */
static void put_checksum(struct header *h)
{
	unsigned sum = 0;
	memset(h->checksum, ' ', sizeof h->checksum);
	for (size_t i = 0; i < sizeof *h; i++)
		sum += ((const unsigned char *)h)[i];
	snprintf(h->checksum, sizeof h->checksum, "%06o", sum & 0777777);
}

int tar_put(const struct tar_out *t, const char *path, const void *bytes, size_t size, struct err *err)
{
	static const char zeros[BLOCK];
	struct header h = {.mode = "0000644",
		.uid = "0000000",
		.gid = "0000000",
		.mtime = "00000000000",
		.type = '0',
		.magic = "ustar",
		.version = {'0', '0'}};
	if (size >> SIZE_BITS)
		return err_set(err, ERR_TOO_LARGE, "a tar has no room for a file of %zu bytes", size);
	int code = put_path(&h, path, err);
	if (code)
		return code;
	snprintf(h.size, sizeof h.size, "%011llo", (unsigned long long)size);
	put_checksum(&h);
	if (!(code = t->write(t->ctx, &h, sizeof h, err)) && size && !(code = t->write(t->ctx, bytes, size, err)) &&
		size % BLOCK)
		code = t->write(t->ctx, zeros, BLOCK - size % BLOCK, err);
	return code;
}

int tar_end(const struct tar_out *t, struct err *err)
{
	static const char zeros[2 * BLOCK];
	return t->write(t->ctx, zeros, sizeof zeros, err);
}
