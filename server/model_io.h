/* model_io.h: what the model routes take (model_input.c, model_sample.c) and give (model_io.c): codes and images as JSON, npy or PNG.
 *
 * Owner: whoever calls rows_free. Values are rows of one width, float32, sample after sample.
 * Invariants: at most LIMIT_VECTORS rows; pixels are in [0,1]; every refusal names the field.
 */
#ifndef LATENTD_SERVER_MODEL_IO_H
#define LATENTD_SERVER_MODEL_IO_H

#include "core/model/sample.h"
#include "server/call.h"

struct rows {
	float *v; /* [n][width], malloc'd */
	size_t n, width;
	int64_t cols; /* images a line when shown as a grid; 0: the squarest */
};
void rows_free(struct rows *r);
int rows_alloc(struct rows *ret, size_t n, size_t width, struct err *err);

/* A decode body: {"z":[[…],…],"cols":8}, or npy [n,latent_dim]. */
int input_codes(struct call *c, const struct published *p, struct rows *ret, struct err *err);
/* One code, at `pointer` of the body: an array of latent_dim numbers. */
int input_code(const struct call *c, const struct published *p, const struct json *value, const char *pointer, float *z,
	struct err *err);
/* One image, likewise: an array of as many pixels in [0,1] as the model's images have. */
int input_image(const struct published *p, const struct json *value, const char *pointer, float *pixels, struct err *err);
/* ?z=0.1,-1.2;0,0 (and ?cols=). */
int input_codes_text(struct call *c, const struct published *p, struct rows *ret, struct err *err);
/* An encode or reconstruct body: {"images":[[…]]}, {"dataset","split","indices"}, npy, or a PNG of one image or a grid. */
int input_images(struct call *c, const struct published *p, struct rows *ret, struct err *err);

/* A sample body, or the query of samples.png. */
struct sample_request {
	struct sample_spec spec;
	int64_t count, cols;
};
/* How many, unless they say so themselves, and what they may say; cols: pictures a line may be asked for. */
struct sample_rule {
	int64_t count, min, max, cols;
};
int input_sample(struct call *c, const struct published *p, const struct sample_rule *rule, struct sample_request *ret,
	struct err *err);

/* {"seed":3}, at `pointer`: codes of the distribution that auto means for this model. */
int input_seed(const struct published *p, const struct json *object, const char *pointer, struct sample_spec *ret,
	struct err *err);

/* Images in the call's format; z (or NULL) is told beside them in JSON. */
int output_images(struct call *c, const struct published *p, const struct rows *images, const struct rows *z, struct err *err);
/* The same with more members in JSON, which write (or NULL) adds. */
struct images_extra {
	const struct rows *z; /* or NULL */
	void (*write)(struct jsonw *w, const void *ctx);
	const void *ctx;
};
int output_images_with(struct call *c, const struct published *p, const struct rows *images, const struct images_extra *extra,
	struct err *err);
int output_npy(struct call *c, const float *v, const int64_t *shape, int rank, struct err *err);
/* Codes, as JSON or npy. logvar, unless NULL: z are means of distributions with these log variances, which JSON tells too. */
int output_codes(struct call *c, const struct rows *z, const struct rows *logvar, struct err *err);

#endif
