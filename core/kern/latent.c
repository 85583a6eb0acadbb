/* The latent code of a variational autoencoder (core/kern/kern.h; Kingma & Welling 2014). */
#include "core/kern/level.h"
#include "core/kern/vec.h"

#include <stddef.h>

/* Log variance, held within bounds; NaN stays. */
ALWAYS_INLINE vec hold(vec logvar)
{
	const vec most = splat_v(LATENT_LOGVAR_MAX), least = splat_v(-LATENT_LOGVAR_MAX);
	logvar = select_v(logvar < least, least, logvar);
	return select_v(logvar > most, most, logvar);
}

void KERN(latent_fwd)(real *z, real *kl, const real *h, const real *eps, int n, int lanes)
{
	for (int j = 0; j < n; j++) {
		const ptrdiff_t at = (ptrdiff_t)j * LANES, at_logvar = ((ptrdiff_t)n + j) * LANES;
		real sums[LANES] __attribute__((aligned(64)));
		for (int lane = 0; lane < LANES; lane += VW) {
			vec mu = load_v(h + at + lane), logvar = hold(load_v(h + at_logvar + lane));
			vec sd = exp_v(splat_v(0.5) * logvar);
			store_v(z + at + lane, fma_v(sd, load_v(eps + at + lane), mu));
			vec twice = fma_v(mu, mu, fma_v(sd, sd, splat_v(-1) - logvar));
			store_v(sums + lane, select_v(lanes_below(lanes, lane), splat_v(0.5) * twice, splat_v(0)));
		}
		if (kl)
			kl[j] = fold_lanes(sums);
	}
}

void KERN(latent_bwd)(real *dh, const real *dz, const real *h, const real *eps, int n, const real *kl_scale, int lanes)
{
	const vec half = splat_v(0.5), zero = splat_v(0);
	for (ptrdiff_t j = 0; j < n; j++) {
		const vec scale = splat_v(kl_scale[j]);
		const ptrdiff_t at = j * LANES, at_logvar = (n + j) * LANES;
		for (int lane = 0; lane < LANES; lane += VW) {
			const vec_bits used = lanes_below(lanes, lane);
			vec slope = load_v(dz + at + lane), mu = load_v(h + at + lane), logvar = load_v(h + at_logvar + lane);
			vec held = hold(logvar), sd = exp_v(half * held);
			vec dmu = fma_v(scale, mu, slope);
			vec of_kl = scale * half * fma_v(sd, sd, splat_v(-1));
			vec dlogvar = fma_v(slope * load_v(eps + at + lane), half * sd, of_kl);
			dlogvar = select_v((logvar < held) | (logvar > held), zero, dlogvar);
			store_v(dh + at + lane, select_v(used, dmu, zero));
			store_v(dh + at_logvar + lane, select_v(used, dlogvar, zero));
		}
	}
}
