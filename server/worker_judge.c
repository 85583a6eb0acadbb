#include "server/worker_internal.h"

#include "server/score.h"

#include <math.h>
#include <stdlib.h>

int run_judge(struct run *r, struct err *err)
{
	r->look = (struct look){.model = &r->model,
		.trainer = r->trainer,
		.data = r->data,
		.pool = r->config->pool,
		.kern = r->config->kern,
		.seed = r->job.seed};
	return look_open(&r->look, r->config->evaluator, err);
}

/* Of few samples only what a look tells. */
static int report_on(struct run *r, const float *images, size_t n, struct judge_report *ret, struct err *err)
{
	const double unknown = (double)NAN;
	struct pool *pool = r->config->pool;
	const struct kern *kern = r->config->kern;
	if (n >= JUDGE_IMAGES_MIN) {
		int code = judge_floor(r->look.judge, pool, kern, r->data, err);
		return code ? code : judge_score(r->look.judge, pool, kern, images, n, ret, err);
	}
	*ret = (struct judge_report){.fcd_floor = unknown,
		.fcd_inf = unknown,
		.kid = unknown,
		.kid_sd = unknown,
		.classifier_score = unknown,
		.unsure_share = unknown,
		.prdc = {
			.precision = unknown, .recall = unknown, .density = unknown, .coverage = unknown, .duplicates = unknown}};
	return judge_look(r->look.judge, pool, kern, images, n, &ret->look, err);
}

int run_score(struct run *r, const real *w, struct jsonw *out, struct err *err)
{
	struct judge_report report;
	float *images;
	int code = look_paint(&r->look, w, r->model.judge_samples, &images, err);
	if (code)
		return code;
	code = report_on(r, images, r->model.judge_samples, &report, err);
	free(images);
	if (!code)
		score_write(out, &report, r->data);
	return code;
}
