#include "core/model/sample.h"

#include "core/base/rng.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[DIST_COUNT] = {
#define X(dist, name, help) [dist] = name,
	DISTRIBUTIONS(X)
#undef X
};

static const char *const helps[DIST_COUNT] = {
#define X(dist, name, help) [dist] = help,
	DISTRIBUTIONS(X)
#undef X
};

int distribution_find(const char *name)
{
	for (int i = 0; i < DIST_COUNT; i++)
		if (!strcmp(names[i], name))
			return i;
	return -1;
}

const char *distribution_name(enum distribution d)
{
	return names[d];
}

const char *distribution_help(enum distribution d)
{
	return helps[d];
}

static struct rng stream_of(const struct sample_spec *spec)
{
	return (struct rng){.seed = spec->seed, .stream = RNG_SAMPLE};
}

static int normal(
	float *z, size_t count, const struct sample_spec *spec, const struct code_stats *stats, struct err *err)
{
	(void)err;
	rng_normal(z, count * (size_t)stats->latent_dim, stream_of(spec));
	return OK;
}

static int uniform(
	float *z, size_t count, const struct sample_spec *spec, const struct code_stats *stats, struct err *err)
{
	size_t d = (size_t)stats->latent_dim;
	if (spec->has_box && !(spec->low <= spec->high))
		return err_field(err, ERR_INVALID, "#/low", "must not be above high (%g), got %g", spec->high, spec->low);
	rng_uniform(z, count * d, stream_of(spec), 0, 1);
	for (size_t i = 0; i < count * d; i++) {
		double low = spec->has_box ? spec->low : stats->q01[i % d],
			   high = spec->has_box ? spec->high : stats->q99[i % d];
		z[i] = (float)(low + (high - low) * (double)z[i]);
	}
	return OK;
}

static int gaussian_fit(
	float *z, size_t count, const struct sample_spec *spec, const struct code_stats *stats, struct err *err)
{
	size_t d = (size_t)stats->latent_dim;
	double *l = calloc(d * d, sizeof *l);
	if (!l)
		return err_set(err, ERR_NO_MEMORY, "no memory for a covariance of %zu units", d);
	cov_root(l, stats->cov, d);
	rng_normal(z, count * d, stream_of(spec));
	for (size_t n = 0; n < count; n++) {
		float *row = z + n * d;
		for (size_t i = d; i-- > 0;) { /* downwards: unit i needs only the draws up to i, still in place */
			double value = stats->mean[i];
			for (size_t k = 0; k <= i; k++)
				value += l[i * d + k] * (double)row[k];
			row[i] = (float)value;
		}
	}
	free(l);
	return OK;
}

static int mixture(
	float *z, size_t count, const struct sample_spec *spec, const struct code_stats *stats, struct err *err)
{
	if (!spec->gmm || spec->gmm->latent_dim != stats->latent_dim)
		return err_field(err, ERR_CONFLICT, "#/distribution", "no mixture is fitted to these codes");
	gmm_draw(z, count, spec->gmm, spec->seed);
	return OK;
}

static int (*const draws[DIST_COUNT])(
	float *z, size_t count, const struct sample_spec *spec, const struct code_stats *stats, struct err *err) = {
	[DIST_NORMAL] = normal,
	[DIST_UNIFORM] = uniform,
	[DIST_GAUSSIAN_FIT] = gaussian_fit,
	[DIST_GMM] = mixture,
};

int sample_codes(
	float *z, size_t count, const struct sample_spec *spec, const struct code_stats *stats, struct err *err)
{
	return draws[spec->distribution](z, count, spec, stats, err);
}
