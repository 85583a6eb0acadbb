#include "core/data/augment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { C = 3, H = 9, W = 12, PIXELS = C * H * W, MANY = 4000 };

static const struct rng address = {.seed = 7, .stream = RNG_AUGMENT, .step = 3};

/* No pixel is black, no two of a channel are equal. */
static void paint(uint8_t *image)
{
	for (int i = 0; i < PIXELS; i++)
		image[i] = (uint8_t)(1 + i % (H * W) * 2 + i / (H * W));
}

static void variant(uint8_t *to, const uint8_t *from, unsigned set, uint32_t number)
{
	augment_image(to, from, C, H, W, set, address, number);
}

static void test_nothing(void **state)
{
	(void)state;
	uint8_t image[PIXELS], to[PIXELS];
	paint(image);
	variant(to, image, 0, 5);
	assert_memory_equal(to, image, PIXELS);
}

static void test_same_address_same_bytes(void **state)
{
	(void)state;
	uint8_t image[PIXELS], a[PIXELS], b[PIXELS];
	int different = 0;
	paint(image);
	for (uint32_t i = 0; i < 50; i++) {
		variant(a, image, 7, i);
		variant(b, image, 7, i);
		assert_memory_equal(a, b, PIXELS);
		augment_image(b, image, C, H, W, 7, (struct rng){7, RNG_AUGMENT, 4}, i);
		different += memcmp(a, b, PIXELS) != 0;
	}
	assert_true(different > 45);
}

static bool is_mirrored(const uint8_t *to, const uint8_t *from)
{
	for (int i = 0; i < PIXELS; i++)
		if (to[i] != from[i - i % W + W - 1 - i % W])
			return false;
	return true;
}

static void test_hflip(void **state)
{
	(void)state;
	uint8_t image[PIXELS], to[PIXELS];
	int mirrored = 0;
	paint(image);
	for (uint32_t i = 0; i < MANY; i++) {
		variant(to, image, 1U << AUGMENT_HFLIP, i);
		bool turned = is_mirrored(to, image);
		assert_true(turned || !memcmp(to, image, PIXELS));
		mirrored += turned;
	}
	assert_in_range(mirrored, MANY * 45 / 100, MANY * 55 / 100);
}

static bool is_moved(const uint8_t *to, const uint8_t *from, int dy, int dx)
{
	for (int i = 0; i < PIXELS; i++) {
		int y = i / W % H - dy, x = i % W - dx;
		bool inside = y >= 0 && y < H && x >= 0 && x < W;
		if (to[i] != (inside ? from[i - dy * W - dx] : 0))
			return false;
	}
	return true;
}

static void test_crop(void **state)
{
	(void)state;
	uint8_t image[PIXELS], to[PIXELS];
	int seen[25] = {0}, found = 0;
	paint(image);
	for (uint32_t i = 0; i < MANY; i++) {
		variant(to, image, 1U << AUGMENT_CROP, i);
		for (int place = 0; place < 25; place++)
			if (is_moved(to, image, place / 5 - 2, place % 5 - 2)) {
				seen[place]++;
				found++;
			}
	}
	assert_int_equal(found, MANY);
	for (int place = 0; place < 25; place++)
		assert_in_range(seen[place], MANY / 25 * 6 / 10, MANY / 25 * 14 / 10);
}

/* The black pixels are one rectangle, the same in every channel; the others are untouched. */
static int hole_of(const uint8_t *to, const uint8_t *from)
{
	int y0 = H, y1 = -1, x0 = W, x1 = -1, black = 0;
	for (int i = 0; i < PIXELS; i++) {
		int y = i / W % H, x = i % W;
		assert_true(to[i] == from[i] || to[i] == 0);
		if (to[i])
			continue;
		black++;
		y0 = y < y0 ? y : y0;
		y1 = y > y1 ? y : y1;
		x0 = x < x0 ? x : x0;
		x1 = x > x1 ? x : x1;
	}
	assert_int_equal(black, black ? C * (y1 - y0 + 1) * (x1 - x0 + 1) : 0);
	return black / C;
}

static void test_erase(void **state)
{
	(void)state;
	uint8_t image[PIXELS], to[PIXELS];
	int erased = 0, most = 0;
	paint(image);
	for (uint32_t i = 0; i < MANY; i++) {
		variant(to, image, 1U << AUGMENT_ERASE, i);
		int hole = hole_of(to, image);
		erased += hole > 0;
		most = hole > most ? hole : most;
	}
	assert_in_range(erased, MANY * 45 / 100, MANY * 55 / 100);
	assert_in_range(most, H * W * 28 / 100, H * W * 40 / 100); /* sides are whole pixels */
}

static void test_small_images(void **state)
{
	(void)state;
	for (int side = 1; side <= 4; side++)
		for (uint32_t i = 0; i < 200; i++) {
			uint8_t image[16], to[18];
			memset(image, 9, sizeof image);
			memset(to, 77, sizeof to);
			augment_image(to + 1, image, 1, side, side, 7, address, i);
			assert_int_equal(to[0], 77);
			assert_int_equal(to[1 + side * side], 77);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_same_address_same_bytes),
		cmocka_unit_test(test_hflip),
		cmocka_unit_test(test_crop),
		cmocka_unit_test(test_erase),
		cmocka_unit_test(test_small_images),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
