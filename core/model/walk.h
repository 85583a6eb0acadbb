/* walk.h: codes on the way from one to another.
 *
 * Why: a code drawn from many normal units lies near a sphere, whose inside the decoder has hardly seen: the way around keeps
 * to it, a straight line does not.
 * Not here: where the ends come from (server/handlers/interpolate.c).
 */
#ifndef LATENTD_CORE_MODEL_WALK_H
#define LATENTD_CORE_MODEL_WALK_H

#include <stddef.h>

#define WALKS(X)         \
	X(WALK_LERP, "lerp") \
	X(WALK_SLERP, "slerp")
enum walk {
#define X(walk, name) walk,
	WALKS(X)
#undef X
		WALK_COUNT
};
/* -1 if there is none of that name. */
int walk_find(const char *name);

/* z[steps][d], from a to b, both included, at t = i / (steps - 1); steps ≥ 2. lerp: (1 - t) a + t b. slerp (Shoemake 1985), O the
 * angle between a and b: sin((1 - t) O) / sin O a + sin(t O) / sin O b; lerp where sin O < 1e-6, or an end is the origin. */
void walk_codes(float *z, size_t steps, enum walk walk, const float *a, const float *b, size_t d);

#endif
