/* MaxPool2d and AvgPool2d: windows in PyTorch's order; stride 0 is the kernel's side, as PyTorch's default. */
#include "core/nn/layer.h"

static int stride(const struct layer *l)
{
	return l->spec.stride ? l->spec.stride : l->spec.kernel;
}

static struct conv geometry(const struct layer *l)
{
	return (struct conv){l->in, l->out, l->spec.kernel, stride(l), l->spec.padding};
}

static int plan(struct layer *l, int *ret_halo_in, int *ret_halo_out, struct err *err)
{
	const struct layer_spec *s = &l->spec;
	*ret_halo_in = *ret_halo_out = 0;
	int code = layer_check("kernel", s->kernel, 1, err);
	if (!code)
		code = layer_check("stride", stride(l), 1, err);
	if (!code)
		code = layer_check("padding", s->padding, 0, err);
	if (code)
		return code;
	if (s->padding > s->kernel / 2)
		return err_set(err, ERR_INVALID, "padding must be at most half of kernel %d, got %d", s->kernel, s->padding);
	int64_t h = l->in.h + 2 * (int64_t)s->padding - s->kernel, w = l->in.w + 2 * (int64_t)s->padding - s->kernel;
	if (h < 0 || w < 0)
		return err_set(err, ERR_INVALID, "kernel %d is larger than its padded input %dx%d", s->kernel,
			l->in.h + 2 * s->padding, l->in.w + 2 * s->padding);
	return layer_set_out(l, l->in.c, h / stride(l) + 1, w / stride(l) + 1, err);
}

/* Which tap was the largest, per value. */
static size_t keep_max(const struct layer *l)
{
	return (size_t)map_features(&l->out) * LANES;
}

static void fwd_max(const struct layer *l, const struct net_run *run)
{
	struct conv g = geometry(l);
	run->kern->max_pool(layer_y(l, run), run->ws + l->keep, layer_x(l, run), &g);
}

static void bwd_max(const struct layer *l, const struct net_run *run)
{
	struct conv g = geometry(l);
	run->kern->max_pool_bwd(layer_dx(l, run), layer_dy(l, run), run->ws + l->keep, &g);
}

static void fwd_avg(const struct layer *l, const struct net_run *run)
{
	struct conv g = geometry(l);
	run->kern->avg_pool(layer_y(l, run), layer_x(l, run), &g);
}

static void bwd_avg(const struct layer *l, const struct net_run *run)
{
	struct conv g = geometry(l);
	run->kern->avg_pool_bwd(layer_dx(l, run), layer_dy(l, run), &g);
}

static void print(const struct layer *l, struct buf *text)
{
	buf_printf(text, "nn.%s(%d", l->spec.op->name, l->spec.kernel);
	if (stride(l) != l->spec.kernel)
		buf_printf(text, ", stride=%d", stride(l));
	if (l->spec.padding)
		buf_printf(text, ", padding=%d", l->spec.padding);
	buf_str(text, ")");
}

const struct layer_op layer_max_pool2d = {
	.name = "MaxPool2d",
	.word = "max pool",
	.plan = plan,
	.fwd = fwd_max,
	.bwd = bwd_max,
	.keep = keep_max,
	.print = print,
};

const struct layer_op layer_avg_pool2d = {
	.name = "AvgPool2d",
	.word = "average pool",
	.plan = plan,
	.fwd = fwd_avg,
	.bwd = bwd_avg,
	.print = print,
};
