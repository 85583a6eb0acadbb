#include "server/handlers/handlers.h"

#include "api/pytorch.h"
#include "api/view.h"
#include "server/limits.h"
#include "server/model_use.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int h_decode(struct call *c, struct err *err)
{
	struct published *p;
	struct rows z;
	int code = use_acquire_painter(c, &p, err);
	if (code)
		return code;
	if (!(code = input_codes(c, p, &z, err))) {
		code = use_decode(c, p, &z, false, err);
		rows_free(&z);
	}
	published_put(p);
	return code;
}

int h_decode_get(struct call *c, struct err *err)
{
	struct published *p;
	struct rows z;
	int code = use_acquire_painter(c, &p, err);
	if (code)
		return code;
	if (!(code = input_codes_text(c, p, &z, err))) {
		if (!call_unchanged(c, p->etag))
			code = use_decode(c, p, &z, false, err);
		rows_free(&z);
	}
	published_put(p);
	return code;
}

/* --- sampling --- */

static int draw(struct call *c, struct published *p, struct sample_request *r, struct err *err)
{
	struct rows z;
	int code = use_draw(c, p, &r->spec, (size_t)r->count, &z, err);
	if (code)
		return code;
	z.cols = r->cols;
	code = use_decode(c, p, &z, true, err);
	rows_free(&z);
	return code;
}

static int sample(struct call *c, bool cacheable, struct err *err)
{
	static const struct sample_rule rule = {.count = 64, .min = 1, .max = LIMIT_VECTORS, .cols = LIMIT_GRID_IMAGES};
	struct published *p;
	struct sample_request r;
	int code = use_acquire_painter(c, &p, err);
	if (code)
		return code;
	if (!(code = input_sample(c, p, &rule, &r, err)) && !(cacheable && call_unchanged(c, p->etag)))
		code = draw(c, p, &r, err);
	published_put(p);
	return code;
}

int h_sample(struct call *c, struct err *err)
{
	return sample(c, false, err);
}

int h_samples_get(struct call *c, struct err *err)
{
	return sample(c, true, err);
}

/* --- encoding --- */

/* Means of all rows, then log variances of all rows. */
static int posterior(const struct model *m, const struct kern *k, const real *w, real *ws, const float *in, size_t n,
	float *out, struct err *err)
{
	return model_posterior(m, k, w, ws, in, n, out, out + n * m->latent_dim, err);
}

static int encode_rows(struct call *c, const struct published *p, const struct rows *images, struct err *err)
{
	bool spread = p->model.family->posterior;
	size_t d = (size_t)p->model.latent_dim;
	struct rows codes;
	int code = use_compute(c, p, spread ? posterior : model_encode, images, spread ? 2 * d : d, &codes, err);
	if (code)
		return code;
	const struct rows z = {.v = codes.v, .n = codes.n, .width = d},
					  logvar = {.v = codes.v + z.n * d, .n = codes.n, .width = d};
	code = output_codes(c, &z, spread ? &logvar : NULL, err);
	rows_free(&codes);
	return code;
}

int h_encode(struct call *c, struct err *err)
{
	struct published *p;
	struct rows images;
	int code = use_acquire(c, &p, err);
	if (code)
		return code;
	if (!(code = input_images(c, p, &images, err))) {
		code = encode_rows(c, p, &images, err);
		rows_free(&images);
	}
	published_put(p);
	return code;
}

int h_reconstruct(struct call *c, struct err *err)
{
	struct published *p;
	struct rows images, again;
	int code = use_acquire(c, &p, err);
	if (code)
		return code;
	if (!(code = input_images(c, p, &images, err))) {
		if (!(code = use_compute(c, p, model_reconstruct, &images, images.width, &again, err))) {
			code = output_images(c, p, &again, NULL, err);
			rows_free(&again);
		}
		rows_free(&images);
	}
	published_put(p);
	return code;
}

/* --- classes --- */

/* The names are the data set's; numbers where that has gone. */
static int write_predictions(struct call *c, const struct published *p, const struct rows *r, struct err *err)
{
	struct job job;
	struct dataset *d = NULL;
	struct jsonw w;
	int code = store_get(c->daemon->store, p->job_id, &job, err);
	if (code)
		return code;
	if (cache_dataset(c->daemon->cache, job.dataset, &d, NULL))
		d = NULL;
	job_free(&job);
	call_json(c, &w, 200);
	jw_object(&w);
	jw_key(&w, "predictions");
	jw_array(&w);
	for (size_t i = 0; i < r->n; i++) {
		char number[12];
		int class = model_class(&p->model, r->v + i * r->width);
		snprintf(number, sizeof number, "%d", class);
		jw_object(&w);
		jw_kstring(&w, "label", d && class < d->classes ? d->class_name[class] : number);
		jw_kint(&w, "class", class);
		jw_key(&w, "probabilities");
		jw_reals(&w, r->v + i * r->width, r->width);
		jw_end_object(&w);
	}
	jw_end_array(&w);
	jw_end_object(&w);
	if (d)
		dataset_put(d);
	return call_json_end(c, &w, err);
}

int h_classify(struct call *c, struct err *err)
{
	struct published *p;
	struct rows images, found;
	int code = use_acquire(c, &p, err);
	if (code)
		return code;
	if (!(code = input_images(c, p, &images, err))) {
		if (!(code = use_compute(c, p, model_classify, &images, (size_t)p->model.classes, &found, err))) {
			code = c->format == FORMAT_NPY ? output_npy(c, found.v, (int64_t[]){(int64_t)found.n, (int64_t)found.width}, 2, err)
										   : write_predictions(c, p, &found, err);
			rows_free(&found);
		}
		rows_free(&images);
	}
	published_put(p);
	return code;
}

/* --- what there is --- */

int h_model(struct call *c, struct err *err)
{
	struct published *p;
	int code = use_acquire(c, &p, err);
	if (code)
		return code;
	struct jsonw w;
	call_json(c, &w, 200);
	view_model(&w, p->job_id, &p->model, p->epoch, p->step, published_auto(p), &p->codes);
	published_put(p);
	return call_json_end(c, &w, err);
}

int h_pytorch(struct call *c, struct err *err)
{
	struct published *p;
	int code = use_acquire(c, &p, err);
	if (code)
		return code;
	char url[700]; /* to be pasted into a shell: whole, and of the checkpoint that was asked for */
	const char *at = strrchr(c->arg[0], '@');
	snprintf(url, sizeof url, "http://%s%s/v1/models/%s%s/weights", c->req.host, c->daemon->config->path_prefix, p->job_id, at ? at : "");
	c->resp.status = 200;
	c->resp.type = "text/x-python; charset=utf-8";
	pytorch_print(&c->resp.body, &p->model, url);
	published_put(p);
	return c->resp.body.failed ? err_set(err, ERR_NO_MEMORY, "out of memory") : OK;
}

/* A list shows what the store knows: it loads no weights. */
static void view_entry(struct call *c, struct jsonw *w, const struct job *job)
{
	char url[256];
	const struct family *f = family_find(job->kind);
	jw_object(w);
	jw_kstring(w, "id", job->id);
	jw_kstring(w, "object", "model");
	jw_kstring(w, "name", *job->name ? job->name : NULL);
	jw_kstring(w, "kind", job->kind);
	jw_kstring(w, "status", job_status_name(job->status));
	jw_kint(w, "epoch", job->epoch);
	if (f)
		view_abilities(w, f);
	snprintf(url, sizeof url, "%s/v1/models/%s", c->daemon->config->path_prefix, job->id);
	jw_kstring(w, "url", url);
	jw_end_object(w);
}

static bool can_decode(const struct job *job)
{
	return !job_check_trains(job, NULL) && (job_live(job->status) || job->epoch > 0);
}

/* Jobs are read a page at a time until enough of them can decode. */
struct listing {
	struct call *call;
	struct jsonw *w;
	struct store_filter filter;
	char after[JOB_ID_SIZE], first[JOB_ID_SIZE], last[JOB_ID_SIZE];
	int wanted;
	bool more;
};

static int list_page(struct listing *l, struct err *err)
{
	struct job *jobs;
	int n;
	int code = store_list(l->call->daemon->store, &l->filter, &jobs, &n, &l->more, err);
	if (code)
		return code;
	for (int i = 0; i < n; i++) {
		if (can_decode(&jobs[i]) && l->wanted) {
			view_entry(l->call, l->w, &jobs[i]);
			snprintf(l->last, sizeof l->last, "%s", jobs[i].id);
			if (!*l->first)
				strcpy(l->first, l->last);
			l->wanted--;
		} else if (can_decode(&jobs[i])) {
			l->more = true;
		}
		snprintf(l->after, sizeof l->after, "%s", jobs[i].id);
		job_free(&jobs[i]);
	}
	free(jobs);
	l->filter.after = l->after;
	return OK;
}

int h_models(struct call *c, struct err *err)
{
	const struct uri *u = &c->req.uri;
	bool ascending = false;
	int64_t limit = 20;
	int code = uri_int(u, "limit", 1, LIMIT_LIST, &limit, err);
	if (!code)
		code = uri_order(u, &ascending, err);
	if (code)
		return code;
	struct jsonw w;
	struct listing l = {.call = c, .w = &w, .wanted = (int)limit, .more = true};
	l.filter = (struct store_filter){.after = uri_get(u, "after"), .limit = LIMIT_LIST, .ascending = ascending};
	call_json(c, &w, 200);
	view_list_begin(&w);
	while (!code && l.wanted && l.more)
		code = list_page(&l, err);
	view_list_end(&w, *l.first ? l.first : NULL, *l.last ? l.last : NULL, l.more);
	return code ? code : call_json_end(c, &w, err);
}
