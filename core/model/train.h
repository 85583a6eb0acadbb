/* train.h: a trainer: one model being trained on one data set: live weights, moments, counters, statistics of the codes.
 *
 * Why: the state of a run is what is in here and nothing else; with the same (params, seed, data set) any two trainers pass
 * through the same bits, whatever the threads, neighbours, kills and resumes.
 * Owner: one thread drives it (train_loop); its compute runs on the shared pool. Everything lies in one arena.
 * Invariants: a batch is cut into groups of blocks by batch and model size alone; groups add up in order; steps count from 1; the
 * images of step s follow from (seed, s) alone.
 * Not here: files, clocks, jobs: hooks bring them (struct hooks).
 */
#ifndef LATENTD_CORE_MODEL_TRAIN_H
#define LATENTD_CORE_MODEL_TRAIN_H

#include "core/base/err.h"
#include "core/base/pool.h"
#include "core/data/dataset.h"
#include "core/model/model.h"
#include "core/model/state.h"
#include "core/model/verdict.h"
#include "core/nn/optim.h"

/* One block of a batch: what the rows of a phase work on. */
struct block {
	const struct kern *kern;
	const real *w;                    /* model weights */
	const real *effective;            /* in place of those of nets with a spectral norm; NULL: there are none */
	real *dw;                         /* group's gradient block; NULL unless training */
	real *new_buffers;                /* running statistics after this step; NULL unless training */
	real *ws;                         /* model_workspace reals */
	real *shared;                     /* model_shared reals, of the whole batch; NULL unless training */
	const uint8_t *const *images;     /* [lanes] CHW bytes */
	const uint8_t *labels;            /* [lanes] */
	const uint32_t *index;            /* [lanes]: positions in their split */
	const float *features;            /* rows of the whole split in place of images, for cached phases */
	const struct train_phase *phases; /* NULL: the family's */
	int lanes;                        /* 1..LANES */
	size_t batch;                     /* images in the whole batch: losses are means over it */
	bool training;
	double epoch;    /* fractional, as the step begins; 0 unless training */
	double penalty_scale; /* what roll-backs have made of penalties; 1 at first */
	struct rng rng;  /* seed and optimiser step, from 1; step 0 unless training */
	uint32_t sample; /* position in the batch of lane 0 */
	int pass;        /* counts the passes through nets in a step: masks differ between them */
};

/* Sums over the block's lanes; part[i] and unit[j] are family-defined and become the series the family names. */
enum { RESULT_PARTS = 8 };
struct block_result {
	double part[RESULT_PARTS];
	double *unit; /* [model->unit_sums], shared by blocks that add up one after the other; NULL: not wanted */
};

/* Statistics of the codes of up to CODE_STATS_IMAGES training images, taken before the first step and after each epoch. */
enum { CODE_STATS_IMAGES = 10000 };
struct code_stats {
	int latent_dim;
	double *mean, *std, *q01, *q99; /* [latent_dim] */
	double *quantile;               /* [QUANTILES][latent_dim]: at i / (QUANTILES - 1) */
	double *cov;                    /* [latent_dim][latent_dim], unbiased */
};
enum { QUANTILES = 101 };
/* From a saved state; memory of its own, given back by code_stats_free. ERR_CORRUPT when a tensor is missing or misshapen. */
int code_stats_load(struct code_stats *ret, const struct state *saved, int latent_dim, struct err *err);
int code_stats_copy(struct code_stats *ret, const struct code_stats *from, struct err *err);
void code_stats_free(struct code_stats *s); /* of load and copy only */

struct progress {
	int64_t step, steps; /* optimiser steps done, in total */
	int epoch, epochs;   /* finished */
	int64_t steps_per_epoch;
	size_t train_images, val_images, batch_size;
	size_t epoch_images; /* that an epoch's steps see: train_images, without the short batch where that is left out */
};

struct best {
	int epoch; /* 0: none yet */
	double value;
};

struct point {
	int64_t step;
	double epoch; /* fractional: step / steps_per_epoch */
	const char *series;
	double value;
};

/* What a trainer's progress would be before its first step; of the data set only the sizes are looked at, here and below.
 * Zeros when there is nothing to train on. */
struct progress trainer_plan(const struct model *m, const struct dataset *d);
/* Bytes of a trainer for this model on this many compute threads, data set not counted. */
size_t trainer_bytes(const struct model *m, const struct dataset *d, int threads);
/* Takes a reference on the data set; the model must outlive the trainer. Weights are initialised from `seed`. */
int trainer_open(struct trainer **ret, const struct model *m, struct dataset *d, struct pool *pool,
	const struct kern *kern, uint64_t seed, struct err *err);
void trainer_close(struct trainer *t);

/* Takes over what the kind goes on from (family->adopt), before the first step. */
int trainer_adopt(
	struct trainer *t, const struct model *base, const real *base_w, const struct code_stats *codes, struct err *err);
/* For cached phases: rows of latent_dim codes of the training images, in place of what the model would make of these; borrowed
 * while the trainer lives. */
void trainer_features(struct trainer *t, const float *rows);

/* Who says what samples are worth (struct model, judge_samples). look: verdict on `count` samples of t's served weights, on the thread
 * that runs train_loop; the same for the same weights. */
struct judge_hook {
	void *ctx;
	int (*look)(void *ctx, struct trainer *t, size_t count, struct verdict *ret, struct err *err);
};
/* Before the first step, where there is a judge for the data set; without one the newest epoch is as good as any. */
void trainer_judge(struct trainer *t, const struct judge_hook *judge);
/* The best epoch without a sign of collapse, to which a roll-back would go; 0: none yet. */
int trainer_sound_epoch(const struct trainer *t);
/* Epochs are told apart by what `trainer_monitor` names; else the newest one is the best. */
bool trainer_monitored(const struct trainer *t);

const struct model *trainer_model(const struct trainer *t);
struct progress trainer_progress(const struct trainer *t);
struct best trainer_best(const struct trainer *t);
const char *trainer_monitor(const struct trainer *t); /* the family's; its first headline without validation */
/* What is validated, served and saved as the model: the live weights, or their running mean. */
const struct dataset *trainer_dataset(const struct trainer *t);
const real *trainer_weights(const struct trainer *t);
const struct code_stats *trainer_codes(const struct trainer *t);
/* All that a resume needs: model, optim.*, counters, tracker, codes.*. Points into the trainer. */
void trainer_state(struct trainer *t, struct state *ret);
/* From a saved state of an equal model. */
int trainer_restore(struct trainer *t, const struct state *saved, struct err *err);
/* The same of an earlier epoch: weights, moments and running statistics are taken over; the count of steps, what was best and who
 * was told stay. For hooks->recall. */
int trainer_roll_back(struct trainer *t, const struct state *saved, struct err *err);
/* Takes over from `params` (the family's struct) the rows that may change while a job runs, as of the step that follows step
 * number `step`. The epoch that has begun then is finished whatever `epochs` says. A loss that changes its meaning has its
 * best and its patience begin anew. */
void trainer_edit(struct trainer *t, const void *params, int64_t step);
/* Means over a whole split with weights w (NULL: the live ones), in the order of the family's series per epoch: `test{}` of the
 * job. */
int trainer_evaluate(
	struct trainer *t, enum split split, const real *w, double ret_mean[RESULT_PARTS], struct err *err);
/* The loss on the validation images beside that on as many training images, evenly spaced, both without augmentation, dropout
 * and batch statistics, so that the two compare. images 0: there is no validation. */
struct gap {
	size_t images;
	double train, val;
};
int trainer_gap(struct trainer *t, const real *w, struct gap *ret, struct err *err);

/* How often the images of each class of a split are taken for each class with weights w: ret_count[true * classes + predicted].
 * ERR_UNSUPPORTED for kinds that tell no classes apart. */
int trainer_confusion(struct trainer *t, enum split split, const real *w, int64_t *ret_count, struct err *err);

/* What poll may answer, or'ed. */
enum {
	LOOP_PUBLISH = 1, /* copy the weights for those who decode */
	LOOP_SAVE = 2,    /* checkpoint now */
	LOOP_STOP = 4,    /* leave at this step boundary, unfinished (the caller knows why) */
};

/* How the world takes part. Called on the thread that runs train_loop, between steps; each may be NULL. A non-OK result
 * ends the loop with that error. */
struct hooks {
	void *ctx;
	void (*point)(void *ctx, const struct point *p);
	/* What may be changed of a run (trainer_edit) is changed here: before each step, and once more when all are done: a run may
	 * get longer. */
	int (*edit)(void *ctx, struct trainer *t, struct err *err);
	unsigned (*poll)(void *ctx);
	/* Once when something goes wrong, and again only after it went better: after the points of the look. */
	void (*alert)(void *ctx, struct trainer *t, const struct alert *a);
	/* The state saved at that epoch's end, for trainer_roll_back. */
	int (*recall)(void *ctx, struct trainer *t, int epoch, struct err *err);
	/* Before the first step of this run, at each epoch's end, and when polled. */
	int (*publish)(void *ctx, struct trainer *t, struct err *err);
	/* Epoch 0 before the first step; of those that preview_every_epochs chooses the end, after publish, and where the family has
	 * looks_per_epoch the steps that part it so, evenly: `epoch` is the one that the last step belongs to. */
	int (*preview)(void *ctx, struct trainer *t, int epoch, struct err *err);
	/* epoch > 0: that epoch just ended (numbered, if checkpoint_every_epochs says so); 0: inside an epoch, when polled. */
	int (*save)(void *ctx, struct trainer *t, int epoch, struct err *err);
};

enum loop_end { LOOP_COMPLETED, LOOP_EARLY, LOOP_COLLAPSED, LOOP_STOPPED };

/* Trains from where the trainer stands to the last step, to the end of early stopping's patience, or until poll says stop. ERR_DIVERGED "non-finite loss at step
 * 1234" leaves the state of the step before; found at an epoch's end, nothing of that epoch is told or saved. Order at an
 * epoch's end: points → alert → publish → preview → save. */
int train_loop(struct trainer *t, const struct hooks *hooks, enum loop_end *ret_end, struct err *err);

#endif
