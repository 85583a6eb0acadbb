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
 */
#include "core/model/mirror.h"
#include "core/model/train.h"

/* Sums of a block: the parts that the series tell. */
enum { PART_LOSS, PART_RECON, PART_KL };

struct vae_params {
	struct train_params train;
	int64_t latent_dim;
	struct mirror_params mirror;
	double beta, beta_warmup;
};

/* clang-format off */
static const struct param params[] = {
	{"latent_dim", PARAM_INT, offsetof(struct vae_params, latent_dim), "5", 1, LATENT_DIM_MAX, NULL, "net", "units",
		"Units of the code, each a normal distribution. Those that beta makes too dear stay at the standard normal one and say "
		"nothing of the image.", 0},
	MIRROR_PARAM_ROWS(struct vae_params, "8,16", "4", "2", "1", "-"),
	{"beta", PARAM_REAL, offsetof(struct vae_params, beta), "1", 0, 1e6, NULL, "training", NULL,
		"Weight of the KL divergence (summed over units) beside the squared error (summed over pixels, not their mean). 1: the "
		"evidence lower bound with a Gaussian of variance 1/2 per pixel; more: a smoother space, blurrier pictures; 0: no "
		"pull to the normal distribution.", 0, .live = PARAM_LIVE_LOSS},
	{"beta_warmup", PARAM_REAL, offsetof(struct vae_params, beta_warmup), "0", 0, 100000, NULL, "training", "epochs",
		"The gradient's beta climbs linearly from 0 for this long, so that units are of use before they cost; the curves show "
		"the loss with the final beta all along. 0 is off.", 0},
	TRAIN_PARAM_ROWS(struct vae_params),
	{0},
};
/* clang-format on */

static const struct preset presets[] = {
	{"default", "the report's net with our recipe: AdamW, warm-ups of rate and beta, cosine to 0",
		"optimizer=adamw lr=1.2e-2 beta2=0.99 weight_decay=1e-5 schedule=cosine warmup_epochs=1 beta_warmup=2"},
	{"report", "as the report trained it: Adam at a constant 1e-3, the whole beta from the first step",
		"optimizer=adam lr=1e-3 schedule=constant beta_warmup=0"},
	{0},
};

/* What the best constant picture misses of an image: a code that says nothing comes no further, and costs no KL. */
#define MEAN_IMAGE 67.9, "mean image of Fashion-MNIST, KL 0"

#define RECON_FORMULA "sum over pixels of (x - decode(mu + exp(logvar / 2) * eps))^2"
#define KL_FORMULA "sum over units of (mu^2 + exp(logvar) - 1 - logvar) / 2"

static const struct series series[] = {
	{"train_loss",
		"What training lowers, per image: squared error and KL together, with the final beta. With beta 1 it is, but for a "
		"constant, minus the evidence lower bound of a Gaussian with variance 1/2 per pixel.",
		"train_recon + beta * train_kl", "per image", {{MEAN_IMAGE}}, true},
	{"train_recon",
		"How far the decoded draws are from the images of each training batch: squared errors summed over the pixels. "
		"Divided by their number it compares with an autoencoder's loss.",
		RECON_FORMULA, "squared error per image", {{MEAN_IMAGE}}, true},
	{"train_kl",
		"What the code tells of an image, summed over units: the divergence of its distribution from the standard normal "
		"one. 0: it tells nothing, and every picture comes out the same (posterior collapse).",
		KL_FORMULA, "nats per image", {{0, NULL}}, true},
	{"val_loss",
		"The same as train_loss on images held out from training, with one draw per image, the same in every epoch. Rising "
		"while train_loss falls: the net learns its training images by heart.",
		"val_recon + beta * val_kl", "per image", {{MEAN_IMAGE}}, false},
	{"val_recon", "Squared errors of the held-out images, summed over the pixels.", RECON_FORMULA,
		"squared error per image", {{MEAN_IMAGE}}, false},
	{"val_kl", "What the code tells of the held-out images.", KL_FORMULA, "nats per image", {{0, NULL}}, false},
	{0},
};

static int plan(struct model *m, struct err *err)
{
	const struct vae_params *p = m->family_params;
	m->latent_dim = (int)p->latent_dim;
	m->extra = (size_t)m->latent_dim * LANES; /* eps, which the way back needs again */
	return mirror_plan(m, &p->mirror, 2 * m->latent_dim, err);
}

/* --- the step ----------------------------------------------------------------------------------------------------------- */

/* One draw per image from what the encoder says of it, into the decoder. */
static void latent_sample(const struct model *m, const struct block *b, struct block_result *r)
{
	real *eps = model_extra(m, b->ws), kl[LATENT_DIM_MAX];
	model_noise(b, m->latent_dim, eps);
	b->kern->latent_fwd(model_input(m, b, DECODER), kl, model_output(m, b, ENCODER), eps, m->latent_dim, b->lanes);
	for (int j = 0; j < m->latent_dim; j++)
		r->part[PART_KL] += (double)kl[j];
}

/* The loss that is told has the final beta: steps of the warm-up compare with those after it, and the best epoch is not one
 * whose KL cost nothing yet. */
static void loss(const struct model *m, const struct block *b, struct block_result *r)
{
	const struct vae_params *p = m->family_params;
	r->part[PART_RECON] += mirror_squared_error(m, b, (real)(1 / (double)b->batch));
	r->part[PART_LOSS] = r->part[PART_RECON] + p->beta * r->part[PART_KL];
}

static double beta_at(const struct vae_params *p, double epoch)
{
	return epoch < p->beta_warmup ? p->beta * epoch / p->beta_warmup : p->beta;
}

static void latent_grad(const struct model *m, const struct block *b, struct block_result *r)
{
	(void)r;
	double kl_scale = beta_at(m->family_params, b->epoch) / (double)b->batch;
	b->kern->latent_bwd(model_output_grad(m, b, ENCODER), model_input_grad(m, b, DECODER), model_output(m, b, ENCODER),
		model_extra(m, b->ws), m->latent_dim, (real)kl_scale, b->lanes);
}

static const struct step_op step[] = {
	OP_CALL_OF(mirror_load),
	OP_FORWARD_OF(ENCODER),
	OP_CALL_OF(latent_sample),
	OP_FORWARD_OF(DECODER),
	OP_LOSS_OF(loss),
	OP_BACKWARD_OF(DECODER, OP_INPUT_GRAD),
	OP_CALL_OF(latent_grad),
	OP_BACKWARD_OF(ENCODER, 0),
	{.kind = OP_END},
};

static const struct train_phase phases[] = {{step, ENCODER, MIRROR_NETS}, {0}};

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

const struct family family_vae = {
	.name = "vae",
	.blurb =
		"Variational autoencoder: learns a code whose every point can be painted, so that new images can be drawn.",
	.params = params,
	.params_size = sizeof(struct vae_params),
	.presets = presets,
	.series = series,
	.auto_distribution = "normal",
	.monitor = "val_loss",
	.plan = plan,
	.phases = phases,
	.encode = encode,
	.decode = mirror_decode,
	.posterior = posterior,
};
