/* The gradient that t-SNE follows is that of the KL it reports: central differences, in double. */
#include "core/base/rng.h"
#include "core/lab/tsne.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { N = 90, D = 3, TRIED = 40 };

static double kl_at(const float *x, double *map, const struct tsne_options *o, double *ret_gradient)
{
	struct tsne_options at = *o;
	struct tsne *t;
	at.init = map;
	const struct kern *kern = kern_at(CPU_BASELINE) ? kern_at(CPU_BASELINE) : kern_at(cpu_best());
	assert_int_equal(tsne_open(&t, x, N, D, &at, NULL, kern, NULL), OK);
	const double kl = tsne_gradient(t, ret_gradient);
	tsne_close(t);
	return kl;
}

static void test_differences(void **state)
{
	(void)state;
	const double step = 1e-5;
	float x[N * D], drawn[2 * N];
	rng_normal(x, N * D, (struct rng){1, RNG_NOISE, 0});
	rng_normal(drawn, 2 * N, (struct rng){1, RNG_NOISE, 1});
	struct tsne_options o = tsne_defaults;
	o.perplexity = 8;
	o.theta = 0;
	for (double spread = 0.1; spread < 50; spread *= 5) {
		double map[2 * N], gradient[2 * N], largest = 0;
		for (int i = 0; i < 2 * N; i++)
			map[i] = (double)drawn[i] * spread;
		kl_at(x, map, &o, gradient);
		for (int i = 0; i < 2 * N; i++)
			largest = fmax(largest, fabs(gradient[i]));
		for (int i = 0; i < TRIED; i++) {
			const double at = map[4 * i];
			map[4 * i] = at + step;
			const double above = kl_at(x, map, &o, NULL);
			map[4 * i] = at - step;
			const double below = kl_at(x, map, &o, NULL);
			map[4 * i] = at;
			assert_true(fabs((above - below) / (2 * step) - 4 * gradient[4 * i]) < 1e-6 * largest);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_differences)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
