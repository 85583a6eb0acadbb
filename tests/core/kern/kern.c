/* Every kernel of every level this processor runs, on random legal shapes: against the double reference, with guard
 * zones around all memory, and bit for bit between AVX2 and AVX-512. */
#include "core/kern/ref.h"
#include "tests/core/kern/trial.h"

/* Multiply-adds of one lane. */
static long work(const struct conv *g)
{
	return (long)g->big.c * g->small.c * g->kernel * g->kernel * g->small.h * g->small.w;
}

/* Mostly a few channels, sometimes many; halved until the reference is fast enough and the outcome fits. */
static struct conv random_conv(struct trial *t)
{
	enum { WORK_MAX = 200000 };
	struct conv g = {.kernel = draw(t, 1, 7), .stride = draw(t, 1, 4), .padding = draw(t, 0, 3)};
	int least = g.kernel - 2 * g.padding;
	least = least < 1 ? 1 : least;
	g.big = (struct map){draw(t, 1, draw(t, 0, 2) ? 20 : 130), draw(t, least, 15), draw(t, least, 29), 0};
	g.small = (struct map){draw(t, 1, draw(t, 0, 2) ? 20 : 130), (g.big.h + 2 * g.padding - g.kernel) / g.stride + 1,
		(g.big.w + 2 * g.padding - g.kernel) / g.stride + 1, 0};
	g.big.halo = conv_halo_big(&g) + draw(t, 0, 1);
	g.small.halo = conv_halo_small(&g) + draw(t, 0, 1);
	while (work(&g) > WORK_MAX || map_reals(&g.big) > OUT_MAX || map_reals(&g.small) > OUT_MAX) {
		struct map *larger = map_reals(&g.big) > map_reals(&g.small) ? &g.big : &g.small;
		larger = larger->c > 1 ? larger : larger == &g.big ? &g.small : &g.big;
		if (larger->c > 1)
			larger->c = (larger->c + 1) / 2;
		else if (g.kernel > 1)
			fail_msg("seed %d: a map too large for one channel", (int)t->seed);
	}
	t->tolerance = 0x1p-23 * (8 + g.kernel * g.kernel * (g.big.c + g.small.c));
	return g;
}

static size_t weights(const struct conv *g)
{
	return (size_t)g->big.c * (size_t)g->small.c * (size_t)g->kernel * (size_t)g->kernel;
}

/* --- the kernels --- */

static void try_conv_down(const struct kern *k, struct trial *t)
{
	struct conv g = random_conv(t);
	real *big = block(t, &g.big), *w = values(t, weights(&g)), *bias = values(t, (size_t)g.small.c);
	real *small = guarded(t, map_reals(&g.small));
	k->conv_down(small, big, w, draw(t, 0, 2) ? bias : NULL, &g);
	record(t, small, map_reals(&g.small));
}

static void try_conv_up(const struct kern *k, struct trial *t)
{
	struct conv g = random_conv(t);
	real *small = block(t, &g.small), *w = values(t, weights(&g)), *bias = values(t, (size_t)g.big.c);
	real *big = guarded(t, map_reals(&g.big));
	k->conv_up(big, small, w, draw(t, 0, 2) ? bias : NULL, &g);
	record(t, big, map_reals(&g.big));
}

static void try_conv_wgrad(const struct kern *k, struct trial *t)
{
	struct conv g = random_conv(t);
	real *big = block(t, &g.big), *small = block(t, &g.small), *dw = values(t, weights(&g));
	t->tolerance = 0x1p-23 * (8 + LANES + g.small.h * g.small.w);
	k->conv_wgrad(dw, big, small, &g);
	record(t, dw, weights(&g));
}

static void try_bias_grad(const struct kern *k, struct trial *t)
{
	struct map m = random_map(t);
	real *dy = block(t, &m), *db = values(t, (size_t)m.c);
	k->bias_grad(db, dy, &m);
	record(t, db, (size_t)m.c);
}

/* Mostly narrow; sometimes beyond the 256 inputs that a weight gradient takes at a time. */
static int draw_width(struct trial *t)
{
	return draw(t, 1, draw(t, 0, 4) ? 70 : 600);
}

static void try_dense_fwd(const struct kern *k, struct trial *t)
{
	int in = draw_width(t), out = draw_width(t);
	real *x = values(t, (size_t)in * LANES), *w = values(t, (size_t)(in * out)), *b = values(t, (size_t)out);
	real *y = guarded(t, (size_t)out * LANES);
	t->tolerance = 0x1p-23 * (200 + in);
	k->dense_fwd(y, x, w, draw(t, 0, 2) ? b : NULL, in, out);
	record(t, y, (size_t)out * LANES);
}

static void try_dense_bwd(const struct kern *k, struct trial *t)
{
	int in = draw_width(t), out = draw_width(t);
	real *dy = values(t, (size_t)out * LANES), *w = values(t, (size_t)(in * out));
	real *dx = guarded(t, (size_t)in * LANES);
	t->tolerance = 0x1p-23 * (200 + out);
	k->dense_bwd(dx, dy, w, in, out);
	record(t, dx, (size_t)in * LANES);
}

static void try_dense_wgrad(const struct kern *k, struct trial *t)
{
	int in = draw_width(t), out = draw_width(t);
	real *x = values(t, (size_t)in * LANES), *dy = values(t, (size_t)out * LANES), *dw = values(t, (size_t)(in * out));
	real *scratch = guarded(t, (size_t)((in + LANES - 1) / LANES * LANES * LANES));
	k->dense_wgrad(dw, x, dy, scratch, in, out);
	record(t, dw, (size_t)(in * out));
}

static void try_act_fwd(const struct kern *k, struct trial *t)
{
	struct map m = random_map(t);
	real *x = block(t, &m);
	for (size_t i = 0; i < map_reals(&m); i++)
		x[i] *= 12;
	t->tolerance = 1e-6;
	k->act_fwd(x, &m, (enum act)draw(t, 0, ACT_COUNT - 1), (real)0.2);
	record(t, x, map_reals(&m));
}

static void try_act_bwd(const struct kern *k, struct trial *t)
{
	struct map m = random_map(t);
	enum act act = (enum act)draw(t, 0, ACT_COUNT - 1);
	real *dy = block(t, &m), *x = block(t, &m), *y = values(t, map_reals(&m)), *dx = guarded(t, map_reals(&m));
	memcpy(y, x, map_reals(&m) * sizeof *y);
	kern_reference.act_fwd(y, &m, act, (real)0.2);
	real *const places[] = {dx, dy, y};
	real *place = places[draw(t, 0, 2)];
	k->act_bwd(place, dy, y, act == ACT_SILU ? x : NULL, &m, act, (real)0.2);
	record(t, place, map_reals(&m));
}

static void try_load_u8(const struct kern *k, struct trial *t)
{
	struct map m = random_map(t);
	uint8_t bytes[LANES][5 * 7 * 7];
	const uint8_t *images[LANES] = {0};
	int lanes = draw(t, 1, LANES);
	for (int l = 0; l < lanes; l++) {
		images[l] = bytes[l];
		for (int i = 0; i < map_features(&m); i++)
			bytes[l][i] = (uint8_t)draw(t, 0, 255);
	}
	real *x = guarded(t, map_reals(&m));
	t->tolerance = 0;
	k->load_u8(x, &m, images, lanes);
	record(t, x, map_reals(&m));
}

static void try_rows(const struct kern *k, struct trial *t)
{
	struct map m = random_map(t);
	int lanes = draw(t, 1, LANES);
	size_t n = (size_t)lanes * (size_t)map_features(&m);
	float rows[LANES * 5 * 7 * 7], back[LANES * 5 * 7 * 7 + 1];
	rng_uniform(rows, n, (struct rng){t->seed, RNG_NOISE, 99}, -1, 1);
	real *x = guarded(t, map_reals(&m));
	t->tolerance = 0;
	k->load_rows(x, &m, rows, lanes);
	record(t, x, map_reals(&m));
	back[n] = 3;
	k->store_rows(back, x, &m, lanes);
	assert_memory_equal(back, rows, n * sizeof *rows);
	assert_true(back[n] == 3);
}

static void try_sum_parts(const struct kern *k, struct trial *t)
{
	size_t n = (size_t)draw(t, 1, 100);
	int nparts = draw(t, 1, 6);
	const real *parts[6];
	for (int p = 0; p < nparts; p++)
		parts[p] = values(t, n);
	real *sum = guarded(t, n);
	k->sum_parts(sum, parts, nparts, n);
	record(t, sum, n);
}

static void try_adam(const struct kern *k, struct trial *t)
{
	size_t n = (size_t)draw(t, 1, 100);
	real *w = values(t, n), *g = values(t, n), *m = values(t, n), *v = values(t, n);
	for (size_t i = 0; i < n; i++)
		v[i] = v[i] * v[i] + (real)1e-3;
	struct adam_step step = {.beta1 = (real)0.9,
		.beta2 = (real)0.99,
		.gain1 = (real)0.1,
		.gain2 = (real)0.01,
		.step_size = (real)0.01,
		.root_scale = (real)1.5,
		.eps = (real)1e-8,
		.decay = (real)0.01,
		.l2 = (real)0.02};
	k->adam(w, g, m, v, n, &step);
	record(t, w, n);
	record(t, m, n);
	record(t, v, n);
}

static void try_sgd(const struct kern *k, struct trial *t)
{
	size_t n = (size_t)draw(t, 1, 100);
	real *w = values(t, n), *g = values(t, n), *v = values(t, n);
	struct sgd_step step = {.lr = (real)0.1, .momentum = (real)0.9, .l2 = (real)0.02};
	step.nesterov = draw(t, 0, 1);
	step.first = draw(t, 0, 1);
	bool plain = draw(t, 0, 2) == 0;
	k->sgd(w, g, plain ? NULL : v, n, &step);
	record(t, w, n);
	record(t, v, n);
}

/* --- one sample by itself --- */

static void try_dense_one(const struct kern *k, struct trial *t)
{
	int in = draw_width(t), out = draw_width(t);
	real *x = values(t, (size_t)in), *w = values(t, (size_t)(in * out)), *b = values(t, (size_t)out);
	real *y = guarded(t, (size_t)out);
	t->tolerance = 0x1p-23 * (200 + in);
	k->dense_one(y, x, w, draw(t, 0, 2) ? b : NULL, in, out);
	record(t, y, (size_t)out);
}

static void try_conv_up_one(const struct kern *k, struct trial *t)
{
	struct conv g = random_conv(t);
	const size_t n = (size_t)map_features(&g.big);
	real *small = values(t, (size_t)map_features(&g.small)), *w = values(t, weights(&g));
	real *bias = values(t, (size_t)g.big.c), *big = guarded(t, n), *scratch = guarded(t, conv_one_scratch(&g));
	k->conv_up_one(big, small, scratch, w, draw(t, 0, 2) ? bias : NULL, &g);
	record(t, big, n);
}

/* The sample in every lane of a block. */
static real *in_all_lanes(struct trial *t, const struct map *m, const real *sample)
{
	real *x = guarded(t, map_reals(m));
	memset(x, 0, map_reals(m) * sizeof *x);
	for (int i = 0; i < map_features(m); i++)
		for (int l = 0; l < LANES; l++)
			x[map_feature(m, i) + (size_t)l] = sample[i];
	return x;
}

static void assert_lane(const real *block, const struct map *m, int lane, const real *one)
{
	for (int i = 0; i < map_features(m); i++)
		assert_true(block[map_feature(m, i) + (size_t)lane] == one[i]);
}

static void up_both_ways(const struct kern *k, struct trial *t)
{
	struct conv g = random_conv(t);
	real *small = values(t, (size_t)map_features(&g.small)), *w = values(t, weights(&g));
	real *bias = values(t, (size_t)g.big.c), *one = guarded(t, (size_t)map_features(&g.big));
	real *big = guarded(t, map_reals(&g.big));
	k->conv_up(big, in_all_lanes(t, &g.small, small), w, bias, &g);
	k->conv_up_one(one, small, guarded(t, conv_one_scratch(&g)), w, bias, &g);
	assert_lane(big, &g.big, draw(t, 0, LANES - 1), one);
}

static void dense_both_ways(const struct kern *k, struct trial *t)
{
	struct map in = {draw_width(t), 1, 1, 0}, out = {draw_width(t), 1, 1, 0};
	real *x = values(t, (size_t)in.c), *w = values(t, (size_t)(in.c * out.c)), *b = values(t, (size_t)out.c);
	real *one = guarded(t, (size_t)out.c), *y = guarded(t, map_reals(&out));
	k->dense_fwd(y, in_all_lanes(t, &in, x), w, b, in.c, out.c);
	k->dense_one(one, x, w, b, in.c, out.c);
	assert_lane(y, &out, draw(t, 0, LANES - 1), one);
}

static void test_one_sample_has_the_bits_of_a_block(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= TRIALS; seed++)
		for (enum cpu_level level = 0; level < CPU_LEVEL_COUNT; level++)
			if (kern_at(level)) {
				struct trial t;
				run(up_both_ways, kern_at(level), seed, &t, NULL);
				run(dense_both_ways, kern_at(level), seed, &t, NULL);
			}
}

/* --- would a wrong kernel be seen? --- */

/* The last tap of the last pair of channels has a weight that is off by a tenth. */
static void wrong_tap(real *small, const real *big, const real *w, const real *bias, const struct conv *g)
{
	real *mine = malloc(weights(g) * sizeof *mine);
	memcpy(mine, w, weights(g) * sizeof *mine);
	mine[weights(g) - 1] += (real)0.1;
	kern_reference.conv_down(small, big, mine, bias, g);
	free(mine);
}

static void swap(real *a, real *b)
{
	real kept = *a;
	*a = *b;
	*b = kept;
}

/* The last two samples change places in the last channel. */
static void wrong_lanes(real *big, const real *small, const real *w, const real *bias, const struct conv *g)
{
	kern_reference.conv_up(big, small, w, bias, g);
	for (int i = 0; i < g->big.h * g->big.w; i++)
		swap(big + map_at(&g->big, g->big.c - 1, i / g->big.w, i % g->big.w) + LANES - 1,
			big + map_at(&g->big, g->big.c - 1, i / g->big.w, i % g->big.w) + LANES - 2);
}

/* The last column is left out. */
static void wrong_column(real *dw, const real *big, const real *small, const struct conv *g)
{
	real *mine = malloc(map_reals(&g->small) * sizeof *mine);
	memcpy(mine, small, map_reals(&g->small) * sizeof *mine);
	for (int o = 0; o < g->small.c; o++)
		for (int y = 0; y < g->small.h; y++)
			memset(mine + map_at(&g->small, o, y, g->small.w - 1), 0, LANES * sizeof *mine);
	kern_reference.conv_wgrad(dw, big, mine, g);
	free(mine);
}

/* The last input of each output is forgotten. */
static void wrong_depth(real *y, const real *x, const real *w, const real *b, int in, int out)
{
	real *mine = malloc((size_t)in * (size_t)out * sizeof *mine);
	memcpy(mine, w, (size_t)in * (size_t)out * sizeof *mine);
	for (int o = 0; o < out; o++)
		mine[o * in + in - 1] = 0;
	kern_reference.dense_fwd(y, x, mine, b, in, out);
	free(mine);
}

/* Each of them is found; all but few seeds see it (a tap may reach nothing but the halo). */
static void test_wrong_kernels_are_caught(void **state)
{
	(void)state;
	enum { SEEDS = 20 };
	struct kern wrong = kern_reference;
	wrong.conv_down = wrong_tap;
	wrong.conv_up = wrong_lanes;
	wrong.conv_wgrad = wrong_column;
	wrong.dense_fwd = wrong_depth;
	try_fn *const tries[] = {try_conv_down, try_conv_up, try_conv_wgrad, try_dense_fwd};
	real *out[2] = {malloc(OUT_MAX * sizeof(real)), malloc(OUT_MAX * sizeof(real))};
	int least = SEEDS;
	for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
		int caught = 0;
		for (uint64_t seed = 1; seed <= SEEDS; seed++) {
			struct trial want, got;
			run(tries[i], &kern_reference, seed, &want, out[0]);
			run(tries[i], &wrong, seed, &got, out[1]);
			caught += first_difference(&want, &got) >= 0;
		}
		least = caught < least ? caught : least;
	}
	free(out[0]);
	free(out[1]);
	assert_in_range(least, SEEDS * 3 / 4, SEEDS);
}

/* --- what random inputs do not reach --- */

/* Activations from -100 to 100 against libm. */
static void test_activations_are_accurate(void **state)
{
	(void)state;
	enum { COLUMNS = 4001 };
	const struct map m = {1, 1, COLUMNS, 0};
	static real x[COLUMNS * LANES] __attribute__((aligned(64))), want[COLUMNS * LANES];
	for (int level = 0; level < CPU_LEVEL_COUNT; level++) {
		const struct kern *k = kern_at((enum cpu_level)level);
		for (int act = 0; k && act < ACT_COUNT; act++) {
			for (int i = 0; i < COLUMNS * LANES; i++)
				want[i] = x[i] = (real)(100 * pow((double)(i - COLUMNS * LANES / 2) / (COLUMNS * LANES / 2), 3));
			k->act_fwd(x, &m, (enum act)act, (real)0.01);
			kern_reference.act_fwd(want, &m, (enum act)act, (real)0.01);
			for (int i = 0; i < COLUMNS * LANES; i++)
				if (fabs((double)x[i] - (double)want[i]) > 6e-7 * fabs((double)want[i]) + 1e-36)
					fail_msg(
						"%s act %d at %d: %.9g, not %.9g", cpu_name(k->level), act, i, (double)x[i], (double)want[i]);
		}
	}
}

static void test_nan_is_not_swallowed(void **state)
{
	(void)state;
	const struct map m = {1, 1, 1, 0};
	for (int level = 0; level < CPU_LEVEL_COUNT; level++) {
		const struct kern *k = kern_at((enum cpu_level)level);
		for (int act = 0; k && act < ACT_COUNT; act++) {
			real x[LANES] __attribute__((aligned(64))) = {0};
			x[5] = (real)NAN;
			k->act_fwd(x, &m, (enum act)act, (real)0.01);
			assert_true(isnan(x[5]));
			assert_false(isnan(x[4]));
		}
	}
}

/* The halos are wide enough for every tap, and no wider than some tap needs. */
static void test_halos_are_exact(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 2000; seed++) {
		struct trial t = {.seed = seed};
		struct conv g = random_conv(&t);
		int big = 0, small = 0;
		const int sizes[2][2] = {{g.big.h, g.small.h}, {g.big.w, g.small.w}};
		for (int axis = 0; axis < 2; axis++) {
			int b = sizes[axis][0], s = sizes[axis][1];
			for (int i = 0; i < s * g.kernel; i++) {
				int at = i / g.kernel * g.stride - g.padding + i % g.kernel;
				big = (int)fmax(big, fmax(-at, at - (b - 1)));
			}
			for (int i = 0; i < b * g.kernel; i++) {
				int at = i / g.kernel + g.padding - i % g.kernel;
				if (at % g.stride == 0)
					small = (int)fmax(small, fmax(-at / g.stride, at / g.stride - (s - 1)));
			}
		}
		assert_int_equal(conv_halo_big(&g), big);
		assert_in_range(conv_halo_small(&g), small, small + 1); /* + 1: where the map is smaller than the stride */
	}
}

#define KERNELS(X)                                                                                                     \
	X(conv_down)                                                                                                       \
	X(conv_up)                                                                                                         \
	X(conv_wgrad)                                                                                                      \
	X(bias_grad) X(dense_fwd) X(dense_bwd) X(dense_wgrad) X(dense_one) X(conv_up_one) X(act_fwd) X(act_bwd) X(load_u8) \
		X(rows) X(sum_parts) X(adam) X(sgd)

int main(void)
{
#define X(name) static try_fn *name = try_##name;
	KERNELS(X)
#undef X
	const struct CMUnitTest tests[] = {
#define X(name) {#name, test_kernel, NULL, NULL, &name},
		KERNELS(X)
#undef X
			cmocka_unit_test(test_activations_are_accurate),
		cmocka_unit_test(test_one_sample_has_the_bits_of_a_block),
		cmocka_unit_test(test_wrong_kernels_are_caught),
		cmocka_unit_test(test_nan_is_not_swallowed),
		cmocka_unit_test(test_halos_are_exact),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
