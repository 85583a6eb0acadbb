/* latents.h: what the codes of many images are like: figures per unit, of all of them and of each class, and how units go together.
 *
 * Why: whether classes lie apart, whether a unit is used at all and whether two say the same is seen in figures first.
 * Owner: latents_free.
 * Invariants: double throughout; each figure adds up in the order of the images; tasks own whole units, so threads change no bit.
 * Not here: the statistics that sampling starts from (core/model/codes.c), maps (core/lab/tsne.h, pca.h).
 */
#ifndef LATENTD_CORE_LAB_LATENTS_H
#define LATENTD_CORE_LAB_LATENTS_H

#include "core/base/err.h"
#include "core/base/pool.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LATENT_QUANTILES(X) \
	X("q01", 0.01) X("q05", 0.05) X("q25", 0.25) X("q50", 0.5) X("q75", 0.75) X("q95", 0.95) X("q99", 0.99)
enum {
#define X(name, p) +1
	LATENT_QUANTILE_COUNT = LATENT_QUANTILES(X)
#undef X
};

/* Of no image at all they are NaN. */
struct latent_group {
	size_t count;
	double *mean, *std, *min, *max; /* [d]; std with n - 1, 0 of a single image */
	double *quantile[LATENT_QUANTILE_COUNT];
};

struct latents {
	int d, classes, active;     /* active: so many units are */
	struct latent_group *group; /* [1 + classes]: all images, then those of each class */
	double *correlation;        /* [d][d] over all images, Pearson's; NaN beside a unit that never varies */
};

/* z[n][d] with label[n], each below `classes`; n ≥ 1. */
struct latent_codes {
	const float *z;
	const uint8_t *label;
	size_t n;
	int d, classes;
};
int latents_measure(struct latents *ret, const struct latent_codes *codes, struct pool *pool, struct err *err);
void latents_free(struct latents *l);
/* Its variance over all images is above active_variance (core/model/model.h). */
bool latents_active(const struct latents *l, int unit);
const char *latent_quantile_name(int i);

#endif
