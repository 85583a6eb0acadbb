#include "core/data/apng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

enum { W = 60, H = 45, FRAMES = 4, DELAY = 150 };

/* Frame i: noise, so that its pixels take several IDAT chunks at scale. */
static struct canvas frame(int i, int channels)
{
	struct canvas c;
	uint32_t x = (uint32_t)i + 1;
	assert_int_equal(canvas_open(&c, W, H, channels, 0, NULL), OK);
	for (int k = 0; k < W * H * channels; k++) {
		x = x * 1664525 + 1013904223;
		c.pixels[k] = (uint8_t)(x >> 24);
	}
	return c;
}

static uint32_t u32(const char *at)
{
	const uint8_t *b = (const uint8_t *)at;
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void put_u32(struct buf *b, uint32_t x)
{
	buf_append(b, (uint8_t[]){(uint8_t)(x >> 24), (uint8_t)(x >> 16), (uint8_t)(x >> 8), (uint8_t)x}, 4);
}

static void put_chunk(struct buf *b, const char *type, const char *bytes, size_t size)
{
	put_u32(b, (uint32_t)size);
	size_t at = b->len;
	buf_append(b, type, 4);
	buf_append(b, bytes, size);
	put_u32(b, (uint32_t)crc32(0, (const Bytef *)b->data + at, (uInt)(b->len - at)));
}

/* The file taken apart again as the specification says: each frame as a PNG of its own. */
struct parts {
	struct buf png[FRAMES];
	char head[13];
	int begun; /* frames */
	uint32_t sequence;
};

static void begin_frame(struct parts *p, const char *control, int scale)
{
	struct buf *b = &p->png[p->begun];
	assert_true(p->begun < FRAMES);
	assert_int_equal(u32(control), p->sequence++);
	assert_int_equal(u32(control + 4), W * scale);
	assert_int_equal(u32(control + 8), H * scale);
	assert_int_equal(u32(control + 12) + u32(control + 16), 0);
	assert_memory_equal(
		control + 20, ((const char[]){0, (char)(DELAY + p->begun), 1000 >> 8, (char)(1000 & 255), 0, 0}), 6);
	buf_append(b, "\x89PNG\r\n\x1a\n", 8);
	put_chunk(b, "IHDR", p->head, sizeof p->head);
	p->begun++;
}

static void take_apart(struct parts *p, const struct buf *file, int scale)
{
	bool ended = false;
	assert_memory_equal(file->data, "\x89PNG\r\n\x1a\n", 8);
	for (size_t at = 8; at < file->len; at += 12 + u32(file->data + at)) {
		const uint32_t size = u32(file->data + at);
		const char *type = file->data + at + 4, *bytes = type + 4;
		assert_true(!ended && at + 12 + size <= file->len);
		assert_int_equal(u32(bytes + size), crc32(0, (const Bytef *)type, size + 4));
		if (!memcmp(type, "IHDR", 4)) {
			memcpy(p->head, bytes, sizeof p->head);
		} else if (!memcmp(type, "acTL", 4)) {
			assert_int_equal(p->begun, 0); /* before the first picture */
			assert_int_equal(u32(bytes), FRAMES);
			assert_int_equal(u32(bytes + 4), 0);
		} else if (!memcmp(type, "fcTL", 4)) {
			assert_int_equal(size, 26);
			begin_frame(p, bytes, scale);
		} else if (!memcmp(type, "IDAT", 4)) {
			assert_int_equal(p->begun, 1);
			put_chunk(&p->png[0], "IDAT", bytes, size);
		} else if (!memcmp(type, "fdAT", 4)) {
			assert_true(p->begun > 1);
			assert_int_equal(u32(bytes), p->sequence++);
			put_chunk(&p->png[p->begun - 1], "IDAT", bytes + 4, size - 4);
		} else {
			assert_memory_equal(type, "IEND", 4);
			ended = true;
		}
	}
	assert_true(ended);
	assert_int_equal(p->begun, FRAMES);
}

static void check(int channels, int scale)
{
	struct buf file = BUF_INIT;
	struct apng a;
	struct parts parts = {0};
	struct err err = {0};
	apng_begin(&a, &file, FRAMES, scale);
	for (int i = 0; i < FRAMES; i++) {
		struct canvas c = frame(i, channels);
		assert_int_equal(apng_frame(&a, &c, DELAY + i, &err), OK);
		canvas_close(&c);
	}
	assert_int_equal(apng_end(&a, &err), OK);
	take_apart(&parts, &file, scale);
	for (int i = 0; i < FRAMES; i++) {
		struct canvas want = frame(i, channels), got;
		put_chunk(&parts.png[i], "IEND", NULL, 0);
		assert_int_equal(png_read(&got, parts.png[i].data, parts.png[i].len, channels, &err), OK);
		assert_int_equal(got.w, W * scale);
		for (int y = 0; y < H * scale; y++)
			for (int x = 0; x < W * scale; x++)
				assert_memory_equal(got.pixels + (y * got.w + x) * channels,
					want.pixels + (y / scale * W + x / scale) * channels, (size_t)channels);
		canvas_close(&want);
		canvas_close(&got);
		buf_free(&parts.png[i]);
	}
	struct canvas first;
	assert_int_equal(png_read(&first, file.data, file.len, channels, &err), OK); /* readers without animation show it */
	canvas_close(&first);
	buf_free(&file);
}

static void test_frames_come_back(void **state)
{
	(void)state;
	check(1, 1);
	check(3, 1);
	check(1, 5);
}

static void test_refused(void **state)
{
	(void)state;
	struct buf file = BUF_INIT;
	struct apng a;
	struct err err = {0};
	struct canvas gray = frame(0, 1), color = frame(0, 3);
	apng_begin(&a, &file, 2, 1);
	assert_int_equal(apng_frame(&a, &gray, DELAY, &err), OK);
	assert_int_equal(apng_frame(&a, &color, DELAY, &err), ERR_INVALID);
	assert_int_equal(apng_end(&a, &err), ERR_INVALID);
	assert_string_equal(err.message, "an animation of 2 frames got 1");
	assert_int_equal(apng_frame(&a, &gray, DELAY, &err), OK);
	assert_int_equal(apng_frame(&a, &gray, DELAY, &err), ERR_INVALID);
	canvas_close(&gray);
	canvas_close(&color);
	buf_free(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames_come_back),
		cmocka_unit_test(test_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
