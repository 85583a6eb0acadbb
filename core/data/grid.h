/* grid.h: pixels: a canvas, images side by side on it, and enough drawing for a curve with labels.
 *
 * Invariants: whatever is drawn clips at the edges; the same calls give the same bytes.
 * Not here: files (png.h), the face (font.h), what is shown (core/model, server).
 */
#ifndef LATENTD_CORE_DATA_GRID_H
#define LATENTD_CORE_DATA_GRID_H

#include "core/base/err.h"

#include <stddef.h>
#include <stdint.h>

enum { CANVAS_SIDE_MAX = 65536, CANVAS_BYTES_MAX = 256 << 20 };

struct canvas {
	int w, h, channels; /* 1 gray, 3 RGB */
	uint8_t *pixels;    /* [h][w][channels], malloc'd */
};

/* ERR_TOO_LARGE past CANVAS_SIDE_MAX or CANVAS_BYTES_MAX. */
int canvas_open(struct canvas *ret, int w, int h, int channels, uint8_t background, struct err *err);
void canvas_close(struct canvas *c);
/* Brightness of a colour (Rec. 601), the one way from RGB to gray. */
uint8_t canvas_luma(uint8_t red, uint8_t green, uint8_t blue);

/* n images of [c][h][w] reals in [0,1] (clamped; NaN is black), c = 1 or 3, `cols` a row (0: the squarest grid), `gap`
 * black pixels between (0 is usual). Places left over are black. */
int grid_images(
	struct canvas *ret, const float *images, int n, int c, int h, int w, int cols, int gap, struct err *err);
/* Two rows per line: originals above, reconstructions beneath, `cols` pairs a line (0: the squarest grid), lines `gap`
 * pixels apart. */
int grid_pairs(struct canvas *ret, const float *above, const float *beneath, int n, int c, int h, int w, int cols,
	int gap, struct err *err);

/* `from` onto c, its upper left corner at (x, y); what lies beyond the edges is left out. */
void canvas_put(struct canvas *c, int x, int y, const struct canvas *from);
/* 0xRRGGBB; on a gray canvas its luma. */
void canvas_rect(struct canvas *c, int x, int y, int w, int h, uint32_t color);
/* Antialiased line of that width in pixels, with round ends. Whole coordinates are the corners of pixels: the middle of
 * the first pixel is (0.5, 0.5). Not drawn if a coordinate is not a number or beyond 1e9. */
void canvas_line(struct canvas *c, double x0, double y0, double x1, double y1, double width, uint32_t color);
/* Lines through n points (x, y, x, y, …) in one stroke: where segments overlap no pixel is painted twice, so a curve of
 * many short segments stays as thin and smooth as a single line. A point that is not a number makes a gap. */
void canvas_polyline(struct canvas *c, const double *xy, int n, double width, uint32_t color);
/* ASCII 32..126 in a built-in 5x7 face (others as '?'; tails reach two dots further down), each dot scale x scale pixels;
 * x, y is the upper left corner; returns the width drawn (advance 6 dots). */
int canvas_text(struct canvas *c, int x, int y, int scale, uint32_t color, const char *text);
/* The same from (x, y), the lower left corner, upwards: turned to the left by a quarter. */
int canvas_text_up(struct canvas *c, int x, int y, int scale, uint32_t color, const char *text);
int canvas_text_width(int scale, const char *text);

#endif
