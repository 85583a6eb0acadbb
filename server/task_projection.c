#include "server/task_projection.h"

#include "core/lab/pca.h"
#include "core/lab/projection.h"
#include "core/model/encode_all.h"
#include "server/projection_file.h"
#include "server/worker_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- before it is queued -------------------------------------------------------------------------------------------------- */

static size_t width_of(const struct projection_params *p, const struct model *m, const struct dataset_head *head)
{
	return p->space == PROJECTION_CODES ? (size_t)m->latent_dim : (size_t)head->c * (size_t)head->h * (size_t)head->w;
}

static size_t bytes_of(const struct projection_params *p, size_t n, size_t d)
{
	size_t points = n * (sizeof(int64_t) + sizeof(uint32_t) + 1 + (size_t)p->components * sizeof(double));
	if (p->space == PROJECTION_CODES)
		points += n * d * sizeof(float);
	return points + pca_bytes(n, d, (size_t)p->components);
}

/* Multiply-adds of the covariance, of its eigenvectors and of the points along these. */
static double flops_of(const struct projection_params *p, size_t n, size_t d)
{
	const double points = (double)n, width = (double)d, side = (double)(n < d ? n : d);
	return side * side * (n < d ? width : points) + 5 * side * side * side + 4 * points * width * (double)p->components;
}

static int estimate(const struct sched_config *config, const struct spec *spec, const struct origin *o,
	struct estimate *ret, struct err *err)
{
	const struct projection_params *p = spec->params;
	struct dataset_head head;
	int code = cache_peek(config->cache, spec->dataset, &head, err);
	if (code) {
		if (err)
			snprintf(err->pointer, sizeof err->pointer, "#/dataset");
		return code;
	}
	code = p->space == PROJECTION_CODES ? origin_check_image(o, &head, err) : OK;
	if (code)
		return code;
	const size_t images = head.n[projection_split(p)], n = projection_points(p, images),
				 d = width_of(p, &o->model, &head);
	code = projection_check(p, images, d, err);
	if (code)
		return code;
	const int64_t steps = projection_steps(p), each = projection_epoch_steps(p);
	*ret = (struct estimate){.memory_bytes = bytes_of(p, n, d),
		.flops_per_epoch = flops_of(p, n, d),
		.seconds_per_epoch = -1,
		.epochs = (int)((steps + each - 1) / each),
		.steps = steps,
		.steps_per_epoch = each};
	return OK;
}

/* --- a run ---------------------------------------------------------------------------------------------------------------- */

struct projecting {
	struct projection_params p;
	size_t n;
	uint32_t *image; /* [n]: which of the split */
	float *codes;    /* [n][d]; NULL: pixels */
	struct points points;
	struct projection_map map; /* y, index and label are ours */
	struct pca pca;            /* k 0: not fitted */
};

static int fail_memory(struct err *err)
{
	return err_set(err, ERR_NO_MEMORY, "no memory for the points of a projection");
}

static int choose_points(struct projecting *w, const struct dataset *data, struct err *err)
{
	const struct dataset_split *split = &data->split[projection_split(&w->p)];
	const size_t n = w->n = projection_points(&w->p, split->n);
	w->image = malloc(n * sizeof *w->image);
	w->map = (struct projection_map){.n = n, .components = (size_t)w->p.components};
	w->map.y = calloc(n * w->map.components, sizeof *w->map.y);
	w->map.index = malloc(n * sizeof *w->map.index);
	w->map.label = malloc(n);
	if (!w->image || !w->map.y || !w->map.index || !w->map.label)
		return fail_memory(err);
	for (size_t i = 0; i < n; i++) {
		w->image[i] = (uint32_t)projection_index(i, n, split->n);
		w->map.index[i] = w->image[i];
		w->map.label[i] = split->labels[w->image[i]];
	}
	w->points =
		(struct points){.n = n, .d = (size_t)(data->c * data->h * data->w), .bytes = split->images, .index = w->image};
	return OK;
}

/* The encoder is the one that was chosen when the job was submitted; nothing of it is needed afterwards. */
static int encode_points(struct run *r, struct projecting *w, struct err *err)
{
	struct origin o;
	const struct image_list list = {.images = w->points.bytes, .index = w->image, .n = w->n};
	int code = origin_load(&o, r->config->data_dir, r->job.from_job, r->job.from_epoch, err);
	if (code)
		return code;
	const struct dataset_head head = {.c = r->data->c, .h = r->data->h, .w = r->data->w};
	const size_t d = (size_t)o.model.latent_dim;
	code = origin_check_image(&o, &head, err);
	w->codes = code ? NULL : malloc(w->n * d * sizeof *w->codes);
	if (!code)
		code = w->codes ? encode_all(&o.model, o.w, &list, w->codes, r->config->pool, r->config->kern, err)
						: fail_memory(err);
	w->points = (struct points){.n = w->n, .d = d, .real = w->codes};
	origin_free(&o);
	return code;
}

static int take_params(struct run *r, struct projecting *w, struct err *err)
{
	void *params;
	int code = spec_params_parse(r->family, r->job.params, &params, err);
	if (code)
		return code;
	memcpy(&w->p, params, sizeof w->p);
	free(params);
	return OK;
}

static int open_points(struct run *r, struct projecting *w, struct err *err)
{
	int code = take_params(r, w, err);
	if (!code)
		code = choose_points(w, r->data, err);
	if (!code && w->p.space == PROJECTION_CODES)
		code = encode_points(r, w, err);
	if (!code) /* the data set may be another by now */
		code = projection_check(&w->p, r->data->split[projection_split(&w->p)].n, w->points.d, err);
	return code;
}

static int open_projection(struct run *r, struct err *err)
{
	struct projecting *w = r->work = calloc(1, sizeof *w);
	if (!w)
		return fail_memory(err);
	int code = open_points(r, w, err);
	if (code)
		return code;
	const int64_t steps = projection_steps(&w->p), each = projection_epoch_steps(&w->p);
	r->at = (struct progress){.steps = steps,
		.epochs = (int)((steps + each - 1) / each),
		.steps_per_epoch = each,
		.train_images = w->n,
		.batch_size = w->n,
		.epoch_images = w->n * (size_t)each};
	return OK;
}

static void close_projection(struct run *r)
{
	struct projecting *w = r->work;
	if (!w)
		return;
	pca_free(&w->pca);
	free(w->image);
	free(w->codes);
	free(w->map.y);
	free(w->map.index);
	free(w->map.label);
	free(w);
}

static int step(struct run *r, struct err *err)
{
	struct projecting *w = r->work;
	int code = pca_fit(&w->pca, &w->points, w->map.components, r->config->pool, err);
	if (!code)
		pca_transform(&w->pca, &w->points, w->p.whiten, r->config->pool, w->map.y);
	return code;
}

/* --- what it tells -------------------------------------------------------------------------------------------------------- */

static void write_reals(struct jsonw *out, const char *key, const double *v, size_t n)
{
	jw_key(out, key);
	jw_array(out);
	for (size_t i = 0; i < n; i++)
		jw_real(out, v[i]);
	jw_end_array(out);
}

static void write_choice(struct jsonw *out, const struct run *r, const struct projecting *w, const char *name)
{
	jw_key(out, name);
	spec_param_write(out, param_find(r->family->params, name), &w->p);
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
		write_reals(out, "explained_variance", w->pca.variance, w->pca.k);
		write_reals(out, "explained_variance_ratio", w->pca.ratio, w->pca.k);
	}
	jw_key(out, "classes");
	jw_array(out);
	for (int c = 0; c < r->data->classes; c++)
		jw_string(out, r->data->class_name[c]);
	jw_end_array(out);
}

/* With what new points of PCA are laid beside the others. */
static void add_components(struct state *s, const struct pca *p)
{
	const int64_t k = (int64_t)p->k, d = (int64_t)p->d;
	state_add(s, "mean", DTYPE_F64, 1, &d, p->mean);
	state_add(s, "components", DTYPE_F64, 2, (int64_t[]){k, d}, p->component);
	state_add(s, "explained_variance", DTYPE_F64, 1, &k, p->variance);
	state_add(s, "explained_variance_ratio", DTYPE_F64, 1, &k, p->ratio);
}

static int keep_map(struct run *r, struct err *err)
{
	struct projecting *w = r->work;
	struct buf facts = BUF_INIT;
	struct state more = {0};
	struct jsonw out;
	jw_init(&out, &facts, false);
	jw_object(&out);
	write_facts(&out, r, w);
	jw_end_object(&out);
	if (w->pca.k)
		add_components(&more, &w->pca);
	int code = facts.failed || more.failed ? fail_memory(err) : OK;
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

const struct task task_projection = {
	.family = &family_projection,
	.estimate = estimate,
	.open = open_projection,
	.step = step,
	.finish = keep_map,
	.close = close_projection,
};
