/* Losses on random shapes, against libm, PyTorch and NaN (tests/core/kern/trial.h). */
#include "tests/core/kern/trial.h"

static void try_loss(const struct kern *k, struct trial *t)
{
	struct map y_map = random_map(t), t_map = y_map, dy_map = y_map;
	t_map.halo = draw(t, 0, 2);
	dy_map.halo = draw(t, 0, 2);
	real *y = block(t, &y_map), *wanted = block(t, &t_map), *dy = guarded(t, map_reals(&dy_map));
	struct loss_target target = {.t = draw(t, 0, 2) ? wanted : NULL, .map = &t_map, .value = (real)draw(t, 0, 10) / 10};
	enum loss loss = (enum loss)draw(t, 0, LOSS_COUNT - 1);
	int lanes = draw(t, 1, LANES), size = draw(t, 1, 8);
	for (size_t i = 0; i < map_reals(&y_map); i++)
		y[i] *= (real)size;
	real sums[2] = {(real)k->loss(loss, NULL, NULL, y, &y_map, &target, 0, lanes)};
	sums[1] = (real)k->loss(loss, dy, &dy_map, y, &y_map, &target, (real)0.125, lanes);
	record(t, sums, 2);
	record(t, dy, map_reals(&dy_map));
	k->loss(loss, y, &y_map, y, &y_map, &target, (real)0.125, lanes);
	record(t, y, map_reals(&y_map));
}

static void try_cross_entropy(const struct kern *k, struct trial *t)
{
	int classes = draw(t, 1, 40), lanes = draw(t, 1, LANES), correct[2], size = draw(t, 1, 12);
	/* One in three of them smoothed, one in three generalised. */
	struct label_loss how = {0};
	int sort = draw(t, 0, 2);
	if (sort)
		*(sort == 1 ? &how.smoothing : &how.q) = (real)draw(t, 1, 9) / 10;
	const size_t n = (size_t)classes * LANES;
	real *y = values(t, n), *dy = guarded(t, n);
	uint8_t *labels = malloc((size_t)lanes);
	for (int l = 0; l < lanes; l++)
		labels[l] = (uint8_t)draw(t, 0, classes - 1);
	for (size_t i = 0; i < n; i++) /* some few values: ties */
		y[i] = size > 6 ? y[i] * (real)size : (real)(int)(2 * y[i]);
	real sums[2] = {(real)k->cross_entropy(NULL, y, classes, labels, &how, 0, lanes, &correct[0])};
	sums[1] = (real)k->cross_entropy(dy, y, classes, labels, &how, (real)0.25, lanes, &correct[1]);
	record(t, sums, 2);
	record(t, dy, n);
	record(t, (real[]){(real)correct[0], (real)correct[1]}, 2);
	k->cross_entropy(y, y, classes, labels, &how, (real)0.25, lanes, &correct[0]);
	record(t, y, n);
	free(labels);
}

/* log(1 + e^z) from -80 to 80, where the small ones must not become 0: within a few ulp. */
static void test_bce_is_accurate(void **state)
{
	(void)state;
	const struct map m = {1, 1, 1, 0};
	const struct loss_target fake = {.value = 0};
	for (int level = 0; level < CPU_LEVEL_COUNT; level++) {
		const struct kern *k = kern_at((enum cpu_level)level);
		for (int i = -40000; k && i <= 40000; i++) {
			real z[LANES] = {(real)(80 * pow(i / 40000.0, 3))}, dz[LANES];
			double want = fmax((double)z[0], 0) + log1p(exp(-fabs((double)z[0])));
			double slope = 1 / (1 + exp(-(double)z[0]));
			double got = k->loss(LOSS_BCE, dz, &m, z, &m, &fake, 1, 1);
			if (fabs(got - want) > 6e-7 * want || fabs((double)dz[0] - slope) > 6e-7 * slope)
				fail_msg("%s at %.9g: %.9g, not %.9g", cpu_name(k->level), (double)z[0], got, want);
		}
	}
}

/* log over the sums that a softmax can have: n logits of 0 and one below, against libm. */
static void test_xent_is_accurate(void **state)
{
	(void)state;
	const struct label_loss plain = {0};
	const uint8_t label = 0;
	for (int level = 0; level < CPU_LEVEL_COUNT; level++) {
		const struct kern *k = kern_at((enum cpu_level)level);
		for (int i = 0; k && i < 255 * 20; i++) {
			static real y[256 * LANES];
			const int n = i / 20 + 1;
			const real below = -(real)(i % 20) / 4;
			int correct;
			for (int c = 0; c < 256; c++)
				y[c * LANES] = c < n ? 0 : c == n ? below : -200;
			double want = log(n + exp((double)below));
			double got = k->cross_entropy(NULL, y, 256, &label, &plain, 1, 1, &correct);
			if (fabs(got - want) > 4e-7 * want + 6.1e-8) /* half an ulp of a sum near 1 */
				fail_msg("%s, %d and %.9g: %.9g, not %.9g", cpu_name(k->level), n, (double)below, got, want);
		}
	}
}

struct xent_case {
	struct label_loss how;
	double loss, slope[3][2];
};

static void check_xent(const struct kern *k, const struct xent_case *c)
{
	const uint8_t labels[2] = {1, 0};
	real y[3 * LANES] = {1, (real)0.5, [LANES] = 2, -3, [2 * LANES] = -1, 4}, dy[3 * LANES];
	int correct;
	assert_true(fabs(k->cross_entropy(dy, y, 3, labels, &c->how, 1, 2, &correct) - c->loss) < 2e-6);
	assert_int_equal(correct, 1);
	for (int i = 0; i < 6; i++)
		assert_true(fabs((double)dy[i / 2 * LANES + i % 2] - c->slope[i / 2][i % 2]) < 1e-4);
}

/* Of [[1, 2, -1], [.5, -3, 4]] with labels [1, 0], in double: F.cross_entropy(label_smoothing=.1, reduction="sum"); then
 * ((1 - softmax(y, 1)[[0, 1], labels] ** .7) / .7).sum() and its gradient by autograd. */
static void test_xent_is_torchs(void **state)
{
	(void)state;
	static const struct xent_case cases[] = {
		{{.smoothing = (real)0.1}, 4.012980729528494, {{0.2262, -0.9040}, {-0.2279, -0.0324}, {0.0018, 0.9365}}},
		{{.q = (real)0.7}, 1.6175590302114096, {{0.20325, -0.08199}, {-0.23076, 0.00007}, {0.02751, 0.08191}}},
	};
	for (int level = 0; level <= CPU_LEVEL_COUNT; level++) {
		const struct kern *k = level < CPU_LEVEL_COUNT ? kern_at((enum cpu_level)level) : &kern_reference;
		for (size_t i = 0; k && i < sizeof cases / sizeof *cases; i++)
			check_xent(k, &cases[i]);
	}
}

static void test_nan_is_not_swallowed(void **state)
{
	(void)state;
	const struct map m = {3, 1, 1, 0};
	const uint8_t labels[LANES] = {0};
	for (int level = 0; level < CPU_LEVEL_COUNT; level++) {
		const struct kern *k = kern_at((enum cpu_level)level);
		for (int at = 0; k && at < 3; at++) {
			real y[3 * LANES] = {0}, dy[3 * LANES];
			const struct loss_target target = {.value = 1};
			int correct;
			y[at * LANES + 5] = (real)NAN;
			for (int loss = 0; loss < LOSS_COUNT; loss++) {
				assert_true(isnan(k->loss((enum loss)loss, dy, &m, y, &m, &target, 1, LANES)));
				assert_true(isnan(dy[at * LANES + 5]));
				assert_false(isnan(k->loss((enum loss)loss, dy, &m, y, &m, &target, 1, 5)));
				assert_true(dy[at * LANES + 5] == 0);
			}
			for (int q = 0; q <= 1; q++) {
				const struct label_loss how = {.q = (real)q};
				assert_true(isnan(k->cross_entropy(dy, y, 3, labels, &how, 1, LANES, &correct)));
				assert_true(isnan(dy[5]));
				assert_false(isnan(k->cross_entropy(dy, y, 3, labels, &how, 1, 5, &correct)));
			}
		}
	}
}

#define KERNELS(X) X(loss) X(cross_entropy)

int main(void)
{
#define X(name) static try_fn *name = try_##name;
	KERNELS(X)
#undef X
	const struct CMUnitTest tests[] = {
#define X(name) {#name, test_kernel, NULL, NULL, &name},
		KERNELS(X)
#undef X
			cmocka_unit_test(test_bce_is_accurate),
		cmocka_unit_test(test_xent_is_accurate),
		cmocka_unit_test(test_xent_is_torchs),
		cmocka_unit_test(test_nan_is_not_swallowed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
