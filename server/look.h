/* look.h: how a run that is being trained has its samples judged.
 *
 * Why: verdicts are part of a run's state (which epoch is best, what goes wrong), so whoever goes through its steps again, too, has
 * to see the same samples: those that a request with the run's seed would get first.
 * Owner: whoever trains; model, trainer and data set outlive it. Nothing to free: the judge is the evaluator's.
 */
#ifndef LATENTD_SERVER_LOOK_H
#define LATENTD_SERVER_LOOK_H

#include "core/base/pool.h"
#include "server/evaluator.h"

struct look {
	const struct model *model;
	struct trainer *trainer;
	struct dataset *data;
	struct pool *pool;
	const struct kern *kern;
	uint64_t seed;
	struct judge *judge; /* NULL: nobody looks */
};

/* With all else filled in: has the trainer judged, if the kind asks for it and the evaluator (or NULL) knows the data set. */
int look_open(struct look *l, struct evaluator *e, struct err *err);
/* `count` samples of weights w, malloc'd. */
int look_paint(struct look *l, const real *w, size_t count, float **ret, struct err *err);

#endif
