/* chart_paint.h: what a chart is drawn with: a handful of strokes, once as SVG text, once as pixels.
 *
 * Why: axes, ticks, legend and curves are laid out once (chart.c); the two painters know only strokes.
 * Units: pixels from the top left corner, colours 0xRRGGBB.
 */
#ifndef LATENTD_API_CHART_PAINT_H
#define LATENTD_API_CHART_PAINT_H

#include "core/base/buf.h"
#include "core/data/grid.h"

#include <stdbool.h>

/* Which point of a text stands at x; y is always its middle. */
enum anchor { ANCHOR_START, ANCHOR_MIDDLE, ANCHOR_END };

struct painter {
	void (*rect)(struct painter *p, double x, double y, double w, double h, uint32_t color);
	void (*line)(struct painter *p, double x0, double y0, double x1, double y1, uint32_t color);
	void (*text)(struct painter *p, double x, double y, enum anchor anchor, uint32_t color, const char *text);
	/* A curve: path_to for each point, `move` where the pen is lifted first; then path_end. */
	void (*path_to)(struct painter *p, double x, double y, bool move, uint32_t color);
	void (*path_end)(struct painter *p, uint32_t color);
	double letter_w, letter_h; /* pixels of one letter, about */
	/* one of the two */
	struct buf *svg;
	struct canvas *canvas;
	int text_scale;
	/* the path so far */
	bool in_path;
	struct buf points; /* pixels: pairs of doubles */
};

/* Begins an SVG document of that size, named `title`; svg_painter_close ends it. */
void svg_painter_open(struct painter *ret, struct buf *svg, int w, int h, const char *title);
void svg_painter_close(struct painter *p);
/* scale: of the letters, 1 or 2. */
void canvas_painter_open(struct painter *ret, struct canvas *canvas, int scale);
/* ERR_NO_MEMORY: a curve is missing. */
int canvas_painter_close(struct painter *p, struct err *err);

#endif
