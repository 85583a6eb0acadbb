#include "core/model/gmm.h"

#include "core/base/rng.h"
#include "core/model/kmeans.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rows side by side in one run of the densities; rows of one task. */
enum { QUAD = 4, SPAN = 256 };

typedef double quad __attribute__((vector_size(QUAD * sizeof(double))));

static const double reg_covar = 1e-6, tol = 1e-3, two_pi = 6.283185307179586476925286766559;
/* A share this small of a code moves nothing. */
static const double least_share = 1e-12, log_least_share = -28;
/* A pivot this small beside its variance is rounding: the unit follows from those before it. */
static const double pivot_floor = 1e-12;

/* --- memory ------------------------------------------------------------------------------------------------------------- */

int gmm_alloc(struct gmm *ret, int components, int latent_dim, struct err *err)
{
	const size_t k = (size_t)components, d = (size_t)latent_dim;
	double *memory = calloc(k * (1 + d + 2 * d * d), sizeof *memory);
	if (!memory)
		return err_set(err, ERR_NO_MEMORY, "no memory for a mixture of %d components", components);
	*ret = (struct gmm){.components = components, .latent_dim = latent_dim, .weight = memory};
	ret->mean = ret->weight + k;
	ret->cov = ret->mean + k * d;
	ret->root = ret->cov + k * d * d;
	return OK;
}

void gmm_free(struct gmm *g)
{
	free(g->weight);
	*g = (struct gmm){0};
}

void cov_root(double *l, const double *cov, size_t d)
{
	for (size_t j = 0; j < d; j++) {
		double pivot = cov[j * d + j];
		for (size_t k = 0; k < j; k++)
			pivot -= l[j * d + k] * l[j * d + k];
		bool own = pivot > pivot_floor * cov[j * d + j];
		double root = own ? sqrt(pivot) : 0;
		l[j * d + j] = root;
		for (size_t i = j + 1; own && i < d; i++) {
			double sum = cov[i * d + j];
			for (size_t k = 0; k < j; k++)
				sum -= l[i * d + k] * l[j * d + k];
			l[i * d + j] = sum / root;
		}
	}
}

/* --- one fit ------------------------------------------------------------------------------------------------------------- */

/* Sums of one component over codes: shares, shares times the distance from its mean, and times the products of that. */
static size_t sums_of(size_t d)
{
	return 1 + d + d * (d + 1) / 2;
}

struct fit {
	struct gmm *g;
	const float *codes;
	size_t n, d;
	int spans;
	bool gather;        /* sums are wanted, not only the likelihood */
	double *whiten;     /* [components][d][d]: the inverses of the roots */
	double *constant;   /* [components]: log of weight and of the density's factor */
	double *likelihood; /* [spans] */
	double *sums;       /* [spans][components][sums_of(d)] */
};

static int fit_open(struct fit *f, struct gmm *g, const float *codes, size_t n, struct err *err)
{
	const size_t k = (size_t)g->components, d = (size_t)g->latent_dim, spans = (n + SPAN - 1) / SPAN;
	*f = (struct fit){.g = g, .codes = codes, .n = n, .d = d, .spans = (int)spans};
	double *memory = calloc(k * d * d + k + spans + spans * k * sums_of(d), sizeof *memory);
	if (!memory)
		return err_set(err, ERR_NO_MEMORY, "no memory to fit a mixture of %d components", g->components);
	f->whiten = memory;
	f->constant = f->whiten + k * d * d;
	f->likelihood = f->constant + k;
	f->sums = f->likelihood + spans;
	return OK;
}

static void fit_close(struct fit *f)
{
	free(f->whiten);
}

/* inverse l = 1, lower triangular like l. */
static void invert(double *inverse, const double *l, size_t d)
{
	for (size_t j = 0; j < d; j++)
		for (size_t i = j; i < d; i++) {
			double sum = i == j;
			for (size_t k = j; k < i; k++)
				sum -= l[i * d + k] * inverse[k * d + j];
			inverse[i * d + j] = sum / l[i * d + i];
		}
}

/* What the densities need, from weight and cov. */
static void prepare(struct fit *f)
{
	const struct gmm *g = f->g;
	const size_t d = f->d;
	for (int c = 0; c < g->components; c++) {
		double *root = g->root + (size_t)c * d * d, logs = 0;
		memset(root, 0, d * d * sizeof *root);
		cov_root(root, g->cov + (size_t)c * d * d, d);
		for (size_t i = 0; i < d; i++) {
			if (root[i * d + i] < sqrt(reg_covar)) /* rounding beside large neighbours */
				root[i * d + i] = sqrt(reg_covar);
			logs += log(root[i * d + i]);
		}
		invert(f->whiten + (size_t)c * d * d, root, d);
		f->constant[c] = log(g->weight[c]) - logs - 0.5 * (double)d * log(two_pi);
	}
}

/* ret[c] = log of weight times density at four codes side by side, x [d]. */
static void log_densities(quad *ret, const struct fit *f, const quad *x)
{
	const size_t d = f->d;
	quad off[LATENT_DIM_MAX];
	for (int c = 0; c < f->g->components; c++) {
		const double *mean = f->g->mean + (size_t)c * d, *whiten = f->whiten + (size_t)c * d * d;
		quad far = {0};
		for (size_t i = 0; i < d; i++) {
			quad sum = {0};
			off[i] = x[i] - mean[i];
			for (size_t j = 0; j <= i; j++)
				sum += whiten[i * d + j] * off[j];
			far += sum * sum;
		}
		ret[c] = f->constant[c] - 0.5 * far;
	}
}

/* Adds a code's share of component c to the sums. */
static void gather(const struct fit *f, int c, const float *code, double share, double *sums)
{
	const double *mean = f->g->mean + (size_t)c * f->d;
	double off[LATENT_DIM_MAX], *first = sums + 1, *second = first + f->d;
	sums[0] += share;
	for (size_t i = 0; i < f->d; i++) {
		off[i] = (double)code[i] - mean[i];
		double part = share * off[i];
		first[i] += part;
		for (size_t j = 0; j <= i; j++)
			*second++ += part * off[j];
	}
}

/* One code: its log likelihood, and its shares into the sums. */
static double take_code(const struct fit *f, const quad *densities, int lane, const float *code, double *sums)
{
	const int components = f->g->components;
	double share[GMM_COMPONENTS_MAX], most = densities[0][lane], total = 0;
	for (int c = 1; c < components; c++)
		most = densities[c][lane] > most ? densities[c][lane] : most;
	for (int c = 0; c < components; c++) /* far components, which are most of them, cost no exponential */
		total += share[c] = densities[c][lane] - most > log_least_share ? exp(densities[c][lane] - most) : 0;
	for (int c = 0; f->gather && c < components; c++)
		if (share[c] > least_share * total)
			gather(f, c, code, share[c] / total, sums + (size_t)c * sums_of(f->d));
	return most + log(total);
}

static void span_task(void *ctx, int task, int slot)
{
	(void)slot;
	const struct fit *f = ctx;
	const size_t d = f->d, all = (size_t)f->g->components * sums_of(d), begin = (size_t)task * SPAN;
	const size_t end = begin + SPAN < f->n ? begin + SPAN : f->n;
	double *sums = f->sums + (size_t)task * all, likelihood = 0;
	quad x[LATENT_DIM_MAX], densities[GMM_COMPONENTS_MAX];
	memset(sums, 0, all * sizeof *sums);
	for (size_t from = begin; from < end; from += QUAD) {
		for (size_t i = 0; i < d; i++)
			for (size_t lane = 0; lane < QUAD; lane++)
				x[i][lane] = (double)f->codes[(from + lane < end ? from + lane : from) * d + i];
		log_densities(densities, f, x);
		for (size_t lane = 0; lane < QUAD && from + lane < end; lane++)
			likelihood += take_code(f, densities, (int)lane, f->codes + (from + lane) * d, sums);
	}
	f->likelihood[task] = likelihood;
}

/* The mean log likelihood of the codes; with `gathered` the sums of all spans are in those of the first. */
static double expect(struct fit *f, struct pool *pool, bool gathered)
{
	const size_t all = (size_t)f->g->components * sums_of(f->d);
	double sum = 0;
	f->gather = gathered;
	prepare(f);
	pool_run(pool, f->spans, span_task, f);
	for (int s = 0; s < f->spans; s++)
		sum += f->likelihood[s];
	for (int s = 1; gathered && s < f->spans; s++)
		for (size_t i = 0; i < all; i++)
			f->sums[i] += f->sums[(size_t)s * all + i];
	return sum / (double)f->n;
}

/* Moves component c to what its sums say. */
static void maximise_one(const struct fit *f, int c, const double *sums)
{
	static const double few = 10 * 2.220446049250313e-16; /* scikit-learn's: an empty component divides by something */
	const size_t d = f->d;
	double *mean = f->g->mean + (size_t)c * d, *cov = f->g->cov + (size_t)c * d * d;
	const double count = sums[0] + few, *first = sums + 1, *second = first + d;
	for (size_t i = 0; i < d; i++)
		for (size_t j = 0; j <= i; j++) {
			double product = first[i] / count * (first[j] / count);
			cov[i * d + j] = cov[j * d + i] = *second++ / count - product + (i == j ? reg_covar : 0);
		}
	for (size_t i = 0; i < d; i++)
		mean[i] += first[i] / count;
	f->g->weight[c] = count / (double)f->n;
}

static void maximise(const struct fit *f)
{
	double total = 0;
	for (int c = 0; c < f->g->components; c++)
		maximise_one(f, c, f->sums + (size_t)c * sums_of(f->d));
	for (int c = 0; c < f->g->components; c++)
		total += f->g->weight[c];
	for (int c = 0; c < f->g->components; c++)
		f->g->weight[c] /= total;
}

static double parameters_of(size_t components, size_t d)
{
	return (double)(components * sums_of(d)) - 1;
}

static int refine(struct fit *f, struct pool *pool, struct err *err)
{
	struct gmm *g = f->g;
	double before = -INFINITY;
	g->converged = false;
	for (g->iterations = 0; g->iterations < GMM_ITERATIONS && !g->converged; g->iterations++) {
		double now = expect(f, pool, true);
		if (!isfinite(now))
			return err_set(err, ERR_DIVERGED, "the codes cannot be fitted: their likelihood is not finite");
		maximise(f);
		g->converged = fabs(now - before) < tol;
		before = now;
	}
	g->log_likelihood = expect(f, pool, false);
	g->bic = -2 * g->log_likelihood * (double)f->n + parameters_of((size_t)g->components, f->d) * log((double)f->n);
	return OK;
}

int gmm_refine(struct gmm *g, const float *codes, size_t n, struct pool *pool, struct err *err)
{
	struct fit f;
	int code = fit_open(&f, g, codes, n, err);
	if (code)
		return code;
	code = refine(&f, pool, err);
	fit_close(&f);
	return code;
}

/* --- the start: clusters --- */

/* Weights, means and covariances of the clusters, by the step that otherwise weighs shares. */
static void take_clusters(struct fit *f, const int *label)
{
	const size_t each = sums_of(f->d);
	memset(f->sums, 0, (size_t)f->g->components * each * sizeof *f->sums);
	for (size_t i = 0; i < f->n; i++)
		gather(f, label[i], f->codes + i * f->d, 1, f->sums + (size_t)label[i] * each);
	maximise(f);
}

static int seed_fit(struct fit *f, struct err *err)
{
	int *label = calloc(f->n, sizeof *label);
	int code = label ? kmeans(label, f->g->mean, f->g->components, f->codes, f->n, f->d, err)
					 : err_set(err, ERR_NO_MEMORY, "no memory to fit a mixture");
	if (!code)
		take_clusters(f, label);
	free(label);
	return code;
}

/* --- how many ------------------------------------------------------------------------------------------------------------ */

static int fit_one(
	struct gmm *ret, int components, const float *codes, size_t n, int latent_dim, struct pool *pool, struct err *err)
{
	struct gmm g;
	struct fit f;
	int code = gmm_alloc(&g, components, latent_dim, err);
	if (code)
		return code;
	code = fit_open(&f, &g, codes, n, err);
	if (!code) {
		code = seed_fit(&f, err);
		if (!code)
			code = refine(&f, pool, err);
		fit_close(&f);
	}
	if (code)
		gmm_free(&g);
	else
		*ret = g;
	return code;
}

int gmm_fit(struct gmm *ret, const float *codes, size_t n, int latent_dim, struct pool *pool, struct err *err)
{
	static const int sizes[] = GMM_SIZES;
	struct gmm best, next;
	int code = fit_one(&best, 1, codes, n, latent_dim, pool, err); /* where the codes are too few for more */
	for (size_t i = 0; !code && i < sizeof sizes / sizeof *sizes; i++) {
		if (parameters_of((size_t)sizes[i], (size_t)latent_dim) > (double)n)
			break;
		code = fit_one(&next, sizes[i], codes, n, latent_dim, pool, err);
		if (code) {
			gmm_free(&best);
			break;
		}
		bool better = next.bic < best.bic;
		gmm_free(better ? &best : &next);
		if (better)
			best = next;
	}
	if (!code)
		*ret = best;
	return code;
}

/* --- use ----------------------------------------------------------------------------------------------------------------- */

static int component_at(const struct gmm *g, double u)
{
	double sum = 0;
	for (int c = 0; c < g->components; c++) {
		sum += g->weight[c];
		if (u < sum)
			return c;
	}
	return g->components - 1;
}

void gmm_draw(float *z, size_t count, const struct gmm *g, uint64_t seed)
{
	const size_t d = (size_t)g->latent_dim;
	const struct rng normal = {.seed = seed, .stream = RNG_SAMPLE},
					 which = {.seed = seed, .stream = RNG_SAMPLE, .step = 1};
	rng_normal(z, count * d, normal);
	for (size_t n = 0; n < count; n++) {
		float u, *row = z + n * d;
		uint32_t words[4];
		rng_words(words, which, (uint32_t)n);
		u = (float)(words[0] >> 8) * 0x1p-24F;
		const size_t c = (size_t)component_at(g, (double)u);
		const double *mean = g->mean + c * d, *root = g->root + c * d * d;
		for (size_t i = d; i-- > 0;) { /* downwards: unit i needs only the draws up to i, still in place */
			double value = mean[i];
			for (size_t k = 0; k <= i; k++)
				value += root[i * d + k] * (double)row[k];
			row[i] = (float)value;
		}
	}
}

void gmm_state(struct gmm *g, struct state *s)
{
	const int64_t k = g->components, d = g->latent_dim, one[] = {1};
	state_add(s, "gmm.weights", DTYPE_F64, 1, (int64_t[]){k}, g->weight);
	state_add(s, "gmm.means", DTYPE_F64, 2, (int64_t[]){k, d}, g->mean);
	state_add(s, "gmm.covariances", DTYPE_F64, 3, (int64_t[]){k, d, d}, g->cov);
	state_add(s, "gmm.roots", DTYPE_F64, 3, (int64_t[]){k, d, d}, g->root);
	state_add(s, "gmm.bic", DTYPE_F64, 1, one, &g->bic);
	state_add(s, "gmm.log_likelihood", DTYPE_F64, 1, one, &g->log_likelihood);
	state_add(s, "gmm.iterations", DTYPE_I64, 1, one, &g->iterations);
}

int gmm_load(struct gmm *ret, const struct state *saved, int latent_dim, struct err *err)
{
	const struct tensor *weights = state_find(saved, "gmm.weights");
	struct gmm g;
	struct state own = {0};
	if (!weights || weights->rank != 1 || weights->shape[0] < 1 || weights->shape[0] > GMM_COMPONENTS_MAX)
		return err_set(err, ERR_CORRUPT, "it holds no mixture of 1..%d components", GMM_COMPONENTS_MAX);
	int code = gmm_alloc(&g, (int)weights->shape[0], latent_dim, err);
	if (code)
		return code;
	gmm_state(&g, &own);
	code = own.failed ? err_set(err, ERR_NO_MEMORY, "no memory for a list of tensors") : state_copy(&own, saved, err);
	state_free(&own);
	if (code)
		gmm_free(&g);
	else
		*ret = g;
	return code;
}
