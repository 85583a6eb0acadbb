/* Up-sampling on random shapes, and against values of PyTorch's interpolate (tests/core/kern/trial.h). */
#include "tests/core/kern/trial.h"

typedef void up_fn(real *big, const struct map *big_map, const real *small, const struct map *small_map);

static void random_maps(struct trial *t, struct map *ret_big, struct map *ret_small)
{
	int factor = draw(t, 1, 4);
	*ret_small = (struct map){draw(t, 1, 3), draw(t, 1, 4), draw(t, 1, 4), draw(t, 0, 2)};
	*ret_big = (struct map){ret_small->c, ret_small->h * factor, ret_small->w * factor, draw(t, 0, 2)};
}

static void try_up(up_fn *up, struct trial *t)
{
	struct map b, s;
	random_maps(t, &b, &s);
	real *small = block(t, &s), *big = guarded(t, map_reals(&b));
	up(big, &b, small, &s);
	record(t, big, map_reals(&b));
}

static void try_back(up_fn *back, struct trial *t)
{
	struct map b, s;
	random_maps(t, &b, &s);
	real *dbig = block(t, &b), *dsmall = guarded(t, map_reals(&s));
	back(dsmall, &s, dbig, &b);
	record(t, dsmall, map_reals(&s));
}

static void try_up_nearest(const struct kern *k, struct trial *t)
{
	try_up(k->up_nearest, t);
}

static void try_up_nearest_bwd(const struct kern *k, struct trial *t)
{
	try_back(k->up_nearest_bwd, t);
}

static void try_up_bilinear(const struct kern *k, struct trial *t)
{
	try_up(k->up_bilinear, t);
}

static void try_up_bilinear_bwd(const struct kern *k, struct trial *t)
{
	try_back(k->up_bilinear_bwd, t);
}

/* F.interpolate(tensor([[1., 2.], [4., 8.]]), scale_factor=2, mode="bilinear", align_corners=False) */
static void test_bilinear_is_torchs(void **state)
{
	(void)state;
	static const double want[16] = {1, 1.25, 1.75, 2, 1.75, 2.1875, 3.0625, 3.5, 3.25, 4.0625, 5.6875, 6.5, 4, 5, 7, 8};
	static const real in[4] = {1, 2, 4, 8};
	const struct map b = {1, 4, 4, 0}, s = {1, 2, 2, 0};
	for (int level = 0; level <= CPU_LEVEL_COUNT; level++) {
		const struct kern *k = level < CPU_LEVEL_COUNT ? kern_at((enum cpu_level)level) : &kern_reference;
		real small[4 * LANES], big[16 * LANES];
		for (int i = 0; i < 4 * LANES; i++)
			small[i] = in[i / LANES];
		if (!k)
			continue;
		k->up_bilinear(big, &b, small, &s);
		for (int i = 0; i < 16 * LANES; i++)
			assert_true((double)big[i] == want[i / LANES]);
	}
}

#define KERNELS(X) X(up_nearest) X(up_nearest_bwd) X(up_bilinear) X(up_bilinear_bwd)

int main(void)
{
#define X(name) static try_fn *name = try_##name;
	KERNELS(X)
#undef X
	const struct CMUnitTest tests[] = {
#define X(name) {#name, test_kernel, NULL, NULL, &name},
		KERNELS(X)
#undef X
			cmocka_unit_test(test_bilinear_is_torchs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
