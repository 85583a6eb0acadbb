/* study.h: a study as it is asked for, resolved: what a trial is, what trials differ in, how many there are, what is best.
 *
 * Use: study_open of the parameters of a job of kind study, by whoever checks them, moves the study or shows it.
 * Owner: study_close. Pure: the same parameters, the same study.
 * Not here: rows of trials (server/store), what comes next (core/lab/trials.h).
 */
#ifndef LATENTD_API_STUDY_H
#define LATENTD_API_STUDY_H

#include "api/space.h"
#include "api/spec.h"
#include "core/lab/study.h"
#include "core/lab/trials.h"

enum { STUDY_AFTER_MAX = 8 };

struct study {
	struct study_params *params; /* a copy */
	struct spec base;            /* a job of the base; its params are the resolved ones */
	struct study_space *space;
	struct json *enqueue, *after, *retrain; /* array, array, object */
	char metric[JOB_WORD];                  /* a series of the base kind */
	struct trials_plan plan;                /* how many of what */
};

/* `outer`: the study's own spec, whose data set and seed are the base's unless that says otherwise. ERR_INVALID with pointers
 * "#/params/base/…", "#/params/space/…", …. */
int study_open(struct study **ret, const struct spec *outer, struct err *err, struct err_more *more);
/* Of the parameters that a job bears. */
int study_open_job(struct study **ret, const struct job *job, struct err *err);
void study_close(struct study *s);
/* The base with all that it leaves open as it was resolved, into the field of the parameters. */
int study_settle_base(const struct study *s, struct study_params *params, struct err *err);

/* The point of enqueued trial k < plan.enqueued, and its parameters (a copy of the base's, malloc'd). */
int study_enqueued(const struct study *s, int k, double *ret_x, void **ret_params, uint64_t *ret_seed, struct err *err);
/* The parameters of a point. ERR_INVALID "#/params/…" for one that is none of the base kind's. */
int study_point(const struct study *s, const double *x, void **ret_params, uint64_t *ret_seed, struct err *err);
/* Onto a trial's parameters: what retraining changes. */
int study_retrained(const struct study *s, void *params, struct err *err);
/* A job after a trial whose model is job `from`: as it was asked for. */
int study_after(const struct study *s, int i, const char *from, struct spec *ret, struct err *err);
/* "[0.001,null,3]" ↔ x[dimensions]; an index of a choice as such. */
void study_write_x(struct buf *b, const struct study *s, const double *x);
int study_read_x(const struct study *s, const char *text, double *ret_x, struct err *err);
/* Two points are one but for the seed. */
bool study_same(const struct study *s, const double *x, const double *y);

/* For spec_parse. */
/* The parameters as a whole make sense. */
int study_check(struct spec *spec, struct err *err, struct err_more *more);
/* A body of another kind with "seeds": what a study of repeats is asked for with. *ret: a tree of its own. */
int study_of_seeds(struct json **ret, const struct json *body, struct err *err);
/* A study's own "seeds": those of its grid's. ERR_INVALID "#/seeds" for other samplers and other kinds. */
int study_repeat(struct spec *spec, const struct json *seeds, struct err *err);

#endif
