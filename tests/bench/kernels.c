/* Each kernel at the shapes of the nets that are shipped, one block of LANES samples a call, one thread: seconds, bytes, GFLOP/s
 * and the share of the FMA peak measured just before. */
#include "tests/bench/kernels.h"

#include "tests/bench/bench.h"

#include "core/base/cpu.h"
#include "core/kern/kern.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 5 };

/* Best of a few rounds of about 10 ms each. */
static double seconds(struct subject *s)
{
	double best = 1e9;
	long calls = s->blocks;
	for (int round = 0; round < ROUNDS;) {
		double start = bench_cpu_s();
		for (long i = 0; i < calls; i++) {
			s->turn = i % s->blocks;
			s->call(s);
		}
		double took = bench_cpu_s() - start;
		if (took < 0.01) {
			calls *= 2;
			continue;
		}
		best = took / (double)calls < best ? took / (double)calls : best;
		round++;
	}
	return best;
}

/* The block whose turn it is. */
static real *block_of(const struct subject *s, real *blocks, const struct map *m)
{
	return blocks + (size_t)s->turn * map_reals(m);
}

static void call_down(const struct subject *s)
{
	s->kern->conv_down(block_of(s, s->a, &s->conv.small), block_of(s, s->b, &s->conv.big), s->c, NULL, &s->conv);
}

static void call_up(const struct subject *s)
{
	s->kern->conv_up(block_of(s, s->a, &s->conv.big), block_of(s, s->b, &s->conv.small), s->c, NULL, &s->conv);
}

static void call_wgrad(const struct subject *s)
{
	s->kern->conv_wgrad(s->a, block_of(s, s->b, &s->conv.big), block_of(s, s->c, &s->conv.small), &s->conv);
}

static real *vectors_of(const struct subject *s, real *blocks, int n)
{
	return blocks + s->turn * n * LANES;
}

static void call_dense_fwd(const struct subject *s)
{
	s->kern->dense_fwd(vectors_of(s, s->a, s->out), vectors_of(s, s->b, s->in), s->c, NULL, s->in, s->out);
}

static void call_dense_bwd(const struct subject *s)
{
	s->kern->dense_bwd(vectors_of(s, s->a, s->in), vectors_of(s, s->b, s->out), s->c, s->in, s->out);
}

static void call_dense_wgrad(const struct subject *s)
{
	s->kern->dense_wgrad(
		s->a, vectors_of(s, s->b, s->in), vectors_of(s, s->c, s->out), s->c + MEMORY / 2, s->in, s->out);
}

static double conv_flops(const struct conv *g)
{
	return 2.0 * LANES * g->big.c * g->small.c * g->kernel * g->kernel * g->small.h * g->small.w;
}

static double conv_bytes(const struct conv *g)
{
	return ((double)(map_features(&g->big) + map_features(&g->small)) * LANES +
			   (double)g->big.c * g->small.c * g->kernel * g->kernel) *
		   sizeof(real);
}

static void report(struct subject *s)
{
	double peak = bench_peak_gflops(s->kern), t = seconds(s), rate = s->flops / t * 1e-9;
	printf("{\"kernel\":\"%s\",\"level\":\"%s\",\"seconds\":%.4g,\"bytes\":%.0f,\"gbytes_per_s\":%.1f", s->name,
		cpu_name(s->kern->level), t, s->bytes, s->bytes / t * 1e-9);
	if (s->flops > 0)
		printf(",\"gflops\":%.1f", rate);
	if (s->flops > 0 && peak > 0)
		printf(",\"peak_share\":%.3f", rate / peak);
	printf("}\n");
}

struct conv_row {
	struct conv conv;
	bool wide;
};

static const struct conv_row convs[] = {
	/* autoencoder: 28x28 → 14 → 7 → 3 */
	{{{1, 28, 28, 1}, {8, 14, 14, 1}, 3, 2, 1}, false},
	{{{8, 14, 14, 1}, {16, 7, 7, 1}, 3, 2, 1}, false},
	{{{16, 7, 7, 1}, {32, 3, 3, 1}, 3, 2, 0}, false},
	/* variational autoencoder */
	{{{1, 28, 28, 1}, {8, 14, 14, 1}, 4, 2, 1}, false},
	{{{8, 14, 14, 1}, {16, 7, 7, 1}, 4, 2, 1}, false},
	/* convolutional classifier: pooling in between */
	{{{1, 28, 28, 1}, {16, 28, 28, 1}, 3, 1, 1}, false},
	{{{16, 14, 14, 1}, {32, 14, 14, 1}, 3, 1, 1}, false},
	{{{32, 7, 7, 1}, {64, 7, 7, 1}, 3, 1, 1}, false},
	/* DCGAN: discriminator, generator */
	{{{1, 28, 28, 1}, {64, 14, 14, 1}, 4, 2, 1}, true},
	{{{64, 14, 14, 1}, {128, 7, 7, 1}, 4, 2, 1}, true},
	{{{32, 28, 28, 1}, {64, 14, 14, 1}, 4, 2, 1}, true},
	{{{1, 28, 28, 1}, {32, 28, 28, 1}, 3, 1, 1}, true},
};

struct dense_row {
	int in, out;
	bool wide;
};

static const struct dense_row denses[] = {
	{288, 64, false}, {64, 8, false}, {8, 64, false}, {64, 288, false}, /* autoencoder */
	{784, 10, false}, {5, 784, false},                                  /* variational autoencoder */
	{100, 6272, true}, {6272, 1, true},                                 /* DCGAN */
};

struct named_call {
	const char *name;
	void (*call)(const struct subject *s);
};

static const struct named_call conv_calls[] = {
	{"conv_down", call_down}, {"conv_up", call_up}, {"conv_wgrad", call_wgrad}};
static const struct named_call dense_calls[] = {
	{"dense_fwd", call_dense_fwd}, {"dense_bwd", call_dense_bwd}, {"dense_wgrad", call_dense_wgrad}};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void bench_convs(struct subject s, const char *wanted)
{
	char name[64];
	s.name = name;
	for (size_t c = 0; c < COUNT(conv_calls); c++)
		for (size_t i = 0; i < COUNT(convs); i++) {
			const struct conv *g = &convs[i].conv;
			s.conv = *g;
			s.call = conv_calls[c].call;
			s.flops = conv_flops(g);
			s.bytes = conv_bytes(g);
			s.blocks = convs[i].wide ? BATCH : 1;
			snprintf(name, sizeof name, "%s %dx%d-%dx%d k%ds%d", conv_calls[c].name, g->big.c, g->big.h, g->small.c,
				g->small.h, g->kernel, g->stride);
			if (strstr(name, wanted))
				report(&s);
		}
}

static void bench_denses(struct subject s, const char *wanted)
{
	char name[64];
	s.name = name;
	for (size_t c = 0; c < COUNT(dense_calls); c++)
		for (size_t i = 0; i < COUNT(denses); i++) {
			s.in = denses[i].in;
			s.out = denses[i].out;
			s.call = dense_calls[c].call;
			s.flops = 2.0 * LANES * s.in * s.out;
			s.bytes = ((double)(s.in + s.out) * LANES + (double)s.in * s.out) * sizeof(real);
			s.blocks = denses[i].wide ? BATCH : 1;
			snprintf(name, sizeof name, "%s %d-%d", dense_calls[c].name, s.in, s.out);
			if (strstr(name, wanted))
				report(&s);
		}
}

static void bench_others(struct subject s, const char *wanted)
{
	s.blocks = 1;
	s.flops = 0;
	for (const struct pass_row *row = pass_rows; row->name; row++) {
		s.name = row->name;
		s.conv = row->conv;
		s.in = row->n;
		s.call = row->call;
		s.bytes = row->big * map_features(&s.conv.big) * LANES + row->small * map_features(&s.conv.small) * LANES +
				  row->each * row->n;
		if (strstr(s.name, wanted))
			report(&s);
	}
}

int bench_kernels(int argc, char **argv)
{
	enum cpu_level level = cpu_best();
	if (argc > 3 || (argc >= 2 && !cpu_parse(argv[1], &level)))
		return BENCH_USAGE;
	const struct kern *k = kern_at(level);
	if (!k) {
		fprintf(stderr, "bench: no %s kernels here\n", cpu_name(level));
		return 1;
	}
	struct subject base = {.kern = k};
	real **memory[] = {&base.a, &base.b, &base.c};
	for (int i = 0; i < 3; i++) {
		*memory[i] = aligned_alloc(64, MEMORY * sizeof(real));
		if (!*memory[i])
			return 1;
		for (int j = 0; j < MEMORY; j++)
			(*memory[i])[j] = (real)((j * 37 % 101) - 50) / 1000;
	}
	const char *wanted = argc == 3 ? argv[2] : "";
	printf("{\"peak_gflops\":%.1f,\"level\":\"%s\"}\n", bench_peak_gflops(k), cpu_name(level));
	bench_convs(base, wanted);
	bench_denses(base, wanted);
	bench_others(base, wanted);
	return 0;
}
