/* Forward mode against differences in double: the derivative of a net along a direction, and the gradient of the penalty
 * 1/2 |dD/dx|^2 (R1) by one tangent pass, without differentiating twice. */
#include "core/nn/layer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const double eps = 1e-6;

struct bench {
	struct net net;
	struct net_run run;
	real *w, *dw, *ws, *gs, *ts, *x;
};

static real *zeros(size_t n)
{
	real *x = aligned_alloc(64, (n * sizeof *x + 63) / 64 * 64 + 64);
	assert_non_null(x);
	memset(x, 0, n * sizeof *x);
	return x;
}

static void draw(real *block, const struct map *m, uint64_t step)
{
	size_t n = (size_t)map_features(m) * LANES, i = 0;
	float *drawn = malloc(n * sizeof *drawn);
	rng_uniform(drawn, n, (struct rng){7, RNG_NOISE, step}, -1, 1);
	for (int c = 0; c < m->c; c++)
		for (int y = 0; y < m->h; y++)
			for (int col = 0; col < m->w * LANES; col++, i++)
				block[map_at(m, c, y, 0) + (size_t)col] = drawn[i];
	free(drawn);
}

static void open_bench(struct bench *b, struct map in, const struct layer_spec *rows)
{
	int n = 0;
	struct err err;
	while (rows[n].op)
		n++;
	*b = (struct bench){0};
	if (net_plan(&b->net, "net", in, rows, n, &err))
		fail_msg("%s", err.message);
	b->w = zeros(b->net.params);
	b->dw = zeros(b->net.params);
	b->ws = zeros(b->net.workspace);
	b->gs = zeros(b->net.workspace);
	b->ts = zeros(b->net.workspace);
	b->x = zeros(map_reals(&b->net.in));
	net_init(&b->net, b->w, NULL, 3, 0);
	draw(b->x, &b->net.in, 1);
	const struct kern *k = kern_at(CPU_BASELINE) ? kern_at(CPU_BASELINE) : kern_at(cpu_best());
	b->run =
		(struct net_run){.kern = k, .w = b->w, .dw = b->dw, .ws = b->ws, .gs = b->gs, .lanes = LANES, .training = true};
}

static void close_bench(struct bench *b)
{
	real *memory[] = {b->w, b->dw, b->ws, b->gs, b->ts, b->x};
	for (size_t i = 0; i < sizeof memory / sizeof *memory; i++)
		free(memory[i]);
}

static void forward(struct bench *b)
{
	memcpy(net_input(&b->net, b->ws), b->x, map_reals(&b->net.in) * sizeof(real));
	net_forward(&b->net, &b->run);
}

/* y(x + h d) - y(x - h d), by 2 h, is what net_tangent says for d; smooth activations too. */
static void test_directional_derivative(void **state)
{
	(void)state;
	const struct layer_spec rows[] = {CONV(3, 3, 2, 1), ACTIVATION(ACT_SILU), CONV_TRANSPOSE(2, 3, 2, 1, 1),
		ACTIVATION(ACT_TANH), AVG_POOL(2), UPSAMPLE_BILINEAR(2), FLATTEN, LINEAR(5), ACTIVATION(ACT_SIGMOID),
		DROPOUT(0.3), {0}};
	struct bench b;
	open_bench(&b, (struct map){2, 6, 6, 0}, rows);
	size_t in = map_reals(&b.net.in), out = map_reals(&b.net.out);
	real *d = zeros(in), *x = zeros(in), *above = zeros(out);
	draw(d, &b.net.in, 2);
	memcpy(x, b.x, in * sizeof *x);
	for (size_t i = 0; i < in; i++)
		b.x[i] = x[i] + eps * d[i];
	forward(&b);
	memcpy(above, net_output(&b.net, b.ws), out * sizeof *above);
	for (size_t i = 0; i < in; i++)
		b.x[i] = x[i] - eps * d[i];
	forward(&b);
	for (size_t i = 0; i < out; i++)
		above[i] = (above[i] - net_output(&b.net, b.ws)[i]) / (2 * eps);
	memcpy(b.x, x, in * sizeof *x);
	forward(&b);
	memcpy(net_input(&b.net, b.ts), d, in * sizeof *d);
	net_tangent(&b.net, &b.run, b.ts);
	bool any = false;
	for (size_t i = 0; i < out; i++) {
		double got = net_output(&b.net, b.ts)[i];
		any |= fabs(got) > 1e-3;
		if (fabs(got - above[i]) > 1e-8)
			fail_msg("output %zu: %.9g, not %.9g", i, got, above[i]);
	}
	assert_true(any);
	free(d);
	free(x);
	free(above);
	close_bench(&b);
}

/* 1/2 sum over the block of |dD/dx|^2, gradients of D's inputs in gs. */
static double penalty(struct bench *b)
{
	real *dw = b->run.dw, *dy = net_output_grad(&b->net, b->gs);
	forward(b);
	for (int l = 0; l < LANES; l++)
		dy[l] = 1;
	b->run.dw = NULL;
	net_backward(&b->net, &b->run, true);
	b->run.dw = dw;
	const real *g = net_input_grad(&b->net, b->gs);
	double total = 0;
	for (int c = 0; c < b->net.in.c; c++)
		for (int y = 0; y < b->net.in.h; y++)
			for (int i = 0; i < b->net.in.w * LANES; i++) {
				double v = g[map_at(&b->net.in, c, y, 0) + (size_t)i];
				total += v * v / 2;
			}
	return total;
}

static void test_gradient_penalty(void **state)
{
	(void)state;
	struct layer_spec rows[] = {CONV(4, 4, 2, 1), ACTIVATION(ACT_LEAKY_RELU), CONV(5, 3, 1, 1),
		ACTIVATION(ACT_LEAKY_RELU), AVG_POOL(2), FLATTEN, LINEAR(6), ACTIVATION(ACT_RELU), LINEAR(1), {0}};
	rows[1].alpha = rows[3].alpha = 0.2;
	struct bench b;
	open_bench(&b, (struct map){2, 8, 8, 0}, rows);
	penalty(&b);
	real *to = net_input(&b.net, b.ts);
	const real *g = net_input_grad(&b.net, b.gs);
	for (int c = 0; c < b.net.in.c; c++) /* the halo stays 0 */
		for (int y = 0; y < b.net.in.h; y++)
			memcpy(to + map_at(&b.net.in, c, y, 0), g + map_at(&b.net.in, c, y, 0),
				(size_t)b.net.in.w * LANES * sizeof *to);
	net_tangent(&b.net, &b.run, b.ts);
	net_tangent_grad(&b.net, &b.run, b.ts);
	struct net_tensor t;
	for (int i = 0; net_tensor(&b.net, i, &t); i++)
		for (size_t k = 0; k < t.count; k += t.count / 50 + 1) {
			real *value = b.w + t.offset + k, before = *value;
			*value = before + eps;
			double above = penalty(&b);
			*value = before - eps;
			double below = penalty(&b), want = (above - below) / (2 * eps), got = b.dw[t.offset + k];
			*value = before;
			if (fabs(got - want) > 1e-6 * fmax(1, fabs(want)))
				fail_msg("%s[%zu]: %.9g, not %.9g", t.name, k, got, want);
			if (strstr(t.name, "bias"))
				assert_true(got == 0);
		}
	close_bench(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_directional_derivative),
		cmocka_unit_test(test_gradient_penalty),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
