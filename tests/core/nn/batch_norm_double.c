/* Layers that need the whole batch, against central differences in double: two blocks, the second one short, in a net with
 * two batch norms and others between, L = sum of r y over the samples in use; and the running statistics. */
#include "core/nn/layer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { BLOCKS = 2, SHORT = 5, SAMPLES = LANES + SHORT };
static const double eps = 1e-6, rtol = 1e-6;

struct subject {
	struct map in;
	struct layer_spec rows[12];
};

struct bench {
	struct net net;
	struct net_run run[BLOCKS];
	real *w, *dw, *buffers, *shared, *ws[BLOCKS], *x[BLOCKS], *r[BLOCKS];
};

static real *zeros(size_t n)
{
	real *x = aligned_alloc(64, (n * sizeof *x + 63) / 64 * 64 + 64);
	assert_non_null(x);
	memset(x, 0, n * sizeof *x);
	return x;
}

static real *random_block(const struct map *m, uint64_t step)
{
	size_t n = (size_t)map_features(m) * LANES, i = 0;
	float *drawn = malloc(n * sizeof *drawn);
	rng_uniform(drawn, n, (struct rng){7, RNG_NOISE, step}, -1, 1);
	real *x = zeros(map_reals(m));
	for (int c = 0; c < m->c; c++)
		for (int y = 0; y < m->h; y++)
			for (int col = 0; col < m->w * LANES; col++, i++)
				x[map_at(m, c, y, 0) + (size_t)col] = drawn[i];
	free(drawn);
	return x;
}

/* All blocks as far as they go alone, then together on. */
static void sweep(struct bench *b, bool backward)
{
	int at = NET_WHOLE;
	do {
		int next = NET_WHOLE;
		for (int i = 0; i < BLOCKS; i++)
			next = backward ? net_backward_on(&b->net, &b->run[i], true, at) : net_forward_on(&b->net, &b->run[i], at);
		at = next;
		if (at != NET_WHOLE)
			net_settle(&b->net, b->run, BLOCKS, at, backward);
	} while (at != NET_WHOLE);
}

static double loss(struct bench *b, bool backward)
{
	double total = 0;
	for (int i = 0; i < BLOCKS; i++)
		memcpy(net_input(&b->net, b->ws[i]), b->x[i], map_reals(&b->net.in) * sizeof(real));
	sweep(b, false);
	for (int i = 0; i < BLOCKS; i++) {
		real *y = net_output(&b->net, b->ws[i]), *dy = net_output_grad(&b->net, b->ws[i]);
		for (size_t k = 0; k < map_reals(&b->net.out); k++) {
			real factor = (int)(k % LANES) < b->run[i].lanes ? b->r[i][k] : 0;
			total += (double)(factor * y[k]);
			if (backward)
				dy[k] = factor;
		}
	}
	if (backward)
		sweep(b, true);
	return total;
}

static void open_bench(struct bench *b, const struct subject *s)
{
	int n = 0;
	while (s->rows[n].op)
		n++;
	struct err err;
	*b = (struct bench){0};
	if (net_plan(&b->net, "net", s->in, s->rows, n, &err))
		fail_msg("%s", err.message);
	b->w = zeros(b->net.params);
	b->dw = zeros(b->net.params);
	b->buffers = zeros(b->net.buffers);
	b->shared = zeros(b->net.shared);
	net_init(&b->net, b->w, b->buffers, 3, 0);
	struct net_tensor t;
	for (int i = 0; net_tensor(&b->net, i, &t); i++) /* a norm's gain and shift that show */
		for (size_t k = 0; !t.buffer && k < t.count; k++)
			b->w[t.offset + k] += 0.3 * sin((double)(k + 7 * t.offset));
	for (int i = 0; i < BLOCKS; i++) {
		b->ws[i] = zeros(b->net.workspace);
		b->x[i] = random_block(&b->net.in, 1 + (uint64_t)i);
		b->r[i] = random_block(&b->net.out, 11 + (uint64_t)i);
		b->run[i] = (struct net_run){.kern = kern_at(CPU_BASELINE),
			.w = b->w,
			.dw = b->dw,
			.buffers = b->buffers,
			.new_buffers = b->buffers,
			.ws = b->ws[i],
			.shared = b->shared,
			.lanes = i ? SHORT : LANES,
			.training = true,
			.sample = (uint32_t)(i * LANES)};
		if (!b->run[i].kern)
			b->run[i].kern = kern_at(cpu_best());
	}
}

static void close_bench(struct bench *b)
{
	real *memory[] = {b->w, b->dw, b->buffers, b->shared, b->ws[0], b->ws[1], b->x[0], b->x[1], b->r[0], b->r[1]};
	for (size_t i = 0; i < sizeof memory / sizeof *memory; i++)
		free(memory[i]);
}

static void check(struct bench *b, real *value, double got, const char *what, size_t i)
{
	real before = *value;
	*value = before + eps;
	double above = loss(b, false);
	*value = before - eps;
	double below = loss(b, false);
	*value = before;
	double want = (above - below) / (2 * eps);
	if (fabs(want - got) > rtol * fmax(1, fabs(want)))
		fail_msg("d/d%s[%zu]: %.9g, not %.9g", what, i, got, want);
}

static const struct subject maps = {
	{2, 6, 5, 0}, {CONV(4, 3, 1, 1), BATCH_NORM2D, ACTIVATION(ACT_TANH), CONV(3, 3, 2, 1), BATCH_NORM2D,
					  ACTIVATION(ACT_SILU), FLATTEN, LINEAR(7), BATCH_NORM1D, ACTIVATION(ACT_TANH), LINEAR(2), {0}}};
static const struct subject first = {{3, 4, 4, 0}, {BATCH_NORM2D, CONV(2, 3, 1, 0), BATCH_NORM2D, {0}}};

static void test_gradients(void **state)
{
	struct bench b;
	open_bench(&b, *state);
	loss(&b, true);
	size_t in = map_reals(&b.net.in);
	real *dw = zeros(b.net.params), *dx[BLOCKS];
	memcpy(dw, b.dw, b.net.params * sizeof *dw);
	for (int i = 0; i < BLOCKS; i++) {
		dx[i] = zeros(in);
		memcpy(dx[i], net_input_grad(&b.net, b.ws[i]), in * sizeof *dw);
	}
	struct net_tensor t;
	for (int i = 0; net_tensor(&b.net, i, &t); i++)
		for (size_t k = 0; !t.buffer && k < t.count; k += t.count / 60 + 1)
			check(&b, b.w + t.offset + k, dw[t.offset + k], t.name, k);
	for (int i = 0; i < BLOCKS; i++)
		for (size_t k = 0; k < in; k += in / 90 + 1) {
			if ((int)(k % LANES) >= b.run[i].lanes)
				assert_true(dx[i][k] == 0); /* nobody looks at them: they must change nothing */
			else if (b.x[i][k] != 0)
				check(&b, b.x[i] + k, dx[i][k], "x", k);
		}
	free(dw);
	free(dx[0]);
	free(dx[1]);
	close_bench(&b);
}

/* A batch norm alone: mean 0 and variance 1 come out; the running figures move a tenth of the way to those of the batch. */
static void test_statistics(void **state)
{
	(void)state;
	const struct subject alone = {{2, 3, 3, 0}, {BATCH_NORM2D, {0}}};
	struct bench b;
	open_bench(&b, &alone);
	for (size_t i = 0; i < b.net.params; i++)
		b.w[i] = i < 2; /* gain 1, shift 0 */
	loss(&b, false);
	for (int c = 0; c < 2; c++) {
		double sum[2] = {0}, square[2] = {0}, n = SAMPLES * 9;
		for (int i = 0; i < BLOCKS; i++)
			for (int p = 0; p < 9; p++)
				for (int l = 0; l < b.run[i].lanes; l++) {
					double v[] = {
						b.x[i][(c * 9 + p) * LANES + l], net_output(&b.net, b.ws[i])[(c * 9 + p) * LANES + l]};
					for (int k = 0; k < 2; k++) {
						sum[k] += v[k];
						square[k] += v[k] * v[k];
					}
				}
		double mean = sum[0] / n, variance = square[0] / n - mean * mean;
		assert_true(fabs(sum[1] / n) < 1e-12);
		assert_true(fabs(square[1] / n - variance / (variance + 1e-5)) < 1e-12);
		assert_true(fabs(b.buffers[c] - 0.1 * mean) < 1e-12);
		assert_true(fabs(b.buffers[LANES + c] - (0.9 + 0.1 * variance * n / (n - 1))) < 1e-12);
	}
	/* evaluation uses those, and moves nothing */
	real before[2 * LANES];
	memcpy(before, b.buffers, sizeof before);
	b.run[0].training = false;
	net_forward(&b.net, &b.run[0]);
	double want = (b.x[0][0] - before[0]) / sqrt(before[LANES] + 1e-5);
	assert_true(fabs(net_output(&b.net, b.ws[0])[0] - want) < 1e-12);
	assert_memory_equal(before, b.buffers, sizeof before);
	close_bench(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{"maps and vectors", test_gradients, NULL, NULL, (void *)&maps},
		{"first and last", test_gradients, NULL, NULL, (void *)&first},
		cmocka_unit_test(test_statistics),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
