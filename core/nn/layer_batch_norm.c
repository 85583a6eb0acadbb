/* BatchNorm1d and BatchNorm2d (Ioffe & Szegedy 2015) with PyTorch's semantics: biased variance to normalise, unbiased in the
 * running statistics, eps 1e-5, momentum 0.1.
 *
 * Each block tells mean and squared deviations of its own samples; those of the batch are merged from them in double (Chan,
 * Golub & LeVeque 1983), block by block. Backward likewise: two sums a channel, then dx = a dy + b x + c. */
#include "core/nn/layer.h"

#include <math.h>

static const double eps = 1e-5, momentum = 0.1;

/* What blocks share: [channels] each. The last three are scale and shift forward, a, b and c backward. */
enum shared { MEAN, INVSTD, COEFFICIENT, SHARED = COEFFICIENT + 3 };

static real *shared(const struct layer *l, const struct net_run *run, int i)
{
	return run->shared + l->shared + (size_t)i * (size_t)l->in.c;
}

/* What a block tells, and in evaluation its scale and shift: [2][channels]. */
static real *told(const struct layer *l, const struct net_run *run, int i)
{
	return run->ws + l->keep + (size_t)i * (size_t)l->in.c;
}

static int plan(struct layer *l, int *ret_halo_in, int *ret_halo_out, struct err *err)
{
	*ret_halo_in = *ret_halo_out = 0;
	return layer_set_out(l, l->in.c, l->in.h, l->in.w, err);
}

static int plan_vector(struct layer *l, int *ret_halo_in, int *ret_halo_out, struct err *err)
{
	if (l->in.h != 1 || l->in.w != 1)
		return err_set(
			err, ERR_INVALID, "needs a vector, not %dx%dx%d: use the norm for maps", l->in.c, l->in.h, l->in.w);
	return plan(l, ret_halo_in, ret_halo_out, err);
}

/* --- forward ------------------------------------------------------------------------------------------------------------ */

static void fwd_gather(const struct layer *l, const struct net_run *run)
{
	run->kern->moments(told(l, run, 0), told(l, run, 1), layer_x(l, run), &l->in, run->lanes);
}

struct moments {
	double n, mean, m2;
};

static struct moments merged(struct moments a, struct moments b)
{
	double n = a.n + b.n, delta = b.mean - a.mean;
	return (struct moments){n, a.mean + delta * b.n / n, a.m2 + b.m2 + delta * delta * a.n * b.n / n};
}

static struct moments of_batch(const struct layer *l, const struct net_run *runs, int blocks, int c)
{
	struct moments all = {0};
	for (int b = 0; b < blocks; b++) {
		struct moments one = {(double)runs[b].lanes * l->in.h * l->in.w, (double)told(l, &runs[b], 0)[c],
			(double)told(l, &runs[b], 1)[c]};
		all = b ? merged(all, one) : one;
	}
	return all;
}

static void set_scale(
	const struct layer *l, const struct net_run *run, real *scale, real *shift, int c, double mean, double var)
{
	double gain = (double)run->w[l->weight + (size_t)c] / sqrt(var + eps);
	scale[c] = (real)gain;
	shift[c] = (real)((double)run->w[l->bias + (size_t)c] - mean * gain);
}

static void move(real *running, double value)
{
	*running = (real)((1 - momentum) * (double)*running + momentum * value);
}

static real *running_mean(const struct layer *l, real *buffers)
{
	return buffers + l->buffer;
}

static real *running_var(const struct layer *l, real *buffers)
{
	return buffers + l->buffer + layer_buffer_pitch(l);
}

static void fwd_settle(const struct layer *l, const struct net_run *runs, int blocks)
{
	const struct net_run *run = &runs[0];
	for (int c = 0; c < l->in.c; c++) {
		struct moments all = of_batch(l, runs, blocks, c);
		double var = all.m2 / all.n;
		shared(l, run, MEAN)[c] = (real)all.mean;
		shared(l, run, INVSTD)[c] = (real)(1 / sqrt(var + eps));
		set_scale(l, run, shared(l, run, COEFFICIENT), shared(l, run, COEFFICIENT + 1), c, all.mean, var);
		move(running_mean(l, run->new_buffers) + c, all.mean);
		move(running_var(l, run->new_buffers) + c, all.m2 / fmax(all.n - 1, 1));
	}
}

static void fwd(const struct layer *l, const struct net_run *run)
{
	const real *scale = shared(l, run, COEFFICIENT), *shift = shared(l, run, COEFFICIENT + 1);
	if (!run->training) {
		const real *mean = run->buffers + l->buffer, *var = mean + layer_buffer_pitch(l);
		for (int c = 0; c < l->in.c; c++)
			set_scale(l, run, told(l, run, 0), told(l, run, 1), c, (double)mean[c], (double)var[c]);
		scale = told(l, run, 0);
		shift = told(l, run, 1);
	}
	run->kern->affine(layer_y(l, run), &l->out, layer_x(l, run), &l->in, scale, shift);
}

/* --- backward ----------------------------------------------------------------------------------------------------------- */

static void bwd_gather(const struct layer *l, const struct net_run *run)
{
	real *sum_dy = told(l, run, 0), *sum_dy_xhat = told(l, run, 1);
	for (int c = 0; c < l->in.c; c++)
		sum_dy[c] = sum_dy_xhat[c] = 0;
	run->kern->norm_sums(sum_dy, sum_dy_xhat, layer_dy(l, run), &l->out, layer_x(l, run), &l->in, shared(l, run, MEAN),
		shared(l, run, INVSTD));
}

/* dx = gain (dy - mean(dy) - xhat mean(dy xhat)), gain = gamma invstd, xhat = (x - mean) invstd: linear in dy and x. */
static void set_slopes(const struct layer *l, const struct net_run *run, int c, double mean_dy, double mean_dy_xhat)
{
	double mean = (double)shared(l, run, MEAN)[c], invstd = (double)shared(l, run, INVSTD)[c];
	double gain = (double)run->w[l->weight + (size_t)c] * invstd;
	shared(l, run, COEFFICIENT)[c] = (real)gain;
	shared(l, run, COEFFICIENT + 1)[c] = (real)(-gain * invstd * mean_dy_xhat);
	shared(l, run, COEFFICIENT + 2)[c] = (real)(gain * (mean * invstd * mean_dy_xhat - mean_dy));
}

static void bwd_settle(const struct layer *l, const struct net_run *runs, int blocks)
{
	double n = 0;
	for (int b = 0; b < blocks; b++)
		n += (double)runs[b].lanes * l->in.h * l->in.w;
	for (int c = 0; c < l->in.c; c++) {
		double dy = 0, dy_xhat = 0;
		for (int b = 0; b < blocks; b++) {
			dy += (double)told(l, &runs[b], 0)[c];
			dy_xhat += (double)told(l, &runs[b], 1)[c];
		}
		set_slopes(l, &runs[0], c, dy / n, dy_xhat / n);
		if (!runs[0].dw)
			continue;
		runs[0].dw[l->weight + (size_t)c] += (real)dy_xhat;
		runs[0].dw[l->bias + (size_t)c] += (real)dy;
	}
}

static void bwd(const struct layer *l, const struct net_run *run)
{
	run->kern->norm_bwd(layer_dx(l, run), &l->in, layer_dy(l, run), &l->out, layer_x(l, run), &l->in,
		shared(l, run, COEFFICIENT), shared(l, run, COEFFICIENT + 1), shared(l, run, COEFFICIENT + 2), run->lanes);
}

/* --- rows --------------------------------------------------------------------------------------------------------------- */

static const struct barrier_op barrier = {fwd_gather, fwd_settle, bwd_gather, bwd_settle};

static int weight_shape(const struct layer *l, int64_t shape[4])
{
	shape[0] = l->in.c;
	return 1;
}

static size_t keep(const struct layer *l)
{
	return 2 * (size_t)l->in.c;
}

static size_t share(const struct layer *l)
{
	return SHARED * (size_t)l->in.c;
}

static void print(const struct layer *l, struct buf *text)
{
	buf_printf(text, "nn.%s(%d)", l->spec.op->name, l->in.c);
}

const struct layer_op layer_batch_norm2d = {
	.name = "BatchNorm2d",
	.word = "batch norm",
	.plan = plan,
	.fwd = fwd,
	.bwd = bwd,
	.barrier = &barrier,
	.weight_shape = weight_shape,
	.buffer = {"running_mean", "running_var"},
	.keep = keep,
	.shared = share,
	.print = print,
};

const struct layer_op layer_batch_norm1d = {
	.name = "BatchNorm1d",
	.word = "batch norm",
	.vectors = true,
	.plan = plan_vector,
	.fwd = fwd,
	.bwd = bwd,
	.barrier = &barrier,
	.weight_shape = weight_shape,
	.buffer = {"running_mean", "running_var"},
	.keep = keep,
	.shared = share,
	.print = print,
};
