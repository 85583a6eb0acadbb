/* judge.h: a classifier that looks at a model's samples: how far they are from real images, which classes they are of.
 *
 * Why: one frozen net for every kind of model, so that an autoencoder's samples, a VAE's and a GAN's compare. Its features f are
 * what its last hidden layer gives before the activation (nearly normal there); classes are by its largest logit.
 * Figures (p: shares of the classes, K of them; p(y|x): the net's probabilities):
 *   fcd               Fréchet distance of f to that of the whole test split (frechet.h); falls with the number of images
 *   fcd_floor         the same of as many training images, drawn at random: no model can be expected to do better
 *   fcd_inf           a of the least squares line a + b / N through the distances of N = 1/4, 2/4, 3/4 and 4/4 of the images, each
 *                     the mean over the ways of choosing so many quarters (Chong & Forsyth 2020)
 *   kid               kernel distance to the test split (kid.h)
 *   class_kl          sum p log(p K)
 *   classifier_score  exp of the mean over images of KL(p(y|x) | mean of p(y|x)); 1 … K
 *   unsure_share      share of the images whose largest probability is below 1/2
 *   precision, recall, density, coverage, duplicates  against as many test images, k = 5 (prdc.h)
 * Owner: judge_close; it keeps copies and features, neither the model nor the data set.
 * Threads: any number may ask a judge at the same time.
 * Invariants: figures depend on the images and the weights only: the same bits for any number of threads, with AVX2 and with
 * AVX-512. Images are [n][pixels] in [0, 1], sample-major.
 * Not here: where its weights come from (server/evaluator.h), when a run is looked at (core/model).
 */
#ifndef LATENTD_CORE_LAB_JUDGE_H
#define LATENTD_CORE_LAB_JUDGE_H

#include "core/base/pool.h"
#include "core/lab/prdc.h"
#include "core/model/model.h"
#include "core/model/verdict.h"

struct judge;

/* m: a classifier with a hidden layer; w: its block of weights. Looks at the test split of d: a second or so. ERR_INVALID where the
 * net has no hidden layer, or d other images. */
int judge_open(struct judge **ret, const struct model *m, const real *w, const struct dataset *d, struct pool *pool,
	const struct kern *k, struct err *err);
void judge_close(struct judge *j);
int judge_features(const struct judge *j);
int judge_classes(const struct judge *j);
/* The data set it knows: its sha256. */
const char *judge_dataset(const struct judge *j);

/* What the net says of images; either may be NULL. */
struct judge_reading {
	float *features;      /* [n][judge_features] */
	float *probabilities; /* [n][judge_classes] */
};
int judge_read(const struct judge *j, struct pool *pool, const struct kern *k, const float *images, size_t n,
	const struct judge_reading *ret, struct err *err);

/* A quick look. j NULL: *ret is a verdict of no images. */
int judge_look(struct judge *j, struct pool *pool, const struct kern *k, const float *images, size_t n,
	struct verdict *ret, struct err *err);

enum { JUDGE_IMAGES_MIN = 1000, JUDGE_IMAGES_MAX = 10000, JUDGE_NEIGHBOURS = 5 };
struct judge_report {
	struct verdict look;
	double fcd_floor, fcd_inf, kid, kid_sd, classifier_score, unsure_share;
	struct prdc prdc;
};
/* All there is to say of JUDGE_IMAGES_MIN … JUDGE_IMAGES_MAX images. fcd_floor is NaN before judge_floor. */
int judge_score(struct judge *j, struct pool *pool, const struct kern *k, const float *images, size_t n,
	struct judge_report *ret, struct err *err);
/* Looks at training images of d, the data set it knows, unless it has done so. */
int judge_floor(struct judge *j, struct pool *pool, const struct kern *k, const struct dataset *d, struct err *err);

#endif
