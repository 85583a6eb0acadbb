#include "server/store/seal.h"

#include "core/base/buf.h"
#include "server/blob.h"
#include "server/clock.h"
#include "server/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK_BYTES = 1 << 20 };

/* Each word changes the state one to one, so that one that differs is always seen. */
static uint64_t sum_of(const void *bytes, size_t n)
{
	const char *at = bytes;
	uint64_t sum = n, word = 0;
	for (; n >= sizeof word; n -= sizeof word, at += sizeof word) {
		memcpy(&word, at, sizeof word);
		sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		sum ^= sum >> 29;
	}
	word = 0;
	memcpy(&word, at, n);
	return (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
}

static void seal_path(char *path, size_t size, const char *db_path)
{
	snprintf(path, size, "%s.seal", db_path);
}

/* Bytes that came, up to CHUNK_BYTES, or -1. */
static ssize_t read_chunk(int fd, char *chunk)
{
	size_t have = 0;
	while (have < CHUNK_BYTES) {
		ssize_t n = read(fd, chunk + have, CHUNK_BYTES - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (!n)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

static int open_chunks(const char *path, int *ret_fd, char **ret_chunk, int64_t *ret_size, struct err *err)
{
	struct stat st;
	char *chunk = malloc(CHUNK_BYTES);
	if (!chunk)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st)) {
		int code = err_errno(err, errno, "opening %s", path);
		if (fd >= 0)
			close(fd);
		free(chunk);
		return code;
	}
	*ret_fd = fd;
	*ret_chunk = chunk;
	*ret_size = st.st_size;
	return OK;
}

int seal_write(const char *db_path, struct err *err)
{
	char path[4300], *chunk;
	struct buf text = BUF_INIT;
	int64_t size;
	int fd;
	ssize_t n;
	int code = open_chunks(db_path, &fd, &chunk, &size, err);
	if (code)
		return code;
	buf_printf(&text, "%" PRId64 "\n", size);
	while ((n = read_chunk(fd, chunk)) > 0)
		buf_printf(&text, "%016" PRIx64 "\n", sum_of(chunk, (size_t)n));
	if (n < 0)
		code = err_errno(err, errno, "reading %s", db_path);
	close(fd);
	free(chunk);
	seal_path(path, sizeof path, db_path);
	if (!code)
		code = text.failed ? err_set(err, ERR_NO_MEMORY, "out of memory") : blob_write(path, text.data, text.len, err);
	buf_free(&text);
	return code;
}

static int differs(const char *db_path, struct err *err)
{
	return err_set(err, ERR_CORRUPT,
		"it is not what the last stop left: damaged, or changed by another program; %s.seal says so",
		strrchr(db_path, '/') ? strrchr(db_path, '/') + 1 : db_path);
}

/* One line of the seal for each chunk. */
static int compare(int fd, char *chunk, const char *line, const char *db_path, struct err *err)
{
	int64_t until = clock_ms() + STORE_CHECK_MS, done = 0;
	ssize_t n;
	while ((n = read_chunk(fd, chunk)) > 0) {
		char *end;
		uint64_t wanted = strtoull(line, &end, 16);
		if (end != line + 16 || *end != '\n' || wanted != sum_of(chunk, (size_t)n))
			return differs(db_path, err);
		line = end + 1;
		done += n;
		if (clock_ms() > until) {
			log_warn("the database is large: only its beginning was checked", "bytes=%" PRId64, done);
			return OK;
		}
	}
	if (n < 0)
		return err_errno(err, errno, "reading %s", db_path);
	return *line ? differs(db_path, err) : OK;
}

int seal_check(const char *db_path, bool *ret_sealed, struct err *err)
{
	char path[4300], *chunk, *text, *end;
	void *bytes;
	size_t length;
	int64_t size;
	int fd;
	seal_path(path, sizeof path, db_path);
	int code = blob_read(path, &bytes, &length, err);
	*ret_sealed = !code;
	if (code)
		return code == ERR_NOT_FOUND ? OK : code;
	text = strndup(bytes, length);
	free(bytes);
	if (!text)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	code = open_chunks(db_path, &fd, &chunk, &size, err);
	if (!code) {
		long long wanted = strtoll(text, &end, 10);
		code = *end != '\n' || wanted != size ? differs(db_path, err) : compare(fd, chunk, end + 1, db_path, err);
		close(fd);
		free(chunk);
	}
	free(text);
	return code;
}

int seal_break(const char *db_path, struct err *err)
{
	char path[4300];
	seal_path(path, sizeof path, db_path);
	if (unlink(path))
		return errno == ENOENT ? OK : err_errno(err, errno, "removing %s", path);
	return blob_sync_parent(path, err);
}
