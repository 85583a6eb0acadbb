#include "api/class_sheet.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	PAPER = 0xffffff,
	INK = 0x1a1a2e,
	FAINT = 0x5a5a6e,
	LINE = 0xd5d5de,
	LETTER_H = 9,
	PAD = 8,
	GAP = 2,
	ZOOM = 2,
	TEXT_SCALE = 2
};

static float certainty(const struct class_sheet *s, size_t i, int k)
{
	return s->probabilities[i * (size_t)s->classes + (size_t)k];
}

static int class_of(const struct class_sheet *s, size_t i)
{
	int best = 0;
	for (int k = 1; k < s->classes; k++)
		if (certainty(s, i, k) > certainty(s, i, best))
			best = k;
	return best;
}

size_t class_sheet_row(const struct class_sheet *s, int k, size_t *ret_index)
{
	size_t found = 0, kept = 0, cols = (size_t)s->cols;
	for (size_t i = 0; i < s->n; i++) {
		if (class_of(s, i) != k)
			continue;
		found++;
		size_t at = kept < cols ? kept++ : cols;
		for (; at > 0 && certainty(s, ret_index[at - 1], k) < certainty(s, i, k); at--)
			if (at < cols)
				ret_index[at] = ret_index[at - 1];
		if (at < cols)
			ret_index[at] = i;
	}
	return found;
}

/* --- the picture ---------------------------------------------------------------------------------------------------------- */

struct layout {
	int x, y, cell_w, cell_h;
};

static struct layout lay_out(const struct class_sheet *s)
{
	int labels = canvas_text_width(TEXT_SCALE, "100.0 %");
	for (int k = 0; k < s->classes; k++) {
		int w = canvas_text_width(TEXT_SCALE, s->label[k]);
		labels = w > labels ? w : labels;
	}
	return (struct layout){.x = PAD + labels + 2 * PAD,
		.y = PAD + LETTER_H * TEXT_SCALE + PAD,
		.cell_w = s->w * ZOOM + GAP,
		.cell_h = (s->h * ZOOM > 2 * LETTER_H * TEXT_SCALE ? s->h * ZOOM : 2 * LETTER_H * TEXT_SCALE) + GAP};
}

static uint32_t byte_of(float x)
{
	return x > 0 ? x < 1 ? (uint32_t)(x * 255 + 0.5F) : 255 : 0; /* NaN is black */
}

static void paint_image(struct canvas *to, const struct class_sheet *s, int x, int y, size_t i)
{
	const size_t map = (size_t)s->h * (size_t)s->w;
	const float *image = s->images + i * (size_t)s->c * map;
	for (size_t p = 0; p < map; p++) {
		uint32_t color = 0;
		for (size_t c = 0; c < 3; c++)
			color = color << 8 | byte_of(image[(s->c > 1 ? c * map : 0) + p]);
		canvas_rect(to, x + (int)(p % (size_t)s->w) * ZOOM, y + (int)(p / (size_t)s->w) * ZOOM, ZOOM, ZOOM, color);
	}
}

static void paint_row(struct canvas *to, const struct class_sheet *s, const struct layout *l, int k, size_t *index)
{
	char text[24];
	const int y = l->y + k * l->cell_h;
	const size_t found = class_sheet_row(s, k, index);
	snprintf(text, sizeof text, "%.1f %%", 100 * (double)found / (double)s->n);
	canvas_text(to, PAD, y + GAP, TEXT_SCALE, INK, s->label[k]);
	canvas_text(to, PAD, y + GAP + LETTER_H * TEXT_SCALE, TEXT_SCALE, FAINT, text);
	for (int i = 0; i < s->cols; i++) {
		const int x = l->x + i * l->cell_w;
		if ((size_t)i < found)
			paint_image(to, s, x, y, index[i]);
		else
			canvas_rect(to, x, y, s->w * ZOOM, s->h * ZOOM, LINE);
	}
}

int class_sheet_canvas(struct canvas *ret, const struct class_sheet *s, struct err *err)
{
	char title[80];
	const struct layout l = lay_out(s);
	struct canvas canvas;
	size_t *index = calloc((size_t)s->cols, sizeof *index);
	if (!index)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	snprintf(title, sizeof title, "%zu samples, the most certain of each class", s->n);
	const int titled = 2 * PAD + canvas_text_width(TEXT_SCALE, title), w = l.x + s->cols * l.cell_w + PAD;
	int code = canvas_open(&canvas, w > titled ? w : titled, l.y + s->classes * l.cell_h + PAD, 3, 255, err);
	if (!code) {
		canvas_text(&canvas, PAD, PAD, TEXT_SCALE, INK, title);
		for (int k = 0; k < s->classes; k++)
			paint_row(&canvas, s, &l, k, index);
		*ret = canvas;
	}
	free(index);
	return code;
}
