/* cpu.h: which numeric level this processor can run.
 *
 * Why: one portable binary; the level chosen at start decides which row of kernels computes (core/kern/kern.h).
 * Invariants: CPU_AVX2 and CPU_AVX512 give the same bits; CPU_BASELINE and CPU_NEON make no such promise (contract 3.1).
 */
#ifndef LATENTD_CORE_BASE_CPU_H
#define LATENTD_CORE_BASE_CPU_H

#include <stdbool.h>

/* level, name (public: --help, /v1/info, checkpoints, LATENTD_CPU) */
#define CPU_LEVELS(X) X(CPU_BASELINE, "baseline") X(CPU_AVX2, "avx2") X(CPU_AVX512, "avx512") X(CPU_NEON, "neon")

enum cpu_level {
#define X(level, name) level,
	CPU_LEVELS(X)
#undef X
	CPU_LEVEL_COUNT
};

/* The highest level this processor runs. */
enum cpu_level cpu_best(void);
bool cpu_runs(enum cpu_level level);
const char *cpu_name(enum cpu_level level);
/* false if no level has that name. */
bool cpu_parse(const char *name, enum cpu_level *ret_level);
/* The processor's own name ("AMD EPYC …"), for people; "unknown" where it says none. */
const char *cpu_model(void);
/* Denormals become zero on the calling thread, in results and operands: every thread that computes calls it once. */
void cpu_flush_denormals(void);

#endif
