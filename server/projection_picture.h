/* projection_picture.h: a map as a picture, the same for a preview and for who asks for it. */
#ifndef LATENTD_SERVER_PROJECTION_PICTURE_H
#define LATENTD_SERVER_PROJECTION_PICTURE_H

#include "core/data/dataset.h"
#include "core/data/grid.h"
#include "server/projection_file.h"

struct projection_picture {
	const struct projection_map *map;
	int classes;
	const char (*label)[DATASET_CLASS_NAME_MAX + 1]; /* [classes] */
	int64_t step;
	double kl, share; /* NaN: not of that method; of the variance that the first two dimensions show */
};

/* Its first two dimensions; of one all points lie in a line. canvas_close. */
int projection_paint(struct canvas *ret, const struct projection_picture *p, struct err *err);

#endif
