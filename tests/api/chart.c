#include "api/chart.h"

#include "tests/api/check.h"

#include <math.h>

static struct curve make(const char *series, size_t n, double first, double ratio)
{
	struct curve c = {.n = n, .downsampled = true};
	snprintf(c.series, sizeof c.series, "%s", series);
	c.step = calloc(n + 1, sizeof *c.step);
	c.epoch = calloc(n + 1, sizeof *c.epoch);
	c.value = calloc(n + 1, sizeof *c.value);
	c.min = calloc(n + 1, sizeof *c.min);
	c.max = calloc(n + 1, sizeof *c.max);
	c.time_ms = calloc(n + 1, sizeof *c.time_ms);
	for (size_t i = 0; i < n; i++) {
		c.step[i] = (int64_t)i * 100;
		c.epoch[i] = (double)i / 10;
		c.time_ms[i] = 1700000000000 + (int64_t)i * 1000;
		c.value[i] = first * pow(ratio, (double)i);
		c.min[i] = c.value[i] * .9;
		c.max[i] = c.value[i] * 1.1;
	}
	return c;
}

static int count(const char *text, const char *part)
{
	int n = 0;
	for (; (text = strstr(text, part)); text++)
		n++;
	return n;
}

static char *svg(const struct chart *chart, const struct curve *curves, int n)
{
	struct buf b = BUF_INIT;
	chart_svg(&b, chart, curves, n);
	assert_false(b.failed);
	assert_int_equal(strncmp(b.data, "<svg xmlns=", 11), 0);
	assert_string_equal(b.data + b.len - 7, "</svg>\n");
	/* no coordinate is lost ("dominant-baseline" is no number) */
	assert_int_equal(count(b.data, "nan"), count(b.data, "dominant"));
	assert_int_equal(count(b.data, "inf"), 0);
	return buf_take(&b, NULL);
}

static void linear_axes(void **state)
{
	struct curve curves[2] = {make("train_loss", 101, .1, .98), make("val_loss", 11, .1, .9)};
	struct chart chart = {.title = "ae", .x = CHART_STEP, .w = 800, .h = 400};
	char *text = svg(&chart, curves, 2);
	(void)state;
	assert_non_null(strstr(text, ">train_loss</text>"));
	assert_non_null(strstr(text, ">val_loss</text>"));
	assert_non_null(strstr(text, ">step</text>"));
	assert_non_null(strstr(text, ">0.1</text>"));
	assert_non_null(strstr(text, ">0.08</text>"));
	assert_non_null(strstr(text, ">4000</text>"));
	assert_non_null(strstr(text, ">10k</text>"));
	assert_int_equal(count(text, "fill=\"none\" stroke=\"#0072b2\""), 1);
	assert_int_equal(count(text, "fill=\"none\" stroke=\"#d55e00\""), 1);
	assert_int_equal(count(text, "L") - count(text, " stroke=\"#e4e4e4\"") - count(text, " stroke=\"#888888\"") -
						 count(text, " stroke=\"#bfdbeb\"") - count(text, " stroke=\"#f4d6bf\""),
		100 + 10);
	free(text);
	curve_free(&curves[0]);
	curve_free(&curves[1]);
}

static void other_axes(void **state)
{
	struct curve c = make("train_loss", 20, 1, .5);
	struct chart chart = {.title = "ae", .x = CHART_EPOCH, .log_y = true, .w = 800, .h = 400};
	char *text = svg(&chart, &c, 1);
	(void)state;
	assert_non_null(strstr(text, ">0.0001</text>"));
	assert_non_null(strstr(text, ">0.01</text>"));
	assert_non_null(strstr(text, ">epoch</text>"));
	free(text);
	chart.x = CHART_TIME;
	text = svg(&chart, &c, 1);
	assert_non_null(strstr(text, ">seconds</text>"));
	assert_non_null(strstr(text, ">14</text>"));
	free(text);
	c.time_ms[19] += 3600 * 1000;
	text = svg(&chart, &c, 1);
	assert_non_null(strstr(text, ">minutes</text>"));
	free(text);
	curve_free(&c);
	c = make("train_loss", 20, .02, .999);
	chart.x = CHART_EPOCH;
	text = svg(&chart, &c, 1); /* a logarithmic axis of less than one decade still has ticks */
	assert_non_null(strstr(text, ">0.02</text>"));
	free(text);
	curve_free(&c);
}

/* What a curve is measured by is on the axis with it, and says what it is; what has no place on the axis is left out. */
static void reference_lines(void **state)
{
	static const struct reference_line lines[] = {{.5, "guessing"}, {-1, "nowhere on a logarithm"}};
	struct curve c = make("d_loss", 20, .02, .999);
	struct chart chart = {
		.title = "gan", .x = CHART_STEP, .w = 800, .h = 400, .lines = lines, .nlines = 2, .log_y = true};
	(void)state;
	char *with = svg(&chart, &c, 1);
	chart.nlines = 0;
	char *without = svg(&chart, &c, 1);
	assert_non_null(strstr(with, ">guessing</text>"));
	assert_null(strstr(with, "nowhere"));
	assert_non_null(strstr(with, ">0.5</text>"));
	assert_null(strstr(without, ">0.5</text>"));
	assert_true(count(with, " stroke=\"#888888\"") > count(without, " stroke=\"#888888\"") + 30);
	free(with);
	free(without);
	chart.nlines = 2;
	free(svg(&chart, NULL, 0));
	curve_free(&c);
}

/* A hostile title is text, a curve of holes or of one value is drawn, none at all says so. */
static void odd_input(void **state)
{
	struct chart chart = {.title = "<script>\"&'\x01\xff", .x = CHART_TIME, .w = 300, .h = 200};
	struct curve c = make("a", 5, 3, 1);
	char *text = svg(&chart, NULL, 0);
	(void)state;
	assert_non_null(strstr(text, "nothing to show yet"));
	assert_non_null(strstr(text, "&lt;script&gt;&quot;&amp;&#39; \xef\xbf\xbd"));
	free(text);
	c.value[2] = NAN;
	text = svg(&chart, &c, 1);
	assert_int_equal(count(text, "fill=\"none\""), 1);
	assert_non_null(strstr(text, "M")); /* the hole lifts the pen: two moves in the one curve */
	const char *curve = strstr(text, "fill=\"none\"");
	int moves = 0;
	while (curve > text && strncmp(curve, "<path", 5))
		moves += *--curve == 'M';
	assert_int_equal(moves, 2);
	free(text);
	c.n = 1;
	free(svg(&chart, &c, 1));
	c.n = 5;
	chart.log_y = true;
	for (size_t i = 0; i < 5; i++)
		c.value[i] = i < 3 ? -1 : i < 4 ? INFINITY : 1e308;
	text = svg(&chart, &c, 1);
	assert_non_null(strstr(text, "nothing to show yet"));
	free(text);
	chart.log_y = false;
	for (size_t i = 0; i < 5; i++)
		c.value[i] = c.min[i] = c.max[i] = 1e15 + (double)i * .125; /* no tick can tell these apart */
	free(svg(&chart, &c, 1));
	chart.w = chart.h = 16;
	free(svg(&chart, &c, 1));
	curve_free(&c);
}

static void pixels(void **state)
{
	struct curve c = make("train_loss", 50, 1, .9);
	struct chart chart = {.title = "\xc3\xa9t\xc3\xa9", .x = CHART_EPOCH, .w = 640, .h = 320};
	struct canvas canvas;
	struct err err;
	size_t blue = 0, pale = 0, dark = 0;
	(void)state;
	assert_int_equal(chart_canvas(&canvas, &chart, &c, 1, &err), OK);
	assert_int_equal(canvas.w, 640);
	assert_int_equal(canvas.h, 320);
	assert_int_equal(canvas.channels, 3);
	for (int i = 0; i < canvas.w * canvas.h; i++) {
		const uint8_t *p = &canvas.pixels[3 * i];
		blue += p[0] < 0x20 && p[1] < 0x90 && p[2] > 0x90;
		pale += p[0] > 0xb0 && p[0] < 0xf8 && p[2] > p[0] + 8;
		dark += p[0] < 0x40 && p[2] < 0x40;
	}
	/* the curve, its spread, the words */
	assert_in_range(blue, 400, 4000);
	assert_in_range(pale, 100, 20000);
	assert_in_range(dark, 200, 8000);
	canvas_close(&canvas);
	chart.w = 0;
	assert_int_not_equal(chart_canvas(&canvas, &chart, &c, 1, &err), OK);
	curve_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(linear_axes),
		cmocka_unit_test(other_axes),
		cmocka_unit_test(reference_lines),
		cmocka_unit_test(odd_input),
		cmocka_unit_test(pixels),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
