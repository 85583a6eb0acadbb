#include "server/task_projection.h"

#include "core/lab/knn.h"
#include "server/blob.h"
#include "server/task_projection_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char state_name[] = "projection-state.safetensors";

static struct tsne_options options_of(const struct projection_params *p, uint64_t seed)
{
	struct tsne_options o = tsne_defaults;
	o.perplexity = p->perplexity;
	o.iterations = p->iterations;
	o.learning_rate = p->learning_rate;
	o.early_exaggeration = p->early_exaggeration;
	o.seed = seed;
	return o;
}

/* --- before it is queued -------------------------------------------------------------------------------------------------- */

static size_t width_of(const struct projection_params *p, const struct model *m, const struct dataset_head *head)
{
	return p->space == PROJECTION_CODES ? (size_t)m->latent_dim : (size_t)head->c * (size_t)head->h * (size_t)head->w;
}

static size_t bytes_of(const struct projection_params *p, size_t n, size_t d, int threads)
{
	const struct tsne_options o = options_of(p, 0);
	const int width = (int)projection_width(p, n, d);
	const size_t quality = 2 * knn_bytes(n, width, QUALITY_K_MAX, threads) + n * 2 * sizeof(double);
	const size_t run = p->method == PROJECTION_TSNE ? tsne_bytes(n, width, &o, threads) : 0;
	return projecting_points_bytes(p, n, d) + (run > quality ? run : quality);
}

/* Of an epoch, roughly. PCA: the covariance, its eigenvectors, the points along these. t-SNE: neighbours and the tree. */
static double flops_of(const struct projection_params *p, size_t n, size_t d)
{
	const double points = (double)n, width = (double)d, side = (double)(n < d ? n : d);
	if (p->method == PROJECTION_TSNE)
		return (double)PROJECTION_EPOCH * points * (60 * p->perplexity + 400 * log2(points));
	return side * side * (n < d ? width : points) + 5 * side * side * side +
		   4 * points * width * (double)projecting_fitted(p, n, d);
}

static const char *work_of(const struct projection_params *p)
{
	static const char *const words[] = {[PROJECTION_PCA] = "pca", [PROJECTION_TSNE] = "tsne"};
	return words[p->method];
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
	*ret = (struct estimate){.memory_bytes = bytes_of(p, n, d, pool_threads(config->pool)),
		.flops_per_epoch = flops_of(p, n, d),
		.seconds_per_epoch = -1,
		.work = work_of(p),
		.epochs = (int)((steps + each - 1) / each),
		.steps = steps,
		.steps_per_epoch = each};
	return OK;
}

/* --- a run ---------------------------------------------------------------------------------------------------------------- */

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

static int open_tsne(struct run *r, struct projecting *w, struct err *err)
{
	const struct halt halt = {.told = run_told_to_halt, .ctx = r};
	struct tsne_options o = options_of(&w->p, r->job.seed);
	o.halt = &halt;
	return tsne_open(&w->tsne, w->near, w->n, w->width, &o, r->config->pool, r->config->kern, err);
}

/* ERR_NOT_FOUND: nothing has been saved. */
static int restore(struct run *r, struct projecting *w, struct err *err)
{
	char path[BLOB_PATH_MAX];
	void *file;
	size_t size;
	struct safetensors st;
	blob_path(path, sizeof path, r->config->data_dir, r->job.id, state_name);
	int code = blob_read(path, &file, &size, err);
	if (code)
		return code;
	code = safetensors_read(&st, file, size, err);
	if (!code) {
		code =
			st.has_checksum ? tsne_restore(w->tsne, &st.state, err) : err_set(err, ERR_CORRUPT, "it has no checksum");
		safetensors_free(&st);
	}
	free(file);
	return code;
}

/* A state that is damaged is as good as none: the same steps are taken again. */
static int resume(struct run *r, struct projecting *w, struct err *err)
{
	struct err why = {0};
	int code = restore(r, w, &why);
	if (!code || code == ERR_NOT_FOUND)
		return OK;
	run_log(r, "warn", "a damaged state was skipped: %s", why.message);
	tsne_close(w->tsne);
	w->tsne = NULL;
	return open_tsne(r, w, err);
}

static int open_all(struct run *r, struct projecting *w, struct err *err)
{
	int code = take_params(r, w, err);
	if (!code)
		code = projecting_take_points(r, w, err);
	if (code || w->p.method != PROJECTION_TSNE)
		return code;
	code = projecting_take_near(r, w, err);
	if (!code)
		code = open_tsne(r, w, err);
	return code ? code : resume(r, w, err);
}

static int open_projection(struct run *r, struct err *err)
{
	struct projecting *w = r->work = calloc(1, sizeof *w);
	if (!w)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	w->kl = (double)NAN;
	int code = open_all(r, w, err);
	if (code)
		return code;
	const int64_t steps = projection_steps(&w->p), each = projection_epoch_steps(&w->p),
				  step = w->tsne ? tsne_iteration(w->tsne) : 0;
	const int epochs = (int)((steps + each - 1) / each);
	r->at = (struct progress){.step = step,
		.steps = steps,
		.epoch = step == steps ? epochs : (int)(step / each),
		.epochs = epochs,
		.steps_per_epoch = each,
		.train_images = w->n,
		.batch_size = w->n,
		.epoch_images = w->n * (size_t)each};
	r->epoch_flops = flops_of(&w->p, w->n, w->points.d);
	r->work_name = work_of(&w->p);
	return OK;
}

static void close_projection(struct run *r)
{
	struct projecting *w = r->work;
	if (!w)
		return;
	if (w->tsne)
		tsne_close(w->tsne);
	pca_free(&w->pca);
	free(w->image);
	free(w->codes);
	free(w->own_near);
	free(w->map.y);
	free(w->map.index);
	free(w->map.label);
	free(w);
}

static int step_pca(struct run *r, struct projecting *w, struct err *err)
{
	const struct halt halt = {.told = run_told_to_halt, .ctx = r};
	const size_t shown = w->map.components;
	int code = pca_fit(&w->pca, &w->points, projecting_fitted(&w->p, w->n, w->points.d), r->config->pool, &halt, err);
	if (code)
		return code;
	struct pca first = w->pca;
	first.k = shown;
	pca_transform(&first, &w->points, w->p.whiten, r->config->pool, w->map.y);
	return OK;
}

static int step(struct run *r, struct err *err)
{
	struct projecting *w = r->work;
	double kl;
	if (!w->tsne)
		return step_pca(r, w, err);
	int code = tsne_step(w->tsne, &kl, err);
	if (!code)
		run_point(r, r->family->series->name, kl);
	return code;
}

/* The map as it is after the steps so far. */
static void take_map(struct projecting *w)
{
	if (!w->tsne)
		return;
	memcpy(w->map.y, tsne_map(w->tsne), w->n * w->map.components * sizeof *w->map.y);
	w->kl = tsne_gradient(w->tsne, NULL);
}

static int show(struct run *r, struct err *err)
{
	struct projecting *w = r->work;
	if (!w->tsne && !r->at.step)
		return OK; /* there is no map before it is found */
	take_map(w);
	int code = projecting_keep_map(r, w, err);
	if (!code)
		projecting_show_map(r, w);
	return code;
}

static int save(struct run *r, struct err *err)
{
	struct projecting *w = r->work;
	char path[BLOB_PATH_MAX];
	struct buf file = BUF_INIT;
	struct state s = {0};
	if (!w->tsne)
		return OK;
	tsne_state(w->tsne, &s);
	int code =
		s.failed ? err_set(err, ERR_NO_MEMORY, "out of memory") : safetensors_write(&file, &s, NULL, 0, true, err);
	blob_path(path, sizeof path, r->config->data_dir, r->job.id, state_name);
	if (!code)
		code = blob_write(path, file.data, file.len, err);
	buf_free(&file);
	state_free(&s);
	return code;
}

/* Told to stop between two pictures, it leaves one of where it stands. */
static int finish(struct run *r, struct err *err)
{
	struct projecting *w = r->work;
	take_map(w);
	if (w->tsne && r->at.step < r->at.steps && r->at.step % r->at.steps_per_epoch)
		projecting_show_map(r, w);
	int code = projecting_measure(r, w, err);
	return code ? code : projecting_keep_map(r, w, err);
}

/* The state is of no use to a job that has succeeded. */
static void settled(struct run *r)
{
	char path[BLOB_PATH_MAX];
	blob_path(path, sizeof path, r->config->data_dir, r->job.id, state_name);
	unlink(path);
}

const struct task task_projection = {
	.family = &family_projection,
	.estimate = estimate,
	.open = open_projection,
	.step = step,
	.show = show,
	.save = save,
	.finish = finish,
	.settled = settled,
	.close = close_projection,
};
