#include "core/data/png.h"

#include <png.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	CHUNK_BYTES_MAX = 1 << 20, /* libpng's own allocations for a chunk other than pixels */
	COMPRESSION = 3,           /* zlib level: files 2 % larger than at 6 in two thirds of the time */
};

/* One file being written or read. Its owner is the caller of guarded(), so nothing here is lost by libpng's longjmp. */
struct session {
	png_structp png;
	png_infop info;
	struct canvas canvas;
	uint8_t *rows;   /* writing: one row; reading: all of them */
	struct buf *out; /* writing */
	int scale;
	const uint8_t *in; /* reading: what is left */
	size_t left;
	int code;
	char message[120];
};

static void on_error(png_structp png, png_const_charp message)
{
	struct session *s = png_get_error_ptr(png);
	snprintf(s->message, sizeof s->message, "%s", message);
	if (!s->code)
		s->code = strstr(message, "memory") ? ERR_NO_MEMORY : s->out ? ERR_INTERNAL : ERR_SYNTAX;
	png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
	(void)png;
	(void)message;
}

static void fail_memory(struct session *s)
{
	s->code = ERR_NO_MEMORY;
	png_error(s->png, "no memory");
}

/* The one place that libpng's errors return to. */
static int guarded(struct session *s, void (*work)(struct session *s))
{
	if (setjmp(png_jmpbuf(s->png)) == 0)
		work(s);
	return s->code;
}

/* --- writing ---------------------------------------------------------------------------------------------------------
 */

static void on_write(png_structp png, png_bytep bytes, size_t size)
{
	struct session *s = png_get_io_ptr(png);
	buf_append(s->out, bytes, size);
	if (s->out->failed)
		fail_memory(s);
}

static void on_flush(png_structp png)
{
	(void)png;
}

static void widen_row(uint8_t *row, const struct canvas *canvas, int y, int scale)
{
	const uint8_t *from = canvas->pixels + (size_t)y * (size_t)canvas->w * (size_t)canvas->channels;
	for (int x = 0; x < canvas->w; x++, from += canvas->channels)
		for (int i = 0; i < scale; i++, row += canvas->channels)
			memcpy(row, from, (size_t)canvas->channels);
}

static void write_picture(struct session *s)
{
	const struct canvas *canvas = &s->canvas;
	unsigned w = (unsigned)canvas->w * (unsigned)s->scale, h = (unsigned)canvas->h * (unsigned)s->scale;
	s->rows = malloc((size_t)w * (size_t)canvas->channels);
	if (!s->rows)
		fail_memory(s);
	png_set_write_fn(s->png, s, on_write, on_flush);
	png_set_user_limits(s->png, PNG_PIXELS_MAX, PNG_PIXELS_MAX); /* our own bound is checked before */
	png_set_compression_level(s->png, COMPRESSION);
	png_set_filter(s->png, PNG_FILTER_TYPE_BASE, PNG_FILTER_NONE);
	png_set_IHDR(s->png, s->info, w, h, 8, canvas->channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB,
		PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	png_write_info(s->png, s->info);
	for (int y = 0; y < canvas->h; y++) {
		widen_row(s->rows, canvas, y, s->scale);
		for (int i = 0; i < s->scale; i++)
			png_write_row(s->png, s->rows);
	}
	png_write_end(s->png, NULL);
}

int png_write(struct buf *ret_file, const struct canvas *canvas, int scale, struct err *err)
{
	if (scale < 1 || scale > PNG_SCALE_MAX)
		return err_set(err, ERR_INVALID, "scale must be 1..%d, got %d", PNG_SCALE_MAX, scale);
	if ((int64_t)canvas->w * canvas->h * scale * scale > PNG_PIXELS_MAX)
		return err_set(err, ERR_TOO_LARGE, "a picture of %d x %d at scale %d has more than %d pixels", canvas->w,
			canvas->h, scale, PNG_PIXELS_MAX);
	struct session s = {.out = ret_file, .canvas = *canvas, .scale = scale};
	s.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &s, on_error, on_warning);
	s.info = s.png ? png_create_info_struct(s.png) : NULL;
	int code = s.info ? guarded(&s, write_picture) : ERR_NO_MEMORY;
	png_destroy_write_struct(&s.png, &s.info);
	free(s.rows);
	return code ? err_set(err, code, "PNG not written: %s", s.message[0] ? s.message : "no memory") : OK;
}

/* --- reading ---------------------------------------------------------------------------------------------------------
 */

static void on_read(png_structp png, png_bytep bytes, size_t size)
{
	struct session *s = png_get_io_ptr(png);
	if (size > s->left)
		png_error(png, "the file ends too early");
	memcpy(bytes, s->in, size);
	s->in += size;
	s->left -= size;
}

/* 8-bit gray or RGB, whatever the file has; RGB if either the file is coloured or the caller wants RGB. */
static int simplify(struct session *s)
{
	png_set_expand(s->png);
	png_set_scale_16(s->png);
	png_set_strip_alpha(s->png);
	bool color = png_get_color_type(s->png, s->info) & PNG_COLOR_MASK_COLOR;
	if (!color && s->canvas.channels == 3)
		png_set_gray_to_rgb(s->png);
	return color ? 3 : s->canvas.channels;
}

static void fold_to_luma(uint8_t *pixels, size_t n)
{
	for (size_t i = 0; i < n; i++)
		pixels[i] = canvas_luma(pixels[3 * i], pixels[3 * i + 1], pixels[3 * i + 2]);
}

static void read_picture(struct session *s)
{
	struct canvas *canvas = &s->canvas;
	png_set_read_fn(s->png, s, on_read);
	png_set_user_limits(s->png, PNG_SIDE_MAX, PNG_SIDE_MAX);
	png_set_chunk_malloc_max(s->png, CHUNK_BYTES_MAX);
	png_set_keep_unknown_chunks(s->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1); /* only what pixels need is parsed */
	png_read_info(s->png, s->info);
	canvas->w = (int)png_get_image_width(s->png, s->info);
	canvas->h = (int)png_get_image_height(s->png, s->info);
	int channels = simplify(s);
	int passes = png_set_interlace_handling(s->png);
	png_read_update_info(s->png, s->info);
	size_t row = (size_t)canvas->w * (size_t)channels;
	if (png_get_rowbytes(s->png, s->info) != row)
		png_error(s->png, "unexpected size of a row");
	s->rows = malloc(row * (size_t)canvas->h);
	if (!s->rows)
		fail_memory(s);
	for (int pass = 0; pass < passes; pass++)
		for (int y = 0; y < canvas->h; y++)
			png_read_row(s->png, s->rows + (size_t)y * row, NULL);
	png_read_end(s->png, NULL);
	if (channels > canvas->channels)
		fold_to_luma(s->rows, (size_t)canvas->w * (size_t)canvas->h);
}

static uint32_t big_endian(const uint8_t b[4])
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* The signature and the IHDR chunk (PNG specification, 5.2 and 11.2.2). */
enum { SIGNATURE_BYTES = 8, WIDTH_AT = 16, HEIGHT_AT = 20, COLOR_AT = 25, HEAD_BYTES = 26 };

/* libpng would refuse the size too, but not say so. */
static int check_head(const uint8_t *file, size_t size, struct err *err)
{
	if (size < HEAD_BYTES || png_sig_cmp(file, 0, SIGNATURE_BYTES))
		return err_set(err, ERR_SYNTAX, "not a PNG file");
	uint32_t w = big_endian(file + WIDTH_AT), h = big_endian(file + HEIGHT_AT);
	if (w > PNG_SIDE_MAX || h > PNG_SIDE_MAX)
		return err_set(
			err, ERR_TOO_LARGE, "a PNG of %u x %u pixels; %d x %d is the most", w, h, PNG_SIDE_MAX, PNG_SIDE_MAX);
	return OK;
}

int png_peek(int *ret_w, int *ret_h, int *ret_channels, const void *file, size_t size, struct err *err)
{
	const uint8_t *at = file;
	int code = check_head(file, size, err);
	if (code)
		return code;
	if (!big_endian(at + WIDTH_AT) || !big_endian(at + HEIGHT_AT))
		return err_set(err, ERR_SYNTAX, "not a PNG file");
	*ret_w = (int)big_endian(at + WIDTH_AT);
	*ret_h = (int)big_endian(at + HEIGHT_AT);
	*ret_channels = at[COLOR_AT] & PNG_COLOR_MASK_COLOR ? 3 : 1;
	return OK;
}

int png_read(struct canvas *ret, const void *file, size_t size, int channels, struct err *err)
{
	int code = check_head(file, size, err);
	if (code)
		return code;
	struct session s = {.in = file, .left = size, .canvas = {.channels = channels}};
	s.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &s, on_error, on_warning);
	s.info = s.png ? png_create_info_struct(s.png) : NULL;
	code = s.info ? guarded(&s, read_picture) : ERR_NO_MEMORY;
	png_destroy_read_struct(&s.png, &s.info, NULL);
	if (code) {
		free(s.rows);
		return err_set(err, code, "PNG not read: %s", s.message[0] ? s.message : "no memory");
	}
	*ret = s.canvas;
	ret->pixels = s.rows;
	return OK;
}
