#include "server/handlers/handlers.h"

#include "core/model/walk.h"
#include "server/limits.h"
#include "server/model_code.h"

#include <math.h>

enum { STEPS = 10 };

static int take_walk(const struct coder *w, const struct json *body, enum walk *ret, struct err *err)
{
	const char *name = NULL;
	int code = json_take_string(body, "mode", "#/mode", 16, &name, err), found;
	*ret = use_normal(w->p) ? WALK_SLERP : WALK_LERP; /* normal codes lie near a sphere: around it */
	if (code || !name)
		return code;
	if ((found = walk_find(name)) < 0)
		return err_field(err, ERR_INVALID, "#/mode", "must be lerp or slerp, got '%s'", name);
	*ret = (enum walk)found;
	return OK;
}

static int walk(struct coder *w, const struct json *body, struct rows *ret, struct err *err)
{
	static const char *const fields[] = {"from", "to", "steps", "mode", "cols", NULL};
	size_t d = (size_t)w->p->model.latent_dim;
	int64_t steps = STEPS, cols = 0;
	enum walk mode;
	struct rows ends, z;
	int code = json_only(body, fields, "#", err, NULL);
	if (!code)
		code = json_take_int(body, "steps", "#/steps", 2, LIMIT_VECTORS, &steps, err);
	if (!code)
		code = json_take_int(body, "cols", "#/cols", 1, LIMIT_GRID_IMAGES, &cols, err);
	if (!code)
		code = take_walk(w, body, &mode, err);
	if (code || (code = rows_alloc(&ends, 2, d, err)))
		return code;
	if (!(code = coder_take(w, json_get(body, "from"), "#/from", ends.v, err)) &&
		!(code = coder_take(w, json_get(body, "to"), "#/to", ends.v + d, err)) &&
		!(code = rows_alloc(&z, (size_t)steps, d, err))) {
		walk_codes(z.v, z.n, mode, ends.v, ends.v + d, d);
		z.cols = cols ? cols : steps;
		*ret = z;
	}
	rows_free(&ends);
	return code;
}

/* How far each step is from the one before, in pixels: root mean square. */
struct smoothness {
	double mean, most;
};

static struct smoothness measure(const struct rows *images)
{
	struct smoothness s = {0, 0};
	for (size_t i = 1; i < images->n; i++) {
		const float *before = images->v + (i - 1) * images->width, *now = before + images->width;
		double sum = 0;
		for (size_t k = 0; k < images->width; k++) {
			double off = (double)now[k] - (double)before[k];
			sum += off * off;
		}
		const double step = sqrt(sum / (double)images->width);
		s.mean += step / (double)(images->n - 1);
		s.most = fmax(s.most, step);
	}
	return s;
}

static void write_smoothness(struct jsonw *w, const void *ctx)
{
	const struct smoothness s = measure(ctx);
	jw_key(w, "path");
	jw_object(w);
	jw_kreal(w, "mean_step", s.mean);
	jw_kreal(w, "max_step", s.most);
	jw_kreal(w, "smoothness", s.most / s.mean); /* of a way that stands still there is none */
	jw_end_object(w);
}

static int reply(struct coder *w, const struct rows *z, struct err *err)
{
	struct rows images;
	int code = use_paint(w->call, w->p, z, &images, err);
	if (code)
		return code;
	code = output_images_with(
		w->call, w->p, &images, &(struct images_extra){.z = z, .write = write_smoothness, .ctx = &images}, err);
	rows_free(&images);
	return code;
}

int h_interpolate(struct call *c, struct err *err)
{
	struct coder w = {.call = c};
	struct json *body = NULL;
	struct rows z;
	int code = use_acquire_painter(c, &w.p, err);
	if (code)
		return code;
	if (!(code = call_body_json(c, &body, err)) && !(code = walk(&w, body, &z, err))) {
		code = reply(&w, &z, err);
		rows_free(&z);
	}
	json_free(body);
	coder_close(&w);
	published_put(w.p);
	return code;
}
