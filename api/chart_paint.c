#include "api/chart_paint.h"

#include "api/utf8.h"

#include <math.h>
#include <string.h>

static const double curve_width = 1.6;

/* --- SVG --- */

/* Text inside an element or a quoted attribute: XML has no way to write most control characters, so they become blanks.
 */
static void xml_text(struct buf *b, const char *text)
{
	static const char *const entities[128] = {
		['&'] = "&amp;",
		['<'] = "&lt;",
		['>'] = "&gt;",
		['"'] = "&quot;",
		['\''] = "&#39;",
	};
	size_t left = strlen(text);
	while (left) {
		unsigned char c = (unsigned char)*text;
		size_t length = utf8_length(text, left);
		if (c < 128 && entities[c])
			buf_str(b, entities[c]);
		else if (c < 0x20 || c == 0x7f)
			buf_str(b, " ");
		else if (length)
			buf_append(b, text, length);
		else
			buf_str(b, "\xef\xbf\xbd");
		text += length ? length : 1;
		left -= length ? length : 1;
	}
}

static void svg_rect(struct painter *p, double x, double y, double w, double h, uint32_t color)
{
	buf_printf(
		p->svg, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"#%06x\"/>\n", x, y, w, h, color);
}

static void svg_line(struct painter *p, double x0, double y0, double x1, double y1, uint32_t color)
{
	buf_printf(p->svg, "<path d=\"M%.1f %.1fL%.1f %.1f\" stroke=\"#%06x\"/>\n", x0, y0, x1, y1, color);
}

static void svg_text(struct painter *p, double x, double y, enum anchor anchor, uint32_t color, const char *text)
{
	static const char *const anchors[] = {"start", "middle", "end"};
	buf_printf(p->svg, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" dominant-baseline=\"central\" fill=\"#%06x\">",
		x, y, anchors[anchor], color);
	xml_text(p->svg, text);
	buf_str(p->svg, "</text>\n");
}

static void svg_path_to(struct painter *p, double x, double y, bool move, uint32_t color)
{
	(void)color;
	if (!p->in_path)
		buf_str(p->svg, "<path d=\"");
	p->in_path = true;
	buf_printf(p->svg, "%c%.1f %.1f", move ? 'M' : 'L', x, y);
}

static void svg_path_end(struct painter *p, uint32_t color)
{
	if (p->in_path)
		buf_printf(p->svg, "\" fill=\"none\" stroke=\"#%06x\" stroke-width=\"%.1f\" stroke-linejoin=\"round\"/>\n",
			color, curve_width);
	p->in_path = false;
}

void svg_painter_open(struct painter *ret, struct buf *svg, int w, int h, const char *title)
{
	*ret = (struct painter){
		.rect = svg_rect,
		.line = svg_line,
		.text = svg_text,
		.path_to = svg_path_to,
		.path_end = svg_path_end,
		.letter_w = 6.8,
		.letter_h = 12,
		.svg = svg,
		.points = BUF_INIT,
	};
	buf_printf(svg,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\" "
		"font-family=\"system-ui, sans-serif\" font-size=\"12\">\n<title>",
		w, h, w, h);
	xml_text(svg, title);
	buf_str(svg, "</title>\n");
}

void svg_painter_close(struct painter *p)
{
	buf_str(p->svg, "</svg>\n");
}

/* --- pixels --- */

static void pixel_rect(struct painter *p, double x, double y, double w, double h, uint32_t color)
{
	canvas_rect(p->canvas, (int)x, (int)y, (int)w, (int)h, color);
}

static void pixel_line(struct painter *p, double x0, double y0, double x1, double y1, uint32_t color)
{
	canvas_line(p->canvas, x0, y0, x1, y1, 1, color);
}

static void pixel_text(struct painter *p, double x, double y, enum anchor anchor, uint32_t color, const char *text)
{
	/* the built-in face is ASCII: one '?' for each other character */
	char ascii[160];
	size_t used = 0, left = strlen(text);
	while (left && used < sizeof ascii - 1) {
		size_t length = utf8_length(text, left);
		ascii[used++] = (char)(length == 1 && *text >= 0x20 && *text < 0x7f ? *text : '?');
		text += length ? length : 1;
		left -= length ? length : 1;
	}
	ascii[used] = '\0';
	int width = canvas_text_width(p->text_scale, ascii);
	int shift = anchor == ANCHOR_START ? 0 : anchor == ANCHOR_MIDDLE ? width / 2 : width;
	canvas_text(p->canvas, (int)x - shift, (int)(y - p->letter_h / 2), p->text_scale, color, ascii);
}

static void pixel_path_to(struct painter *p, double x, double y, bool move, uint32_t color)
{
	static const double gap[2] = {NAN, NAN};
	(void)color;
	if (move)
		buf_append(&p->points, gap, sizeof gap);
	buf_append(&p->points, (double[2]){x, y}, 2 * sizeof x);
}

/* One stroke for all of it, so that a dense curve is as thin as a single line. */
static void pixel_path_end(struct painter *p, uint32_t color)
{
	int points = (int)(p->points.len / (2 * sizeof(double)));
	if (points && !p->points.failed)
		canvas_polyline(p->canvas, (const double *)(const void *)p->points.data, points, curve_width, color);
	p->points.len = 0;
}

void canvas_painter_open(struct painter *ret, struct canvas *canvas, int scale)
{
	*ret = (struct painter){
		.rect = pixel_rect,
		.line = pixel_line,
		.text = pixel_text,
		.path_to = pixel_path_to,
		.path_end = pixel_path_end,
		.letter_w = 6 * scale,
		.letter_h = 7 * scale,
		.canvas = canvas,
		.text_scale = scale,
		.points = BUF_INIT,
	};
}

int canvas_painter_close(struct painter *p, struct err *err)
{
	const bool failed = p->points.failed;
	buf_free(&p->points);
	return failed ? err_set(err, ERR_NO_MEMORY, "no memory to draw a curve") : OK;
}
