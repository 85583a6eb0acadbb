#include "server/speed.h"

#include "server/clock.h"

#include <pthread.h>
#include <stdlib.h>

enum { TRIALS = 5, CALLS = 2 };

/* What whole training steps keep of the best kernel's speed: between 0.4 (small nets) and 0.7 (large ones) on the machines that
 * were tried. */
static const double SHARE = 0.5;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static double measured; /* FLOPs per second of one thread; guarded by lock */

static real *zeros(size_t n)
{
	const size_t bytes = n * sizeof(real);
	real *ret = aligned_alloc(64, (bytes + 63) / 64 * 64);
	for (size_t i = 0; ret && i < n; i++)
		ret[i] = 0;
	return ret;
}

/* The best of a few trials of a convolution that fits into the cache: whoever else uses the machine can only slow it down. */
static double measure(const struct kern *kern)
{
	struct conv g = {.big = {16, 14, 14, 0}, .small = {32, 14, 14, 0}, .kernel = 3, .stride = 1, .padding = 1};
	g.big.halo = conv_halo_big(&g);
	g.small.halo = conv_halo_small(&g);
	const size_t taps = (size_t)g.small.c * (size_t)g.big.c * 9;
	real *big = zeros(map_reals(&g.big)), *small = zeros(map_reals(&g.small)), *w = zeros(taps);
	int64_t least = INT64_MAX;
	for (int t = 0; big && small && w && t < TRIALS; t++) {
		const int64_t began = clock_us();
		for (int i = 0; i < CALLS; i++)
			kern->conv_down(small, big, w, NULL, &g);
		const int64_t took = clock_us() - began;
		least = took < least ? took : least;
	}
	free(big);
	free(small);
	free(w);
	const double flops = 2.0 * (double)taps * 14 * 14 * LANES * CALLS;
	return least == INT64_MAX ? 0 : flops / ((double)(least > 0 ? least : 1) * 1e-6);
}

double speed_guess(const struct kern *kern, int threads)
{
	pthread_mutex_lock(&lock);
	if (measured <= 0)
		measured = measure(kern);
	const double ret = measured * SHARE * threads;
	pthread_mutex_unlock(&lock);
	return ret;
}
