#include "api/confusion.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int confusion_open(struct confusion *ret, int classes, struct err *err)
{
	struct confusion c = {.classes = classes};
	size_t n = (size_t)classes;
	c.count = calloc(n * n + 1, sizeof *c.count);
	c.label = calloc(n + 1, sizeof *c.label);
	if (!c.count || !c.label) {
		confusion_free(&c);
		return err_set(err, ERR_NO_MEMORY, "no memory for the confusion of %d classes", classes);
	}
	*ret = c;
	return OK;
}

void confusion_free(struct confusion *c)
{
	free(c->count);
	free(c->label);
	*c = (struct confusion){0};
}

static int64_t count_of(const struct confusion *c, int truth, int predicted)
{
	return c->count[truth * c->classes + predicted];
}

/* How often a class was the truth, and how often it was predicted. */
static int64_t row_sum(const struct confusion *c, int truth)
{
	int64_t sum = 0;
	for (int k = 0; k < c->classes; k++)
		sum += count_of(c, truth, k);
	return sum;
}

static int64_t column_sum(const struct confusion *c, int predicted)
{
	int64_t sum = 0;
	for (int k = 0; k < c->classes; k++)
		sum += count_of(c, k, predicted);
	return sum;
}

static double ratio(double part, double whole)
{
	return whole > 0 ? part / whole : (double)NAN;
}

static double accuracy(const struct confusion *c)
{
	int64_t right = 0, all = 0;
	for (int k = 0; k < c->classes; k++) {
		right += count_of(c, k, k);
		all += row_sum(c, k);
	}
	return ratio((double)right, (double)all);
}

/* --- text ----------------------------------------------------------------------------------------------------------------- */

static void write_class(struct jsonw *w, const struct confusion *c, int k)
{
	double right = (double)count_of(c, k, k), truth = (double)row_sum(c, k), predicted = (double)column_sum(c, k);
	jw_object(w);
	jw_kstring(w, "label", c->label[k]);
	jw_kreal(w, "precision", ratio(right, predicted));
	jw_kreal(w, "recall", ratio(right, truth));
	jw_kreal(w, "f1", ratio(2 * right, predicted + truth));
	jw_kint(w, "support", row_sum(c, k));
	jw_end_object(w);
}

void confusion_write(struct jsonw *w, const struct confusion *c)
{
	jw_object(w);
	jw_key(w, "labels");
	jw_array(w);
	for (int k = 0; k < c->classes; k++)
		jw_string(w, c->label[k]);
	jw_end_array(w);
	jw_key(w, "matrix");
	jw_array(w);
	for (int k = 0; k < c->classes; k++) {
		jw_array(w);
		for (int p = 0; p < c->classes; p++)
			jw_int(w, count_of(c, k, p));
		jw_end_array(w);
	}
	jw_end_array(w);
	jw_kreal(w, "accuracy", accuracy(c));
	jw_key(w, "per_class");
	jw_array(w);
	for (int k = 0; k < c->classes; k++)
		write_class(w, c, k);
	jw_end_array(w);
	jw_end_object(w);
}

static int fail_text(struct err *err)
{
	return err_set(err, ERR_CORRUPT, "the stored confusion matrix is broken");
}

static int read_labels(struct confusion *c, const struct json *labels, struct err *err)
{
	int k = 0;
	for (const struct json *l = json_first(labels); l; l = json_next(l), k++) {
		if (json_type(l) != JSON_STRING)
			return fail_text(err);
		snprintf(c->label[k], sizeof c->label[k], "%s", json_string(l));
	}
	return OK;
}

static int read_matrix(struct confusion *c, const struct json *matrix, struct err *err)
{
	int64_t *to = c->count;
	for (const struct json *row = json_first(matrix); row; row = json_next(row)) {
		if (json_type(row) != JSON_ARRAY || json_count(row) != (size_t)c->classes)
			return fail_text(err);
		for (const struct json *n = json_first(row); n; n = json_next(n)) {
			if (json_type(n) != JSON_NUMBER)
				return fail_text(err);
			*to++ = (int64_t)json_number(n);
		}
	}
	return OK;
}

int confusion_parse(struct confusion *ret, const char *text, struct err *err)
{
	struct json *root;
	struct confusion c;
	int code = json_parse(&root, text, strlen(text), err);
	if (code)
		return code;
	const struct json *labels = json_get(root, "labels"), *matrix = json_get(root, "matrix");
	size_t n = labels && json_type(labels) == JSON_ARRAY ? json_count(labels) : 0;
	if (!n || n > DATASET_CLASSES_MAX || !matrix || json_type(matrix) != JSON_ARRAY || json_count(matrix) != n)
		code = fail_text(err);
	if (!code)
		code = confusion_open(&c, (int)n, err);
	if (!code && ((code = read_labels(&c, labels, err)) || (code = read_matrix(&c, matrix, err))))
		confusion_free(&c);
	json_free(root);
	if (!code)
		*ret = c;
	return code;
}

/* RFC 4180: in quotes where it must be. */
static void csv_text(struct buf *b, const char *text)
{
	if (!strpbrk(text, ",\"\r\n")) {
		buf_str(b, text);
		return;
	}
	buf_str(b, "\"");
	for (; *text; text++)
		buf_printf(b, *text == '"' ? "\"%c" : "%c", *text);
	buf_str(b, "\"");
}

void confusion_csv(struct buf *b, const struct confusion *c)
{
	buf_str(b, "true");
	for (int k = 0; k < c->classes; k++) {
		buf_str(b, ",");
		csv_text(b, c->label[k]);
	}
	buf_str(b, "\n");
	for (int k = 0; k < c->classes; k++) {
		csv_text(b, c->label[k]);
		for (int p = 0; p < c->classes; p++)
			buf_printf(b, ",%lld", (long long)count_of(c, k, p));
		buf_str(b, "\n");
	}
}

/* --- the picture ---------------------------------------------------------------------------------------------------------- */

enum { PAPER = 0xffffff, INK = 0x1a1a2e, FAINT = 0x5a5a6e, LINE = 0xd5d5de, FULL = 0x0b3c78, LETTER_H = 9, PAD = 8 };

/* Where things stand. Many classes have small cells, without words in them. */
struct layout {
	int cell, scale, label_scale; /* scale 0: no counts */
	int labels;                   /* pixels that the longest label takes */
	int x, y;                     /* of the first cell */
};

static struct layout lay_out(const struct confusion *c)
{
	struct layout l = {.cell = 64, .scale = 2, .label_scale = 2};
	if (c->classes > 20)
		l = (struct layout){.cell = 36, .scale = 1, .label_scale = 1};
	if (c->classes > 60)
		l = (struct layout){.cell = 12, .scale = 0, .label_scale = 1};
	for (int k = 0; k < c->classes; k++) {
		int w = canvas_text_width(l.label_scale, c->label[k]);
		l.labels = w > l.labels ? w : l.labels;
	}
	l.x = PAD + 2 * LETTER_H + PAD + l.labels + PAD;
	l.y = PAD + 2 * LETTER_H + 2 * PAD + 2 * LETTER_H + PAD + l.labels + PAD;
	return l;
}

/* Between paper and full colour. */
static uint32_t shade(double share)
{
	uint32_t color = 0;
	for (int shift = 16; shift >= 0; shift -= 8) {
		int from = PAPER >> shift & 0xff, to = FULL >> shift & 0xff;
		color |= (uint32_t)lround(from + (to - from) * share) << shift;
	}
	return color;
}

static void middle_text(struct canvas *to, int x, int y, int scale, uint32_t color, const char *text)
{
	canvas_text(
		to, x - canvas_text_width(scale, text) / 2 + scale / 2, y - (LETTER_H - 2) * scale / 2, scale, color, text);
}

static void paint_cell(struct canvas *to, const struct layout *l, int x, int y, int64_t count, double share)
{
	char text[24];
	uint32_t ink = share > 0.5 ? PAPER : INK, faint = share > 0.5 ? shade(0.15) : FAINT;
	canvas_rect(to, x, y, l->cell - 1, l->cell - 1, shade(isnan(share) ? 0 : share));
	if (!l->scale || (!count && isnan(share)))
		return;
	snprintf(text, sizeof text, "%lld", (long long)count);
	int scale = canvas_text_width(l->scale, text) < l->cell ? l->scale : 1;
	bool both = l->scale > 1 && count > 0;
	middle_text(to, x + l->cell / 2, y + l->cell / 2 - (both ? 7 : 0), scale, count ? ink : LINE, text);
	if (!both)
		return;
	snprintf(text, sizeof text, share < 0.1 ? "%.1f%%" : "%.0f%%", 100 * share);
	middle_text(to, x + l->cell / 2, y + l->cell / 2 + 14, 1, faint, text);
}

static void paint_row(struct canvas *to, const struct layout *l, const struct confusion *c, int truth)
{
	int y = l->y + truth * l->cell, middle = y + l->cell / 2 - (LETTER_H - 2) * l->label_scale / 2;
	double all = (double)row_sum(c, truth);
	canvas_text(to, l->x - PAD - canvas_text_width(l->label_scale, c->label[truth]), middle, l->label_scale, INK,
		c->label[truth]);
	for (int p = 0; p < c->classes; p++) {
		int64_t count = count_of(c, truth, p);
		paint_cell(to, l, l->x + p * l->cell, y, count, ratio((double)count, all));
	}
}

static void paint_heads(struct canvas *to, const struct layout *l, const struct confusion *c)
{
	char title[80];
	int side = c->classes * l->cell;
	snprintf(title, sizeof title, "accuracy %.2f %%", 100 * accuracy(c));
	canvas_text(to, PAD, PAD, 2, INK, title);
	middle_text(to, l->x + side / 2, PAD + 2 * LETTER_H + 2 * PAD + LETTER_H, 2, FAINT, "predicted");
	canvas_text_up(to, PAD, l->y + (side + canvas_text_width(2, "true")) / 2, 2, FAINT, "true");
	for (int p = 0; p < c->classes; p++)
		canvas_text_up(to, l->x + p * l->cell + l->cell / 2 - (LETTER_H - 2) * l->label_scale / 2, l->y - PAD,
			l->label_scale, INK, c->label[p]);
}

int confusion_canvas(struct canvas *ret, const struct confusion *c, struct err *err)
{
	struct canvas canvas;
	const struct layout l = lay_out(c);
	int side = c->classes * l.cell, title = PAD + canvas_text_width(2, "accuracy 100.00 %") + PAD;
	int w = l.x + side + PAD > title ? l.x + side + PAD : title;
	int code = canvas_open(&canvas, w, l.y + side + PAD, 3, 255, err);
	if (code)
		return code;
	canvas_rect(&canvas, l.x - 1, l.y - 1, side + 1, side + 1, LINE);
	paint_heads(&canvas, &l, c);
	for (int k = 0; k < c->classes; k++)
		paint_row(&canvas, &l, c, k);
	*ret = canvas;
	return OK;
}
