#include "server/worker_internal.h"

#include "core/model/decode_all.h"
#include "core/model/sample.h"
#include "server/score.h"

#include <math.h>
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

/* `count` samples of weights w, malloc'd. */
static int paint(struct run *r, const real *w, size_t count, float **ret, struct err *err)
{
	float *z = malloc(count * (size_t)r->model.latent_dim * sizeof *z);
	float *images = malloc(count * (size_t)map_features(&r->model.image) * sizeof *images);
	int code = z && images ? draw(z, count, r, err) : err_set(err, ERR_NO_MEMORY, "no memory for %zu samples", count);
	if (!code)
		code = decode_all(&r->model, w, z, count, images, r->config->pool, r->config->kern, err);
	free(z);
	if (code)
		free(images);
	else
		*ret = images;
	return code;
}

static int look(void *ctx, struct trainer *t, size_t count, struct verdict *ret, struct err *err)
{
	struct run *r = ctx;
	float *images;
	int code = paint(r, trainer_weights(t), count, &images, err);
	if (code)
		return code;
	code = judge_look(r->judge, r->config->pool, r->config->kern, images, count, ret, err);
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

/* Of few samples only what a look tells. */
static int report_on(struct run *r, const float *images, size_t n, struct judge_report *ret, struct err *err)
{
	const double unknown = (double)NAN;
	struct pool *pool = r->config->pool;
	const struct kern *kern = r->config->kern;
	if (n >= JUDGE_IMAGES_MIN) {
		int code = judge_floor(r->judge, pool, kern, r->data, err);
		return code ? code : judge_score(r->judge, pool, kern, images, n, ret, err);
	}
	*ret = (struct judge_report){.fcd_floor = unknown,
		.fcd_inf = unknown,
		.kid = unknown,
		.kid_sd = unknown,
		.classifier_score = unknown,
		.unsure_share = unknown,
		.prdc = {
			.precision = unknown, .recall = unknown, .density = unknown, .coverage = unknown, .duplicates = unknown}};
	return judge_look(r->judge, pool, kern, images, n, &ret->look, err);
}

int run_score(struct run *r, const real *w, struct jsonw *out, struct err *err)
{
	struct judge_report report;
	float *images;
	int code = paint(r, w, r->model.judge_samples, &images, err);
	if (code)
		return code;
	code = report_on(r, images, r->model.judge_samples, &report, err);
	free(images);
	if (!code)
		score_write(out, &report, r->data);
	return code;
}
