/* verify.h: whether a job's steps come out again as they did: some of them are taken once more from a checkpoint, and what they
 * make is compared with the checkpoints and curves that are kept.
 *
 * Why: that equal runs give equal bits is a promise; this is how anyone checks it on their own machine, for their own job.
 * Threads: any; the steps run on the shared pool, with a trainer of their own that reports nowhere: the job is not disturbed.
 * Not here: who may ask, and how many at once (handlers/verify.c).
 */
#ifndef LATENTD_SERVER_VERIFY_H
#define LATENTD_SERVER_VERIFY_H

#include "core/data/sha256.h"
#include "core/model/state.h"
#include "server/cache.h"
#include "server/evaluator.h"
#include "server/store/store.h"

#include <stdatomic.h>

enum { VERIFY_STEPS = 50, VERIFY_STEPS_MAX = 1000000 };

struct verify_config {
	struct store *store;
	struct cache *cache;
	const char *data_dir;
	struct pool *pool;
	const struct kern *kern;
	struct evaluator *evaluator;
	size_t memory_bytes; /* it may take; 0: as much as it needs */
	const atomic_bool *stop; /* leave */
};

enum verify_what { VERIFY_SAME, VERIFY_TENSOR, VERIFY_POINT, VERIFY_FILE, VERIFY_END };
/* "tensor", "point", …; NULL for VERIFY_SAME. */
const char *verify_what_name(enum verify_what w);

struct verification {
	char job_id[JOB_ID_SIZE];
	int epoch; /* of the checkpoint it began at */
	int64_t from_step, to_step;
	int checkpoints, tensors; /* compared, with all their numbers */
	int64_t points;
	char sha256[SHA256_HEX]; /* of the state after to_step */
	/* the first difference */
	enum verify_what what;
	int64_t step;
	char name[96];        /* tensor or series */
	int64_t index;        /* in the tensor; -1: it has another form, or is missing */
	double expected, got; /* kept; made again */
	char detail[200];
};

/* ref: id, name or "latest"; which: best, last, an epoch, or "" for the newest numbered one but one; steps 0: up to the next
 * numbered one or VERIFY_STEPS, whichever is less. ERR_INVALID at "#/checkpoint" and "#/steps" where nothing is kept to compare
 * with. */
int verify(struct verification *ret, const struct verify_config *config, const char *ref, const char *which,
	int64_t steps, struct err *err);

#endif
