/* judge_state.h: what a judge is made of: for judge.c and score.c only.
 *
 * Invariants: all but `floor` is settled once it is open; `floor` is set once, by whoever works it out first.
 */
#ifndef LATENTD_CORE_LAB_JUDGE_STATE_H
#define LATENTD_CORE_LAB_JUDGE_STATE_H

#include "core/lab/frechet.h"
#include "core/lab/judge.h"

/* A run of a net's layers, planned by itself: its weights lie where they lie in the whole. */
struct part {
	struct net net;
	const real *w, *buffers;
};

struct judge {
	struct map image;
	int features, classes;
	struct part body, head; /* as far as the features, and on to the logits */
	real *w;                /* of the whole model */
	char dataset_sha256[65];
	size_t tests;
	float *test;             /* [tests][features] of the test split, in its order */
	struct normal reference; /* of all of them */
	float *floor;            /* [floors][features] of training images drawn at random; atomic */
	size_t floors;
};

#endif
