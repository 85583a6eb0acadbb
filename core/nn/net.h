/* net.h: a net is an array of layer rows; planning it once gives shapes, offsets and sizes, running it touches no allocator.
 *
 * Why: shape mistakes die in net_plan, before a byte is allocated; weights live in one contiguous block per model, so
 * optimisers, checkpoints and copies walk arrays, not structures.
 * Owner: a struct net is plain data (no pointers to free), immutable after net_plan, shared by any number of threads;
 * weights, gradients and workspaces are the caller's.
 * Invariants: everything runs on one block of LANES samples (core/kern/kern.h); a workspace belongs to one running block. A
 * layer that needs the whole batch (batch norm) is a barrier: training stops there (net_forward_on) until net_settle has seen
 * every block.
 * Not here: batches, threads, losses over a batch (core/model).
 */
#ifndef LATENTD_CORE_NN_NET_H
#define LATENTD_CORE_NN_NET_H

#include "core/base/err.h"
#include "core/base/rng.h"
#include "core/kern/kern.h"

#include <stdbool.h>

enum { NET_LAYERS_MAX = 64 };

struct layer_op;

/* A row: what the user of a net writes. Fields that a kind does not use are 0. */
struct layer_spec {
	const struct layer_op *op;
	int out;                                     /* channels or features; unflatten: channels */
	int kernel, stride, padding, output_padding; /* convolutions */
	int height, width;                           /* unflatten */
	int groups;                                  /* group norm */
	int scale_factor;                            /* up-sampling */
	double p;                                    /* dropout: share that is dropped */
	bool no_bias;                                /* PyTorch's bias=False */
	bool spectral_norm;                          /* works with W / its largest singular value (spectral.h); conv and linear */
	double init_sd;                              /* weights begin as N(0, sd), a norm's as N(1, sd); 0: as PyTorch has it */
	enum act act;
	double alpha; /* LeakyReLU's slope */
};

#define CONV(o, k, s, p) \
	((struct layer_spec){.op = &layer_conv2d, .out = (o), .kernel = (k), .stride = (s), .padding = (p)})
#define CONV_TRANSPOSE(o, k, s, p, op_)                 \
	((struct layer_spec){.op = &layer_conv_transpose2d, \
		.out = (o),                                     \
		.kernel = (k),                                  \
		.stride = (s),                                  \
		.padding = (p),                                 \
		.output_padding = (op_)})
#define LINEAR(o) ((struct layer_spec){.op = &layer_linear, .out = (o)})
#define FLATTEN ((struct layer_spec){.op = &layer_flatten})
#define UNFLATTEN(c, h, w) ((struct layer_spec){.op = &layer_unflatten, .out = (c), .height = (h), .width = (w)})
#define GROUP_NORM(g) ((struct layer_spec){.op = &layer_group_norm, .groups = (g)})
#define MAX_POOL(k) ((struct layer_spec){.op = &layer_max_pool2d, .kernel = (k)})
#define AVG_POOL(k) ((struct layer_spec){.op = &layer_avg_pool2d, .kernel = (k)})
#define UPSAMPLE_NEAREST(f) ((struct layer_spec){.op = &layer_upsample_nearest, .scale_factor = (f)})
#define UPSAMPLE_BILINEAR(f) ((struct layer_spec){.op = &layer_upsample_bilinear, .scale_factor = (f)})
#define DROPOUT(p_) ((struct layer_spec){.op = &layer_dropout, .p = (p_)})
#define DROPOUT2D(p_) ((struct layer_spec){.op = &layer_dropout2d, .p = (p_)})
#define BATCH_NORM1D ((struct layer_spec){.op = &layer_batch_norm1d})
#define BATCH_NORM2D ((struct layer_spec){.op = &layer_batch_norm2d})
#define GLU ((struct layer_spec){.op = &layer_glu})
#define ACTIVATION(a) ((struct layer_spec){.op = &layer_activation, .act = (a)})

/* A planned row. */
struct layer {
	struct layer_spec spec;
	struct map in, out;     /* halos are settled by net_plan, when both neighbours are known */
	size_t weight, bias;    /* offsets in the net's block of parameters, in reals */
	size_t weights, biases; /* how many; 0: none */
	size_t buffer, buffers; /* offset and size of one buffer in the net's block of them; they follow each other */
	size_t u, v;            /* offsets of the singular vectors in that block, where it has a spectral norm … */
	size_t u_count, v_count; /* … and their sizes; 0: it has none */
	size_t x, y;            /* offsets of input and output in the workspace; equal for a layer that works in place */
	size_t dx, dy;          /* the same for their gradients, which lie where an activation is no longer needed */
	size_t keep, keeps;     /* private reals between forward and backward (SiLU's input, dropout's mask) */
	size_t scratch;         /* offset of the part that any layer may overwrite (transposes) */
	size_t shared;          /* offset in what the blocks of a batch share */
	int index;              /* in the net */
};

struct net {
	char name[24]; /* prefix of its tensors: "encoder" → "encoder.0.weight" */
	int n;
	struct layer layer[NET_LAYERS_MAX];
	struct map in, out;
	size_t params;      /* reals of weights and biases, rounded up to whole vectors */
	size_t buffers;     /* reals of running statistics, likewise: not trained, but part of the model */
	size_t workspace;   /* reals for one block, activations and gradients */
	size_t shared;      /* reals that the blocks of a batch have in common; 0: the net has no barrier */
	size_t one[2];      /* offsets of two places in the workspace for one sample by itself (net_forward_one) … */
	size_t one_scratch; /* … and of what its layers overwrite; 0: some layer goes through in blocks only */
	bool spectral;      /* some layer has a spectral norm */
	bool logits;        /* a step's loss takes what its last layer, an activation, takes: that is for those who use the net */
	double flops_fwd;   /* nominal, per sample: 2 per multiply-add, padded taps counted */
};

/* Works out every shape. On failure err names the layer in words a user understands ("conv 3: kernel 5 is larger than its
 * padded input 3x3"). `in.halo` is ignored. */
int net_plan(
	struct net *ret_net, const char *name, struct map in, const struct layer_spec *rows, int n, struct err *err);

/* One tensor of a net, named and shaped as PyTorch's nn.Sequential names and shapes it. */
struct net_tensor {
	char name[64];
	int rank;
	int64_t shape[4];
	bool buffer;          /* a running statistic, in the block of buffers; else in the block of parameters */
	size_t offset, count; /* in that block */
};
/* The i-th tensor (weight, bias, buffers; layers in order); false past the last. */
bool net_tensor(const struct net *net, int i, struct net_tensor *ret_tensor);
/* Number of weights and biases without the rounding. */
size_t net_parameters(const struct net *net);

/* PyTorch's default initialisation: U(±1/sqrt(fan_in)) for weights and biases, 1 and 0 for norms; means 0, variances 1. With
 * init_sd weights are normal (DCGAN's, Radford et al. 2016); singular vectors are found by power iteration.
 * Tensor i of the net uses stream RNG_INIT, step first_tensor + i. buffers may be NULL when net->buffers is 0. */
void net_init(const struct net *net, real *w, real *buffers, uint64_t seed, int first_tensor);

/* One block on its way through a net. */
struct net_run {
	const struct kern *kern;
	const real *w;       /* the net's parameters */
	real *dw;            /* gradients are added here; NULL: weights are frozen or no backward pass follows */
	const real *buffers; /* running statistics, read without `training` */
	real *new_buffers;   /* the same, moved by net_settle */
	real *ws;            /* net->workspace reals, 64-byte aligned, zero at first use */
	real *gs;        /* the same again for gradients, so that values survive the backward pass; NULL: they lie in ws */
	real *shared;    /* net->shared reals, of the whole batch */
	int lanes;       /* samples in this block */
	bool training;   /* dropout and batch statistics, where a net has them */
	bool logits;     /* leave the last layer out */
	bool tangent;    /* values are derivatives along a direction: no biases (net_tangent) */
	struct rng rng;  /* seed and step of this pass: a layer's masks are of step rng.step and its index */
	uint32_t sample; /* position in the batch of lane 0 */
};

/* Where the block's input goes and its output appears ([in] and [out] with their halos). */
real *net_input(const struct net *net, real *ws);
real *net_output(const struct net *net, real *ws);
/* Where the loss puts dL/doutput, and dL/dinput appears, in the same maps; of run->gs, or run->ws without. There a gradient
 * may share memory with the values it belongs to: the output is gone once its gradient is written element by element, and
 * so is the input after net_backward with need_dx. */
real *net_output_grad(const struct net *net, real *ws);
real *net_input_grad(const struct net *net, real *ws);

/* The same of a run that leaves the last layer out: [out] with that layer's halo. */
real *net_logits(const struct net *net, real *ws);
real *net_logits_grad(const struct net *net, real *ws);

/* For nets without a barrier, and for any without `training`. */
void net_forward(const struct net *net, const struct net_run *run);
/* After net_forward on the same workspace, with dL/doutput in place. need_dx: also leave dL/dinput. */
void net_backward(const struct net *net, const struct net_run *run, bool need_dx);

/* The same as far as the next barrier. `at`: NET_WHOLE, or what the call before returned, after net_settle. Returns the layer
 * that waits for the other blocks, or NET_WHOLE when the block is through. */
enum { NET_WHOLE = -1 };
int net_forward_on(const struct net *net, const struct net_run *run, int at);
int net_backward_on(const struct net *net, const struct net_run *run, bool need_dx, int at);
/* Every block of the batch (in order) waits at layer `at`: works out what they share, from all of them in that order. */
void net_settle(const struct net *net, const struct net_run *runs, int blocks, int at, bool backward);

/* One sample by itself: several times sooner than a block, with the same bits (but for the sign of a zero). x [in] and the
 * answer [out], which lies in the workspace, are in [c][h][w] order without halos. NULL: the net goes through in blocks only. */
const real *net_forward_one(const struct net *net, const struct net_run *run, const float *x);

/* Forward mode, for exact gradient penalties of piecewise linear nets without batch norm (Mescheder et al. 2018's R1). ts is a
 * workspace like ws, with the direction at net_input(net, ts); values of net_forward are in run->ws. */
void net_tangent(const struct net *net, const struct net_run *run, real *ts);
/* Then: adds to dw the gradient of <seed, J direction>, where run->gs holds the backward pass from `seed`. */
void net_tangent_grad(const struct net *net, const struct net_run *run, real *ts);

#endif
