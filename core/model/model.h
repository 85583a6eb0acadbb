/* model.h: a model is what a family's params (family.h) and an image shape say.
 *
 * Owner: struct model is plain data after model_plan (its params are a private copy; model_free gives them back), shared by
 * any number of threads. Weights are one block of model_reals, the caller's: a trainer's live one or a published copy.
 * Invariants: block = parameters of the nets in order, then their buffers (running statistics), each net's on a whole-vector
 * boundary.
 * Not here: optimiser state and batches (train.h), files (state.h).
 */
#ifndef LATENTD_CORE_MODEL_MODEL_H
#define LATENTD_CORE_MODEL_MODEL_H

#include "core/data/dataset.h"
#include "core/model/family.h"
#include "core/model/train_params.h"
#include "core/nn/net.h"

/* What a model that goes on from another one must know of it. */
struct model_base {
	const struct family *family; /* NULL: it stands alone */
	void *params;
};

struct model {
	const struct family *family;
	void *family_params;    /* private copy of the struct the family's rows describe */
	struct model_base base; /* likewise */
	struct map image;       /* c, h, w; halo 0 */
	int latent_dim;         /* 0: no code */
	int classes;
	int nets;
	struct net net[MODEL_NETS_MAX];
	size_t net_offset[MODEL_NETS_MAX];    /* of its parameters in the block of weights */
	size_t buffer_offset[MODEL_NETS_MAX]; /* of its buffers behind all parameters */
	size_t params, buffers;               /* reals of all parameters, of all buffers */
	size_t judge_samples;                 /* at an epoch's end, which is then judged by `monitor` (trainer_judge); a tenth at each look; set by plan */
	size_t extra;                         /* reals a block needs between its nets (noise), set by plan */
	int unit_sums;                        /* of struct block_result, set by plan */
	bool carries;                         /* a phase goes on from what the one before left in each block's workspace, set by plan */
	bool settles;                         /* the blocks of a batch meet at OP_SETTLE rows, set by plan */
};

/* ERR_INVALID with pointer "#/params/…" where a net cannot be built or is too large. */
int model_plan(
	struct model *ret, const struct family *f, const void *params, struct map image, int classes, struct err *err);
/* The same for a kind that goes on from a model of `base`, whose params are copied. ERR_INVALID with pointer "#/from" where
 * there is none and one is needed, and the other way round. */
int model_plan_on(struct model *ret, const struct family *f, const void *params, const struct model_base *base,
	struct map image, int classes, struct err *err);
/* With copies of its own; model_free gives them back. */
int model_copy(struct model *ret, const struct model *m, struct err *err);
void model_free(struct model *m);
const struct train_params *model_train(const struct model *m);
size_t model_parameters(const struct model *m); /* weights and biases that are trained */
size_t model_reals(const struct model *m);      /* of a block of weights: parameters and buffers, padding included */
double model_flops(const struct model *m);      /* forward, per sample */
/* Nominal FLOPs of one training step per sample, as the first epoch takes it: 2 per multiply-add, padded taps counted; nothing
 * else is. */
double model_train_flops(const struct model *m);
/* There are codes of images, with statistics; else, where it decodes, a code is standard normal. */
bool model_has_codes(const struct model *m);
struct pace model_pace(const struct model *m, int net);
/* Appends a net to the plan (for family->plan). */
int model_add_net(
	struct model *m, const char *name, struct map in, const struct layer_spec *rows, int n, struct err *err);
void model_init(const struct model *m, real *w, uint64_t seed);
/* Reals of workspace that encode, decode or block need: all nets' together, one block. Zero at first use. */
size_t model_workspace(const struct model *m);
/* The workspace of net i inside ws. */
real *model_net_ws(const struct model *m, real *ws, int i);
/* The model->extra reals inside ws. */
real *model_extra(const struct model *m, real *ws);
/* Reals that the blocks of a batch share; 0: no net has a barrier. */
size_t model_shared(const struct model *m);
/* Net i's part of what a block works with. */
struct net_run model_net_run(const struct model *m, const struct block *b, int i);
/* Where net i of a block takes its values in and leaves them; in training, where their slopes are. [features][LANES], halo as
 * its maps say. Of a net whose loss takes logits (net->logits) these are its output here. */
real *model_input(const struct model *m, const struct block *b, int i);
real *model_output(const struct model *m, const struct block *b, int i);
real *model_input_grad(const struct model *m, const struct block *b, int i);
real *model_output_grad(const struct model *m, const struct block *b, int i);
/* Standard normal noise of a block's samples, [units][LANES]: element (sample, unit) of stream RNG_NOISE at the block's step,
 * whichever block the sample is in. units: up to LATENT_DIM_MAX. */
void model_noise(const struct block *b, int units, real *ret_noise);
/* `lanes` rows of [in] values through net i by itself, without gradients, to as many of [out]: what most of encode and decode
 * is. One row takes the way of one sample where the net has it. */
void model_through(const struct model *m, int i, const struct kern *k, const real *w, real *ws, const float *rows,
	int lanes, float *ret_rows);
/* The i-th tensor of net n and where it lies in a block of weights; false past the last. */
bool model_tensor(const struct model *m, int n, int i, struct net_tensor *ret_tensor, size_t *ret_offset);

/* n rows, a block at a time, on the calling thread. z is [n][latent_dim], images [n][c*h*w] in [0,1].
 * ERR_UNSUPPORTED "an ae has no …; abilities: …" when the family lacks the ability. */
int model_encode(const struct model *m, const struct kern *k, const real *w, real *ws, const float *images, size_t n,
	float *z, struct err *err);
int model_decode(const struct model *m, const struct kern *k, const real *w, real *ws, const float *z, size_t n,
	float *images, struct err *err);
/* mu and logvar are [n][latent_dim]. */
int model_posterior(const struct model *m, const struct kern *k, const real *w, real *ws, const float *images, size_t n,
	float *mu, float *logvar, struct err *err);
/* Softmax of the logits: probabilities is [n][classes]. */
int model_classify(const struct model *m, const struct kern *k, const real *w, real *ws, const float *images, size_t n,
	float *probabilities, struct err *err);
/* The class of a row of [classes] logits or probabilities: the first of the largest. */
int model_class(const struct model *m, const float *row);
/* decode(encode(images)). */
int model_reconstruct(const struct model *m, const struct kern *k, const real *w, real *ws, const float *images,
	size_t n, float *out, struct err *err);

#endif
