#include "core/lab/parzen.h"

#include "core/lab/tpe.h"

#include "tests/core/lab/tpe_cases.h"

#include <math.h>

static void assert_equal_within(const char *what, const double *ours, const double *theirs, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		if (!(fabs(ours[i] - theirs[i]) <= 1e-9 * fmax(1, fabs(theirs[i]))))
			fail_msg("%s[%d]: %.15g, Optuna %.15g", what, (int)i, ours[i], theirs[i]);
}

/* Weights, kernels and log densities at 1000 points. Returns the latter, malloc'd. */
static double *check_side(const struct tpe_case *c, const char *side, enum tpe_side which)
{
	struct parzen *p;
	const int dims = c->space->n;
	double *x = malloc((size_t)(c->n * dims + POINTS * (dims + 1)) * sizeof *x), *points = x + c->n * dims;
	double *log_pdf = points + POINTS * dims, *ret = malloc(POINTS * sizeof *ret);
	const int n = tpe_case_observed(c, which, x);
	assert_int_equal(parzen_open(&p, c->range, dims, x, n, c->joint, NULL), OK);
	assert_int_equal(p->kernels, tpe_case_tensor(c, side, "weight")->shape[0]);
	assert_equal_within("weight", p->weight, tpe_case_doubles(c, side, "weight"), p->kernels);
	for (int j = 0; j < dims; j++)
		if (c->range[j].type != DIM_CATEGORICAL) {
			assert_equal_within("mu", p->dim[j].mu, tpe_case_doubles(c, side, "mu") + j * p->kernels, p->kernels);
			assert_equal_within(
				"sigma", p->dim[j].sigma, tpe_case_doubles(c, side, "sigma") + j * p->kernels, p->kernels);
		}
	for (int i = 0; i < POINTS; i++)
		tpe_case_point(c, i, points + i * dims);
	parzen_log_pdf(p, points, POINTS, log_pdf);
	assert_equal_within("log pdf", log_pdf, tpe_case_doubles(c, side, "log_pdf"), POINTS);
	memcpy(ret, log_pdf, POINTS * sizeof *ret);
	parzen_close(p);
	free(x);
	return ret;
}

/* Equal histories, equal estimators; of the same 24 candidates the same one is taken. */
static void test_optuna(void **state)
{
	(void)state;
	struct vectors v = vectors_open_file("tests/golden/tpe.safetensors");
	const int cases = (int)*doubles(&v, "cases");
	assert_true(cases >= 14);
	for (int i = 0; i < cases; i++) {
		struct tpe_case c = tpe_case_open(&v, i);
		double *l = check_side(&c, "l", TPE_BELOW), *g = check_side(&c, "g", TPE_ABOVE);
		int best = 0;
		for (int k = 1; k < CANDIDATES; k++)
			if (l[k] - g[k] > l[best] - g[best])
				best = k;
		assert_int_equal(best, (int)*tpe_case_doubles(&c, NULL, "best"));
		free(l);
		free(g);
		tpe_case_close(&c);
	}
	vectors_close(&v);
}

/* Kernels that lie far outside (of a range that depends on another dimension, by a trial of somebody's choice) still make a finite
 * density. */
static void test_far_outside(void **state)
{
	(void)state;
	const struct range ranges[] = {
		{.type = DIM_INT, .low = 0, .high = 1, .step = 1}, {.type = DIM_FLOAT, .low = 0, .high = 1}};
	double x[40], points[] = {0, 1}, log_pdf[2];
	for (int i = 0; i < 40; i++)
		x[i] = 900;
	for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++) {
		struct parzen *p;
		assert_int_equal(parzen_open(&p, &ranges[r], 1, x, 40, false, NULL), OK);
		parzen_log_pdf(p, points, 2, log_pdf);
		assert_true(isfinite(log_pdf[0]) && isfinite(log_pdf[1]) && log_pdf[1] > log_pdf[0]);
		for (double u = 0; u < 1; u += 0.01) {
			double drawn;
			parzen_draw(p, u, (double[]){1 - u}, &drawn);
			assert_true(range_contains(&ranges[r], drawn));
		}
		parzen_close(p);
	}
}

/* Of 26 observations the oldest one weighs 1 / 26. */
static void test_short_ramp(void **state)
{
	(void)state;
	const struct range range = {.type = DIM_FLOAT, .low = 0, .high = 1};
	const double x[26] = {0.5};
	struct parzen *p;
	assert_int_equal(parzen_open(&p, &range, 1, x, 26, false, NULL), OK);
	assert_true(fabs(p->weight[0] * 26 - p->weight[1]) < 1e-15 && p->weight[1] == p->weight[26]);
	parzen_close(p);
}

/* Draws follow the density: of cells, choices and tenths of a range. */
static void test_draws(void **state)
{
	(void)state;
	enum { N = 20000 };
	static const struct range ranges[] = {
		{.type = DIM_INT, .low = 1, .high = 8, .step = 1},
		{.type = DIM_CATEGORICAL, .low = 0, .high = 2, .step = 1, .choices = 3},
	};
	static const double x[] = {2, 3, 3, 7, 1, 1, 0, 1};
	for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++) {
		struct parzen *p;
		int count[9] = {0};
		assert_int_equal(parzen_open(&p, &ranges[r], 1, x + 4 * r, 4, false, NULL), OK);
		for (int i = 0; i < N; i++) {
			double drawn, second, u = space_draw(3, i, 0, 0, &second);
			parzen_draw(p, second, &u, &drawn);
			count[(int)drawn]++;
		}
		for (double v = ranges[r].low; v <= ranges[r].high; v++) {
			double log_pdf;
			parzen_log_pdf(p, &v, 1, &log_pdf);
			const double share = exp(log_pdf), sd = sqrt(share * (1 - share) / N);
			assert_true(fabs((double)count[(int)v] / N - share) < 4.5 * sd);
		}
		parzen_close(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_optuna),
		cmocka_unit_test(test_far_outside),
		cmocka_unit_test(test_short_ramp),
		cmocka_unit_test(test_draws),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
