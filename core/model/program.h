/* program.h: walks a block through the rows of a phase (struct step_op), as far as it can go alone.
 *
 * Why: a kind says what happens, in order; where a layer needs the whole batch (batch norm), every block stops at the same
 * place, what they share is worked out, and all go on. A net without such layers goes through in one piece, depth first, while
 * its block is in the cache.
 * Not here: which block runs where, and the updates (step.c).
 */
#ifndef LATENTD_CORE_MODEL_PROGRAM_H
#define LATENTD_CORE_MODEL_PROGRAM_H

#include "core/model/train.h"

/* Where a block stands: at a row, and in its net at a layer that waits for the batch (else NET_WHOLE; a row that waits by
 * itself counts as its layer 0). */
struct place {
	int op, layer;
};
static const struct place program_begin = {0, NET_WHOLE};

/* Whether blocks of this model ever wait for each other within a step: each then has a workspace of its own. */
bool program_waits(const struct model *m);
/* Runs b from `at` on; returns the barrier it waits at (layer >= 0), or where it ended: the end of ops or, unless b->training,
 * behind the loss. `phase` tells the passes of one phase from those of the next. */
struct place program_on(
	const struct model *m, int phase, const struct block *b, struct place at, struct block_result *r);
/* All blocks of the batch, in order, wait at `at`. runs: memory for as many. */
void program_settle(
	const struct model *m, int phase, const struct block *blocks, int n, struct net_run *runs, struct place at);
/* The whole first phase of a model that never waits, or any without b->training. */
void program_run(const struct model *m, const struct block *b, struct block_result *r);

#endif
