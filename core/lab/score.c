/* score.c: the figures of a judge, from what it reads in images (judge.h has the formulas). */
#include "core/lab/judge_state.h"
#include "core/lab/kid.h"

#include <math.h>
#include <stdlib.h>

enum { QUARTERS = 4 };

/* --- a look --------------------------------------------------------------------------------------------------------------- */

static int class_of(const float *probabilities, int classes)
{
	int best = 0;
	for (int c = 1; c < classes; c++)
		if (probabilities[c] > probabilities[best])
			best = c;
	return best;
}

static void look_at_classes(struct verdict *v, const float *probabilities, size_t n, int classes)
{
	size_t count[VERDICT_CLASSES_MAX] = {0};
	for (size_t i = 0; i < n; i++)
		count[class_of(probabilities + i * (size_t)classes, classes)]++;
	v->min_share = 1;
	for (int c = 0; c < classes; c++) {
		const double share = v->share[c] = (double)count[c] / (double)n;
		v->min_share = share < v->min_share ? share : v->min_share;
		v->class_kl += count[c] ? share * log(share * classes) : 0;
	}
}

/* What judge_look and judge_score have in common; m: of the images' features. */
static int fill_verdict(
	struct verdict *ret, const struct judge *j, const struct moments *m, const float *probabilities, struct err *err)
{
	struct verdict v = {.count = (int)m->n, .classes = j->classes, .fcd = (double)NAN};
	look_at_classes(&v, probabilities, m->n, j->classes);
	v.diversity = m->n > 1 ? moments_spread(m, &j->reference) : (double)NAN;
	int code = m->n < 2 * m->d ? OK : frechet_distance(&v.fcd, &j->reference, m, err);
	if (!code)
		*ret = v;
	return code;
}

/* features and probabilities of images, in one piece of memory. */
static int open_reading(struct judge_reading *ret, const struct judge *j, struct pool *pool, const struct kern *k,
	const float *images, size_t n, struct err *err)
{
	float *memory = malloc((n + 1) * (size_t)(j->features + j->classes) * sizeof *memory);
	if (!memory)
		return err_set(err, ERR_NO_MEMORY, "no memory to look at %zu images", n);
	*ret = (struct judge_reading){.features = memory, .probabilities = memory + n * (size_t)j->features};
	int code = judge_read(j, pool, k, images, n, ret, err);
	if (code)
		free(memory);
	return code;
}

int judge_look(struct judge *j, struct pool *pool, const struct kern *k, const float *images, size_t n,
	struct verdict *ret, struct err *err)
{
	struct judge_reading r;
	struct moments m;
	if (!j || !n) {
		*ret = (struct verdict){0};
		return OK;
	}
	int code = open_reading(&r, j, pool, k, images, n, err);
	if (code)
		return code;
	if (!(code = moments_of(&m, r.features, n, (size_t)j->features, pool, err))) {
		code = fill_verdict(ret, j, &m, r.probabilities, err);
		moments_free(&m);
	}
	free(r.features);
	return code;
}

/* --- all there is to say ---------------------------------------------------------------------------------------------------- */

/* Distance to the reference of each choice of quarters of the images (a bit for each), 0 for none. */
static int distances(double *ret, const struct judge *j, const struct moments *quarter, struct err *err)
{
	struct moments sum;
	int code = OK;
	ret[0] = 0;
	for (int choice = 1; choice < 1 << QUARTERS && !code; choice++) {
		if ((code = moments_open(&sum, (size_t)j->features, err)))
			break;
		for (int q = 0; q < QUARTERS; q++)
			if (choice >> q & 1)
				moments_add(&sum, &quarter[q]);
		code = frechet_distance(&ret[choice], &j->reference, &sum, err);
		moments_free(&sum);
	}
	return code;
}

/* Where the line through (1 / N, mean distance of choices of N images) meets 1 / N = 0. */
static double extrapolate(const double *distance, size_t n)
{
	double ways[QUARTERS + 1] = {0}, mean[QUARTERS + 1] = {0}, x[QUARTERS + 1], mx = 0, my = 0, xx = 0, xy = 0;
	for (int choice = 1; choice < 1 << QUARTERS; choice++) {
		const int quarters = __builtin_popcount((unsigned)choice);
		mean[quarters] += distance[choice];
		ways[quarters]++;
	}
	for (int i = 1; i <= QUARTERS; i++) {
		mean[i] /= ways[i];
		x[i] = QUARTERS / ((double)i * (double)n);
		mx += x[i] / QUARTERS;
		my += mean[i] / QUARTERS;
	}
	for (int i = 1; i <= QUARTERS; i++) {
		xx += (x[i] - mx) * (x[i] - mx);
		xy += (x[i] - mx) * (mean[i] - my);
	}
	return my - xy / xx * mx;
}

static int score_distances(struct judge_report *r, const struct judge *j, const struct judge_reading *in, size_t n,
	struct pool *pool, struct err *err)
{
	struct moments quarter[QUARTERS + 1] = {{0}}; /* the last: all of them */
	double distance[1 << QUARTERS];
	const size_t d = (size_t)j->features;
	int code = moments_open(&quarter[QUARTERS], d, err);
	for (size_t q = 0; q < QUARTERS && !code; q++) {
		const size_t from = q * n / QUARTERS, end = (q + 1) * n / QUARTERS;
		if (!(code = moments_of(&quarter[q], in->features + from * d, end - from, d, pool, err)))
			moments_add(&quarter[QUARTERS], &quarter[q]);
	}
	if (!code)
		code = fill_verdict(&r->look, j, &quarter[QUARTERS], in->probabilities, err);
	if (!code && !(code = distances(distance, j, quarter, err)))
		r->fcd_inf = extrapolate(distance, n);
	for (int q = 0; q <= QUARTERS; q++)
		moments_free(&quarter[q]);
	return code;
}

static void score_classes(struct judge_report *r, const float *probabilities, size_t n, int classes)
{
	double mean[VERDICT_CLASSES_MAX] = {0}, sum = 0, unsure = 0;
	for (size_t i = 0; i < n * (size_t)classes; i++)
		mean[i % (size_t)classes] += (double)probabilities[i] / (double)n;
	for (size_t i = 0; i < n; i++) {
		const float *p = probabilities + i * (size_t)classes;
		unsure += !(p[class_of(p, classes)] >= 0.5F);
		for (int c = 0; c < classes; c++)
			sum += p[c] == 0 ? 0 : (double)p[c] * log((double)p[c] / mean[c]);
	}
	r->classifier_score = exp(sum / (double)n);
	r->unsure_share = unsure / (double)n;
}

static int score_floor(struct judge_report *r, const struct judge *j, size_t n, struct pool *pool, struct err *err)
{
	const float *floor = __atomic_load_n(&j->floor, __ATOMIC_ACQUIRE);
	struct moments m;
	r->fcd_floor = (double)NAN;
	if (!floor)
		return OK;
	int code = moments_of(&m, floor, n < j->floors ? n : j->floors, (size_t)j->features, pool, err);
	if (code)
		return code;
	code = frechet_distance(&r->fcd_floor, &j->reference, &m, err);
	moments_free(&m);
	return code;
}

static int score_neighbours(struct judge_report *r, const struct judge *j, const float *features, size_t n,
	struct pool *pool, const struct kern *k, struct err *err)
{
	struct kid kid_result;
	const struct prdc_clouds clouds = {.real_rows = j->test,
		.fake_rows = features,
		.reals = n < j->tests ? n : j->tests,
		.fakes = n,
		.d = j->features,
		.k = JUDGE_NEIGHBOURS};
	const size_t least = clouds.reals < KID_SUBSET_ROWS ? clouds.reals : KID_SUBSET_ROWS;
	int code = prdc(&r->prdc, &clouds, pool, k, err);
	if (!code)
		code = kid(&kid_result,
			&(struct kid_clouds){.x = features,
				.y = j->test,
				.xs = n,
				.ys = j->tests,
				.d = j->features,
				.subsets = KID_SUBSETS,
				.rows = least},
			pool, k, err);
	if (code)
		return code;
	r->kid = kid_result.mean;
	r->kid_sd = kid_result.sd;
	return OK;
}

int judge_score(struct judge *j, struct pool *pool, const struct kern *k, const float *images, size_t n,
	struct judge_report *ret, struct err *err)
{
	struct judge_report r = {0};
	struct judge_reading in;
	if (n < JUDGE_IMAGES_MIN || n > JUDGE_IMAGES_MAX)
		return err_set(err, ERR_INVALID, "images must be %d..%d, got %zu", JUDGE_IMAGES_MIN, JUDGE_IMAGES_MAX, n);
	int code = open_reading(&in, j, pool, k, images, n, err);
	if (code)
		return code;
	code = score_distances(&r, j, &in, n, pool, err);
	if (!code)
		code = score_floor(&r, j, n, pool, err);
	if (!code)
		code = score_neighbours(&r, j, in.features, n, pool, k, err);
	if (!code) {
		score_classes(&r, in.probabilities, n, j->classes);
		*ret = r;
	}
	free(in.features);
	return code;
}
