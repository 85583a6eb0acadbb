/* encode_all.h: many images to codes, on every thread of the pool.
 *
 * Invariants: the bits of model_encode of the same pixels / 255, whatever the threads. */
#ifndef LATENTD_CORE_MODEL_ENCODE_ALL_H
#define LATENTD_CORE_MODEL_ENCODE_ALL_H

#include "core/base/pool.h"
#include "core/model/model.h"

struct image_list {
	const uint8_t *images; /* [][c*h*w], of a data set */
	const uint32_t *index; /* [n]: which of them; NULL: the first n */
	size_t n;
};
/* z is [n][latent_dim]. ERR_UNSUPPORTED for a kind that does not encode. */
int encode_all(const struct model *m, const real *w, const struct image_list *list, float *z, struct pool *pool,
	const struct kern *k, struct err *err);

#endif
