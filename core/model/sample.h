/* sample.h: where latent vectors come from when nobody names them.
 *
 * Invariants: z depends on (distribution, statistics, seed, index) only: same model, seed and count, same bytes.
 */
#ifndef LATENTD_CORE_MODEL_SAMPLE_H
#define LATENTD_CORE_MODEL_SAMPLE_H

#include "core/model/gmm.h"
#include "core/model/train.h"

#define DISTRIBUTIONS(X)                                                                                     \
	X(DIST_NORMAL, "normal", "standard normal")                                                              \
	X(DIST_UNIFORM, "uniform", "uniform over each unit's 1..99 % range of the training codes, or low..high") \
	X(DIST_GAUSSIAN_FIT, "gaussian_fit", "normal with the mean and covariance of the training codes")        \
	X(DIST_GMM, "gmm", "mixture of normal distributions fitted to the training codes, components chosen by BIC")
enum distribution {
#define X(dist, name, help) dist,
	DISTRIBUTIONS(X)
#undef X
		DIST_COUNT
};
/* -1 if there is none of that name. */
int distribution_find(const char *name);
const char *distribution_name(enum distribution d);
const char *distribution_help(enum distribution d);

struct sample_spec {
	enum distribution distribution;
	uint64_t seed;
	bool has_box;
	double low, high; /* uniform, when has_box */
	const struct gmm *gmm;
};
/* z[count][latent_dim]; `stats` gives latent_dim always, and its figures to whichever distribution needs them. */
int sample_codes(
	float *z, size_t count, const struct sample_spec *spec, const struct code_stats *stats, struct err *err);

#endif
