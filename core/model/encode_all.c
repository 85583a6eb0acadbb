#include "core/model/encode_all.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGN = 64, TASK_ROWS = 4 * LANES };

struct encoding {
	const struct model *m;
	const struct kern *kern;
	const real *w;
	const struct image_list *list;
	float *z;
	real **ws;    /* [threads] */
	float **rows; /* [threads][TASK_ROWS][pixels] */
};

static void encode_task(void *ctx, int task, int slot)
{
	const struct encoding *e = ctx;
	const struct image_list *list = e->list;
	const size_t pixels = (size_t)map_features(&e->m->image), width = (size_t)e->m->latent_dim;
	const size_t from = (size_t)task * TASK_ROWS, rows = list->n - from < TASK_ROWS ? list->n - from : TASK_ROWS;
	float *x = e->rows[slot];
	for (size_t i = 0; i < rows; i++) {
		const uint8_t *image = list->images + (list->index ? list->index[from + i] : from + i) * pixels;
		for (size_t k = 0; k < pixels; k++)
			x[i * pixels + k] = (float)image[k] / 255.0f;
	}
	/* cannot fail: the kind encodes */
	model_encode(e->m, e->kern, e->w, e->ws[slot], x, rows, e->z + from * width, NULL);
}

/* What each thread works in. */
static bool reserve(struct encoding *e, int threads)
{
	const size_t bytes = (model_workspace(e->m) * sizeof(real) / ALIGN + 1) * ALIGN;
	e->ws = calloc((size_t)threads, sizeof *e->ws);
	e->rows = calloc((size_t)threads, sizeof *e->rows);
	bool enough = e->ws && e->rows;
	for (int i = 0; enough && i < threads; i++) {
		e->rows[i] = malloc(TASK_ROWS * (size_t)map_features(&e->m->image) * sizeof **e->rows);
		e->ws[i] = aligned_alloc(ALIGN, bytes);
		if ((enough = e->rows[i] && e->ws[i]))
			memset(e->ws[i], 0, bytes);
	}
	return enough;
}

static void give_back(struct encoding *e, int threads)
{
	for (int i = 0; e->ws && e->rows && i < threads; i++) {
		free(e->ws[i]);
		free(e->rows[i]);
	}
	free(e->ws);
	free(e->rows);
}

int encode_all(const struct model *m, const real *w, const struct image_list *list, float *z, struct pool *pool,
	const struct kern *k, struct err *err)
{
	const int threads = pool_threads(pool);
	struct encoding e = {.m = m, .kern = k, .w = w, .list = list, .z = z};
	if (!m->family->encode)
		return family_lacks(m->family, "encoder", err);
	bool enough = reserve(&e, threads);
	if (enough)
		pool_run(pool, (int)((list->n + TASK_ROWS - 1) / TASK_ROWS), encode_task, &e);
	give_back(&e, threads);
	return enough ? OK : err_set(err, ERR_NO_MEMORY, "no memory to encode %zu images", list->n);
}
