/* evaluator.h: the judge that the binary carries: its weights (core/lab/evaluator.safetensors), and one judge a daemon.
 *
 * Why: figures compare only where the same net made them; so the weights are data with a checksum, trained by latentd itself
 * (tests/golden/evaluator.sh).
 * Threads: any. The judge is opened by whoever needs it first (about a second, on the pool) and lives as long as the daemon.
 * Invariants: bytes whose sha256 is not the one that is written down beside them are refused when the daemon starts.
 * Not here: what it says (core/lab/judge.h).
 */
#ifndef LATENTD_SERVER_EVALUATOR_H
#define LATENTD_SERVER_EVALUATOR_H

#include "core/lab/judge.h"

struct evaluator;

struct evaluator_facts {
	char sha256[65];         /* of the weights file */
	char dataset_sha256[65]; /* of the one data set that it knows */
	double accuracy;         /* on that one's test split */
};

/* ERR_CORRUPT. pool and kern are borrowed. */
int evaluator_open(struct evaluator **ret, struct pool *pool, const struct kern *kern, struct err *err);
void evaluator_close(struct evaluator *e);
const struct evaluator_facts *evaluator_facts(const struct evaluator *e);
bool evaluator_knows(const struct evaluator *e, const char *dataset_sha256);
/* The judge of that data set, lives as long as e. ERR_NO_JUDGE where the evaluator does not know it. */
int evaluator_judge(struct evaluator *e, const struct dataset *d, struct judge **ret, struct err *err);

/* The model in the bytes of such a file and its weights: model_free, free. */
int evaluator_model(const void *bytes, size_t size, struct model *ret_model, real **ret_w, struct err *err);

#endif
