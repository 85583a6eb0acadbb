/* Reference of dropout (core/kern/kern.h): one draw per value, from core/base/rng.h. */
#include "core/kern/ref.h"

#include "core/base/rng.h"

#include <math.h>

void ref_dropout(real *y, const struct map *y_map, const real *x, const struct map *x_map, const struct dropout *d)
{
	for (int i = 0; i < map_features(x_map); i++)
		for (int l = 0; l < LANES; l++) {
			uint32_t words[4];
			int draw = d->channels ? i / (x_map->h * x_map->w) : i;
			struct rng r = {d->seed, RNG_DROPOUT, d->step + ((uint64_t)(d->sample + (uint32_t)l) << 48)};
			rng_words(words, r, d->layer << 22 | (uint32_t)draw / 4);
			bool dropped = (words[draw % 4] >> 8) < lrint((double)d->p * 0x1p24);
			double mask = dropped ? 0 : (double)(1 / (1 - d->p));
			y[map_feature(y_map, i) + (size_t)l] = (real)((double)x[map_feature(x_map, i) + (size_t)l] * mask);
		}
}
