/* bench.h: how fast the core is on this machine, one JSON object a line. Each command is one file. */
#ifndef LATENTD_TESTS_BENCH_BENCH_H
#define LATENTD_TESTS_BENCH_BENCH_H

#include "core/kern/kern.h"

/* What a command returns when its words make no sense; main prints its usage. */
enum { BENCH_USAGE = 2 };

/* argv[0] is the command's name. */
int bench_kernels(int argc, char **argv);
int bench_train(int argc, char **argv);
int bench_infer(int argc, char **argv);
int bench_tsne(int argc, char **argv);
int bench_tuner(int argc, char **argv);

/* Seconds that this thread computed (a neighbour on the same core costs cache, not these), and of the wall's clock. */
double bench_cpu_s(void);
double bench_wall_s(void);
/* Multiply-adds in registers at that level, one thread, best of a few rounds; 0 where it is not known how. */
double bench_peak_gflops(const struct kern *k);
int bench_by_value(const void *a, const void *b); /* for qsort of doubles */

#endif
