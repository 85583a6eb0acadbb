/* Conv2d and ConvTranspose2d: the same two kernels, used in opposite directions (core/kern/kern.h). */
#include "core/nn/layer.h"

/* Parameters in range; sizes are worked out in int64_t, in which none of these can overflow. */
static int check_spec(const struct layer_spec *s, struct err *err)
{
	int code = layer_check("the number of channels", s->out, 1, err);
	if (!code)
		code = layer_check("kernel", s->kernel, 1, err);
	if (!code)
		code = layer_check("stride", s->stride, 1, err);
	if (!code)
		code = layer_check("padding", s->padding, 0, err);
	return code;
}

static struct conv down_geometry(const struct layer *l)
{
	return (struct conv){l->in, l->out, l->spec.kernel, l->spec.stride, l->spec.padding};
}

static struct conv up_geometry(const struct layer *l)
{
	return (struct conv){l->out, l->in, l->spec.kernel, l->spec.stride, l->spec.padding};
}

static int plan_down(struct layer *l, int *ret_halo_in, int *ret_halo_out, struct err *err)
{
	const struct layer_spec *s = &l->spec;
	int code = check_spec(s, err);
	if (code)
		return code;
	int64_t h = l->in.h + 2 * (int64_t)s->padding, w = l->in.w + 2 * (int64_t)s->padding;
	if (s->kernel > h || s->kernel > w)
		return err_set(err, ERR_INVALID, "kernel %d is larger than its padded input %lldx%lld", s->kernel, (long long)h,
			(long long)w);
	code = layer_set_out(l, s->out, (h - s->kernel) / s->stride + 1, (w - s->kernel) / s->stride + 1, err);
	if (code)
		return code;
	struct conv g = down_geometry(l);
	*ret_halo_in = conv_halo_big(&g);
	*ret_halo_out = conv_halo_small(&g);
	return OK;
}

static int plan_up(struct layer *l, int *ret_halo_in, int *ret_halo_out, struct err *err)
{
	const struct layer_spec *s = &l->spec;
	int code = check_spec(s, err);
	if (code)
		return code;
	if (s->output_padding < 0 || s->output_padding >= s->stride)
		return err_set(err, ERR_INVALID, "output_padding must be 0..%d (below its stride), got %d", s->stride - 1,
			s->output_padding);
	int64_t extra = (int64_t)s->kernel + s->output_padding - 2 * (int64_t)s->padding;
	int64_t h = (l->in.h - 1) * (int64_t)s->stride + extra, w = (l->in.w - 1) * (int64_t)s->stride + extra;
	if (h < 1 || w < 1)
		return err_set(err, ERR_INVALID, "padding %d leaves nothing of its output", s->padding);
	code = layer_set_out(l, s->out, h, w, err);
	if (code)
		return code;
	struct conv g = up_geometry(l);
	*ret_halo_in = conv_halo_small(&g);
	*ret_halo_out = conv_halo_big(&g);
	return OK;
}

static void fwd_down(const struct layer *l, const struct net_run *run)
{
	struct conv g = down_geometry(l);
	run->kern->conv_down(layer_y(l, run), layer_x(l, run), run->w + l->weight, layer_bias(l, run), &g);
}

static void bwd_down(const struct layer *l, const struct net_run *run)
{
	struct conv g = down_geometry(l);
	run->kern->conv_up(layer_dx(l, run), layer_dy(l, run), run->w + l->weight, NULL, &g);
}

static void grad_down(const struct layer *l, const struct net_run *run)
{
	struct conv g = down_geometry(l);
	run->kern->conv_wgrad(run->dw + l->weight, layer_x(l, run), layer_dy(l, run), &g);
	layer_bias_grad(l, run);
}

static void fwd_up(const struct layer *l, const struct net_run *run)
{
	struct conv g = up_geometry(l);
	run->kern->conv_up(layer_y(l, run), layer_x(l, run), run->w + l->weight, layer_bias(l, run), &g);
}

static real *one_up(const struct layer *l, const struct net_run *run, real *x, real *to, real *scratch)
{
	struct conv g = up_geometry(l);
	run->kern->conv_up_one(to, x, scratch, run->w + l->weight, layer_bias(l, run), &g);
	return to;
}

static size_t one_scratch_up(const struct layer *l)
{
	struct conv g = up_geometry(l);
	return conv_one_scratch(&g);
}

static void bwd_up(const struct layer *l, const struct net_run *run)
{
	struct conv g = up_geometry(l);
	run->kern->conv_down(layer_dx(l, run), layer_dy(l, run), run->w + l->weight, NULL, &g);
}

static void grad_up(const struct layer *l, const struct net_run *run)
{
	struct conv g = up_geometry(l);
	run->kern->conv_wgrad(run->dw + l->weight, layer_dy(l, run), layer_x(l, run), &g);
	layer_bias_grad(l, run);
}

static int shape_down(const struct layer *l, int64_t shape[4])
{
	shape[0] = l->spec.out;
	shape[1] = l->in.c;
	shape[2] = shape[3] = l->spec.kernel;
	return 4;
}

static int shape_up(const struct layer *l, int64_t shape[4])
{
	shape[0] = l->in.c;
	shape[1] = l->spec.out;
	shape[2] = shape[3] = l->spec.kernel;
	return 4;
}

static double fan_in_down(const struct layer *l)
{
	return (double)l->in.c * l->spec.kernel * l->spec.kernel;
}

/* torch counts weight.size(1), which is the output here. */
static double fan_in_up(const struct layer *l)
{
	return (double)l->spec.out * l->spec.kernel * l->spec.kernel;
}

/* Every tap of every position of the small map, the padded ones too. */
static double flops(const struct layer *l, const struct map *small)
{
	return 2.0 * l->in.c * l->out.c * l->spec.kernel * l->spec.kernel * small->h * small->w;
}

static double flops_down(const struct layer *l)
{
	return flops(l, &l->out);
}

static double flops_up(const struct layer *l)
{
	return flops(l, &l->in);
}

static void print(const struct layer *l, struct buf *text)
{
	const struct layer_spec *s = &l->spec;
	buf_printf(text, "nn.%s(%d, %d, %d", s->op->name, l->in.c, s->out, s->kernel);
	if (s->stride != 1)
		buf_printf(text, ", stride=%d", s->stride);
	if (s->padding)
		buf_printf(text, ", padding=%d", s->padding);
	if (s->output_padding)
		buf_printf(text, ", output_padding=%d", s->output_padding);
	if (s->no_bias)
		buf_str(text, ", bias=False");
	buf_str(text, ")");
}

const struct layer_op layer_conv2d = {
	.name = "Conv2d",
	.word = "conv",
	.plan = plan_down,
	.fwd = fwd_down,
	.bwd = bwd_down,
	.grad = grad_down,
	.weight_shape = shape_down,
	.fan_in = fan_in_down,
	.flops = flops_down,
	.print = print,
};

const struct layer_op layer_conv_transpose2d = {
	.name = "ConvTranspose2d",
	.word = "transposed conv",
	.plan = plan_up,
	.fwd = fwd_up,
	.one = one_up,
	.one_scratch = one_scratch_up,
	.bwd = bwd_up,
	.grad = grad_up,
	.weight_shape = shape_up,
	.fan_in = fan_in_up,
	.flops = flops_up,
	.print = print,
};
