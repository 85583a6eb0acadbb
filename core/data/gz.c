#include "core/data/gz.h"

#include "core/base/shape.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum {
	CHUNK = 128 << 10,    /* of packed bytes: fits the L2 cache beside inflate's window */
	DEFLATE_RATIO = 1032, /* the most that deflate can pack (zlib's technical notes) */
	GZIP_MAGIC0 = 0x1f,
	GZIP_MAGIC1 = 0x8b,
	GZIP_WINDOW = 15 + 16, /* inflateInit2: the largest window, gzip framing only */
	PIECE_MAX = 1 << 30,   /* zlib counts in unsigned int */
};

struct gz {
	int fd; /* -1: all the source is in `next` */
	size_t source_bytes;
	const uint8_t *next; /* source bytes not yet used */
	size_t left;
	bool packed, inflating; /* inflating: inside a gzip member */
	z_stream z;
	uint8_t chunk[CHUNK];
};

/* Reads from the file into a buffer until it is full or the file ends. */
static int read_full(int fd, uint8_t *bytes, size_t size, size_t *ret_got, struct err *err)
{
	size_t got = 0;
	while (got < size) {
		ssize_t n = read(fd, bytes + got, size - got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, errno, "read");
		if (n == 0)
			break;
		got += (size_t)n;
	}
	*ret_got = got;
	return OK;
}

/* Makes sure that source bytes are at hand; left == 0 afterwards means the source has ended. */
static int refill(struct gz *gz, struct err *err)
{
	if (gz->left || gz->fd < 0)
		return OK;
	gz->next = gz->chunk;
	return read_full(gz->fd, gz->chunk, sizeof gz->chunk, &gz->left, err);
}

static int source_open(int *ret_fd, size_t *ret_size, const char *path, struct err *err)
{
	/* O_NONBLOCK: opening a FIFO must not wait for a writer */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_errno(err, errno, "open");
	struct stat st;
	int code = OK;
	if (fstat(fd, &st))
		code = err_errno(err, errno, "stat");
	else if (!S_ISREG(st.st_mode))
		code = err_set(err, ERR_IO, "not a regular file");
	if (code) {
		close(fd);
		return code;
	}
	*ret_fd = fd;
	*ret_size = (size_t)st.st_size;
	return OK;
}

static int begin(struct gz *gz, struct err *err)
{
	int code = refill(gz, err);
	if (code)
		return code;
	if (gz->left < 2 || gz->next[0] != GZIP_MAGIC0 || gz->next[1] != GZIP_MAGIC1)
		return OK;
	if (inflateInit2(&gz->z, GZIP_WINDOW) != Z_OK)
		return err_set(err, ERR_NO_MEMORY, "no memory to unpack");
	gz->packed = gz->inflating = true;
	return OK;
}

/* Takes ownership of fd, on failure too. */
static int open_source(struct gz **ret, int fd, const uint8_t *bytes, size_t size, struct err *err)
{
	struct gz *gz = calloc(1, sizeof *gz);
	if (!gz) {
		if (fd >= 0)
			close(fd);
		return err_set(err, ERR_NO_MEMORY, "no memory to read a file");
	}
	gz->fd = fd;
	gz->source_bytes = size;
	gz->next = bytes;
	gz->left = fd < 0 ? size : 0;
	int code = begin(gz, err);
	if (code) {
		gz_close(gz);
		return code;
	}
	*ret = gz;
	return OK;
}

int gz_open(struct gz **ret, const char *path, struct err *err)
{
	int fd = -1;
	size_t size = 0;
	int code = source_open(&fd, &size, path, err);
	return code ? code : open_source(ret, fd, NULL, size, err);
}

int gz_open_bytes(struct gz **ret, const void *bytes, size_t size, struct err *err)
{
	return open_source(ret, -1, bytes, size, err);
}

void gz_close(struct gz *gz)
{
	if (!gz)
		return;
	if (gz->packed)
		inflateEnd(&gz->z);
	if (gz->fd >= 0)
		close(gz->fd);
	free(gz);
}

static int copy_some(struct gz *gz, uint8_t *bytes, size_t size, size_t *ret_got, struct err *err)
{
	int code = refill(gz, err);
	if (code)
		return code;
	size_t n = size < gz->left ? size : gz->left;
	if (n)
		memcpy(bytes, gz->next, n);
	gz->next += n;
	gz->left -= n;
	*ret_got = n;
	return OK;
}

/* Between two members of a gzip file (as `cat a.gz b.gz` makes them), or at its end. */
static int next_member(struct gz *gz, struct err *err)
{
	if (gz->next[0] != GZIP_MAGIC0)
		return err_set(err, ERR_CORRUPT, "broken gzip: bytes follow its end");
	inflateReset(&gz->z);
	gz->inflating = true;
	return OK;
}

static int inflate_some(struct gz *gz, uint8_t *bytes, size_t size, size_t *ret_got, struct err *err)
{
	*ret_got = 0;
	int code = refill(gz, err);
	if (code)
		return code;
	if (!gz->left)
		return gz->inflating ? err_set(err, ERR_CORRUPT, "broken gzip: it ends too early") : OK;
	if (!gz->inflating && (code = next_member(gz, err)))
		return code;
	size_t in = gz->left < PIECE_MAX ? gz->left : PIECE_MAX, out = size < PIECE_MAX ? size : PIECE_MAX;
	gz->z.next_in = (Bytef *)gz->next; /* zlib reads it only */
	gz->z.avail_in = (uInt)in;
	gz->z.next_out = bytes;
	gz->z.avail_out = (uInt)out;
	int status = inflate(&gz->z, Z_NO_FLUSH);
	gz->next += in - gz->z.avail_in;
	gz->left -= in - gz->z.avail_in;
	*ret_got = out - gz->z.avail_out;
	if (status == Z_STREAM_END)
		gz->inflating = false;
	else if (status == Z_MEM_ERROR)
		return err_set(err, ERR_NO_MEMORY, "no memory to unpack");
	else if (status != Z_OK)
		return err_set(err, ERR_CORRUPT, "broken gzip: %s", gz->z.msg ? gz->z.msg : "it makes no progress");
	return OK;
}

static int find_end(struct gz *gz, bool *ret_end, struct err *err)
{
	int code = refill(gz, err);
	*ret_end = !gz->left && !gz->inflating;
	return code;
}

int gz_read(struct gz *gz, void *bytes, size_t size, size_t *ret_got, struct err *err)
{
	size_t got = 0;
	bool end = false;
	while (got < size && !end) {
		size_t n;
		int code = gz->packed ? inflate_some(gz, (uint8_t *)bytes + got, size - got, &n, err)
							  : copy_some(gz, (uint8_t *)bytes + got, size - got, &n, err);
		if (!code && !n)
			code = find_end(gz, &end, err);
		if (code)
			return code;
		got += n;
	}
	*ret_got = got;
	return OK;
}

size_t gz_bytes_max(const struct gz *gz)
{
	size_t most;
	if (!gz->packed)
		return gz->source_bytes;
	return size_mul(gz->source_bytes, DEFLATE_RATIO, &most) ? most : SIZE_MAX;
}

uint32_t gz_crc32(uint32_t crc, const void *bytes, size_t size)
{
	return size ? (uint32_t)crc32_z(crc, bytes, size) : crc; /* of no bytes zlib would begin anew */
}
