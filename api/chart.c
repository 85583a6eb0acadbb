#include "api/chart.h"

#include "api/chart_paint.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WHITE = 0xffffff, INK = 0x333333, FAINT = 0xe4e4e4, AXIS = 0x888888 };
/* Okabe and Ito 2008: told apart with any colour vision; the yellow, too faint on white, comes last. */
static const uint32_t palette[] = {0x0072b2, 0xd55e00, 0x009e73, 0xcc79a7, 0xe69f00, 0x56b4e9, 0x000000, 0xf0e442};
enum { LARGE_WIDTH = 1200 };
enum { COLORS = sizeof palette / sizeof *palette };

uint32_t chart_color(int i)
{
	return palette[i % COLORS];
}

/* A stretch of an axis, in data units (their log10 where the axis is logarithmic), and its pixels. */
struct axis {
	double low, high, from, to;
	bool log;
};

struct frame {
	const struct chart *chart;
	struct axis x, y;
	double time_scale; /* x is milliseconds / time_scale, counted from time_zero */
	double time_zero;
	const char *x_label;
	bool empty;
};

/* --- scales --- */

static double place(const struct axis *a, double value)
{
	return a->from + (value - a->low) / (a->high - a->low) * (a->to - a->from);
}

static double x_of(const struct frame *f, const struct curve *c, size_t i)
{
	switch (f->chart->x) {
	case CHART_STEP:
		return (double)c->step[i];
	case CHART_EPOCH:
		return c->epoch[i];
	default:
		return ((double)c->time_ms[i] - f->time_zero) / f->time_scale;
	}
}

/* NaN where the value has no place on the axis (or no neighbours: what is near the end of the doubles overflows). */
static double y_of(const struct frame *f, double value)
{
	if (!(fabs(value) < 1e300) || (f->y.log && value <= 0))
		return NAN;
	return f->y.log ? log10(value) : value;
}

static void include(struct axis *a, double value)
{
	if (!isfinite(value))
		return;
	a->low = fmin(a->low, value);
	a->high = fmax(a->high, value);
}

/* Some room above and below, none for x; a single value (or what a tick could not tell from one) gets a stretch around
 * it. */
static void widen(struct axis *a, double share, bool keep_positive)
{
	double low = a->low;
	if (a->high - a->low <= fabs(a->low) * 1e-9) {
		double half = a->low != 0 ? fabs(a->low) * .1 : 1;
		a->low -= half;
		a->high += half;
	} else {
		double room = (a->high - a->low) * share;
		a->low -= room;
		a->high += room;
	}
	if (keep_positive && low >= 0 && a->low < 0)
		a->low = 0;
}

/* Seconds, minutes or hours since the first point, as the length asks. */
static void settle_time(struct frame *f, const struct curve *curves, int n)
{
	double first = INFINITY, last = -INFINITY;
	for (const struct curve *c = curves; c < curves + n; c++)
		if (c->n) {
			first = fmin(first, (double)c->time_ms[0]);
			last = fmax(last, (double)c->time_ms[c->n - 1]);
		}
	double seconds = (last - first) / 1000;
	f->time_zero = first;
	f->time_scale = seconds < 300 ? 1e3 : seconds < 3 * 3600 ? 6e4 : 3.6e6;
	f->x_label = seconds < 300 ? "seconds" : seconds < 3 * 3600 ? "minutes" : "hours";
}

static void settle_range(struct frame *f, const struct curve *curves, int n)
{
	f->x.low = f->y.low = INFINITY;
	f->x.high = f->y.high = -INFINITY;
	for (const struct curve *c = curves; c < curves + n; c++)
		for (size_t i = 0; i < c->n; i++) {
			double y = y_of(f, c->value[i]);
			if (isnan(y))
				continue;
			include(&f->x, x_of(f, c, i));
			include(&f->y, y);
			include(&f->y, y_of(f, c->min ? c->min[i] : c->value[i]));
			include(&f->y, y_of(f, c->max ? c->max[i] : c->value[i]));
		}
	f->empty = !(f->x.low <= f->x.high);
	if (f->empty) {
		f->x.low = f->y.low = 0;
		f->x.high = f->y.high = 1;
	}
	for (int i = 0; i < f->chart->nlines && !f->empty; i++)
		include(&f->y, y_of(f, f->chart->lines[i].value));
	if (f->x.low > 0 && f->x.low < f->x.high / 10)
		f->x.low = 0; /* a run seen from near its start is seen from its start */
	widen(&f->x, 0, true);
	widen(&f->y, .04, !f->y.log);
}

/* --- ticks --- */

/* 1, 2 or 5 times a power of ten, near `span / count`. */
static double nice_step(double span, int count)
{
	double raw = span / count, power = pow(10, floor(log10(raw))), lead = raw / power;
	return power * (lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10);
}

static void tick_label(char text[32], double value)
{
	double size = fabs(value);
	if (size >= 1e6)
		snprintf(text, 32, "%.4gM", value / 1e6);
	else if (size >= 1e4)
		snprintf(text, 32, "%.4gk", value / 1e3);
	else
		snprintf(text, 32, "%.5g", size < 1e-12 ? 0 : value);
}

struct ticks {
	int n;
	double at[64], value[64]; /* on the axis; what the label says */
};

static void add_tick(struct ticks *t, const struct axis *a, double at, double value)
{
	double slack = (a->high - a->low) * 1e-9;
	if (t->n < (int)(sizeof t->at / sizeof *t->at) && at >= a->low - slack && at <= a->high + slack) {
		t->at[t->n] = at;
		t->value[t->n++] = value;
	}
}

static void linear_ticks(struct ticks *t, const struct axis *a, int count, bool whole)
{
	double step = nice_step(a->high - a->low, count);
	if (whole && step < 1)
		step = 1;
	for (double i = ceil(a->low / step - 1e-9); i * step <= a->high + step * 1e-9; i++)
		add_tick(t, a, i * step, i * step);
}

/* Powers of ten; with 2 and 5 between where the axis spans few of them; evenly where it spans hardly more than one. */
static void log_ticks(struct ticks *t, const struct axis *a, int count)
{
	static const double leads[] = {1, 2, 5};
	double decades = a->high - a->low;
	if (decades < 1.2) {
		struct axis plain = {pow(10, a->low), pow(10, a->high), 0, 1, false};
		struct ticks linear = {0};
		linear_ticks(&linear, &plain, count, false);
		for (int i = 0; i < linear.n; i++)
			if (linear.value[i] > 0)
				add_tick(t, a, log10(linear.value[i]), linear.value[i]);
		return;
	}
	int every = (int)ceil(decades / count), per_decade = decades <= 3 ? 3 : 1;
	for (int e = (int)floor(a->low); e <= (int)ceil(a->high); e += every)
		for (int i = 0; i < per_decade; i++)
			add_tick(t, a, e + log10(leads[i]), leads[i] * pow(10, e));
}

/* --- drawing --- */

static void draw_axes(struct painter *p, const struct frame *f)
{
	struct ticks x = {0}, y = {0};
	char label[32];
	linear_ticks(&x, &f->x, 8, f->chart->x != CHART_TIME);
	if (f->y.log)
		log_ticks(&y, &f->y, 6);
	else
		linear_ticks(&y, &f->y, 6, false);
	for (int i = 0; i < y.n; i++) {
		double at = place(&f->y, y.at[i]);
		tick_label(label, y.value[i]);
		p->line(p, f->x.from, at, f->x.to, at, FAINT);
		p->text(p, f->x.from - 8, at, ANCHOR_END, INK, label);
	}
	for (int i = 0; i < x.n; i++) {
		double at = place(&f->x, x.at[i]);
		tick_label(label, x.value[i]);
		p->line(p, at, f->y.from, at, f->y.from + 4, AXIS);
		p->text(p, at, f->y.from + 8 + p->letter_h / 2, ANCHOR_MIDDLE, INK, label);
	}
	p->line(p, f->x.from, f->y.from, f->x.to, f->y.from, AXIS);
	p->line(p, f->x.from, f->y.to, f->x.from, f->y.from, AXIS);
	p->text(p, (f->x.from + f->x.to) / 2, f->y.from + 14 + p->letter_h * 3 / 2, ANCHOR_MIDDLE, INK, f->x_label);
}

/* Dashes across, and the words above their end. */
static void draw_reference(struct painter *p, const struct frame *f, const struct reference_line *line)
{
	enum { DASH = 6 };
	double y = y_of(f, line->value);
	if (isnan(y) || f->empty)
		return;
	double at = place(&f->y, y);
	for (double x = f->x.from; x < f->x.to; x += 2 * DASH)
		p->line(p, x, at, fmin(x + DASH, f->x.to), at, AXIS);
	p->text(p, f->x.to, at - p->letter_h / 2 - 2, ANCHOR_END, INK, line->label);
}

/* A quarter of the colour on white. */
static uint32_t pale(uint32_t color)
{
	uint32_t result = 0;
	for (int shift = 0; shift < 24; shift += 8)
		result |= (((color >> shift & 0xff) + 3 * 0xff) / 4) << shift;
	return result;
}

/* What thinning averaged away: a faint stroke from least to greatest. */
static void draw_spread(struct painter *p, const struct frame *f, const struct curve *c, uint32_t color)
{
	if (!c->downsampled || !c->min || !c->max)
		return;
	for (size_t i = 0; i < c->n; i++) {
		double x = place(&f->x, x_of(f, c, i)), low = y_of(f, c->min[i]), high = y_of(f, c->max[i]);
		if (low < high)
			p->line(p, x, place(&f->y, low), x, place(&f->y, high), pale(color));
	}
}

/* From point to point, a pixel at a time. */
static void draw_band(struct painter *p, const struct frame *f, const struct curve *c, uint32_t color)
{
	for (size_t i = 0; c->min && c->max && i + 1 < c->n; i++) {
		const double from = place(&f->x, x_of(f, c, i)), to = place(&f->x, x_of(f, c, i + 1));
		for (double x = ceil(from); x < to; x++) {
			const double t = (x - from) / (to - from);
			const double low = y_of(f, c->min[i] + t * (c->min[i + 1] - c->min[i])),
						 high = y_of(f, c->max[i] + t * (c->max[i + 1] - c->max[i]));
			if (low < high)
				p->line(p, x, place(&f->y, low), x, place(&f->y, high), pale(color));
		}
	}
}

static void draw_dots(struct painter *p, const struct frame *f, const struct curve *c, uint32_t color)
{
	for (size_t i = 0; i < c->n; i++) {
		const double y = y_of(f, c->value[i]);
		if (!isnan(y))
			p->rect(p, place(&f->x, x_of(f, c, i)) - 3, place(&f->y, y) - 3, 6, 6, color);
	}
}

static void draw_curve(struct painter *p, const struct frame *f, const struct curve *c, uint32_t color)
{
	bool move = true;
	for (size_t i = 0; i < c->n; i++) {
		double y = y_of(f, c->value[i]);
		if (!isnan(y))
			p->path_to(p, place(&f->x, x_of(f, c, i)), place(&f->y, y), move, color);
		move = isnan(y);
	}
	p->path_end(p, color);
	if (c->n == 1 && !move) {
		/* a single point has no line */
		double x = place(&f->x, x_of(f, c, 0)), y = place(&f->y, y_of(f, c->value[0]));
		p->rect(p, x - 2, y - 2, 5, 5, color);
	}
}

static void draw_legend(struct painter *p, const struct frame *f, const struct curve *curves, int n, double y)
{
	double x = f->x.from;
	for (int i = 0; i < n; i++) {
		const double w = (double)strlen(curves[i].series) * p->letter_w;
		if (i && x + 20 + w > f->chart->w) /* half a name says nothing */
			return;
		p->rect(p, x, y - 2, 14, 4, palette[i % COLORS]);
		p->text(p, x + 20, y, ANCHOR_START, INK, curves[i].series);
		x += 20 + w + 2 * p->letter_w;
	}
}

static void draw(struct painter *p, const struct chart *chart, const struct curve *curves, int n)
{
	static const char *const labels[] = {[CHART_STEP] = "step", [CHART_EPOCH] = "epoch"};
	double line = p->letter_h + 8, left = 10 * p->letter_w, bottom = 2 * line + 6;
	struct frame f = {.chart = chart, .y = {.log = chart->log_y}};
	if (chart->x == CHART_TIME)
		settle_time(&f, curves, n);
	else
		f.x_label = labels[chart->x];
	settle_range(&f, curves, n);
	if (chart->x_label)
		f.x_label = chart->x_label;
	f.x.from = left;
	f.x.to = fmax(left + 1, chart->w - 2 * p->letter_w);
	f.y.from = fmax(2 * line + 1, chart->h - bottom); /* y grows downwards */
	f.y.to = 2 * line;
	p->rect(p, 0, 0, chart->w, chart->h, WHITE);
	p->text(p, f.x.from, line / 2 + 2, ANCHOR_START, 0x000000, chart->title);
	draw_legend(p, &f, curves, n, line * 3 / 2);
	draw_axes(p, &f);
	if (f.empty)
		p->text(p, (f.x.from + f.x.to) / 2, (f.y.from + f.y.to) / 2, ANCHOR_MIDDLE, AXIS, "nothing to show yet");
	for (int i = 0; i < n; i++)
		(chart->bands ? draw_band : draw_spread)(p, &f, &curves[i], palette[i % COLORS]);
	for (int i = 0; i < chart->nlines; i++)
		draw_reference(p, &f, &chart->lines[i]);
	for (int i = 0; i < n; i++)
		(i < chart->dots ? draw_dots : draw_curve)(p, &f, &curves[i], palette[i % COLORS]);
}

void chart_svg(struct buf *b, const struct chart *chart, const struct curve *curves, int n)
{
	struct painter p;
	svg_painter_open(&p, b, chart->w, chart->h, chart->title);
	draw(&p, chart, curves, n);
	svg_painter_close(&p);
}

int chart_canvas(struct canvas *ret, const struct chart *chart, const struct curve *curves, int n, struct err *err)
{
	struct canvas canvas;
	int code = canvas_open(&canvas, chart->w, chart->h, 3, 0xff, err);
	if (code)
		return code;
	struct painter p;
	canvas_painter_open(&p, &canvas, chart->large || chart->w >= LARGE_WIDTH ? 2 : 1);
	draw(&p, chart, curves, n);
	if ((code = canvas_painter_close(&p, err)))
		canvas_close(&canvas);
	else
		*ret = canvas;
	return code;
}
