/* model_code.h: the ways in which a request names one code: its numbers, a seed, an image, a class.
 *
 * Why: walks, arithmetic and neighbours take the same words, and give the same errors.
 * An object with one of z, seed, index (and split), image, class; in short a list of numbers is a z, a number the index of a test
 * image, a text a class.
 * Owner: the handler, for one call; coder_close. The model outlives it.
 */
#ifndef LATENTD_SERVER_MODEL_CODE_H
#define LATENTD_SERVER_MODEL_CODE_H

#include "server/model_use.h"

struct coder {
	struct call *call;
	struct published *p;
	struct dataset *data; /* what the model was trained on; NULL until it is asked for */
};
void coder_close(struct coder *w);
/* w->data is there. */
int coder_data(struct coder *w, struct err *err);

/* The value (NULL: it is missing) at `pointer` of the body becomes z[latent_dim]. */
int coder_take(struct coder *w, const struct json *value, const char *pointer, float *z, struct err *err);
/* The same of an object that may have other members; `pointer` is its own. */
int coder_take_member(struct coder *w, const struct json *object, const char *pointer, float *z, struct err *err);
/* Of an object that names an image: *ret_pixels become the image's, and *ret_found is true. */
int coder_take_pixels(struct coder *w, const struct json *object, const char *pointer, float *ret_pixels,
	bool *ret_found, struct err *err);
/* The code of an image. ERR_UNSUPPORTED of a kind that does not encode. */
int coder_encode(struct coder *w, const float *pixels, float *z, struct err *err);
/* The members that name a code; the body of one has them and what else the request takes. */
#define CODER_FIELDS "z", "seed", "index", "split", "image", "class"

#endif
