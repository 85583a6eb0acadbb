/* study_rows.h: a study with its rows, read together: what the conductor decides by, a pruner asks and the handlers show.
 *
 * Owner: study_rows_close. Invariant: trial[i] and row[i] are one row; row[i].value is such that the least is the best, and its group is
 * the first trial with the same point but for the seed.
 */
#ifndef LATENTD_SERVER_STUDY_ROWS_H
#define LATENTD_SERVER_STUDY_ROWS_H

#include "api/study.h"
#include "server/store/study.h"

struct study_rows {
	struct job job;
	struct study *study;
	size_t n;
	struct trial *trial;
	struct trials_row *row;
	double *x; /* [n][dimensions]; of trials */
};

/* ref: as store_get takes it. ERR_UNSUPPORTED for a job that is no study. */
int study_rows_open(struct study_rows *ret, struct store *store, const char *ref, struct err *err);
/* The rows anew. */
int study_rows_read(struct study_rows *s, struct store *store, struct err *err);
void study_rows_close(struct study_rows *s);
/* NULL: there is no such row. */
struct trial *study_rows_find(const struct study_rows *s, enum trials_phase phase, int64_t number);
const double *study_rows_x(const struct study_rows *s, const struct trial *t);
/* 1, or -1 where the greatest is the best: times a value it is the value as its series has it, and back. */
double study_sign(const struct study *s);
/* What a job is worth by the study's objective: of its best epoch, and of its last; NaN: it never had a value. As the series has it. */
int study_values(struct store *store, const struct study *s, const struct job *job, double *ret_best, double *ret_last,
	struct err *err);
/* The objective's value at the end of each epoch, from the first; NaN where there is none. *ret: malloc'd. */
int study_curve(
	struct store *store, const struct study *s, const char *job_id, double **ret, size_t *ret_n, struct err *err);
/* What a sampler may know when trial `number` is chosen: those before it, in order; malloc'd. */
int study_history(const struct study_rows *s, int64_t number, struct trial_record **ret, int *ret_n, struct err *err);
/* Rows whose mean a trial's score is: retrainings, or repeats; returns how many, at most cap. */
size_t study_scored_rows(const struct study_rows *s, int64_t trial, const struct trial **ret, size_t cap);

#endif
