/* Gradients of every layer row, alone and in nets, against central differences in double: dL/dw, dL/db and dL/dx of
 * L = sum of r y with random r, and of a small convolutional autoencoder under squared error. */
#include "core/nn/layer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const double eps = 1e-6, rtol = 1e-5;
enum { ROWS_MAX = 16, CHECKS = 150 };

struct subject {
	const char *name;
	enum { WEIGHTED_SUM, SQUARED_ERROR } loss;
	struct map in;
	struct layer_spec rows[ROWS_MAX]; /* until op NULL */
};

struct bench {
	struct net net;
	const struct subject *subject;
	const struct kern *kern;
	real *w, *dw, *ws, *x, *r; /* x: [map_reals(in)], r: [map_reals(out)]: factors or target */
};

static const struct kern *any_kern(void)
{
	for (int level = 0; level < CPU_LEVEL_COUNT; level++)
		if (kern_at((enum cpu_level)level))
			return kern_at((enum cpu_level)level);
	return NULL;
}

static real *zeros(size_t n)
{
	real *x = aligned_alloc(64, (n * sizeof *x + 63) / 64 * 64);
	assert_non_null(x);
	memset(x, 0, n * sizeof *x);
	return x;
}

/* Values in [-1, 1) on the interior of a block. */
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

static double loss(struct bench *b, bool backward)
{
	struct net_run run = {.kern = b->kern, .w = b->w, .dw = b->dw, .ws = b->ws, .lanes = LANES, .training = true};
	memcpy(net_input(&b->net, b->ws), b->x, map_reals(&b->net.in) * sizeof(real));
	net_forward(&b->net, &run);
	const real *y = net_output(&b->net, b->ws);
	real *dy = net_output_grad(&b->net, b->ws);
	double total = 0;
	if (b->subject->loss == SQUARED_ERROR) {
		const struct map *m = &b->net.out;
		const struct loss_target target = {.t = b->r, .map = m};
		total = b->kern->loss(LOSS_MSE, backward ? dy : NULL, m, y, m, &target, 1, LANES);
	} else {
		for (size_t i = 0; i < map_reals(&b->net.out); i++) {
			total += (double)(b->r[i] * y[i]);
			if (backward)
				dy[i] = b->r[i];
		}
	}
	if (backward)
		net_backward(&b->net, &run, true);
	return total;
}

/* Moves one value both ways. */
static double difference(struct bench *b, real *value)
{
	real before = *value;
	*value = before + eps;
	double above = loss(b, false);
	*value = before - eps;
	double below = loss(b, false);
	*value = before;
	return (above - below) / (2 * eps);
}

static void check(struct bench *b, real *values, const real *gradient, size_t n, const char *what)
{
	size_t stride = n / CHECKS + 1; /* every value of a short tensor, spread picks of a long one */
	for (size_t i = 0; i < n; i += stride) {
		double want = difference(b, values + i), got = gradient[i];
		if (fabs(want - got) > rtol * fmax(1, fabs(want)))
			fail_msg("%s, d/d%s[%zu]: %.9g, not %.9g", b->subject->name, what, i, got, want);
	}
}

static void open_bench(struct bench *b, const struct subject *s)
{
	int n = 0;
	while (s->rows[n].op)
		n++;
	struct err err;
	*b = (struct bench){.subject = s, .kern = any_kern()};
	if (net_plan(&b->net, "net", s->in, s->rows, n, &err))
		fail_msg("%s: %s", s->name, err.message);
	b->w = zeros(b->net.params);
	b->dw = zeros(b->net.params);
	b->ws = zeros(b->net.workspace);
	net_init(&b->net, b->w, NULL, 3, 0);
	b->x = random_block(&b->net.in, 1);
	b->r = random_block(&b->net.out, 2);
}

static void close_bench(struct bench *b)
{
	free(b->w);
	free(b->dw);
	free(b->ws);
	free(b->x);
	free(b->r);
}

static void test_gradients(void **state)
{
	struct bench b;
	open_bench(&b, *state);
	loss(&b, true);
	size_t in = map_reals(&b.net.in);
	real *dx = zeros(in), *dw = zeros(b.net.params);
	memcpy(dx, net_input_grad(&b.net, b.ws), in * sizeof *dx);
	memcpy(dw, b.dw, b.net.params * sizeof *dw);
	struct net_tensor t;
	for (int i = 0; net_tensor(&b.net, i, &t); i++)
		check(&b, b.w + t.offset, dw + t.offset, t.count, t.name);
	for (size_t i = 0, stride = in / CHECKS + 1; i < in; i += stride)
		if (b.x[i] != 0) /* the halo is no input */
			check(&b, b.x + i, dx + i, 1, "x");
	/* a second backward pass adds to dw */
	loss(&b, true);
	for (size_t i = 0; i < b.net.params; i++)
		assert_true(b.dw[i] == 2 * dw[i] || fabs(b.dw[i] - 2 * dw[i]) <= 1e-12 * fabs(dw[i]));
	free(dx);
	free(dw);
	close_bench(&b);
}

/* Frozen weights get no gradient and pass the same dx on; without need_dx the weights get the same gradient. */
static void test_frozen_and_needless_parts(void **state)
{
	struct bench b;
	open_bench(&b, *state);
	loss(&b, true);
	size_t in = map_reals(&b.net.in);
	real *dx = zeros(in), *dw = b.dw;
	memcpy(dx, net_input_grad(&b.net, b.ws), in * sizeof *dx);
	b.dw = NULL;
	loss(&b, true);
	assert_memory_equal(net_input_grad(&b.net, b.ws), dx, in * sizeof *dx);
	b.dw = zeros(b.net.params);
	loss(&b, false);
	const struct map *m = &b.net.out;
	const struct loss_target target = {.t = b.r, .map = m};
	b.kern->loss(LOSS_MSE, net_output_grad(&b.net, b.ws), m, net_output(&b.net, b.ws), m, &target, 1, LANES);
	net_backward(&b.net, &(struct net_run){.kern = b.kern, .w = b.w, .dw = b.dw, .ws = b.ws, .lanes = LANES}, false);
	assert_memory_equal(b.dw, dw, b.net.params * sizeof *dw);
	assert_memory_equal(net_input(&b.net, b.ws), b.x, in * sizeof *b.x);
	free(dx);
	free(dw);
	close_bench(&b);
}

#define ACT_ROW(a)                                        \
	{                                                     \
		.op = &layer_activation, .act = (a), .alpha = 0.2 \
	}

static const struct subject subjects[] = {
	{"conv k3 s2 p1", WEIGHTED_SUM, {2, 7, 6, 0},
		{{.op = &layer_conv2d, .out = 3, .kernel = 3, .stride = 2, .padding = 1}}},
	{"conv k4 s1 p0", WEIGHTED_SUM, {1, 6, 9, 0}, {{.op = &layer_conv2d, .out = 9, .kernel = 4, .stride = 1}}},
	{"conv k1 s3 p2", WEIGHTED_SUM, {3, 5, 5, 0},
		{{.op = &layer_conv2d, .out = 2, .kernel = 1, .stride = 3, .padding = 2}}},
	{"conv that leaves rows over", WEIGHTED_SUM, {1, 8, 9, 0},
		{{.op = &layer_conv2d, .out = 2, .kernel = 3, .stride = 4}}},
	{"transposed conv k3 s2 p1 +1", WEIGHTED_SUM, {5, 4, 3, 0},
		{{.op = &layer_conv_transpose2d, .out = 3, .kernel = 3, .stride = 2, .padding = 1, .output_padding = 1}}},
	{"transposed conv k2 s3", WEIGHTED_SUM, {2, 3, 4, 0},
		{{.op = &layer_conv_transpose2d, .out = 2, .kernel = 2, .stride = 3, .output_padding = 2}}},
	{"transposed conv k5 s1 p2", WEIGHTED_SUM, {2, 4, 4, 0},
		{{.op = &layer_conv_transpose2d, .out = 9, .kernel = 5, .stride = 1, .padding = 2}}},
	{"linear", WEIGHTED_SUM, {19, 1, 1, 0}, {{.op = &layer_linear, .out = 21}}},
	{"relu", WEIGHTED_SUM, {2, 3, 3, 0}, {ACT_ROW(ACT_RELU)}},
	{"leaky relu", WEIGHTED_SUM, {2, 3, 3, 0}, {ACT_ROW(ACT_LEAKY_RELU)}},
	{"sigmoid", WEIGHTED_SUM, {2, 3, 3, 0}, {ACT_ROW(ACT_SIGMOID)}},
	{"tanh", WEIGHTED_SUM, {2, 3, 3, 0}, {ACT_ROW(ACT_TANH)}},
	{"silu", WEIGHTED_SUM, {2, 3, 3, 0}, {ACT_ROW(ACT_SILU)}},
	{"identity", WEIGHTED_SUM, {2, 3, 3, 0}, {ACT_ROW(ACT_NONE)}},
	{"glu", WEIGHTED_SUM, {6, 3, 2, 0}, {GLU}},
	{"gated conv net", WEIGHTED_SUM, {2, 7, 7, 0},
		{CONV(6, 3, 2, 1), GLU, CONV(8, 3, 1, 1), GLU, DROPOUT2D(0.3), FLATTEN, LINEAR(10), GLU, DROPOUT(0.2),
			LINEAR(3)}},
	{"flatten", WEIGHTED_SUM, {2, 3, 4, 0}, {{.op = &layer_flatten}}},
	{"unflatten", WEIGHTED_SUM, {24, 1, 1, 0}, {{.op = &layer_unflatten, .out = 2, .height = 4, .width = 3}}},
	{"group norm", WEIGHTED_SUM, {6, 3, 4, 0}, {GROUP_NORM(3)}},
	{"group norm of one channel each", WEIGHTED_SUM, {3, 4, 2, 0}, {GROUP_NORM(3)}},
	{"max pool", WEIGHTED_SUM, {2, 6, 7, 0}, {MAX_POOL(2)}},
	{"max pool k3 s2 p1", WEIGHTED_SUM, {2, 6, 7, 0},
		{{.op = &layer_max_pool2d, .kernel = 3, .stride = 2, .padding = 1}}},
	{"average pool k3 s1 p1", WEIGHTED_SUM, {2, 5, 5, 0},
		{{.op = &layer_avg_pool2d, .kernel = 3, .stride = 1, .padding = 1}}},
	{"nearest", WEIGHTED_SUM, {2, 3, 4, 0}, {UPSAMPLE_NEAREST(3)}},
	{"bilinear", WEIGHTED_SUM, {2, 3, 4, 0}, {UPSAMPLE_BILINEAR(2)}},
	{"dropout", WEIGHTED_SUM, {3, 4, 4, 0}, {DROPOUT(0.4)}},
	{"dropout of channels", WEIGHTED_SUM, {9, 2, 2, 0}, {DROPOUT2D(0.4)}},
	{"up-sampled conv net", WEIGHTED_SUM, {2, 8, 8, 0},
		{CONV(4, 3, 1, 1), GROUP_NORM(2), ACT_ROW(ACT_SILU), DROPOUT(0.3), MAX_POOL(2), UPSAMPLE_BILINEAR(2),
			CONV(3, 3, 1, 1), ACT_ROW(ACT_TANH), DROPOUT2D(0.3), AVG_POOL(2), UPSAMPLE_NEAREST(2), CONV(1, 3, 1, 1)}},
	{"activations in a row", WEIGHTED_SUM, {2, 5, 5, 0},
		{{.op = &layer_conv2d, .out = 3, .kernel = 3, .stride = 1, .padding = 1}, ACT_ROW(ACT_TANH),
			ACT_ROW(ACT_SIGMOID), ACT_ROW(ACT_SILU),
			{.op = &layer_conv2d, .out = 2, .kernel = 3, .stride = 1, .padding = 1}}},
	{"convs without activation", WEIGHTED_SUM, {2, 6, 6, 0},
		{{.op = &layer_conv2d, .out = 3, .kernel = 3, .stride = 2, .padding = 1},
			{.op = &layer_conv_transpose2d, .out = 2, .kernel = 4, .stride = 2, .padding = 1},
			{.op = &layer_conv2d, .out = 1, .kernel = 3, .stride = 1, .padding = 1}}},
	{"mlp", WEIGHTED_SUM, {6, 1, 1, 0},
		{{.op = &layer_linear, .out = 17}, ACT_ROW(ACT_SILU), {.op = &layer_linear, .out = 33}, ACT_ROW(ACT_LEAKY_RELU),
			{.op = &layer_linear, .out = 4}}},
};

static const struct subject autoencoder = {
	"autoencoder",
	SQUARED_ERROR,
	{1, 12, 12, 0},
	{
		{.op = &layer_conv2d, .out = 4, .kernel = 3, .stride = 2, .padding = 1},
		ACT_ROW(ACT_RELU),
		{.op = &layer_conv2d, .out = 6, .kernel = 3, .stride = 2, .padding = 0},
		ACT_ROW(ACT_RELU),
		{.op = &layer_flatten},
		{.op = &layer_linear, .out = 3},
		{.op = &layer_linear, .out = 24},
		ACT_ROW(ACT_RELU),
		{.op = &layer_unflatten, .out = 6, .height = 2, .width = 2},
		{.op = &layer_conv_transpose2d, .out = 4, .kernel = 3, .stride = 2, .padding = 0, .output_padding = 1},
		ACT_ROW(ACT_RELU),
		{.op = &layer_conv_transpose2d, .out = 1, .kernel = 3, .stride = 2, .padding = 1, .output_padding = 1},
		ACT_ROW(ACT_SIGMOID),
	},
};

static void test_every_layer_row_is_checked(void **state)
{
	(void)state;
	const struct layer_op *const ops[] = {
#define X(op) &op,
		LAYERS(X)
#undef X
	};
	bool act_seen[ACT_COUNT] = {0};
	for (size_t k = 0; k < sizeof ops / sizeof *ops; k++) {
		bool seen = ops[k]->barrier; /* those need more than one block: batch_norm_double.c */
		for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
			seen |= subjects[i].rows[0].op == ops[k];
			act_seen[subjects[i].rows[0].act] = true;
		}
		assert_true(seen);
	}
	for (int act = 0; act < ACT_COUNT; act++)
		assert_true(act_seen[act]);
}

int main(void)
{
	enum { SUBJECTS = sizeof subjects / sizeof *subjects };
	struct CMUnitTest tests[SUBJECTS + 3];
	for (int i = 0; i < SUBJECTS; i++)
		tests[i] = (struct CMUnitTest){subjects[i].name, test_gradients, NULL, NULL, (void *)&subjects[i]};
	tests[SUBJECTS] = (struct CMUnitTest){"autoencoder", test_gradients, NULL, NULL, (void *)&autoencoder};
	tests[SUBJECTS + 1] = (struct CMUnitTest){
		"frozen and needless parts", test_frozen_and_needless_parts, NULL, NULL, (void *)&autoencoder};
	tests[SUBJECTS + 2] = (struct CMUnitTest)cmocka_unit_test(test_every_layer_row_is_checked);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
