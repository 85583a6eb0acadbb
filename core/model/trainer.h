/* trainer.h: what a trainer is made of: for the files of this room only (train.c, step.c, codes.c, loop.c, mixture.c).
 *
 * Owner: one arena holds all of it; layout is the same code when measuring (trainer_bytes) and when filling.
 * Invariants: `step`, `track`, `watch` and `epoch_part` with weights, moments, mask and codes are the whole state; everything else follows
 * from the parameters, the seed and the data set. What is validated, served and saved as the model is `served`.
 */
#ifndef LATENTD_CORE_MODEL_TRAINER_H
#define LATENTD_CORE_MODEL_TRAINER_H

#include "core/base/arena.h"
#include "core/model/program.h"
#include "core/model/tracker.h"
#include "core/model/watch.h"

enum {
	GROUPS_MAX = 16,        /* gradient blocks of one batch */
	GROUP_BLOCKS = 2,       /* blocks that share one, in a small batch */
	GROUP_REALS = 32 << 20, /* large models have fewer gradient blocks, within this many reals … */
	GROUPS_LARGE = 4,       /* … but not fewer than this */
	UPDATE_GRAIN = 1 << 14, /* reals per task that adds up gradients and updates */
	SPAN_BLOCKS = 16,       /* blocks per task in passes without gradients */
	SPAN_IMAGES = SPAN_BLOCKS * LANES,
	MOMENTS_MAX = 2,
};

/* Where a group of blocks adds what it found. */
struct group {
	real *grad; /* model->params */
	double part[RESULT_PARTS];
	double *unit; /* [model->unit_sums] */
	struct place at; /* where its blocks stand */
	bool finite;     /* the gradient holds neither Inf nor NaN */
};

/* The lanes of a block. */
struct lanes {
	const uint8_t *image[LANES];
	uint8_t label[LANES];
	uint32_t index[LANES];
};

/* A weight that may go. */
struct prune_rank {
	real size;   /* its absolute value */
	uint32_t at; /* in the block of weights */
};

struct trainer {
	const struct model *m;
	const struct train_params *p;
	struct dataset *data;
	struct pool *pool;
	const struct kern *kern;
	uint64_t seed;
	struct arena arena;

	const float *features; /* rows of the training images, for cached phases; NULL: not worked out yet */
	float *own_features;   /* memory for them: [training and validation images][latent_dim] */
	/* what is trained on: positions in the train split */
	uint32_t *train, *val; /* ascending; both in one array of `split` order */
	size_t trains, vals, batch;
	size_t epoch_images; /* that the steps of an epoch see */
	int64_t steps_per_epoch;
	uint32_t *order;     /* of this epoch: a permutation of 0 … trains-1 */
	int64_t order_epoch; /* -1: none yet */

	struct optim optim;
	int moments, groups;
	real *w, *moment[MOMENTS_MAX], *sum; /* sum: gradient of the whole batch */
	double *square;                      /* [ranges of UPDATE_GRAIN]: of the gradient, where its norm is wanted */
	real *effective;                     /* [model->params], those of nets with a spectral norm; NULL: there are none */
	double grad_norm[PHASES_MAX];        /* of the last step's gradients, where it is wanted */
	struct group *group;                 /* [groups] */
	int spaces;                /* workspaces: a block's is a thread's, or its own where blocks wait for each other */
	real **ws;                 /* [spaces] */
	struct block *block;       /* [blocks of a batch] */
	struct lanes *lanes;       /* [blocks of a batch] */
	uint8_t *variants;         /* [blocks of a batch][LANES] images, where training images are augmented */
	struct net_run *runs;      /* [blocks of a batch], when these meet at a barrier */
	real *shared;              /* model_shared */
	real *new_buffers;         /* buffers behind w as this step would leave them */
	real *ema;                 /* running mean of w, buffers too; NULL: not kept */
	real *served;              /* ema, or w */
	uint8_t *mask;             /* [model->params]: 0 where pruned; NULL: nothing is */
	struct prune_rank *rank;   /* [model->params], where pruned */
	real *undo;                /* w and moments before this step, for kinds with several phases */
	struct block_result *span; /* [spans]: partial sums of a pass without gradients */
	double *unit;              /* [model->unit_sums]: of the last step or pass */
	char (*unit_name)[SERIES_NAME_MAX];

	/* statistics of the codes */
	size_t coded;    /* images they are taken over */
	float *code;     /* [coded][latent_dim] */
	double *centred; /* code - mean, a tile of units after the other: [tile][coded][TILE], 0 beyond latent_dim */
	uint32_t **sort; /* [pool threads][2 * coded] */
	float **rows;    /* [pool threads][LANES][pixels] */
	struct code_stats codes;

	struct judge_hook judge; /* look NULL: samples are not judged */
	struct verdict verdict;  /* of the last look; count 0: none */
	char share_name[VERDICT_CLASSES_MAX][SERIES_NAME_MAX];

	/* the state, beside weights, moments and codes */
	int64_t step; /* done */
	struct tracker track;
	double epoch_part[RESULT_PARTS]; /* sums over the training images of the epoch so far */
	double *epoch_unit;              /* likewise, [model->unit_sums] */
	struct watch watch;
};

/* One optimiser step on the batch that follows; ret_part: its sums over images. On failure nothing of the state changed. */
int trainer_step(struct trainer *t, double ret_part[RESULT_PARTS], struct err *err);
/* No weight is Inf or NaN. */
bool trainer_finite(const struct trainer *t);
/* Learning rate of the step that would follow. */
double trainer_lr(const struct trainer *t);
/* Images in the step that would follow. */
size_t trainer_next_batch(const struct trainer *t);

/* The optimiser that the parameters ask for. */
struct optim trainer_optim(const struct train_params *p);
/* A phase of the step that has this number (from 1) runs. */
bool trainer_due(const struct trainer *t, int phase, int64_t number);
/* New weights from the seed, the leading net at a tenth of its rate; the optimiser forgets. For runs that have no sound epoch to go
 * back to. */
void trainer_start_over(struct trainer *t);

/* Takes weights out as t->p->prune says for the end of this epoch; false: none was due. */
bool trainer_prune(struct trainer *t, int64_t epoch);
bool prune_due(const struct prune_params *p, int64_t epoch);
/* Share of the weights that may be pruned that are. */
double trainer_sparsity(const struct trainer *t);

/* The images that are trained on, then those held out, each ascending; order: memory for as many. */
void split_draw(uint32_t *ret_images, uint32_t *order, size_t trains, size_t vals, int64_t val_seed);

/* Sums over n images of a split without gradients; index NULL: the first n. */
void trainer_pass(
	struct trainer *t, enum split split, const uint32_t *index, size_t n, const real *w, double ret_part[RESULT_PARTS]);

/* The phases of the step that would follow. */
const struct train_phase *trainer_phases(const struct trainer *t);
/* No step so far has trained a net that cached phases take for granted. */
bool trainer_cached(const struct trainer *t);
/* Codes of all training and validation images with the weights as they are, into own_features. */
void trainer_take_features(struct trainer *t);
/* Statistics of the codes with the weights as they are. */
void trainer_take_codes(struct trainer *t);
/* Memory that this needs, from the trainer's arena. */
void codes_layout(struct trainer *t, struct arena *a, int latent_dim, size_t images, int threads);
/* mean, cov and quantile: what is saved. */
void code_stats_state(struct code_stats *c, struct state *s);
/* std, q01 and q99 from those. */
void code_stats_derive(struct code_stats *c);

#endif
