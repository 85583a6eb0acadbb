#include "api/safetensors.h"

#include "api/json.h"
#include "core/base/shape.h"
#include "core/data/sha256.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH_BYTES = 8, ALIGN = 64, HEADER_MAX = 16 << 20 };
static const char checksum_name[] = "checksum";

/* --- writing --- */

static void write_metadata(struct jsonw *w, const struct metadata_entry *metadata, int n)
{
	jw_key(w, "__metadata__");
	jw_object(w);
	for (int i = 0; i < n; i++)
		jw_kstring(w, metadata[i].key, metadata[i].value);
	jw_end_object(w);
}

static void write_tensor(struct jsonw *w, const struct tensor *t, size_t *offset)
{
	jw_key(w, t->name);
	jw_object(w);
	jw_kstring(w, "dtype", dtype_name(t->dtype));
	jw_key(w, "shape");
	jw_array(w);
	for (int i = 0; i < t->rank; i++)
		jw_int(w, t->shape[i]);
	jw_end_array(w);
	jw_key(w, "data_offsets");
	jw_array(w);
	jw_int(w, (int64_t)*offset);
	*offset += t->bytes;
	jw_int(w, (int64_t)*offset);
	jw_end_array(w);
	jw_end_object(w);
}

/* The header of all tensors, padded with blanks to where data may begin. */
static void write_header(struct buf *header, const struct state *s, const struct tensor *checksum,
	const struct metadata_entry *metadata, int nmetadata)
{
	struct jsonw w;
	size_t offset = 0;
	jw_init(&w, header, false);
	jw_object(&w);
	write_metadata(&w, metadata, nmetadata);
	for (int i = 0; i < s->n; i++)
		write_tensor(&w, &s->tensor[i], &offset);
	if (checksum)
		write_tensor(&w, checksum, &offset);
	jw_end_object(&w);
	while ((LENGTH_BYTES + header->len) % ALIGN && !header->failed)
		buf_append(header, " ", 1);
}

int safetensors_write(struct buf *b, const struct state *s, const struct metadata_entry *metadata, int nmetadata,
	bool checksum, struct err *err)
{
	struct tensor sum = {.dtype = DTYPE_U8, .rank = 1, .shape = {SHA256_BYTES}, .bytes = SHA256_BYTES};
	memcpy(sum.name, checksum_name, sizeof checksum_name);
	struct buf header = BUF_INIT;
	write_header(&header, s, checksum ? &sum : NULL, metadata, nmetadata);
	size_t start = b->len;
	uint64_t length = header.len;
	buf_append(b, &length, sizeof length);
	if (header.data)
		buf_append(b, header.data, header.len);
	b->failed |= header.failed || s->failed;
	buf_free(&header);
	for (int i = 0; i < s->n; i++)
		buf_append(b, s->tensor[i].data, s->tensor[i].bytes);
	if (checksum && !b->failed) {
		uint8_t digest[SHA256_BYTES];
		struct sha256 h;
		sha256_init(&h);
		sha256_update(&h, b->data + start, b->len - start);
		sha256_digest(&h, digest);
		buf_append(b, digest, sizeof digest);
	}
	return b->failed ? err_set(err, ERR_NO_MEMORY, "no memory to write %d tensors", s->n) : OK;
}

/* --- reading --- */

static int corrupt(struct err *err, const char *tensor, const char *what)
{
	return err_set(
		err, ERR_CORRUPT, "safetensors: %s%.95s%s%s", *tensor ? "tensor '" : "", tensor, *tensor ? "': " : "", what);
}

/* A whole number that a size can hold. */
static bool size_of(const struct json *node, size_t *ret)
{
	if (!node || json_type(node) != JSON_NUMBER)
		return false;
	double number = json_number(node);
	if (!(number >= 0 && number <= 9007199254740991.0) || number != (double)(size_t)number)
		return false;
	*ret = (size_t)number;
	return true;
}

static bool read_dtype(const struct json *node, enum dtype *ret)
{
	if (!node || json_type(node) != JSON_STRING)
		return false;
	for (int t = 0; t < DTYPE_COUNT; t++)
		if (!strcmp(json_string(node), dtype_name((enum dtype)t))) {
			*ret = (enum dtype)t;
			return true;
		}
	return false;
}

static bool read_shape(const struct json *node, struct tensor *t)
{
	enum { RANK_MAX = sizeof t->shape / sizeof *t->shape };
	if (!node || json_type(node) != JSON_ARRAY || json_count(node) > RANK_MAX)
		return false;
	for (const struct json *item = json_first(node); item; item = json_next(item)) {
		size_t dim;
		if (!size_of(item, &dim))
			return false;
		t->shape[t->rank++] = (int64_t)dim;
	}
	return true;
}

static bool read_offsets(const struct json *node, size_t offset[2])
{
	return node && json_type(node) == JSON_ARRAY && json_count(node) == 2 && size_of(json_first(node), &offset[0]) &&
		   size_of(json_next(json_first(node)), &offset[1]);
}

/* Where things lie in a file: the header's text, and the bytes after it that tensors lie in. */
struct data {
	const char *header;
	size_t header_size;
	uint8_t *start;
	size_t size;
};

static int read_tensor(const struct json *entry, struct data data, struct tensor *ret, struct err *err)
{
	struct tensor t = {0};
	const char *name = json_key(entry);
	size_t offset[2];
	if (strlen(name) >= sizeof t.name)
		return corrupt(err, name, "its name is longer than 95 bytes");
	memcpy(t.name, name, strlen(name));
	if (json_type(entry) != JSON_OBJECT || json_count(entry) != 3)
		return corrupt(err, name, "must have dtype, shape and data_offsets, and nothing else");
	if (!read_dtype(json_get(entry, "dtype"), &t.dtype))
		return corrupt(err, name, "dtype must be one of U8, I64, F32, F64");
	if (!read_shape(json_get(entry, "shape"), &t))
		return corrupt(err, name, "shape must be up to 4 whole numbers");
	if (!read_offsets(json_get(entry, "data_offsets"), offset))
		return corrupt(err, name, "data_offsets must be two whole numbers");
	if (offset[0] > offset[1] || offset[1] > data.size)
		return corrupt(err, name, "data_offsets lie outside the file");
	if (!shape_bytes(t.shape, t.rank, dtype_size(t.dtype), &t.bytes) || t.bytes != offset[1] - offset[0])
		return corrupt(err, name, "its size is not shape x dtype");
	t.data = data.start + offset[0];
	*ret = t;
	return OK;
}

/* Order in the file; an empty tensor comes before the one that begins where it stands. */
static int by_place(const void *a, const void *b)
{
	const struct tensor *x = *(const struct tensor *const *)a, *y = *(const struct tensor *const *)b;
	if (x->data != y->data)
		return (uintptr_t)x->data < (uintptr_t)y->data ? -1 : 1;
	return x->bytes < y->bytes ? -1 : x->bytes > y->bytes;
}

/* Every byte belongs to exactly one tensor. *ret_last: the one the file ends with, or NULL. */
static int check_places(const struct state *s, struct data data, const struct tensor **ret_last, struct err *err)
{
	const struct tensor **order = malloc((s->n ? (size_t)s->n : 1) * sizeof *order);
	if (!order)
		return err_set(err, ERR_NO_MEMORY, "no memory for %d tensors", s->n);
	for (int i = 0; i < s->n; i++)
		order[i] = &s->tensor[i];
	qsort(order, (size_t)s->n, sizeof *order, by_place);
	int code = OK;
	const uint8_t *end = data.start;
	for (int i = 0; i < s->n && !code; i++) {
		const uint8_t *at = order[i]->data;
		if (at != end)
			code = corrupt(err, order[i]->name, at < end ? "overlaps the one before it" : "a hole before it");
		end = at + order[i]->bytes;
	}
	if (!code && end != data.start + data.size)
		code = corrupt(err, "", "bytes after the last tensor");
	*ret_last = s->n ? order[s->n - 1] : NULL;
	free(order);
	return code;
}

static int read_metadata(struct safetensors *s, const struct json *object, struct err *err)
{
	if (json_type(object) != JSON_OBJECT)
		return corrupt(err, "", "__metadata__ must be an object");
	for (const struct json *member = json_first(object); member; member = json_next(member))
		if (json_type(member) != JSON_STRING)
			return corrupt(err, "", "__metadata__ must hold strings only");
	struct buf text = BUF_INIT;
	json_print(&text, object);
	int code = text.failed ? err_set(err, ERR_NO_MEMORY, "no memory for metadata")
						   : json_parse(&s->metadata, text.data, text.len, err);
	buf_free(&text);
	return code;
}

static int read_entries(struct safetensors *s, const struct json *header, struct data data, struct err *err)
{
	for (const struct json *entry = json_first(header); entry; entry = json_next(entry)) {
		struct tensor t;
		bool metadata = !strcmp(json_key(entry), "__metadata__");
		int code = metadata ? read_metadata(s, entry, err) : read_tensor(entry, data, &t, err);
		if (code)
			return code;
		if (!metadata)
			state_add(&s->state, t.name, t.dtype, t.rank, t.shape, t.data);
	}
	if (s->state.failed)
		return err_set(err, ERR_NO_MEMORY, "no memory for the tensors of a file");
	return OK;
}

/* Compares and takes the checksum out of the state: it says something about the file, not about the model. */
static int check_sum(struct safetensors *s, const struct tensor *last, const void *file, struct err *err)
{
	const struct tensor *sum = state_find(&s->state, checksum_name);
	if (!sum)
		return OK;
	if (sum != last || sum->dtype != DTYPE_U8 || sum->bytes != SHA256_BYTES)
		return corrupt(err, checksum_name, "must be the last tensor, of 32 bytes");
	uint8_t digest[SHA256_BYTES];
	struct sha256 h;
	sha256_init(&h);
	sha256_update(&h, file, (size_t)((const uint8_t *)sum->data - (const uint8_t *)file));
	sha256_digest(&h, digest);
	if (memcmp(digest, sum->data, sizeof digest))
		return corrupt(err, checksum_name, "does not match the file: it is damaged");
	size_t index = (size_t)(sum - s->state.tensor);
	s->state.n--;
	memmove(&s->state.tensor[index], &s->state.tensor[index + 1], ((size_t)s->state.n - index) * sizeof *sum);
	s->has_checksum = true;
	return OK;
}

static int split(const void *file, size_t size, struct data *ret, struct err *err)
{
	uint64_t length; /* little-endian, as every machine this is built for */
	if (size < LENGTH_BYTES)
		return corrupt(err, "", "shorter than the length of its header");
	memcpy(&length, file, sizeof length);
	if (length > HEADER_MAX)
		return corrupt(err, "", "header longer than 16 MiB");
	if (length > size - LENGTH_BYTES)
		return corrupt(err, "", "header reaches past the end of the file");
	ret->header = (const char *)file + LENGTH_BYTES;
	ret->header_size = (size_t)length;
	if (!length || ret->header[0] != '{')
		return corrupt(err, "", "header does not begin with '{'");
	/* tensors point into the caller's bytes; nothing here writes to them */
	ret->start = (uint8_t *)(uintptr_t)file + LENGTH_BYTES + length;
	ret->size = size - LENGTH_BYTES - (size_t)length;
	return OK;
}

int safetensors_read(struct safetensors *ret, const void *file, size_t size, struct err *err)
{
	struct data data = {0};
	struct json *header;
	struct err inner = {0};
	int code = split(file, size, &data, err);
	if (code)
		return code;
	code = json_parse(&header, data.header, data.header_size, &inner);
	if (code)
		return err_set(err, code == ERR_SYNTAX ? ERR_CORRUPT : code, "safetensors: header: %s", inner.message);
	struct safetensors s = {0};
	const struct tensor *last = NULL;
	code = read_entries(&s, header, data, err);
	json_free(header);
	if (!code)
		code = check_places(&s.state, data, &last, err);
	if (!code)
		code = check_sum(&s, last, file, err);
	if (code)
		safetensors_free(&s);
	else
		*ret = s;
	return code;
}

void safetensors_free(struct safetensors *s)
{
	state_free(&s->state);
	json_free(s->metadata);
	*s = (struct safetensors){0};
}

bool safetensors_metadata(const struct safetensors *s, const char *key, char *text, size_t size)
{
	const struct json *value = s->metadata ? json_get(s->metadata, key) : NULL;
	bool found = value && strlen(json_string(value)) < size;
	if (found)
		memcpy(text, json_string(value), strlen(json_string(value)) + 1);
	return found;
}
