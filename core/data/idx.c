#include "core/data/idx.h"

#include "core/base/shape.h"
#include "core/data/gz.h"

#include <stdlib.h>

enum { MAGIC_BYTES = 4, DIM_BYTES = 4, TYPE_UBYTE = 0x08 };

static size_t header_bytes(const struct idx *idx)
{
	return MAGIC_BYTES + DIM_BYTES * (size_t)idx->rank;
}

static int read_exactly(struct gz *gz, uint8_t *bytes, size_t size, const char *what, struct err *err)
{
	size_t got;
	int code = gz_read(gz, bytes, size, &got, err);
	if (!code && got < size)
		return err_set(err, ERR_CORRUPT, "it ends within its %s: %zu bytes of %zu are there", what, got, size);
	return code;
}

static int read_header(struct idx *ret, struct gz *gz, struct err *err)
{
	uint8_t magic[MAGIC_BYTES], dim[DIM_BYTES];
	int code = read_exactly(gz, magic, sizeof magic, "header", err);
	if (code)
		return code;
	struct idx idx = {.rank = magic[3]};
	if (magic[0] || magic[1] || magic[2] != TYPE_UBYTE || (idx.rank != 1 && idx.rank != 3 && idx.rank != 4))
		return err_set(err, ERR_CORRUPT,
			"not an IDX file of bytes: it begins with %02x%02x%02x%02x, not 00000801 (labels), 00000803 or 00000804 "
			"(images)",
			magic[0], magic[1], magic[2], magic[3]);
	for (int i = 0; i < idx.rank; i++) {
		if ((code = read_exactly(gz, dim, sizeof dim, "header", err)))
			return code;
		idx.dim[i] = (size_t)dim[0] << 24 | (size_t)dim[1] << 16 | (size_t)dim[2] << 8 | dim[3];
	}
	*ret = idx;
	return OK;
}

/* *ret_size = the product of the sizes, if that can be. */
static int check_size(const struct idx *idx, size_t file_max, size_t *ret_size, struct err *err)
{
	size_t size = 1;
	for (int i = 0; i < idx->rank; i++) {
		if (!idx->dim[i])
			return err_set(err, ERR_CORRUPT, "its header says that size %d is 0", i + 1);
		if (!size_mul(size, idx->dim[i], &size) || size > IDX_BYTES_MAX)
			return err_set(err, ERR_CORRUPT, "its header claims more than %zu bytes", IDX_BYTES_MAX);
	}
	size_t whole = size + header_bytes(idx);
	if (whole > file_max)
		return err_set(
			err, ERR_CORRUPT, "its header claims %zu bytes; the file has room for at most %zu", whole, file_max);
	*ret_size = size;
	return OK;
}

static int read_content(struct idx *idx, struct gz *gz, size_t size, struct err *err)
{
	idx->bytes = malloc(size);
	if (!idx->bytes)
		return err_set(err, ERR_NO_MEMORY, "no memory for %zu bytes", size);
	int code = read_exactly(gz, idx->bytes, size, "content", err);
	if (code)
		return code;
	uint8_t more;
	size_t got;
	code = gz_read(gz, &more, 1, &got, err);
	if (!code && got)
		return err_set(err, ERR_CORRUPT, "bytes follow the %zu that its header claims", size + header_bytes(idx));
	return code;
}

static int read_all(struct idx *ret, struct gz *gz, struct err *err)
{
	struct idx idx;
	size_t size;
	int code = read_header(&idx, gz, err);
	if (code || (code = check_size(&idx, gz_bytes_max(gz), &size, err)))
		return code;
	if ((code = read_content(&idx, gz, size, err))) {
		idx_free(&idx);
		return code;
	}
	*ret = idx;
	return OK;
}

int idx_read(struct idx *ret, const char *path, struct err *err)
{
	struct gz *gz;
	int code = gz_open(&gz, path, err);
	if (code)
		return code;
	code = read_all(ret, gz, err);
	gz_close(gz);
	return code;
}

int idx_parse(struct idx *ret, const void *file, size_t size, struct err *err)
{
	struct gz *gz;
	int code = gz_open_bytes(&gz, file, size, err);
	if (code)
		return code;
	code = read_all(ret, gz, err);
	gz_close(gz);
	return code;
}

int idx_peek(struct idx *ret, const char *path, struct err *err)
{
	struct gz *gz;
	struct idx idx;
	size_t size;
	int code = gz_open(&gz, path, err);
	if (code)
		return code;
	code = read_header(&idx, gz, err);
	if (!code && !(code = check_size(&idx, gz_bytes_max(gz), &size, err)))
		*ret = idx;
	gz_close(gz);
	return code;
}

void idx_free(struct idx *idx)
{
	free(idx->bytes);
	*idx = (struct idx){0};
}
