#include "core/data/gz.h"

#include <string.h>
#include <zlib.h>
#include "tests/core/data/files.h"

static char text[300000];

/* `text` as one gzip member appended to b. */
static void pack(struct buf *b, const char *bytes, size_t size)
{
	z_stream z = {0};
	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	size_t most = deflateBound(&z, size);
	z.next_in = (Bytef *)bytes;
	z.avail_in = (uInt)size;
	z.next_out = (Bytef *)buf_reserve(b, most);
	z.avail_out = (uInt)most;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	b->len += most - z.avail_out;
	deflateEnd(&z);
}

static int fill_text(void **state)
{
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (char)('a' + (i * i + i / 97) % 23);
	return files_open(state);
}

/* Reads all of it in odd pieces and compares. */
static void assert_reads(struct gz *gz, const char *bytes, size_t size)
{
	char piece[7777];
	size_t at = 0, got;
	struct err err;
	do {
		assert_int_equal(gz_read(gz, piece, sizeof piece, &got, &err), OK);
		assert_true(at + got <= size);
		assert_memory_equal(piece, bytes + at, got);
		at += got;
	} while (got == sizeof piece);
	assert_int_equal(at, size);
	assert_int_equal(gz_read(gz, piece, 1, &got, &err), OK);
	assert_int_equal(got, 0);
}

static void test_raw_and_packed(void **state)
{
	(void)state;
	struct buf packed = BUF_INIT;
	struct gz *gz;
	struct err err;
	pack(&packed, text, sizeof text);
	put_file("raw", text, sizeof text);
	put_file("packed", packed.data, packed.len);
	assert_int_equal(gz_open(&gz, in_folder("raw"), &err), OK);
	assert_int_equal(gz_bytes_max(gz), sizeof text);
	assert_reads(gz, text, sizeof text);
	gz_close(gz);
	assert_int_equal(gz_open(&gz, in_folder("packed"), &err), OK);
	assert_true(gz_bytes_max(gz) >= sizeof text);
	assert_reads(gz, text, sizeof text);
	gz_close(gz);
	assert_int_equal(gz_open_bytes(&gz, packed.data, packed.len, &err), OK);
	assert_reads(gz, text, sizeof text);
	gz_close(gz);
	buf_free(&packed);
}

/* As `cat a.gz b.gz` makes them; an empty one between. */
static void test_members(void **state)
{
	(void)state;
	struct buf packed = BUF_INIT;
	struct gz *gz;
	struct err err;
	pack(&packed, text, 1000);
	pack(&packed, text, 0);
	pack(&packed, text + 1000, sizeof text - 1000);
	assert_int_equal(gz_open_bytes(&gz, packed.data, packed.len, &err), OK);
	assert_reads(gz, text, sizeof text);
	gz_close(gz);
	buf_free(&packed);
}

static void test_nothing(void **state)
{
	(void)state;
	struct gz *gz;
	struct err err;
	assert_int_equal(gz_open_bytes(&gz, NULL, 0, &err), OK);
	assert_reads(gz, "", 0);
	gz_close(gz);
	put_text("empty", "");
	assert_int_equal(gz_open(&gz, in_folder("empty"), &err), OK);
	assert_reads(gz, "", 0);
	gz_close(gz);
}

static int read_to_end(const void *bytes, size_t size, struct err *err)
{
	struct gz *gz;
	char piece[4096];
	size_t got = 0;
	int code = gz_open_bytes(&gz, bytes, size, err);
	assert_int_equal(code, OK);
	do
		code = gz_read(gz, piece, sizeof piece, &got, err);
	while (!code && got == sizeof piece);
	gz_close(gz);
	return code;
}

static void test_broken(void **state)
{
	(void)state;
	struct buf packed = BUF_INIT;
	struct err err;
	pack(&packed, text, 5000);
	for (size_t cut = 2; cut < packed.len; cut += 1 + cut / 8) {
		assert_int_equal(read_to_end(packed.data, cut, &err), ERR_CORRUPT);
		assert_string_equal(err.message, "broken gzip: it ends too early");
	}
	assert_int_equal(read_to_end(packed.data, packed.len - 1, &err), ERR_CORRUPT);
	packed.data[packed.len - 6] ^= 1; /* the checksum */
	assert_int_equal(read_to_end(packed.data, packed.len, &err), ERR_CORRUPT);
	assert_string_equal(err.message, "broken gzip: incorrect data check");
	packed.data[packed.len - 6] ^= 1;
	buf_str(&packed, "more");
	assert_int_equal(read_to_end(packed.data, packed.len, &err), ERR_CORRUPT);
	assert_string_equal(err.message, "broken gzip: bytes follow its end");
	buf_free(&packed);
}

static void test_not_a_file(void **state)
{
	(void)state;
	struct gz *gz;
	struct err err;
	assert_int_equal(gz_open(&gz, in_folder("absent"), &err), ERR_NOT_FOUND);
	assert_int_equal(gz_open(&gz, folder, &err), ERR_IO);
	assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
	assert_int_equal(gz_open(&gz, in_folder("fifo"), &err), ERR_IO);
	assert_string_equal(err.message, "not a regular file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_raw_and_packed),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_not_a_file),
	};
	return cmocka_run_group_tests(tests, fill_text, files_close);
}
