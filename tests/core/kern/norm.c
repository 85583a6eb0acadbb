/* Batch and group norm, and the gated unit, on random shapes (tests/core/kern/trial.h). */
#include "tests/core/kern/trial.h"

static struct map random_norm_map(struct trial *t)
{
	return (struct map){draw(t, 1, 21), draw(t, 1, 6), draw(t, 1, 6), draw(t, 0, 2)};
}

static struct map other_halo(struct trial *t, struct map m)
{
	m.halo = draw(t, 0, 2);
	return m;
}

static void try_moments(const struct kern *k, struct trial *t)
{
	struct map m = random_norm_map(t);
	real *x = block(t, &m), *mean = guarded(t, (size_t)m.c), *m2 = guarded(t, (size_t)m.c);
	k->moments(mean, m2, x, &m, draw(t, 1, LANES));
	record(t, mean, (size_t)m.c);
	record(t, m2, (size_t)m.c);
}

static void try_affine(const struct kern *k, struct trial *t)
{
	struct map x_map = random_norm_map(t), y_map = other_halo(t, x_map);
	real *x = block(t, &x_map), *y = guarded(t, map_reals(&y_map));
	real *scale = values(t, (size_t)x_map.c), *shift = values(t, (size_t)x_map.c);
	k->affine(y, &y_map, x, &x_map, scale, shift);
	record(t, y, map_reals(&y_map));
	k->affine(x, &x_map, x, &x_map, scale, shift);
	record(t, x, map_reals(&x_map));
}

static void try_norm_sums(const struct kern *k, struct trial *t)
{
	struct map x_map = random_norm_map(t), dy_map = other_halo(t, x_map);
	const size_t n = (size_t)x_map.c;
	real *x = block(t, &x_map), *dy = block(t, &dy_map);
	real *mean = values(t, n), *invstd = values(t, n), *sum_dy = values(t, n), *sum_dy_xhat = values(t, n);
	k->norm_sums(sum_dy, sum_dy_xhat, dy, &dy_map, x, &x_map, mean, invstd);
	record(t, sum_dy, n);
	record(t, sum_dy_xhat, n);
}

static void try_norm_bwd(const struct kern *k, struct trial *t)
{
	struct map x_map = random_norm_map(t), dy_map = other_halo(t, x_map), dx_map = other_halo(t, x_map);
	const size_t n = (size_t)x_map.c;
	real *x = block(t, &x_map), *dy = block(t, &dy_map), *dx = guarded(t, map_reals(&dx_map));
	real *a = values(t, n), *b = values(t, n), *c0 = values(t, n);
	int lanes = draw(t, 1, LANES);
	k->norm_bwd(dx, &dx_map, dy, &dy_map, x, &x_map, a, b, c0, lanes);
	record(t, dx, map_reals(&dx_map));
	k->norm_bwd(x, &x_map, dy, &dy_map, x, &x_map, a, b, c0, lanes);
	record(t, x, map_reals(&x_map));
}

/* A group of many channels, with its own statistics. */
static struct map random_groups(struct trial *t, struct group_norm *g)
{
	g->groups = draw(t, 1, 4);
	g->eps = (real)1e-2;
	struct map m = random_norm_map(t);
	m.c = g->groups * draw(t, 1, 11);
	g->gamma = values(t, (size_t)m.c);
	g->beta = values(t, (size_t)m.c);
	g->mean = guarded(t, (size_t)g->groups * LANES);
	g->invstd = guarded(t, (size_t)g->groups * LANES);
	return m;
}

static void try_group_fwd(const struct kern *k, struct trial *t)
{
	struct group_norm g = {0};
	struct map x_map = random_groups(t, &g), y_map = other_halo(t, x_map);
	real *x = block(t, &x_map), *y = guarded(t, map_reals(&y_map));
	k->group_fwd(y, &y_map, x, &x_map, &g);
	record(t, y, map_reals(&y_map));
	record(t, g.mean, (size_t)g.groups * LANES);
	record(t, g.invstd, (size_t)g.groups * LANES);
	k->group_fwd(x, &x_map, x, &x_map, &g);
	record(t, x, map_reals(&x_map));
}

static void try_group_bwd(const struct kern *k, struct trial *t)
{
	struct group_norm g = {0};
	struct map x_map = random_groups(t, &g), dy_map = other_halo(t, x_map), dx_map = other_halo(t, x_map);
	real *x = block(t, &x_map), *dy = block(t, &dy_map), *dx = guarded(t, map_reals(&dx_map));
	bool weights = draw(t, 0, 2) > 0;
	if (weights) {
		g.dgamma = values(t, (size_t)x_map.c);
		g.dbeta = values(t, (size_t)x_map.c);
	}
	kern_reference.group_fwd(dx, &dx_map, x, &x_map, &g);
	t->tolerance = 0x1p-23 * 2000; /* invstd is up to 10 */
	k->group_bwd(dx, &dx_map, dy, &dy_map, x, &x_map, &g);
	record(t, dx, map_reals(&dx_map));
	k->group_bwd(NULL, NULL, dy, &dy_map, x, &x_map, &g);
	if (weights) {
		record(t, g.dgamma, (size_t)x_map.c);
		record(t, g.dbeta, (size_t)x_map.c);
	}
	k->group_bwd(x, &x_map, dy, &dy_map, x, &x_map, &g);
	record(t, x, map_reals(&x_map));
}

static struct map halved(struct trial *t, struct map *x_map)
{
	struct map y_map = other_halo(t, *x_map);
	x_map->c *= 2;
	return y_map;
}

static void try_glu_fwd(const struct kern *k, struct trial *t)
{
	struct map x_map = random_norm_map(t), y_map = halved(t, &x_map);
	real *x = block(t, &x_map), *y = guarded(t, map_reals(&y_map));
	k->glu_fwd(y, &y_map, x, &x_map);
	record(t, y, map_reals(&y_map));
}

static void try_glu_bwd(const struct kern *k, struct trial *t)
{
	struct map x_map = random_norm_map(t), dy_map = halved(t, &x_map), dx_map = other_halo(t, x_map);
	real *x = block(t, &x_map), *dy = block(t, &dy_map), *dx = guarded(t, map_reals(&dx_map));
	k->glu_bwd(dx, &dx_map, dy, &dy_map, x, &x_map);
	record(t, dx, map_reals(&dx_map));
	k->glu_bwd(x, &x_map, dy, &dy_map, x, &x_map);
	record(t, x, map_reals(&x_map));
}

/* A mean far from 0 does not drown the deviations: 1000 ± 1, as a network's unnormalised maps can be. */
static void test_moments_far_from_zero(void **state)
{
	(void)state;
	const struct map m = {9, 14, 14, 0};
	static real x[9 * 14 * 14 * LANES] __attribute__((aligned(64)));
	for (size_t i = 0; i < map_reals(&m); i++)
		x[i] = 1000 + (real)sin((double)i);
	for (int level = 0; level < CPU_LEVEL_COUNT; level++) {
		const struct kern *k = kern_at((enum cpu_level)level);
		real mean[9], m2[9], want_mean[9], want_m2[9];
		if (!k)
			continue;
		k->moments(mean, m2, x, &m, 13);
		kern_reference.moments(want_mean, want_m2, x, &m, 13);
		for (int c = 0; c < m.c; c++) {
			assert_true(fabs((double)mean[c] - (double)want_mean[c]) < 2e-3);
			assert_true(fabs((double)m2[c] / (double)want_m2[c] - 1) < 1e-5);
		}
	}
}

#define KERNELS(X) X(moments) X(affine) X(norm_sums) X(norm_bwd) X(group_fwd) X(group_bwd) X(glu_fwd) X(glu_bwd)

int main(void)
{
#define X(name) static try_fn *name = try_##name;
	KERNELS(X)
#undef X
	const struct CMUnitTest tests[] = {
#define X(name) {#name, test_kernel, NULL, NULL, &name},
		KERNELS(X)
#undef X
			cmocka_unit_test(test_moments_far_from_zero),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
