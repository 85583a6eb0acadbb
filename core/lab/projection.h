/* projection.h: the kind that trains nothing: points of many values, codes or pixels, laid out in few dimensions.
 *
 * Why: what its parameters mean and which of them go together is one rule for who submits a job, who runs it and who shows it.
 * Not here: how it is done (pca.h, tsne.h), jobs and files (server/task_projection.h).
 */
#ifndef LATENTD_CORE_LAB_PROJECTION_H
#define LATENTD_CORE_LAB_PROJECTION_H

#include "core/data/dataset.h"
#include "core/model/model.h"

/* order = choices of their rows */
enum projection_method { PROJECTION_PCA, PROJECTION_TSNE };
enum projection_space { PROJECTION_CODES, PROJECTION_PIXELS };

enum { PROJECTION_COMPONENTS_MAX = 512, PROJECTION_EPOCH = 50 /* iterations that are told of, and shown, together */ };

struct projection_params {
	int method, space;
	int split; /* 0: test, 1: train */
	int64_t n, components;
	bool whiten;
	int64_t iterations, initial_dims;
	double perplexity, learning_rate, early_exaggeration;
};

enum split projection_split(const struct projection_params *p);
/* Points of `images` of a split, and which: evenly apart. */
size_t projection_points(const struct projection_params *p, size_t images);
size_t projection_index(size_t i, size_t points, size_t images);
/* What no single row can say, of points of d values out of so many images: ERR_INVALID with the pointer of the field at fault. */
int projection_check(const struct projection_params *p, size_t images, size_t d, struct err *err);
/* Steps of such a job, and how many of them are an epoch of it. */
int64_t projection_steps(const struct projection_params *p);
int64_t projection_epoch_steps(const struct projection_params *p);
/* Values of a point once it has been reduced (initial_dims). */
size_t projection_width(const struct projection_params *p, size_t points, size_t d);

#endif
