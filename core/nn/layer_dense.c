#include "core/nn/layer.h"

static int plan(struct layer *l, int *ret_halo_in, int *ret_halo_out, struct err *err)
{
	*ret_halo_in = *ret_halo_out = 0;
	if (l->in.h != 1 || l->in.w != 1)
		return err_set(
			err, ERR_INVALID, "needs a vector, not %dx%dx%d: put Flatten before it", l->in.c, l->in.h, l->in.w);
	int code = layer_check("the number of units", l->spec.out, 1, err);
	return code ? code : layer_set_out(l, l->spec.out, 1, 1, err);
}

static void fwd(const struct layer *l, const struct net_run *run)
{
	run->kern->dense_fwd(layer_y(l, run), layer_x(l, run), run->w + l->weight, layer_bias(l, run), l->in.c, l->out.c);
}

static real *one(const struct layer *l, const struct net_run *run, real *x, real *to, real *scratch)
{
	(void)scratch;
	run->kern->dense_one(to, x, run->w + l->weight, layer_bias(l, run), l->in.c, l->out.c);
	return to;
}

static void bwd(const struct layer *l, const struct net_run *run)
{
	run->kern->dense_bwd(layer_dx(l, run), layer_dy(l, run), run->w + l->weight, l->in.c, l->out.c);
}

static void grad(const struct layer *l, const struct net_run *run)
{
	run->kern->dense_wgrad(
		run->dw + l->weight, layer_x(l, run), layer_dy(l, run), run->ws + l->scratch, l->in.c, l->out.c);
	layer_bias_grad(l, run);
}

static int weight_shape(const struct layer *l, int64_t shape[4])
{
	shape[0] = l->spec.out;
	shape[1] = l->in.c;
	return 2;
}

static double fan_in(const struct layer *l)
{
	return l->in.c;
}

static size_t scratch(const struct layer *l)
{
	return (size_t)(l->in.c + LANES - 1) / LANES * LANES * LANES;
}

static double flops(const struct layer *l)
{
	return 2.0 * l->in.c * l->out.c;
}

static void print(const struct layer *l, struct buf *text)
{
	buf_printf(text, "nn.Linear(%d, %d%s)", l->in.c, l->out.c, l->spec.no_bias ? ", bias=False" : "");
}

const struct layer_op layer_linear = {
	.name = "Linear",
	.word = "linear",
	.vectors = true,
	.plan = plan,
	.fwd = fwd,
	.one = one,
	.bwd = bwd,
	.grad = grad,
	.weight_shape = weight_shape,
	.fan_in = fan_in,
	.scratch = scratch,
	.flops = flops,
	.print = print,
};
