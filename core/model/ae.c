/* ae.c: the autoencoder: an encoder to a few numbers, a mirrored decoder back to the picture (mirror.h), mean squared error
 * between.
 *
 *   loss     mean over images and pixels of (x - decode(encode(x)))^2
 */
#include "core/model/mirror.h"
#include "core/model/train.h"

#include <string.h>

struct ae_params {
	struct train_params train;
	int64_t latent_dim;
	struct mirror_params mirror;
};

/* clang-format off */
static const struct param params[] = {
	{"latent_dim", PARAM_INT, offsetof(struct ae_params, latent_dim), "8", 1, LATENT_DIM_MAX, NULL, "net", "units",
		"Numbers that the encoder leaves of an image. Fewer: a coarser picture, a space easier to look at.", 0},
	MIRROR_PARAM_ROWS(struct ae_params, "8,16,32", "3", "2", "1,1,0", "64"),
	TRAIN_PARAM_ROWS(struct ae_params),
	{0},
};
/* clang-format on */

static const struct preset presets[] = {
	{"default", "the report's net with our recipe: AdamW, warm-up, cosine to 0",
		"optimizer=adamw lr=8e-3 beta2=0.99 weight_decay=1e-5 schedule=cosine warmup_epochs=1"},
	{"report", "as the report trained it: Adam at a constant 1e-3", "optimizer=adam lr=1e-3 schedule=constant"},
	{"report-literal", "the report's text word for word: padding 1 three times, linear layers 512-288-64-latent",
		"optimizer=adam lr=1e-3 schedule=constant padding=1 hidden=288,64"},
	{"mlp", "no convolutions: linear layers 784-256-128-latent with SiLU; the sharpest of these",
		"channels=- hidden=256,128 activation=silu optimizer=adamw lr=3e-3 weight_decay=1e-5 "
		"schedule=cosine warmup_epochs=1.5"},
	{"conv", "a larger convolutional net, 32-64-128 channels with GroupNorm and SiLU, a linear layer of 256; slow to train",
		"channels=32,64,128 kernel=4,4,3 padding=1 hidden=256 norm=group activation=silu optimizer=adamw lr=3e-3 "
		"weight_decay=1e-5 schedule=cosine warmup_epochs=1.5"},
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

static int plan(struct model *m, struct err *err)
{
	const struct ae_params *p = m->family_params;
	m->latent_dim = (int)p->latent_dim;
	return mirror_plan(m, &p->mirror, m->latent_dim, err);
}

/* --- the step ----------------------------------------------------------------------------------------------------------- */

static void pass_code(const struct model *m, const struct block *b, struct block_result *r)
{
	(void)r;
	real *to = model_input(m, b, DECODER);
	memcpy(to, model_output(m, b, ENCODER), (size_t)m->latent_dim * LANES * sizeof *to);
}

static void pass_code_grad(const struct model *m, const struct block *b, struct block_result *r)
{
	(void)r;
	real *to = model_output_grad(m, b, ENCODER);
	memcpy(to, model_input_grad(m, b, DECODER), (size_t)m->latent_dim * LANES * sizeof *to);
}

static void loss(const struct model *m, const struct block *b, struct block_result *r)
{
	double pixels = map_features(&m->image);
	r->part[0] += mirror_squared_error(m, b, (real)(1 / (pixels * (double)b->batch))) / pixels;
}

static const struct step_op step[] = {
	OP_CALL_OF(mirror_load),
	OP_FORWARD_OF(ENCODER),
	OP_CALL_OF(pass_code),
	OP_FORWARD_OF(DECODER),
	OP_LOSS_OF(loss),
	OP_BACKWARD_OF(DECODER, OP_INPUT_GRAD),
	OP_CALL_OF(pass_code_grad),
	OP_BACKWARD_OF(ENCODER, 0),
	{.kind = OP_END},
};

static const struct train_phase phases[] = {{step, ENCODER, MIRROR_NETS}, {0}};

/* --- use ---------------------------------------------------------------------------------------------------------------- */

static void encode(
	const struct model *m, const struct kern *k, const real *w, real *ws, const float *images, int lanes, float *z)
{
	model_through(m, ENCODER, k, w, ws, images, lanes, z);
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
	.decode = mirror_decode,
};
