/* model_use.h: what the model handlers do with a model, once they know what goes in: from the model of the address to the reply.
 *
 * Threads: lanes; each call has a workspace of its own.
 */
#ifndef LATENTD_SERVER_MODEL_USE_H
#define LATENTD_SERVER_MODEL_USE_H

#include "server/cache.h"
#include "server/model_io.h"

/* The model of {model}; replies about it say which epoch and step they are of. published_put. */
int use_acquire(struct call *c, struct published **ret, struct err *err);
/* One that paints: before its body is looked at, a kind without a decoder says so. */
int use_acquire_painter(struct call *c, struct published **ret, struct err *err);

/* Its codes are drawn from a standard normal distribution, unless a request says otherwise. */
bool use_normal(const struct published *p);

typedef int model_fn(const struct model *m, const struct kern *k, const real *w, real *ws, const float *in, size_t n,
	float *out, struct err *err);
/* fn of all rows, `width` values each. rows_free. */
int use_compute(struct call *c, const struct published *p, model_fn *fn, const struct rows *in, size_t width,
	struct rows *ret, struct err *err);
/* The images of these codes; of many on the pool. rows_free. */
int use_paint(struct call *c, const struct published *p, const struct rows *z, struct rows *ret, struct err *err);
/* Codes of all images of a split of the data set that p was trained on, [n][latent_dim]: encoded once, on the pool; they live as
 * long as p. ERR_UNSUPPORTED for a kind that does not encode. */
int use_codes(struct call *c, struct published *p, const struct dataset *d, enum split split, const float **ret,
	struct err *err);
/* The reply: the images of these codes, and in JSON the codes beside them if show_z. */
int use_decode(struct call *c, const struct published *p, const struct rows *z, bool show_z, struct err *err);
/* `count` codes as r says; fits a mixture if that takes one. rows_free. */
int use_draw(
	struct call *c, struct published *p, struct sample_spec *spec, size_t count, struct rows *ret, struct err *err);

#endif
