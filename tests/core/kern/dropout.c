/* Dropout on random shapes and addresses, and what its masks must have in common (tests/core/kern/trial.h). */
#include "tests/core/kern/trial.h"

static struct dropout random_dropout(struct trial *t)
{
	return (struct dropout){.seed = (uint64_t)draw(t, 0, 1 << 30) << 20,
		.step = (uint64_t)draw(t, 0, 1 << 30) << draw(t, 0, 18),
		.layer = (uint32_t)draw(t, 0, 1023),
		.sample = (uint32_t)draw(t, 0, 4095),
		.p = (real)draw(t, 0, 9) / 10,
		.channels = draw(t, 0, 1)};
}

static void try_dropout(const struct kern *k, struct trial *t)
{
	struct map x_map = random_map(t), y_map = x_map;
	struct dropout d = random_dropout(t);
	y_map.halo = draw(t, 0, 2);
	real *x = block(t, &x_map), *y = guarded(t, map_reals(&y_map));
	t->tolerance = 0x1p-22;
	k->dropout(y, &y_map, x, &x_map, &d);
	record(t, y, map_reals(&y_map));
	k->dropout(x, &x_map, x, &x_map, &d);
	record(t, x, map_reals(&x_map));
}

static void fill(real *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		x[i] = 1;
}

/* A sample's mask does not depend on the lane it lies in; another step, layer or seed has another mask. */
static void test_masks_are_addressed_by_sample(void **state)
{
	(void)state;
	enum { FEATURES = 101 };
	const struct map m = {FEATURES, 1, 1, 0};
	const struct kern *k = kern_at(cpu_best());
	static real one[FEATURES * LANES], first[FEATURES * LANES], moved[FEATURES * LANES];
	const struct dropout d = {.seed = 5, .step = 7, .layer = 3, .sample = 160, .p = (real)0.5};
	struct dropout others[] = {d, d, d, d};
	fill(one, FEATURES * LANES);
	k->dropout(first, &m, one, &m, &d);
	others[0].sample += 5;
	k->dropout(moved, &m, one, &m, &others[0]);
	for (int i = 0; i < FEATURES; i++)
		assert_memory_equal(moved + i * LANES, first + i * LANES + 5, (LANES - 5) * sizeof *first);
	others[0].sample = 1 << 12;
	others[1].step += UINT64_C(1) << 40;
	others[2].layer = 4;
	others[3].seed += UINT64_C(1) << 40;
	for (int o = 0; o < 4; o++) {
		k->dropout(moved, &m, one, &m, &others[o]);
		int same = 0;
		for (int i = 0; i < FEATURES * LANES; i++)
			same += moved[i] == first[i];
		assert_in_range(same, FEATURES * LANES * 2 / 5, FEATURES * LANES * 3 / 5);
	}
}

/* The share of zeros is p, the mean stays 1, a channel is kept or dropped as a whole. */
static void test_expectation(void **state)
{
	(void)state;
	const struct map m = {50, 10, 10, 0};
	const struct kern *k = kern_at(cpu_best());
	static real x[50 * 100 * LANES];
	for (int channels = 0; channels < 2; channels++) {
		const struct dropout d = {.seed = 1, .step = 2, .p = (real)0.2, .channels = channels};
		double sum = 0;
		int zeros = 0;
		fill(x, map_reals(&m));
		k->dropout(x, &m, x, &m, &d);
		for (size_t i = 0; i < map_reals(&m); i++) {
			sum += (double)x[i];
			zeros += x[i] == 0;
			assert_true(!channels || x[i] == x[i / (100 * LANES) * 100 * LANES + i % LANES]);
		}
		double n = (double)map_reals(&m), sd = sqrt(0.2 * 0.8 / (channels ? n / 100 : n));
		assert_true(fabs(zeros / n - 0.2) < 4 * sd);
		assert_true(fabs(sum / n - 1) < 4 * sd / 0.8);
	}
}

static void test_nan_is_not_dropped(void **state)
{
	(void)state;
	const struct map m = {40, 1, 1, 0};
	const struct dropout d = {.p = (real)0.9};
	for (int level = 0; level < CPU_LEVEL_COUNT; level++) {
		const struct kern *k = kern_at((enum cpu_level)level);
		real x[40 * LANES];
		for (int i = 0; i < 40 * LANES; i++)
			x[i] = (real)NAN;
		if (k)
			k->dropout(x, &m, x, &m, &d);
		for (int i = 0; i < 40 * LANES; i++)
			assert_true(isnan(x[i]));
	}
}

int main(void)
{
	static try_fn *dropout = try_dropout;
	const struct CMUnitTest tests[] = {
		{"dropout", test_kernel, NULL, NULL, &dropout},
		cmocka_unit_test(test_masks_are_addressed_by_sample),
		cmocka_unit_test(test_expectation),
		cmocka_unit_test(test_nan_is_not_dropped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
