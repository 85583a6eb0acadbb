/* gan.c: the generative adversarial network (Goodfellow et al. 2014) with convolutions (DCGAN, Radford et al. 2016): a generator
 * paints images from noise, a discriminator learns to tell them from real ones, each against the other.
 *
 *   generator      Linear to channels[0] maps, norm, ReLU, (ConvTranspose2d k4 s2 p1 (k3 to an odd side), norm, ReLU) per channel
 *                  that follows,
 *                  ConvTranspose2d k3 s1 p1 to the image, Tanh: pixels in -1 … 1
 *   discriminator  Conv2d k4 s2 p1, LeakyReLU .2, (Conv2d k4 s2 p1, norm, LeakyReLU .2) per channel that follows, Flatten, Linear(1)
 *   d_loss         softplus(-D(x)) + softplus(D(G(z))), each a mean over a batch of its own; hinge: max(0, 1 - D(x)) + max(0, 1 + D(G(z)))
 *   g_loss         non_saturating: softplus(-D(G(z))), which is the report's binary cross entropy with flipped labels;
 *                  saturating: -softplus(D(G(z))), the minimax game itself; hinge: -D(G(z))
 *   r1             gamma / 2 mean over real x of |dD/dx|^2 (Mescheder et al. 2018), every so many steps, times as many (Karras et
 *                  al. 2020); exact, by a tangent pass (core/nn/net.h)
 *
 * The step is the report's: train_step_discriminator, then train_step_generator on the images that the first one saw.
 */
#include "core/model/gan.h"

#include <math.h>
#include <stdio.h>

/* clang-format off */
static const struct param params[] = {
	{"latent_dim", PARAM_INT, offsetof(struct gan_params, latent_dim), "100", 1, LATENT_DIM_MAX, NULL, "net", "units",
		"Numbers of noise that the generator paints an image from.", 0},
	{"channels", PARAM_INTS, offsetof(struct gan_params, channels), "128,64,32", 1, 1024, NULL, "net", NULL,
		"Channels of the generator's maps, the smallest maps first; each that follows doubles the side. Three make 28x28 of 7x7.", 1},
	{"discriminator_channels", PARAM_INTS, offsetof(struct gan_params, discriminator_channels), "64,128", 1, 1024, NULL, "net", NULL,
		"Output channels of the discriminator's convolutions; each halves the picture.", 1},
	{"norm", PARAM_ENUM, offsetof(struct gan_params, norm), "batch", 0, 0, MIRROR_NORMS, "net", NULL,
		"Normalisation in the generator, between each layer but the last and its ReLU.", 0},
	{"discriminator_norm", PARAM_ENUM, offsetof(struct gan_params, discriminator_norm), "none", 0, 0, MIRROR_NORMS, "net", NULL,
		"Normalisation in the discriminator, behind each convolution but the first. Real and generated images go through apart, so "
		"that their statistics do not mix. r1 needs none.", 0},
	{"spectral_norm", PARAM_BOOL, offsetof(struct gan_params, spectral_norm), "true", 0, 0, NULL, "net", NULL,
		"The discriminator's layers work with their weights divided by the largest singular value (torch.nn.utils.spectral_norm): "
		"it cannot get too steep to learn from.", 0},
	{"gan_loss", PARAM_ENUM, offsetof(struct gan_params, gan_loss), "non_saturating", 0, 0, "non_saturating|saturating|hinge", "training", NULL,
		"What the two play for. non_saturating: the generator raises log D(G(z)) (the report's flipped labels). saturating: it lowers "
		"log(1 - D(G(z))), the game as first written down, whose gradient fades when the discriminator wins. hinge: margins "
		"in place of probabilities.", 0},
	{"lr_d", PARAM_REAL, offsetof(struct gan_params, lr_d), "0", 0, 10, NULL, "training", NULL,
		"Learning rate of the discriminator; 0: lr.", 0, .live = PARAM_LIVE},
	{"lr_g", PARAM_REAL, offsetof(struct gan_params, lr_g), "0", 0, 10, NULL, "training", NULL,
		"Learning rate of the generator; 0: lr.", 0, .live = PARAM_LIVE},
	{"n_critic", PARAM_INT, offsetof(struct gan_params, n_critic), "1", 1, 100, NULL, "training", "steps",
		"Steps of the discriminator, each on images of its own, to one of the generator.", 0},
	{"label_smoothing", PARAM_REAL, offsetof(struct gan_params, label_smoothing), "0", 0, 0.5, NULL, "training", NULL,
		"Real images are to be taken for real with probability 1 minus this (one-sided: generated ones with 0); 0 is off. Not with "
		"hinge.", 0},
	{"instance_noise", PARAM_REAL, offsetof(struct gan_params, instance_noise), "0", 0, 2, NULL, "training", NULL,
		"Standard deviation of normal noise on all that the discriminator sees (pixels are -1 to 1), which falls to 0 over the "
		"first half of training; 0.1 is usual, 0 is off.", 0},
	{"r1", PARAM_REAL, offsetof(struct gan_params, r1), "1", 0, 1000, NULL, "training", NULL,
		"Weight (gamma) of the penalty on the discriminator's slope at real images: gamma / 2 mean |dD/dx|^2. More: calmer, "
		"slower; 0 is off.", 0},
	{"r1_every", PARAM_INT, offsetof(struct gan_params, r1_every), "16", 1, 1000, NULL, "training", "steps",
		"The penalty is worked out at every so many steps, and counts so many times then.", 0},
	{"on_collapse", PARAM_ENUM, offsetof(struct gan_params, on_collapse), "warn", 0, 0, "warn|stop|rollback", "training", NULL,
		"What happens when the run collapses (the discriminator wins, samples lose their variety or a class). warn: it is told. "
		"stop: training ends, and the best epoch is kept. rollback: training goes on from the best sound epoch with half the "
		"learning rate and twice r1, or, where none was sound, anew with a tenth of the discriminator's rate and twice r1; at most three "
		"times.", 0},
	{"judge_samples", PARAM_INT, offsetof(struct gan_params, judge_samples), "10000", 0, 10000, NULL, "output", "images",
		"Samples that are judged at each epoch's end, and a tenth as many ten times on the way: what fcd, the shares of classes and "
		"the signs of collapse come from, and which epoch is best. fcd falls with their number; 0: none.", 0, .fork = PARAM_FORK_LOSS},
	TRAIN_PARAM_ROWS(struct gan_params),
	{0},
};
/* clang-format on */

static const struct preset presets[] = {
	{"default",
		"a lighter pair with our recipe: spectral norm and R1 in place of the discriminator's batch norm, two rates, a running "
		"mean of the generator",
		"val_fraction=0 epochs=10 batch_size=64 channels=96,48,24 discriminator_channels=32,64,128 beta1=0 beta2=0.9 "
		"lr=1.6e-3 lr_d=3.2e-3 schedule=linear ema=0.999"},
	{"report", "as the report trained it: DCGAN with batch norm in both nets, Adam 2e-4, no tricks",
		"val_fraction=0 epochs=10 batch_size=128 lr=2e-4 beta1=0.5 discriminator_norm=batch spectral_norm=false r1=0"},
	{0},
};

/* --- series ------------------------------------------------------------------------------------------------------------ */

static bool generator_steps(const struct model *m, int64_t step)
{
	const struct gan_params *p = m->family_params;
	return step % p->n_critic == 0;
}

#define LN2 0.69314718056
static const struct series series[] = {
	{"d_loss",
		"What the discriminator lowers: how surprised it is by which images are real and which are generated. At the equilibrium, "
		"where it can only guess, 2 ln 2; near 0 it has won, and the generator learns little.",
		"d_loss_real + d_loss_fake", "nats", {{2 * LN2, "2 ln 2: guessing"}}, true, .headline = true},
	{"d_loss_real", "The part of d_loss that real images make.", "mean(softplus(-D(x))); hinge: mean(max(0, 1 - D(x)))",
		"nats", {{LN2, "ln 2: guessing"}}, true},
	{"d_loss_fake", "The part of d_loss that generated images make.",
		"mean(softplus(D(G(z)))); hinge: mean(max(0, 1 + D(G(z))))", "nats", {{LN2, "ln 2: guessing"}}, true},
	{"d_real", "How probable it seems to the discriminator that real images are real.", "mean(sigmoid(D(x)))",
		"probability", {{0.5, "guessing"}}, true},
	{"d_fake", "How probable it seems to the discriminator that generated images are real.", "mean(sigmoid(D(G(z))))",
		"probability", {{0.5, "guessing"}}, true},
	{"d_accuracy", "Share of the images, real and generated, that the discriminator takes for what they are.",
		"mean of [D(x) > 0] and [D(G(z)) < 0]", "probability", {{0.5, "guessing"}}, true},
	{"g_loss",
		"What the generator lowers: how sure the discriminator is that its images are generated. ln 2 where it can only guess.",
		"non_saturating: mean(softplus(-D(G(z)))); saturating: -mean(softplus(D(G(z)))); hinge: -mean(D(G(z)))", "nats",
		{{LN2, "ln 2: guessing"}}, true, .told = generator_steps, .headline = true},
	{"r1", "How steep the discriminator is at real images, at the steps that the penalty is worked out.",
		"mean |dD/dx|^2", "squared slope", {{0, NULL}}, true, .told = gan_r1_steps},
	{"g_grad_norm", "Size of the generator's gradient: near 0 it learns nothing.",
		"sqrt(sum of squares over its weights)", "gradient norm", {{0, NULL}}, true, .source = SERIES_GRAD_NORM,
		.at = 1, .told = generator_steps},
	{"fcd",
		"How far 10,000 samples are from the test images, to the eye of a classifier: Fréchet distance of its features. Less is "
		"better; real training images are at about 0.4.",
		"|m1 - m2|^2 + Tr(C1 + C2 - 2 (C1 C2)^(1/2))", "Fréchet distance", {{0, NULL}}, false, .source = SERIES_VERDICT,
		.at = offsetof(struct verdict, fcd), .headline = true},
	{"class_kl", "How unevenly the samples are spread over the classes: 0 is even, ln(classes) all of one.",
		"sum of share ln(share * classes)", "nats of class share", {{0, NULL}}, false, .source = SERIES_VERDICT,
		.at = offsetof(struct verdict, class_kl)},
	{"min_share", "Share of the rarest class among the samples.", "min of share", "share", {{0.1, "even, ten classes"}},
		false, .source = SERIES_VERDICT, .at = offsetof(struct verdict, min_share)},
	{"diversity",
		"How much the samples differ beside how much test images do: 1 is as much, 0 all the same (mode collapse).",
		"mean over features of sd(samples) / sd(test images)", "ratio", {{1, "as real images"}}, false,
		.source = SERIES_VERDICT, .at = offsetof(struct verdict, diversity)},
	{"share", "Share of the samples that the classifier takes for each class.", "samples of the class / samples",
		"share", {{0.1, "even, ten classes"}}, false, .source = SERIES_SHARES},
	{0},
};

static void pace(const struct model *m, int net, struct pace *ret)
{
	const struct gan_params *p = m->family_params;
	const double own = net == GENERATOR ? p->lr_g : p->lr_d, lr = p->train.lr;
	*ret = (struct pace){.lr_scale = own > 0 && lr > 0 ? own / lr : 1,
		.every = net == GENERATOR ? p->n_critic : 1,
		.leads = net == DISCRIMINATOR};
}

/* --- watching ----------------------------------------------------------------------------------------------------------- */

static bool discriminator_won(const struct model *m, const struct view *v, char *text, size_t size)
{
	(void)m;
	static const double sure = 0.99;
	snprintf(text, size,
		"the discriminator has won: it has %.1f %% of the images right at step %lld, and the generator learns little",
		100 * v->mean[PART_ACCURACY], (long long)v->step);
	return v->mean[PART_ACCURACY] > sure;
}

static bool stuck(const struct model *m, const struct view *v, char *text, size_t size)
{
	const struct gan_params *p = m->family_params;
	static const double near = 0.02;
	snprintf(text, size, "stuck: the discriminator only guesses (d_loss %.3f is 2 ln 2) at step %lld", v->mean[PART_D],
		(long long)v->step);
	const bool varied = v->verdict && v->verdict->diversity > 0.5; /* then it guesses because the samples are good */
	return p->gan_loss != HINGE && !varied && fabs(v->mean[PART_D] - 2 * LN2) < near;
}

static bool no_gradient(const struct model *m, const struct view *v, char *text, size_t size)
{
	(void)m;
	static const double least = 1e-6;
	snprintf(
		text, size, "the generator's gradient has vanished (norm %.2g) at step %lld", v->grad_norm, (long long)v->step);
	return v->grad_norm < least;
}

/* By the present weights. */
static int64_t images_seen(const struct model *m, const struct view *v)
{
	return (v->step - v->since_step) * model_train(m)->batch_size;
}

/* Early samples are alike in every run: what they lack may yet come. */
static bool had_time(const struct model *m, const struct view *v)
{
	enum { IMAGES = 60000 };
	return v->epoch > v->since_epoch || images_seen(m, v) >= IMAGES;
}

static const double least_diversity = 0.3, least_share = 0.01;

static bool sound(const struct model *m, const struct view *v)
{
	(void)m;
	return !v->verdict || (v->verdict->diversity >= least_diversity && v->verdict->min_share >= least_share);
}

static bool diversity_lost(const struct model *m, const struct view *v, char *text, size_t size)
{
	(void)m;
	if (!v->verdict || !had_time(m, v))
		return false;
	snprintf(text, size, "mode collapse: samples differ by %.0f %% of what real images do at step %lld",
		100 * v->verdict->diversity, (long long)v->step);
	return v->verdict->diversity < least_diversity;
}

/* All classes were there, or should have been for long: the report's recipe takes more than two epochs to find the last one. */
static bool had_classes(const struct model *m, const struct view *v)
{
	enum { IMAGES = 240000, EPOCHS = 4 };
	static const double there = 0.03;
	return v->most_share >= there || v->epoch >= v->since_epoch + EPOCHS || images_seen(m, v) >= IMAGES;
}

/* Before that only samples of a few classes count: after an epoch the report's recipe is at a KL of .7, where a discriminator with
 * a hundred times its rate leaves it above 1. */
static bool class_lost(const struct model *m, const struct view *v, char *text, size_t size)
{
	static const double most_kl = 0.5, few_kl = 0.8;
	if (!v->verdict || !had_time(m, v))
		return false;
	snprintf(text, size, "mode collapse: the rarest class has %.1f %% of the samples (KL %.2f) at step %lld",
		100 * v->verdict->min_share, v->verdict->class_kl, (long long)v->step);
	if (!had_classes(m, v))
		return v->verdict->class_kl > few_kl;
	return v->verdict->min_share < least_share || v->verdict->class_kl > most_kl;
}

static bool got_worse(const struct model *m, const struct view *v, char *text, size_t size)
{
	(void)m;
	if (!v->verdict || !v->epoch_end || isnan(v->best))
		return false;
	snprintf(text, size, "samples got worse: fcd %.1f after epoch %lld, the best was %.1f", v->verdict->fcd,
		(long long)v->epoch, v->best);
	return v->verdict->fcd > 2 * v->best;
}

#define CALM "a lower lr_d, a larger r1, or on_collapse rollback"
static const struct sign signs[] = {
	{"discriminator_won", CALM, 500, true, discriminator_won},
	{"stuck", "a higher lr_d, or a larger discriminator", 500, false, stuck},
	{"no_gradient", "gan_loss non_saturating, or " CALM, 100, true, no_gradient},
	{"diversity_lost", CALM, 300, true, diversity_lost},
	{"class_lost", CALM, 300, true, class_lost},
	{"got_worse", CALM, 0, false, got_worse},
	{0},
};

static enum on_collapse on_collapse(const struct model *m)
{
	const struct gan_params *p = m->family_params;
	return (enum on_collapse)p->on_collapse;
}

/* --- use ---------------------------------------------------------------------------------------------------------------- */

/* generate_samples of the report: z through the generator, and pixels as everybody else has them. */
static void generate_samples(
	const struct model *m, const struct kern *k, const real *w, real *ws, const float *z, int lanes, float *images)
{
	model_through(m, GENERATOR, k, w, ws, z, lanes, images);
	for (size_t i = 0; i < (size_t)lanes * (size_t)map_features(&m->image); i++)
		images[i] = (images[i] + 1) / 2;
}

static const struct preset starter = {"Two nets against each other",
	"A forger paints clothes that never were, a detective tells them from real ones. Watch noise turn into shoes, and the balance between both.",
	"epochs=4"};

const struct family family_gan = {
	.name = "gan",
	.blurb = "Generative adversarial network: a generator learns to paint images that a discriminator takes for real.",
	.params = params,
	.params_size = sizeof(struct gan_params),
	.presets = presets,
	.starter = &starter,
	.series = series,
	.auto_distribution = "normal",
	.monitor = "fcd",
	.looks_per_epoch = 10,
	.drop_last = true,
	.signed_pixels = true,
	.signs = signs,
	.on_collapse = on_collapse,
	.sound = sound,
	.plan = gan_plan,
	.phases = gan_phases,
	.pace = pace,
	.decode = generate_samples,
};
