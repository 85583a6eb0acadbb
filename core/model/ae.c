/* ae.c: the autoencoder: an encoder to a few numbers, a mirrored decoder back to the picture, mean squared error between.
 *
 *   encoder  (Conv2d, act) per channel, Flatten, (Linear, act) per hidden, Linear(latent_dim)
 *   decoder  (Linear, act) per hidden backwards, Linear(flat), act, Unflatten, (ConvTranspose2d, act) …, Sigmoid
 *   loss     mean over images and pixels of (x - decode(encode(x)))^2
 */
#include "core/model/model.h"
#include "core/model/train.h"
#include "core/nn/layer.h"

#include <stdio.h>
#include <string.h>

enum { ENCODER, DECODER };
enum { KERNEL_MAX = 15, STRIDE_MAX = 8, PADDING_MAX = 14 };
/* Two rows per list entry, flatten or unflatten, the linear layer at the end. */
enum { ROWS_MAX = 4 * PARAM_INTS_MAX + 8 };

struct ae_params {
	struct train_params train;
	int64_t latent_dim;
	struct param_ints channels, kernel, stride, padding, hidden;
	int activation;
};

#define ACTIVATIONS "relu|leaky_relu|silu|tanh|sigmoid"
static const enum act activations[] = {ACT_RELU, ACT_LEAKY_RELU, ACT_SILU, ACT_TANH, ACT_SIGMOID};
static const double leaky_slope = 0.01; /* PyTorch's */

/* clang-format off */
static const struct param params[] = {
	{"latent_dim", PARAM_INT, offsetof(struct ae_params, latent_dim), "8", 1, LATENT_DIM_MAX, NULL, "net", "units",
		"Numbers that the encoder leaves of an image. Fewer: a coarser picture, a space easier to look at.", 0},
	{"channels", PARAM_INTS, offsetof(struct ae_params, channels), "8,16,32", 1, 1024, NULL, "net", NULL,
		"Output channels of each convolution of the encoder (the decoder mirrors them); empty: no convolutions.", 0},
	{"kernel", PARAM_INTS, offsetof(struct ae_params, kernel), "3", 1, KERNEL_MAX, NULL, "net", "pixels",
		"Kernel side of the convolutions: one for all, or one for each.", 1},
	{"stride", PARAM_INTS, offsetof(struct ae_params, stride), "2", 1, STRIDE_MAX, NULL, "net", "pixels",
		"Step of the convolutions: one for all, or one for each. 2 halves the picture.", 1},
	{"padding", PARAM_INTS, offsetof(struct ae_params, padding), "1,1,0", 0, PADDING_MAX, NULL, "net", "pixels",
		"Zeros around the input of the convolutions: one for all, or one for each. Left as it is, it goes with any number of "
		"convolutions: the last value holds for those that follow.", 1},
	{"hidden", PARAM_INTS, offsetof(struct ae_params, hidden), "64", 1, 8192, NULL, "net", "units",
		"Widths of the linear layers between the convolutions and the code; empty: none.", 0},
	{"activation", PARAM_ENUM, offsetof(struct ae_params, activation), "relu", 0, 0, ACTIVATIONS, "net", NULL,
		"Non-linearity after each layer but the last ones.", 0},
	TRAIN_PARAM_ROWS(struct ae_params),
	{0},
};
/* clang-format on */

static const struct preset presets[] = {
	{"default", "the report's net with our recipe: AdamW, warm-up, cosine to 0",
		"optimizer=adamw lr=8e-3 beta2=0.99 weight_decay=1e-5 schedule=cosine warmup_epochs=1"},
	{"report", "as the report trained it: Adam at a constant 1e-3", "optimizer=adam lr=1e-3 schedule=constant"},
	{0},
};

/* Test figure of the best constant picture. */
#define MEAN_IMAGE 0.0866, "mean image of Fashion-MNIST"

static const struct series series[] = {
	{"train_loss",
		"How far reconstructions are from the images of each training batch. It falls fast, then slowly; "
		"a linear model (PCA) with 8 components ends at 0.0266 on Fashion-MNIST.",
		"mean((x - decode(encode(x)))^2)", "squared error per pixel", {{MEAN_IMAGE}}, true},
	{"val_loss",
		"The same on images held out from training. Rising while train_loss falls: the net learns its training images "
		"by heart.",
		"mean((x - decode(encode(x)))^2)", "squared error per pixel", {{MEAN_IMAGE}}, false},
	{0},
};

/* --- plan: the encoder's rows from the lists, the decoder's from the encoder's sizes ----------------------------------- */

/* A convolution of the encoder and the map it sees. */
struct step_down {
	int in_c, in_h, in_w, out_c, out_h, out_w;
	int kernel, stride, padding;
	int output_padding; /* of the transposed convolution that gives the input's size back */
};

struct design {
	const struct ae_params *p;
	struct layer_spec act;
	struct step_down conv[PARAM_INTS_MAX];
	int convs, flat;
};

static bool same_ints(const struct param_ints *a, const struct param_ints *b)
{
	return a->n == b->n && !memcmp(a->v, b->v, (size_t)a->n * sizeof *a->v);
}

/* Each list has one value for all convolutions or one for each; a list nobody touched fits any depth. */
static int check_lists(const struct ae_params *p, struct err *err)
{
	static const char *const names[] = {"kernel", "stride", "padding"};
	struct ae_params defaults;
	param_defaults(params, &defaults);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const struct param *row = param_find(params, names[i]);
		const struct param_ints *list = param_ints(row, p);
		if (list->n == 1 || list->n == p->channels.n || same_ints(list, param_ints(row, &defaults)))
			continue;
		char pointer[32];
		snprintf(pointer, sizeof pointer, "#/params/%s", names[i]);
		return err_field(err, ERR_INVALID, pointer,
			"has %d values for %d convolutions; give one for all or one for each", list->n, p->channels.n);
	}
	return OK;
}

/* The value for convolution i: the last one goes on for all that follow. */
static int value(const struct param_ints *list, int i)
{
	return (int)list->v[i < list->n ? i : list->n - 1];
}

/* What stride and padding leave over at the far edge, which the mirror must add again. */
static int remainder_of(int size, const struct step_down *s)
{
	return (size + 2 * s->padding - s->kernel) % s->stride;
}

static int plan_conv(struct step_down *s, int number, struct err *err)
{
	int side = s->in_h < s->in_w ? s->in_h : s->in_w;
	if (s->kernel > side + 2 * s->padding)
		return err_field(err, ERR_INVALID, "#/params/kernel",
			"convolution %d: kernel %d does not fit its %dx%d input with padding %d", number, s->kernel, s->in_h,
			s->in_w, s->padding);
	s->output_padding = remainder_of(s->in_h, s);
	if (s->output_padding != remainder_of(s->in_w, s))
		return err_field(err, ERR_INVALID, "#/params/stride",
			"convolution %d: stride %d leaves over %d rows but %d columns of its %dx%d input, which no transposed "
			"convolution mirrors",
			number, s->stride, s->output_padding, remainder_of(s->in_w, s), s->in_h, s->in_w);
	s->out_h = (s->in_h + 2 * s->padding - s->kernel) / s->stride + 1;
	s->out_w = (s->in_w + 2 * s->padding - s->kernel) / s->stride + 1;
	if ((int64_t)s->out_c * s->out_h * s->out_w > LAYER_FEATURES_MAX)
		return err_field(err, ERR_INVALID, "#/params/channels", "convolution %d: %dx%dx%d values are more than %d",
			number, s->out_c, s->out_h, s->out_w, LAYER_FEATURES_MAX);
	return OK;
}

static int plan_convs(struct design *d, struct map image, struct err *err)
{
	const struct ae_params *p = d->p;
	int c = image.c, h = image.h, w = image.w;
	for (int i = 0; i < p->channels.n; i++) {
		struct step_down *s = &d->conv[d->convs++];
		*s = (struct step_down){.in_c = c,
			.in_h = h,
			.in_w = w,
			.out_c = value(&p->channels, i),
			.kernel = value(&p->kernel, i),
			.stride = value(&p->stride, i),
			.padding = value(&p->padding, i)};
		int code = plan_conv(s, i + 1, err);
		if (code)
			return code;
		c = s->out_c;
		h = s->out_h;
		w = s->out_w;
	}
	d->flat = c * h * w;
	return OK;
}

static int encoder_rows(const struct design *d, struct layer_spec *rows)
{
	int n = 0;
	for (int i = 0; i < d->convs; i++) {
		rows[n++] = CONV(d->conv[i].out_c, d->conv[i].kernel, d->conv[i].stride, d->conv[i].padding);
		rows[n++] = d->act;
	}
	rows[n++] = FLATTEN;
	for (int i = 0; i < d->p->hidden.n; i++) {
		rows[n++] = LINEAR(value(&d->p->hidden, i));
		rows[n++] = d->act;
	}
	rows[n++] = LINEAR((int)d->p->latent_dim);
	return n;
}

static int decoder_rows(const struct design *d, struct map image, struct layer_spec *rows)
{
	int n = 0;
	for (int i = d->p->hidden.n - 1; i >= 0; i--) {
		rows[n++] = LINEAR(value(&d->p->hidden, i));
		rows[n++] = d->act;
	}
	rows[n++] = LINEAR(d->flat);
	if (d->convs) {
		const struct step_down *last = &d->conv[d->convs - 1];
		rows[n++] = d->act;
		rows[n++] = UNFLATTEN(last->out_c, last->out_h, last->out_w);
	} else {
		rows[n++] = UNFLATTEN(image.c, image.h, image.w);
	}
	for (int i = d->convs - 1; i >= 0; i--) {
		const struct step_down *s = &d->conv[i];
		rows[n++] = CONV_TRANSPOSE(s->in_c, s->kernel, s->stride, s->padding, s->output_padding);
		if (i > 0)
			rows[n++] = d->act;
	}
	rows[n++] = ACTIVATION(ACT_SIGMOID);
	return n;
}

static int plan(struct model *m, struct err *err)
{
	struct design d = {.p = m->family_params};
	d.act = ACTIVATION(activations[d.p->activation]);
	d.act.alpha = leaky_slope;
	m->latent_dim = (int)d.p->latent_dim;
	int code = check_lists(d.p, err);
	if (!code)
		code = plan_convs(&d, m->image, err);
	struct layer_spec rows[ROWS_MAX];
	if (!code)
		code = model_add_net(m, "encoder", m->image, rows, encoder_rows(&d, rows), err);
	if (!code)
		code = model_add_net(
			m, "decoder", (struct map){m->latent_dim, 1, 1, 0}, rows, decoder_rows(&d, m->image, rows), err);
	return code;
}

/* --- the step ----------------------------------------------------------------------------------------------------------- */

static void load(const struct model *m, const struct block *b, struct block_result *r)
{
	(void)r;
	const struct net *enc = &m->net[ENCODER];
	b->kern->load_u8(net_input(enc, model_net_ws(m, b->ws, ENCODER)), &enc->in, b->images, b->lanes);
}

static void pass_code(const struct model *m, const struct block *b, struct block_result *r)
{
	(void)r;
	real *to = net_input(&m->net[DECODER], model_net_ws(m, b->ws, DECODER));
	memcpy(
		to, net_output(&m->net[ENCODER], model_net_ws(m, b->ws, ENCODER)), (size_t)m->latent_dim * LANES * sizeof *to);
}

static void pass_code_grad(const struct model *m, const struct block *b, struct block_result *r)
{
	(void)r;
	real *to = net_output_grad(&m->net[ENCODER], model_net_ws(m, b->ws, ENCODER));
	memcpy(to, net_input_grad(&m->net[DECODER], model_net_ws(m, b->ws, DECODER)),
		(size_t)m->latent_dim * LANES * sizeof *to);
}

/* sum over lanes and pixels of (y - x)^2, per pixel; the input that the encoder keeps is the target. */
static void loss(const struct model *m, const struct block *b, struct block_result *r)
{
	const struct net *enc = &m->net[ENCODER], *dec = &m->net[DECODER];
	real *ws = model_net_ws(m, b->ws, DECODER), *dy = b->training ? net_output_grad(dec, ws) : NULL;
	double pixels = map_features(&m->image);
	const struct loss_target target = {.t = net_input(enc, model_net_ws(m, b->ws, ENCODER)), .map = &enc->in};
	real scale = (real)(1 / (pixels * (double)b->batch));
	r->part[0] +=
		b->kern->loss(LOSS_MSE, dy, &dec->out, net_output(dec, ws), &dec->out, &target, scale, b->lanes) / pixels;
}

static const struct step_op step[] = {
	OP_CALL_OF(load),
	OP_FORWARD_OF(ENCODER),
	OP_CALL_OF(pass_code),
	OP_FORWARD_OF(DECODER),
	OP_LOSS_OF(loss),
	OP_BACKWARD_OF(DECODER, OP_INPUT_GRAD),
	OP_CALL_OF(pass_code_grad),
	OP_BACKWARD_OF(ENCODER, 0),
	{.kind = OP_END},
};

static const struct train_phase phases[] = {{step, ENCODER, 2}, {0}};

/* --- use ---------------------------------------------------------------------------------------------------------------- */

static void encode(
	const struct model *m, const struct kern *k, const real *w, real *ws, const float *images, int lanes, float *z)
{
	model_through(m, ENCODER, k, w, ws, images, lanes, z);
}

static void decode(
	const struct model *m, const struct kern *k, const real *w, real *ws, const float *z, int lanes, float *images)
{
	model_through(m, DECODER, k, w, ws, z, lanes, images);
}

const struct family family_ae = {
	.name = "ae",
	.blurb = "Autoencoder: learns to squeeze an image into a few numbers and to paint it again from them.",
	.params = params,
	.params_size = sizeof(struct ae_params),
	.presets = presets,
	.series = series,
	.auto_distribution = "gaussian_fit",
	.monitor = "val_loss",
	.plan = plan,
	.phases = phases,
	.encode = encode,
	.decode = decode,
};
