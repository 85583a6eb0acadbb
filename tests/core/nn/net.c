#include "core/nn/net.h"

#include "core/nn/layer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { COUNT_ENCODER = 9, COUNT_DECODER = 10 };

/* The report's autoencoder, latent_dim 8. */
static void plan_pair(struct net *encoder, struct net *decoder)
{
	const struct layer_spec down[COUNT_ENCODER] = {CONV(8, 3, 2, 1), ACTIVATION(ACT_RELU), CONV(16, 3, 2, 1),
		ACTIVATION(ACT_RELU), CONV(32, 3, 2, 0), ACTIVATION(ACT_RELU), FLATTEN, LINEAR(64), LINEAR(8)};
	const struct layer_spec up[COUNT_DECODER] = {LINEAR(64), ACTIVATION(ACT_RELU), LINEAR(288), ACTIVATION(ACT_RELU),
		UNFLATTEN(32, 3, 3), CONV_TRANSPOSE(16, 3, 2, 0, 0), ACTIVATION(ACT_RELU), CONV_TRANSPOSE(8, 3, 2, 1, 1),
		CONV_TRANSPOSE(1, 3, 2, 1, 1), ACTIVATION(ACT_SIGMOID)};
	struct err err;
	if (net_plan(encoder, "encoder", (struct map){1, 28, 28, 5}, down, COUNT_ENCODER, &err) ||
		net_plan(decoder, "decoder", (struct map){8, 1, 1, 0}, up, COUNT_DECODER, &err))
		fail_msg("%s", err.message);
}

static real *zeros(size_t n)
{
	real *x = aligned_alloc(64, (n * sizeof *x + 63) / 64 * 64);
	assert_non_null(x);
	memset(x, 0, n * sizeof *x);
	return x;
}

/* --- planning ---------------------------------------------------------------------------------------------------------- */

static void assert_map(struct map m, int c, int h, int w, int halo)
{
	assert_int_equal(m.c, c);
	assert_int_equal(m.h, h);
	assert_int_equal(m.w, w);
	assert_int_equal(m.halo, halo);
}

static void test_shapes_and_halos(void **state)
{
	(void)state;
	struct net encoder, decoder;
	plan_pair(&encoder, &decoder);
	assert_map(encoder.in, 1, 28, 28, 1);
	assert_map(encoder.layer[0].out, 8, 14, 14, 1);
	assert_map(encoder.layer[2].in, 8, 14, 14, 1);
	assert_map(encoder.layer[2].out, 16, 7, 7, 1);
	assert_map(encoder.layer[5].out, 32, 3, 3, 1);
	assert_map(encoder.out, 8, 1, 1, 0);
	assert_map(decoder.layer[4].out, 32, 3, 3, 1);
	assert_map(decoder.layer[5].out, 16, 7, 7, 1);
	assert_map(decoder.out, 1, 28, 28, 1);
	assert_int_equal(net_parameters(&encoder) + net_parameters(&decoder), 50057);
	assert_true(encoder.flops_fwd == 2.0 * (9 * 8 * 196 + 9 * 8 * 16 * 49 + 9 * 16 * 32 * 9 + 288 * 64 + 64 * 8));
}

static void test_tensors_are_named_as_pytorch_does(void **state)
{
	(void)state;
	struct net encoder, decoder;
	plan_pair(&encoder, &decoder);
	static const struct {
		const char *name;
		int rank;
		int64_t shape[4];
	} want[] = {{"decoder.0.weight", 2, {64, 8}}, {"decoder.0.bias", 1, {64}}, {"decoder.2.weight", 2, {288, 64}},
		{"decoder.2.bias", 1, {288}}, {"decoder.5.weight", 4, {32, 16, 3, 3}}, {"decoder.5.bias", 1, {16}},
		{"decoder.7.weight", 4, {16, 8, 3, 3}}, {"decoder.7.bias", 1, {8}}, {"decoder.8.weight", 4, {8, 1, 3, 3}},
		{"decoder.8.bias", 1, {1}}};
	enum { TENSORS = sizeof want / sizeof *want };
	size_t end = 0;
	struct net_tensor t;
	for (int i = 0; i < TENSORS; i++) {
		assert_true(net_tensor(&decoder, i, &t));
		assert_string_equal(t.name, want[i].name);
		assert_int_equal(t.rank, want[i].rank);
		size_t count = 1;
		for (int d = 0; d < t.rank; d++) {
			assert_int_equal(t.shape[d], want[i].shape[d]);
			count *= (size_t)t.shape[d];
		}
		assert_int_equal(t.count, count);
		assert_true(t.offset >= end && t.offset % LANES == 0);
		end = t.offset + t.count;
	}
	assert_false(net_tensor(&decoder, TENSORS, &t));
	assert_true(end <= decoder.params && decoder.params % LANES == 0);
}

static void test_rows_print_as_pytorch(void **state)
{
	(void)state;
	struct net encoder, decoder;
	plan_pair(&encoder, &decoder);
	struct layer leaky = {.spec = {.op = &layer_activation, .act = ACT_LEAKY_RELU, .alpha = 0.01}};
	struct layer plain = {.spec = {.op = &layer_activation, .act = ACT_NONE}};
	const struct {
		const struct layer *layer;
		const char *text;
	} want[] = {
		{&encoder.layer[0], "nn.Conv2d(1, 8, 3, stride=2, padding=1)"},
		{&encoder.layer[1], "nn.ReLU()"},
		{&encoder.layer[4], "nn.Conv2d(16, 32, 3, stride=2)"},
		{&encoder.layer[6], "nn.Flatten()"},
		{&encoder.layer[7], "nn.Linear(288, 64)"},
		{&decoder.layer[4], "nn.Unflatten(1, (32, 3, 3))"},
		{&decoder.layer[5], "nn.ConvTranspose2d(32, 16, 3, stride=2)"},
		{&decoder.layer[7], "nn.ConvTranspose2d(16, 8, 3, stride=2, padding=1, output_padding=1)"},
		{&decoder.layer[9], "nn.Sigmoid()"},
		{&leaky, "nn.LeakyReLU(0.01)"},
		{&plain, "nn.Identity()"},
	};
	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		struct buf text = BUF_INIT;
		want[i].layer->spec.op->print(want[i].layer, &text);
		assert_string_equal(text.data, want[i].text);
		buf_free(&text);
	}
}

/* Rows of the other kinds: the line of PyTorch of each, and the shape it leaves of 12x8x8. */
static void test_other_rows(void **state)
{
	(void)state;
	static const struct {
		struct layer_spec row;
		const char *text;
		int c, h, w;
	} want[] = {
		{{.op = &layer_conv2d, .out = 4, .kernel = 1, .stride = 1, .no_bias = true}, "nn.Conv2d(12, 4, 1, bias=False)",
			4, 8, 8},
		{{.op = &layer_batch_norm2d}, "nn.BatchNorm2d(12)", 12, 8, 8},
		{{.op = &layer_group_norm, .groups = 4}, "nn.GroupNorm(4, 12)", 12, 8, 8},
		{{.op = &layer_max_pool2d, .kernel = 2}, "nn.MaxPool2d(2)", 12, 4, 4},
		{{.op = &layer_max_pool2d, .kernel = 3, .stride = 2, .padding = 1}, "nn.MaxPool2d(3, stride=2, padding=1)", 12,
			4, 4},
		{{.op = &layer_avg_pool2d, .kernel = 8}, "nn.AvgPool2d(8)", 12, 1, 1},
		{{.op = &layer_upsample_nearest, .scale_factor = 2}, "nn.Upsample(scale_factor=2)", 12, 16, 16},
		{{.op = &layer_upsample_bilinear, .scale_factor = 3}, "nn.Upsample(scale_factor=3, mode=\"bilinear\")", 12, 24,
			24},
		{{.op = &layer_dropout, .p = 0.25}, "nn.Dropout(0.25)", 12, 8, 8},
		{{.op = &layer_dropout2d, .p = 0.5}, "nn.Dropout2d(0.5)", 12, 8, 8},
	};
	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		struct net net;
		struct buf text = BUF_INIT;
		assert_int_equal(net_plan(&net, "net", (struct map){12, 8, 8, 0}, &want[i].row, 1, NULL), OK);
		assert_map(net.out, want[i].c, want[i].h, want[i].w, net.out.halo);
		net.layer[0].spec.op->print(&net.layer[0], &text);
		assert_string_equal(text.data, want[i].text);
		buf_free(&text);
	}
}

/* PyTorch's names; statistics are buffers, which no optimiser sees; a layer without bias has none. */
static void test_norms_have_buffers(void **state)
{
	(void)state;
	const struct layer_spec rows[] = {
		{.op = &layer_conv2d, .out = 20, .kernel = 3, .stride = 1, .no_bias = true}, BATCH_NORM2D, FLATTEN, LINEAR(3)};
	static const struct {
		const char *name;
		bool buffer;
		size_t count;
	} want[] = {{"net.0.weight", false, 360}, {"net.1.weight", false, 20}, {"net.1.bias", false, 20},
		{"net.1.running_mean", true, 20}, {"net.1.running_var", true, 20}, {"net.3.weight", false, 960},
		{"net.3.bias", false, 3}};
	struct net net;
	struct net_tensor t;
	assert_int_equal(net_plan(&net, "net", (struct map){2, 6, 6, 0}, rows, 4, NULL), OK);
	real *w = calloc(net.params, sizeof *w), *buffers = calloc(net.buffers, sizeof *buffers);
	net_init(&net, w, buffers, 1, 0);
	for (int i = 0; i < 7; i++) {
		assert_true(net_tensor(&net, i, &t));
		assert_string_equal(t.name, want[i].name);
		assert_int_equal(t.buffer, want[i].buffer);
		assert_int_equal(t.count, want[i].count);
		assert_true(t.offset + t.count <= (t.buffer ? net.buffers : net.params));
		real first = (t.buffer ? buffers : w)[t.offset];
		if (strstr(t.name, "net.1."))
			assert_true(first == (i == 1 || i == 4));
	}
	assert_false(net_tensor(&net, 7, &t));
	assert_int_equal(net_parameters(&net), 360 + 40 + 963);
	assert_true(net.shared > 0);
	free(w);
	free(buffers);
}

struct refusal {
	struct map in;
	struct layer_spec rows[4]; /* until op NULL */
	const char *message;
};

#define ROW_CONV(o, k, s, p)                                                          \
	{                                                                                 \
		.op = &layer_conv2d, .out = (o), .kernel = (k), .stride = (s), .padding = (p) \
	}
#define ROW_UP(o, k, s, p, extra)                                                                \
	{                                                                                            \
		.op = &layer_conv_transpose2d, .out = (o), .kernel = (k), .stride = (s), .padding = (p), \
		.output_padding = (extra)                                                                \
	}
#define ROW_LINEAR(o)                   \
	{                                   \
		.op = &layer_linear, .out = (o) \
	}
#define ROW_FLATTEN          \
	{                        \
		.op = &layer_flatten \
	}

static const struct refusal refusals[] = {
	{{1, 6, 6, 0}, {ROW_CONV(2, 3, 2, 0), ROW_CONV(2, 2, 1, 0), ROW_CONV(4, 5, 1, 1)},
		"conv 3: kernel 5 is larger than its padded input 3x3"},
	{{1, 6, 6, 0}, {ROW_CONV(0, 3, 2, 0)}, "conv 1: the number of channels must be 1..65536, got 0"},
	{{1, 6, 6, 0}, {ROW_CONV(2, 0, 2, 0)}, "conv 1: kernel must be 1..65536, got 0"},
	{{1, 6, 6, 0}, {ROW_CONV(2, 3, -1, 0)}, "conv 1: stride must be 1..65536, got -1"},
	{{1, 6, 6, 0}, {ROW_CONV(2, 3, 1, -1)}, "conv 1: padding must be 0..65536, got -1"},
	{{1, 6, 6, 0}, {ROW_CONV(70000, 3, 1, 0)}, "conv 1: the number of channels must be 1..65536, got 70000"},
	{{1, 60000, 60000, 0}, {ROW_CONV(1, 3, 1, 0)},
		"input: 1x60000x60000 is too large: at most 16777216 values a sample"},
	{{0, 6, 6, 0}, {ROW_CONV(1, 3, 1, 0)}, "input: nothing is left: 0x6x6"},
	{{1, 60, 60, 0}, {ROW_CONV(60000, 3, 1, 0)}, "conv 1: 60000x58x58 is too large: at most 16777216 values a sample"},
	{{65536, 2, 2, 0}, {ROW_CONV(65536, 2, 1, 0)}, "net needs more memory than can be addressed"},
	{{65536, 1, 1, 0}, {ROW_CONV(1, 65536, 1, 65536), ROW_CONV(65536, 65536, 1, 65536)},
		"conv 1: 1x65538x65538 is too large"},
	{{4, 3, 3, 0}, {ROW_UP(2, 3, 2, 4, 0)}, "transposed conv 1: padding 4 leaves nothing of its output"},
	{{4, 3, 3, 0}, {ROW_UP(2, 3, 2, 1, 2)}, "transposed conv 1: output_padding must be 0..1 (below its stride), got 2"},
	{{4, 60000, 1, 0}, {ROW_UP(1, 3, 60000, 1, 2)}, "transposed conv 1: 1x3599940003x3 is too large"},
	{{4, 3, 3, 0}, {ROW_LINEAR(3)}, "linear 1: needs a vector, not 4x3x3: put Flatten before it"},
	{{4, 3, 3, 0}, {ROW_FLATTEN, ROW_LINEAR(0)}, "linear 1: the number of units must be 1..65536, got 0"},
	{{4, 3, 3, 0}, {ROW_FLATTEN, ROW_LINEAR(3), ROW_CONV(2, 3, 1, 1)},
		"linear 1: works on vectors: put Flatten before it and Unflatten after it"},
	{{12, 1, 1, 0}, {{.op = &layer_unflatten, .out = 3, .height = 2, .width = 3}},
		"unflatten 1: 12 values do not fill 3x2x3"},
	{{12, 1, 1, 0}, {{.op = &layer_unflatten, .out = 3, .height = -2, .width = -2}},
		"unflatten 1: nothing is left: 3x-2x-2"},
	{{6, 4, 4, 0}, {{.op = &layer_group_norm, .groups = 4}}, "group norm 1: 6 channels do not fall into 4 groups"},
	{{6, 4, 4, 0}, {{.op = &layer_group_norm}}, "group norm 1: the number of groups must be 1..65536, got 0"},
	{{6, 4, 4, 0}, {{.op = &layer_batch_norm1d}}, "batch norm 1: needs a vector, not 6x4x4: use the norm for maps"},
	{{6, 4, 4, 0}, {{.op = &layer_max_pool2d, .kernel = 5}},
		"max pool 1: kernel 5 is larger than its padded input 4x4"},
	{{6, 4, 4, 0}, {{.op = &layer_avg_pool2d, .kernel = 3, .padding = 2}},
		"average pool 1: padding must be at most half of kernel 3, got 2"},
	{{6, 4, 4, 0}, {{.op = &layer_upsample_nearest}}, "upsample 1: scale_factor must be 1..65536, got 0"},
	{{6, 4, 4, 0}, {{.op = &layer_dropout, .p = 1}}, "dropout 1: p must be at least 0 and below 1, got 1"},
};

static void test_refusals_say_why(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		const struct refusal *r = &refusals[i];
		int n = 0;
		while (n < 4 && r->rows[n].op)
			n++;
		struct net net = {.n = -7};
		struct err err = {0};
		assert_int_equal(net_plan(&net, "net", r->in, r->rows, n, &err), ERR_INVALID);
		assert_int_equal(net.n, -7);
		if (strncmp(err.message, r->message, strlen(r->message)))
			fail_msg("said '%s', not '%s'", err.message, r->message);
		assert_int_equal(net_plan(&net, "net", r->in, r->rows, n, NULL) != OK, 1);
	}
}

static void test_number_of_layers_is_bounded(void **state)
{
	(void)state;
	struct layer_spec rows[NET_LAYERS_MAX + 1];
	for (int i = 0; i <= NET_LAYERS_MAX; i++)
		rows[i] = ACTIVATION(ACT_RELU);
	struct net net;
	struct err err;
	assert_int_equal(net_plan(&net, "net", (struct map){1, 1, 1, 0}, rows, 0, &err), ERR_INVALID);
	assert_int_equal(net_plan(&net, "net", (struct map){1, 1, 1, 0}, rows, NET_LAYERS_MAX + 1, &err), ERR_INVALID);
	assert_int_equal(net_plan(&net, "net", (struct map){1, 1, 1, 0}, rows, NET_LAYERS_MAX, &err), OK);
}

/* --- weights ----------------------------------------------------------------------------------------------------------- */

/* Uniform within ±1/sqrt(fan_in) as torch counts it: bounds are nearly reached, mean and variance fit. */
static void test_init_is_pytorchs(void **state)
{
	(void)state;
	static const double fan_in[] = {8, 64, 16 * 9, 8 * 9, 1 * 9};
	struct net encoder, decoder;
	plan_pair(&encoder, &decoder);
	real *w = zeros(decoder.params);
	net_init(&decoder, w, NULL, 5, 10);
	struct net_tensor t;
	for (int i = 0; net_tensor(&decoder, i, &t); i++) {
		double bound = 1 / sqrt(fan_in[i / 2]), most = 0, sum = 0, squares = 0;
		for (size_t k = 0; k < t.count; k++) {
			double x = (double)w[t.offset + k];
			most = fmax(most, fabs(x));
			sum += x;
			squares += x * x;
		}
		double n = (double)t.count, sigma = bound / sqrt(3);
		assert_true(most <= bound * (1 + 1e-6));
		if (t.count < 64)
			continue;
		assert_true(most > 0.95 * bound);
		assert_true(fabs(sum / n) < 4 * sigma / sqrt(n));
		assert_true(fabs(squares / n / (sigma * sigma) - 1) < 4 * sqrt(0.8 / n));
	}
	free(w);
}

static void test_init_depends_on_seed_and_tensor_only(void **state)
{
	(void)state;
	struct net encoder, decoder;
	plan_pair(&encoder, &decoder);
	real *a = zeros(decoder.params), *b = zeros(decoder.params);
	net_init(&decoder, a, NULL, 5, 10);
	net_init(&decoder, b, NULL, 5, 10);
	assert_memory_equal(a, b, decoder.params * sizeof *a);
	struct net_tensor t;
	assert_true(net_tensor(&decoder, 2, &t));
	float drawn[64];
	rng_uniform(drawn, 64, (struct rng){5, RNG_INIT, 12}, -0.125f, 0.125f);
	for (int i = 0; i < 64; i++)
		assert_true(a[t.offset + (size_t)i] == (real)drawn[i]);
	net_init(&decoder, b, NULL, 6, 10);
	assert_memory_not_equal(a, b, 64 * sizeof *a);
	net_init(&decoder, b, NULL, 5, 11);
	assert_memory_not_equal(a, b, 64 * sizeof *a);
	free(a);
	free(b);
}

/* --- running ----------------------------------------------------------------------------------------------------------- */

struct pass {
	real *w, *dw, *ws;
};

static struct pass open_pass(const struct net *net)
{
	struct pass p = {zeros(net->params), zeros(net->params), zeros(net->workspace)};
	net_init(net, p.w, NULL, 1, 0);
	return p;
}

static void close_pass(struct pass *p)
{
	free(p->w);
	free(p->dw);
	free(p->ws);
}

/* Lane l of the input becomes sample (l + shift) mod LANES. */
static void fill_input(const struct net *net, real *ws, int shift)
{
	real *x = net_input(net, ws);
	int features = map_features(&net->in);
	for (int l = 0; l < LANES; l++) {
		float sample[28 * 28];
		rng_uniform(sample, (size_t)features, (struct rng){9, RNG_NOISE, (uint64_t)((l + shift) % LANES)}, 0, 1);
		for (int i = 0; i < features; i++)
			x[map_at(&net->in, 0, i / net->in.w, i % net->in.w) + (size_t)l] = (real)sample[i];
	}
}

/* A sample's result does not depend on its lane or its neighbours. */
static void test_lanes_are_independent(void **state)
{
	(void)state;
	struct net encoder, decoder;
	plan_pair(&encoder, &decoder);
	struct pass p = open_pass(&encoder), q = open_pass(&encoder);
	struct net_run run = {.kern = kern_at(cpu_best()), .w = p.w, .ws = p.ws, .lanes = LANES};
	fill_input(&encoder, p.ws, 0);
	net_forward(&encoder, &run);
	for (int shift = 1; shift < LANES; shift += 6) {
		fill_input(&encoder, q.ws, shift);
		run.ws = q.ws;
		net_forward(&encoder, &run);
		const real *a = net_output(&encoder, p.ws), *b = net_output(&encoder, q.ws);
		for (int i = 0; i < encoder.out.c; i++)
			for (int l = 0; l < LANES; l++)
				assert_true(b[i * LANES + l] == a[i * LANES + (l + shift) % LANES]);
	}
	close_pass(&p);
	close_pass(&q);
}

static void forward_backward(const struct net *net, const struct kern *k, struct pass *p)
{
	struct net_run run = {.kern = k, .w = p->w, .dw = p->dw, .ws = p->ws, .lanes = LANES, .training = true};
	memset(p->dw, 0, net->params * sizeof *p->dw);
	fill_input(net, p->ws, 0);
	net_forward(net, &run);
	const real *y = net_output(net, p->ws);
	real *dy = net_output_grad(net, p->ws);
	for (size_t i = 0; i < (size_t)map_features(&net->out) * LANES; i++)
		dy[i] = y[i] * (real)0.5;
	net_backward(net, &run, false);
}

/* A workspace can be used again and again (halos stay zero), and AVX2 and AVX-512 agree bit for bit. */
static void test_same_bits_again_and_at_each_fused_level(void **state)
{
	(void)state;
	struct net encoder, decoder;
	plan_pair(&encoder, &decoder);
	const enum cpu_level fused[] = {CPU_AVX2, CPU_AVX512};
	real *first = NULL;
	for (int i = 0; i < 4; i++) {
		const struct kern *k = kern_at(fused[i / 2]);
		if (!k)
			continue;
		struct pass p = open_pass(&encoder);
		for (int again = 0; again <= i % 2; again++)
			forward_backward(&encoder, k, &p);
		if (first)
			assert_memory_equal(first, p.dw, encoder.params * sizeof *first);
		if (!first) {
			first = zeros(encoder.params);
			memcpy(first, p.dw, encoder.params * sizeof *first);
		}
		close_pass(&p);
	}
	free(first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes_and_halos),
		cmocka_unit_test(test_tensors_are_named_as_pytorch_does),
		cmocka_unit_test(test_rows_print_as_pytorch),
		cmocka_unit_test(test_other_rows),
		cmocka_unit_test(test_norms_have_buffers),
		cmocka_unit_test(test_refusals_say_why),
		cmocka_unit_test(test_number_of_layers_is_bounded),
		cmocka_unit_test(test_init_is_pytorchs),
		cmocka_unit_test(test_init_depends_on_seed_and_tensor_only),
		cmocka_unit_test(test_lanes_are_independent),
		cmocka_unit_test(test_same_bits_again_and_at_each_fused_level),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
