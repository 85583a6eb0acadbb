#include "core/data/grid.h"

#include "core/data/font.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* --- canvas ----------------------------------------------------------------------------------------------------------
 */

int canvas_open(struct canvas *ret, int w, int h, int channels, uint8_t background, struct err *err)
{
	if (w < 1 || h < 1 || (channels != 1 && channels != 3))
		return err_set(err, ERR_INVALID, "no picture has %d x %d pixels of %d channels", w, h, channels);
	size_t size = (size_t)w * (size_t)h * (size_t)channels;
	if (w > CANVAS_SIDE_MAX || h > CANVAS_SIDE_MAX || size > CANVAS_BYTES_MAX)
		return err_set(err, ERR_TOO_LARGE, "a picture of %d x %d pixels is too large", w, h);
	uint8_t *pixels = malloc(size);
	if (!pixels)
		return err_set(err, ERR_NO_MEMORY, "no memory for a picture of %d x %d pixels", w, h);
	memset(pixels, background, size);
	*ret = (struct canvas){.w = w, .h = h, .channels = channels, .pixels = pixels};
	return OK;
}

void canvas_close(struct canvas *c)
{
	free(c->pixels);
	*c = (struct canvas){0};
}

uint8_t canvas_luma(uint8_t red, uint8_t green, uint8_t blue)
{
	return (uint8_t)((299 * red + 587 * green + 114 * blue + 500) / 1000);
}

/* --- images ----------------------------------------------------------------------------------------------------------
 */

static uint8_t to_byte(float x)
{
	return x > 0.0f ? (uint8_t)(fminf(x, 1.0f) * 255.0f + 0.5f) : 0; /* NaN compares false */
}

struct shape {
	int c, h, w;
};

/* [c][h][w] → pixels, its upper left corner at (x, y), all of it on the canvas. */
static void put_image(struct canvas *to, int x, int y, const float *image, struct shape s)
{
	size_t plane = (size_t)s.h * (size_t)s.w;
	for (int row = 0; row < s.h; row++) {
		uint8_t *pixel = to->pixels + ((size_t)(y + row) * (size_t)to->w + (size_t)x) * (size_t)to->channels;
		const float *from = image + (size_t)row * (size_t)s.w;
		for (int col = 0; col < s.w; col++)
			for (int c = 0; c < s.c; c++)
				*pixel++ = to_byte(from[(size_t)c * plane + (size_t)col]);
	}
}

/* How images lie: `stack` of them one upon the other make a cell; cells stand in rows of cols, so far apart. */
struct layout {
	struct shape image;
	int stack, n, cols, gap_x, gap_y;
};

static int64_t length(int cells, int cell, int gap)
{
	return (int64_t)cells * cell + (int64_t)(cells - 1) * gap;
}

/* stacks[k]: the n images that lie k-th in their cells. */
static int grid_cells(struct canvas *ret, const float *const *stacks, struct layout g, struct err *err)
{
	struct shape s = g.image;
	if (g.n < 1 || s.h < 1 || s.w < 1 || g.cols < 0 || g.gap_x < 0 || g.gap_y < 0)
		return err_set(err, ERR_INVALID, "no grid of %d images of %d x %d in %d columns, %d apart", g.n, s.h, s.w,
			g.cols, g.gap_y);
	int cell_h = g.stack * s.h, cols = g.cols ? g.cols : (int)ceil(sqrt((double)g.n * cell_h / s.w));
	cols = cols < g.n ? cols : g.n;
	int64_t w = length(cols, s.w, g.gap_x), h = length((g.n + cols - 1) / cols, cell_h, g.gap_y);
	if (w > CANVAS_SIDE_MAX || h > CANVAS_SIDE_MAX)
		return err_set(err, ERR_TOO_LARGE, "a grid of %d images is too large", g.n);
	struct canvas canvas;
	int code = canvas_open(&canvas, (int)w, (int)h, s.c, 0, err);
	if (code)
		return code;
	size_t size = (size_t)s.c * (size_t)s.h * (size_t)s.w;
	for (int i = 0; i < g.n; i++)
		for (int k = 0; k < g.stack; k++)
			put_image(&canvas, i % cols * (s.w + g.gap_x), i / cols * (cell_h + g.gap_y) + k * s.h,
				stacks[k] + (size_t)i * size, s);
	*ret = canvas;
	return OK;
}

int grid_images(struct canvas *ret, const float *images, int n, int c, int h, int w, int cols, int gap, struct err *err)
{
	struct layout g = {.image = {c, h, w}, .stack = 1, .n = n, .cols = cols, .gap_x = gap, .gap_y = gap};
	return grid_cells(ret, &images, g, err);
}

int grid_pairs(struct canvas *ret, const float *above, const float *beneath, int n, int c, int h, int w, int cols,
	int gap, struct err *err)
{
	struct layout g = {.image = {c, h, w}, .stack = 2, .n = n, .cols = cols, .gap_y = gap};
	return grid_cells(ret, (const float *const[]){above, beneath}, g, err);
}

/* --- drawing ---------------------------------------------------------------------------------------------------------
 */

/* Lays the colour over the pixel; coverage 255 replaces it. */
static void blend(struct canvas *c, int x, int y, uint32_t color, int coverage)
{
	const uint8_t rgb[3] = {(uint8_t)(color >> 16), (uint8_t)(color >> 8), (uint8_t)color};
	uint8_t gray = canvas_luma(rgb[0], rgb[1], rgb[2]);
	const uint8_t *ink = c->channels == 1 ? &gray : rgb;
	uint8_t *pixel = c->pixels + ((size_t)y * (size_t)c->w + (size_t)x) * (size_t)c->channels;
	for (int i = 0; i < c->channels; i++)
		pixel[i] = (uint8_t)((pixel[i] * (255 - coverage) + ink[i] * coverage + 127) / 255);
}

/* [*from, *to) becomes what lies within [0, limit). */
static void clip(int64_t *from, int64_t *to, int limit)
{
	*from = *from < 0 ? 0 : *from;
	*to = *to > limit ? limit : *to;
}

void canvas_put(struct canvas *c, int x, int y, const struct canvas *from)
{
	for (int v = y < 0 ? -y : 0; v < from->h && y + v < c->h; v++)
		for (int u = x < 0 ? -x : 0; u < from->w && x + u < c->w; u++) {
			const uint8_t *p = from->pixels + ((size_t)v * (size_t)from->w + (size_t)u) * (size_t)from->channels;
			const bool gray = from->channels == 1;
			blend(c, x + u, y + v, (uint32_t)p[0] << 16 | (uint32_t)p[gray ? 0 : 1] << 8 | p[gray ? 0 : 2], 255);
		}
}

void canvas_rect(struct canvas *c, int x, int y, int w, int h, uint32_t color)
{
	int64_t x0 = x, x1 = (int64_t)x + w, y0 = y, y1 = (int64_t)y + h;
	clip(&x0, &x1, c->w);
	clip(&y0, &y1, c->h);
	for (int64_t row = y0; row < y1; row++)
		for (int64_t col = x0; col < x1; col++)
			blend(c, (int)col, (int)row, color, 255);
}

/* One letter: dots go right and down from (x, y), or up and right where it is turned. */
static void paint_glyph(struct canvas *c, int x, int y, int scale, uint32_t color, char letter, bool turned)
{
	const uint8_t *glyph = font_glyph(letter);
	for (int row = 0; row < FONT_H; row++)
		for (int col = 0; col < FONT_W; col++) {
			if (!(glyph[row] >> (FONT_W - 1 - col) & 1))
				continue;
			int right = turned ? row : col, down = turned ? -col - 1 : row;
			canvas_rect(c, x + right * scale, y + down * scale, scale, scale, color);
		}
}

int canvas_text(struct canvas *c, int x, int y, int scale, uint32_t color, const char *text)
{
	int start = x;
	for (; *text; text++, x += FONT_ADVANCE * scale)
		paint_glyph(c, x, y, scale, color, *text, false);
	return x - start;
}

int canvas_text_up(struct canvas *c, int x, int y, int scale, uint32_t color, const char *text)
{
	int start = y;
	for (; *text; text++, y -= FONT_ADVANCE * scale)
		paint_glyph(c, x, y, scale, color, *text, true);
	return start - y;
}

int canvas_text_width(int scale, const char *text)
{
	return (int)strlen(text) * FONT_ADVANCE * scale;
}

/* --- strokes ---------------------------------------------------------------------------------------------------------
 */

struct segment {
	double x0, y0, x1, y1;
	double radius; /* half the width */
};

/* Farther out than any canvas, near enough for exact sums; false for NaN. */
static bool drawable(const double p[2])
{
	return fabs(p[0]) < 1e9 && fabs(p[1]) < 1e9;
}

/* How much of a pixel the stroke covers, 0..255, seen across it: the pixel reaches half to each side of its middle. */
static uint8_t coverage(const struct segment *s, double x, double y)
{
	double dx = s->x1 - s->x0, dy = s->y1 - s->y0, length2 = dx * dx + dy * dy;
	double t = length2 > 0 ? ((x - s->x0) * dx + (y - s->y0) * dy) / length2 : 0;
	t = fmin(fmax(t, 0), 1);
	double distance = hypot(x - (s->x0 + t * dx), y - (s->y0 + t * dy));
	double covered = fmin(distance + 0.5, s->radius) - fmax(distance - 0.5, -s->radius);
	return (uint8_t)lrint(255 * fmin(fmax(covered, 0), 1));
}

/* Raises row[0..w) to the segment's coverage of the pixels whose middles are at height y. */
static void cover_row(uint8_t *row, int w, double y, const struct segment *s)
{
	double reach = s->radius + 0.5, dy = s->y1 - s->y0, from = 0, to = 1;
	if (y < fmin(s->y0, s->y1) - reach || y > fmax(s->y0, s->y1) + reach)
		return;
	if (fabs(dy) > 1e-9) { /* only this stretch of the segment can reach the row */
		double a = (y - reach - s->y0) / dy, b = (y + reach - s->y0) / dy;
		from = fmin(fmax(fmin(a, b), 0), 1);
		to = fmin(fmax(fmax(a, b), 0), 1);
	}
	double xa = s->x0 + from * (s->x1 - s->x0), xb = s->x0 + to * (s->x1 - s->x0);
	int first = (int)fmin(fmax(floor(fmin(xa, xb) - reach), 0), w);
	int last = (int)fmin(fmax(ceil(fmax(xa, xb) + reach), 0), w);
	for (int x = first; x < last; x++) {
		uint8_t covered = coverage(s, x + 0.5, y);
		if (covered > row[x])
			row[x] = covered;
	}
}

void canvas_polyline(struct canvas *c, const double *xy, int n, double width, uint32_t color)
{
	uint8_t row[CANVAS_SIDE_MAX];
	for (int y = 0; y < c->h; y++) {
		memset(row, 0, (size_t)c->w);
		for (int i = 0; i < n; i++) {
			const double *p = xy + 2 * i, *q = i + 1 < n && drawable(p + 2) ? p + 2 : p; /* alone: a dot */
			if (drawable(p))
				cover_row(row, c->w, y + 0.5, &(struct segment){p[0], p[1], q[0], q[1], width / 2});
		}
		for (int x = 0; x < c->w; x++)
			if (row[x])
				blend(c, x, y, color, row[x]);
	}
}

void canvas_line(struct canvas *c, double x0, double y0, double x1, double y1, double width, uint32_t color)
{
	canvas_polyline(c, (const double[]){x0, y0, x1, y1}, 2, width, color);
}
