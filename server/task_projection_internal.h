/* task_projection_internal.h: one run of a projection, shared by task_projection.c (its steps), task_projection_points.c (what is laid
 * out) and task_projection_map.c (what is told of it).
 *
 * Owner: the worker's thread, alone.
 */
#ifndef LATENTD_SERVER_TASK_PROJECTION_INTERNAL_H
#define LATENTD_SERVER_TASK_PROJECTION_INTERNAL_H

#include "core/lab/pca.h"
#include "core/lab/projection.h"
#include "core/lab/quality.h"
#include "core/lab/tsne.h"
#include "server/projection_file.h"
#include "server/worker_internal.h"

struct projecting {
	struct projection_params p;
	size_t n;
	uint32_t *image;      /* [n]: which of the split */
	float *codes;         /* [n][d]; NULL: pixels */
	struct points points; /* these, or the pixels */
	/* of PCA, fitted by its step; k may be more than the map shows. Of t-SNE that reduces first: gone once it has */
	struct pca pca;
	/* points of `width` values: what t-SNE begins with, and what a map's quality is measured against */
	int width;
	const float *near; /* [n][width]; NULL: not made yet */
	float *own_near;
	struct tsne *tsne;
	struct projection_map map; /* y, index and label are ours */
	double kl;                 /* of the map; NaN: none is known */
	bool measured;
	struct quality quality;
};

/* task_projection_points.c: chooses the points and has codes made of them. */
int projecting_take_points(struct run *r, struct projecting *w, struct err *err);
/* `near`; fits w->pca if that is needed and has not been done. */
int projecting_take_near(struct run *r, struct projecting *w, struct err *err);
/* Bytes of both beside the data set. */
size_t projecting_points_bytes(const struct projection_params *p, size_t n, size_t d);
/* Components that are fitted. */
size_t projecting_fitted(const struct projection_params *p, size_t n, size_t d);

/* task_projection_map.c: the map as a file; as a picture, which may fail; how good it is. */
int projecting_keep_map(struct run *r, struct projecting *w, struct err *err);
void projecting_show_map(struct run *r, struct projecting *w);
int projecting_measure(struct run *r, struct projecting *w, struct err *err);

#endif
