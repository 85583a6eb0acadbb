/* png.h: the libpng door: canvases to files people can open, and small pictures from requests to pixels.
 *
 * Invariants: only libpng's ordinary API with limits set before a row is read; the same pixels give the same bytes; a
 * file that is wrong in any way is an error, never half a picture.
 */
#ifndef LATENTD_CORE_DATA_PNG_H
#define LATENTD_CORE_DATA_PNG_H

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/data/grid.h"

enum {
	PNG_SIDE_MAX = 4096, /* of a picture that is read */
	PNG_SCALE_MAX = 16,
	PNG_PIXELS_MAX = 64 << 20, /* of a picture that is written, after scaling: under a second's work */
};

/* Appends the file. Gray 8-bit for one channel, RGB for three. `scale` 1..16 repeats each pixel. ERR_INVALID for
 * another scale, ERR_TOO_LARGE past PNG_PIXELS_MAX. On failure the buf may hold a part of the file. */
int png_write(struct buf *ret_file, const struct canvas *canvas, int scale, struct err *err);
/* Size of a PNG and its channels, 1 gray or 3, from its head; errors as png_read's. */
int png_peek(int *ret_w, int *ret_h, int *ret_channels, const void *file, size_t size, struct err *err);
/* Any PNG up to PNG_SIDE_MAX a side, as gray (channels 1, by luma) or RGB (3); alpha is ignored, 16 bits are rounded
 * to 8. ERR_SYNTAX if it is not a whole PNG, ERR_TOO_LARGE if it is bigger. */
int png_read(struct canvas *ret, const void *file, size_t size, int channels, struct err *err);

#endif
