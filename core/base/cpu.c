#include "core/base/cpu.h"

#include <stddef.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <xmmintrin.h>
#endif

static const char *const names[CPU_LEVEL_COUNT] = {
#define X(level, name) [level] = name,
	CPU_LEVELS(X)
#undef X
};

bool cpu_runs(enum cpu_level level)
{
	switch (level) {
#if defined(__x86_64__)
	case CPU_BASELINE:
		return true;
	case CPU_AVX2:
		return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
	case CPU_AVX512:
		return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
			   __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
#elif defined(__aarch64__)
	case CPU_NEON:
		return true;
#else
	case CPU_BASELINE:
		return true;
#endif
	default:
		return false;
	}
}

enum cpu_level cpu_best(void)
{
	for (int level = CPU_LEVEL_COUNT - 1; level > 0; level--)
		if (cpu_runs((enum cpu_level)level))
			return (enum cpu_level)level;
	return CPU_BASELINE;
}

const char *cpu_name(enum cpu_level level)
{
	return level >= 0 && level < CPU_LEVEL_COUNT ? names[level] : "unknown";
}

bool cpu_parse(const char *name, enum cpu_level *ret_level)
{
	for (int level = 0; level < CPU_LEVEL_COUNT; level++)
		if (!strcmp(names[level], name)) {
			*ret_level = (enum cpu_level)level;
			return true;
		}
	return false;
}

const char *cpu_model(void)
{
#if defined(__x86_64__)
	static char brand[49];
	unsigned words[12];
	for (unsigned i = 0; i < 3; i++)
		if (!__get_cpuid(0x80000002u + i, &words[4 * i], &words[4 * i + 1], &words[4 * i + 2], &words[4 * i + 3]))
			return "unknown";
	memcpy(brand, words, 48);
	return brand + strspn(brand, " ");
#else
	return "unknown";
#endif
}

void cpu_flush_denormals(void)
{
#if defined(__x86_64__)
	enum { FLUSH_TO_ZERO = 0x8000, DENORMALS_ARE_ZERO = 0x0040 };
	_mm_setcsr(_mm_getcsr() | FLUSH_TO_ZERO | DENORMALS_ARE_ZERO);
#elif defined(__aarch64__)
	unsigned long fpcr;
	__asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
	__asm__ volatile("msr fpcr, %0" : : "r"(fpcr | 1ul << 24));
#endif
}
