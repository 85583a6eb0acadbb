#include "core/kern/kern.h"

/* The levels of this build (the Makefile's LEVELS). */
#ifdef HAVE_LEVEL_baseline
extern const struct kern kern_row_baseline;
#endif
#ifdef HAVE_LEVEL_avx2
extern const struct kern kern_row_avx2;
#endif
#ifdef HAVE_LEVEL_avx512
extern const struct kern kern_row_avx512;
#endif
#ifdef HAVE_LEVEL_neon
extern const struct kern kern_row_neon;
#endif

static const struct kern *const rows[CPU_LEVEL_COUNT] = {
#ifdef HAVE_LEVEL_baseline
	[CPU_BASELINE] = &kern_row_baseline,
#endif
#ifdef HAVE_LEVEL_avx2
	[CPU_AVX2] = &kern_row_avx2,
#endif
#ifdef HAVE_LEVEL_avx512
	[CPU_AVX512] = &kern_row_avx512,
#endif
#ifdef HAVE_LEVEL_neon
	[CPU_NEON] = &kern_row_neon,
#endif
};

const struct kern *kern_at(enum cpu_level level)
{
	return cpu_runs(level) ? rows[level] : NULL;
}

static long larger(long a, long b)
{
	return a > b ? a : b;
}

/* Taps touch rows -padding to (small - 1) stride - padding + kernel - 1, which is at most big - 1 + padding: small is what
 * fits into the padded big map, in either direction. */
int conv_halo_big(const struct conv *g)
{
	return g->padding;
}

/* Rows r of small with r stride = y + padding - kh for some 0 <= y < big and 0 <= kh < kernel. */
static long halo_small(long big, long small, const struct conv *g)
{
	long before = (g->kernel - 1 - g->padding) / g->stride; /* may be negative: then no tap lies before the map */
	long last = (big - 1 + g->padding) / g->stride;
	return larger(0, larger(before, last - (small - 1)));
}

int conv_halo_small(const struct conv *g)
{
	return (int)larger(halo_small(g->big.h, g->small.h, g), halo_small(g->big.w, g->small.w, g));
}

static size_t whole_vectors(size_t reals)
{
	return (reals + LANES - 1) / LANES * LANES;
}

/* The padded small map, with what a vector may read beyond it, and the widest phase of the big one, in rows as long as its. */
size_t conv_one_scratch(const struct conv *g)
{
	const struct map *m = &g->small;
	const size_t row = (size_t)(m->w + 2 * m->halo), widest = (size_t)((g->big.h + g->stride - 1) / g->stride) * row;
	return whole_vectors((size_t)m->c * (size_t)(m->h + 2 * m->halo) * row + LANES) +
		   (size_t)g->big.c * whole_vectors(widest);
}
