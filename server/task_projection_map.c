#include "server/task_projection_internal.h"

#include "server/log.h"
#include "server/preview.h"
#include "server/projection_picture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* --- what is told of it --------------------------------------------------------------------------------------------------- */

static void write_choice(struct jsonw *out, const struct run *r, const struct projecting *w, const char *name)
{
	jw_key(out, name);
	spec_param_write(out, param_find(r->family->params, name), &w->p);
}

/* By the number of neighbours. */
static void write_by_k(struct jsonw *out, const char *key, const double *v)
{
	jw_key(out, key);
	jw_object(out);
	for (int i = 0; i < QUALITY_KS; i++) {
		char k[12];
		snprintf(k, sizeof k, "%d", quality_k[i]);
		jw_kreal(out, k, v[i]);
	}
	jw_end_object(out);
}

static void write_quality(struct jsonw *out, const struct projecting *w)
{
	const struct quality *q = &w->quality;
	jw_key(out, "quality");
	if (!w->measured) {
		jw_null(out);
		return;
	}
	jw_object(out);
	write_by_k(out, "trustworthiness", q->trustworthiness);
	write_by_k(out, "continuity", q->continuity);
	jw_kreal(out, "knn_recall", q->recall);
	jw_kreal(out, "knn_accuracy", q->accuracy);
	jw_kint(out, "points", (int64_t)q->sampled);
	jw_kint(out, "dims", w->width);
	jw_end_object(out);
}

static void write_facts(struct jsonw *out, const struct run *r, const struct projecting *w)
{
	write_choice(out, r, w, "method");
	write_choice(out, r, w, "space");
	write_choice(out, r, w, "split");
	jw_kstring(out, "dataset", r->job.dataset);
	jw_kint(out, "points", (int64_t)w->n);
	jw_kint(out, "components", (int64_t)w->map.components);
	jw_kint(out, "step", r->at.step);
	jw_kint(out, "steps", r->at.steps);
	if (w->pca.k) {
		jw_kreals(out, "explained_variance", w->pca.variance, w->map.components);
		jw_kreals(out, "explained_variance_ratio", w->pca.ratio, w->map.components);
	}
	if (w->tsne)
		jw_kreal(out, "kl_divergence", w->kl);
	write_quality(out, w);
	jw_key(out, "classes");
	jw_array(out);
	for (int c = 0; c < r->data->classes; c++)
		jw_string(out, r->data->class_name[c]);
	jw_end_array(out);
}

/* With what new points of PCA are laid beside the others. */
static void add_components(struct state *s, const struct projecting *w)
{
	const struct pca *p = &w->pca;
	const int64_t k = (int64_t)w->map.components, d = (int64_t)p->d;
	state_add(s, "mean", DTYPE_F64, 1, &d, p->mean);
	state_add(s, "components", DTYPE_F64, 2, (int64_t[]){k, d}, p->component);
	state_add(s, "explained_variance", DTYPE_F64, 1, &k, p->variance);
	state_add(s, "explained_variance_ratio", DTYPE_F64, 1, &k, p->ratio);
}

int projecting_keep_map(struct run *r, struct projecting *w, struct err *err)
{
	struct buf facts = BUF_INIT;
	struct state more = {0};
	struct jsonw out;
	jw_init(&out, &facts, false);
	jw_object(&out);
	write_facts(&out, r, w);
	jw_end_object(&out);
	if (w->pca.k)
		add_components(&more, w);
	int code = facts.failed || more.failed ? err_set(err, ERR_NO_MEMORY, "out of memory") : OK;
	if (!code) { /* the members without their braces */
		facts.data[facts.len - 1] = '\0';
		w->map.facts = facts.data + 1;
		code = projection_write(r->config->data_dir, r->job.id, &w->map, &more, err);
	}
	w->map.facts = NULL;
	state_free(&more);
	buf_free(&facts);
	return code;
}

/* --- its picture ---------------------------------------------------------------------------------------------------------- */

static int paint(const struct run *r, const struct projecting *w, const struct blob_preview *p, struct err *err)
{
	struct canvas canvas;
	const struct projection_picture picture = {.map = &w->map,
		.classes = r->data->classes,
		.label = r->data->class_name,
		.step = r->at.step,
		.kl = w->kl,
		.share = w->pca.k ? w->pca.ratio[0] + (w->map.components > 1 ? w->pca.ratio[1] : 0) : (double)NAN};
	int code = projection_paint(&canvas, &picture, err);
	if (code)
		return code;
	code = preview_write_one(r->config->data_dir, r->job.id, p, &canvas, err);
	canvas_close(&canvas);
	return code;
}

/* As of any preview: that it failed is told, and the run goes on. */
void projecting_show_map(struct run *r, struct projecting *w)
{
	static const char *const map[] = {"map"};
	struct err err = {0};
	struct blob_preview p = {.epoch = r->at.epoch, .what = "map"};
	if (job_step_at(&r->job, p.epoch) != r->at.step)
		p.step = r->at.step;
	if (paint(r, w, &p, &err)) {
		log_warn(
			"preview failed", "job=%s step=%lld error=%s", r->job.id, (long long)r->at.step, log_quote(err.message));
		run_log(r, "warn", "the preview of step %lld failed: %s", (long long)r->at.step, err.message);
	} else {
		run_previewed(r, p.epoch, p.step, map, 1);
	}
}

/* --- how good it is ------------------------------------------------------------------------------------------------------- */

/* Of the first two dimensions, which are what is seen. */
static double *plane_of(const struct projecting *w)
{
	double *xy = malloc(w->n * 2 * sizeof *xy);
	for (size_t i = 0; xy && i < 2 * w->n; i++)
		xy[i] = w->map.y[i / 2 * w->map.components + i % 2];
	return xy;
}

int projecting_measure(struct run *r, struct projecting *w, struct err *err)
{
	if (w->map.components < 2)
		return OK;
	int code = w->near ? OK : projecting_take_near(r, w, err);
	double *xy = code ? NULL : plane_of(w);
	if (!code && !xy)
		code = err_set(err, ERR_NO_MEMORY, "no memory to measure a map");
	const struct halt halt = {.told = run_told_to_halt, .ctx = r};
	const struct quality_of of = {.x = w->near,
		.n = w->n,
		.d = w->width,
		.map = xy,
		.labels = w->map.label,
		.seed = r->job.seed,
		.halt = &halt};
	if (!code)
		code = quality_measure(&w->quality, &of, r->config->pool, r->config->kern, err);
	w->measured = !code;
	free(xy);
	return code;
}
