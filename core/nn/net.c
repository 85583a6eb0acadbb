#include "core/nn/net.h"

#include "core/base/shape.h"
#include "core/nn/layer.h"
#include "core/nn/spectral.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* --- planning: shapes --- */

int layer_check(const char *what, int value, int low, struct err *err)
{
	if (value < low || value > LAYER_DIM_MAX)
		return err_set(err, ERR_INVALID, "%s must be %d..%d, got %d", what, low, LAYER_DIM_MAX, value);
	return OK;
}

static int check_map(int64_t c, int64_t h, int64_t w, struct err *err)
{
	const int64_t shape[] = {c, h, w};
	size_t features;
	if (c < 1 || h < 1 || w < 1)
		return err_set(err, ERR_INVALID, "nothing is left: %lldx%lldx%lld", (long long)c, (long long)h, (long long)w);
	if (h > LAYER_DIM_MAX || w > LAYER_DIM_MAX || !shape_bytes(shape, 3, 1, &features) || features > LAYER_FEATURES_MAX)
		return err_set(err, ERR_INVALID, "%lldx%lldx%lld is too large: at most %d values a sample", (long long)c,
			(long long)h, (long long)w, LAYER_FEATURES_MAX);
	return OK;
}

int layer_set_out(struct layer *l, int64_t c, int64_t h, int64_t w, struct err *err)
{
	int code = check_map(c, h, w, err);
	if (!code)
		l->out = (struct map){(int)c, (int)h, (int)w, 0};
	return code;
}

static int larger(int a, int b)
{
	return a > b ? a : b;
}

/* "conv 3": which of its kind the layer is, as people count. */
static int wrap_layer(const struct net *net, int i, struct err *err)
{
	int nth = 0;
	for (int k = 0; k <= i; k++)
		nth += net->layer[k].spec.op == net->layer[i].spec.op;
	return err_wrap(err, "%s %d", net->layer[i].spec.op->word, nth);
}

/* Shapes of all layers; halo[i] becomes what the neighbours of boundary i (the input of layer i) need around it. */
static int plan_shapes(struct net *net, int halo[], struct err *err)
{
	struct map at = net->in;
	memset(halo, 0, (size_t)(net->n + 1) * sizeof *halo);
	for (int i = 0; i < net->n; i++) {
		struct layer *l = &net->layer[i];
		int halo_in = 0, halo_out = 0;
		l->in = at;
		if (l->spec.op->plan(l, &halo_in, &halo_out, err))
			return wrap_layer(net, i, err);
		halo[i] = larger(halo[i], halo_in);
		halo[i + 1] = halo_out;
		at = l->out;
	}
	net->out = at;
	return OK;
}

static int settle_halos(struct net *net, int halo[], struct err *err)
{
	for (int i = 0; i < net->n;
		 i++) /* an elementwise layer has one layout on both sides: the need travels through it */
		if (net->layer[i].spec.op->elementwise)
			halo[i + 1] = larger(halo[i], halo[i + 1]);
	for (int i = net->n; i-- > 0;)
		if (net->layer[i].spec.op->elementwise)
			halo[i] = halo[i + 1];
	for (int i = 0; i < net->n; i++) {
		struct layer *l = &net->layer[i];
		l->in.halo = halo[i];
		l->out.halo = halo[i + 1];
		if (l->spec.op->vectors && (halo[i] || halo[i + 1])) {
			err_set(err, ERR_INVALID, "works on vectors: put Flatten before it and Unflatten after it");
			return wrap_layer(net, i, err);
		}
	}
	net->in.halo = halo[0];
	net->out.halo = halo[net->n];
	return OK;
}

/* --- planning: memory --- */

/* *end += count reals, rounded up to whole vectors; the old end is where they start. */
static bool carve(size_t *end, size_t count, size_t *ret_start)
{
	size_t start = *end, next;
	if (!size_add(start, count, &next) || !size_add(next, LANES - 1, &next))
		return false;
	*ret_start = start;
	*end = next / LANES * LANES;
	return *end <= SIZE_MAX / sizeof(real) / 4;
}

static bool carve_map(size_t *end, const struct map *m, size_t *ret_start)
{
	const int64_t shape[] = {m->c, (int64_t)m->h + 2 * m->halo, (int64_t)m->w + 2 * m->halo, LANES};
	size_t reals;
	return shape_bytes(shape, 4, 1, &reals) && carve(end, reals, ret_start);
}

static bool plan_parameters(struct net *net)
{
	for (int i = 0; i < net->n; i++) {
		struct layer *l = &net->layer[i];
		int64_t shape[4];
		if (!l->spec.op->weight_shape)
			continue;
		if (!shape_bytes(shape, l->spec.op->weight_shape(l, shape), 1, &l->weights) || l->weights > INT_MAX)
			return false;
		l->biases = l->spec.no_bias ? 0 : (size_t)layer_units(l);
		if (!carve(&net->params, l->weights, &l->weight) || !carve(&net->params, l->biases, &l->bias))
			return false;
	}
	return true;
}

static int buffers_of(const struct layer *l)
{
	int n = 0;
	while (l->spec.op->buffer[n])
		n++;
	return n;
}

static bool plan_spectral(struct net *net, struct layer *l)
{
	net->spectral = true;
	l->u_count = (size_t)layer_units(l);
	l->v_count = l->weights / l->u_count;
	return carve(&net->buffers, l->u_count, &l->u) && carve(&net->buffers, l->v_count, &l->v);
}

static bool plan_buffers(struct net *net)
{
	for (int i = 0; i < net->n; i++) {
		struct layer *l = &net->layer[i];
		size_t ignored;
		l->buffers = buffers_of(l) ? (size_t)l->in.c : 0;
		if (!carve(&net->buffers, l->buffers, &l->buffer))
			return false;
		for (int b = 1; b < buffers_of(l); b++)
			if (!carve(&net->buffers, l->buffers, &ignored))
				return false;
		if (l->spec.spectral_norm && !plan_spectral(net, l))
			return false;
		if (l->spec.op->shared && !carve(&net->shared, l->spec.op->shared(l), &l->shared))
			return false;
	}
	return true;
}

static bool elementwise_at(const struct net *net, int i)
{
	return i >= 0 && net->layer[i].spec.op->elementwise;
}

/* Activations: one place per boundary; an elementwise layer works in place unless its input is the net's, or the output
 * of another one, which needs it in backward. */
static bool plan_values(struct net *net)
{
	size_t at;
	if (!carve_map(&net->workspace, &net->in, &at))
		return false;
	for (int i = 0; i < net->n; i++) {
		struct layer *l = &net->layer[i];
		l->x = at;
		bool in_place = l->spec.op->elementwise && i > 0 && !elementwise_at(net, i - 1);
		if (!in_place && !carve_map(&net->workspace, &l->out, &at))
			return false;
		l->y = at;
		l->keeps = l->spec.op->keep ? l->spec.op->keep(l) : 0;
		if (l->keeps && !carve(&net->workspace, l->keeps, &l->keep))
			return false;
	}
	return true;
}

/* Gradients lie where the values of their boundary were: when they are written, the layer above has made its last use
 * of them. Only an elementwise layer below still needs its output: then they wait in one spare place that all
 * boundaries share (its halo is never read: an elementwise layer reads the interior). */
static bool plan_gradients(struct net *net)
{
	struct map widest = net->in;
	for (int i = 0; i < net->n; i++)
		if (map_reals(&net->layer[i].out) > map_reals(&widest))
			widest = net->layer[i].out;
	size_t spare;
	if (!carve_map(&net->workspace, &widest, &spare))
		return false;
	for (int i = 0; i < net->n; i++) {
		net->layer[i].dx = elementwise_at(net, i - 1) ? spare : net->layer[i].x;
		net->layer[i].dy = elementwise_at(net, i) ? spare : net->layer[i].y;
	}
	return true;
}

static size_t larger_size(size_t a, size_t b)
{
	return a > b ? a : b;
}

static bool plan_scratch(struct net *net)
{
	size_t most = 0;
	for (int i = 0; i < net->n; i++)
		most = larger_size(most, net->layer[i].spec.op->scratch ? net->layer[i].spec.op->scratch(&net->layer[i]) : 0);
	size_t scratch;
	if (!carve(&net->workspace, most, &scratch))
		return false;
	for (int i = 0; i < net->n; i++)
		net->layer[i].scratch = scratch;
	return true;
}

/* Two places for values, of the widest boundary each, and the most scratch that a layer wants. */
static bool plan_one(struct net *net)
{
	size_t scratch = 0, values = (size_t)map_features(&net->in);
	for (int i = 0; i < net->n; i++) {
		const struct layer *l = &net->layer[i];
		if (!l->spec.op->one)
			return true;
		scratch = larger_size(scratch, l->spec.op->one_scratch ? l->spec.op->one_scratch(l) : 0);
		values = larger_size(values, (size_t)map_features(&l->out));
	}
	return carve(&net->workspace, values, &net->one[0]) && carve(&net->workspace, values, &net->one[1]) &&
		   carve(&net->workspace, scratch, &net->one_scratch);
}

int net_plan(
	struct net *ret_net, const char *name, struct map in, const struct layer_spec *rows, int n, struct err *err)
{
	if (n < 1 || n > NET_LAYERS_MAX)
		return err_set(err, ERR_INVALID, "a net has 1..%d layers, not %d", NET_LAYERS_MAX, n);
	in.halo = 0;
	struct net net = {.n = n, .in = in};
	snprintf(net.name, sizeof net.name, "%s", name);
	for (int i = 0; i < n; i++)
		net.layer[i] = (struct layer){.spec = rows[i], .index = i};
	if (check_map(in.c, in.h, in.w, err))
		return err_wrap(err, "input");
	int halo[NET_LAYERS_MAX + 1];
	int code = plan_shapes(&net, halo, err);
	if (!code)
		code = settle_halos(&net, halo, err);
	if (code)
		return code;
	if (!plan_parameters(&net) || !plan_buffers(&net) || !plan_values(&net) || !plan_gradients(&net) ||
		!plan_scratch(&net) || !plan_one(&net))
		return err_set(err, ERR_INVALID, "%s needs more memory than can be addressed", net.name);
	for (int i = 0; i < n; i++)
		net.flops_fwd += rows[i].op->flops ? rows[i].op->flops(&net.layer[i]) : 0;
	*ret_net = net;
	return OK;
}

/* --- parameters --- */

int layer_units(const struct layer *l)
{
	return l->spec.op->fan_in ? l->spec.out : l->in.c;
}

size_t layer_buffer_pitch(const struct layer *l)
{
	return (l->buffers + LANES - 1) / LANES * LANES;
}

/* The i-th singular vector, as torch.nn.utils.spectral_norm calls them. */
static bool spectral_tensor(const struct layer *l, int i, struct net_tensor *ret, const char **ret_word)
{
	const size_t at[] = {l->u, l->v}, count[] = {l->u_count, l->v_count};
	static const char *const word[] = {"weight_u", "weight_v"};
	if (i >= 2)
		return false;
	*ret = (struct net_tensor){
		.rank = 1, .shape = {(int64_t)count[i]}, .buffer = true, .offset = at[i], .count = count[i]};
	*ret_word = word[i];
	return true;
}

/* The i-th tensor of one layer; false when it has fewer. */
static bool layer_tensor(const struct layer *l, int i, struct net_tensor *ret, const char **ret_word)
{
	const struct layer_op *op = l->spec.op;
	if (i == 0 && l->weights) {
		*ret = (struct net_tensor){.offset = l->weight, .count = l->weights};
		ret->rank = op->weight_shape(l, ret->shape);
		*ret_word = l->spec.spectral_norm ? "weight_orig" : "weight";
		return true;
	}
	i -= l->weights > 0;
	if (i == 0 && l->biases) {
		*ret = (struct net_tensor){.rank = 1, .shape = {(int64_t)l->biases}, .offset = l->bias, .count = l->biases};
		*ret_word = "bias";
		return true;
	}
	i -= l->biases > 0;
	if (l->u_count)
		return spectral_tensor(l, i, ret, ret_word);
	if (i >= buffers_of(l))
		return false;
	*ret = (struct net_tensor){.rank = 1,
		.shape = {(int64_t)l->buffers},
		.buffer = true,
		.offset = l->buffer + (size_t)i * layer_buffer_pitch(l),
		.count = l->buffers};
	*ret_word = op->buffer[i];
	return true;
}

static int tensors_of(const struct layer *l)
{
	return (l->weights > 0) + (l->biases > 0) + (l->u_count ? 2 : buffers_of(l));
}

bool net_tensor(const struct net *net, int i, struct net_tensor *ret_tensor)
{
	int k = 0;
	for (; k < net->n && i >= tensors_of(&net->layer[k]); k++)
		i -= tensors_of(&net->layer[k]);
	struct net_tensor t;
	const char *word;
	if (k == net->n || !layer_tensor(&net->layer[k], i, &t, &word))
		return false;
	snprintf(t.name, sizeof t.name, "%s.%d.%s", net->name, k, word);
	*ret_tensor = t;
	return true;
}

size_t net_parameters(const struct net *net)
{
	size_t total = 0;
	for (int i = 0; i < net->n; i++)
		total += net->layer[i].weights + net->layer[i].biases;
	return total;
}

/* The draws are floats. Where real is wider they spread out over their own memory, the last one first. */
static void widen(real *w, size_t n)
{
	const float *drawn = (const float *)w;
	for (size_t i = n; sizeof(real) != sizeof(float) && i-- > 0;)
		w[i] = (real)drawn[i];
}

static void init_uniform(real *w, size_t n, struct rng r, double bound)
{
	rng_uniform((float *)w, n, r, (float)-bound, (float)bound);
	widen(w, n);
}

static void init_normal(real *w, size_t n, struct rng r, double mean, double sd)
{
	rng_normal((float *)w, n, r);
	widen(w, n);
	for (size_t i = 0; i < n; i++)
		w[i] = (real)(mean + sd * (double)w[i]);
}

static void fill(real *x, size_t n, real value)
{
	for (size_t i = 0; i < n; i++)
		x[i] = value;
}

static void init_drawn(const struct layer *l, real *w, real *buffers, uint64_t seed, uint64_t tensor)
{
	const double bound = 1 / sqrt(l->spec.op->fan_in(l)), sd = l->spec.init_sd;
	const struct rng weight = {seed, RNG_INIT, tensor}, bias = {seed, RNG_INIT, tensor + 1};
	if (sd > 0)
		init_normal(w + l->weight, l->weights, weight, 0, sd);
	else
		init_uniform(w + l->weight, l->weights, weight, bound);
	init_uniform(w + l->bias, l->biases, bias, bound);
	if (l->u_count)
		spectral_init(l, w, buffers, (struct rng){seed, RNG_INIT, tensor + 2});
}

static void init_constant(const struct layer *l, real *w, real *buffers, uint64_t seed, uint64_t tensor)
{
	fill(w + l->weight, l->weights, 1);
	if (l->spec.init_sd > 0)
		init_normal(w + l->weight, l->weights, (struct rng){seed, RNG_INIT, tensor}, 1, l->spec.init_sd);
	fill(w + l->bias, l->biases, 0);
	for (int b = 0; b < buffers_of(l); b++)
		fill(buffers + l->buffer + (size_t)b * layer_buffer_pitch(l), l->buffers, (real)b);
}

void net_init(const struct net *net, real *w, real *buffers, uint64_t seed, int first_tensor)
{
	uint64_t tensor = (uint64_t)first_tensor;
	for (int i = 0; i < net->n; i++) {
		const struct layer *l = &net->layer[i];
		if (l->spec.op->fan_in)
			init_drawn(l, w, buffers, seed, tensor);
		else
			init_constant(l, w, buffers, seed, tensor);
		tensor += (uint64_t)tensors_of(l);
	}
}

/* --- running --- */

real *net_input(const struct net *net, real *ws)
{
	return ws + net->layer[0].x;
}

real *net_output(const struct net *net, real *ws)
{
	return ws + net->layer[net->n - 1].y;
}

real *net_output_grad(const struct net *net, real *ws)
{
	return ws + net->layer[net->n - 1].dy;
}

real *net_input_grad(const struct net *net, real *ws)
{
	return ws + net->layer[0].dx;
}

real *net_logits(const struct net *net, real *ws)
{
	return ws + net->layer[net->n - 1].x;
}

real *net_logits_grad(const struct net *net, real *ws)
{
	return ws + net->layer[net->n - 1].dx;
}

static int layers_of(const struct net *net, const struct net_run *run)
{
	return run->logits ? net->n - 1 : net->n;
}

void layer_bias_grad(const struct layer *l, const struct net_run *run)
{
	if (l->biases && !run->tangent)
		run->kern->bias_grad(run->dw + l->bias, layer_dy(l, run), &l->out);
}

int net_forward_on(const struct net *net, const struct net_run *run, int at)
{
	const int n = layers_of(net, run);
	for (int i = at == NET_WHOLE ? 0 : at; i < n; i++) {
		const struct layer *l = &net->layer[i];
		const struct barrier_op *barrier = run->training ? l->spec.op->barrier : NULL;
		if (barrier && i != at) {
			barrier->fwd_gather(l, run);
			return i;
		}
		l->spec.op->fwd(l, run);
	}
	return NET_WHOLE;
}

/* Nothing below the first weights needs a gradient. */
static int lowest(const struct net *net, const struct net_run *run, bool need_dx)
{
	int first = 0;
	while (!need_dx && first < net->n && !(run->dw && net->layer[first].weights))
		first++;
	return first;
}

int net_backward_on(const struct net *net, const struct net_run *run, bool need_dx, int at)
{
	const int first = lowest(net, run, need_dx);
	for (int i = at == NET_WHOLE ? layers_of(net, run) - 1 : at; i >= first; i--) {
		const struct layer *l = &net->layer[i];
		const struct layer_op *op = l->spec.op;
		if (op->barrier && i != at) {
			op->barrier->bwd_gather(l, run);
			return i;
		}
		if (run->dw && l->weights && op->grad)
			op->grad(l, run);
		if (i > first || need_dx)
			op->bwd(l, run);
	}
	return NET_WHOLE;
}

void net_forward(const struct net *net, const struct net_run *run)
{
	net_forward_on(net, run, NET_WHOLE);
}

const real *net_forward_one(const struct net *net, const struct net_run *run, const float *x)
{
	real *at = run->ws + net->one[0], *other = run->ws + net->one[1];
	if (!net->one_scratch)
		return NULL;
	for (int i = 0; i < map_features(&net->in); i++)
		at[i] = (real)x[i];
	for (int i = 0; i < net->n; i++) {
		const struct layer *l = &net->layer[i];
		real *y = l->spec.op->one(l, run, at, other, run->ws + net->one_scratch);
		if (y != at) {
			other = at;
			at = y;
		}
	}
	return at;
}

void net_backward(const struct net *net, const struct net_run *run, bool need_dx)
{
	net_backward_on(net, run, need_dx, NET_WHOLE);
}

void net_settle(const struct net *net, const struct net_run *runs, int blocks, int at, bool backward)
{
	const struct layer *l = &net->layer[at];
	const struct barrier_op *barrier = l->spec.op->barrier;
	(backward ? barrier->bwd_settle : barrier->fwd_settle)(l, runs, blocks);
}

void net_tangent(const struct net *net, const struct net_run *run, real *ts)
{
	struct net_run along = *run;
	along.ws = ts;
	along.tangent = true;
	for (int i = 0; i < net->n; i++) {
		const struct layer *l = &net->layer[i];
		if (l->spec.op->tangent)
			l->spec.op->tangent(l, run, ts);
		else
			l->spec.op->fwd(l, &along);
	}
}

void net_tangent_grad(const struct net *net, const struct net_run *run, real *ts)
{
	struct net_run along = *run;
	along.ws = ts;
	along.tangent = true;
	for (int i = 0; i < net->n; i++) {
		const struct layer *l = &net->layer[i];
		if (l->weights && l->spec.op->grad)
			l->spec.op->grad(l, &along);
	}
}
