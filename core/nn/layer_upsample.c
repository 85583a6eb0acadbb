/* Upsample by a whole factor, nearest or bilinear (align_corners=False). */
#include "core/nn/layer.h"

static int plan(struct layer *l, int *ret_halo_in, int *ret_halo_out, struct err *err)
{
	const int64_t factor = l->spec.scale_factor;
	*ret_halo_in = *ret_halo_out = 0;
	int code = layer_check("scale_factor", l->spec.scale_factor, 1, err);
	return code ? code : layer_set_out(l, l->in.c, l->in.h * factor, l->in.w * factor, err);
}

static void fwd_nearest(const struct layer *l, const struct net_run *run)
{
	run->kern->up_nearest(layer_y(l, run), &l->out, layer_x(l, run), &l->in);
}

static void bwd_nearest(const struct layer *l, const struct net_run *run)
{
	run->kern->up_nearest_bwd(layer_dx(l, run), &l->in, layer_dy(l, run), &l->out);
}

static void fwd_bilinear(const struct layer *l, const struct net_run *run)
{
	run->kern->up_bilinear(layer_y(l, run), &l->out, layer_x(l, run), &l->in);
}

static void bwd_bilinear(const struct layer *l, const struct net_run *run)
{
	run->kern->up_bilinear_bwd(layer_dx(l, run), &l->in, layer_dy(l, run), &l->out);
}

static void print_nearest(const struct layer *l, struct buf *text)
{
	buf_printf(text, "nn.Upsample(scale_factor=%d)", l->spec.scale_factor);
}

static void print_bilinear(const struct layer *l, struct buf *text)
{
	buf_printf(text, "nn.Upsample(scale_factor=%d, mode=\"bilinear\")", l->spec.scale_factor);
}

const struct layer_op layer_upsample_nearest = {
	.name = "Upsample",
	.word = "upsample",
	.plan = plan,
	.fwd = fwd_nearest,
	.bwd = bwd_nearest,
	.print = print_nearest,
};

const struct layer_op layer_upsample_bilinear = {
	.name = "Upsample",
	.word = "upsample",
	.plan = plan,
	.fwd = fwd_bilinear,
	.bwd = bwd_bilinear,
	.print = print_bilinear,
};
