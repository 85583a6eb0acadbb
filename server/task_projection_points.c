#include "server/task_projection_internal.h"

#include "core/model/encode_all.h"
#include "server/origin.h"

#include <stdlib.h>

static int fail_memory(struct err *err)
{
	return err_set(err, ERR_NO_MEMORY, "no memory for the points of a projection");
}

/* --- which they are ------------------------------------------------------------------------------------------------------- */

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
	const struct dataset_head head = {.c = r->data->c, .h = r->data->h, .w = r->data->w};
	int code = origin_load(&o, r->config->data_dir, r->job.from_job, r->job.from_epoch, err);
	if (code)
		return code;
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

int projecting_take_points(struct run *r, struct projecting *w, struct err *err)
{
	int code = choose_points(w, r->data, err);
	if (!code && w->p.space == PROJECTION_CODES)
		code = encode_points(r, w, err);
	if (!code) /* the data set may be another by now */
		code = projection_check(&w->p, r->data->split[projection_split(&w->p)].n, w->points.d, err);
	return code;
}

/* --- what their neighbourhoods are taken from ----------------------------------------------------------------------------- */

size_t projecting_fitted(const struct projection_params *p, size_t n, size_t d)
{
	const size_t width = projection_width(p, n, d), shown = p->method == PROJECTION_PCA ? (size_t)p->components : 0;
	return width < d && width > shown ? width : shown;
}

static int reduce(struct run *r, struct projecting *w, struct err *err)
{
	const struct halt halt = {.told = run_told_to_halt, .ctx = r};
	const size_t width = (size_t)w->width, k = projecting_fitted(&w->p, w->n, w->points.d);
	double *y = malloc(w->n * k * sizeof *y);
	int code = y ? OK : fail_memory(err);
	if (!code && !w->pca.k)
		code = pca_fit(&w->pca, &w->points, k, r->config->pool, &halt, err);
	if (!code)
		pca_transform(&w->pca, &w->points, false, r->config->pool, y);
	for (size_t i = 0; !code && i < w->n; i++)
		for (size_t j = 0; j < width; j++)
			w->own_near[i * width + j] = (float)y[i * k + j];
	free(y);
	return code;
}

int projecting_take_near(struct run *r, struct projecting *w, struct err *err)
{
	const size_t d = w->points.d, width = projection_width(&w->p, w->n, d);
	int code = OK;
	w->width = (int)width;
	w->near = w->codes;
	if (w->near && width == d)
		return OK;
	w->near = w->own_near = malloc(w->n * width * sizeof *w->own_near);
	if (!w->near)
		return fail_memory(err);
	if (width < d)
		code = reduce(r, w, err);
	for (size_t i = 0; width == d && i < w->n; i++)
		for (size_t j = 0; j < d; j++)
			w->own_near[i * d + j] = (float)points_value(&w->points, i, j);
	if (w->p.method != PROJECTION_PCA)
		pca_free(&w->pca); /* what they have been reduced by is not what the map shows */
	return code;
}

size_t projecting_points_bytes(const struct projection_params *p, size_t n, size_t d)
{
	const size_t width = projection_width(p, n, d), k = projecting_fitted(p, n, d);
	size_t bytes = n * (sizeof(int64_t) + sizeof(uint32_t) + 1 + (size_t)p->components * sizeof(double));
	if (p->space == PROJECTION_CODES)
		bytes += n * d * sizeof(float);
	if (p->space != PROJECTION_CODES || width < d)
		bytes += n * (width * sizeof(float) + (width < d ? k * sizeof(double) : 0));
	return bytes + (k ? pca_bytes(n, d, k) : 0);
}
