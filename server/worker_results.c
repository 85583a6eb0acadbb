#include "server/worker_internal.h"

#include "api/confusion.h"
#include "server/checkpoint.h"

#include <stdlib.h>
#include <string.h>

/* The weights that a request without @ gets once the job has ended. */
struct served {
	struct model m;
	real *w;
};

static int served_open(struct served *ret, struct run *r, struct err *err)
{
	struct checkpoint c;
	int code = checkpoint_pick(&c, r->config->data_dir, &r->job, r->job.best_epoch ? "best" : "last", err);
	if (code)
		return code;
	code = checkpoint_model(&c, &ret->m, &ret->w, err);
	checkpoint_free(&c);
	return code;
}

static void served_close(struct served *s)
{
	free(s->w);
	model_free(&s->m);
}

static int take_text(struct buf *b, struct jsonw *w, char **ret, struct err *err)
{
	jw_end_object(w);
	*ret = buf_take(b, NULL);
	return *ret ? OK : err_set(err, ERR_NO_MEMORY, "out of memory");
}

/* Every val_X of the kind gives an X. */
static int write_means(struct run *r, const real *w, struct jsonw *out, struct err *err)
{
	static const char prefix[] = "val_";
	double mean[RESULT_PARTS];
	int code = trainer_evaluate(r->trainer, SPLIT_TEST, w, mean, err), i = 0;
	if (code)
		return code;
	for (const struct series *s = r->model.family->series; s->name; s++) {
		if (s->per_step)
			continue;
		if (!strncmp(s->name, prefix, strlen(prefix)))
			jw_kreal(out, s->name + strlen(prefix), mean[i]);
		i++;
	}
	return OK;
}

/* {"loss":…}, or what a judge says of samples. */
static int test_text(struct run *r, const real *w, char **ret, struct err *err)
{
	struct buf b = BUF_INIT;
	struct jsonw out;
	const bool validates = family_validates(r->model.family);
	if (!validates && !r->look.judge)
		return OK;
	jw_init(&out, &b, false);
	jw_object(&out);
	int code = validates ? write_means(r, w, &out, err) : run_score(r, w, &out, err);
	if (!code)
		return take_text(&b, &out, ret, err);
	buf_free(&b);
	return code;
}

static int gap_text(struct run *r, const real *w, char **ret, struct err *err)
{
	struct buf b = BUF_INIT;
	struct jsonw out;
	struct gap gap = {0};
	int code = !family_validates(r->model.family) ? OK : trainer_gap(r->trainer, w, &gap, err);
	if (code || !gap.images)
		return code;
	jw_init(&out, &b, false);
	jw_object(&out);
	jw_kstring(&out, "metric", "loss");
	jw_kreal(&out, "train", gap.train);
	jw_kreal(&out, "val", gap.val);
	jw_kreal(&out, "gap", gap.val - gap.train);
	jw_kreal(&out, "relative", (gap.val - gap.train) / gap.train);
	return take_text(&b, &out, ret, err);
}

/* Of the test images; it is stored by itself, as it may be large. */
static int keep_confusion(struct run *r, const real *w, struct err *err)
{
	struct confusion c;
	struct buf b = BUF_INIT;
	struct jsonw out;
	if (!family_can(r->model.family, ABILITY_CLASSIFY))
		return OK;
	int code = confusion_open(&c, r->model.classes, err);
	if (code)
		return code;
	code = trainer_confusion(r->trainer, SPLIT_TEST, w, c.count, err);
	for (int k = 0; k < c.classes; k++)
		memcpy(c.label[k], r->data->class_name[k], sizeof c.label[k]);
	jw_init(&out, &b, false);
	confusion_write(&out, &c);
	if (!code && b.failed)
		code = err_set(err, ERR_NO_MEMORY, "out of memory");
	if (!code)
		store_result(r->config->store, r->job.id, "confusion", b.data);
	buf_free(&b);
	confusion_free(&c);
	return code;
}

int run_results(struct run *r, struct run_results *ret, struct err *err)
{
	struct served served;
	struct run_results results = {0};
	int code = served_open(&served, r, err);
	if (code)
		return code;
	code = test_text(r, served.w, &results.test, err);
	if (!code)
		code = gap_text(r, served.w, &results.generalisation_gap, err);
	if (!code)
		code = keep_confusion(r, served.w, err);
	served_close(&served);
	if (code)
		run_results_free(&results);
	else
		*ret = results;
	return code;
}

void run_results_free(struct run_results *results)
{
	free(results->test);
	free(results->generalisation_gap);
	*results = (struct run_results){0};
}
