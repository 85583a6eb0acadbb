/* Any bytes as a PNG: refused, or a picture that survives being written and read again. */
#include "core/data/png.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Small pictures only, or the fuzzer would spend its time on zeroing pixels. */
static int too_slow(const uint8_t *bytes, size_t size)
{
	return size > 24 && (bytes[16] | bytes[17] | bytes[20] | bytes[21] | (bytes[18] & 0xf8) | (bytes[22] & 0xf8));
}

static void try_channels(const uint8_t *bytes, size_t size, int channels)
{
	struct canvas c, again;
	struct err err = {0};
	int code = png_read(&c, bytes, size, channels, &err);
	if (code != err.code)
		abort();
	if (code)
		return;
	struct buf b = BUF_INIT;
	if (c.channels != channels || png_write(&b, &c, 1, &err) || png_read(&again, b.data, b.len, channels, &err) ||
		c.w != again.w || c.h != again.h ||
		memcmp(c.pixels, again.pixels, (size_t)c.w * (size_t)c.h * (size_t)channels) != 0)
		abort();
	buf_free(&b);
	canvas_close(&c);
	canvas_close(&again);
}

static uint32_t get_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Makes the chunks' checksums right, or hardly an input would get past them. */
static void repair(uint8_t *file, size_t size)
{
	for (size_t at = 8; size >= 12 && at <= size - 12;) {
		size_t length = get_be32(file + at);
		if (length > size - at - 12)
			return;
		uint32_t sum = (uint32_t)crc32(0, file + at + 4, (uInt)length + 4);
		for (int i = 0; i < 4; i++)
			file[at + 8 + length + (size_t)i] = (uint8_t)(sum >> (24 - 8 * i));
		at += 12 + length;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (too_slow(bytes, size))
		return 0;
	uint8_t *file = malloc(size ? size : 1);
	if (!file)
		abort();
	if (size)
		memcpy(file, bytes, size);
	repair(file, size);
	try_channels(file, size, 1);
	try_channels(file, size, 3);
	free(file);
	return 0;
}
