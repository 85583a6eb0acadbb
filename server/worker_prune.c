/* worker_prune.c: a trial asks at each epoch's end whether it is worth the next one.
 *
 * What it is compared with are trials 0 … number - parallel, which had all ended before it was made: so the answer hangs neither on the
 * time nor on a kill, after which the question of the newest epoch is asked again.
 */
#include "server/worker_internal.h"

#include "core/lab/pruner.h"
#include "server/log.h"
#include "server/study_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct pruning {
	struct pruner_options options;
	struct study_rows study;
	int n;
	struct learning_curve *others;
	int64_t asked; /* the newest epoch of which the question was answered */
};

/* By epochs from 1; values turned so that the least is best. */
static int take_curve(
	struct learning_curve *ret, struct store *store, const struct study *s, const char *job_id, struct err *err)
{
	double *value;
	size_t n;
	int code = study_curve(store, s, job_id, &value, &n, err);
	if (code)
		return code;
	int64_t *step = malloc((n + 1) * sizeof *step);
	if (!step) {
		free(value);
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	}
	int kept = 0;
	for (size_t i = 0; i < n; i++) {
		step[kept] = (int64_t)i + 1;
		value[kept] = study_sign(s) * value[i];
		kept += !isnan(value[i]);
	}
	*ret = (struct learning_curve){.n = kept, .step = step, .value = value};
	return OK;
}

static void free_curve(struct learning_curve *c)
{
	free((void *)c->step);
	free((void *)c->value);
}

static int take_others(struct pruning *p, struct store *store, int64_t number, struct err *err)
{
	const struct study_rows *s = &p->study;
	int code = OK;
	p->others = calloc(s->n + 1, sizeof *p->others);
	if (!p->others)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < s->n && !code; i++) {
		const struct trial *t = &s->trial[i];
		const bool judged = t->row.state == TRIAL_COMPLETE || t->row.state == TRIAL_PRUNED;
		if (t->row.phase != TRIALS_TRIAL || t->row.number > number - s->study->plan.parallel || !judged || !t->there)
			continue;
		code = take_curve(&p->others[p->n], store, s->study, t->job, err);
		if (!code)
			p->others[p->n++].state = t->row.state;
	}
	return code;
}

/* The trial that is this run's job; NULL: it is none, but what follows one, say. */
static const struct trial *own_row(const struct study_rows *s, const char *job_id)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->row[i].phase == TRIALS_TRIAL && !strcmp(s->trial[i].job, job_id))
			return &s->trial[i];
	return NULL;
}

int run_pruning_open(struct run *r, struct err *err)
{
	static const enum pruner pruners[] = {PRUNER_NONE, PRUNER_MEDIAN, PRUNER_ASHA};
	struct store *store = r->config->store;
	if (!*r->job.study || r->pruning)
		return OK;
	struct pruning *p = calloc(1, sizeof *p);
	if (!p)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	r->pruning = p;
	int code = study_rows_open(&p->study, store, r->job.study, err);
	if (code == ERR_NOT_FOUND) { /* the study is gone; the job stays what it is */
		run_pruning_close(r);
		return OK;
	}
	const struct trial *own = code ? NULL : own_row(&p->study, r->job.id);
	if (code || !own || !p->study.study->params->pruner) {
		run_pruning_close(r);
		return code;
	}
	p->options = PRUNER_DEFAULTS;
	p->options.pruner = pruners[p->study.study->params->pruner];
	return take_others(p, store, own->row.number, err);
}

void run_pruning_close(struct run *r)
{
	struct pruning *p = r->pruning;
	if (!p)
		return;
	for (int i = 0; i < p->n; i++)
		free_curve(&p->others[i]);
	free(p->others);
	study_rows_close(&p->study);
	free(p);
	r->pruning = NULL;
}

/* Its own points must be there to be read. */
static int ask(struct run *r, bool *ret, struct err *err)
{
	const struct pruning *p = r->pruning;
	struct learning_curve own;
	int code = store_flush(r->config->store, err);
	if (!code)
		code = take_curve(&own, r->config->store, p->study.study, r->job.id, err);
	if (code)
		return code;
	own.state = TRIAL_RUNNING;
	code = own.n ? pruner_says(ret, &p->options, p->others, p->n, &own, err) : OK;
	free_curve(&own);
	return code;
}

bool run_is_pruned(struct run *r)
{
	struct pruning *p = r->pruning;
	const struct progress at = r->trainer ? trainer_progress(r->trainer) : (struct progress){0};
	struct err err = {0};
	bool pruned = false;
	if (!p || !at.step || at.step % at.steps_per_epoch || at.epoch == p->asked)
		return false;
	while (ask(r, &pruned, &err) && !atomic_load(r->worker->drain)) { /* a later epoch's answer would be another one */
		const struct timespec pause = {.tv_nsec = 200000000};
		log_warn("a trial could not be compared", "job=%s error=%s", r->job.id, log_quote(err.message));
		nanosleep(&pause, NULL);
	}
	p->asked = at.epoch;
	if (pruned)
		run_log(r, "info", "ended after epoch %d: other trials of its study were better by then", at.epoch);
	return pruned;
}
