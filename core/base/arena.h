/* arena.h: memory by lifetime: a job's, a step's, a request's. One mmap, a pointer that only moves forward.
 *
 * Why: `free` almost disappears, and the sum that a measuring arena gives answers "does it fit?" before a byte is taken.
 * Use: run the same carving code twice: first on ARENA_MEASURE (pointers come back NULL and must not be followed), then on
 * an arena of that size. arena_mark/arena_reset give a step's or request's memory back at once.
 * Invariants: memory is zeroed when first handed out and 64-byte aligned; memory given back is poisoned under ASan.
 */
#ifndef LATENTD_CORE_BASE_ARENA_H
#define LATENTD_CORE_BASE_ARENA_H

#include "core/base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct arena {
	char *base; /* NULL while measuring */
	size_t used, size;
	bool measuring;
};

#define ARENA_MEASURE ((struct arena){.measuring = true})

int arena_open(struct arena *a, size_t size_bytes, struct err *err);
void arena_close(struct arena *a);
/* size bytes, aligned to 64, zeroed; NULL when measuring. Taking more than was measured is a bug and aborts. */
void *arena_alloc(struct arena *a, size_t size_bytes);
size_t arena_mark(const struct arena *a);
/* Gives back everything taken after `mark`; it is zero again when handed out next. */
void arena_reset(struct arena *a, size_t mark);

#endif
