/* trials.h: what a study does next, as a pure function of its rows.
 *
 * Rule: trial k is made when trials 0 … k - parallel have ended, so that what is known when it is chosen never hangs on which of those
 * between is faster, nor on a kill. Trials that cannot be built end as they are made and are not counted against `trials`. Each
 * complete trial is followed by `after` jobs. When all trials have ended the finalists are trained again on each seed; when all that
 * has ended, the study is settled.
 * Invariants: a finalist is complete; the winner is the candidate with the least mean, of equal ones the earlier.
 * Not here: rows on disk (server/store), jobs (server/study.h), who chooses parameters (tpe.h).
 */
#ifndef LATENTD_CORE_LAB_TRIALS_H
#define LATENTD_CORE_LAB_TRIALS_H

#include "core/lab/space.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum trials_phase { TRIALS_TRIAL, TRIALS_AFTER, TRIALS_RETRAIN, TRIALS_PHASES };

struct trials_plan {
	int64_t trials;                    /* that can be built */
	int64_t most;                      /* of all */
	int64_t enqueued;                  /* the first ones; trial 0 of them is the baseline */
	int parallel, after, top_k, seeds; /* top_k 0: nothing is trained again */
};

/* A row. Numbers count per phase from 0: of an after job of * after + index, of a retraining of * seeds + index. */
struct trials_row {
	enum trials_phase phase;
	int64_t number, of; /* of: the trial it belongs to; of a trial itself */
	enum trial_state state;
	double value;  /* complete: the least is the best; NaN: none */
	int64_t group; /* trials: the least number of those that are the same but for the seed */
};

enum trials_move { TRIALS_WAIT, TRIALS_MAKE, TRIALS_SETTLE };
struct trials_next {
	enum trials_move move;
	enum trials_phase phase; /* of what is to be made */
	int64_t number, of;
	int index; /* of after jobs and seeds */
};

/* rows in order of phase, then number, here and below. stopping: nothing new is begun. */
struct trials_next trials_next(const struct trials_plan *p, const struct trials_row *rows, size_t n, bool stopping);

/* Trials that are trained again, at most `cap` numbers, the best first; returns how many. */
size_t trials_finalists(const struct trials_plan *p, const struct trials_row *rows, size_t n, int64_t *ret, size_t cap);

/* A trial, with the repeats of it, and what they are worth. */
struct trials_score {
	int64_t trial;
	int n;            /* 0: there is none */
	double mean, std; /* over n values; of one value std is 0 */
};
/* Of a finalist: over its retrainings; if nothing is trained again: over the trials that are the same but for the seed. n 0: not all
 * of them are complete. */
struct trials_score trials_score(const struct trials_plan *p, const struct trials_row *rows, size_t n, int64_t trial);
struct trials_score trials_winner(const struct trials_plan *p, const struct trials_row *rows, size_t n);
/* Of the baseline, by the same measure; n 0: there is none. */
struct trials_score trials_baseline(const struct trials_plan *p, const struct trials_row *rows, size_t n);

/* Ended and in all, as far as that is known: for progress. */
void trials_count(
	const struct trials_plan *p, const struct trials_row *rows, size_t n, int64_t *ret_ended, int64_t *ret_all);

#endif
