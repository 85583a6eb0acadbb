/* Optimisers and schedules against values that PyTorch 1.13 computed in double for the same inputs. */
#include "core/nn/optim.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct kern *best_kern(void)
{
	return kern_at(cpu_best());
}

/* Two weights, from {1, -2}, over three steps at lr 0.1 with these gradients. */
static const real gradients[3][2] = {{(real)0.5, (real)-0.25}, {(real)-1.0, (real)0.125}, {(real)0.75, (real)2.0}};

struct expected {
	const char *name;
	struct optim optim;
	int moments;
	double w[3][2];
};

static const struct expected rows[] = {
	{"adam", {OPTIM_ADAM, 0.9, 0.999, 1e-8, 0, 0, false}, 2,
		{{0.900000002, -1.900000004}, {0.936610354241, -1.87336630138}, {0.924505625189, -1.93378685977}}},
	{"adam with weight decay", {OPTIM_ADAM, 0.8, 0.95, 1e-8, 0.2, 0, false}, 2,
		{{0.900000001429, -1.90000000154}, {0.91890889397, -1.81196259843}, {0.882960200203, -1.8518090374}}},
	{"adamw", {OPTIM_ADAMW, 0.9, 0.999, 1e-8, 0.2, 0, false}, 2,
		{{0.880000002, -1.860000004}, {0.899010354201, -1.7961663013}, {0.868925418065, -1.82066353366}}},
	{"sgd", {OPTIM_SGD, 0, 0, 0, 0, 0, false}, 0, {{0.95, -1.975}, {1.05, -1.9875}, {0.975, -2.1875}}},
	{"sgd with momentum and weight decay", {OPTIM_SGD, 0, 0, 0, 0.2, 0.9, false}, 1,
		{{0.93, -1.935}, {0.9484, -1.8503}, {0.870992, -1.937064}}},
	{"sgd with Nesterov momentum", {OPTIM_SGD, 0, 0, 0, 0, 0.9, true}, 1,
		{{0.905, -1.9525}, {1.0545, -1.956}, {0.95655, -2.3279}}},
	{"rmsprop", {OPTIM_RMSPROP, 0, 0, 1e-8, 0, 0, false}, 1,
		{{1.99999960482e-07, -1.0000004}, {0.895323081911, -1.44901349378}, {0.335921408288, -2.43955862087}}},
	{"rmsprop with momentum and weight decay", {OPTIM_RMSPROP, 0, 0, 1e-8, 0.2, 0.9, false}, 2,
		{{1.42857122698e-07, -1.00000015385}, {-0.079417492272, 0.0151936560274}, {-0.668805355623, -0.0226083066326}}},
};

static void test_steps(void **state)
{
	const struct expected *e = *state;
	/* what lies in a momentum buffer before the first step does not matter */
	real w[2] = {1, -2}, moment[2][2] = {{0, 0}, {0, 0}}, *moments[2] = {moment[0], moment[1]};
	if (e->optim.kind == OPTIM_SGD)
		moment[0][0] = 77;
	assert_int_equal(optim_moments(&e->optim), e->moments);
	for (int t = 0; t < 3; t++) {
		optim_update(&e->optim, best_kern(), w, gradients[t], moments, 0, 2, t + 1, 0.1);
		for (int i = 0; i < 2; i++)
			assert_true(fabs((double)w[i] - e->w[t][i]) < 4e-7);
	}
}

static void test_moment_names(void **state)
{
	(void)state;
	assert_string_equal(optim_moment_name(&(struct optim){.kind = OPTIM_ADAM}, 0), "exp_avg");
	assert_string_equal(optim_moment_name(&(struct optim){.kind = OPTIM_ADAMW}, 1), "exp_avg_sq");
	assert_string_equal(optim_moment_name(&(struct optim){.kind = OPTIM_SGD, .momentum = 0.9}, 0), "momentum_buffer");
	assert_string_equal(optim_moment_name(&(struct optim){.kind = OPTIM_RMSPROP}, 0), "square_avg");
	assert_string_equal(
		optim_moment_name(&(struct optim){.kind = OPTIM_RMSPROP, .momentum = 0.9}, 1), "momentum_buffer");
}

/* Any cut into ranges gives the same bits. */
static void test_cuts_do_not_matter(void **state)
{
	enum { N = 67 };
	const struct expected *e = *state;
	real whole[3][N], cut[3][N], g[N];
	for (int i = 0; i < N; i++) {
		g[i] = (real)sin(i);
		whole[0][i] = cut[0][i] = (real)cos(3 * i);
		whole[1][i] = cut[1][i] = (real)sin(2 * i);
		whole[2][i] = cut[2][i] = (real)(0.1 + fabs(cos(i)));
	}
	real *const whole_moments[] = {whole[1], whole[2]}, *const cut_moments[] = {cut[1], cut[2]};
	optim_update(&e->optim, best_kern(), whole[0], g, whole_moments, 0, N, 5, 0.01);
	for (size_t from = 0; from < N; from += 13)
		optim_update(&e->optim, best_kern(), cut[0], g, cut_moments, from, from + 13 < N ? 13 : N - from, 5, 0.01);
	assert_memory_equal(whole, cut, sizeof whole);
}

static void assert_rate(double got, double want)
{
	if (!(fabs(got - want) <= 1e-10 * fmax(fabs(want), 1e-3)))
		fail_msg("%.12g, not %.12g", got, want);
}

static void test_one_cycle_is_torchs(void **state)
{
	(void)state;
	static const double want[20] = {0.004, 0.01316718427, 0.03716718427, 0.06683281573, 0.09083281573, 0.1,
		0.0987464006235, 0.0950484632013, 0.0890916177571, 0.081174565395, 0.0716943001791, 0.0611262021936, 0.0500002,
		0.0388741978064, 0.0283060998209, 0.018825834605, 0.0109087822429, 0.00495193679865, 0.00125399937649, 4e-07};
	for (int i = 0; i < 20; i++)
		assert_rate(schedule_lr(SCHEDULE_ONE_CYCLE, 0.1, i, 20, 0), want[i]);
}

static void test_constant_cosine_and_warmup(void **state)
{
	(void)state;
	assert_rate(schedule_lr(SCHEDULE_CONSTANT, 0.1, 0, 10, 0), 0.1);
	assert_rate(schedule_lr(SCHEDULE_CONSTANT, 0.1, 9, 10, 0), 0.1);
	assert_rate(schedule_lr(SCHEDULE_COSINE, 0.1, 0, 10, 0), 0.1);
	assert_rate(schedule_lr(SCHEDULE_COSINE, 0.1, 5, 10, 0), 0.05);
	assert_rate(schedule_lr(SCHEDULE_COSINE, 0.1, 10, 10, 0), 0);
	/* 4 steps up, the full rate at step 4, and the cosine over the six that are left */
	assert_rate(schedule_lr(SCHEDULE_COSINE, 0.1, 0, 10, 4), 0.02);
	assert_rate(schedule_lr(SCHEDULE_COSINE, 0.1, 3, 10, 4), 0.08);
	assert_rate(schedule_lr(SCHEDULE_COSINE, 0.1, 4, 10, 4), 0.1);
	assert_rate(schedule_lr(SCHEDULE_COSINE, 0.1, 7, 10, 4), 0.05);
}

/* Never NaN, negative or above lr, however few steps there are. */
static void test_short_runs_have_a_rate(void **state)
{
	(void)state;
	for (int kind = 0; kind < SCHEDULE_COUNT; kind++)
		for (int steps = 1; steps <= 8; steps++)
			for (int warmup = 0; warmup <= steps + 2; warmup++)
				for (int step = 0; step < steps; step++) {
					double rate = schedule_lr((enum schedule_kind)kind, 0.1, step, steps, warmup);
					assert_true(rate > 0 && rate <= 0.1 + 1e-15);
				}
}

int main(void)
{
	enum { ROWS = sizeof rows / sizeof *rows };
	struct CMUnitTest tests[2 * ROWS + 4] = {
		cmocka_unit_test(test_moment_names),
		cmocka_unit_test(test_one_cycle_is_torchs),
		cmocka_unit_test(test_constant_cosine_and_warmup),
		cmocka_unit_test(test_short_runs_have_a_rate),
	};
	for (int i = 0; i < ROWS; i++) {
		tests[4 + 2 * i] = (struct CMUnitTest){rows[i].name, test_steps, NULL, NULL, (void *)&rows[i]};
		tests[5 + 2 * i] =
			(struct CMUnitTest){"the same, cut into ranges", test_cuts_do_not_matter, NULL, NULL, (void *)&rows[i]};
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
