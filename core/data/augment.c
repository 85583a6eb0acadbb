#include "core/data/augment.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* An image has DRAWS addresses: one for where it goes, one for each try to place the hole. */
enum { PAD = 2, DRAWS = 16, TRIES = 10 };

struct image {
	uint8_t *pixels;
	int c, h, w;
};

struct hole {
	int y, x, h, w;
};

/* Uniform in [0, 1). */
static double share(uint32_t word)
{
	return word * 0x1p-32;
}

static double between(double low, double high, uint32_t word)
{
	return low + (high - low) * share(word);
}

static int below(int bound, uint32_t word)
{
	return (int)((uint64_t)word * (uint64_t)bound >> 32);
}

/* The image moved dy down and dx to the right; what comes in is black. */
static void shift(struct image to, const uint8_t *from, int dy, int dx)
{
	int width = to.w - (dx < 0 ? -dx : dx);
	memset(to.pixels, 0, (size_t)to.c * (size_t)to.h * (size_t)to.w);
	for (int row = 0; row < to.c * to.h; row++) {
		int y = row % to.h - dy;
		if (y < 0 || y >= to.h || width <= 0)
			continue;
		memcpy(
			to.pixels + row * to.w + (dx > 0 ? dx : 0), from + (row - dy) * to.w + (dx < 0 ? -dx : 0), (size_t)width);
	}
}

static void mirror(struct image at)
{
	for (int row = 0; row < at.c * at.h; row++) {
		uint8_t *line = at.pixels + row * at.w;
		for (int left = 0, right = at.w - 1; left < right; left++, right--) {
			uint8_t swap = line[left];
			line[left] = line[right];
			line[right] = swap;
		}
	}
}

/* Area and shape as asked for; false where that does not fit. */
static bool place_hole(struct hole *ret, const struct image *at, const uint32_t word[4])
{
	double area = between(.02, .33, word[0]) * at->h * at->w;
	double ratio = exp(between(log(.3), log(3.3), word[1]));
	int h = (int)lround(sqrt(area * ratio)), w = (int)lround(sqrt(area / ratio));
	if (h >= at->h || w >= at->w)
		return false;
	*ret = (struct hole){.y = below(at->h - h + 1, word[2]), .x = below(at->w - w + 1, word[3]), .h = h, .w = w};
	return true;
}

static void erase(struct image at, struct rng r, uint32_t address)
{
	struct hole hole;
	uint32_t word[4];
	bool placed = false;
	for (uint32_t attempt = 1; attempt <= TRIES && !placed; attempt++) {
		rng_words(word, r, address + attempt);
		placed = place_hole(&hole, &at, word);
	}
	for (int c = 0; placed && c < at.c; c++)
		for (int y = 0; y < hole.h; y++)
			memset(at.pixels + (c * at.h + hole.y + y) * at.w + hole.x, 0, (size_t)hole.w);
}

void augment_image(uint8_t *to, const uint8_t *from, int c, int h, int w, unsigned set, struct rng r, uint32_t number)
{
	const struct image at = {.pixels = to, .c = c, .h = h, .w = w};
	uint32_t word[4], address = number * DRAWS;
	rng_words(word, r, address);
	bool crop = set >> AUGMENT_CROP & 1;
	shift(at, from, crop ? below(2 * PAD + 1, word[0]) - PAD : 0, crop ? below(2 * PAD + 1, word[1]) - PAD : 0);
	if (set >> AUGMENT_HFLIP & 1 && share(word[2]) < .5)
		mirror(at);
	if (set >> AUGMENT_ERASE & 1 && share(word[3]) < .5)
		erase(at, r, address);
}
