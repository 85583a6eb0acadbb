#include "tests/bench/workloads.h"

#include "core/nn/layer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Every family here has the common parameters only. */
struct plain_params {
	struct train_params train;
};
static const struct param plain_rows[] = {TRAIN_PARAM_ROWS(struct plain_params), {0}};

enum { ROWS_MAX = 32 };

static int rows_of(const struct layer_spec *rows)
{
	int n = 0;
	while (rows[n].op)
		n++;
	return n;
}

static int add(struct model *m, const char *name, struct map in, const struct layer_spec *rows, struct err *err)
{
	return model_add_net(m, name, in, rows, rows_of(rows), err);
}

static real *output_grad(const struct model *m, const struct block *b, int net)
{
	return b->training ? model_output_grad(m, b, net) : NULL;
}

static double mean_scale(const struct block *b)
{
	return 1 / (double)b->batch;
}

/* --- gan: the report's DCGAN; non-saturating loss, D on real and on generated images apart ------------------------------- */

enum { GENERATOR, DISCRIMINATOR, GAN_LATENT = 100 };
/* Where gradients are held against differences, in double, an eighth of the channels shows the same. */
enum { SLIM = sizeof(real) == sizeof(double) ? 8 : 1 };

static int gan_plan(struct model *m, struct err *err)
{
	struct layer_spec generator[] = {LINEAR(128 / SLIM * 49), BATCH_NORM1D, ACTIVATION(ACT_RELU),
		UNFLATTEN(128 / SLIM, 7, 7), CONV_TRANSPOSE(64 / SLIM, 4, 2, 1, 0), BATCH_NORM2D, ACTIVATION(ACT_RELU),
		CONV_TRANSPOSE(32 / SLIM, 4, 2, 1, 0), BATCH_NORM2D, ACTIVATION(ACT_RELU), CONV_TRANSPOSE(1, 3, 1, 1, 0),
		ACTIVATION(ACT_TANH), {0}};
	struct layer_spec discriminator[] = {CONV(64 / SLIM, 4, 2, 1), ACTIVATION(ACT_LEAKY_RELU),
		CONV(128 / SLIM, 4, 2, 1), BATCH_NORM2D, ACTIVATION(ACT_LEAKY_RELU), FLATTEN, LINEAR(1), {0}};
	generator[0].no_bias = generator[4].no_bias = generator[7].no_bias = discriminator[2].no_bias = true;
	discriminator[1].alpha = discriminator[4].alpha = 0.2;
	int code = add(m, "generator", (struct map){GAN_LATENT, 1, 1, 0}, generator, err);
	return code ? code : add(m, "discriminator", m->image, discriminator, err);
}

static void draw_z(const struct model *m, const struct block *b, struct block_result *r)
{
	(void)r;
	model_noise(b, GAN_LATENT, model_input(m, b, GENERATOR));
}

/* Pixels 0..1 to -1..1, as tanh has them. */
static void load_real(const struct model *m, const struct block *b, struct block_result *r)
{
	(void)r;
	static const real two = 2, minus_one = -1;
	const struct map *in = &m->net[DISCRIMINATOR].in;
	real *x = model_input(m, b, DISCRIMINATOR);
	b->kern->load_u8(x, in, b->images, b->lanes);
	b->kern->affine(x, in, x, in, &two, &minus_one);
}

static void load_fake(const struct model *m, const struct block *b, struct block_result *r)
{
	(void)r;
	static const real one = 1, zero = 0;
	b->kern->affine(model_input(m, b, DISCRIMINATOR), &m->net[DISCRIMINATOR].in, model_output(m, b, GENERATOR),
		&m->net[GENERATOR].out, &one, &zero);
}

static double judge(const struct model *m, const struct block *b, double target)
{
	const struct map *out = &m->net[DISCRIMINATOR].out;
	const struct loss_target all = {.value = (real)target};
	return b->kern->loss(LOSS_BCE, output_grad(m, b, DISCRIMINATOR), out, model_output(m, b, DISCRIMINATOR), out, &all,
		(real)mean_scale(b), b->lanes);
}

static void real_loss(const struct model *m, const struct block *b, struct block_result *r)
{
	r->part[0] += judge(m, b, 1);
}

static void fake_loss(const struct model *m, const struct block *b, struct block_result *r)
{
	r->part[1] += judge(m, b, 0);
}

static void generator_loss(const struct model *m, const struct block *b, struct block_result *r)
{
	r->part[2] += judge(m, b, 1);
}

static void pass_image_grad(const struct model *m, const struct block *b, struct block_result *r)
{
	(void)r;
	static const real one = 1, zero = 0;
	b->kern->affine(output_grad(m, b, GENERATOR), &m->net[GENERATOR].out, model_input_grad(m, b, DISCRIMINATOR),
		&m->net[DISCRIMINATOR].in, &one, &zero);
}

static const struct step_op train_step_discriminator[] = {
	OP_CALL_OF(draw_z),
	OP_FORWARD_OF(GENERATOR),
	OP_CALL_OF(load_real),
	OP_FORWARD_OF(DISCRIMINATOR),
	OP_CALL_OF(real_loss),
	OP_BACKWARD_OF(DISCRIMINATOR, 0),
	OP_CALL_OF(load_fake),
	OP_FORWARD_OF(DISCRIMINATOR),
	OP_LOSS_OF(fake_loss),
	OP_BACKWARD_OF(DISCRIMINATOR, 0),
	{.kind = OP_END},
};
/* The images of the phase before still lie in the generator. */
static const struct step_op train_step_generator[] = {
	OP_CALL_OF(load_fake),
	OP_FORWARD_OF(DISCRIMINATOR),
	OP_LOSS_OF(generator_loss),
	OP_BACKWARD_OF(DISCRIMINATOR, OP_INPUT_GRAD | OP_FROZEN),
	OP_CALL_OF(pass_image_grad),
	OP_BACKWARD_OF(GENERATOR, 0),
	{.kind = OP_END},
};
static const struct train_phase gan_phases[] = {
	{train_step_discriminator, DISCRIMINATOR, 1}, {train_step_generator, GENERATOR, 1}, {0}};

/* --- rows ---------------------------------------------------------------------------------------------------------------- */

static const struct preset no_presets[] = {{"default", "", ""}, {0}};
static const struct series two_series[] = {
	{"train_loss", "", "", "", {{0, NULL}}, true}, {"val_loss", "", "", "", {{0, NULL}}, false}, {0}};

#define FAMILY(name_, phases_)                                   \
	static const struct family name_##_family = {.name = #name_, \
		.blurb = "",                                             \
		.params = plain_rows,                                    \
		.params_size = sizeof(struct plain_params),              \
		.presets = no_presets,                                   \
		.series = two_series,                                    \
		.monitor = "val_loss",                                   \
		.plan = name_##_plan,                                    \
		.phases = (phases_)}
FAMILY(gan, gan_phases);

static const struct workload workloads[] = {
	{"ae", &family_ae, "optimizer=adam lr=1e-3 schedule=constant warmup_epochs=0", false},
	{"vae", &family_vae, "optimizer=adam lr=1e-3 schedule=constant warmup_epochs=0 beta_warmup=0", false},
	{"nll", &family_vae,
		"channels=- hidden=30 activation=glu likelihood=bernoulli binarize=true free_bits=0.011 optimizer=adam lr=1e-3 "
		"schedule=constant warmup_epochs=0 beta_warmup=0",
		false},
	{"cnn", &family_classifier,
		"channels=8,16,32 convs=1 stride=2 padding=1,1,0 norm=none pool=none global_pool=false hidden=64 dropout=0 label_smoothing=0",
		false},
	{"small", &family_classifier, "activation=silu pool=avg dropout=0 label_smoothing=0.1", false},
	{"class1", &family_finetune, "", true},
	{"class2", &family_finetune, "head=-", true},
	{"gan", &gan_family, "lr=2e-4 beta1=0.5", false},
};
enum { WORKLOADS = sizeof workloads / sizeof *workloads };

const struct workload *workload_at(int i)
{
	return i < WORKLOADS ? &workloads[i] : NULL;
}

const struct workload *workload_find(const char *name)
{
	for (int i = 0; i < WORKLOADS; i++)
		if (!strcmp(workloads[i].name, name))
			return &workloads[i];
	return NULL;
}

/* Heads stand on the encoder of the report's autoencoder. */
static int plan_family(struct model *ret, const struct workload *w, const void *params, struct err *err)
{
	const struct map image = {1, 28, 28, 0};
	if (!w->codes)
		return model_plan(ret, w->family, params, image, 10, err);
	struct model_base base = {&family_ae, family_params(&family_ae, preset_find(&family_ae, "report"))};
	int code = base.params ? model_plan_on(ret, w->family, params, &base, image, 10, err)
						   : err_set(err, ERR_NO_MEMORY, "out of memory");
	free(base.params);
	return code;
}

int workload_plan(struct model *ret, const struct workload *w, const char *more, struct err *err)
{
	void *params = calloc(1, w->family->params_size);
	if (!params)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	param_defaults(w->family->params, params);
	int code = param_set_all(w->family->params, params, "val_fraction=0", err);
	if (!code)
		code = param_set_all(w->family->params, params, w->overrides, err);
	if (!code)
		code = param_set_all(w->family->params, params, more, err);
	if (!code)
		code = plan_family(ret, w, params, err);
	free(params);
	return code;
}

static double op_flops(const struct model *m, const struct step_op *op)
{
	const struct net *net = &m->net[op->net];
	const struct layer *first = &net->layer[0];
	double all = net->flops_fwd, below = first->spec.op->flops ? first->spec.op->flops(first) : 0;
	if (op->kind == OP_FORWARD)
		return all;
	if (op->kind != OP_BACKWARD)
		return 0;
	return (op->flags & OP_FROZEN ? 0 : all) + (op->flags & OP_INPUT_GRAD ? all : all - below);
}

const struct train_phase *workload_phases(const struct model *m)
{
	return m->family->cached && m->family->cached(m, 0) ? m->family->cached_phases : m->family->phases;
}

double workload_flops(const struct model *m)
{
	double total = 0;
	for (const struct train_phase *p = workload_phases(m); p->ops; p++)
		for (const struct step_op *op = p->ops; op->kind != OP_END; op++)
			total += op_flops(m, op);
	return total;
}
