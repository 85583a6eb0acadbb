#include "core/model/gan.h"
#include "core/nn/layer.h"

#include <stdio.h>

/* A Fréchet distance needs more samples than features. */
enum { ROWS_MAX = 3 * PARAM_INTS_MAX + 6, JUDGE_SAMPLES_MIN = 256 };

struct rows {
	struct layer_spec row[ROWS_MAX];
	int n;
};

static void add(struct rows *r, struct layer_spec row)
{
	r->row[r->n++] = row;
}

static const double init_sd = 0.02; /* DCGAN's */

/* A layer with weights and what follows it; a norm takes the mean away and adds a bias of its own. */
static void add_stage(struct rows *r, struct layer_spec layer, int norm, bool vector, struct layer_spec act)
{
	struct layer_spec row;
	const int norms = mirror_norm(norm, layer.out, &row);
	layer.init_sd = init_sd;
	layer.no_bias = norms;
	add(r, layer);
	if (norms) {
		row = vector && row.op == &layer_batch_norm2d ? BATCH_NORM1D : row;
		row.init_sd = init_sd;
		add(r, row);
	}
	add(r, act);
}

/* How a map twice as large comes about: k4 s2 p1 makes 2 n of n, k3 s2 p1 makes 2 n - 1. */
struct doubling {
	int h, w, kernel; /* before it */
};

/* From the image back: ret[0] is the first one, from the smallest maps. */
static int plan_doublings(const struct model *m, int n, struct doubling *ret, struct err *err)
{
	int h = m->image.h, w = m->image.w, most = 0;
	for (; most < n && h % 2 == w % 2 && h > 1 && w > 1; most++) {
		ret[n - 1 - most] = (struct doubling){(h + 1) / 2, (w + 1) / 2, h % 2 ? 3 : 4};
		h = (h + 1) / 2;
		w = (w + 1) / 2;
	}
	if (most == n)
		return OK;
	return err_field(err, ERR_INVALID, "#/params/channels",
		"%d channels double the side %d times, and both sides of images of %dx%d can be halved alike %d times only; %d or "
		"fewer channels would do",
		n + 1, n, m->image.h, m->image.w, most, most + 1);
}

static int plan_generator(struct model *m, struct err *err)
{
	const struct gan_params *p = m->family_params;
	const int n = p->channels.n - 1, c = (int)p->channels.v[0];
	struct doubling twice[PARAM_INTS_MAX];
	struct rows r = {.n = 0};
	int code = plan_doublings(m, n, twice, err);
	if (code)
		return code;
	const int h = n ? twice[0].h : m->image.h, w = n ? twice[0].w : m->image.w;
	add_stage(&r, LINEAR(c * h * w), p->norm, true, ACTIVATION(ACT_RELU));
	add(&r, UNFLATTEN(c, h, w));
	for (int i = 1; i <= n; i++)
		add_stage(&r, CONV_TRANSPOSE((int)p->channels.v[i], twice[i - 1].kernel, 2, 1, 0), p->norm, false,
			ACTIVATION(ACT_RELU));
	add_stage(&r, CONV_TRANSPOSE(m->image.c, 3, 1, 1, 0), 0, false, ACTIVATION(ACT_TANH));
	return model_add_net(m, "generator", (struct map){.c = m->latent_dim, .h = 1, .w = 1}, r.row, r.n, err);
}

static int plan_discriminator(struct model *m, struct err *err)
{
	const struct gan_params *p = m->family_params;
	struct layer_spec leaky = ACTIVATION(ACT_LEAKY_RELU), last = LINEAR(1);
	struct rows r = {.n = 0};
	leaky.alpha = 0.2;
	for (int i = 0; i < p->discriminator_channels.n; i++)
		add_stage(&r, CONV((int)p->discriminator_channels.v[i], 4, 2, 1), i ? p->discriminator_norm : 0, false, leaky);
	add(&r, FLATTEN);
	last.init_sd = init_sd;
	add(&r, last);
	for (int i = 0; i < r.n; i++)
		r.row[i].spectral_norm = p->spectral_norm && (r.row[i].op == &layer_conv2d || r.row[i].op == &layer_linear);
	int code = model_add_net(m, "discriminator", m->image, r.row, r.n, err);
	if (code == ERR_INVALID && err)
		snprintf(err->pointer, sizeof err->pointer, "#/params/discriminator_channels");
	return code;
}

static int check(const struct gan_params *p, struct err *err)
{
	if (p->train.val_fraction > 0)
		return err_field(err, ERR_INVALID, "#/params/val_fraction",
			"must be 0: a gan has no loss on held-out images; its samples are judged");
	if (p->train.prune.on)
		return err_field(err, ERR_INVALID, "#/params/prune", "must be null: a gan is not pruned");
	if (p->r1 > 0 && p->discriminator_norm)
		return err_field(err, ERR_INVALID, "#/params/r1",
			"needs a discriminator without norm: set discriminator_norm to \"none\", or r1 to 0");
	if (p->judge_samples > 0 && p->judge_samples < JUDGE_SAMPLES_MIN)
		return err_field(err, ERR_INVALID, "#/params/judge_samples", "must be 0 or %d..10000, got %lld",
			JUDGE_SAMPLES_MIN, (long long)p->judge_samples);
	if (p->label_smoothing > 0 && p->gan_loss == HINGE)
		return err_field(
			err, ERR_INVALID, "#/params/label_smoothing", "must be 0 with gan_loss hinge, which has no labels");
	return OK;
}

/* The penalty needs the discriminator's workspace twice more: for slopes, and for values along them. */
int gan_plan(struct model *m, struct err *err)
{
	const struct gan_params *p = m->family_params;
	m->latent_dim = (int)p->latent_dim;
	m->carries = true; /* the generated images, from the discriminator's phase to the generator's */
	int code = check(p, err);
	if (!code && m->image.c > IMAGE_CHANNELS_MAX)
		code = err_set(err, ERR_INVALID, "images have %d channels; at most %d", m->image.c, IMAGE_CHANNELS_MAX);
	if (!code)
		code = plan_generator(m, err);
	if (!code)
		code = plan_discriminator(m, err);
	m->judge_samples = (size_t)p->judge_samples;
	if (!code && p->r1 > 0)
		m->extra = 2 * m->net[DISCRIMINATOR].workspace;
	return code;
}
