/* score.c: what the judge says of a model's samples: its figures, and a picture of each class. */
#include "server/handlers/handlers.h"

#include "api/class_sheet.h"
#include "core/model/decode_all.h"
#include "server/limits.h"
#include "server/model_use.h"
#include "server/score.h"

#include <stdlib.h>
#include <string.h>

/* Of the four lanes so many may judge at a time: the others go on serving. */
enum { JUDGING_MAX = 2, SHEET_COLS = 10, SHEET_COLS_MAX = 64, SHEET_COUNT = 1000 };

/* A model, the judge of its data set, and samples for it. */
struct judging {
	struct published *p;
	struct dataset *data;
	struct judge *judge;
	struct sample_request request;
	struct rows images;
};

static void trial_close(struct judging *t)
{
	rows_free(&t->images);
	if (t->data)
		dataset_put(t->data);
	published_put(t->p);
}

static int check_known(const struct call *c, const struct published *p, struct err *err)
{
	const struct evaluator *e = c->daemon->evaluator;
	if (evaluator_knows(e, p->dataset_sha256))
		return OK;
	return err_set(err, ERR_NO_JUDGE,
		"the evaluator knows Fashion-MNIST only (data set of sha256 %.12s…); %s was trained on '%s' (%.12s…)",
		evaluator_facts(e)->dataset_sha256, c->arg[0], p->dataset, p->dataset_sha256);
}

static int need_data(struct call *c, struct judging *t, struct err *err)
{
	int code = cache_dataset(c->daemon->cache, t->p->dataset, &t->data, err);
	if (code)
		return code;
	if (evaluator_knows(c->daemon->evaluator, t->data->sha256))
		return OK;
	return err_set(err, ERR_DATASET_CHANGED, "data set %s is not what %s was trained on; put the old files back",
		t->p->dataset, c->arg[0]);
}

static int draw(struct call *c, struct judging *t, struct err *err)
{
	const struct model *m = &t->p->model;
	struct rows z;
	int code = use_draw(c, t->p, &t->request.spec, (size_t)t->request.count, &z, err);
	if (code)
		return code;
	if (!(code = rows_alloc(&t->images, z.n, (size_t)map_features(&m->image), err)))
		code = decode_all(m, t->p->w, z.v, z.n, t->images.v, c->daemon->pool, c->daemon->kern, err);
	rows_free(&z);
	return code;
}

typedef int trial_fn(struct call *c, struct judging *t, struct err *err);

/* Between things that take a second: nobody waits for the rest of a daemon that stops. */
static int check_draining(const struct call *c, struct err *err)
{
	return atomic_load(&c->daemon->draining) ? err_set(err, ERR_UNAVAILABLE, "the daemon is stopping") : OK;
}

/* Everything up to the samples and the judge, then fn. */
static int hold_trial(struct call *c, const struct sample_rule *rule, trial_fn *fn, struct err *err)
{
	struct judging t = {0};
	int code = use_acquire_painter(c, &t.p, err);
	if (code)
		return code;
	code = input_sample(c, t.p, rule, &t.request, err);
	if (!code)
		code = check_known(c, t.p, err);
	if (!code && !method_changes(c->req.method) && call_unchanged(c, t.p->etag)) {
		trial_close(&t);
		return OK;
	}
	if (!code)
		code = need_data(c, &t, err);
	if (!code)
		code = evaluator_judge(c->daemon->evaluator, t.data, &t.judge, err);
	if (!code)
		code = check_draining(c, err);
	if (!code)
		code = draw(c, &t, err);
	if (!code)
		code = check_draining(c, err);
	if (!code)
		code = fn(c, &t, err);
	trial_close(&t);
	return code;
}

static int judge_in_turn(struct call *c, const struct sample_rule *rule, trial_fn *fn, struct err *err)
{
	atomic_int *judging = &c->daemon->judging;
	int code =
		atomic_fetch_add(judging, 1) < JUDGING_MAX
			? hold_trial(c, rule, fn, err)
			: err_set(err, ERR_FULL, "%d models are being judged already; ask again in a few seconds", JUDGING_MAX);
	atomic_fetch_sub(judging, 1);
	return code;
}

/* --- figures ---------------------------------------------------------------------------------------------------------------- */

void evaluator_write(struct jsonw *w, const struct evaluator *e)
{
	const struct evaluator_facts *f = evaluator_facts(e);
	jw_key(w, "evaluator");
	jw_object(w);
	jw_kstring(w, "sha256", f->sha256);
	jw_kreal(w, "accuracy", f->accuracy);
	jw_kstring(w, "dataset_sha256", f->dataset_sha256);
	jw_end_object(w);
}

static int write_score(struct call *c, const struct judging *t, const struct judge_report *r, struct err *err)
{
	struct jsonw w;
	call_json(c, &w, 200);
	jw_object(&w);
	jw_kstring(&w, "object", "score");
	jw_kstring(&w, "model", t->p->job_id);
	jw_kstring(&w, "distribution", distribution_name(t->request.spec.distribution));
	jw_kint(&w, "seed", (int64_t)t->request.spec.seed);
	score_write(&w, r, t->data);
	evaluator_write(&w, c->daemon->evaluator);
	jw_end_object(&w);
	return call_json_end(c, &w, err);
}

static int score(struct call *c, struct judging *t, struct err *err)
{
	struct judge_report report;
	struct pool *pool = c->daemon->pool;
	const struct kern *kern = c->daemon->kern;
	int code = judge_floor(t->judge, pool, kern, t->data, err);
	if (!code)
		code = check_draining(c, err);
	if (!code)
		code = judge_score(t->judge, pool, kern, t->images.v, t->images.n, &report, err);
	return code ? code : write_score(c, t, &report, err);
}

int h_score(struct call *c, struct err *err)
{
	static const struct sample_rule rule = {
		.count = JUDGE_IMAGES_MAX, .min = JUDGE_IMAGES_MIN, .max = JUDGE_IMAGES_MAX};
	return judge_in_turn(c, &rule, score, err);
}

/* --- a picture -------------------------------------------------------------------------------------------------------------- */

static int sheet(struct call *c, struct judging *t, struct err *err)
{
	const struct map *m = &t->p->model.image;
	struct canvas canvas;
	float *probabilities = malloc(t->images.n * (size_t)judge_classes(t->judge) * sizeof *probabilities);
	if (!probabilities)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	int code = judge_read(t->judge, c->daemon->pool, c->daemon->kern, t->images.v, t->images.n,
		&(struct judge_reading){.probabilities = probabilities}, err);
	if (!code)
		code = class_sheet_canvas(&canvas,
			&(struct class_sheet){.images = t->images.v,
				.n = t->images.n,
				.c = m->c,
				.h = m->h,
				.w = m->w,
				.classes = judge_classes(t->judge),
				.probabilities = probabilities,
				.label = (const char(*)[DATASET_CLASS_NAME_MAX + 1]) t->data->class_name,
				.cols = t->request.cols ? (int)t->request.cols : SHEET_COLS},
			err);
	free(probabilities);
	return code ? code : call_png(c, &canvas, err);
}

int h_classes(struct call *c, struct err *err)
{
	static const struct sample_rule rule = {
		.count = SHEET_COUNT, .min = 1, .max = LIMIT_VECTORS, .cols = SHEET_COLS_MAX};
	return judge_in_turn(c, &rule, sheet, err);
}
