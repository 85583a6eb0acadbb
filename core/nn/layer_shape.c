/* Flatten and Unflatten: a map has a halo, a vector has none; otherwise their values lie in the same order. */
#include "core/nn/layer.h"

#include <string.h>

/* vector[c*h*w][LANES] from the map's interior, and back. */
static void pack(real *vector, const real *map, const struct map *m)
{
	const size_t run = (size_t)m->w * LANES;
	for (int c = 0; c < m->c; c++)
		for (int y = 0; y < m->h; y++, vector += run)
			memcpy(vector, map + map_at(m, c, y, 0), run * sizeof *map);
}

static void unpack(real *map, const real *vector, const struct map *m)
{
	const size_t run = (size_t)m->w * LANES;
	for (int c = 0; c < m->c; c++)
		for (int y = 0; y < m->h; y++, vector += run)
			memcpy(map + map_at(m, c, y, 0), vector, run * sizeof *map);
}

/* Without halos the two are the same. */
static real *one(const struct layer *l, const struct net_run *run, real *x, real *to, real *scratch)
{
	(void)l, (void)run, (void)to, (void)scratch;
	return x;
}

static int plan_flatten(struct layer *l, int *ret_halo_in, int *ret_halo_out, struct err *err)
{
	*ret_halo_in = *ret_halo_out = 0;
	return layer_set_out(l, map_features(&l->in), 1, 1, err);
}

static void fwd_flatten(const struct layer *l, const struct net_run *run)
{
	pack(layer_y(l, run), layer_x(l, run), &l->in);
}

static void bwd_flatten(const struct layer *l, const struct net_run *run)
{
	unpack(layer_dx(l, run), layer_dy(l, run), &l->in);
}

static void print_flatten(const struct layer *l, struct buf *text)
{
	(void)l;
	buf_str(text, "nn.Flatten()");
}

static int plan_unflatten(struct layer *l, int *ret_halo_in, int *ret_halo_out, struct err *err)
{
	*ret_halo_in = *ret_halo_out = 0;
	const struct layer_spec *s = &l->spec;
	int code = layer_set_out(l, s->out, s->height, s->width, err);
	if (!code && map_features(&l->out) != map_features(&l->in))
		code = err_set(
			err, ERR_INVALID, "%d values do not fill %dx%dx%d", map_features(&l->in), s->out, s->height, s->width);
	return code;
}

static void fwd_unflatten(const struct layer *l, const struct net_run *run)
{
	unpack(layer_y(l, run), layer_x(l, run), &l->out);
}

static void bwd_unflatten(const struct layer *l, const struct net_run *run)
{
	pack(layer_dx(l, run), layer_dy(l, run), &l->out);
}

static void print_unflatten(const struct layer *l, struct buf *text)
{
	buf_printf(text, "nn.Unflatten(1, (%d, %d, %d))", l->out.c, l->out.h, l->out.w);
}

const struct layer_op layer_flatten = {
	.name = "Flatten",
	.word = "flatten",
	.plan = plan_flatten,
	.fwd = fwd_flatten,
	.one = one,
	.bwd = bwd_flatten,
	.print = print_flatten,
};

const struct layer_op layer_unflatten = {
	.name = "Unflatten",
	.word = "unflatten",
	.plan = plan_unflatten,
	.fwd = fwd_unflatten,
	.one = one,
	.bwd = bwd_unflatten,
	.print = print_unflatten,
};
