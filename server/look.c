#include "server/look.h"

#include "core/model/decode_all.h"
#include "core/model/sample.h"
#include "core/model/train.h"

#include <stdlib.h>

/* The images that a request for samples with the job's seed would get first: what was judged can be looked at. */
static int draw(float *z, size_t count, const struct look *l, struct err *err)
{
	const struct family *f = l->model->family;
	const struct sample_spec spec = {
		.distribution = (enum distribution)distribution_find(f->auto_distribution), .seed = l->seed};
	struct code_stats stats = *trainer_codes(l->trainer);
	stats.latent_dim = l->model->latent_dim;
	return sample_codes(z, count, &spec, &stats, err);
}

int look_paint(struct look *l, const real *w, size_t count, float **ret, struct err *err)
{
	float *z = malloc(count * (size_t)l->model->latent_dim * sizeof *z);
	float *images = malloc(count * (size_t)map_features(&l->model->image) * sizeof *images);
	int code = z && images ? draw(z, count, l, err) : err_set(err, ERR_NO_MEMORY, "no memory for %zu samples", count);
	if (!code)
		code = decode_all(l->model, w, z, count, images, l->pool, l->kern, err);
	free(z);
	if (code)
		free(images);
	else
		*ret = images;
	return code;
}

static int look(void *ctx, struct trainer *t, size_t count, struct verdict *ret, struct err *err)
{
	struct look *l = ctx;
	float *images;
	int code = look_paint(l, trainer_weights(t), count, &images, err);
	if (code)
		return code;
	code = judge_look(l->judge, l->pool, l->kern, images, count, ret, err);
	free(images);
	return code;
}

int look_open(struct look *l, struct evaluator *e, struct err *err)
{
	if (!l->model->judge_samples || !e || !evaluator_knows(e, l->data->sha256))
		return OK;
	int code = evaluator_judge(e, l->data, &l->judge, err);
	if (!code)
		trainer_judge(l->trainer, &(struct judge_hook){.ctx = l, .look = look});
	return code;
}
