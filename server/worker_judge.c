#include "server/worker_internal.h"

#include "core/model/sample.h"

#include <stdlib.h>

/* The images that a request for samples with the job's seed would get first: what was judged can be looked at. */
static int draw(float *z, size_t count, const struct run *r, struct err *err)
{
	const struct family *f = r->model.family;
	const struct sample_spec spec = {
		.distribution = (enum distribution)distribution_find(f->auto_distribution), .seed = r->job.seed};
	struct code_stats stats = *trainer_codes(r->trainer);
	stats.latent_dim = r->model.latent_dim;
	return sample_codes(z, count, &spec, &stats, err);
}

static int look(void *ctx, struct trainer *t, size_t count, struct verdict *ret, struct err *err)
{
	struct run *r = ctx;
	float *z = malloc(count * (size_t)r->model.latent_dim * sizeof *z);
	float *images = malloc(count * (size_t)map_features(&r->model.image) * sizeof *images);
	int code = z && images ? draw(z, count, r, err) : err_set(err, ERR_NO_MEMORY, "no memory for %zu samples", count);
	if (!code) {
		trainer_generate(t, z, count, images);
		code = judge_look(r->judge, r->config->pool, r->config->kern, images, count, ret, err);
	}
	free(z);
	free(images);
	return code;
}

int run_judge(struct run *r, struct err *err)
{
	struct evaluator *e = r->config->evaluator;
	if (!r->model.judge_samples || !e || !evaluator_knows(e, r->data->sha256))
		return OK;
	int code = evaluator_judge(e, r->data, &r->judge, err);
	if (!code)
		trainer_judge(r->trainer, &(struct judge_hook){.ctx = r, .look = look});
	return code;
}
