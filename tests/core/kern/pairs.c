/* Pairs of points, against the reference (tests/core/kern/trial.h). */
#include "tests/core/kern/trial.h"

static void try_distances(const struct kern *k, struct trial *t)
{
	const int n = draw(t, 1, 20), d = draw(t, 0, 4) ? draw(t, 1, 20) : draw(t, 1, 800);
	real *rows = values(t, (size_t)(n * d)), *block = values(t, (size_t)d * LANES),
		 *square = guarded(t, (size_t)n * LANES);
	k->distances(square, rows, n, block, d);
	record(t, square, (size_t)n * LANES);
}

static struct mass random_mass(const real v[6], real spread)
{
	return (struct mass){.x = v[0] * spread,
		.y = v[1] * spread,
		.n = 1 + 20 * v[2] * v[2],
		.trace = (v[3] * v[3] + v[4] * v[4]) / 4,
		.xx = v[3] * v[3],
		.xy = v[3] * v[4] * v[5],
		.yy = v[4] * v[4]};
}

/* Masses and points near, far or on top of each other; who acts in any order. */
static void try_repel(const struct kern *k, struct trial *t)
{
	enum { MASSES = 20, BLOCKS = 5 };
	const real spread = (real)(draw(t, 0, 1) ? 30 : 0.01);
	real *v = values(t, MASSES * 6), *blocks = values(t, (size_t)BLOCKS * 2 * LANES);
	struct mass masses[MASSES];
	uint32_t far[MASSES], near[BLOCKS];
	const int nfar = draw(t, 0, MASSES), nnear = draw(t, 0, BLOCKS);
	for (int i = 0; i < MASSES; i++)
		masses[i] = random_mass(v + 6 * i, spread);
	for (int i = 0; i < BLOCKS * 2 * LANES; i++)
		blocks[i] *= spread;
	for (int i = 0; i < nfar; i++)
		far[i] = (uint32_t)draw(t, 0, MASSES - 1);
	for (int i = 0; i < nnear; i++)
		near[i] = (uint32_t)draw(t, 0, BLOCKS - 1);
	real *out = guarded(t, sizeof(struct forces) / sizeof(real));
	k->repel((struct forces *)out, blocks + 2 * LANES * draw(t, 0, BLOCKS - 1), masses, far, nfar, blocks, near, nnear);
	record(t, out, sizeof(struct forces) / sizeof(real));
}

static void try_attract(const struct kern *k, struct trial *t)
{
	const int points = draw(t, 1, 50), n = LANES * draw(t, 0, 6);
	const real spread = (real)(draw(t, 0, 1) ? 100 : 0.01);
	real *map = values(t, 2 * (size_t)points), *p = values(t, (size_t)n), *out = guarded(t, 3);
	uint32_t index[6 * LANES];
	for (int i = 0; i < 2 * points; i++)
		map[i] *= spread;
	for (int e = 0; e < n; e++)
		index[e] = (uint32_t)draw(t, 0, points - 1);
	k->attract(out, map, map + 2 * draw(t, 0, points - 1), index, p, n);
	record(t, out, 3);
}

#define KERNELS(X) X(distances) X(repel) X(attract)

int main(void)
{
#define X(name) static try_fn *name = try_##name;
	KERNELS(X)
#undef X
	const struct CMUnitTest tests[] = {
#define X(name) {#name, test_kernel, NULL, NULL, &name},
		KERNELS(X)
#undef X
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
