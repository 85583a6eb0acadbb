#include "core/lab/tsne.h"

#include "core/base/rng.h"
#include "core/lab/affinity.h"
#include "tests/core/lab/vectors.h"

enum { N = 600, D = 5 };

/* Five clouds. */
static float *clouds(size_t n)
{
	float *x = malloc(n * D * sizeof *x), shift[5 * D];
	rng_normal(x, n * D, (struct rng){1, RNG_NOISE, 0});
	rng_normal(shift, 5 * D, (struct rng){1, RNG_NOISE, 1});
	for (size_t i = 0; i < n * D; i++)
		x[i] += 3 * shift[i / D % 5 * D + i % D];
	return x;
}

static struct tsne *open_run(
	const float *x, size_t n, const struct tsne_options *o, struct pool *pool, const struct kern *kern)
{
	struct tsne *t;
	struct err err = {0};
	if (tsne_open(&t, x, n, D, o, pool, kern, &err))
		fail_msg("%s", err.message);
	return t;
}

static double steps(struct tsne *t, int64_t until)
{
	double kl = NAN;
	while (tsne_iteration(t) < until)
		assert_int_equal(tsne_step(t, &kl, NULL), OK);
	return kl;
}

/* --- gradients -------------------------------------------------------------------------------------------------------------- */

/* KL and a quarter of its gradient (with P so many times as large), as the formulas say, in double. */
static double naive(double *gradient, const struct affinity *a, const double *y, double exaggeration)
{
	const size_t n = a->n;
	double z = 0, kl = 0;
	memset(gradient, 0, 2 * n * sizeof *gradient);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			z += i == j ? 0 : 1 / (1 + pow(y[2 * i] - y[2 * j], 2) + pow(y[2 * i + 1] - y[2 * j + 1], 2));
	for (size_t i = 0; i < n; i++) {
		size_t e = a->start[i];
		for (size_t j = 0; j < n; j++) {
			const double dx = y[2 * i] - y[2 * j], dy = y[2 * i + 1] - y[2 * j + 1], k = 1 / (1 + dx * dx + dy * dy);
			const double p = e < a->start[i + 1] && a->index[e] == j ? a->p[e++] : 0;
			if (i == j)
				continue;
			kl += p > 0 ? p * log(p * z / k) : 0;
			gradient[2 * i] += (exaggeration * p - k / z) * k * dx;
			gradient[2 * i + 1] += (exaggeration * p - k / z) * k * dy;
		}
	}
	return kl;
}

static double distance(const double *a, const double *b, size_t n)
{
	double square = 0, whole = 0;
	for (size_t i = 0; i < n; i++) {
		square += (a[i] - b[i]) * (a[i] - b[i]);
		whole += b[i] * b[i];
	}
	return sqrt(square / whole);
}

/* How far gradient and KL are from the formulas', at maps of several sizes: all pairs, and by the tree. */
static void test_gradients(void **state)
{
	(void)state;
	static const struct {
		double theta, gradient, kl;
	} bounds[] = {{0, 2e-5, 2e-6}, {0.35, 0.01, 2e-4}, {0.5, 0.01, 2e-4}};
	float *x = clouds(N);
	double *map = malloc(2 * N * sizeof *map), *want = malloc(2 * N * sizeof *want), *got = malloc(2 * N * sizeof *got);
	struct affinity a;
	assert_int_equal(affinity_open(&a, x, N, D, 30, NULL, best_kern(), NULL, NULL), OK);
	for (double spread = 1e-4; spread < 100; spread *= 10) {
		float drawn[2 * N];
		rng_normal(drawn, 2 * N, (struct rng){5, RNG_NOISE, 0});
		for (int i = 0; i < 2 * N; i++)
			map[i] = (double)(drawn[i] * (float)spread);
		const double kl = naive(want, &a, map, 1);
		for (size_t b = 0; b < sizeof bounds / sizeof *bounds; b++) {
			struct tsne_options o = tsne_defaults;
			o.theta = bounds[b].theta;
			o.init = map;
			struct tsne *t = open_run(x, N, &o, NULL, best_kern());
			memcpy(map, tsne_map(t), 2 * N * sizeof *map); /* centred */
			assert_near(tsne_gradient(t, got), kl, bounds[b].kl);
			if (!(distance(got, want, 2 * N) < bounds[b].gradient))
				fail_msg("spread %g, theta %g: %g", spread, o.theta, distance(got, want, 2 * N));
			tsne_close(t);
		}
	}
	affinity_close(&a);
	free(x);
	free(map);
	free(want);
	free(got);
}

static void test_scikit_learn(void **state)
{
	(void)state;
	struct vectors v = vectors_open_file("tests/golden/tsne.safetensors");
	const struct tensor *x = vector(&v, "points"), *y = vector(&v, "map");
	const size_t n = (size_t)x->shape[0];
	double *map = malloc(2 * n * sizeof *map), *got = malloc(2 * n * sizeof *got);
	struct tsne_options o = {.perplexity = 10, .early_exaggeration = 12, .iterations = 1, .init = map};
	for (size_t i = 0; i < 2 * n; i++)
		map[i] = (double)((const float *)y->data)[i];
	for (enum cpu_level level = 0; level < CPU_LEVEL_COUNT; level++) {
		struct tsne *t;
		if (!kern_at(level))
			continue;
		assert_int_equal(tsne_open(&t, x->data, n, (int)x->shape[1], &o, NULL, kern_at(level), NULL), OK);
		assert_near(tsne_gradient(t, got), doubles(&v, "kl")[0], 1e-6);
		for (size_t i = 0; i < 2 * n; i++)
			got[i] *= 4;
		assert_true(distance(got, doubles(&v, "gradient"), 2 * n) < 1e-6);
		tsne_close(t);
	}
	free(map);
	free(got);
	vectors_close(&v);
}

/* --- runs ------------------------------------------------------------------------------------------------------------------- */

/* openTSNE's rule of a step, said again; returns how many were too long. */
static int naive_step(double *y, double *update, double *gains, const double *g, double rate)
{
	double mean[2] = {0};
	int cut = 0;
	for (int i = 0; i < 2 * N; i++) {
		const bool down = update[i] == 0 || (g[i] > 0) != (update[i] > 0);
		gains[i] = down ? gains[i] + 0.2 : fmax(0.8 * gains[i], 0.01);
		update[i] = 0.8 * update[i] - rate * gains[i] * g[i];
	}
	for (int i = 0; i < 2 * N; i++) {
		const double length = hypot(update[i & ~1], update[i | 1]);
		cut += length > 5;
		y[i] += update[i] * (length > 5 ? 5 / length : 1);
		mean[i & 1] += y[i] / N;
	}
	for (int i = 0; i < 2 * N; i += 2) {
		const double length = fmax(5, hypot(update[i], update[i + 1]));
		for (int c = i; c < i + 2; c++) {
			update[c] *= 5 / length;
			y[c] -= mean[c & 1];
		}
	}
	return cut;
}

/* Nine steps, three of them early, at the automatic rate and at one at which steps are cut short. */
static void test_steps(void **state)
{
	(void)state;
	enum { STEPS = 9 };
	static const double rates[] = {0, 50000};
	float *x = clouds(N), drawn[2 * N];
	struct affinity a;
	assert_int_equal(affinity_open(&a, x, N, D, 30, NULL, best_kern(), NULL, NULL), OK);
	rng_normal(drawn, 2 * N, (struct rng){5, RNG_NOISE, 0});
	for (int trial = 0; trial < 2; trial++) {
		double y[2 * N], g[2 * N], update[2 * N] = {0}, gains[2 * N], kl;
		struct tsne_options o = {
			.perplexity = 30, .iterations = STEPS, .early_exaggeration = 4, .learning_rate = rates[trial], .init = y};
		int cut = 0;
		for (int i = 0; i < 2 * N; i++) {
			y[i] = (double)drawn[i];
			gains[i] = 1;
		}
		struct tsne *t = open_run(x, N, &o, NULL, best_kern());
		memcpy(y, tsne_map(t), sizeof y);
		for (int step = 0; step < STEPS; step++) {
			const double exaggeration = step < STEPS / 3 ? 4 : 1, want = naive(g, &a, y, exaggeration);
			cut += naive_step(y, update, gains, g, trial ? rates[1] : N / exaggeration);
			assert_int_equal(tsne_step(t, &kl, NULL), OK);
			assert_true(distance(tsne_map(t), y, 2 * N) < (trial ? 5e-3 : 2e-6)); /* long steps leap */
			if (exaggeration == 1)
				assert_near(kl, want, trial ? 1e-3 : 1e-6);
		}
		assert_true((cut > 0) == (trial == 1));
		tsne_close(t);
	}
	affinity_close(&a);
	free(x);
}

/* A gain grows by as much wherever a point goes on down, and where it turns back it shrinks, to the least one and no further. */
static void test_least_gain(void **state)
{
	(void)state;
	float *x = clouds(N);
	struct tsne *t = open_run(x, N, &tsne_defaults, NULL, best_kern());
	struct state live = {0};
	int least = 0;
	steps(t, 2);
	tsne_state(t, &live);
	double *gains = state_find(&live, "gains")->data;
	for (int i = 0; i < 2 * N; i++)
		gains[i] = 0.011;
	steps(t, 3);
	for (int i = 0; i < 2 * N; i++) {
		assert_true(gains[i] == 0.01 || gains[i] == 0.011 + 0.2);
		least += gains[i] == 0.01;
	}
	assert_true(least > 0 && least < 2 * N);
	state_free(&live);
	tsne_close(t);
	free(x);
}

/* The same bits with threads, at both wide levels, and from a state saved half way; KL falls, and clouds stand apart. */
static void test_bits(void **state)
{
	(void)state;
	float *x = clouds(N);
	struct pool *pool;
	struct tsne_options o = tsne_defaults;
	o.iterations = 120;
	assert_int_equal(pool_open(&pool, 3, NULL), OK);
	struct tsne *alone = open_run(x, N, &o, NULL, best_kern()), *together = open_run(x, N, &o, pool, best_kern());
	const double first = tsne_gradient(alone, NULL);
	steps(alone, 70);
	assert_true(steps(together, 70) < first);
	assert_memory_equal(tsne_map(alone), tsne_map(together), 2 * N * sizeof(double));

	struct state saved = {0};
	tsne_state(alone, &saved);
	o.seed = 77; /* where it began does not matter any more */
	struct tsne *later = open_run(x, N, &o, pool, best_kern());
	assert_int_equal(tsne_restore(later, &saved, NULL), OK);
	assert_int_equal(tsne_iteration(later), 70);
	state_free(&saved);
	const double kl = steps(alone, 120);
	assert_true(kl < 0.6 * first && steps(together, 120) == kl && steps(later, 120) == kl);
	assert_memory_equal(tsne_map(alone), tsne_map(together), 2 * N * sizeof(double));
	assert_memory_equal(tsne_map(alone), tsne_map(later), 2 * N * sizeof(double));
	if (kern_at(CPU_AVX2) && kern_at(CPU_AVX512)) {
		o.seed = 0;
		struct tsne *narrow = open_run(x, N, &o, pool, kern_at(CPU_AVX2));
		assert_true(steps(narrow, 120) == kl);
		assert_memory_equal(tsne_map(alone), tsne_map(narrow), 2 * N * sizeof(double));
		tsne_close(narrow);
	}
	tsne_close(alone);
	tsne_close(together);
	tsne_close(later);
	pool_close(pool);
	free(x);
}

static void test_restore_refuses(void **state)
{
	(void)state;
	float *x = clouds(N);
	struct tsne *t = open_run(x, N, &tsne_defaults, NULL, best_kern()),
				*other = open_run(x, N - 1, &tsne_defaults, NULL, best_kern());
	struct state saved = {0};
	tsne_state(other, &saved);
	assert_int_equal(tsne_restore(t, &saved, NULL), ERR_CORRUPT);
	assert_int_equal(tsne_iteration(t), 0);
	state_free(&saved);
	tsne_close(t);
	tsne_close(other);
	free(x);
}

/* One feature, equal points, very few: they part, and nothing is ever not a number. A rate too high is told of. */
static void test_extremes(void **state)
{
	(void)state;
	static const struct {
		size_t n;
		int d;
		double perplexity;
	} cases[] = {{4, 1, 1}, {5, 3, 4}, {100, 1, 30}, {300, 2, 30}};
	for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
		for (int same = 0; same < 2; same++) {
			const size_t n = cases[c].n;
			float x[600] = {0};
			struct tsne_options o = tsne_defaults;
			struct tsne *t;
			double kl = NAN;
			o.perplexity = cases[c].perplexity;
			rng_normal(x, same ? 0 : n * (size_t)cases[c].d, (struct rng){2, RNG_NOISE, 0});
			assert_int_equal(tsne_open(&t, x, n, cases[c].d, &o, NULL, best_kern(), NULL), OK);
			for (int i = 0; i < 400; i++)
				assert_int_equal(tsne_step(t, &kl, NULL), OK);
			const double *y = tsne_map(t);
			for (size_t i = 1; i < n; i++)
				assert_true(y[2 * i] != y[0] && y[2 * i + 1] != y[1]);
			assert_true(isfinite(kl));
			tsne_close(t);
		}
	float *x = clouds(N);
	struct tsne_options o = tsne_defaults;
	struct tsne *t;
	assert_int_equal(tsne_open(&t, x, 3, D, &o, NULL, best_kern(), NULL), ERR_INVALID);
	assert_int_equal(tsne_open(&t, x, 30, D, &o, NULL, best_kern(), NULL), ERR_INVALID); /* perplexity */
	o.early_exaggeration = 0.5;
	assert_int_equal(tsne_open(&t, x, N, D, &o, NULL, best_kern(), NULL), ERR_INVALID);
	o = tsne_defaults;
	double init[2 * N] = {0}, kl;
	init[5] = NAN;
	o.init = init;
	t = open_run(x, N, &o, NULL, best_kern());
	struct err err = {0};
	assert_int_equal(tsne_step(t, &kl, &err), ERR_DIVERGED);
	assert_non_null(strstr(err.message, "learning_rate"));
	tsne_close(t);
	free(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gradients),
		cmocka_unit_test(test_scikit_learn),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_least_gain),
		cmocka_unit_test(test_bits),
		cmocka_unit_test(test_restore_refuses),
		cmocka_unit_test(test_extremes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
