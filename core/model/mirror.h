/* mirror.h: an encoder of convolutions and the decoder that mirrors it: what kinds with a code build on.
 *
 *   encoder  (Conv2d, norm, act, Dropout2d) per channel, Flatten, (Linear, act, Dropout) per hidden, Linear(outputs)
 *   decoder  (Linear, act, Dropout) per hidden backwards, Linear(flat), act, Dropout, Unflatten,
 *            (ConvTranspose2d, norm, act, Dropout2d) …, ConvTranspose2d, Sigmoid
 *
 * A gated activation is a layer of twice the width, then GLU.
 *
 * Norms and dropouts are there only where they are asked for, so that names of tensors count as nn.Sequential would.
 *
 * Use: a family's params struct has a `struct mirror_params mirror`, its table the rows of MIRROR_PARAM_ROWS with defaults of
 * its own, its plan calls mirror_plan; step and callbacks are made of the functions below and what the kind does to the code.
 * Invariants: the decoder ends in the shape that the encoder began with, whatever the lists say, or the plan fails.
 * Not here: what lies between the two nets, and the weight of the loss (the families).
 */
#ifndef LATENTD_CORE_MODEL_MIRROR_H
#define LATENTD_CORE_MODEL_MIRROR_H

#include "core/model/model.h"

/* The nets of a mirrored model, in order. */
enum { ENCODER, DECODER, MIRROR_NETS };

enum { MIRROR_KERNEL_MAX = 15, MIRROR_STRIDE_MAX = 8, MIRROR_PADDING_MAX = 14 };

struct mirror_params {
	struct param_ints channels, kernel, stride, padding, hidden;
	int activation; /* index in MIRROR_ACTIVATIONS; glu behind them */
	int norm;       /* index in MIRROR_NORMS */
	double dropout, dropout2d;
};

#define MIRROR_ACTIVATIONS "relu|leaky_relu|silu|tanh|sigmoid"
#define MIRROR_NORMS "none|batch|group"

/* clang-format off */
#define MIRROR_PARAM_ROWS(S, CHANNELS, KERNEL, STRIDE, PADDING, HIDDEN) \
	{"channels", PARAM_INTS, offsetof(S, mirror.channels), CHANNELS, 1, 1024, NULL, "net", NULL, \
		"Output channels of each convolution of the encoder (the decoder mirrors them); empty: no convolutions.", 0}, \
	{"kernel", PARAM_INTS, offsetof(S, mirror.kernel), KERNEL, 1, MIRROR_KERNEL_MAX, NULL, "net", "pixels", \
		"Kernel side of the convolutions: one for all, or one for each.", 1}, \
	{"stride", PARAM_INTS, offsetof(S, mirror.stride), STRIDE, 1, MIRROR_STRIDE_MAX, NULL, "net", "pixels", \
		"Step of the convolutions: one for all, or one for each. 2 halves the picture.", 1}, \
	{"padding", PARAM_INTS, offsetof(S, mirror.padding), PADDING, 0, MIRROR_PADDING_MAX, NULL, "net", "pixels", \
		"Zeros around the input of the convolutions: one for all, or one for each. Left as it is, it goes with any number of " \
		"convolutions: the last value holds for those that follow.", 1}, \
	{"hidden", PARAM_INTS, offsetof(S, mirror.hidden), HIDDEN, 1, 8192, NULL, "net", "units", \
		"Widths of the linear layers between the convolutions and the code; empty: none.", 0}, \
	{"activation", PARAM_ENUM, offsetof(S, mirror.activation), "relu", 0, 0, MIRROR_ACTIVATIONS "|glu", "net", NULL, \
		"Non-linearity after each layer but the last ones. glu: gated layers of twice the width, whose second half says, by a " \
		"sigmoid, how much of the first passes (Linear, GLU).", 0}, \
	{"norm", PARAM_ENUM, offsetof(S, mirror.norm), "none", 0, 0, MIRROR_NORMS, "net", NULL, \
		"Between each convolution (but the last of the decoder) and its activation: BatchNorm2d, or GroupNorm with 8 groups " \
		"(with the most that divide the channels, where 8 do not).", 0}, \
	{"dropout", PARAM_REAL, offsetof(S, mirror.dropout), "0", 0, 0.99, NULL, "net", NULL, \
		"Share of values that training drops after each hidden linear layer's activation, scaling up the others (Dropout); " \
		"0 is off.", 0, .fork = PARAM_FORK_FREE}, \
	{"dropout2d", PARAM_REAL, offsetof(S, mirror.dropout2d), "0", 0, 0.99, NULL, "net", NULL, \
		"Share of whole channels that training drops after each convolution's activation (Dropout2d); 0 is off.", 0, .fork = PARAM_FORK_FREE}
/* clang-format on */

/* Adds both nets: an encoder to `outputs` values, a decoder from m->latent_dim. ERR_INVALID with the pointer of the list that
 * does not fit. */
int mirror_plan(struct model *m, const struct mirror_params *p, int outputs, struct err *err);

/* The row of an index in MIRROR_ACTIVATIONS, or of the gated unit behind them. */
struct layer_spec mirror_activation(int choice);
/* The row of an index in MIRROR_NORMS over so many channels; returns how many rows that is, 0 or 1. */
int mirror_norm(int choice, int channels, struct layer_spec *row);
/* The family's parameters kernel, stride and padding: each has one value for all convolutions or one for each; a list nobody
 * touched fits any depth. ERR_INVALID names the one that does not. */
int mirror_check_lists(const struct model *m, int convs, struct err *err);

/* For OP_CALL: the block's images, into the encoder. */
void mirror_load(const struct model *m, const struct block *b, struct block_result *r);
/* The sum over lanes and pixels of the loss between what the decoder made and the images x, laid out as the encoder's input
 * (which mirror_load leaves in model_input(m, b, ENCODER)). In training also scale times its slope, at the decoder's output.
 * LOSS_BCE is for a decoder whose plan said `logits`. */
double mirror_loss(const struct model *m, const struct block *b, enum loss loss, const real *x, real scale);

/* For struct family. */
void mirror_decode(
	const struct model *m, const struct kern *k, const real *w, real *ws, const float *z, int lanes, float *images);

#endif
