/* halt.h: long passes that whoever waits for them may give up.
 *
 * Why: all distances of 60,000 wide points take minutes; a daemon that is to end, and a job that is cancelled, have seconds.
 * Threads: `told` is asked on the thread that called, between tasks, a few hundred times in such a pass at most.
 * Invariants: a pass that was not given up has done the same tasks, to the same bits, as pool_run.
 */
#ifndef LATENTD_CORE_LAB_HALT_H
#define LATENTD_CORE_LAB_HALT_H

#include "core/base/pool.h"

#include <stdbool.h>

struct halt {
	bool (*told)(void *ctx); /* to give up */
	void *ctx;
};

/* OK, or ERR_UNAVAILABLE: it is told to give up. halt NULL: never. */
int halt_check(const struct halt *halt, struct err *err);
/* pool_run, a few tasks a thread at a time. ERR_UNAVAILABLE: it was told to give up, and what the tasks made is of no use. */
int halt_run(const struct halt *halt, struct pool *pool, int tasks, pool_fn *fn, void *ctx, struct err *err);

#endif
