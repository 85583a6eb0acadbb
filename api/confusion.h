/* confusion.h: which classes a model takes for which: counts, what follows from them, and how that is shown.
 *
 * Formulas (as sklearn.metrics has them): precision tp / predicted, recall tp / true, F1 2 tp / (predicted + true); where a
 * denominator is 0 there is no figure (null).
 * Owner: confusion_free.
 * Not here: who counts (core/model/train.h), where it is kept (server/store/store.h).
 */
#ifndef LATENTD_API_CONFUSION_H
#define LATENTD_API_CONFUSION_H

#include "api/json.h"
#include "core/data/dataset.h"
#include "core/data/grid.h"

struct confusion {
	int classes;
	int64_t *count;                            /* [true class][predicted class], malloc'd */
	char (*label)[DATASET_CLASS_NAME_MAX + 1]; /* malloc'd */
};

/* All counts 0, labels "". */
int confusion_open(struct confusion *ret, int classes, struct err *err);
void confusion_free(struct confusion *c);
/* {"labels":[…],"matrix":[[…]],"accuracy":…,"per_class":[{"label","precision","recall","f1","support"}]} */
void confusion_write(struct jsonw *w, const struct confusion *c);
/* From such a text. */
int confusion_parse(struct confusion *ret, const char *text, struct err *err);
/* A line per true class: its label, then the counts under the labels of the first line. */
void confusion_csv(struct buf *b, const struct confusion *c);
/* A picture: labels on both sides, in each cell the count and its share of the row, which is the colour, too. */
int confusion_canvas(struct canvas *ret, const struct confusion *c, struct err *err);

#endif
