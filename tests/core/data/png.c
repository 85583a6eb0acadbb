#include "core/data/png.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <zlib.h>

/* --- round trips ----------------------------------------------------------------------------------------------------- */

static struct canvas sample(int w, int h, int channels)
{
	struct canvas c;
	assert_int_equal(canvas_open(&c, w, h, channels, 0, NULL), OK);
	for (int i = 0; i < w * h * channels; i++)
		c.pixels[i] = (uint8_t)(i * i + i / 7);
	return c;
}

static void test_round_trip(void **state)
{
	(void)state;
	for (int channels = 1; channels <= 3; channels += 2)
		for (int w = 1; w < 40; w += 19) {
			struct canvas c = sample(w, 5, channels), back;
			struct buf file = BUF_INIT, again = BUF_INIT;
			struct err err;
			assert_int_equal(png_write(&file, &c, 1, &err), OK);
			assert_int_equal(png_write(&again, &c, 1, &err), OK);
			assert_int_equal(file.len, again.len);
			assert_memory_equal(file.data, again.data, file.len);
			assert_int_equal(png_read(&back, file.data, file.len, channels, &err), OK);
			assert_int_equal(back.w, w);
			assert_int_equal(back.h, 5);
			assert_int_equal(back.channels, channels);
			assert_memory_equal(back.pixels, c.pixels, (size_t)(w * 5 * channels));
			canvas_close(&c);
			canvas_close(&back);
			buf_free(&file);
			buf_free(&again);
		}
}

static void test_scale(void **state)
{
	(void)state;
	struct canvas c = sample(3, 2, 3), back;
	struct buf file = BUF_INIT;
	struct err err;
	assert_int_equal(png_write(&file, &c, 16, &err), OK);
	assert_int_equal(png_read(&back, file.data, file.len, 3, &err), OK);
	assert_int_equal(back.w, 48);
	assert_int_equal(back.h, 32);
	for (int y = 0; y < 32; y++)
		for (int x = 0; x < 48; x++)
			assert_memory_equal(back.pixels + (y * 48 + x) * 3, c.pixels + (y / 16 * 3 + x / 16) * 3, 3);
	canvas_close(&back);
	buf_free(&file);
	assert_int_equal(png_write(&file, &c, 0, &err), ERR_INVALID);
	assert_int_equal(png_write(&file, &c, 17, &err), ERR_INVALID);
	assert_string_equal(err.message, "scale must be 1..16, got 17");
	canvas_close(&c);
}

static void test_too_many_pixels(void **state)
{
	(void)state;
	struct canvas c = {.w = 2049, .h = 2048, .channels = 1}; /* its pixels are never looked at */
	struct buf file = BUF_INIT;
	struct err err;
	assert_int_equal(png_write(&file, &c, 4, &err), ERR_TOO_LARGE);
	assert_int_equal(file.len, 0);
}

/* --- files of others ------------------------------------------------------------------------------------------------- */

static void put_be32(struct buf *b, uint32_t x)
{
	const uint8_t bytes[4] = {(uint8_t)(x >> 24), (uint8_t)(x >> 16), (uint8_t)(x >> 8), (uint8_t)x};
	buf_append(b, bytes, 4);
}

static void put_chunk(struct buf *b, const char *type, const void *bytes, size_t size)
{
	put_be32(b, (uint32_t)size);
	size_t at = b->len;
	buf_append(b, type, 4);
	buf_append(b, bytes, size);
	put_be32(b, (uint32_t)crc32(0, (const Bytef *)b->data + at, (uInt)(b->len - at)));
}

static struct buf begin_png(uint32_t w, uint32_t h, int depth, int color)
{
	struct buf b = BUF_INIT, head = BUF_INIT;
	buf_append(&b, "\x89PNG\r\n\x1a\n", 8);
	put_be32(&head, w);
	put_be32(&head, h);
	buf_append(&head, (uint8_t[]){(uint8_t)depth, (uint8_t)color, 0, 0, 0}, 5);
	put_chunk(&b, "IHDR", head.data, head.len);
	buf_free(&head);
	return b;
}

/* rows: filter bytes and pixels as they lie in the file. */
static void end_png(struct buf *b, const uint8_t *rows, size_t size)
{
	uint8_t packed[1000];
	uLongf n = sizeof packed;
	assert_int_equal(compress(packed, &n, rows, size), Z_OK);
	put_chunk(b, "IDAT", packed, n);
	put_chunk(b, "IEND", NULL, 0);
}

static void assert_pixels(struct buf *file, int channels, const uint8_t *pixels, size_t size)
{
	struct canvas c;
	struct err err = {0};
	int code = png_read(&c, file->data, file->len, channels, &err);
	assert_string_equal(err.message, "");
	assert_int_equal(code, OK);
	assert_int_equal(c.w * c.h * c.channels, size);
	assert_memory_equal(c.pixels, pixels, size);
	canvas_close(&c);
	buf_free(file);
}

static void test_colour_types(void **state)
{
	(void)state;
	struct buf b = begin_png(4, 1, 2, 0); /* gray, 2 bits */
	end_png(&b, (uint8_t[]){0, 0x1b}, 2);
	assert_pixels(&b, 1, (uint8_t[]){0, 85, 170, 255}, 4);
	b = begin_png(2, 1, 16, 0); /* gray, 16 bits, rounded */
	end_png(&b, (uint8_t[]){0, 0x12, 0xff, 0xff, 0xff}, 5);
	assert_pixels(&b, 3, (uint8_t[]){19, 19, 19, 255, 255, 255}, 6);
	b = begin_png(2, 1, 8, 4); /* gray and alpha: alpha is ignored */
	end_png(&b, (uint8_t[]){0, 7, 0, 9, 255}, 5);
	assert_pixels(&b, 1, (uint8_t[]){7, 9}, 2);
	b = begin_png(2, 1, 8, 6); /* RGB and alpha */
	end_png(&b, (uint8_t[]){0, 1, 2, 3, 0, 250, 250, 250, 9}, 9);
	assert_pixels(&b, 3, (uint8_t[]){1, 2, 3, 250, 250, 250}, 6);
	b = begin_png(3, 1, 8, 2); /* RGB to gray by luma */
	end_png(&b, (uint8_t[]){0, 255, 0, 0, 0, 255, 0, 0, 0, 255}, 10);
	assert_pixels(&b, 1, (uint8_t[]){76, 150, 29}, 3);
	b = begin_png(2, 1, 8, 3); /* palette, one entry transparent */
	put_chunk(&b, "PLTE", (uint8_t[]){10, 20, 30, 40, 50, 60}, 6);
	put_chunk(&b, "tRNS", (uint8_t[]){0}, 1);
	end_png(&b, (uint8_t[]){0, 1, 0}, 3);
	assert_pixels(&b, 3, (uint8_t[]){40, 50, 60, 10, 20, 30}, 6);
}

/* 3 x 3, Adam7: passes 1 (0,0); 4 (2,0); 5 (0,2) (2,2); 6 (1,0) (1,2); 7 the middle row. */
static void test_interlaced(void **state)
{
	(void)state;
	struct buf b = begin_png(3, 3, 8, 0);
	b.data[8 + 8 + 12] = 1; /* IHDR's interlace method; its checksum follows */
	b.len -= 4;
	put_be32(&b, (uint32_t)crc32(0, (const Bytef *)b.data + 12, 17));
	const uint8_t rows[] = {0, 1, 0, 3, 0, 7, 9, 0, 2, 0, 8, 0, 4, 5, 6};
	end_png(&b, rows, sizeof rows);
	assert_pixels(&b, 1, (uint8_t[]){1, 2, 3, 4, 5, 6, 7, 8, 9}, 9);
}

static void test_broken(void **state)
{
	(void)state;
	struct canvas c = sample(20, 20, 1), back = {.w = -1};
	struct buf file = BUF_INIT;
	struct err err;
	assert_int_equal(png_write(&file, &c, 1, &err), OK);
	for (size_t cut = 0; cut < file.len; cut += 3)
		assert_int_equal(png_read(&back, file.data, cut, 1, &err), ERR_SYNTAX);
	file.data[60] ^= 0x40; /* a pixel: the checksum tells */
	assert_int_equal(png_read(&back, file.data, file.len, 1, &err), ERR_SYNTAX);
	assert_memory_equal(err.message, "PNG not read: ", 14);
	assert_int_equal(png_read(&back, "GIF89a, and then some more bytes", 32, 1, &err), ERR_SYNTAX);
	assert_string_equal(err.message, "not a PNG file");
	assert_int_equal(back.w, -1); /* untouched */
	canvas_close(&c);
	buf_free(&file);
}

static void test_limits(void **state)
{
	(void)state;
	static const uint32_t sides[][2] = {
		{PNG_SIDE_MAX + 1, 1}, {1, PNG_SIDE_MAX + 1}, {0x7fffffff, 0x7fffffff}, {~0u, ~0u}};
	for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
		struct buf b = begin_png(sides[i][0], sides[i][1], 8, 2);
		struct canvas c;
		struct err err;
		end_png(&b, (uint8_t[]){0}, 1);
		assert_int_equal(png_read(&c, b.data, b.len, 1, &err), ERR_TOO_LARGE);
		assert_non_null(strstr(err.message, "4096 x 4096 is the most"));
		buf_free(&b);
	}
	/* as large as may be, but with hardly a byte of pixels */
	struct buf b = begin_png(PNG_SIDE_MAX, PNG_SIDE_MAX, 8, 2);
	struct canvas c;
	struct err err;
	end_png(&b, (uint8_t[]){0}, 1);
	assert_int_equal(png_read(&c, b.data, b.len, 1, &err), ERR_SYNTAX);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_scale),
		cmocka_unit_test(test_too_many_pixels),
		cmocka_unit_test(test_colour_types),
		cmocka_unit_test(test_interlaced),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
