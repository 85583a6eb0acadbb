#include "core/model/mixture.h"

#include "core/model/encode_all.h"
#include "core/model/trainer.h"

#include <stdlib.h>

/* Which images: those of a trainer, drawn in the same way. malloc'd; NULL: no memory. */
static uint32_t *choose_images(const struct model *m, const struct dataset *d, size_t *ret_n)
{
	const struct progress plan = trainer_plan(m, d);
	const size_t all = plan.train_images + plan.val_images;
	uint32_t *order = calloc(all, sizeof *order), *image = calloc(all, sizeof *image);
	*ret_n = plan.train_images < CODE_STATS_IMAGES ? plan.train_images : CODE_STATS_IMAGES;
	if (order && image) {
		split_draw(image, order, plan.train_images, plan.val_images, model_train(m)->val_seed);
	} else {
		free(image);
		image = NULL;
	}
	free(order);
	return image;
}

int mixture_fit(struct gmm *ret, const struct model *m, const real *w, const struct dataset *d, const struct kern *kern,
	struct pool *pool, struct err *err)
{
	struct image_list list = {.images = d->split[SPLIT_TRAIN].images};
	if (!m->family->encode || !m->latent_dim)
		return err_set(err, ERR_UNSUPPORTED, "a model without an encoder has no codes to fit a mixture to");
	if (!d->split[SPLIT_TRAIN].n)
		return err_set(err, ERR_INVALID, "data set %s has no training images", d->name);
	uint32_t *image = choose_images(m, d, &list.n);
	float *z = malloc((list.n * (size_t)m->latent_dim + 1) * sizeof *z);
	list.index = image;
	int code = image && z ? encode_all(m, w, &list, z, pool, kern, err)
						  : err_set(err, ERR_NO_MEMORY, "no memory for the codes of the training images");
	if (!code)
		code = gmm_fit(ret, z, list.n, m->latent_dim, pool, err);
	free(image);
	free(z);
	return code;
}
