/* bench: how fast the core is on this machine, one JSON object a line. README.md beside this says what the figures mean. */
#include "core/base/cpu.h"
#include "tests/bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double seconds_of(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double bench_cpu_s(void)
{
	return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

double bench_wall_s(void)
{
	return seconds_of(CLOCK_MONOTONIC);
}

int bench_by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* --- the peak --- */

enum { ROUNDS = 5 };

/* Ten chains of multiply-adds in registers: what the units of that level can do at most. */
#if defined(__x86_64__)
#include <immintrin.h>
#define PEAK(name, target_, vec, set1, fma, width)                                                                 \
	__attribute__((target(target_))) static double name(long rounds)                                               \
	{                                                                                                              \
		vec a = set1(0.5f), b = set1(0.25f), s0 = set1(0), s1 = set1(1), s2 = set1(2), s3 = set1(3), s4 = set1(4), \
			s5 = set1(5), s6 = set1(6), s7 = set1(7), s8 = set1(8), s9 = set1(9);                                  \
		for (long r = 0; r < rounds; r++) {                                                                        \
			s0 = fma(s0, a, b), s1 = fma(s1, a, b), s2 = fma(s2, a, b), s3 = fma(s3, a, b), s4 = fma(s4, a, b);    \
			s5 = fma(s5, a, b), s6 = fma(s6, a, b), s7 = fma(s7, a, b), s8 = fma(s8, a, b), s9 = fma(s9, a, b);    \
		}                                                                                                          \
		volatile vec sink = s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7 + s8 + s9;                                       \
		(void)sink;                                                                                                \
		return 10.0 * 2 * width * (double)rounds;                                                                  \
	}
#define FMA_SSE(x, a, b) _mm_add_ps(_mm_mul_ps(x, a), b)
PEAK(peak_baseline, "sse4.2", __m128, _mm_set1_ps, FMA_SSE, 4)
PEAK(peak_avx2, "avx2,fma", __m256, _mm256_set1_ps, _mm256_fmadd_ps, 8)
PEAK(peak_avx512, "avx512f", __m512, _mm512_set1_ps, _mm512_fmadd_ps, 16)

double bench_peak_gflops(const struct kern *k)
{
	static double (*const loops[CPU_LEVEL_COUNT])(long rounds) = {
		[CPU_BASELINE] = peak_baseline, [CPU_AVX2] = peak_avx2, [CPU_AVX512] = peak_avx512};
	double best = 0;
	for (int i = 0; i < ROUNDS; i++) {
		double start = bench_cpu_s();
		double flops = loops[k->level](1000000);
		double rate = flops / (bench_cpu_s() - start) * 1e-9;
		best = rate > best ? rate : best;
	}
	return best;
}
#else
double bench_peak_gflops(const struct kern *k)
{
	(void)k;
	return 0; /* not measured here: no share is printed */
}
#endif

/* --- commands --- */

static const struct command {
	const char *name, *usage;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"kernels", "[baseline|avx2|avx512|neon [PART OF A NAME]]", bench_kernels},
	{"train",
		"ae|vae|nll|cnn|class1|class2|gan [--threads N] [--epochs N] [--images N] [--batch N] [--level L] [--profile]",
		bench_train},
	{"infer", "encode|decode|decode1 [--threads N] [--level L]", bench_infer},
	{"tsne", "CODES.npy [--iterations N] [--perplexity P] [--theta T] [--threads N] [--level L] [--map FILE.npy]", bench_tsne},
	{"tuner", "[branin|hartmann6|mixed random|tpe|multivariate SEED TRIALS]", bench_tuner},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

int main(int argc, char **argv)
{
	cpu_flush_denormals();
	for (int i = 0; argc > 1 && i < COMMANDS; i++)
		if (!strcmp(argv[1], commands[i].name)) {
			int code = commands[i].run(argc - 1, argv + 1);
			if (code != BENCH_USAGE)
				return code;
		}
	for (int i = 0; i < COMMANDS; i++)
		fprintf(stderr, "%s bench %s %s\n", i ? "      " : "usage:", commands[i].name, commands[i].usage);
	return BENCH_USAGE;
}
