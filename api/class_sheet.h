/* class_sheet.h: samples sorted by class, as a picture: a row per class with its name, its share and the most certain of them.
 *
 * Owner: plain data of the caller's.
 * Invariants: the same input gives the same pixels; of equally certain samples the first comes first.
 * Not here: who tells classes apart (core/lab/judge.h).
 */
#ifndef LATENTD_API_CLASS_SHEET_H
#define LATENTD_API_CLASS_SHEET_H

#include "core/base/err.h"
#include "core/data/dataset.h"
#include "core/data/grid.h"

struct class_sheet {
	const float *images; /* [n][c][h][w] in [0, 1] */
	size_t n;
	int c, h, w;
	int classes;
	const float *probabilities; /* [n][classes]: the class of a sample is the first of the largest */
	const char (*label)[DATASET_CLASS_NAME_MAX + 1]; /* [classes] */
	int cols;                                        /* samples a row */
};

/* The row of class k: up to cols indices of samples of it, most certain first; returns how many there are of it in all. */
size_t class_sheet_row(const struct class_sheet *s, int k, size_t *ret_index);
int class_sheet_canvas(struct canvas *ret, const struct class_sheet *s, struct err *err);

#endif
