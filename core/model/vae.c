/* vae.c: the variational autoencoder (Kingma & Welling 2014): the encoder gives a normal distribution per unit, a draw from it is
 * decoded (mirror.h), and the distributions are held near the standard normal one, from which new images can then be drawn.
 *
 *   encoder  … Linear(2 latent_dim): mu of all units, then their log variances, held within +-10
 *   code     z = mu + exp(logvar / 2) eps, eps ~ N(0, 1); mu itself where nothing is drawn (encode, reconstruct)
 *   loss     mean over images of sum over pixels of (x - decode(z))^2 + beta KL,
 *            KL = sum over units of (mu^2 + e^logvar - 1 - logvar) / 2
 *
 * With beta 1 this is the negative evidence lower bound, but for a constant, of pixels with normal errors of variance 1/2. A
 * squared error that is a mean over pixels beside the same KL would be a beta as large as there are pixels.
 *
 * With the Bernoulli likelihood decode(z) are probabilities p of white pixels, and the squared error gives way to
 * -(x log p + (1 - x) log (1 - p)), summed over pixels: worked out from the logits, so that its slope is p - x.
 * With free bits lambda (Kingma et al. 2016) gradients are those of sum over units of max(lambda, mean of the batch's KL).
 */
#include "core/model/mirror.h"
#include "core/model/train.h"

#include <stdio.h>

/* Sums of a block: the parts that the series tell. */
enum { PART_LOSS, PART_RECON, PART_KL };

struct vae_params {
	struct train_params train;
	int64_t latent_dim;
	struct mirror_params mirror;
	int likelihood; /* enum likelihood */
	bool binarize;
	double beta, beta_warmup, free_bits;
};

enum likelihood { GAUSSIAN, BERNOULLI };
static const enum loss losses[] = {[GAUSSIAN] = LOSS_MSE, [BERNOULLI] = LOSS_BCE};

/* clang-format off */
static const struct param params[] = {
	{"latent_dim", PARAM_INT, offsetof(struct vae_params, latent_dim), "5", 1, LATENT_DIM_MAX, NULL, "net", "units",
		"Units of the code, each a normal distribution. Those that beta makes too dear stay at the standard normal one and say "
		"nothing of the image.", 0},
	MIRROR_PARAM_ROWS(struct vae_params, "8,16", "4", "2", "1", "-"),
	{"likelihood", PARAM_ENUM, offsetof(struct vae_params, likelihood), "gaussian", 0, 0, "gaussian|bernoulli", "training", NULL,
		"What a pixel is to the model, and so the reconstruction error. gaussian: squared error, summed over pixels, which is "
		"minus the log density of a normal distribution of variance 1/2, but for a constant. bernoulli: binary cross entropy in "
		"nats, summed over pixels; the decoder gives probabilities. Of gray images it cannot go below their own entropy (189.86 "
		"a Fashion-MNIST test image): with binarize it is a likelihood.", 0, .fork = PARAM_FORK_FIXED},
	{"binarize", PARAM_BOOL, offsetof(struct vae_params, binarize), "false", 0, 0, NULL, "data", NULL,
		"Train and evaluate on black and white images: each pixel is white with the probability that its gray value says, drawn "
		"anew each epoch (dynamic binarisation), and once and for all for validation and test.", 0, .fork = PARAM_FORK_LOSS},
	{"beta", PARAM_REAL, offsetof(struct vae_params, beta), "1", 0, 1e6, NULL, "training", NULL,
		"Weight of the KL divergence (summed over units) beside the squared error (summed over pixels, not their mean). 1: the "
		"evidence lower bound with a Gaussian of variance 1/2 per pixel; more: a smoother space, blurrier pictures; 0: no "
		"pull to the normal distribution.", 0, .live = PARAM_LIVE_LOSS},
	{"beta_warmup", PARAM_REAL, offsetof(struct vae_params, beta_warmup), "0", 0, 100000, NULL, "training", "epochs",
		"The gradient's beta climbs linearly from 0 for this long, so that units are of use before they cost; the curves show "
		"the loss with the final beta all along. 0 is off.", 0},
	{"free_bits", PARAM_REAL, offsetof(struct vae_params, free_bits), "0", 0, 100, NULL, "training", "nats",
		"Of each unit so much KL (a mean over the batch) costs nothing in the gradient, so that no unit is pulled to silence; the "
		"curves show the whole KL. 0.05 to 0.5 is usual; 0 is off.", 0},
	TRAIN_PARAM_ROWS(struct vae_params),
	{0},
};
/* clang-format on */

static const struct preset presets[] = {
	{"default", "the report's net with our recipe: AdamW, warm-ups of rate and beta, cosine to 0",
		"optimizer=adamw lr=1.2e-2 beta2=0.99 weight_decay=1e-5 schedule=cosine warmup_epochs=1 beta_warmup=2"},
	{"report", "as the report trained it: Adam at a constant 1e-3, the whole beta from the first step",
		"optimizer=adam lr=1e-3 schedule=constant beta_warmup=0"},
	{"mlp-nll",
		"two gated linear layers of 300, 40 units, black and white pixels: for likelihoods in nats, as papers give them",
		"channels=- hidden=300,300 activation=glu latent_dim=40 likelihood=bernoulli binarize=true optimizer=adam lr=5e-4 "
		"schedule=constant batch_size=100 beta_warmup=100 epochs=400"},
	{0},
};

/* What the best constant picture misses of an image: a code that says nothing comes no further, and costs no KL. */
#define MEAN_IMAGE 67.9, "mean image of Fashion-MNIST, KL 0, gaussian likelihood"

#define RECON_FORMULA                                                           \
	"gaussian: sum over pixels of (x - decode(mu + exp(logvar / 2) * eps))^2; " \
	"bernoulli: of -(x log p + (1 - x) log(1 - p)), p = decode(...)"
#define KL_FORMULA "sum over units of (mu^2 + exp(logvar) - 1 - logvar) / 2"

/* One for all: loss, recon and KL are sums, parts and whole. */
#define PER_IMAGE "nats, or squared error, per image"

static const struct series series[] = {
	{"train_loss",
		"What training lowers, per image: reconstruction error and KL together, with the final beta and without free bits. With "
		"beta 1 it is minus the evidence lower bound in nats: as it is with the Bernoulli likelihood, but for a constant with "
		"the Gaussian one (variance 1/2 per pixel).",
		"train_recon + beta * train_kl", PER_IMAGE, {{MEAN_IMAGE}}, true, .headline = true},
	{"train_recon",
		"How far the decoded draws are from the images of each training batch: squared errors summed over the pixels, which "
		"divided by their number compare with an autoencoder's loss; with the Bernoulli likelihood the cross entropy in nats.",
		RECON_FORMULA, PER_IMAGE, {{MEAN_IMAGE}}, true},
	{"train_kl",
		"What the code tells of an image, summed over units: the divergence of its distribution from the standard normal "
		"one. 0: it tells nothing, and every picture comes out the same (posterior collapse).",
		KL_FORMULA, PER_IMAGE, {{0, NULL}}, true},
	{"val_loss",
		"The same as train_loss on images held out from training, with one draw per image, the same in every epoch. Rising "
		"while train_loss falls: the net learns its training images by heart.",
		"val_recon + beta * val_kl", PER_IMAGE, {{MEAN_IMAGE}}, false, .headline = true},
	{"val_recon", "The same as train_recon on the held-out images.", RECON_FORMULA, PER_IMAGE,
		{{MEAN_IMAGE}}, false},
	{"val_kl", "What the code tells of the held-out images.", KL_FORMULA, PER_IMAGE, {{0, NULL}}, false},
	{"kl",
		"What each unit by itself tells of the held-out images (of the training images without validation); the units together "
		"make val_kl. Near 0: the unit is silent.",
		"(mu_j^2 + exp(logvar_j) - 1 - logvar_j) / 2", "nats per image", {{0, NULL}}, false, SERIES_UNITS},
	{"active_units",
		"Units whose mean moves with the image. One that stays at 0 whatever the image is lost to the decoder (posterior "
		"collapse).",
		"number of units j with Var_x(mu_j) > 0.01", "units", {{0, NULL}}, false, SERIES_ACTIVE_UNITS},
	{0},
};

static int plan(struct model *m, struct err *err)
{
	const struct vae_params *p = m->family_params;
	m->latent_dim = (int)p->latent_dim;
	m->extra = (size_t)m->latent_dim * (LANES + 2);
	m->settles = p->free_bits > 0;
	m->unit_sums = m->latent_dim;
	int code = mirror_plan(m, &p->mirror, 2 * m->latent_dim, err);
	if (!code)
		m->net[DECODER].logits = p->likelihood == BERNOULLI;
	return code;
}

/* --- the step ----------------------------------------------------------------------------------------------------------- */

/* What a block has beside its nets. */
struct between {
	real *eps;   /* [latent_dim][LANES], which the way back needs again */
	real *kl;    /* [latent_dim]: sums over the block's images */
	real *scale; /* [latent_dim]: of the KL's slope */
};

static struct between between_of(const struct model *m, const struct block *b)
{
	real *extra = model_extra(m, b->ws);
	return (struct between){extra, extra + m->latent_dim * LANES, extra + m->latent_dim * (LANES + 1)};
}

/* Evaluation has a draw of its own, the same in every run. */
static struct rng binarize_rng(const struct block *b, int lane)
{
	uint64_t epoch = b->training ? (uint64_t)b->epoch + 1 : 0;
	return (struct rng){
		.seed = b->training ? b->rng.seed : 0, .stream = RNG_BINARIZE, .step = epoch << 32 | b->index[lane]};
}

static void binarize(const struct model *m, const struct block *b, int lane)
{
	const struct map *map = &m->net[ENCODER].in;
	const int pixels = map_features(map);
	const struct rng r = binarize_rng(b, lane);
	real *x = model_input(m, b, ENCODER) + lane;
	uint32_t words[4];
	for (int i = 0; i < pixels; i++) {
		if (i % 4 == 0)
			rng_words(words, r, (uint32_t)i / 4);
		real *pixel = &x[map_feature(map, i)];
		*pixel = (double)words[i % 4] * 0x1p-32 < (double)*pixel ? 1 : 0;
	}
}

static void load(const struct model *m, const struct block *b, struct block_result *r)
{
	const struct vae_params *p = m->family_params;
	mirror_load(m, b, r);
	for (int lane = 0; p->binarize && lane < b->lanes; lane++)
		binarize(m, b, lane);
}

/* One draw per image from what the encoder says of it, into the decoder. The loss that is told has the final beta: steps of the
 * warm-up compare with those after it, and the best epoch is not one whose KL cost nothing yet. */
static void latent_sample(const struct model *m, const struct block *b, struct block_result *r)
{
	const struct vae_params *p = m->family_params;
	const struct between here = between_of(m, b);
	model_noise(b, m->latent_dim, here.eps);
	b->kern->latent_fwd(
		model_input(m, b, DECODER), here.kl, model_output(m, b, ENCODER), here.eps, m->latent_dim, b->lanes);
	double kl = 0;
	for (int j = 0; j < m->latent_dim; j++) {
		kl += (double)here.kl[j];
		if (r->unit)
			r->unit[j] += (double)here.kl[j];
	}
	r->part[PART_KL] += kl;
	r->part[PART_LOSS] += p->beta * kl;
}

static void loss(const struct model *m, const struct block *b, struct block_result *r)
{
	const struct vae_params *p = m->family_params;
	double recon = mirror_loss(m, b, losses[p->likelihood], model_input(m, b, ENCODER), (real)(1 / (double)b->batch));
	r->part[PART_RECON] += recon;
	r->part[PART_LOSS] += recon;
}

static double beta_at(const struct vae_params *p, double epoch)
{
	return epoch < p->beta_warmup ? p->beta * epoch / p->beta_warmup : p->beta;
}

/* A unit whose KL, a mean over the batch, is within the free bits has no slope. Blocks add up in order. */
static void find_free(const struct model *m, const struct block *blocks, int n)
{
	const struct vae_params *p = m->family_params;
	for (int j = 0; j < m->latent_dim; j++) {
		double kl = 0;
		for (int i = 0; i < n; i++)
			kl += (double)between_of(m, &blocks[i]).kl[j];
		bool costs = kl > p->free_bits * (double)blocks->batch;
		for (int i = 0; i < n; i++)
			between_of(m, &blocks[i]).scale[j] = costs;
	}
}

static void latent_grad(const struct model *m, const struct block *b, struct block_result *r)
{
	(void)r;
	const struct between here = between_of(m, b);
	const double kl_scale = beta_at(m->family_params, b->epoch) / (double)b->batch;
	for (int j = 0; j < m->latent_dim; j++)
		here.scale[j] = m->settles && here.scale[j] == 0 ? 0 : (real)kl_scale;
	b->kern->latent_bwd(model_output_grad(m, b, ENCODER), model_input_grad(m, b, DECODER), model_output(m, b, ENCODER),
		here.eps, m->latent_dim, here.scale, b->lanes);
}

static const struct step_op step[] = {
	OP_CALL_OF(load),
	OP_FORWARD_OF(ENCODER),
	OP_CALL_OF(latent_sample),
	OP_SETTLE_OF(find_free),
	OP_FORWARD_OF(DECODER),
	OP_LOSS_OF(loss),
	OP_BACKWARD_OF(DECODER, OP_INPUT_GRAD),
	OP_CALL_OF(latent_grad),
	OP_BACKWARD_OF(ENCODER, 0),
	{.kind = OP_END},
};

static const struct train_phase phases[] = {{step, ENCODER, MIRROR_NETS}, {0}};

/* --- watching ----------------------------------------------------------------------------------------------------------- */

/* Posterior collapse: units that were of use fall silent, or none is at two epochs' ends with the whole beta. */
static bool collapsed(const struct model *m, const struct view *v, char *text, size_t size)
{
	const struct vae_params *p = m->family_params;
	const bool falls = v->active[0] < v->active[1] && v->active[1] < v->active[2];
	const bool none = v->active[0] == 0 && v->active[1] == 0 && (double)(v->epoch - 1) >= p->beta_warmup;
	if (!falls && !none)
		return false;
	if (none)
		snprintf(text, size,
			"posterior collapse: none of %d units is active after epoch %lld; every image gets the same code",
			m->latent_dim, (long long)v->epoch);
	else
		snprintf(text, size,
			"posterior collapse: active units fell from %lld to %lld to %lld of %d by epoch %lld",
			(long long)v->active[2], (long long)v->active[1], (long long)v->active[0], m->latent_dim,
			(long long)v->epoch);
	return true;
}

static const struct sign signs[] = {
	{.code = "posterior_collapse", .remedy = "lower beta, a longer beta_warmup, or free_bits", .shows = collapsed}, {0}};

/* --- use ---------------------------------------------------------------------------------------------------------------- */

/* As latent_fwd holds it. */
static float held(float logvar)
{
	const float most = LATENT_LOGVAR_MAX;
	return logvar < -most ? -most : logvar > most ? most : logvar;
}

static void posterior(const struct model *m, const struct kern *k, const real *w, real *ws, const float *images,
	int lanes, float *mu, float *logvar)
{
	int d = m->latent_dim;
	float rows[LANES * 2 * LATENT_DIM_MAX];
	model_through(m, ENCODER, k, w, ws, images, lanes, rows);
	for (int l = 0; l < lanes; l++)
		for (int u = 0; u < d; u++) {
			mu[l * d + u] = rows[2 * l * d + u];
			logvar[l * d + u] = held(rows[(2 * l + 1) * d + u]);
		}
}

static void encode(
	const struct model *m, const struct kern *k, const real *w, real *ws, const float *images, int lanes, float *z)
{
	float logvar[LANES * LATENT_DIM_MAX];
	posterior(m, k, w, ws, images, lanes, z, logvar);
}

static const struct preset starter = {"A map of everything it can paint",
	"Two units only: every image is a point of a plane, and every point of the plane can be painted. Walk through it while it trains.",
	"latent_dim=2 epochs=15"};

const struct family family_vae = {
	.name = "vae",
	.blurb =
		"Variational autoencoder: learns a code whose every point can be painted, so that new images can be drawn.",
	.params = params,
	.params_size = sizeof(struct vae_params),
	.presets = presets,
	.starter = &starter,
	.series = series,
	.auto_distribution = "normal",
	.monitor = "val_loss",
	.plan = plan,
	.signs = signs,
	.phases = phases,
	.encode = encode,
	.decode = mirror_decode,
	.posterior = posterior,
};
