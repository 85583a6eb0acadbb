/* Gated linear unit (core/kern/kern.h; Dauphin et al. 2017). */
#include "core/kern/level.h"
#include "core/kern/vec.h"

#include <stddef.h>

void KERN(glu_fwd)(real *y, const struct map *y_map, const real *x, const struct map *x_map)
{
	for (int c = 0; c < y_map->c; c++)
		for (int row = 0; row < y_map->h; row++) {
			const real *value = x + map_at(x_map, c, row, 0), *gate = x + map_at(x_map, c + y_map->c, row, 0);
			real *to = y + map_at(y_map, c, row, 0);
			for (ptrdiff_t i = 0; i < (ptrdiff_t)y_map->w * LANES; i += VW)
				store_v(to + i, load_v(value + i) * sigmoid_v(load_v(gate + i)));
		}
}

void KERN(glu_bwd)(real *dx, const struct map *dx_map, const real *dy, const struct map *dy_map, const real *x,
	const struct map *x_map)
{
	const vec one = splat_v(1);
	for (int c = 0; c < dy_map->c; c++)
		for (int row = 0; row < dy_map->h; row++) {
			const size_t value = map_at(x_map, c, row, 0), gate = map_at(x_map, c + dy_map->c, row, 0);
			const size_t dvalue = map_at(dx_map, c, row, 0), dgate = map_at(dx_map, c + dy_map->c, row, 0);
			const real *slope = dy + map_at(dy_map, c, row, 0);
			for (size_t i = 0; i < (size_t)dy_map->w * LANES; i += VW) {
				vec s = sigmoid_v(load_v(x + gate + i)), passed = load_v(slope + i) * s;
				vec of_gate = passed * (load_v(x + value + i) * (one - s));
				store_v(dx + dvalue + i, passed);
				store_v(dx + dgate + i, of_gate);
			}
		}
}
