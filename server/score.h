/* score.h: what a judge's report is in JSON, wherever it is told. */
#ifndef LATENTD_SERVER_SCORE_H
#define LATENTD_SERVER_SCORE_H

#include "api/json.h"
#include "core/data/dataset.h"
#include "core/lab/judge.h"

/* Members of an object that is open: "count", "fcd", …; what is not known is null. d: the data set that the judge knows. */
void score_write(struct jsonw *w, const struct judge_report *r, const struct dataset *d);

#endif
