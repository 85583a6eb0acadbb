/* verdict.h: what a judge says of a model's samples: plain data, so that whoever trains can act on it without knowing who judges.
 *
 * Why: a run is watched, kept or rolled back by what its samples are worth, while it knows nothing of the classifier that looks.
 * Owner: whoever holds it; nothing to free.
 * Invariants: depends on the images and the judge's weights only: the same for any --threads, with AVX2 and with AVX-512.
 * Not here: the judge (core/lab/judge.h).
 */
#ifndef LATENTD_CORE_MODEL_VERDICT_H
#define LATENTD_CORE_MODEL_VERDICT_H

/* What a judge says of images: of one look at a model's samples. */
enum { VERDICT_CLASSES_MAX = 64 };
struct verdict {
	int count;        /* images looked at; 0: there is no judge for this data set */
	int classes;
	double fcd;       /* Fréchet distance of features to those of the test split; NaN where count is too small for it (< 2 x features) */
	double class_kl;  /* Kullback-Leibler divergence of the shares from the uniform distribution, nats */
	double min_share; /* of the rarest class */
	double diversity; /* mean over features of (sd over the images / sd over the test split) */
	double share[VERDICT_CLASSES_MAX]; /* of images taken for each class */
};

#endif
