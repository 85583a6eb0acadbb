/* ae.c: the autoencoder: an encoder to a few numbers, a mirrored decoder back to the picture (mirror.h), mean squared error
 * between.
 *
 *   loss     mean over images and pixels of (x - decode(encode(x)))^2
 *
 * A denoising one (Vincent et al. 2010) encodes, in training, a picture that was spoilt, and must paint the clean one.
 */
#include "core/model/mirror.h"
#include "core/model/train.h"

#include <string.h>

struct ae_params {
	struct train_params train;
	int64_t latent_dim;
	struct mirror_params mirror;
	double denoise, denoise_mask;
};

/* clang-format off */
static const struct param params[] = {
	{"latent_dim", PARAM_INT, offsetof(struct ae_params, latent_dim), "8", 1, LATENT_DIM_MAX, NULL, "net", "units",
		"Numbers that the encoder leaves of an image. Fewer: a coarser picture, a space easier to look at.", 0},
	MIRROR_PARAM_ROWS(struct ae_params, "8,16,32", "3", "2", "1,1,0", "64"),
	{"denoise", PARAM_REAL, offsetof(struct ae_params, denoise), "0", 0, 10, NULL, "training", NULL,
		"Standard deviation of the normal noise that each training step adds to the pixels (0 to 1) it encodes; the clean image "
		"is the target, and validation sees clean images. 0.1 to 0.3 is usual; 0 is off.", 0},
	{"denoise_mask", PARAM_REAL, offsetof(struct ae_params, denoise_mask), "0", 0, 0.99, NULL, "training", NULL,
		"Share of the pixels that each training step sets to 0 in what it encodes, drawn anew; the clean image is the target. "
		"0.25 is usual; 0 is off.", 0},
	TRAIN_PARAM_ROWS(struct ae_params),
	{0},
};
/* clang-format on */

#define GROUPED_CONV                                                                                          \
	"kernel=4,4,3 padding=1 hidden=256 norm=group activation=silu optimizer=adamw lr=6e-3 weight_decay=1e-5 " \
	"schedule=cosine warmup_epochs=1.5"

static const struct preset presets[] = {
	{"default", "the report's net with our recipe: AdamW, warm-up, cosine to 0",
		"optimizer=adamw lr=8e-3 beta2=0.99 weight_decay=1e-5 schedule=cosine warmup_epochs=1"},
	{"report", "as the report trained it: Adam at a constant 1e-3", "optimizer=adam lr=1e-3 schedule=constant"},
	{"report-literal", "the report's text word for word: padding 1 three times, linear layers 512-288-64-latent",
		"optimizer=adam lr=1e-3 schedule=constant padding=1 hidden=288,64"},
	{"mlp", "no convolutions: linear layers 784-256-128-latent with SiLU",
		"channels=- hidden=256,128 activation=silu optimizer=adamw lr=3e-3 weight_decay=1e-5 "
		"schedule=cosine warmup_epochs=1.5"},
	{"conv-small",
		"convolutions of 16, 32 and 64 channels with GroupNorm and SiLU, a linear layer of 256; sharper than mlp",
		GROUPED_CONV " channels=16,32,64"},
	{"conv", "the same, twice as wide: slow to train", GROUPED_CONV " channels=32,64,128"},
	{0},
};

/* Test figure of the best constant picture. */
#define MEAN_IMAGE 0.0866, "mean image of Fashion-MNIST"

static const struct series series[] = {
	{"train_loss",
		"How far reconstructions are from the images of each training batch. It falls fast, then slowly; "
		"a linear model (PCA) with 8 components ends at 0.0266 on Fashion-MNIST.",
		"mean((x - decode(encode(x)))^2)", "squared error per pixel", {{MEAN_IMAGE}}, true, .headline = true},
	{"val_loss",
		"The same on images held out from training. Rising while train_loss falls: the net learns its training images "
		"by heart.",
		"mean((x - decode(encode(x)))^2)", "squared error per pixel", {{MEAN_IMAGE}}, false, .headline = true},
	{0},
};

static bool spoils(const struct ae_params *p)
{
	return p->denoise > 0 || p->denoise_mask > 0;
}

static int plan(struct model *m, struct err *err)
{
	const struct ae_params *p = m->family_params;
	m->latent_dim = (int)p->latent_dim;
	int code = mirror_plan(m, &p->mirror, m->latent_dim, err);
	if (!code && spoils(p))
		m->extra = map_reals(&m->net[ENCODER].in) + (size_t)map_features(&m->image);
	return code;
}

/* --- the step ----------------------------------------------------------------------------------------------------------- */

/* Noise for one image: drawn for (seed, step, its place in the batch, pixel). */
static void spoil(const struct model *m, const struct block *b, int lane, float *drawn)
{
	const struct ae_params *p = m->family_params;
	const struct map *map = &m->net[ENCODER].in;
	const size_t pixels = (size_t)map_features(map);
	struct rng r = {.seed = b->rng.seed, .step = b->rng.step << 16 | (b->sample + (uint32_t)lane)};
	real *x = model_input(m, b, ENCODER) + lane;
	if (p->denoise > 0) {
		r.stream = RNG_DENOISE;
		rng_normal(drawn, pixels, r);
		for (size_t i = 0; i < pixels; i++)
			x[map_feature(map, (int)i)] += (real)p->denoise * (real)drawn[i];
	}
	if (p->denoise_mask > 0) {
		r.stream = RNG_MASK;
		rng_uniform(drawn, pixels, r, 0, 1);
		for (size_t i = 0; i < pixels; i++)
			if ((double)drawn[i] < p->denoise_mask)
				x[map_feature(map, (int)i)] = 0;
	}
}

/* The clean images, laid out as the encoder's input. */
static real *clean(const struct model *m, const struct block *b)
{
	return b->training && spoils(m->family_params) ? model_extra(m, b->ws) : model_input(m, b, ENCODER);
}

static void load(const struct model *m, const struct block *b, struct block_result *r)
{
	const real *x = model_input(m, b, ENCODER);
	real *kept = clean(m, b);
	mirror_load(m, b, r);
	if (kept == x)
		return;
	const size_t reals = map_reals(&m->net[ENCODER].in);
	memcpy(kept, x, reals * sizeof *kept);
	for (int lane = 0; lane < b->lanes; lane++)
		spoil(m, b, lane, (float *)(kept + reals));
}

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
	r->part[0] += mirror_loss(m, b, LOSS_MSE, clean(m, b), (real)(1 / (pixels * (double)b->batch))) / pixels;
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

static const struct train_phase phases[] = {{step, ENCODER, MIRROR_NETS}, {0}};

/* --- use ---------------------------------------------------------------------------------------------------------------- */

static void encode(
	const struct model *m, const struct kern *k, const real *w, real *ws, const float *images, int lanes, float *z)
{
	model_through(m, ENCODER, k, w, ws, images, lanes, z);
}

static const struct preset starter = {"Squeeze images into eight numbers",
	"Watch the loss fall and the reconstructions come into focus, then drag one of the eight units and see what it means.",
	"epochs=15"};

const struct family family_ae = {
	.name = "ae",
	.blurb = "Autoencoder: learns to squeeze an image into a few numbers and to paint it again from them.",
	.params = params,
	.params_size = sizeof(struct ae_params),
	.presets = presets,
	.starter = &starter,
	.series = series,
	.auto_distribution = "gaussian_fit",
	.fitted_distribution = "gmm",
	.monitor = "val_loss",
	.plan = plan,
	.phases = phases,
	.encode = encode,
	.decode = mirror_decode,
};
