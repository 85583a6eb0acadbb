#include "server/preview.h"

#include "core/data/grid.h"
#include "core/data/png.h"
#include "core/model/sample.h"
#include "server/blob.h"

#include <stdio.h>
#include <stdlib.h>

enum { PAIR_COLUMNS = 16, SAMPLE_COLUMNS = 8, ALIGN = 64 };

/* What both pictures work in. */
struct room {
	real *ws;
	float *above, *beneath, *z;
};

static void room_close(struct room *r)
{
	free(r->ws);
	free(r->above);
	free(r->beneath);
	free(r->z);
}

static int room_open(struct room *r, const struct model *m, struct err *err)
{
	size_t pixels = (size_t)map_features(&m->image), ws_bytes = model_workspace(m) * sizeof(real);
	*r = (struct room){0};
	r->ws = aligned_alloc(ALIGN, (ws_bytes / ALIGN + 1) * ALIGN);
	r->above = malloc(PREVIEW_IMAGES * pixels * sizeof(float));
	r->beneath = malloc(PREVIEW_SAMPLES * pixels * sizeof(float));
	r->z = malloc(PREVIEW_SAMPLES * (size_t)(m->latent_dim + 1) * sizeof(float));
	if (!r->ws || !r->above || !r->beneath || !r->z) {
		room_close(r);
		return err_set(err, ERR_NO_MEMORY, "no memory for a preview");
	}
	for (size_t i = 0; i < model_workspace(m); i++)
		r->ws[i] = 0; /* halos must be */
	return OK;
}

int preview_write_one(
	const char *data_dir, const char *job_id, const struct blob_preview *p, const struct canvas *canvas, struct err *err)
{
	char name[96], path[BLOB_PATH_MAX];
	struct buf file = BUF_INIT;
	blob_preview_name(name, sizeof name, p);
	blob_path(path, sizeof path, data_dir, job_id, name);
	int code = png_write(&file, canvas, 1, err);
	if (!code)
		code = blob_write(path, file.data, file.len, err);
	buf_free(&file);
	return code;
}

static int write_picture(const struct preview *p, const char *what, const struct canvas *canvas, struct err *err)
{
	struct blob_preview preview = {.epoch = p->epoch, .step = p->step};
	snprintf(preview.what, sizeof preview.what, "%s", what);
	return preview_write_one(p->data_dir, p->job_id, &preview, canvas, err);
}

static int write_reconstructions(const struct preview *p, struct room *r, struct err *err)
{
	const struct model *m = trainer_model(p->trainer);
	const struct dataset_split *test = &p->data->split[SPLIT_TEST];
	size_t pixels = (size_t)map_features(&m->image), n = test->n < PREVIEW_IMAGES ? test->n : PREVIEW_IMAGES;
	struct canvas canvas;
	for (size_t i = 0; i < n * pixels; i++)
		r->above[i] = (float)test->images[i] / 255.0F;
	int code = model_reconstruct(m, p->kern, trainer_weights(p->trainer), r->ws, r->above, n, r->beneath, err);
	if (!code)
		code =
			grid_pairs(&canvas, r->above, r->beneath, (int)n, m->image.c, m->image.h, m->image.w, PAIR_COLUMNS, 0, err);
	if (code)
		return code;
	code = write_picture(p, "reconstructions", &canvas, err);
	canvas_close(&canvas);
	return code;
}

static int write_samples(const struct preview *p, struct room *r, struct err *err)
{
	const struct model *m = trainer_model(p->trainer);
	int distribution = distribution_find(m->family->auto_distribution);
	const struct sample_spec spec = {.distribution = (enum distribution)distribution, .seed = p->seed};
	struct code_stats stats = *trainer_codes(p->trainer);
	stats.latent_dim = m->latent_dim; /* of a kind without codes nothing else is known, or needed */
	struct canvas canvas;
	int code = distribution < 0 ? err_set(err, ERR_INTERNAL, "unknown distribution '%s'", m->family->auto_distribution)
								: sample_codes(r->z, PREVIEW_SAMPLES, &spec, &stats, err);
	if (!code)
		code = model_decode(m, p->kern, trainer_weights(p->trainer), r->ws, r->z, PREVIEW_SAMPLES, r->beneath, err);
	if (!code)
		code = grid_images(
			&canvas, r->beneath, PREVIEW_SAMPLES, m->image.c, m->image.h, m->image.w, SAMPLE_COLUMNS, 0, err);
	if (code)
		return code;
	code = write_picture(p, "samples", &canvas, err);
	canvas_close(&canvas);
	return code;
}

int preview_write(const struct preview *p, bool *ret_reconstructions, bool *ret_samples, struct err *err)
{
	const struct family *family = trainer_model(p->trainer)->family;
	bool reconstructions = family_can(family, ABILITY_ENCODE) && family_can(family, ABILITY_DECODE),
		 samples = family_can(family, ABILITY_SAMPLE);
	struct room room;
	int code = room_open(&room, trainer_model(p->trainer), err);
	if (code)
		return code;
	if (reconstructions)
		code = write_reconstructions(p, &room, err);
	if (!code && samples)
		code = write_samples(p, &room, err);
	room_close(&room);
	if (!code) {
		*ret_reconstructions = reconstructions;
		*ret_samples = samples;
	}
	return code;
}
