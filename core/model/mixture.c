#include "core/model/mixture.h"

#include "core/model/trainer.h"

#include <stdlib.h>
#include <string.h>

/* The codes of the images, on every thread of the pool. */
struct encoding {
	const struct model *m;
	const real *w;
	const struct dataset *data;
	const struct kern *kern;
	size_t n;
	uint32_t *image; /* [n]: positions in the train split */
	float *code;     /* [n][latent_dim] */
	real **ws;       /* [threads] */
	float **rows;    /* [threads][LANES][pixels] */
	int threads;
};

static void encode_task(void *ctx, int task, int slot)
{
	const struct encoding *e = ctx;
	const size_t pixels = (size_t)map_features(&e->m->image), from = (size_t)task * LANES;
	const size_t lanes = e->n - from < LANES ? e->n - from : LANES;
	const uint8_t *images = e->data->split[SPLIT_TRAIN].images;
	float *rows = e->rows[slot];
	for (size_t l = 0; l < lanes; l++)
		for (size_t i = 0; i < pixels; i++)
			rows[l * pixels + i] = (float)images[e->image[from + l] * pixels + i] / 255.0F;
	e->m->family->encode(e->m, e->kern, e->w, e->ws[slot], rows, (int)lanes, e->code + from * (size_t)e->m->latent_dim);
}

static void encoding_close(struct encoding *e)
{
	for (int i = 0; e->ws && e->rows && i < e->threads; i++) {
		free(e->ws[i]);
		free(e->rows[i]);
	}
	free(e->ws);
	free(e->rows);
	free(e->image);
	free(e->code);
}

static real *zeroed(size_t reals)
{
	enum { ALIGN = 64 };
	size_t bytes = (reals * sizeof(real) / ALIGN + 1) * ALIGN;
	real *x = aligned_alloc(ALIGN, bytes);
	return x ? memset(x, 0, bytes) : NULL;
}

/* Which images: those of a trainer, drawn in the same way. */
static bool choose_images(struct encoding *e)
{
	const struct progress plan = trainer_plan(e->m, e->data);
	const size_t all = plan.train_images + plan.val_images;
	uint32_t *order = calloc(all, sizeof *order);
	e->image = calloc(all, sizeof *e->image);
	e->n = plan.train_images < CODE_STATS_IMAGES ? plan.train_images : CODE_STATS_IMAGES;
	if (order && e->image)
		split_draw(e->image, order, plan.train_images, plan.val_images, model_train(e->m)->val_seed);
	bool drawn = order && e->image;
	free(order);
	return drawn;
}

static int encoding_open(struct encoding *e, int threads, struct err *err)
{
	e->threads = threads;
	bool ready = choose_images(e);
	e->code = calloc(e->n * (size_t)e->m->latent_dim + 1, sizeof *e->code);
	e->ws = calloc((size_t)threads, sizeof *e->ws);
	e->rows = calloc((size_t)threads, sizeof *e->rows);
	ready = ready && e->code && e->ws && e->rows;
	for (int i = 0; ready && i < threads; i++) {
		e->ws[i] = zeroed(model_workspace(e->m));
		e->rows[i] = malloc(LANES * (size_t)map_features(&e->m->image) * sizeof(float));
		ready = e->ws[i] && e->rows[i];
	}
	if (ready)
		return OK;
	encoding_close(e);
	return err_set(err, ERR_NO_MEMORY, "no memory for the codes of the training images");
}

int mixture_fit(struct gmm *ret, const struct model *m, const real *w, const struct dataset *d, const struct kern *kern,
	struct pool *pool, struct err *err)
{
	struct encoding e = {.m = m, .w = w, .data = d, .kern = kern};
	if (!m->family->encode || !m->latent_dim)
		return err_set(err, ERR_UNSUPPORTED, "a model without an encoder has no codes to fit a mixture to");
	if (!d->split[SPLIT_TRAIN].n)
		return err_set(err, ERR_INVALID, "data set %s has no training images", d->name);
	int code = encoding_open(&e, pool_threads(pool), err);
	if (code)
		return code;
	pool_run(pool, (int)((e.n + LANES - 1) / LANES), encode_task, &e);
	code = gmm_fit(ret, e.code, e.n, m->latent_dim, pool, err);
	encoding_close(&e);
	return code;
}
