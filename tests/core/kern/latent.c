/* The latent code of a variational autoencoder on random blocks (tests/core/kern/trial.h). */
#include "tests/core/kern/trial.h"

/* Log variances of which some are beyond the limits. */
static real *random_code(struct trial *t, int n)
{
	real *h = values(t, 2 * (size_t)n * LANES);
	for (int i = n * LANES; i < 2 * n * LANES; i++)
		h[i] *= 12;
	return h;
}

static void try_latent_fwd(const struct kern *k, struct trial *t)
{
	int n = draw(t, 1, 20), lanes = draw(t, 1, LANES);
	const size_t reals = (size_t)n * LANES;
	real *h = random_code(t, n), *eps = values(t, reals), *z = guarded(t, reals), *kl = guarded(t, (size_t)n);
	k->latent_fwd(z, kl, h, eps, n, lanes);
	record(t, z, reals);
	record(t, kl, (size_t)n);
	k->latent_fwd(z, NULL, h, eps, n, lanes);
	record(t, z, reals);
}

static void try_latent_bwd(const struct kern *k, struct trial *t)
{
	int n = draw(t, 1, 20), lanes = draw(t, 1, LANES);
	const size_t reals = (size_t)n * LANES;
	real *h = random_code(t, n), *eps = values(t, reals), *dz = values(t, reals), *dh = guarded(t, 2 * reals);
	k->latent_bwd(dh, dz, h, eps, n, values(t, (size_t)n), lanes);
	record(t, dh, 2 * reals);
}

/* -(1 + 0 - 4 - 1) / 2 = 2 at N(2, 1); no divergence and no slope at N(0, 1); limits hold; NaN is seen. */
static void test_known_values(void **state)
{
	(void)state;
	for (int level = 0; level < CPU_LEVEL_COUNT; level++) {
		const struct kern *k = kern_at((enum cpu_level)level);
		const real kl_scale[2] = {1, 1};
		real h[4 * LANES] = {2, 0}, eps[2 * LANES] = {1, 1}, dz[2 * LANES] = {0}, z[2 * LANES], kl[2], dh[4 * LANES];
		if (!k)
			continue;
		k->latent_fwd(z, kl, h, eps, 2, 2);
		assert_true(kl[0] == 2 && kl[1] == 0);
		assert_true(z[0] == 3 && z[1] == 1);
		k->latent_bwd(dh, dz, h, eps, 2, kl_scale, 2);
		assert_true(dh[0] == 2 && dh[1] == 0 && dh[2 * LANES] == 0);
		h[2 * LANES] = 50;
		dz[0] = 1;
		k->latent_fwd(z, kl, h, eps, 2, 2);
		k->latent_bwd(dh, dz, h, eps, 2, kl_scale, 2);
		assert_true(fabs((double)z[0] - (2 + exp(5))) < 1e-4 && dh[2 * LANES] == 0);
		h[2 * LANES] = (real)NAN;
		k->latent_fwd(z, kl, h, eps, 2, 2);
		k->latent_bwd(dh, dz, h, eps, 2, kl_scale, 2);
		assert_true(isnan(z[0]) && isnan(kl[0]) && isnan(dh[2 * LANES]));
	}
}

#define KERNELS(X) X(latent_fwd) X(latent_bwd)

int main(void)
{
#define X(name) static try_fn *name = try_##name;
	KERNELS(X)
#undef X
	const struct CMUnitTest tests[] = {
#define X(name) {#name, test_kernel, NULL, NULL, &name},
		KERNELS(X)
#undef X
			cmocka_unit_test(test_known_values),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
