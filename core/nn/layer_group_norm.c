/* GroupNorm (Wu & He 2018): each sample by itself, so no batch is waited for. PyTorch's eps 1e-5. */
#include "core/nn/layer.h"

static const double eps = 1e-5;

static int plan(struct layer *l, int *ret_halo_in, int *ret_halo_out, struct err *err)
{
	*ret_halo_in = *ret_halo_out = 0;
	int code = layer_check("the number of groups", l->spec.groups, 1, err);
	if (!code && l->in.c % l->spec.groups)
		code = err_set(err, ERR_INVALID, "%d channels do not fall into %d groups", l->in.c, l->spec.groups);
	return code ? code : layer_set_out(l, l->in.c, l->in.h, l->in.w, err);
}

static size_t keep(const struct layer *l)
{
	return 2 * (size_t)l->spec.groups * LANES;
}

static struct group_norm figures(const struct layer *l, const struct net_run *run)
{
	real *mean = run->ws + l->keep;
	return (struct group_norm){.groups = l->spec.groups,
		.eps = (real)eps,
		.gamma = run->w + l->weight,
		.beta = run->w + l->bias,
		.mean = mean,
		.invstd = mean + (size_t)l->spec.groups * LANES};
}

static void fwd(const struct layer *l, const struct net_run *run)
{
	struct group_norm g = figures(l, run);
	run->kern->group_fwd(layer_y(l, run), &l->out, layer_x(l, run), &l->in, &g);
}

static void bwd(const struct layer *l, const struct net_run *run)
{
	struct group_norm g = figures(l, run);
	run->kern->group_bwd(layer_dx(l, run), &l->in, layer_dy(l, run), &l->out, layer_x(l, run), &l->in, &g);
}

static void grad(const struct layer *l, const struct net_run *run)
{
	struct group_norm g = figures(l, run);
	g.dgamma = run->dw + l->weight;
	g.dbeta = run->dw + l->bias;
	run->kern->group_bwd(NULL, &l->in, layer_dy(l, run), &l->out, layer_x(l, run), &l->in, &g);
}

static int weight_shape(const struct layer *l, int64_t shape[4])
{
	shape[0] = l->in.c;
	return 1;
}

static void print(const struct layer *l, struct buf *text)
{
	buf_printf(text, "nn.GroupNorm(%d, %d)", l->spec.groups, l->in.c);
}

const struct layer_op layer_group_norm = {
	.name = "GroupNorm",
	.word = "group norm",
	.plan = plan,
	.fwd = fwd,
	.bwd = bwd,
	.grad = grad,
	.weight_shape = weight_shape,
	.keep = keep,
	.print = print,
};
