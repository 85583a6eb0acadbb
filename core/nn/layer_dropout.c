/* Dropout and Dropout2d (Srivastava et al. 2014; Tompson et al. 2015): the mask is drawn again backward, not kept. */
#include "core/nn/layer.h"

#include <string.h>

static int plan(struct layer *l, int *ret_halo_in, int *ret_halo_out, struct err *err)
{
	*ret_halo_in = *ret_halo_out = 0;
	if (!(l->spec.p >= 0 && l->spec.p < 1))
		return err_set(err, ERR_INVALID, "p must be at least 0 and below 1, got %g", l->spec.p);
	return layer_set_out(l, l->in.c, l->in.h, l->in.w, err);
}

/* y = x times the mask of this layer, step and samples; x itself without training. */
static void mask(const struct layer *l, const struct net_run *run, real *y, const real *x)
{
	if (run->training) {
		const struct dropout d = {.seed = run->rng.seed,
			.step = run->rng.step,
			.layer = (uint32_t)l->index,
			.sample = run->sample,
			.p = (real)l->spec.p,
			.channels = l->spec.op == &layer_dropout2d};
		run->kern->dropout(y, &l->out, x, &l->in, &d);
	} else if (y != x) {
		memcpy(y, x, map_reals(&l->in) * sizeof *x);
	}
}

static void fwd(const struct layer *l, const struct net_run *run)
{
	mask(l, run, layer_y(l, run), layer_x(l, run));
}

/* Without training nothing is dropped. */
static real *one(const struct layer *l, const struct net_run *run, real *x, real *to, real *scratch)
{
	(void)l, (void)run, (void)to, (void)scratch;
	return x;
}

static void bwd(const struct layer *l, const struct net_run *run)
{
	mask(l, run, layer_dx(l, run), layer_dy(l, run));
}

static void print(const struct layer *l, struct buf *text)
{
	buf_printf(text, "nn.%s(%.9g)", l->spec.op->name, l->spec.p);
}

const struct layer_op layer_dropout = {
	.name = "Dropout",
	.word = "dropout",
	.elementwise = true,
	.plan = plan,
	.fwd = fwd,
	.one = one,
	.bwd = bwd,
	.print = print,
};

const struct layer_op layer_dropout2d = {
	.name = "Dropout2d",
	.word = "dropout",
	.elementwise = true,
	.plan = plan,
	.fwd = fwd,
	.one = one,
	.bwd = bwd,
	.print = print,
};
