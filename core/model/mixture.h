/* mixture.h: the mixture (gmm.h) of the codes of a model's own training images.
 *
 * Why: where new codes come from once a model has been trained; also of a checkpoint that nobody fitted one to.
 * Invariants: codes of the first CODE_STATS_IMAGES images that a trainer of this model would train on, whoever asks: the same
 * weights give the same mixture.
 * Not here: where it is kept (server/mixture_file.h).
 */
#ifndef LATENTD_CORE_MODEL_MIXTURE_H
#define LATENTD_CORE_MODEL_MIXTURE_H

#include "core/model/gmm.h"
#include "core/model/train.h"

/* ERR_UNSUPPORTED for a kind without an encoder or without a code. gmm_free. */
int mixture_fit(struct gmm *ret, const struct model *m, const real *w, const struct dataset *d, const struct kern *kern,
	struct pool *pool, struct err *err);

#endif
