/* Dropout (core/kern/kern.h): Philox4x32-10 with a lane's position in the batch in its counter, so that a vector of
 * counters gives one mask value per lane. core/base/rng.c draws the same words one by one. */
#include "core/kern/level.h"
#include "core/kern/vec.h"

#include "core/base/rng.h"

/* Masks of four consecutive features. */
struct masks {
	real value[4][LANES];
} __attribute__((aligned(64)));

/* Salmon et al. 2011: ten rounds, the key moves on between them. */
ALWAYS_INLINE void philox_v(vec_words c[4], uint64_t seed)
{
	uint32_t key0 = (uint32_t)seed, key1 = (uint32_t)(seed >> 32);
	for (int round = 0; round < 10; round++, key0 += 0x9E3779B9u, key1 += 0xBB67AE85u) {
		vec_words high0, low0, high1, low1;
		mul_words_v(c[0], 0xD2511F53u, &high0, &low0);
		mul_words_v(c[2], 0xCD9E8D57u, &high1, &low1);
		c[0] = high1 ^ c[1] ^ key0;
		c[1] = low1;
		c[2] = high0 ^ c[3] ^ key1;
		c[3] = low0;
	}
}

/* Position l of the batch has the top 16 of the 64 bits of the step, so it moves the counter's third word only. */
static void draw(struct masks *m, const struct dropout *d, int feature)
{
	const int32_t dropped = (int32_t)lrint((double)d->p * 0x1p24);
	const real kept = 1 / (1 - d->p);
	uint32_t word[4][LANES] __attribute__((aligned(64)));
	for (uint32_t lane = 0; lane < LANES; lane += WORDS) {
		vec_words c[4] = {(vec_words){0} + (d->layer << 22 | (uint32_t)feature / 4), (vec_words){0} + (uint32_t)d->step,
			(vec_words){0}, (vec_words){0} + RNG_DROPOUT};
		for (uint32_t i = 0; i < WORDS; i++)
			c[2][i] = (uint32_t)(d->step >> 32) | (d->sample + lane + i) << 16;
		philox_v(c, d->seed);
		for (int k = 0; k < 4; k++)
			memcpy(&word[k][lane], &c[k], sizeof c[k]);
	}
	for (int k = 0; k < 4; k++)
		for (int l = 0; l < LANES; l++)
			m->value[k][l] = (int32_t)(word[k][l] >> 8) < dropped ? 0 : kept;
}

ALWAYS_INLINE void multiply(real *y, const real *x, const real *mask)
{
	for (int lane = 0; lane < LANES; lane += VW)
		store_v(y + lane, load_v(x + lane) * load_v(mask + lane));
}

void KERN(dropout)(real *y, const struct map *y_map, const real *x, const struct map *x_map, const struct dropout *d)
{
	struct masks m;
	for (int c = 0, feature = 0; c < x_map->c; c++) {
		if (d->channels && c % 4 == 0)
			draw(&m, d, c);
		for (int row = 0; row < x_map->h; row++) {
			real *to = y + map_at(y_map, c, row, 0);
			const real *from = x + map_at(x_map, c, row, 0);
			for (int col = 0; col < x_map->w; col++, feature++, to += LANES, from += LANES) {
				if (!d->channels && feature % 4 == 0)
					draw(&m, d, feature);
				multiply(to, from, m.value[(d->channels ? c : feature) % 4]);
			}
		}
	}
}
