#include "core/model/mirror.h"

#include "core/model/train.h"
#include "core/nn/layer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A layer, its norm, activation and dropout per list entry, flatten or unflatten, the linear layer at the end. */
enum { ROWS_MAX = 4 * 2 * PARAM_INTS_MAX + 8 };

/* In the order of MIRROR_NORMS. */
enum norm { NORM_NONE, NORM_BATCH, NORM_GROUP };
enum { NORM_GROUPS = 8 };

/* In the order of MIRROR_ACTIVATIONS; the gated one, which is a layer of its own, behind them. */
static const enum act activations[] = {ACT_RELU, ACT_LEAKY_RELU, ACT_SILU, ACT_TANH, ACT_SIGMOID};
enum { GATED = sizeof activations / sizeof *activations };
static const double leaky_slope = 0.01; /* PyTorch's */

/* --- plan: the encoder's rows from the lists, the decoder's from the encoder's sizes ----------------------------------- */

/* A convolution of the encoder and the map it sees. */
struct step_down {
	int in_c, in_h, in_w, out_c, out_h, out_w;
	int kernel, stride, padding;
	int output_padding; /* of the transposed convolution that gives the input's size back */
};

struct design {
	const struct mirror_params *p;
	struct layer_spec act;
	int width; /* channels or units of a layer for each that its activation leaves */
	struct step_down conv[PARAM_INTS_MAX];
	int convs, flat;
};

static bool same_ints(const struct param_ints *a, const struct param_ints *b)
{
	return a->n == b->n && !memcmp(a->v, b->v, (size_t)a->n * sizeof *a->v);
}

/* Each list has one value for all convolutions or one for each; a list nobody touched fits any depth. */
static int check_list(const struct model *m, const char *name, int convs, const void *defaults, struct err *err)
{
	const struct param *row = param_find(m->family->params, name);
	const struct param_ints *list = param_ints(row, m->family_params);
	if (list->n == 1 || list->n == convs || same_ints(list, param_ints(row, defaults)))
		return OK;
	char pointer[32];
	snprintf(pointer, sizeof pointer, "#/params/%s", name);
	return err_field(err, ERR_INVALID, pointer, "has %d values for %d convolutions; give one for all or one for each",
		list->n, convs);
}

int mirror_check_lists(const struct model *m, int convs, struct err *err)
{
	static const char *const names[] = {"kernel", "stride", "padding"};
	void *defaults = family_params(m->family, NULL);
	int code = defaults ? OK : err_set(err, ERR_NO_MEMORY, "no memory for the parameters of a model");
	for (size_t i = 0; !code && i < sizeof names / sizeof *names; i++)
		code = check_list(m, names[i], convs, defaults, err);
	free(defaults);
	return code;
}

/* The value for convolution i: the last one goes on for all that follow. */
static int value(const struct param_ints *list, int i)
{
	return (int)param_ints_at(list, i);
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
			"convolution %d: kernel %d does not fit its %dx%d input with padding %d; padding %d there would do, or fewer "
			"channels",
			number, s->kernel, s->in_h, s->in_w, s->padding, (s->kernel - side + 1) / 2);
	s->output_padding = remainder_of(s->in_h, s);
	if (s->output_padding != remainder_of(s->in_w, s))
		return err_field(err, ERR_INVALID, "#/params/stride",
			"convolution %d: stride %d leaves over %d rows but %d columns of its %dx%d input, which no transposed "
			"convolution mirrors; stride 1 there would do",
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
	const struct mirror_params *p = d->p;
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

/* As many groups as divide the channels, up to NORM_GROUPS. */
static int groups_of(int channels)
{
	int groups = NORM_GROUPS;
	while (channels % groups)
		groups--;
	return groups;
}

int mirror_norm(int choice, int channels, struct layer_spec *row)
{
	if (choice == NORM_BATCH)
		*row = BATCH_NORM2D;
	else if (choice == NORM_GROUP)
		*row = GROUP_NORM(groups_of(channels));
	return choice != NORM_NONE;
}

/* What follows a hidden convolution. */
static int after_conv(const struct design *d, int channels, struct layer_spec *rows)
{
	int n = mirror_norm(d->p->norm, d->width * channels, rows);
	rows[n++] = d->act;
	if (d->p->dropout2d > 0)
		rows[n++] = DROPOUT2D(d->p->dropout2d);
	return n;
}

static int hidden_linear(const struct design *d, int units, struct layer_spec *rows)
{
	int n = 0;
	rows[n++] = LINEAR(d->width * units);
	rows[n++] = d->act;
	if (d->p->dropout > 0)
		rows[n++] = DROPOUT(d->p->dropout);
	return n;
}

static int encoder_rows(const struct design *d, int outputs, struct layer_spec *rows)
{
	int n = 0;
	for (int i = 0; i < d->convs; i++) {
		const struct step_down *s = &d->conv[i];
		rows[n++] = CONV(d->width * s->out_c, s->kernel, s->stride, s->padding);
		n += after_conv(d, s->out_c, rows + n);
	}
	rows[n++] = FLATTEN;
	for (int i = 0; i < d->p->hidden.n; i++)
		n += hidden_linear(d, value(&d->p->hidden, i), rows + n);
	rows[n++] = LINEAR(outputs);
	return n;
}

static int decoder_rows(const struct design *d, struct map image, struct layer_spec *rows)
{
	int n = 0;
	for (int i = d->p->hidden.n - 1; i >= 0; i--)
		n += hidden_linear(d, value(&d->p->hidden, i), rows + n);
	if (d->convs) {
		const struct step_down *last = &d->conv[d->convs - 1];
		n += hidden_linear(d, d->flat, rows + n);
		rows[n++] = UNFLATTEN(last->out_c, last->out_h, last->out_w);
	} else {
		rows[n++] = LINEAR(d->flat);
		rows[n++] = UNFLATTEN(image.c, image.h, image.w);
	}
	for (int i = d->convs - 1; i >= 0; i--) {
		const struct step_down *s = &d->conv[i];
		rows[n++] =
			CONV_TRANSPOSE(i > 0 ? d->width * s->in_c : s->in_c, s->kernel, s->stride, s->padding, s->output_padding);
		if (i > 0)
			n += after_conv(d, s->in_c, rows + n);
	}
	rows[n++] = ACTIVATION(ACT_SIGMOID);
	return n;
}

/* An option that no layer of the net would have is a misunderstanding. */
static int check_options(const struct mirror_params *p, struct err *err)
{
	if (!p->channels.n && p->norm != NORM_NONE)
		return err_field(
			err, ERR_INVALID, "#/params/norm", "must be none, as there are no convolutions: give channels");
	if (!p->channels.n && p->dropout2d > 0)
		return err_field(err, ERR_INVALID, "#/params/dropout2d",
			"must be 0, as there are no convolutions: give channels, or use dropout, got %g", p->dropout2d);
	if (!p->channels.n && !p->hidden.n && p->dropout > 0)
		return err_field(err, ERR_INVALID, "#/params/dropout",
			"must be 0, as there are no hidden linear layers: give hidden, got %g", p->dropout);
	return OK;
}

struct layer_spec mirror_activation(int choice)
{
	if (choice == GATED)
		return GLU;
	struct layer_spec act = ACTIVATION(activations[choice]);
	act.alpha = leaky_slope;
	return act;
}

int mirror_plan(struct model *m, const struct mirror_params *p, int outputs, struct err *err)
{
	struct design d = {.p = p, .act = mirror_activation(p->activation), .width = p->activation == GATED ? 2 : 1};
	int code = mirror_check_lists(m, p->channels.n, err);
	if (!code)
		code = check_options(p, err);
	if (!code)
		code = plan_convs(&d, m->image, err);
	struct layer_spec rows[ROWS_MAX];
	if (!code)
		code = model_add_net(m, "encoder", m->image, rows, encoder_rows(&d, outputs, rows), err);
	if (!code)
		code = model_add_net(
			m, "decoder", (struct map){m->latent_dim, 1, 1, 0}, rows, decoder_rows(&d, m->image, rows), err);
	return code;
}

/* --- use ---------------------------------------------------------------------------------------------------------------- */

void mirror_load(const struct model *m, const struct block *b, struct block_result *r)
{
	(void)r;
	b->kern->load_u8(model_input(m, b, ENCODER), &m->net[ENCODER].in, b->images, b->lanes);
}

double mirror_loss(const struct model *m, const struct block *b, enum loss loss, const real *x, real scale)
{
	const struct map *out = &m->net[DECODER].out;
	const struct loss_target target = {.t = x, .map = &m->net[ENCODER].in};
	real *dy = b->training ? model_output_grad(m, b, DECODER) : NULL;
	return b->kern->loss(loss, dy, out, model_output(m, b, DECODER), out, &target, scale, b->lanes);
}

void mirror_decode(
	const struct model *m, const struct kern *k, const real *w, real *ws, const float *z, int lanes, float *images)
{
	model_through(m, DECODER, k, w, ws, z, lanes, images);
}
