/* fork.h: a job that goes on from a numbered checkpoint of another of its kind, whatever that one does meanwhile.
 *
 * Why: what a fork goes on from lies in its own folder before its row is there (links to the other's files), so that it needs
 * the other job never again. An unchanged fork ends with the other's bits: weights, best and series.
 * Owner: fork_free.
 * Not here: the body that asks for it (api/fork.h), its curves (store/branch.c), what other parameters mean for the state
 * (core/model/fork.h).
 */
#ifndef LATENTD_SERVER_FORK_H
#define LATENTD_SERVER_FORK_H

#include "api/spec.h"
#include "core/model/fork.h"
#include "server/store/store.h"

struct fork {
	struct job parent;
	int epoch;
	int64_t step;
	struct model model; /* as the checkpoint describes it: family_params are those it was written with */
	void *params;       /* in force after `step` steps: those and what was changed right then */
	struct best best;   /* as of then */
	int sound;          /* epoch that a roll-back would go to; 0: none */
	int64_t wait;       /* epochs without progress by then */
};

/* ref: id, name or "latest"; which: best, last or an epoch. ERR_NOT_FOUND, ERR_CORRUPT, and ERR_INVALID at "#/checkpoint". */
int fork_open(
	struct fork *ret, struct store *store, const char *data_dir, const char *ref, const char *which, struct err *err);
void fork_free(struct fork *f);
/* With spec->params, which may differ: ERR_INVALID where patience is at its end and there is nothing to do. Fills in what the
 * spec leaves to the other job. */
int fork_settle(const struct fork *f, struct spec *spec, struct err *err);
/* What its row tells of the way so far. */
void fork_fill(const struct fork *f, const struct spec *spec, struct job *job);
/* Seconds trained until there, ancestors and all. */
double fork_train_s(const struct fork *f);
/* Its folder: checkpoint, best, sound, previews up to there. All of it or, on failure, nothing. */
int fork_files(const struct fork *f, const char *data_dir, const char *job_id, struct err *err);

#endif
