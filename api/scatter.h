/* scatter.h: maps of points, coloured by class, as a picture: one panel, or a sheet of several with a title each.
 *
 * Points are soft dots that let what lies beneath shine through: the smaller and fainter, the more there are, so that ten thousand show
 * where they are many. Both axes have one scale. Classes are named in a legend and, if wanted, where their middle lies.
 * Owner: plain data of the caller's.
 * Invariants: the same input gives the same pixels; no class lies above all others because its points come last.
 * Not here: who makes maps (core/lab/tsne.h, pca.h).
 */
#ifndef LATENTD_API_SCATTER_H
#define LATENTD_API_SCATTER_H

#include "core/base/err.h"
#include "core/data/dataset.h"
#include "core/data/grid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SCATTER_SIDE = 720, SCATTER_SIDE_MIN = 64, SCATTER_SIDE_MAX = 4096 };

struct scatter_panel {
	const char *title, *caption; /* a line each above the points; NULL: none */
	const double *xy;            /* [n][2]; what is not finite is left out */
	const uint8_t *labels;       /* [n], below classes; NULL: all of one colour */
	size_t n;
};

struct scatter {
	const struct scatter_panel *panel;
	int panels, cols;                                /* cols panels a row, 0: the squarest sheet */
	int side;                                        /* pixels of a panel's square, SCATTER_SIDE_MIN … _MAX */
	int classes;                                     /* 0: no legend */
	const char (*label)[DATASET_CLASS_NAME_MAX + 1]; /* [classes] */
	bool named;                                      /* classes are named on the points, too */
};

int scatter_canvas(struct canvas *ret, const struct scatter *s, struct err *err);
/* 0xRRGGBB of a class: the page's colours of series, in their order. */
uint32_t scatter_color(int k);

#endif
