#include "core/nn/optim.h"

#include <math.h>

/* One Adam step's scalars in double (Kingma & Ba 2015, section 2). */
static struct adam_step adam_scalars(const struct optim *o, int64_t t, double lr)
{
	bool decoupled = o->kind == OPTIM_ADAMW;
	return (struct adam_step){
		.beta1 = (real)o->beta1,
		.beta2 = (real)o->beta2,
		.gain1 = (real)(1 - o->beta1),
		.gain2 = (real)(1 - o->beta2),
		.step_size = (real)(lr / (1 - pow(o->beta1, (double)t))),
		.root_scale = (real)(1 / sqrt(1 - pow(o->beta2, (double)t))),
		.eps = (real)o->eps,
		.decay = decoupled ? (real)(lr * o->weight_decay) : 0,
		.l2 = decoupled ? 0 : (real)o->weight_decay,
	};
}

static void update_adam(const struct optim *o, const struct kern *kern, real *w, const real *g, real *const *moments,
	size_t from, size_t n, int64_t t, double lr)
{
	struct adam_step step = adam_scalars(o, t, lr);
	kern->adam(w + from, g + from, moments[0] + from, moments[1] + from, n, &step);
}

static void update_sgd(const struct optim *o, const struct kern *kern, real *w, const real *g, real *const *moments,
	size_t from, size_t n, int64_t t, double lr)
{
	struct sgd_step step = {
		.lr = (real)lr,
		.momentum = (real)o->momentum,
		.l2 = (real)o->weight_decay,
		.nesterov = o->nesterov,
		.first = t == 1,
	};
	kern->sgd(w + from, g + from, o->momentum > 0 ? moments[0] + from : NULL, n, &step);
}

static void update_rmsprop(const struct optim *o, const struct kern *kern, real *w, const real *g, real *const *moments,
	size_t from, size_t n, int64_t t, double lr)
{
	const double alpha = 0.99; /* torch's default */
	(void)t;
	struct rmsprop_step step = {
		.lr = (real)lr,
		.alpha = (real)alpha,
		.gain = (real)(1 - alpha),
		.eps = (real)o->eps,
		.momentum = (real)o->momentum,
		.l2 = (real)o->weight_decay,
	};
	kern->rmsprop(w + from, g + from, moments[0] + from, o->momentum > 0 ? moments[1] + from : NULL, n, &step);
}

static const struct row {
	void (*update)(const struct optim *o, const struct kern *kern, real *w, const real *g, real *const *moments,
		size_t from, size_t n, int64_t t, double lr);
	const char *moment[3]; /* until NULL */
	bool velocity;         /* the last one is kept only when there is momentum */
} rows[OPTIM_COUNT] = {
	[OPTIM_ADAM] = {update_adam, {"exp_avg", "exp_avg_sq"}, false},
	[OPTIM_ADAMW] = {update_adam, {"exp_avg", "exp_avg_sq"}, false},
	[OPTIM_SGD] = {update_sgd, {"momentum_buffer"}, true},
	[OPTIM_RMSPROP] = {update_rmsprop, {"square_avg", "momentum_buffer"}, true},
};

int optim_moments(const struct optim *o)
{
	const struct row *row = &rows[o->kind];
	int n = 0;
	while (row->moment[n])
		n++;
	return row->velocity && !(o->momentum > 0) ? n - 1 : n;
}

const char *optim_moment_name(const struct optim *o, int i)
{
	return rows[o->kind].moment[i];
}

void optim_update(const struct optim *o, const struct kern *kern, real *w, const real *g, real *const *moments,
	size_t from, size_t n, int64_t t, double lr)
{
	rows[o->kind].update(o, kern, w, g, moments, from, n, t, lr);
}

/* --- schedules -----------------------------------------------------------------------------------------------------
 */

/* From `start` at 0 to `end` at 1 along half a cosine. */
static double cosine(double start, double end, double at)
{
	const double pi = 3.14159265358979323846;
	return end + 0.5 * (start - end) * (1 + cos(pi * at));
}

static double rate_constant(double lr, double t, double steps)
{
	(void)t, (void)steps;
	return lr;
}

static double rate_cosine(double lr, double t, double steps)
{
	return cosine(lr, 0, t / steps);
}

/* torch's OneCycleLR (Smith & Topin 2018): the top is at step .3 steps - 1, the end at the last step. */
static double rate_one_cycle(double lr, double t, double steps)
{
	const double start = lr / 25, end = start / 1e4, last = steps - 1, top = fmax(0.3 * steps - 1, 0);
	if (t < top)
		return cosine(start, lr, t / top);
	return last > top ? cosine(lr, end, (t - top) / (last - top)) : lr;
}

static double rate_linear(double lr, double t, double steps)
{
	return lr * (1 - t / steps);
}

double schedule_lr(enum schedule_kind kind, double lr, int64_t step, int64_t steps, int64_t warmup)
{
	static double (*const rates[SCHEDULE_COUNT])(double lr, double t, double steps) = {
		[SCHEDULE_CONSTANT] = rate_constant,
		[SCHEDULE_COSINE] = rate_cosine,
		[SCHEDULE_ONE_CYCLE] = rate_one_cycle,
		[SCHEDULE_LINEAR] = rate_linear,
		[SCHEDULE_STEP] = rate_constant,
		[SCHEDULE_PLATEAU] = rate_constant,
	};
	if (step < warmup)
		return lr * (double)(step + 1) / (double)(warmup + 1);
	return rates[kind](lr, (double)(step - warmup), (double)(steps - warmup));
}
