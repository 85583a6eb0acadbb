/* evaluate.c: what weights are worth, without gradients: over a split, and on held-out images beside training images. */
#include "core/model/trainer.h"

#include <stdlib.h>
#include <string.h>

static void make_means(double part[RESULT_PARTS], size_t n)
{
	for (int i = 0; i < RESULT_PARTS; i++)
		part[i] /= (double)n;
}

int trainer_evaluate(struct trainer *t, enum split split, const real *w, double ret_mean[RESULT_PARTS], struct err *err)
{
	size_t n = t->data->split[split].n;
	if (!n)
		return err_set(err, ERR_INVALID, "the %s part of data set %s is empty", split_names[split], t->data->name);
	trainer_pass(t, split, NULL, n, w ? w : t->served, ret_mean);
	make_means(ret_mean, n);
	return OK;
}

int trainer_gap(struct trainer *t, const real *w, struct gap *ret, struct err *err)
{
	double part[RESULT_PARTS];
	size_t n = t->vals < t->trains ? t->vals : t->trains;
	*ret = (struct gap){0};
	if (!n)
		return OK;
	uint32_t *sample = malloc(n * sizeof *sample);
	if (!sample)
		return err_set(err, ERR_NO_MEMORY, "no memory for a sample of the training images");
	for (size_t i = 0; i < n; i++)
		sample[i] = t->train[i * t->trains / n];
	trainer_pass(t, SPLIT_TRAIN, sample, n, w ? w : t->served, part);
	ret->train = part[0] / (double)n;
	free(sample);
	trainer_pass(t, SPLIT_TRAIN, t->val, t->vals, w ? w : t->served, part);
	ret->val = part[0] / (double)t->vals;
	ret->images = n;
	return OK;
}

/* --- confusion ---------------------------------------------------------------------------------------------------------- */

struct guess {
	struct trainer *t;
	const struct dataset_split *split;
	const real *w;
	uint8_t *predicted; /* [images] */
	float **rows;       /* [pool threads][LANES][pixels + classes] */
};

static void guess_block(const struct guess *g, size_t from, int lanes, int slot)
{
	const struct model *m = g->t->m;
	size_t pixels = (size_t)map_features(&m->image), values = (size_t)lanes * pixels;
	float *rows = g->rows[slot], *logits = rows + LANES * pixels;
	for (size_t i = 0; i < values; i++)
		rows[i] = (float)g->split->images[from * pixels + i] / 255.0f;
	m->family->logits(m, g->t->kern, g->w, g->t->ws[slot], rows, lanes, logits);
	for (int l = 0; l < lanes; l++)
		g->predicted[from + (size_t)l] = (uint8_t)model_class(m, logits + l * m->classes);
}

static void guess_task(void *ctx, int task, int slot)
{
	const struct guess *g = ctx;
	size_t end = (size_t)(task + 1) * SPAN_IMAGES;
	if (end > g->split->n)
		end = g->split->n;
	for (size_t from = (size_t)task * SPAN_IMAGES; from < end; from += LANES)
		guess_block(g, from, end - from < LANES ? (int)(end - from) : LANES, slot);
}

static int guess_open(struct guess *g, int threads, struct err *err)
{
	const struct model *m = g->t->m;
	size_t floats = LANES * ((size_t)map_features(&m->image) + (size_t)m->classes);
	bool enough = true;
	g->predicted = malloc(g->split->n + 1);
	g->rows = calloc((size_t)threads, sizeof *g->rows);
	for (int i = 0; g->rows && i < threads; i++)
		enough = (g->rows[i] = malloc(floats * sizeof **g->rows)) && enough;
	return g->predicted && g->rows && enough ? OK : err_set(err, ERR_NO_MEMORY, "no memory to tell classes apart");
}

static void guess_close(struct guess *g, int threads)
{
	for (int i = 0; g->rows && i < threads; i++)
		free(g->rows[i]);
	free(g->rows);
	free(g->predicted);
}

int trainer_confusion(struct trainer *t, enum split split, const real *w, int64_t *ret_count, struct err *err)
{
	struct guess g = {.t = t, .split = &t->data->split[split], .w = w ? w : t->served};
	size_t classes = (size_t)t->m->classes;
	int threads = pool_threads(t->pool);
	if (!t->m->family->logits)
		return err_set(err, ERR_UNSUPPORTED, "kind %s tells no classes apart", t->m->family->name);
	int code = guess_open(&g, threads, err);
	if (!code) {
		pool_run(t->pool, (int)((g.split->n + SPAN_IMAGES - 1) / SPAN_IMAGES), guess_task, &g);
		memset(ret_count, 0, classes * classes * sizeof *ret_count);
		for (size_t i = 0; i < g.split->n; i++)
			ret_count[g.split->labels[i] * classes + g.predicted[i]]++;
	}
	guess_close(&g, threads);
	return code;
}
