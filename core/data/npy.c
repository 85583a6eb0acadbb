#include "core/data/npy.h"

#include "core/base/shape.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "values are copied as they lie in memory");

enum { MAGIC_BYTES = 6, ALIGN = 64, RANK_MAX = 4, HEADER_BYTES_MAX = 64 << 10 };
static const char magic[MAGIC_BYTES] = {'\x93', 'N', 'U', 'M', 'P', 'Y'};

/* --- writing ---------------------------------------------------------------------------------------------------------
 */

void npy_write(struct buf *b, const float *values, const int64_t *shape, int rank)
{
	size_t bytes;
	if (!shape_bytes(shape, rank, sizeof *values, &bytes)) {
		b->failed = true;
		return;
	}
	struct buf header = BUF_INIT;
	buf_str(&header, "{'descr': '<f4', 'fortran_order': False, 'shape': (");
	for (int i = 0; i < rank; i++)
		buf_printf(&header, "%s%lld", i ? ", " : "", (long long)shape[i]);
	buf_str(&header, rank == 1 ? ",), }" : "), }");
	/* magic, version, length, header: a multiple of 64 with the newline last, so that the values are aligned in the
	 * file */
	size_t before = MAGIC_BYTES + 4, end = (before + header.len + 1 + ALIGN - 1) / ALIGN * ALIGN;
	buf_printf(&header, "%*s\n", (int)(end - before - header.len - 1), "");
	const uint8_t version[4] = {1, 0, (uint8_t)header.len, (uint8_t)(header.len >> 8)};
	b->failed |= header.failed;
	buf_append(b, magic, sizeof magic);
	buf_append(b, version, sizeof version);
	buf_append(b, header.data, header.len);
	buf_append(b, values, bytes);
	buf_free(&header);
}

/* --- reading ---------------------------------------------------------------------------------------------------------
 */

static float from_f4(const uint8_t *p)
{
	float x;
	memcpy(&x, p, sizeof x);
	return x;
}

static float from_f8(const uint8_t *p)
{
	double x;
	memcpy(&x, p, sizeof x);
	return (float)x;
}

static float from_u1(const uint8_t *p)
{
	return (float)*p / 255.0f;
}

static const struct dtype {
	const char *descr;
	size_t bytes;
	float (*value)(const uint8_t *p);
} dtypes[] = {{"<f4", 4, from_f4}, {"<f8", 8, from_f8}, {"|u1", 1, from_u1}};

struct header {
	const struct dtype *dtype;
	bool fortran;
	int rank;
	int64_t shape[RANK_MAX];
	unsigned seen; /* bits of keys[] */
};

/* The header is a Python dictionary of three known keys. A reader goes along it and stops for good at what it cannot
 * read. */
struct reader {
	const char *at, *end;
	const char *wrong; /* NULL: all is well */
};

static void fail(struct reader *r, const char *why)
{
	if (!r->wrong)
		r->wrong = why;
	r->at = r->end;
}

static void skip_space(struct reader *r)
{
	while (r->at < r->end && (*r->at == ' ' || *r->at == '\n'))
		r->at++;
}

static bool take(struct reader *r, char ch)
{
	skip_space(r);
	if (r->at == r->end || *r->at != ch)
		return false;
	r->at++;
	return true;
}

static void expect(struct reader *r, char ch)
{
	if (!take(r, ch))
		fail(r, "its header is not a dictionary of descr, fortran_order and shape");
}

static void take_string(struct reader *r, char *text, size_t size)
{
	size_t n = 0;
	char quote = take(r, '"') ? '"' : '\'';
	if (quote == '\'')
		expect(r, '\'');
	while (r->at < r->end && *r->at != quote && n + 1 < size)
		text[n++] = *r->at++;
	text[n] = '\0';
	expect(r, quote);
}

static bool take_word(struct reader *r, const char *word)
{
	size_t n = strlen(word);
	skip_space(r);
	if ((size_t)(r->end - r->at) < n || memcmp(r->at, word, n) != 0)
		return false;
	r->at += n;
	return true;
}

static void take_descr(struct reader *r, struct header *h)
{
	char descr[16];
	take_string(r, descr, sizeof descr);
	for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++)
		if (strcmp(descr, dtypes[i].descr) == 0)
			h->dtype = &dtypes[i];
	if (!h->dtype)
		fail(r, "its values must be float32, float64 (little-endian) or uint8");
}

static void take_order(struct reader *r, struct header *h)
{
	h->fortran = take_word(r, "True");
	if (!h->fortran && !take_word(r, "False"))
		fail(r, "fortran_order is neither True nor False");
}

static int64_t take_size(struct reader *r)
{
	int64_t size = 0;
	skip_space(r);
	const char *first = r->at;
	for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++)
		if (__builtin_mul_overflow(size, 10, &size) || __builtin_add_overflow(size, *r->at - '0', &size))
			break;
	if (r->at == first || (r->at < r->end && *r->at >= '0' && *r->at <= '9'))
		fail(r, "its shape has a size that is not a number of items");
	return size;
}

static void take_shape(struct reader *r, struct header *h)
{
	expect(r, '(');
	h->rank = 0;
	while (!r->wrong && !take(r, ')')) {
		if (h->rank == RANK_MAX) {
			fail(r, "it has more than four dimensions");
			return;
		}
		h->shape[h->rank++] = take_size(r);
		if (!take(r, ',')) {
			expect(r, ')');
			return;
		}
	}
}

static const struct {
	const char *name;
	void (*take)(struct reader *r, struct header *h);
} keys[] = {{"descr", take_descr}, {"fortran_order", take_order}, {"shape", take_shape}};

enum { KEYS = sizeof keys / sizeof *keys };

static void take_pair(struct reader *r, struct header *h)
{
	char name[16];
	take_string(r, name, sizeof name);
	expect(r, ':');
	for (unsigned i = 0; i < KEYS; i++)
		if (!r->wrong && strcmp(name, keys[i].name) == 0 && !(h->seen & 1u << i)) {
			h->seen |= 1u << i;
			keys[i].take(r, h);
			return;
		}
	fail(r, "its header has a key that is unknown or there twice");
}

static const char *parse_header(struct header *h, const char *text, size_t size)
{
	struct reader r = {.at = text, .end = text + size};
	expect(&r, '{');
	while (!r.wrong && !take(&r, '}')) {
		take_pair(&r, h);
		if (!take(&r, ',')) {
			expect(&r, '}');
			break;
		}
	}
	skip_space(&r); /* the padding */
	if (!r.wrong && r.at != r.end)
		fail(&r, "something follows the dictionary in its header");
	if (!r.wrong && h->seen != (1u << KEYS) - 1)
		fail(&r, "its header lacks descr, fortran_order or shape");
	return r.wrong;
}

/* Where the header's text lies: versions 1 and 2 differ only in how wide its length is. */
static int find_header(const uint8_t *file, size_t size, size_t *ret_at, size_t *ret_length, struct err *err)
{
	enum { V1_AT = MAGIC_BYTES + 4, V2_AT = MAGIC_BYTES + 6 };
	if (size < V2_AT || memcmp(file, magic, sizeof magic) != 0)
		return err_set(err, ERR_SYNTAX, "not an npy file");
	const uint8_t *length = file + MAGIC_BYTES + 2;
	int version = file[MAGIC_BYTES];
	if (version != 1 && version != 2)
		return err_set(err, ERR_SYNTAX, "npy version %d; 1 and 2 are read", version);
	*ret_at = version == 1 ? V1_AT : V2_AT;
	*ret_length = (size_t)length[0] | (size_t)length[1] << 8;
	if (version == 2)
		*ret_length |= (size_t)length[2] << 16 | (size_t)length[3] << 24;
	if (*ret_length > HEADER_BYTES_MAX || *ret_length > size - *ret_at)
		return err_set(err, ERR_SYNTAX, "npy: the file is shorter than its header");
	return OK;
}

/* *ret_n = how many values there are, which must be what follows the header. */
static int check_size(const struct header *h, size_t bytes, size_t *ret_n, struct err *err)
{
	size_t n, need;
	if (h->rank < 1)
		return err_set(err, ERR_SYNTAX, "npy: a single number, not an array");
	if (h->fortran && h->rank > 1)
		return err_set(err, ERR_SYNTAX, "npy: the array is in Fortran order; save np.ascontiguousarray(x)");
	if (!shape_bytes(h->shape, h->rank, 1, &n) || !size_mul(n, h->dtype->bytes, &need) || need != bytes)
		return err_set(err, ERR_SYNTAX, "npy: its shape does not fit the %zu bytes of values that follow", bytes);
	if (n == 0)
		return err_set(err, ERR_SYNTAX, "npy: the array is empty");
	*ret_n = n;
	return OK;
}

int npy_read(float **ret_values, int64_t shape[4], int *ret_rank, const void *file, size_t size, struct err *err)
{
	const uint8_t *bytes = file;
	size_t at = 0, length = 0, n = 0;
	struct header h = {0};
	int code = find_header(bytes, size, &at, &length, err);
	if (code)
		return code;
	const char *wrong = parse_header(&h, (const char *)bytes + at, length);
	if (wrong)
		return err_set(err, ERR_SYNTAX, "npy: %s", wrong);
	at += length;
	if ((code = check_size(&h, size - at, &n, err)))
		return code;
	float *values = n <= SIZE_MAX / sizeof *values ? malloc(n * sizeof *values) : NULL;
	if (!values)
		return err_set(err, ERR_NO_MEMORY, "npy: no memory for %zu values", n);
	for (size_t i = 0; i < n; i++)
		values[i] = h.dtype->value(bytes + at + i * h.dtype->bytes);
	for (int i = 0; i < RANK_MAX; i++)
		shape[i] = i < h.rank ? h.shape[i] : 1;
	*ret_values = values;
	*ret_rank = h.rank;
	return OK;
}
