#include "server/model_io.h"

#include "core/data/npy.h"
#include "server/limits.h"

#include <stdlib.h>
#include <string.h>

void rows_free(struct rows *r)
{
	free(r->v);
	*r = (struct rows){0};
}

int rows_alloc(struct rows *ret, size_t n, size_t width, struct err *err)
{
	float *v = malloc((n * width + 1) * sizeof *v);
	if (!v)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	*ret = (struct rows){.v = v, .n = n, .width = width};
	return OK;
}

/* --- output --- */

static int output_grid(struct call *c, const struct published *p, const struct rows *r, struct err *err)
{
	const struct map *m = &p->model.image;
	struct canvas canvas;
	if (r->n > LIMIT_GRID_IMAGES)
		return err_set(err, ERR_INVALID, "a picture holds at most %d images, got %zu; ask for .npy or .json", LIMIT_GRID_IMAGES, r->n);
	int code = grid_images(&canvas, r->v, (int)r->n, m->c, m->h, m->w, (int)r->cols, 0, err);
	return code ? code : call_png(c, &canvas, err);
}

/* [n,h,w], or [n,c,h,w] of colour images; returns the rank. */
static int image_shape(const struct published *p, size_t n, int64_t shape[4])
{
	const struct map *m = &p->model.image;
	int rank = 0;
	shape[rank++] = (int64_t)n;
	if (m->c > 1)
		shape[rank++] = m->c;
	shape[rank++] = m->h;
	shape[rank++] = m->w;
	return rank;
}

int output_npy(struct call *c, const float *v, const int64_t *shape, int rank, struct err *err)
{
	c->resp.status = 200;
	c->resp.type = format_type(FORMAT_NPY);
	npy_write(&c->resp.body, v, shape, rank);
	return c->resp.body.failed ? err_set(err, ERR_NO_MEMORY, "out of memory") : OK;
}

static void write_rows(struct jsonw *w, const char *key, const struct rows *r)
{
	jw_key(w, key);
	jw_array(w);
	for (size_t i = 0; i < r->n; i++)
		jw_reals(w, r->v + i * r->width, r->width);
	jw_end_array(w);
}

int output_images(struct call *c, const struct published *p, const struct rows *images, const struct rows *z, struct err *err)
{
	return output_images_with(c, p, images, &(struct images_extra){.z = z}, err);
}

int output_images_with(struct call *c, const struct published *p, const struct rows *images, const struct images_extra *extra,
	struct err *err)
{
	int64_t shape[4];
	int rank = image_shape(p, images->n, shape);
	if (c->format == FORMAT_PNG)
		return output_grid(c, p, images, err);
	if (c->format == FORMAT_NPY)
		return output_npy(c, images->v, shape, rank, err);
	struct jsonw w;
	call_json(c, &w, 200);
	jw_object(&w);
	jw_key(&w, "shape");
	jw_array(&w);
	for (int i = 0; i < rank; i++)
		jw_int(&w, shape[i]);
	jw_end_array(&w);
	write_rows(&w, "images", images);
	if (extra->z)
		write_rows(&w, "z", extra->z);
	if (extra->write)
		extra->write(&w, extra->ctx);
	jw_end_object(&w);
	return call_json_end(c, &w, err);
}

int output_codes(struct call *c, const struct rows *z, const struct rows *logvar, struct err *err)
{
	if (c->format == FORMAT_NPY)
		return output_npy(c, z->v, (int64_t[]){(int64_t)z->n, (int64_t)z->width}, 2, err);
	struct jsonw w;
	call_json(c, &w, 200);
	jw_object(&w);
	write_rows(&w, "z", z);
	if (logvar) {
		write_rows(&w, "mu", z);
		write_rows(&w, "logvar", logvar);
	}
	jw_end_object(&w);
	return call_json_end(c, &w, err);
}
