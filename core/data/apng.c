#include "core/data/apng.h"

#include "core/data/gz.h"

#include <string.h>

/* A chunk is its length, its type, so many bytes, and the CRC of type and bytes; numbers are big-endian. */
enum { SIGNATURE = 8, AROUND = 12, TYPE = 4, DATA = 8, FCTL_BYTES = 26, MS_PER_S = 1000 };

static void put_u32(uint8_t *at, uint32_t x)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(x >> (24 - 8 * i));
}

static uint32_t get_u32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* `head` bytes, then `rest`, as one chunk. */
static void put_chunk(
	struct buf *b, const char *type, const void *head, size_t head_bytes, const void *rest, size_t rest_bytes)
{
	uint8_t number[4];
	uint32_t crc = gz_crc32(0, type, TYPE);
	crc = gz_crc32(crc, head, head_bytes);
	crc = gz_crc32(crc, rest, rest_bytes);
	put_u32(number, (uint32_t)(head_bytes + rest_bytes));
	buf_append(b, number, sizeof number);
	buf_append(b, type, TYPE);
	buf_append(b, head, head_bytes);
	buf_append(b, rest, rest_bytes);
	put_u32(number, crc);
	buf_append(b, number, sizeof number);
}

void apng_begin(struct apng *a, struct buf *ret_file, int frames, int scale)
{
	*a = (struct apng){.file = ret_file, .frames = frames, .scale = scale};
}

static void put_frame_control(struct apng *a, int delay_ms)
{
	uint8_t at[FCTL_BYTES] = {0}; /* no offset; nothing is disposed of or blended: each frame replaces all */
	put_u32(at, a->sequence++);
	put_u32(at + 4, (uint32_t)(a->w * a->scale));
	put_u32(at + 8, (uint32_t)(a->h * a->scale));
	at[20] = (uint8_t)(delay_ms >> 8);
	at[21] = (uint8_t)delay_ms;
	at[22] = MS_PER_S >> 8;
	at[23] = MS_PER_S & 255;
	put_chunk(a->file, "fcTL", at, sizeof at, NULL, 0);
}

/* Of a picture's file: its head where it is the first, and its pixels. */
static void take_chunks(struct apng *a, const struct buf *png, int delay_ms)
{
	const uint8_t *bytes = (const uint8_t *)png->data, *end = bytes + png->len;
	bool begun = false;
	for (const uint8_t *at = bytes + SIGNATURE; at + AROUND <= end; at += AROUND + get_u32(at)) {
		const uint32_t size = get_u32(at);
		if (!memcmp(at + TYPE, "IHDR", TYPE) && !a->written) {
			uint8_t control[8] = {0}; /* frames; played 0 times: for ever */
			put_u32(control, (uint32_t)a->frames);
			buf_append(a->file, bytes, SIGNATURE + AROUND + size);
			put_chunk(a->file, "acTL", control, sizeof control, NULL, 0);
		}
		if (memcmp(at + TYPE, "IDAT", TYPE) != 0)
			continue;
		if (!begun)
			put_frame_control(a, delay_ms);
		begun = true;
		if (!a->written) {
			buf_append(a->file, at, AROUND + size);
		} else {
			uint8_t number[4];
			put_u32(number, a->sequence++);
			put_chunk(a->file, "fdAT", number, sizeof number, at + DATA, size);
		}
	}
}

int apng_frame(struct apng *a, const struct canvas *canvas, int delay_ms, struct err *err)
{
	struct buf png = BUF_INIT;
	if (!a->written) {
		a->w = canvas->w;
		a->h = canvas->h;
		a->channels = canvas->channels;
	}
	if (a->written == a->frames || canvas->w != a->w || canvas->h != a->h || canvas->channels != a->channels)
		return err_set(err, ERR_INVALID, "frame %d of %d is of %dx%d pixels of %d channels, the first of %dx%d of %d",
			a->written + 1, a->frames, canvas->w, canvas->h, canvas->channels, a->w, a->h, a->channels);
	int code = png_write(&png, canvas, a->scale, err);
	if (!code) {
		take_chunks(a, &png, delay_ms);
		a->written++;
		if (a->file->failed)
			code = err_set(err, ERR_NO_MEMORY, "no memory for an animation");
	}
	buf_free(&png);
	return code;
}

int apng_end(struct apng *a, struct err *err)
{
	if (a->written != a->frames)
		return err_set(err, ERR_INVALID, "an animation of %d frames got %d", a->frames, a->written);
	put_chunk(a->file, "IEND", NULL, 0, NULL, 0);
	return a->file->failed ? err_set(err, ERR_NO_MEMORY, "no memory for an animation") : OK;
}
