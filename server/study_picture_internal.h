/* study_picture_internal.h: what the pictures of a study share: study_picture.c (charts) and study_sheet.c (all on one sheet). */
#ifndef LATENTD_SERVER_STUDY_PICTURE_INTERNAL_H
#define LATENTD_SERVER_STUDY_PICTURE_INTERNAL_H

#include "server/study_picture.h"

bool study_wants_log(const struct curve *curves, int n);
/* First trials of the groups that are shown, at most cap; returns how many. */
size_t study_groups(const struct study_rows *s, int64_t *ret, size_t cap);
void study_group_name(const struct study_rows *s, int64_t trial, char *text, size_t size);
/* How the values lie, and how the objective went. canvas_close each. */
int study_charts(struct canvas ret[2], const struct study_rows *s, struct store *store, const int64_t *groups, size_t n,
	int w, int h, struct err *err);

#endif
