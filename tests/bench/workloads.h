/* workloads.h: the nets that latentd is measured with, beside the same ones in PyTorch (torch_workloads.py): whole training
 * steps built from layer rows.
 *
 * Why here: speed and exactness of a shape are to be known before a kind of job uses it. All but `gan` are the kinds themselves.
 * Series of parts: part 0 is the loss; gan: 0 D on real, 1 D on fake, 2 G.
 */
#ifndef LATENTD_TESTS_BENCH_WORKLOADS_H
#define LATENTD_TESTS_BENCH_WORKLOADS_H

#include "core/model/train.h"

struct workload {
	const char *name;
	const struct family *family;
	const char *overrides; /* of the family's defaults */
	bool codes;            /* trains on rows of CODE_DIM numbers (trainer_features) */
};

enum { CODE_DIM = 8 };

/* NULL past the last; NULL if there is none of that name. */
const struct workload *workload_at(int i);
const struct workload *workload_find(const char *name);
/* Plans its model for 28x28 images; `more` are further overrides. */
int workload_plan(struct model *ret, const struct workload *w, const char *more, struct err *err);

#endif
