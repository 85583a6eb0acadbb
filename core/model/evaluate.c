/* evaluate.c: what weights are worth, without gradients: over a split, and on held-out images beside training images. */
#include "core/model/trainer.h"

#include <stdlib.h>

static void make_means(double part[RESULT_PARTS], size_t n)
{
	for (int i = 0; i < RESULT_PARTS; i++)
		part[i] /= (double)n;
}

int trainer_evaluate(struct trainer *t, enum split split, const real *w, double ret_mean[RESULT_PARTS], struct err *err)
{
	size_t n = t->data->split[split].n;
	if (!n)
		return err_set(err, ERR_INVALID, "the %s part of data set %s is empty", split_names[split], t->data->name);
	trainer_pass(t, split, NULL, n, w ? w : t->served, ret_mean);
	make_means(ret_mean, n);
	return OK;
}

int trainer_gap(struct trainer *t, const real *w, struct gap *ret, struct err *err)
{
	double part[RESULT_PARTS];
	size_t n = t->vals < t->trains ? t->vals : t->trains;
	*ret = (struct gap){0};
	if (!n)
		return OK;
	uint32_t *sample = malloc(n * sizeof *sample);
	if (!sample)
		return err_set(err, ERR_NO_MEMORY, "no memory for a sample of the training images");
	for (size_t i = 0; i < n; i++)
		sample[i] = t->train[i * t->trains / n];
	trainer_pass(t, SPLIT_TRAIN, sample, n, w ? w : t->served, part);
	ret->train = part[0] / (double)n;
	free(sample);
	trainer_pass(t, SPLIT_TRAIN, t->val, t->vals, w ? w : t->served, part);
	ret->val = part[0] / (double)t->vals;
	ret->images = n;
	return OK;
}
