/* rng.h: randomness as a pure function of (seed, stream, step, index).
 *
 * Why: there is no hidden generator state, so a resume, a retry or another number of threads cannot change a result.
 * Source: Philox4x32-10 (Salmon et al. 2011), Debian's Random123; key = seed, counter = (index, step, stream).
 * Invariants: the same four arguments give the same value on every machine and level; streams never overlap.
 */
#ifndef LATENTD_CORE_BASE_RNG_H
#define LATENTD_CORE_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

/* What a draw is for. Values are part of every saved run: append, never renumber. */
enum rng_stream {
	RNG_INIT = 1,    /* initial weights: step = tensor number, index = element */
	RNG_SHUFFLE = 2, /* order of the training images: step = epoch */
	RNG_SPLIT = 3,   /* which training images are held out: seed = val_seed */
	RNG_PREVIEW = 4, /* fixed z of the previews */
	RNG_SAMPLE = 5,  /* the sampling endpoint: seed = the request's */
	RNG_DROPOUT = 6, /* masks: addressed as core/kern/kern.h says (struct dropout) */
	RNG_NOISE = 7,   /* of codes: step = optimiser step, 0 without gradients; index = sample * units + unit */
	RNG_AUGMENT = 8,
	RNG_DENOISE = 9,   /* noise on the input: step = optimiser step 2^16 + position in the batch, index = pixel */
	RNG_MASK = 10,     /* pixels left out of the input: likewise */
	RNG_MIXTURE = 12,  /* first centres of a mixture of codes: step = components, index = centre */
	RNG_JUDGE = 20,    /* what a judge draws, seed 0: step 0: training images beside the test split; 1 …: subsets (core/lab/kid.h) */
	RNG_TRIAL = 24,    /* what a study tries: step = number of the trial, index = dimension 2^16 + draw (core/lab/space.h) */
	RNG_MAP = 30,      /* t-SNE: step 0: noise that a map begins with, index = 2 point + axis; 1: points that its quality is taken of */
	RNG_BINARIZE = 11, /* black or white pixels: step = epoch (from 1; 0: evaluation) 2^32 + image, index = pixel */
};

struct rng {
	uint64_t seed;
	enum rng_stream stream;
	uint64_t step;
};

/* The four words at `index`. */
void rng_words(uint32_t words[4], struct rng r, uint32_t index);
/* x[n] uniform in [low, high); element i depends on (r, i) only. 24 random bits each. */
void rng_uniform(float *x, size_t n, struct rng r, float low, float high);
/* x[n] standard normal (Box-Muller in double); element i depends on (r, i) only. */
void rng_normal(float *x, size_t n, struct rng r);
/* Elements first … first + n - 1 of the same; first is even. */
void rng_normal_from(float *x, size_t first, size_t n, struct rng r);
/* order[n] becomes a uniformly drawn permutation of 0..n-1 (Fisher-Yates, Lemire's bounded draw without bias). */
void rng_permutation(uint32_t *order, uint32_t n, struct rng r);

#endif
