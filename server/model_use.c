#include "server/model_use.h"

#include "core/model/decode_all.h"
#include "core/model/encode_all.h"
#include "server/clock.h"
#include "server/metrics.h"

#include <stdlib.h>
#include <string.h>

int use_acquire(struct call *c, struct published **ret, struct err *err)
{
	int code = cache_acquire(c->daemon->cache, c->arg[0], ret, err);
	if (code)
		return code;
	call_header(c, "Latentd-Epoch", "%d", (*ret)->epoch);
	call_header(c, "Latentd-Step", "%lld", (long long)(*ret)->step);
	return OK;
}

int use_acquire_painter(struct call *c, struct published **ret, struct err *err)
{
	struct published *p;
	int code = use_acquire(c, &p, err);
	if (code)
		return code;
	if (!family_can(p->model.family, ABILITY_DECODE)) {
		code = family_lacks(p->model.family, "decoder", err);
		published_put(p);
		return code;
	}
	*ret = p;
	return OK;
}

bool use_normal(const struct published *p)
{
	const char *automatic = published_auto(p);
	return automatic && distribution_find(automatic) == DIST_NORMAL;
}

int use_compute(struct call *c, const struct published *p, model_fn *fn, const struct rows *in, size_t width,
	struct rows *ret, struct err *err)
{
	int64_t begin = clock_us();
	size_t bytes = (model_workspace(&p->model) * sizeof(real) + 63) / 64 * 64;
	real *ws = aligned_alloc(64, bytes ? bytes : 64);
	if (!ws)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	memset(ws, 0, bytes);
	int code = rows_alloc(ret, in->n, width, err);
	if (!code && (code = fn(&p->model, c->daemon->kern, p->w, ws, in->v, in->n, ret->v, err)))
		rows_free(ret);
	free(ws);
	if (code)
		return code;
	ret->cols = in->cols;
	metrics_observe(METRIC_DECODE_SECONDS, (double)(clock_us() - begin) * 1e-6);
	return OK;
}

int use_paint(struct call *c, const struct published *p, const struct rows *z, struct rows *ret, struct err *err)
{
	enum { FEW = 64 }; /* no need to ask others */
	const size_t pixels = (size_t)map_features(&p->model.image);
	struct rows images;
	if (z->n <= FEW)
		return use_compute(c, p, model_decode, z, pixels, ret, err);
	int code = rows_alloc(&images, z->n, pixels, err);
	if (code)
		return code;
	if ((code = decode_all(&p->model, p->w, z->v, z->n, images.v, c->daemon->pool, c->daemon->kern, err))) {
		rows_free(&images);
		return code;
	}
	images.cols = z->cols;
	*ret = images;
	return OK;
}

int use_codes(
	struct call *c, struct published *p, const struct dataset *d, enum split split, const float **ret, struct err *err)
{
	float *there = __atomic_load_n(&p->encoded[split], __ATOMIC_ACQUIRE);
	if (!there) {
		const struct image_list list = {.images = d->split[split].images, .n = d->split[split].n};
		struct rows z;
		int code = rows_alloc(&z, list.n, (size_t)p->model.latent_dim, err);
		if (code)
			return code;
		if ((code = encode_all(&p->model, p->w, &list, z.v, c->daemon->pool, c->daemon->kern, err))) {
			rows_free(&z);
			return code;
		}
		/* who comes meanwhile finds the same, bit for bit; the first to end is kept */
		if (__atomic_compare_exchange_n(&p->encoded[split], &there, z.v, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			there = z.v;
		else
			rows_free(&z);
	}
	*ret = there;
	return OK;
}

int use_decode(struct call *c, const struct published *p, const struct rows *z, bool show_z, struct err *err)
{
	struct rows images;
	int code = use_compute(c, p, model_decode, z, (size_t)map_features(&p->model.image), &images, err);
	if (code)
		return code;
	code = output_images(c, p, &images, show_z ? z : NULL, err);
	rows_free(&images);
	return code;
}

int use_draw(
	struct call *c, struct published *p, struct sample_spec *spec, size_t count, struct rows *ret, struct err *err)
{
	struct rows z;
	struct code_stats stats = p->codes;
	if (!stats.latent_dim && spec->distribution != DIST_NORMAL && !spec->has_box)
		return err_set(err, ERR_CONFLICT, "%s has no statistics of its codes; ask for distribution normal", p->job_id);
	stats.latent_dim = p->model.latent_dim;
	int code = OK;
	if (spec->distribution == DIST_GMM)
		code = cache_mixture(c->daemon->cache, p, c->daemon->kern, c->daemon->pool, &spec->gmm, err);
	if (!code)
		code = rows_alloc(&z, count, (size_t)p->model.latent_dim, err);
	if (code)
		return code;
	if ((code = sample_codes(z.v, z.n, spec, &stats, err)))
		rows_free(&z);
	else
		*ret = z;
	return code;
}
