#include "core/lab/tsne.h"

#include "core/base/rng.h"
#include "core/lab/affinity.h"
#include "core/lab/pca.h"
#include "core/lab/quadtree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { REPEL_GRAIN = 4 /* blocks */, ATTRACT_GRAIN = 128, UPDATE_GRAIN = 1024 };
static const double momentum = 0.8, gain_up = 0.2, gain_down = 0.8, gain_least = 0.01, longest_step = 5;
static const double start_deviation = 1e-4, start_noise = 1e-6;

const struct tsne_options tsne_defaults = {.perplexity = 30, .iterations = 750, .early_exaggeration = 12, .theta = 0.5};

struct tsne {
	size_t n;
	struct tsne_options options;
	struct pool *pool;
	const struct kern *kern;
	/* P, rows filled up to whole LANES with shares of 0 */
	size_t *start; /* [n + 1] */
	uint32_t *index;
	real *p;
	double entropy; /* sum of p log p */
	/* the state */
	double *map, *update, *gains; /* [n][2] */
	int64_t iteration;
	/* of an iteration */
	real *point;       /* [n][2]: the map as the kernels take it */
	real *pull, *push; /* [n][3]: x, y, sum of p log(1 / k); x, y, sum of k, its own included */
	double *gradient;  /* [n][2] */
	double *sum;       /* [update tasks][2] */
	struct quadtree tree;
	struct quadtree_sources *sources; /* [threads] */
};

/* --- where a map begins ----------------------------------------------------------------------------------------------------- */

/* y [n][k] to the map, scaled by the deviation of its first column; a column that is not there is 0. */
static void spread_components(struct tsne *t, const double *y, size_t k)
{
	double square = 0;
	for (size_t i = 0; i < t->n; i++)
		square += y[i * k] * y[i * k];
	const double deviation = sqrt(square / (double)t->n), scale = deviation > 0 ? start_deviation / deviation : 0;
	for (size_t i = 0; i < t->n; i++)
		for (size_t c = 0; c < k; c++)
			t->map[2 * i + c] = scale * y[i * k + c];
}

static int begin_with_components(struct tsne *t, const float *x, int d, struct err *err)
{
	const struct points points = {.n = t->n, .d = (size_t)d, .real = x};
	const size_t k = d < 2 ? 1 : 2;
	struct pca pca;
	int code = pca_fit(&pca, &points, k, t->pool, t->options.halt, err);
	if (code)
		return code;
	double *y = calloc(t->n * k, sizeof *y);
	if (y) {
		pca_transform(&pca, &points, false, t->pool, y);
		spread_components(t, y, k);
	} else {
		code = err_set(err, ERR_NO_MEMORY, "no memory for a map of %zu points", t->n);
	}
	free(y);
	pca_free(&pca);
	return code;
}

static void centre(double *map, size_t n)
{
	double mean[2] = {0};
	for (size_t i = 0; i < 2 * n; i++)
		mean[i & 1] += map[i];
	for (size_t i = 0; i < 2 * n; i++)
		map[i] -= mean[i & 1] / (double)n;
}

static int begin(struct tsne *t, const float *x, int d, struct err *err)
{
	const double *init = t->options.init;
	int code = init ? OK : begin_with_components(t, x, d, err);
	for (size_t i = 0; !code && i < t->n; i++) {
		float noise[2];
		rng_normal_from(noise, 2 * i, 2, (struct rng){t->options.seed, RNG_MAP, 0});
		for (size_t c = 2 * i; c < 2 * i + 2; c++) {
			t->map[c] = init ? init[c] : t->map[c] + start_noise * (double)noise[c & 1];
			t->gains[c] = 1;
		}
	}
	centre(t->map, t->n);
	t->options.init = NULL; /* the caller's */
	t->options.halt = NULL;
	return code;
}

/* --- memory ----------------------------------------------------------------------------------------------------------------- */

static size_t whole_lanes(size_t n)
{
	return (n + LANES - 1) / LANES * LANES;
}

static size_t update_tasks(size_t n)
{
	return (n + UPDATE_GRAIN - 1) / UPDATE_GRAIN;
}

static int take_affinity(struct tsne *t, const struct affinity *a, struct err *err)
{
	size_t entries = 0;
	t->start = calloc(t->n + 1, sizeof *t->start);
	for (size_t i = 0; t->start && i < t->n; i++)
		t->start[i + 1] = entries += whole_lanes(a->start[i + 1] - a->start[i]);
	t->index = calloc(entries + 1, sizeof *t->index);
	t->p = calloc(entries + 1, sizeof *t->p);
	if (!t->start || !t->index || !t->p)
		return err_set(err, ERR_NO_MEMORY, "no memory for %zu affinities", entries);
	for (size_t i = 0; i < t->n; i++) {
		size_t at = t->start[i];
		for (size_t e = a->start[i]; e < a->start[i + 1]; e++, at++) {
			t->index[at] = a->index[e];
			t->p[at] = (real)a->p[e];
			t->entropy += a->p[e] > 0 ? a->p[e] * log(a->p[e]) : 0;
		}
		for (; at < t->start[i + 1]; at++)
			t->index[at] = (uint32_t)i;
	}
	return OK;
}

static int take_memory(struct tsne *t, struct err *err)
{
	const int threads = pool_threads(t->pool);
	t->map = calloc(t->n, 8 * sizeof *t->map);
	t->point = calloc(t->n, 8 * sizeof *t->point);
	t->sum = calloc(update_tasks(t->n), 2 * sizeof *t->sum);
	t->sources = calloc((size_t)threads, sizeof *t->sources);
	if (!t->map || !t->point || !t->sum || !t->sources)
		return err_set(err, ERR_NO_MEMORY, "no memory for a map of %zu points", t->n);
	t->update = t->map + 2 * t->n;
	t->gains = t->update + 2 * t->n;
	t->gradient = t->gains + 2 * t->n;
	t->pull = t->point + 2 * t->n;
	t->push = t->pull + 3 * t->n;
	int code = quadtree_open(&t->tree, t->n, err);
	if (code)
		return code;
	const size_t masses = t->tree.first[t->tree.levels];
	for (int i = 0; i < threads; i++) {
		t->sources[i].far = calloc(masses + t->tree.blocks, sizeof *t->sources[i].far);
		if (!t->sources[i].far)
			return err_set(err, ERR_NO_MEMORY, "no memory for a map of %zu points", t->n);
		t->sources[i].near = t->sources[i].far + masses;
	}
	return OK;
}

void tsne_close(struct tsne *t)
{
	if (!t)
		return;
	for (int i = 0; t->sources && i < pool_threads(t->pool); i++)
		free(t->sources[i].far);
	free(t->sources);
	quadtree_close(&t->tree);
	free(t->sum);
	free(t->point);
	free(t->map);
	free(t->p);
	free(t->index);
	free(t->start);
	free(t);
}

size_t tsne_bytes(size_t n, int d, const struct tsne_options *options, int threads)
{
	const size_t k = (size_t)affinity_neighbours(n, options->perplexity), tree = quadtree_bytes(n);
	const size_t entries = n * (2 * k + LANES),
				 own = entries * (sizeof(uint32_t) + sizeof(real)) + (n + 1) * sizeof(size_t);
	const size_t map =
		8 * n * (sizeof(double) + sizeof(real)) + tree + (size_t)threads * (n / 8 + LANES) * sizeof(uint32_t);
	const size_t start =
		affinity_bytes(n, d, options->perplexity, threads) + pca_bytes(n, (size_t)d, 2) + 2 * n * sizeof(double);
	return own + map + start;
}

static int check(size_t n, const struct tsne_options *o, struct err *err)
{
	if (n < TSNE_POINTS_MIN || n > INT32_MAX)
		return err_set(err, ERR_INVALID, "t-SNE needs at least %d points, got %zu", TSNE_POINTS_MIN, n);
	if (!(o->early_exaggeration >= 1))
		return err_field(
			err, ERR_INVALID, "#/params/early_exaggeration", "must be at least 1, got %g", o->early_exaggeration);
	if (!(o->learning_rate >= 0))
		return err_field(err, ERR_INVALID, "#/params/learning_rate", "must be at least 0, got %g", o->learning_rate);
	return OK;
}

int tsne_open(struct tsne **ret, const float *x, size_t n, int d, const struct tsne_options *options, struct pool *pool,
	const struct kern *kern, struct err *err)
{
	struct affinity a;
	int code = check(n, options, err);
	if (!code)
		code = affinity_open(&a, x, n, d, options->perplexity, pool, kern, options->halt, err);
	if (code)
		return code;
	struct tsne *t = calloc(1, sizeof *t);
	if (t) {
		*t = (struct tsne){.n = n, .options = *options, .pool = pool, .kern = kern};
		code = take_affinity(t, &a, err);
	} else {
		code = err_set(err, ERR_NO_MEMORY, "no memory for t-SNE");
	}
	affinity_close(&a);
	if (!code)
		code = take_memory(t, err);
	if (!code)
		code = begin(t, x, d, err);
	if (code)
		tsne_close(t);
	else
		*ret = t;
	return code;
}

/* --- forces ----------------------------------------------------------------------------------------------------------------- */

static void repel_points(struct tsne *t, size_t block, struct quadtree_sources *sources)
{
	struct forces f;
	quadtree_sources(sources, &t->tree, block, t->options.theta);
	t->kern->repel(&f, t->tree.point + block * 2 * LANES, t->tree.mass, sources->far, sources->nfar, t->tree.point,
		sources->near, sources->nnear);
	for (size_t l = 0; l < LANES; l++) {
		const size_t i = t->tree.order[block * LANES + l];
		if (i == t->n)
			return;
		t->push[3 * i] = f.x[l];
		t->push[3 * i + 1] = f.y[l];
		t->push[3 * i + 2] = f.z[l];
	}
}

static int repel_tasks(const struct tsne *t)
{
	return (int)((t->tree.blocks + REPEL_GRAIN - 1) / REPEL_GRAIN);
}

/* First all of repulsion, then all of attraction: neither waits for the other. */
static void force_task(void *ctx, int task, int slot)
{
	struct tsne *t = ctx;
	if (task < repel_tasks(t)) {
		const size_t first = (size_t)task * REPEL_GRAIN;
		for (size_t b = first; b < first + REPEL_GRAIN && b < t->tree.blocks; b++)
			repel_points(t, b, &t->sources[slot]);
		return;
	}
	const size_t first = (size_t)(task - repel_tasks(t)) * ATTRACT_GRAIN;
	for (size_t i = first; i < first + ATTRACT_GRAIN && i < t->n; i++)
		t->kern->attract(t->pull + 3 * i, t->point, t->point + 2 * i, t->index + t->start[i], t->p + t->start[i],
			(int)(t->start[i + 1] - t->start[i]));
}

/* Returns KL; *ret_z: the sum of all k. */
static double forces(struct tsne *t, double *ret_z)
{
	double z = 0, logs = 0;
	for (size_t i = 0; i < 2 * t->n; i++)
		t->point[i] = (real)t->map[i];
	quadtree_plant(&t->tree, t->map, t->pool);
	pool_run(t->pool, repel_tasks(t) + (int)((t->n + ATTRACT_GRAIN - 1) / ATTRACT_GRAIN), force_task, t);
	for (size_t i = 0; i < t->n; i++) {
		z += (double)t->push[3 * i + 2] - 1;
		logs += (double)t->pull[3 * i + 2];
	}
	*ret_z = z;
	return t->entropy + logs + log(z);
}

double tsne_gradient(struct tsne *t, double *ret_gradient)
{
	double z;
	const double kl = forces(t, &z);
	for (size_t i = 0; ret_gradient && i < 2 * t->n; i++)
		ret_gradient[i] = (double)t->pull[i / 2 * 3 + (i & 1)] - (double)t->push[i / 2 * 3 + (i & 1)] / z;
	return kl;
}

/* --- steps ------------------------------------------------------------------------------------------------------------------ */

struct stride {
	struct tsne *t;
	double z, exaggeration, rate;
};

static double sign(double x)
{
	return (double)((x > 0) - (x < 0));
}

static void move_point(const struct stride *s, size_t i)
{
	struct tsne *t = s->t;
	double *update = t->update + 2 * i, *gains = t->gains + 2 * i;
	for (size_t c = 0; c < 2; c++) {
		const double g = s->exaggeration * (double)t->pull[3 * i + c] - (double)t->push[3 * i + c] / s->z;
		gains[c] = sign(g) != sign(update[c]) ? gains[c] + gain_up : fmax(gains[c] * gain_down, gain_least);
		update[c] = momentum * update[c] - s->rate * gains[c] * g;
	}
	const double length = sqrt(update[0] * update[0] + update[1] * update[1]);
	for (size_t c = 0; c < 2; c++) {
		if (length > longest_step)
			update[c] *= longest_step / length;
		t->map[2 * i + c] += update[c];
	}
}

static void move_task(void *ctx, int task, int slot)
{
	const struct stride *s = ctx;
	struct tsne *t = s->t;
	double sum[2] = {0};
	const size_t first = (size_t)task * UPDATE_GRAIN;
	(void)slot;
	for (size_t i = first; i < first + UPDATE_GRAIN && i < t->n; i++) {
		move_point(s, i);
		sum[0] += t->map[2 * i];
		sum[1] += t->map[2 * i + 1];
	}
	memcpy(t->sum + 2 * task, sum, sizeof sum);
}

int tsne_step(struct tsne *t, double *ret_kl, struct err *err)
{
	const int64_t third = t->options.iterations / 3, early = third < TSNE_EARLY_MAX ? third : TSNE_EARLY_MAX;
	struct stride s = {.t = t, .exaggeration = t->iteration < early ? t->options.early_exaggeration : 1};
	s.rate = t->options.learning_rate > 0 ? t->options.learning_rate : (double)t->n / s.exaggeration;
	const double kl = forces(t, &s.z);
	if (!isfinite(kl))
		return err_set(err, ERR_DIVERGED,
			"the map is not finite after %lld iterations; try a lower learning_rate (it was %g)",
			(long long)t->iteration, s.rate);
	double mean[2] = {0};
	pool_run(t->pool, (int)update_tasks(t->n), move_task, &s);
	for (size_t i = 0; i < 2 * update_tasks(t->n); i++)
		mean[i & 1] += t->sum[i] / (double)t->n;
	for (size_t i = 0; i < 2 * t->n; i++)
		t->map[i] -= mean[i & 1];
	t->iteration++;
	*ret_kl = kl;
	return OK;
}

int64_t tsne_iteration(const struct tsne *t)
{
	return t->iteration;
}

const double *tsne_map(const struct tsne *t)
{
	return t->map;
}

void tsne_state(struct tsne *t, struct state *s)
{
	const int64_t shape[] = {(int64_t)t->n, 2}, one = 1;
	state_add(s, "map", DTYPE_F64, 2, shape, t->map);
	state_add(s, "update", DTYPE_F64, 2, shape, t->update);
	state_add(s, "gains", DTYPE_F64, 2, shape, t->gains);
	state_add(s, "iteration", DTYPE_I64, 1, &one, &t->iteration);
}

int tsne_restore(struct tsne *t, const struct state *saved, struct err *err)
{
	struct state live = {0};
	tsne_state(t, &live);
	int code =
		live.failed ? err_set(err, ERR_NO_MEMORY, "no memory for the state of a map") : state_copy(&live, saved, err);
	state_free(&live);
	return code;
}
