#include "api/scatter.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const char names[3][DATASET_CLASS_NAME_MAX + 1] = {"Bag", "Coat", "Ankle boot"};

static struct canvas draw(const struct scatter *s)
{
	struct canvas c;
	struct err err = {0};
	if (scatter_canvas(&c, s, &err))
		fail_msg("%s", err.message);
	return c;
}

static uint32_t pixel(const struct canvas *c, int x, int y)
{
	const uint8_t *p = c->pixels + 3 * ((size_t)y * (size_t)c->w + (size_t)x);
	return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static int count(const struct canvas *c, uint32_t color)
{
	int n = 0;
	for (int y = 0; y < c->h; y++)
		for (int x = 0; x < c->w; x++)
			n += pixel(c, x, y) == color;
	return n;
}

/* How dark a square is, in all. */
static double ink(const struct canvas *c, int x0, int y0, int side)
{
	double sum = 0;
	for (int y = y0; y < y0 + side; y++)
		for (int x = x0; x < x0 + side; x++)
			sum += 255 - canvas_luma(
							 (uint8_t)(pixel(c, x, y) >> 16), (uint8_t)(pixel(c, x, y) >> 8), (uint8_t)pixel(c, x, y));
	return sum;
}

/* Up is up, both axes have one scale, nothing lies beyond the frame. */
static void test_places(void **state)
{
	(void)state;
	enum { SIDE = 200, AT = 13 }; /* the square's corner: margin and frame */
	const double xy[] = {-1, -1, 1, 1, NAN, 0, 1, INFINITY};
	const uint8_t labels[] = {0, 1, 2, 2};
	const struct scatter_panel panel = {.xy = xy, .labels = labels, .n = 4};
	struct canvas c = draw(&(struct scatter){.panel = &panel, .panels = 1, .side = SIDE});
	assert_true(ink(&c, AT, AT + SIDE - 30, 30) > 0 && ink(&c, AT + SIDE - 30, AT, 30) > 0);
	assert_true(ink(&c, AT, AT, 30) == 0 && ink(&c, AT + 30, AT + 30, SIDE - 60) == 0);
	const uint32_t low = pixel(&c, AT + 10, AT + SIDE - 10), high = pixel(&c, AT + SIDE - 10, AT + 10);
	assert_true((low >> 16) < (low & 0xff));   /* blue */
	assert_true((high >> 16) > (high & 0xff)); /* vermilion */
	canvas_close(&c);
}

/* Of two classes in one place none hides the other, even if its points come last. */
static void test_layers(void **state)
{
	(void)state;
	enum { N = 2000 };
	double xy[2 * N];
	uint8_t labels[N];
	for (int i = 0; i < N; i++) {
		xy[2 * i] = i % 40;
		xy[2 * i + 1] = i / 40 % 25; /* the second half lies on the first */
		labels[i] = i >= N / 2;
	}
	const struct scatter_panel panel = {.xy = xy, .labels = labels, .n = N};
	struct canvas c = draw(&(struct scatter){.panel = &panel, .panels = 1, .side = 400});
	int blue = 0, red = 0;
	for (int y = 14; y < 414; y++)
		for (int x = 14; x < 414; x++) {
			const int r = (int)(pixel(&c, x, y) >> 16), b = (int)(pixel(&c, x, y) & 0xff);
			blue += b > r + 40;
			red += r > b + 40;
		}
	assert_true(blue > 500 && red > 500 && blue < 3 * red && red < 3 * blue);
	canvas_close(&c);
}

/* A legend with a swatch for each class, wider than without; classes named where they lie; titles that do not fit end early. */
static void test_words(void **state)
{
	(void)state;
	const double xy[] = {0, 0, 1, 0, 0, 1};
	const uint8_t labels[] = {0, 1, 2};
	const struct scatter_panel panels[3] = {{.title = "a", .caption = "T(12) .99", .xy = xy, .labels = labels, .n = 3},
		{.title = "a title that is far too long for a panel of so few pixels", .xy = xy, .labels = labels, .n = 3},
		{.xy = xy, .n = 3}};
	struct scatter s = {.panel = panels, .panels = 1, .side = 100};
	struct canvas bare = draw(&s);
	s.classes = 3;
	s.label = names;
	struct canvas legend = draw(&s);
	s.named = true;
	struct canvas named = draw(&s), again = draw(&s);
	assert_true(legend.w > bare.w + 60 && legend.h == bare.h);
	for (int k = 0; k < 3; k++)
		assert_true(count(&legend, scatter_color(k)) >= 20);
	assert_memory_equal(named.pixels, again.pixels, 3 * (size_t)again.w * (size_t)again.h);
	assert_true(memcmp(named.pixels, legend.pixels, 3 * (size_t)again.w * (size_t)again.h) != 0);
	s.panels = 3;
	struct canvas sheet = draw(&s); /* two columns, two rows */
	assert_true(sheet.w > legend.w + 100 && sheet.w < legend.w + 150 && sheet.h > 2 * 100);
	assert_true(ink(&sheet, sheet.w - 60, 0, 12) == 0);
	s.cols = 3;
	struct canvas row = draw(&s);
	assert_true(row.w > sheet.w && row.h < sheet.h);
	struct canvas *all[] = {&bare, &legend, &named, &again, &sheet, &row};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		canvas_close(all[i]);
}

static void test_edges(void **state)
{
	(void)state;
	const double xy[] = {NAN, NAN, 3, 3};
	struct scatter_panel panel = {.xy = xy};
	struct scatter s = {.panel = &panel, .panels = 1, .side = SCATTER_SIDE_MIN};
	for (panel.n = 0; panel.n <= 2; panel.n++) { /* none, none that can be shown, a single one: in the middle */
		struct canvas c = draw(&s);
		assert_true(panel.n < 2 ? ink(&c, 13, 13, SCATTER_SIDE_MIN) == 0 : ink(&c, 13 + 25, 13 + 25, 14) > 0);
		canvas_close(&c);
	}
	struct canvas c;
	s.side = SCATTER_SIDE_MIN - 1;
	assert_int_equal(scatter_canvas(&c, &s, NULL), ERR_INVALID);
	s.side = SCATTER_SIDE_MAX + 1;
	assert_int_equal(scatter_canvas(&c, &s, NULL), ERR_INVALID);
	s = (struct scatter){.side = SCATTER_SIDE};
	assert_int_equal(scatter_canvas(&c, &s, NULL), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_layers),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_edges),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
