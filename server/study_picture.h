/* study_picture.h: a study as a picture: how it went, and a sheet with all that one would put into a report.
 *
 * The sheet shows groups of trials that differ by more than the seed: of a grid each one, else the best and the baseline: how their
 * objective went (mean and range of the repeats), then for each its figures, reconstructions, samples and the maps of its codes, as far
 * as there are such.
 * Invariant: the same rows and files give the same pixels.
 * Not here: routes (handlers/study.c).
 */
#ifndef LATENTD_SERVER_STUDY_PICTURE_H
#define LATENTD_SERVER_STUDY_PICTURE_H

#include "api/chart.h"
#include "server/study_rows.h"

/* Two curves, by number of the trial: the values, and the best so far; curve_free each. */
int study_history_curves(const struct study_rows *s, struct curve ret[2], struct err *err);
/* What is drawn of them; the title lives as long as s. */
struct chart study_history_chart(const struct study_rows *s, int w, int h, bool log_y);
/* Names of classes for the legend of maps; n 0: none. */
struct study_classes {
	int n;
	const char (*name)[DATASET_CLASS_NAME_MAX + 1];
};
int study_sheet(struct canvas *ret, const struct study_rows *s, struct store *store, const char *data_dir,
	const struct study_classes *names, struct err *err);

#endif
