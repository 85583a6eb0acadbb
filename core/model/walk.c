#include "core/model/walk.h"

#include <math.h>
#include <string.h>

static const char *const names[WALK_COUNT] = {
#define X(walk, name) [walk] = name,
	WALKS(X)
#undef X
};

int walk_find(const char *name)
{
	for (int i = 0; i < WALK_COUNT; i++)
		if (!strcmp(names[i], name))
			return i;
	return -1;
}

/* 0: there is none, or no one way. */
static double angle(const float *a, const float *b, size_t d)
{
	static const double least_sine = 1e-6;
	double ab = 0, aa = 0, bb = 0;
	for (size_t i = 0; i < d; i++) {
		ab += (double)a[i] * (double)b[i];
		aa += (double)a[i] * (double)a[i];
		bb += (double)b[i] * (double)b[i];
	}
	if (!(aa > 0 && bb > 0))
		return 0;
	double o = acos(fmax(-1, fmin(1, ab / sqrt(aa) / sqrt(bb))));
	return sin(o) < least_sine ? 0 : o;
}

void walk_codes(float *z, size_t steps, enum walk walk, const float *a, const float *b, size_t d)
{
	const double o = walk == WALK_SLERP ? angle(a, b, d) : 0;
	for (size_t s = 0; s < steps; s++) {
		double t = (double)s / (double)(steps - 1), of_a = 1 - t, of_b = t;
		if (o > 0) {
			of_a = sin((1 - t) * o) / sin(o);
			of_b = sin(t * o) / sin(o);
		}
		for (size_t i = 0; i < d; i++)
			z[s * d + i] = (float)(of_a * (double)a[i] + of_b * (double)b[i]);
	}
}
