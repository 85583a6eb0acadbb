/* pool.h: the compute threads that every job and evaluation shares.
 *
 * Why: work is cut by a fixed grain, never by the number of threads, and every task writes its own place; so the bits of a
 * result cannot depend on --threads or on who else computes.
 * Owner: main opens one pool; any number of threads may call pool_run at once (tasks of different callers interleave). A caller
 * computes, too, when it finds a seat free.
 * Batches get their tasks done in turn, one of each: shares are equal where tasks are, and nobody waits for all of another's.
 * Invariants: at most pool_threads() tasks run at a time, each with its own slot; an idle pool sleeps (it spins only
 * briefly after work); whoever computes flushes denormals; pool threads run a little niced, below the threads that serve.
 */
#ifndef LATENTD_CORE_BASE_POOL_H
#define LATENTD_CORE_BASE_POOL_H

#include "core/base/err.h"

struct pool;

/* slot: 0 … pool_threads-1, the index of scratch memory this task may use while it runs. */
typedef void pool_fn(void *ctx, int task, int slot);

int pool_open(struct pool **ret_pool, int threads, struct err *err);
void pool_close(struct pool *pool);
/* Whom this thread works for, or NULL: of the caller's choosing; while a pool's thread computes, it is its caller's. */
extern _Thread_local const void *pool_owner;
/* For threads that call pool_run a lot: what the pool's own have, flushed denormals, the same niceness, and tasks of all in turn. */
void pool_settle_thread(void);
/* 1 for a NULL pool. */
int pool_threads(const struct pool *pool);
/* fn(ctx, 0 … tasks-1, slot), in any order, then returns. pool == NULL: here and now, in order, with slot 0. */
void pool_run(struct pool *pool, int tasks, pool_fn *fn, void *ctx);

#endif
