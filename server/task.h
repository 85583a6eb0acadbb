/* task.h: what jobs of kinds that train no net do, a row for each such kind.
 *
 * Why: the queue, its workers, commands, curves, events and previews are the same for every job; a worker asks here what lies
 * between them where there is no trainer.
 * Threads: `estimate` on any; the rest on the worker's, which takes one step after the other and looks in between at what is asked
 * of its job (worker_task.c).
 * Invariants: a step's result follows from the job's row, the data set and the steps before; what is saved after some steps makes
 * a run that opens with it take the same ones after them. In run->at the row keeps what its kind calls steps and epochs.
 * Not here: kinds that train (core/model/loop.h says what those do).
 */
#ifndef LATENTD_SERVER_TASK_H
#define LATENTD_SERVER_TASK_H

#include "server/origin.h"
#include "server/sched.h"

struct run;

struct task {
	const struct family *family;
	/* What it needs, of what it goes on from (w NULL: nothing); ERR_INVALID with the pointer for what no single row of its
	 * parameters can say. */
	int (*estimate)(const struct sched_config *config, const struct spec *spec, const struct origin *o,
		struct estimate *ret, struct err *err);
	/* Ready for the step that follows those that were saved: sets run->at. run->data is there. NULL: no worker runs it. */
	int (*open)(struct run *r, struct err *err);
	int (*step)(struct run *r, struct err *err); /* run->at.step is its number, from 1 */
	/* After the steps of an epoch, and before the first: what can be looked at. */
	int (*show)(struct run *r, struct err *err);
	int (*save)(struct run *r, struct err *err);   /* NULL: it begins anew */
	int (*finish)(struct run *r, struct err *err); /* after the last step, or told to stop: what the job leaves */
	void (*settled)(struct run *r);                /* it has succeeded, and that is stored; NULL: nothing to do */
	void (*close)(struct run *r);                  /* whatever open has come to */
};

/* NULL: the kind trains. */
const struct task *task_find(const struct family *f);

#endif
