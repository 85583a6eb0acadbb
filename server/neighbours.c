#include "server/neighbours.h"

#include <string.h>

static const char *const spaces[NEAR_SPACE_COUNT] = {
#define X(space, name) [space] = name,
	NEAR_SPACES(X)
#undef X
};

int near_space_find(const char *name)
{
	for (int i = 0; i < NEAR_SPACE_COUNT; i++)
		if (!strcmp(spaces[i], name))
			return i;
	return -1;
}

int neighbours_find(struct coder *w, struct neighbours *n, const float *query, const char *pointer, struct err *err)
{
	int code = coder_data(w, err);
	if (code)
		return code;
	const struct dataset_split *train = &w->data->split[SPLIT_TRAIN];
	struct nearest_rows rows = {.n = train->n};
	if ((size_t)n->k > rows.n)
		return err_field(err, ERR_INVALID, pointer, "there are only %zu training images, got %d", rows.n, n->k);
	if (n->space == NEAR_PIXELS) {
		rows.images = train->images;
		rows.d = (size_t)map_features(&w->p->model.image);
	} else {
		rows.d = (size_t)w->p->model.latent_dim;
		code = use_codes(w->call, w->p, w->data, SPLIT_TRAIN, &rows.codes, err);
	}
	return code ? code : nearest_find(n->near, n->k, &rows, query, w->call->daemon->pool, err);
}

static void write_numbers(struct jsonw *w, const char *key, const struct neighbours *n, const uint8_t *labels)
{
	jw_key(w, key);
	jw_array(w);
	for (int i = 0; i < n->k; i++)
		jw_int(w, labels ? labels[n->near[i].index] : (int64_t)n->near[i].index);
	jw_end_array(w);
}

void neighbours_write(struct jsonw *w, const struct neighbours *n, const struct dataset *d)
{
	const uint8_t *labels = d->split[SPLIT_TRAIN].labels;
	jw_kstring(w, "space", spaces[n->space]);
	jw_kint(w, "k", n->k);
	jw_kstring(w, "split", split_names[SPLIT_TRAIN]);
	write_numbers(w, "index", n, NULL);
	write_numbers(w, "label", n, labels);
	jw_key(w, "class");
	jw_array(w);
	for (int i = 0; i < n->k; i++)
		jw_string(w, d->class_name[labels[n->near[i].index]]);
	jw_end_array(w);
	jw_key(w, "distance");
	jw_array(w);
	for (int i = 0; i < n->k; i++)
		jw_real(w, n->near[i].distance);
	jw_end_array(w);
}

int neighbours_images(const struct neighbours *n, const struct dataset *d, struct rows *ret, struct err *err)
{
	const size_t width = (size_t)(d->c * d->h * d->w);
	struct rows images;
	int code = rows_alloc(&images, (size_t)n->k, width, err);
	if (code)
		return code;
	for (size_t i = 0; i < images.n * width; i++)
		images.v[i] = (float)d->split[SPLIT_TRAIN].images[n->near[i / width].index * width + i % width] / 255.0f;
	*ret = images;
	return OK;
}
