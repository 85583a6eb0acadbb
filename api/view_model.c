#include "api/view.h"

#include "core/model/sample.h"

/* Where the training codes lie: what sliders span and where they start. */
static void write_codes(struct jsonw *w, const struct code_stats *codes)
{
	jw_key(w, "z");
	if (!codes || !codes->latent_dim) {
		jw_null(w);
		return;
	}
	jw_object(w);
	jw_kreals(w, "mean", codes->mean, codes->latent_dim);
	jw_kreals(w, "std", codes->std, codes->latent_dim);
	jw_kreals(w, "q01", codes->q01, codes->latent_dim);
	jw_kreals(w, "q99", codes->q99, codes->latent_dim);
	jw_end_object(w);
}

static void write_distributions(struct jsonw *w, const struct family *f)
{
	jw_key(w, "distributions");
	jw_array(w);
	for (int i = 0; family_can(f, ABILITY_SAMPLE) && i < DIST_COUNT; i++) {
		if (!f->encode && i != DIST_NORMAL)
			continue; /* without codes of images there is nothing to fit to */
		jw_object(w);
		jw_kstring(w, "name", distribution_name((enum distribution)i));
		jw_kstring(w, "help", distribution_help((enum distribution)i));
		jw_end_object(w);
	}
	jw_end_array(w);
}

void view_model(
	struct jsonw *w, const char *id, const struct model *m, int epoch, int64_t step,
	const char *auto_distribution, const struct code_stats *codes)
{
	jw_object(w);
	jw_kstring(w, "id", id);
	jw_kstring(w, "object", "model");
	jw_kstring(w, "kind", m->family->name);
	jw_kint(w, "epoch", epoch);
	jw_kint(w, "step", step);
	jw_kint(w, "latent_dim", m->latent_dim);
	jw_key(w, "image");
	jw_array(w);
	jw_int(w, m->image.c);
	jw_int(w, m->image.h);
	jw_int(w, m->image.w);
	jw_end_array(w);
	jw_kint(w, "parameters", (int64_t)model_parameters(m));
	view_abilities(w, m->family);
	jw_kstring(w, "auto_distribution", auto_distribution);
	write_distributions(w, m->family);
	write_codes(w, codes);
	jw_end_object(w);
}

/* "class_counts":{"train":[6000,…],"test":[…]} */
static void view_class_counts(struct jsonw *w, const struct dataset *d)
{
	jw_key(w, "class_counts");
	jw_object(w);
	for (int s = 0; s < SPLIT_COUNT; s++) {
		int64_t count[DATASET_CLASSES_MAX] = {0};
		for (size_t i = 0; i < d->split[s].n; i++)
			count[d->split[s].labels[i]]++;
		jw_key(w, split_names[s]);
		jw_array(w);
		for (int c = 0; c < d->classes; c++)
			jw_int(w, count[c]);
		jw_end_array(w);
	}
	jw_end_object(w);
}

void view_dataset(struct jsonw *w, const struct dataset *d, const char *path, bool uploaded)
{
	size_t images = 0;
	for (int s = 0; s < SPLIT_COUNT; s++)
		images += d->split[s].n;
	jw_object(w);
	jw_kstring(w, "name", d->name);
	jw_kstring(w, "object", "dataset");
	jw_kint(w, "images", (int64_t)images);
	jw_kint(w, "height", d->h);
	jw_kint(w, "width", d->w);
	jw_kint(w, "channels", d->c);
	jw_key(w, "classes");
	jw_array(w);
	for (int i = 0; i < d->classes; i++)
		jw_string(w, d->class_name[i]);
	jw_end_array(w);
	jw_key(w, "splits");
	jw_object(w);
	for (int s = 0; s < SPLIT_COUNT; s++)
		jw_kint(w, split_names[s], (int64_t)d->split[s].n);
	jw_end_object(w);
	view_class_counts(w, d);
	jw_kstring(w, "sha256", d->sha256);
	jw_kstring(w, "path", path);
	jw_kbool(w, "uploaded", uploaded);
	jw_end_object(w);
}
