/* Pooling on random shapes, and what random inputs do not reach (tests/core/kern/trial.h). */
#include "tests/core/kern/trial.h"

/* Padding is at most half the kernel, as PyTorch demands: every window has a pixel. */
static struct conv random_pool(struct trial *t)
{
	struct conv g = {.kernel = draw(t, 1, 5), .stride = draw(t, 1, 4)};
	g.padding = draw(t, 0, g.kernel / 2);
	int least = g.kernel - 2 * g.padding;
	least = least < 1 ? 1 : least;
	g.big = (struct map){draw(t, 1, 4), draw(t, least, 9), draw(t, least, 9), draw(t, 0, 2)};
	g.small = (struct map){g.big.c, (g.big.h + 2 * g.padding - g.kernel) / g.stride + 1,
		(g.big.w + 2 * g.padding - g.kernel) / g.stride + 1, draw(t, 0, 2)};
	return g;
}

static void try_max_pool(const struct kern *k, struct trial *t)
{
	struct conv g = random_pool(t);
	const size_t taps = (size_t)map_features(&g.small) * LANES;
	real *big = block(t, &g.big), *small = guarded(t, map_reals(&g.small)), *tap = guarded(t, taps);
	if (draw(t, 0, 1)) /* few values: ties */
		for (size_t i = 0; i < map_reals(&g.big); i++)
			big[i] = (real)(int)(2 * big[i]);
	t->tolerance = 0;
	k->max_pool(small, tap, big, &g);
	record(t, small, map_reals(&g.small));
	record(t, tap, taps);
	k->max_pool(small, NULL, big, &g);
	record(t, small, map_reals(&g.small));
}

static void try_max_pool_bwd(const struct kern *k, struct trial *t)
{
	struct conv g = random_pool(t);
	real *big = block(t, &g.big), *small = block(t, &g.small);
	real *tap = guarded(t, (size_t)map_features(&g.small) * LANES), *dbig = guarded(t, map_reals(&g.big));
	kern_reference.max_pool(small, tap, big, &g);
	real *dsmall = block(t, &g.small);
	k->max_pool_bwd(dbig, dsmall, tap, &g);
	record(t, dbig, map_reals(&g.big));
}

static void try_avg_pool(const struct kern *k, struct trial *t)
{
	struct conv g = random_pool(t);
	real *big = block(t, &g.big), *small = guarded(t, map_reals(&g.small));
	k->avg_pool(small, big, &g);
	record(t, small, map_reals(&g.small));
}

static void try_avg_pool_bwd(const struct kern *k, struct trial *t)
{
	struct conv g = random_pool(t);
	real *dsmall = block(t, &g.small), *dbig = guarded(t, map_reals(&g.big));
	k->avg_pool_bwd(dbig, dsmall, &g);
	record(t, dbig, map_reals(&g.big));
}

/* PyTorch takes the last NaN of a window, and the first tap on the map where all values are -inf. */
static void test_max_pool_of_nan_and_infinity(void **state)
{
	(void)state;
	const struct conv g = {{1, 2, 2, 0}, {1, 2, 2, 0}, 2, 2, 1};
	for (int level = 0; level <= CPU_LEVEL_COUNT; level++) {
		const struct kern *k = level < CPU_LEVEL_COUNT ? kern_at((enum cpu_level)level) : &kern_reference;
		real big[4 * LANES] __attribute__((aligned(64))), small[4 * LANES], tap[4 * LANES];
		if (!k)
			continue;
		for (int i = 0; i < 4 * LANES; i++)
			big[i] = i % LANES == 3 ? (real)NAN : -(real)INFINITY;
		k->max_pool(small, tap, big, &g);
		for (int i = 0; i < 4 * LANES; i++) {
			assert_true(i % LANES == 3 ? isnan(small[i]) : isinf(small[i]));
			assert_true(tap[i] == (real)(3 - i / LANES)); /* each window has one pixel, at its other end */
		}
	}
}

#define KERNELS(X) X(max_pool) X(max_pool_bwd) X(avg_pool) X(avg_pool_bwd)

int main(void)
{
#define X(name) static try_fn *name = try_##name;
	KERNELS(X)
#undef X
	const struct CMUnitTest tests[] = {
#define X(name) {#name, test_kernel, NULL, NULL, &name},
		KERNELS(X)
#undef X
			cmocka_unit_test(test_max_pool_of_nan_and_infinity),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
