#include "core/model/decode_all.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGN = 64, TASK_ROWS = 4 * LANES };

struct decoding {
	const struct model *m;
	const struct kern *kern;
	const real *w;
	const float *z;
	float *images;
	size_t n;
	real **ws; /* [threads] */
};

static void decode_task(void *ctx, int task, int slot)
{
	const struct decoding *d = ctx;
	const size_t pixels = (size_t)map_features(&d->m->image), width = (size_t)d->m->latent_dim;
	const size_t from = (size_t)task * TASK_ROWS, rows = d->n - from < TASK_ROWS ? d->n - from : TASK_ROWS;
	/* cannot fail: the kind decodes */
	model_decode(d->m, d->kern, d->w, d->ws[slot], d->z + from * width, rows, d->images + from * pixels, NULL);
}

int decode_all(const struct model *m, const real *w, const float *z, size_t n, float *images, struct pool *pool,
	const struct kern *k, struct err *err)
{
	const int threads = pool_threads(pool);
	const size_t bytes = (model_workspace(m) * sizeof(real) / ALIGN + 1) * ALIGN;
	struct decoding d = {.m = m, .kern = k, .w = w, .z = z, .images = images, .n = n};
	if (!m->family->decode)
		return family_lacks(m->family, "decoder", err);
	bool enough = (d.ws = calloc((size_t)threads, sizeof *d.ws));
	for (int i = 0; enough && i < threads; i++)
		if ((enough = (d.ws[i] = aligned_alloc(ALIGN, bytes))))
			memset(d.ws[i], 0, bytes);
	if (enough)
		pool_run(pool, (int)((n + TASK_ROWS - 1) / TASK_ROWS), decode_task, &d);
	for (int i = 0; d.ws && i < threads; i++)
		free(d.ws[i]);
	free(d.ws);
	return enough ? OK : err_set(err, ERR_NO_MEMORY, "no memory to decode %zu codes", n);
}
