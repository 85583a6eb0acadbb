#include "core/model/model.h"

#include "core/base/cpu.h"
#include "core/model/train.h"
#include "core/nn/layer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reals in 64 bytes: where the next net's workspace may begin. */
enum { VECTOR_REALS = 64 / sizeof(real) };

static size_t whole_vectors(size_t reals)
{
	return (reals + VECTOR_REALS - 1) / VECTOR_REALS * VECTOR_REALS;
}

bool model_has_codes(const struct model *m)
{
	return m->latent_dim > 0 && m->family->encode;
}

struct pace model_pace(const struct model *m, int net)
{
	struct pace pace = {.lr_scale = 1};
	if (m->family->pace)
		m->family->pace(m, net, &pace);
	pace.every = pace.every > 0 ? pace.every : 1;
	return pace;
}

/* --- plan ------------------------------------------------------------------------------------------------------------- */

static void *copy_params(const struct family *f, const void *params)
{
	void *copy = malloc(f->params_size);
	return copy ? memcpy(copy, params, f->params_size) : NULL;
}

static int fail_memory(struct err *err)
{
	return err_set(err, ERR_NO_MEMORY, "no memory for the parameters of a model");
}

static int copy_base(struct model_base *ret, const struct model_base *base, struct err *err)
{
	*ret = (struct model_base){.family = base->family};
	if (!base->family)
		return OK;
	ret->params = copy_params(base->family, base->params);
	return ret->params ? OK : fail_memory(err);
}

static int check_base(const struct family *f, const struct model_base *base, struct err *err)
{
	if (!f->adopt == !base->family)
		return OK;
	if (f->adopt)
		return err_field(err, ERR_INVALID, "#/from", "is required: a model that encodes");
	return err_field(err, ERR_INVALID, "#/from", "a model of kind '%s' begins anew; leave it out", f->name);
}

int model_plan_on(struct model *ret, const struct family *f, const void *params, const struct model_base *base,
	struct map image, int classes, struct err *err)
{
	struct model m = {.family = f, .image = image, .classes = classes};
	int code = family_check_trains(f, err);
	if (!code)
		code = check_base(f, base, err);
	if (code)
		return code;
	m.family_params = copy_params(f, params);
	code = m.family_params ? copy_base(&m.base, base, err) : fail_memory(err);
	if (!code)
		code = train_params_check(model_train(&m), err);
	if (!code)
		code = f->plan(&m, err);
	if (code) {
		model_free(&m);
		return code;
	}
	*ret = m;
	return OK;
}

int model_plan(
	struct model *ret, const struct family *f, const void *params, struct map image, int classes, struct err *err)
{
	return model_plan_on(ret, f, params, &(struct model_base){0}, image, classes, err);
}

int model_copy(struct model *ret, const struct model *m, struct err *err)
{
	struct model copy = *m;
	copy.family_params = copy_params(m->family, m->family_params);
	int code = copy_base(&copy.base, &m->base, err);
	if (!copy.family_params || code) {
		model_free(&copy);
		return fail_memory(err);
	}
	*ret = copy;
	return OK;
}

void model_free(struct model *m)
{
	free(m->family_params);
	free(m->base.params);
	*m = (struct model){0};
}

int model_add_net(
	struct model *m, const char *name, struct map in, const struct layer_spec *rows, int n, struct err *err)
{
	if (n > NET_LAYERS_MAX)
		return err_field(err, ERR_INVALID, "#/params", "the %s would have %d layers; at most %d are possible", name, n,
			NET_LAYERS_MAX);
	struct net *net = &m->net[m->nets];
	int code = net_plan(net, name, in, rows, n, err);
	if (code == ERR_INVALID && err && !err->pointer[0])
		snprintf(err->pointer, sizeof err->pointer, "#/params");
	if (code)
		return code;
	size_t total = model_parameters(m) + net_parameters(net);
	if (total > MODEL_PARAMETERS_MAX)
		return err_field(err, ERR_INVALID, "#/params",
			"the model would have %zu parameters by the end of its %s; at most %d", total, name, MODEL_PARAMETERS_MAX);
	m->net_offset[m->nets] = m->params;
	m->buffer_offset[m->nets++] = m->buffers;
	m->params += net->params;
	m->buffers += net->buffers;
	return OK;
}

const struct train_params *model_train(const struct model *m)
{
	return m->family_params; /* it begins with struct train_params */
}

size_t model_parameters(const struct model *m)
{
	size_t total = 0;
	for (int i = 0; i < m->nets; i++)
		total += net_parameters(&m->net[i]);
	return total;
}

size_t model_reals(const struct model *m)
{
	return m->params + m->buffers;
}

double model_flops(const struct model *m)
{
	double total = 0;
	for (int i = 0; i < m->nets; i++)
		total += m->net[i].flops_fwd;
	return total;
}

static double op_flops(const struct model *m, const struct step_op *op)
{
	const struct net *net = &m->net[op->net];
	const struct layer *first = &net->layer[0];
	const double all = net->flops_fwd, below = first->spec.op->flops ? first->spec.op->flops(first) : 0;
	if (op->kind == OP_FORWARD)
		return all;
	if (op->kind != OP_BACKWARD)
		return 0;
	return (op->flags & OP_FROZEN ? 0 : all) + (op->flags & OP_INPUT_GRAD ? all : all - below);
}

double model_train_flops(const struct model *m)
{
	const struct family *f = m->family;
	double total = 0;
	for (const struct train_phase *p = f->cached && f->cached(m, 0) ? f->cached_phases : f->phases; p->ops; p++)
		for (const struct step_op *op = p->ops; op->kind != OP_END; op++)
			total += op_flops(m, op) / (double)model_pace(m, p->first_net).every;
	return total;
}

bool model_tensor(const struct model *m, int n, int i, struct net_tensor *ret_tensor, size_t *ret_offset)
{
	if (!net_tensor(&m->net[n], i, ret_tensor))
		return false;
	*ret_offset = ret_tensor->offset + (ret_tensor->buffer ? m->params + m->buffer_offset[n] : m->net_offset[n]);
	return true;
}

void model_init(const struct model *m, real *w, uint64_t seed)
{
	int first_tensor = 0;
	for (int i = 0; i < m->nets; i++) {
		net_init(&m->net[i], w + m->net_offset[i], w + m->params + m->buffer_offset[i], seed, first_tensor);
		struct net_tensor tensor;
		for (int t = 0; net_tensor(&m->net[i], t, &tensor); t++)
			first_tensor++;
	}
}

size_t model_workspace(const struct model *m)
{
	size_t total = 0;
	for (int i = 0; i < m->nets; i++)
		total += whole_vectors(m->net[i].workspace);
	return total + whole_vectors(m->extra);
}

real *model_net_ws(const struct model *m, real *ws, int i)
{
	for (int before = 0; before < i; before++)
		ws += whole_vectors(m->net[before].workspace);
	return ws;
}

real *model_extra(const struct model *m, real *ws)
{
	return model_net_ws(m, ws, m->nets);
}

size_t model_shared(const struct model *m)
{
	size_t total = 0;
	for (int i = 0; i < m->nets; i++)
		total += m->net[i].shared;
	return total;
}

/* Masks are addressed by step and pass; a pass is through one net. */
static uint64_t pass_address(const struct block *b)
{
	enum { PASSES = PHASES_MAX * OPS_MAX };
	return b->rng.step * PASSES + (uint64_t)b->pass;
}

struct net_run model_net_run(const struct model *m, const struct block *b, int i)
{
	struct net_run run = {.kern = b->kern,
		.w = (b->effective && m->net[i].spectral ? b->effective : b->w) + m->net_offset[i],
		.dw = b->dw ? b->dw + m->net_offset[i] : NULL,
		.buffers = b->w + m->params + m->buffer_offset[i],
		.new_buffers = b->new_buffers ? b->new_buffers + m->buffer_offset[i] : NULL,
		.ws = model_net_ws(m, b->ws, i),
		.shared = b->shared,
		.lanes = b->lanes,
		.training = b->training,
		.rng = {.seed = b->rng.seed, .step = pass_address(b)},
		.sample = b->sample};
	for (int before = 0; b->shared && before < i; before++)
		run.shared += m->net[before].shared;
	return run;
}

real *model_input(const struct model *m, const struct block *b, int i)
{
	return net_input(&m->net[i], model_net_ws(m, b->ws, i));
}

real *model_output(const struct model *m, const struct block *b, int i)
{
	real *ws = model_net_ws(m, b->ws, i);
	return m->net[i].logits ? net_logits(&m->net[i], ws) : net_output(&m->net[i], ws);
}

real *model_input_grad(const struct model *m, const struct block *b, int i)
{
	return net_input_grad(&m->net[i], model_net_ws(m, b->ws, i));
}

real *model_output_grad(const struct model *m, const struct block *b, int i)
{
	real *ws = model_net_ws(m, b->ws, i);
	return m->net[i].logits ? net_logits_grad(&m->net[i], ws) : net_output_grad(&m->net[i], ws);
}

void model_noise(const struct block *b, int units, real *ret_noise)
{
	float drawn[LANES * LATENT_DIM_MAX];
	struct rng r = {.seed = b->rng.seed, .stream = RNG_NOISE, .step = b->rng.step};
	rng_normal_from(drawn, (size_t)b->sample * (size_t)units, (size_t)(LANES * units), r);
	for (int u = 0; u < units; u++)
		for (int l = 0; l < LANES; l++)
			ret_noise[u * LANES + l] = (real)drawn[l * units + u];
}

void model_through(const struct model *m, int i, const struct kern *k, const real *w, real *ws, const float *rows,
	int lanes, float *ret_rows)
{
	const struct net *net = &m->net[i];
	const struct net_run run = model_net_run(m, &(struct block){.kern = k, .w = w, .ws = ws, .lanes = lanes}, i);
	const real *one = lanes == 1 ? net_forward_one(net, &run, rows) : NULL;
	for (int f = 0; one && f < map_features(&net->out); f++)
		ret_rows[f] = (float)one[f];
	if (one)
		return;
	k->load_rows(net_input(net, run.ws), &net->in, rows, lanes);
	net_forward(net, &run);
	k->store_rows(ret_rows, net_output(net, run.ws), &net->out, lanes);
}

/* --- use -------------------------------------------------------------------------------------------------------------- */

static int lanes_from(size_t i, size_t n)
{
	return n - i < LANES ? (int)(n - i) : LANES;
}

int model_encode(const struct model *m, const struct kern *k, const real *w, real *ws, const float *images, size_t n,
	float *z, struct err *err)
{
	if (!m->family->encode)
		return family_lacks(m->family, "encoder", err);
	cpu_flush_denormals();
	size_t pixels = (size_t)map_features(&m->image);
	for (size_t i = 0; i < n; i += LANES)
		m->family->encode(m, k, w, ws, images + i * pixels, lanes_from(i, n), z + i * m->latent_dim);
	return OK;
}

int model_decode(const struct model *m, const struct kern *k, const real *w, real *ws, const float *z, size_t n,
	float *images, struct err *err)
{
	if (!m->family->decode)
		return family_lacks(m->family, "decoder", err);
	cpu_flush_denormals();
	size_t pixels = (size_t)map_features(&m->image);
	for (size_t i = 0; i < n; i += LANES)
		m->family->decode(m, k, w, ws, z + i * m->latent_dim, lanes_from(i, n), images + i * pixels);
	return OK;
}

int model_posterior(const struct model *m, const struct kern *k, const real *w, real *ws, const float *images, size_t n,
	float *mu, float *logvar, struct err *err)
{
	if (!m->family->posterior)
		return family_lacks(m->family, "posterior", err);
	cpu_flush_denormals();
	size_t pixels = (size_t)map_features(&m->image);
	for (size_t i = 0; i < n; i += LANES)
		m->family->posterior(
			m, k, w, ws, images + i * pixels, lanes_from(i, n), mu + i * m->latent_dim, logvar + i * m->latent_dim);
	return OK;
}

int model_class(const struct model *m, const float *row)
{
	int best = 0;
	for (int i = 1; i < m->classes; i++)
		if (row[i] > row[best])
			best = i;
	return best;
}

/* Relative to the largest, so that nothing overflows. */
static void softmax(float *row, int n, float largest)
{
	double sum = 0;
	for (int i = 0; i < n; i++)
		sum += exp((double)row[i] - (double)largest);
	for (int i = 0; i < n; i++)
		row[i] = (float)(exp((double)row[i] - (double)largest) / sum);
}

int model_classify(const struct model *m, const struct kern *k, const real *w, real *ws, const float *images, size_t n,
	float *probabilities, struct err *err)
{
	if (!m->family->logits)
		return family_lacks(m->family, "classes", err);
	cpu_flush_denormals();
	size_t pixels = (size_t)map_features(&m->image), classes = (size_t)m->classes;
	for (size_t i = 0; i < n; i += LANES)
		m->family->logits(m, k, w, ws, images + i * pixels, lanes_from(i, n), probabilities + i * classes);
	for (size_t i = 0; i < n; i++) {
		float *row = probabilities + i * classes;
		softmax(row, m->classes, row[model_class(m, row)]);
	}
	return OK;
}

int model_reconstruct(const struct model *m, const struct kern *k, const real *w, real *ws, const float *images,
	size_t n, float *out, struct err *err)
{
	float z[LANES * LATENT_DIM_MAX];
	size_t pixels = (size_t)map_features(&m->image);
	for (size_t i = 0; i < n; i += LANES) {
		size_t lanes = (size_t)lanes_from(i, n);
		int code = model_encode(m, k, w, ws, images + i * pixels, lanes, z, err);
		if (!code)
			code = model_decode(m, k, w, ws, z, lanes, out + i * pixels, err);
		if (code)
			return code;
	}
	return OK;
}
