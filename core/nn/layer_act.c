#include "core/nn/layer.h"

#include <string.h>

/* PyTorch's constructors; LeakyReLU's slope is printed with it. */
static const char *const modules[ACT_COUNT] = {
	[ACT_NONE] = "Identity",
	[ACT_RELU] = "ReLU",
	[ACT_LEAKY_RELU] = "LeakyReLU",
	[ACT_SIGMOID] = "Sigmoid",
	[ACT_TANH] = "Tanh",
	[ACT_SILU] = "SiLU",
};

static int plan(struct layer *l, int *ret_halo_in, int *ret_halo_out, struct err *err)
{
	*ret_halo_in = *ret_halo_out = 0;
	return layer_set_out(l, l->in.c, l->in.h, l->in.w, err);
}

/* SiLU's slope needs what went in; the others tell it from what came out. */
static size_t keep(const struct layer *l)
{
	return l->spec.act == ACT_SILU ? map_reals(&l->in) : 0;
}

static void fwd(const struct layer *l, const struct net_run *run)
{
	const real *x = layer_x(l, run);
	real *y = layer_y(l, run);
	size_t bytes = map_reals(&l->in) * sizeof *x;
	if (l->keeps)
		memcpy(run->ws + l->keep, x, bytes);
	if (x != y)
		memcpy(y, x, bytes);
	run->kern->act_fwd(y, &l->out, l->spec.act, (real)l->spec.alpha);
}

/* Values without halos are a row of whole vectors: the last one has room. */
static real *one(const struct layer *l, const struct net_run *run, real *x, real *to, real *scratch)
{
	(void)to, (void)scratch;
	const struct map row = {1, 1, (map_features(&l->in) + LANES - 1) / LANES, 0};
	run->kern->act_fwd(x, &row, l->spec.act, (real)l->spec.alpha);
	return x;
}

/* dx = dy f', told from the values of the forward pass. */
static void slope(real *dx, const real *dy, const struct layer *l, const struct net_run *run)
{
	const real *x = l->keeps ? run->ws + l->keep : NULL;
	run->kern->act_bwd(dx, dy, layer_y(l, run), x, &l->out, l->spec.act, (real)l->spec.alpha);
}

static void bwd(const struct layer *l, const struct net_run *run)
{
	slope(layer_dx(l, run), layer_dy(l, run), l, run);
}

static void tangent(const struct layer *l, const struct net_run *run, real *ts)
{
	slope(ts + l->y, ts + l->x, l, run);
}

static void print(const struct layer *l, struct buf *text)
{
	buf_printf(text, "nn.%s(", modules[l->spec.act]);
	if (l->spec.act == ACT_LEAKY_RELU)
		buf_printf(text, "%.9g", l->spec.alpha);
	buf_str(text, ")");
}

const struct layer_op layer_activation = {
	.name = "Activation",
	.word = "activation",
	.elementwise = true,
	.plan = plan,
	.keep = keep,
	.fwd = fwd,
	.one = one,
	.bwd = bwd,
	.tangent = tangent,
	.print = print,
};

/* --- the gated linear unit: an activation that halves the channels --- */

static int plan_glu(struct layer *l, int *ret_halo_in, int *ret_halo_out, struct err *err)
{
	*ret_halo_in = *ret_halo_out = 0;
	if (l->in.c % 2)
		return err_set(err, ERR_INVALID, "%d channels do not fall into two halves", l->in.c);
	return layer_set_out(l, l->in.c / 2, l->in.h, l->in.w, err);
}

static void fwd_glu(const struct layer *l, const struct net_run *run)
{
	run->kern->glu_fwd(layer_y(l, run), &l->out, layer_x(l, run), &l->in);
}

static void bwd_glu(const struct layer *l, const struct net_run *run)
{
	run->kern->glu_bwd(layer_dx(l, run), &l->in, layer_dy(l, run), &l->out, layer_x(l, run), &l->in);
}

static void print_glu(const struct layer *l, struct buf *text)
{
	(void)l;
	buf_str(text, "nn.GLU(dim=1)");
}

const struct layer_op layer_glu = {
	.name = "GLU",
	.word = "gated linear unit",
	.plan = plan_glu,
	.fwd = fwd_glu,
	.bwd = bwd_glu,
	.print = print_glu,
};
