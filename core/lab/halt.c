#include "core/lab/halt.h"

enum { TASKS_A_THREAD = 2 };

struct part {
	pool_fn *fn;
	void *ctx;
	int first;
};

static void part_task(void *ctx, int task, int slot)
{
	const struct part *p = ctx;
	p->fn(p->ctx, p->first + task, slot);
}

int halt_check(const struct halt *halt, struct err *err)
{
	return halt && halt->told(halt->ctx) ? err_set(err, ERR_UNAVAILABLE, "given up on the way") : OK;
}

int halt_run(const struct halt *halt, struct pool *pool, int tasks, pool_fn *fn, void *ctx, struct err *err)
{
	const int at_once = halt ? TASKS_A_THREAD * pool_threads(pool) : tasks;
	struct part p = {.fn = fn, .ctx = ctx};
	int code = OK;
	for (; p.first < tasks && !code; p.first += at_once) {
		code = halt_check(halt, err);
		if (!code)
			pool_run(pool, tasks - p.first < at_once ? tasks - p.first : at_once, part_task, &p);
	}
	return code;
}
