#include "server/study_rows.h"

#include "api/curve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double study_sign(const struct study *s)
{
	return s->params->objective.on && s->params->objective.direction == STUDY_MAXIMIZE ? -1 : 1;
}

static void free_rows(struct study_rows *s)
{
	trials_free(s->trial, s->n);
	free(s->row);
	free(s->x);
	s->trial = NULL;
	s->row = NULL;
	s->x = NULL;
	s->n = 0;
}

static int64_t group_of(const struct study_rows *s, size_t i)
{
	const size_t dims = (size_t)s->study->space->space.n;
	for (size_t k = 0; k < i; k++)
		if (s->row[k].phase == TRIALS_TRIAL && s->row[k].group == s->row[k].number &&
			study_same(s->study, s->x + k * dims, s->x + i * dims))
			return s->row[k].number;
	return s->row[i].number;
}

int study_rows_read(struct study_rows *s, struct store *store, struct err *err)
{
	const size_t dims = (size_t)s->study->space->space.n;
	free_rows(s);
	int code = store_trials(store, s->job.id, &s->trial, &s->n, err);
	if (code)
		return code;
	s->row = calloc(s->n + 1, sizeof *s->row);
	s->x = calloc((s->n + 1) * (dims + 1), sizeof *s->x);
	if (!s->row || !s->x)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < s->n && !code; i++) {
		s->row[i] = s->trial[i].row;
		s->row[i].value *= study_sign(s->study);
		if (s->row[i].phase != TRIALS_TRIAL)
			continue;
		code = study_read_x(s->study, s->trial[i].x, s->x + i * dims, err);
		s->row[i].group = group_of(s, i);
	}
	return code;
}

int study_rows_open(struct study_rows *ret, struct store *store, const char *ref, struct err *err)
{
	struct study_rows s = {0};
	int code = store_get(store, ref, &s.job, err);
	if (code)
		return code;
	const struct family *f = family_find(s.job.kind);
	if (f != &family_study)
		code = err_set(err, ERR_UNSUPPORTED, "%s is of kind %s; only jobs of kind %s have trials", s.job.id, s.job.kind,
			family_study.name);
	if (!code)
		code = study_open_job(&s.study, &s.job, err);
	if (!code)
		code = study_rows_read(&s, store, err);
	if (code)
		study_rows_close(&s);
	else
		*ret = s;
	return code;
}

void study_rows_close(struct study_rows *s)
{
	free_rows(s);
	study_close(s->study);
	job_free(&s->job);
	*s = (struct study_rows){0};
}

struct trial *study_rows_find(const struct study_rows *s, enum trials_phase phase, int64_t number)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->row[i].phase == phase && s->row[i].number == number)
			return &s->trial[i];
	return NULL;
}

const double *study_rows_x(const struct study_rows *s, const struct trial *t)
{
	const struct trial *of = t->row.phase == TRIALS_TRIAL ? t : study_rows_find(s, TRIALS_TRIAL, t->row.of);
	return of ? s->x + (size_t)(of - s->trial) * (size_t)s->study->space->space.n : NULL;
}

/* --- values --- */

int study_curve(
	struct store *store, const struct study *s, const char *job_id, double **ret, size_t *ret_n, struct err *err)
{
	struct curve c;
	int code = store_curve(store, job_id, s->metric, 0, &c, err);
	if (code)
		return code;
	code = curve_by_epoch(&c, err);
	const size_t n = c.n ? (size_t)ceil(c.epoch[c.n - 1]) : 0;
	double *value = code ? NULL : malloc((n + 1) * sizeof *value);
	for (size_t i = 0; value && i < n; i++)
		value[i] = (double)NAN;
	for (size_t i = 0; value && i < c.n; i++)
		if (c.epoch[i] > 0)
			value[(size_t)ceil(c.epoch[i]) - 1] = c.value[i];
	curve_free(&c);
	if (!code && !value)
		code = err_set(err, ERR_NO_MEMORY, "out of memory");
	if (code)
		return code;
	*ret = value;
	*ret_n = n;
	return OK;
}

int study_values(struct store *store, const struct study *s, const struct job *job, double *ret_best, double *ret_last,
	struct err *err)
{
	double *value, best = (double)NAN, last = (double)NAN;
	const double sign = study_sign(s);
	size_t n;
	int code = study_curve(store, s, job->id, &value, &n, err);
	if (code)
		return code;
	for (size_t i = 0; i < n; i++) {
		if (isfinite(value[i]))
			last = value[i];
		if (isfinite(value[i]) && !(sign * value[i] >= sign * best))
			best = value[i];
	}
	free(value);
	/* of the weights that are served, where the job's own monitor says which these are */
	if (job->best_epoch && sign > 0 && !strcmp(job->best_metric, s->metric) && isfinite(job->best_value))
		best = job->best_value;
	*ret_best = best;
	*ret_last = last;
	return OK;
}

/* --- what others know --- */

int study_history(const struct study_rows *s, int64_t number, struct trial_record **ret, int *ret_n, struct err *err)
{
	struct trial_record *list = calloc(s->n + 1, sizeof *list);
	const size_t dims = (size_t)s->study->space->space.n;
	int n = 0;
	if (!list)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < s->n; i++) {
		const struct trials_row *r = &s->row[i];
		if (r->phase != TRIALS_TRIAL || r->number >= number)
			continue;
		/* one of those between may have ended already, or not: nobody is to know. That it cannot be built is known from the start */
		const bool between = r->number > number - s->study->plan.parallel && r->state != TRIAL_INFEASIBLE;
		list[n++] = (struct trial_record){.state = between ? TRIAL_RUNNING : r->state,
			.value = between ? (double)NAN : r->value,
			.last_step = between ? -1 : s->trial[i].last_step,
			.intermediate = between ? (double)NAN : study_sign(s->study) * s->trial[i].intermediate,
			.x = s->x + i * dims};
	}
	*ret = list;
	*ret_n = n;
	return OK;
}

size_t study_scored_rows(const struct study_rows *s, int64_t trial, const struct trial **ret, size_t cap)
{
	const struct trials_score score = trials_score(&s->study->plan, s->row, s->n, trial);
	size_t n = 0;
	for (int pass = TRIALS_RETRAIN; pass >= TRIALS_TRIAL && !n; pass -= TRIALS_RETRAIN) {
		for (size_t i = 0; i < s->n && n < cap; i++) {
			const struct trials_row *r = &s->row[i];
			const bool fits = pass == TRIALS_RETRAIN ? r->of == trial : r->group == trial;
			if ((int)r->phase == pass && fits && r->state == TRIAL_COMPLETE)
				ret[n++] = &s->trial[i];
		}
		if (n != (size_t)score.n)
			n = 0;
	}
	return n;
}
