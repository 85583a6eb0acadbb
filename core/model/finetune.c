/* finetune.c: a head that tells classes apart on the encoder of another model, which stands still or learns along.
 *
 *   encoder  the base's; of one that gives distributions the means only
 *   head     (Linear, ReLU) per entry of head, Dropout, Linear(classes)
 *   loss     cross entropy, as in classes.h
 *
 * While the encoder is frozen its codes are worked out once and a step costs the head alone. Codes are standardised by the base's
 * statistics, folded into the encoder's last layer when its weights are taken over: (z - mean) / std is a linear layer, too.
 */
#include "core/model/classes.h"
#include "core/nn/layer.h"

#include <stdlib.h>
#include <string.h>

enum { ENCODER, HEAD, NETS, ROWS_MAX = 2 * PARAM_INTS_MAX + 2 };

struct finetune_params {
	struct train_params train;
	struct param_ints head;
	bool freeze, standardize;
	int64_t unfreeze_after;
	double encoder_lr_scale, dropout;
	struct classes_params classes;
};

/* clang-format off */
static const struct param params[] = {
	{"head", PARAM_INTS, offsetof(struct finetune_params, head), "64,288", 1, 8192, NULL, "net", "units",
		"Widths of the linear layers between the codes and the one that gives a logit per class, with ReLU after each; empty: "
		"none, so that classes are told apart by planes.", 0},
	{"standardize", PARAM_BOOL, offsetof(struct finetune_params, standardize), "true", 0, 0, NULL, "net", NULL,
		"Shift and scale each unit of the code to mean 0 and deviation 1 over the training images. It becomes part of the encoder's "
		"last layer; false: the codes as the model gives them.", 0},
	{"freeze", PARAM_BOOL, offsetof(struct finetune_params, freeze), "true", 0, 0, NULL, "training", NULL,
		"Keep the encoder as it is and train the head only, on codes worked out once; false: train both. Augmentation needs the "
		"encoder, so it begins when that is trained.", 0},
	{"unfreeze_after", PARAM_INT, offsetof(struct finetune_params, unfreeze_after), "0", 0, 100000, NULL, "training", "epochs",
		"After so many epochs the frozen encoder is trained, too; 0: never.", 0},
	{"encoder_lr_scale", PARAM_REAL, offsetof(struct finetune_params, encoder_lr_scale), "0.1", 0, 10, NULL, "training", NULL,
		"Learning rate of an encoder that is trained, in shares of lr: it knows something already that large steps would spoil.", 0},
	{"dropout", PARAM_REAL, offsetof(struct finetune_params, dropout), "0", 0, 0.95, NULL, "training", NULL,
		"Share of the inputs of the last linear layer that training leaves out at random; 0 is off.", 0},
	CLASSES_PARAM_ROWS(struct finetune_params, "0"),
	TRAIN_PARAM_ROWS(struct finetune_params),
	{0},
};
/* clang-format on */

#define RECIPE "optimizer=adam schedule=linear epochs=20 batch_size=256"

static const struct preset presets[] = {
	{"class1", "two hidden layers, code-64-288-classes, on the frozen encoder", RECIPE " lr=3e-3"},
	{"class2", "one linear layer on the frozen encoder: what planes tell apart, with generalised cross entropy",
		RECIPE " lr=0.1 epochs=100 head=- gce_q=0.7"},
	{"full",
		"full fine-tuning: the encoder learns along at the rate of a head code-64-classes, on images mirrored and moved; the most "
		"accurate of these, and slow",
		"freeze=false encoder_lr_scale=1 head=64 optimizer=adamw lr=8e-3 weight_decay=0.05 schedule=one_cycle epochs=40 "
		"batch_size=128 augment=hflip,crop label_smoothing=0.1 ema=0.999"},
	{0},
};

static const struct series series[] = {CLASSES_SERIES_ROWS, {0}};

/* --- plan --------------------------------------------------------------------------------------------------------------- */

static int check_params(const struct finetune_params *p, struct err *err)
{
	if (!p->freeze && p->unfreeze_after)
		return err_field(err, ERR_INVALID, "#/params/unfreeze_after",
			"must be 0 where freeze is false: the encoder is trained from the first epoch on");
	if (p->freeze && p->train.prune.on)
		return err_field(err, ERR_INVALID, "#/params/prune",
			"must be null while freeze is true: a frozen encoder keeps its weights; set freeze to false");
	return OK;
}

/* The base's first net; of a last layer with more outputs than codes the rest is left out. */
static int add_encoder(struct model *m, const struct model *base, struct err *err)
{
	struct layer_spec rows[NET_LAYERS_MAX];
	const struct net *encoder = &base->net[0];
	for (int i = 0; i < encoder->n; i++)
		rows[i] = encoder->layer[i].spec;
	if (rows[encoder->n - 1].op != &layer_linear)
		return err_field(
			err, ERR_INVALID, "#/from", "a %s's encoder does not end in a linear layer", base->family->name);
	rows[encoder->n - 1].out = base->latent_dim;
	m->latent_dim = base->latent_dim;
	return model_add_net(m, "encoder", m->image, rows, encoder->n, err);
}

static int add_head(struct model *m, const struct finetune_params *p, struct err *err)
{
	struct layer_spec rows[ROWS_MAX];
	int n = 0;
	for (int i = 0; i < p->head.n; i++) {
		rows[n++] = LINEAR((int)p->head.v[i]);
		rows[n++] = ACTIVATION(ACT_RELU);
	}
	if (p->dropout > 0)
		rows[n++] = DROPOUT(p->dropout);
	rows[n++] = LINEAR(m->classes);
	return model_add_net(m, "head", (struct map){m->latent_dim, 1, 1, 0}, rows, n, err);
}

static int plan_with(struct model *m, struct model *base, struct err *err)
{
	int code = model_plan(base, m->base.family, m->base.params, m->image, m->classes, err);
	if (code)
		return code;
	code = add_encoder(m, base, err);
	model_free(base);
	return code;
}

static int plan(struct model *m, struct err *err)
{
	const struct finetune_params *p = m->family_params;
	int code = classes_check(m, &p->classes, err);
	if (!code)
		code = check_params(p, err);
	if (code)
		return code;
	struct model *base = malloc(sizeof *base); /* large for a stack */
	code = base ? plan_with(m, base, err) : err_set(err, ERR_NO_MEMORY, "no memory for the plan of a model");
	free(base);
	return code ? code : add_head(m, p, err);
}

/* --- what it begins with ------------------------------------------------------------------------------------------------ */

/* W' = W / std and b' = (b - mean) / std, row by row: the layer's outputs become standardised. */
static void fold_standardisation(const struct model *m, const struct code_stats *codes, real *w)
{
	const struct net *encoder = &m->net[ENCODER];
	const struct layer *last = &encoder->layer[encoder->n - 1];
	size_t inputs = last->weights / (size_t)m->latent_dim;
	for (int unit = 0; unit < m->latent_dim; unit++) {
		double scale = codes->std[unit] > 0 ? 1 / codes->std[unit] : 1;
		real *row = w + last->weight + (size_t)unit * inputs, *bias = w + last->bias + unit;
		for (size_t i = 0; i < inputs; i++)
			row[i] = (real)((double)row[i] * scale);
		*bias = (real)(((double)*bias - codes->mean[unit]) * scale);
	}
}

/* Tensors go by position; the last layer's may have more rows than are taken. */
static int adopt(const struct model *m, const struct model *base, const real *base_w, const struct code_stats *codes,
	real *w, struct err *err)
{
	const struct finetune_params *p = m->family_params;
	struct net_tensor mine, theirs;
	size_t to, from;
	for (int i = 0; model_tensor(m, ENCODER, i, &mine, &to); i++) {
		if (!model_tensor(base, 0, i, &theirs, &from) || mine.count > theirs.count || mine.rank != theirs.rank)
			return err_set(err, ERR_CORRUPT, "the encoder has another shape than it had");
		memcpy(w + to, base_w + from, mine.count * sizeof *w);
	}
	if (p->standardize)
		fold_standardisation(m, codes, w + m->net_offset[ENCODER]);
	return OK;
}

/* --- the step ----------------------------------------------------------------------------------------------------------- */

static void load_images(const struct model *m, const struct block *b, struct block_result *r)
{
	(void)r;
	b->kern->load_u8(model_input(m, b, ENCODER), &m->net[ENCODER].in, b->images, b->lanes);
}

static void load_codes(const struct model *m, const struct block *b, struct block_result *r)
{
	(void)r;
	size_t d = (size_t)m->latent_dim;
	float rows[LANES * LATENT_DIM_MAX];
	for (int l = 0; l < b->lanes; l++)
		memcpy(rows + (size_t)l * d, b->features + b->index[l] * d, d * sizeof *rows);
	b->kern->load_rows(model_input(m, b, HEAD), &m->net[HEAD].in, rows, b->lanes);
}

static void pass_code(const struct model *m, const struct block *b, struct block_result *r)
{
	(void)r;
	real *to = model_input(m, b, HEAD);
	memcpy(to, model_output(m, b, ENCODER), (size_t)m->latent_dim * LANES * sizeof *to);
}

static void pass_code_grad(const struct model *m, const struct block *b, struct block_result *r)
{
	(void)r;
	real *to = model_output_grad(m, b, ENCODER);
	memcpy(to, model_input_grad(m, b, HEAD), (size_t)m->latent_dim * LANES * sizeof *to);
}

static void loss(const struct model *m, const struct block *b, struct block_result *r)
{
	const struct finetune_params *p = m->family_params;
	classes_loss(m, b, HEAD, &p->classes, r);
}

static const struct step_op step[] = {
	OP_CALL_OF(load_images),
	OP_FORWARD_OF(ENCODER),
	OP_CALL_OF(pass_code),
	OP_FORWARD_OF(HEAD),
	OP_LOSS_OF(loss),
	OP_BACKWARD_OF(HEAD, OP_INPUT_GRAD),
	OP_CALL_OF(pass_code_grad),
	OP_BACKWARD_OF(ENCODER, 0),
	{.kind = OP_END},
};
static const struct step_op frozen_step[] = {
	OP_CALL_OF(load_codes),
	OP_FORWARD_OF(HEAD),
	OP_LOSS_OF(loss),
	OP_BACKWARD_OF(HEAD, 0),
	{.kind = OP_END},
};

static const struct train_phase phases[] = {{step, ENCODER, NETS}, {0}};
static const struct train_phase frozen_phases[] = {{frozen_step, HEAD, 1}, {0}};

static bool frozen(const struct model *m, int64_t epoch)
{
	const struct finetune_params *p = m->family_params;
	return p->freeze && (p->unfreeze_after == 0 || epoch < p->unfreeze_after);
}

static void pace(const struct model *m, int net, struct pace *ret)
{
	const struct finetune_params *p = m->family_params;
	if (net == ENCODER)
		*ret = (struct pace){.lr_scale = p->encoder_lr_scale, .first_epoch = p->unfreeze_after};
}

/* --- use ---------------------------------------------------------------------------------------------------------------- */

static void encode(
	const struct model *m, const struct kern *k, const real *w, real *ws, const float *images, int lanes, float *z)
{
	model_through(m, ENCODER, k, w, ws, images, lanes, z);
}

static void logits(
	const struct model *m, const struct kern *k, const real *w, real *ws, const float *images, int lanes, float *rows)
{
	float z[LANES * LATENT_DIM_MAX];
	encode(m, k, w, ws, images, lanes, z);
	model_through(m, HEAD, k, w, ws, z, lanes, rows);
}

const struct family family_finetune = {
	.name = "finetune",
	.blurb = "Fine-tuning: learns to tell classes apart from the codes of a trained encoder, which may learn along.",
	.params = params,
	.params_size = sizeof(struct finetune_params),
	.presets = presets,
	.series = series,
	.monitor = "val_loss",
	.plan = plan,
	.phases = phases,
	.cached_phases = frozen_phases,
	.cached = frozen,
	.pace = pace,
	.adopt = adopt,
	.encode = encode,
	.logits = logits,
};
