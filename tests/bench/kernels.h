/* kernels.h: what `bench kernels` times: one call of a kernel on memory that stays finite. */
#ifndef LATENTD_TESTS_BENCH_KERNELS_H
#define LATENTD_TESTS_BENCH_KERNELS_H

#include "core/kern/kern.h"

enum { BATCH = 8, MEMORY = BATCH * 32 * 30 * 30 * LANES };

/* A small net takes one block through all its layers while it is in the cache; a wide one has layers that need the whole batch,
 * so each call finds another block of the batch, which comes from farther away. */
struct subject {
	const char *name;
	double flops; /* nominal, of one call; 0: bytes matter instead */
	double bytes; /* that it must read and write, each once; halos are not counted */
	const struct kern *kern;
	struct conv conv;
	int in, out;
	long blocks;     /* that take turns: 1, or BATCH for wide nets */
	long turn;       /* of this call, in [0, blocks) */
	real *a, *b, *c; /* each MEMORY reals */
	void (*call)(const struct subject *s);
};

/* A kernel that does little with each value it sees: between two maps, on one of them, or on n values. Rows end with name NULL.
 * Bytes of a call: per value of the big map, of the small one, and per n. */
struct pass_row {
	const char *name;
	void (*call)(const struct subject *s);
	struct conv conv;
	int n;
	double big, small, each;
};
extern const struct pass_row pass_rows[];

#endif
