/* layer.h: what a layer kind is: one row of functions.
 *
 * Adding a kind: write the functions in layer_<group>.c, one LAYERS row here; the gradient check, the PyTorch printer test
 * and the bench walk the rows.
 */
#ifndef LATENTD_CORE_NN_LAYER_H
#define LATENTD_CORE_NN_LAYER_H

#include "core/nn/net.h"

#include "core/base/buf.h"

/* How a layer sees a whole batch: each block tells what it has (into its workspace), settle makes one of all (in run->shared)
 * before fwd or bwd goes on. */
struct barrier_op {
	void (*fwd_gather)(const struct layer *l, const struct net_run *run);
	void (*fwd_settle)(const struct layer *l, const struct net_run *runs, int blocks);
	void (*bwd_gather)(const struct layer *l, const struct net_run *run);
	void (*bwd_settle)(const struct layer *l, const struct net_run *runs, int blocks);
};

struct layer_op {
	const char *name; /* PyTorch's: "Conv2d" */
	const char *word; /* in messages: "conv" */
	/* Element by element: input and output share one layout, and backward needs the output instead of the input. Its output
	 * overwrites its input, unless somebody still needs that. Other kinds need their input in backward, not their output. */
	bool elementwise;
	bool vectors; /* input and output without halo */
	/* Fills l->out (layer_set_out) from l->in and l->spec, and says what halo that the layer needs around its input
	 * (forward) and around its output's gradient (backward). */
	int (*plan)(struct layer *l, int *ret_halo_in, int *ret_halo_out, struct err *err);
	void (*fwd)(const struct layer *l, const struct net_run *run);
	/* Leaves dx; Called after `grad`: dx may lie where x was. */
	void (*bwd)(const struct layer *l, const struct net_run *run);
	/* Adds dL/dw and dL/db, without biases in a tangent run. NULL: no weights. */
	void (*grad)(const struct layer *l, const struct net_run *run);
	/* One sample by itself, without `training`: x [in] of [c][h][w] to [out], in x's own place or in `to`; returns which. NULL:
	 * this kind goes through in blocks only. */
	real *(*one)(const struct layer *l, const struct net_run *run, real *x, real *to, real *scratch);
	size_t (*one_scratch)(const struct layer *l); /* reals that it overwrites; NULL: none */
	/* Derivative of y along that of x, both in ts; NULL: `fwd` is linear but for its bias. */
	void (*tangent)(const struct layer *l, const struct net_run *run, real *ts);
	const struct barrier_op *barrier; /* NULL: each block goes through by itself */
	/* Shape of the weight tensor in PyTorch's order; returns the rank. NULL: no weights. The bias has layer_units elements. */
	int (*weight_shape)(const struct layer *l, int64_t shape[4]);
	double (*fan_in)(const struct layer *l);  /* NULL: weights begin as 1, biases as 0 */
	const char *buffer[3];                    /* names of its buffers of in.c reals, until NULL; they begin as 0, 1 */
	size_t (*shared)(const struct layer *l);  /* reals of run->shared; NULL: none */
	size_t (*keep)(const struct layer *l);    /* reals kept from forward to backward (halos are known); NULL: none */
	size_t (*scratch)(const struct layer *l); /* reals that it overwrites from l->scratch on; NULL: none */
	double (*flops)(const struct layer *l);   /* nominal forward FLOPs per sample; NULL: not counted */
	/* The row as a line of PyTorch: "nn.Conv2d(1, 8, 3, stride=2, padding=1)". */
	void (*print)(const struct layer *l, struct buf *text);
};

/* What one dimension may be, and the values of one sample's map. */
enum { LAYER_DIM_MAX = 65536, LAYER_FEATURES_MAX = 1 << 24 };
/* l->out = {c, h, w} if each is in range; else ERR_INVALID. */
int layer_set_out(struct layer *l, int64_t c, int64_t h, int64_t w, struct err *err);
/* ERR_INVALID "kernel must be 1..65536, got 0" unless low <= value <= LAYER_DIM_MAX. */
int layer_check(const char *what, int value, int low, struct err *err);

/* Elements of its bias: the outputs, or the channels of a norm. */
int layer_units(const struct layer *l);
/* Reals from one of its buffers to the next. */
size_t layer_buffer_pitch(const struct layer *l);

/* Where a layer finds its things in a run. */
static inline real *layer_x(const struct layer *l, const struct net_run *run)
{
	return run->ws + l->x;
}

static inline real *layer_y(const struct layer *l, const struct net_run *run)
{
	return run->ws + l->y;
}

static inline real *layer_dx(const struct layer *l, const struct net_run *run)
{
	return (run->gs ? run->gs : run->ws) + l->dx;
}

static inline real *layer_dy(const struct layer *l, const struct net_run *run)
{
	return (run->gs ? run->gs : run->ws) + l->dy;
}

static inline const real *layer_bias(const struct layer *l, const struct net_run *run)
{
	return l->biases && !run->tangent ? run->w + l->bias : NULL;
}

/* db of l, where it has one and it is wanted. */
void layer_bias_grad(const struct layer *l, const struct net_run *run);

#define LAYERS(X)                                                                                                   \
	X(layer_conv2d)                                                                                                 \
	X(layer_conv_transpose2d)                                                                                       \
	X(layer_linear) X(layer_activation) X(layer_flatten) X(layer_unflatten) X(layer_batch_norm1d)                   \
		X(layer_batch_norm2d) X(layer_group_norm) X(layer_max_pool2d) X(layer_avg_pool2d) X(layer_upsample_nearest) \
			X(layer_upsample_bilinear) X(layer_dropout) X(layer_dropout2d) X(layer_glu)

#define X(op) extern const struct layer_op op;
LAYERS(X)
#undef X

#endif
