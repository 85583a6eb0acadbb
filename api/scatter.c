#include "api/scatter.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAPER = 0xffffff, INK = 0x1b1f26, QUIET = 0x586172, FRAME = 0xdfe3e9, LETTER_H = 9, PAD = 12, MARGIN = 10 };

/* web/style/base.css: --series-1 … */
static const uint32_t palette[] = {
	0x0072b2, 0xd55e00, 0x009e73, 0xb05a8c, 0x8a7a00, 0x4b5563, 0x8c510a, 0x6a51a3, 0xc2255c, 0x5f8a00};
enum { COLORS = sizeof palette / sizeof *palette };

uint32_t scatter_color(int k)
{
	return palette[k % COLORS];
}

/* --- points ----------------------------------------------------------------------------------------------------------------- */

/* A panel's square, in floats, so that a thousand faint dots add up to what they should. */
struct plot {
	float *rgb; /* [side][side][3], 0 … 255 */
	int side;
	double x, y, scale; /* of the pixel at the upper left corner, and pixels per unit */
	double radius, strength;
};

static bool shown(const double *p)
{
	return fabs(p[0]) < 1e30 && fabs(p[1]) < 1e30;
}

/* The whole map in the middle of the square. */
static void frame(struct plot *plot, const struct scatter_panel *s)
{
	double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
	for (size_t i = 0; i < s->n; i++)
		for (int a = 0; a < 2 && shown(s->xy + 2 * i); a++) {
			low[a] = fmin(low[a], s->xy[2 * i + (size_t)a]);
			high[a] = fmax(high[a], s->xy[2 * i + (size_t)a]);
		}
	const double span = fmax(high[0] - low[0], high[1] - low[1]);
	plot->scale = span > 0 ? (plot->side - 2 * MARGIN) / span : 1;
	plot->x = (low[0] + high[0]) / 2 - plot->side / (2 * plot->scale);
	plot->y = (low[1] + high[1]) / 2 + plot->side / (2 * plot->scale);
}

static double place_x(const struct plot *plot, const double *p)
{
	return (p[0] - plot->x) * plot->scale;
}

/* Up is up. */
static double place_y(const struct plot *plot, const double *p)
{
	return (plot->y - p[1]) * plot->scale;
}

static int within(double x, int side)
{
	return (int)fmin(fmax(x, 0), side);
}

static void dot(struct plot *plot, const double *p, uint32_t color)
{
	const double x = place_x(plot, p), y = place_y(plot, p), reach = plot->radius + 0.5;
	const float rgb[3] = {(float)(color >> 16), (float)(color >> 8 & 0xff), (float)(color & 0xff)};
	const int right = within(ceil(x + reach), plot->side), bottom = within(ceil(y + reach), plot->side);
	for (int row = within(floor(y - reach), plot->side); row < bottom; row++)
		for (int col = within(floor(x - reach), plot->side); col < right; col++) {
			const double away = hypot(col + 0.5 - x, row + 0.5 - y);
			const float cover = (float)(plot->strength * fmin(fmax(reach - away, 0), 1));
			float *pixel = plot->rgb + 3 * ((size_t)row * (size_t)plot->side + (size_t)col);
			for (int c = 0; c < 3; c++)
				pixel[c] += cover * (rgb[c] - pixel[c]);
		}
}

static size_t common_divisor(size_t a, size_t b)
{
	while (b) {
		const size_t rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

/* In strides around all of them, so that data sorted by class do not lie in layers. */
static void dots(struct plot *plot, const struct scatter_panel *s)
{
	size_t stride = s->n * 618 / 1000 | 1;
	while (common_divisor(stride, s->n) != 1)
		stride++;
	for (size_t k = 0, i = 0; k < s->n; k++, i = (i + stride) % s->n)
		if (shown(s->xy + 2 * i))
			dot(plot, s->xy + 2 * i, s->labels ? scatter_color(s->labels[i]) : palette[0]);
}

static void settle_dots(struct plot *plot, size_t n)
{
	const double room = plot->side / sqrt((double)n + 1);
	plot->radius = fmin(fmax(0.3 * room, 1), 4);
	plot->strength = fmin(fmax(0.12 * room, 0.4), 0.85);
}

static void put_plot(struct canvas *to, const struct plot *plot, int x, int y)
{
	for (int row = 0; row < plot->side; row++)
		for (int i = 0; i < 3 * plot->side; i++)
			to->pixels[3 * ((size_t)(y + row) * (size_t)to->w + (size_t)x) + (size_t)i] =
				(uint8_t)(plot->rgb[3 * (size_t)row * (size_t)plot->side + (size_t)i] + 0.5F);
}

/* --- words ------------------------------------------------------------------------------------------------------------------ */

static int ascending(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* The median of a class along each axis; false: nobody is shown. */
static bool middle_of(double ret[2], const struct scatter_panel *s, int k, double *scratch)
{
	for (size_t a = 0; a < 2; a++) {
		size_t n = 0;
		for (size_t i = 0; i < s->n; i++)
			if (s->labels[i] == k && shown(s->xy + 2 * i))
				scratch[n++] = s->xy[2 * i + a];
		if (!n)
			return false;
		qsort(scratch, n, sizeof *scratch, ascending);
		ret[a] = scratch[n / 2];
	}
	return true;
}

/* Dark letters with a light rim, in the middle of (x, y). */
static void tag(struct canvas *c, int x, int y, int scale, uint32_t color, const char *text)
{
	x -= canvas_text_width(scale, text) / 2;
	y -= LETTER_H * scale / 2;
	for (int dy = -scale; dy <= scale; dy++)
		for (int dx = -scale; dx <= scale; dx++)
			canvas_text(c, x + dx, y + dy, scale, PAPER, text);
	canvas_text(c, x, y, scale, color, text);
}

/* The same hue, dark enough to be read. */
static uint32_t darker(uint32_t color)
{
	uint32_t result = 0;
	for (int shift = 0; shift < 24; shift += 8)
		result |= (color >> shift & 0xff) * 6 / 10 << shift;
	return result;
}

static int tags(struct canvas *to, const struct plot *plot, const struct scatter *s, const struct scatter_panel *panel,
	int x, int y, struct err *err)
{
	double *scratch = calloc(panel->n + 1, sizeof *scratch);
	if (!scratch)
		return err_set(err, ERR_NO_MEMORY, "no memory for a picture of %zu points", panel->n);
	for (int k = 0; k < s->classes; k++) {
		double at[2];
		if (!middle_of(at, panel, k, scratch))
			continue;
		const int scale = plot->side >= 560 ? 2 : 1, half = canvas_text_width(scale, s->label[k]) / 2 + scale;
		int col = (int)place_x(plot, at);
		col = col > plot->side - half ? plot->side - half : col;
		col = col < half ? half : col;
		tag(to, x + col, y + (int)place_y(plot, at), scale, darker(scatter_color(k)), s->label[k]);
	}
	free(scratch);
	return OK;
}

/* --- the sheet -------------------------------------------------------------------------------------------------------------- */

struct layout {
	int cols, rows, head, cell_w, cell_h, legend_x, w, h, scale;
};

static struct layout lay_out(const struct scatter *s)
{
	struct layout l = {.scale = s->side >= 400 ? 2 : 1, .cols = s->cols > 0 ? s->cols : (int)ceil(sqrt(s->panels))};
	bool title = false, caption = false;
	int widest = 0;
	for (int i = 0; i < s->panels; i++) {
		title |= s->panel[i].title != NULL;
		caption |= s->panel[i].caption != NULL;
	}
	for (int k = 0; k < s->classes; k++) {
		const int width = canvas_text_width(l.scale, s->label[k]);
		widest = width > widest ? width : widest;
	}
	l.cols = l.cols < s->panels ? l.cols : s->panels;
	l.rows = (s->panels + l.cols - 1) / l.cols;
	l.head = (title + caption) * (LETTER_H + 4) * l.scale;
	l.cell_w = s->side + 2 + PAD;
	l.cell_h = l.head + s->side + 2 + PAD;
	l.legend_x = PAD + l.cols * l.cell_w;
	l.w = l.legend_x + (s->classes ? widest + (LETTER_H + 6) * l.scale + PAD : 0);
	l.h = PAD + l.rows * l.cell_h;
	const int legend_h = 2 * PAD + s->classes * (LETTER_H + 6) * l.scale;
	l.h = l.h > legend_h ? l.h : legend_h;
	return l;
}

/* As much of a line as there is room for. */
static void heading(struct canvas *to, int x, int y, int width, int scale, uint32_t color, const char *text)
{
	char fits[256];
	snprintf(fits, sizeof fits, "%s", text);
	for (size_t length = strlen(fits); length && canvas_text_width(scale, fits) > width; length--)
		fits[length - 1] = '\0';
	canvas_text(to, x, y, scale, color, fits);
}

static int paint_panel(
	struct canvas *to, const struct scatter *s, const struct layout *l, int i, struct plot *plot, struct err *err)
{
	const struct scatter_panel *panel = &s->panel[i];
	const int x = PAD + i % l->cols * l->cell_w, y = PAD + i / l->cols * l->cell_h;
	const int line = (LETTER_H + 4) * l->scale, left = x + 1, top = y + l->head + 1;
	if (panel->title)
		heading(to, left, y, s->side, l->scale, INK, panel->title);
	if (panel->caption)
		heading(to, left, y + (panel->title ? line : 0), s->side, l->scale, QUIET, panel->caption);
	canvas_rect(to, x, top - 1, s->side + 2, s->side + 2, FRAME);
	for (size_t p = 0; p < 3 * (size_t)plot->side * (size_t)plot->side; p++)
		plot->rgb[p] = 255;
	frame(plot, panel);
	settle_dots(plot, panel->n);
	dots(plot, panel);
	put_plot(to, plot, left, top);
	return s->named && panel->labels ? tags(to, plot, s, panel, left, top, err) : OK;
}

static void paint_legend(struct canvas *to, const struct scatter *s, const struct layout *l)
{
	for (int k = 0; k < s->classes; k++) {
		const int y = PAD + l->head + k * (LETTER_H + 6) * l->scale, size = 7 * l->scale;
		canvas_line(to, l->legend_x + size / 2.0, y + size / 2.0, l->legend_x + size / 2.0, y + size / 2.0, size,
			scatter_color(k));
		canvas_text(to, l->legend_x + (LETTER_H + 2) * l->scale, y, l->scale, INK, s->label[k]);
	}
}

int scatter_canvas(struct canvas *ret, const struct scatter *s, struct err *err)
{
	if (s->side < SCATTER_SIDE_MIN || s->side > SCATTER_SIDE_MAX || s->panels < 1 || s->cols < 0)
		return err_set(
			err, ERR_INVALID, "no sheet has %d panels of %d pixels in %d columns", s->panels, s->side, s->cols);
	const struct layout l = lay_out(s);
	struct plot plot = {.side = s->side, .rgb = calloc((size_t)s->side * (size_t)s->side, 3 * sizeof *plot.rgb)};
	struct canvas canvas;
	if (!plot.rgb)
		return err_set(err, ERR_NO_MEMORY, "no memory for a picture of %d pixels a side", s->side);
	int code = canvas_open(&canvas, l.w, l.h, 3, 0xff, err);
	for (int i = 0; !code && i < s->panels; i++)
		if ((code = paint_panel(&canvas, s, &l, i, &plot, err)))
			canvas_close(&canvas);
	free(plot.rgb);
	if (code)
		return code;
	paint_legend(&canvas, s, &l);
	*ret = canvas;
	return OK;
}
