/* decode_all.h: many codes to images, on every thread of the pool.
 *
 * Invariants: the bits of model_decode, whatever the threads. */
#ifndef LATENTD_CORE_MODEL_DECODE_ALL_H
#define LATENTD_CORE_MODEL_DECODE_ALL_H

#include "core/base/pool.h"
#include "core/model/model.h"

/* z is [n][latent_dim], images [n][c*h*w] in [0,1]. ERR_UNSUPPORTED for a kind that does not decode. */
int decode_all(const struct model *m, const real *w, const float *z, size_t n, float *images, struct pool *pool,
	const struct kern *k, struct err *err);

#endif
