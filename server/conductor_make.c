/* conductor_make.c: what a study begins next: a point becomes a job, or a row that says why it cannot. */
#include "server/conductor_internal.h"

#include "core/lab/sampler.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the point --- */

static int suggest(const struct study_rows *s, int64_t number, double *ret_x, struct err *err)
{
	static const enum sampler samplers[] = {
		[STUDY_TPE] = SAMPLER_TPE, [STUDY_RANDOM] = SAMPLER_RANDOM, [STUDY_GRID] = SAMPLER_GRID};
	const struct study_params *p = s->study->params;
	struct sampler_options o = SAMPLER_DEFAULTS;
	struct trial_record *history;
	int n, code = study_history(s, number, &history, &n, err);
	if (code || !s->study->space->space.n) {
		free(code ? NULL : history);
		return code;
	}
	o.sampler = samplers[p->sampler];
	o.multivariate = o.group = p->multivariate;
	o.constant_liar = p->parallel > 1;
	o.n_startup = (int)p->startup_trials;
	o.seed = s->job.seed;
	code = sampler_suggest(&s->study->space->space, &o, history, n, number, ret_x, err);
	free(history);
	return code;
}

/* The parameters of a trial that has a row, or is to have one. */
static int params_of(
	const struct study_rows *s, int64_t number, double *x, void **ret, uint64_t *ret_seed, struct err *err)
{
	if (number < s->study->plan.enqueued)
		return study_enqueued(s->study, (int)number, x, ret, ret_seed, err);
	return study_point(s->study, x, ret, ret_seed, err);
}

/* --- the job --- */

static int print_trial(const struct study_rows *s, const struct trial *t, const double *x, char **ret, struct err *err)
{
	const struct space *space = &s->study->space->space;
	struct buf b = BUF_INIT;
	struct jsonw w;
	jw_init(&w, &b, false);
	jw_object(&w);
	jw_kstring(&w, "study", s->job.id);
	jw_kstring(&w, "phase", trial_phase_name(t->row.phase));
	jw_kint(&w, "number", t->row.number);
	jw_kint(&w, "of", t->row.of);
	jw_key(&w, "params");
	jw_object(&w);
	for (int i = 0; i < space->n; i++)
		if (!isnan(x[i])) {
			jw_key(&w, space->dim[i].name);
			study_space_write(&w, s->study->space, i, x[i]);
		}
	jw_end_object(&w);
	jw_key(&w, "x");
	jw_raw(&w, t->x);
	jw_end_object(&w);
	*ret = buf_take(&b, NULL);
	return *ret ? OK : err_set(err, ERR_NO_MEMORY, "out of memory");
}

/* "tune-3", "tune-3-tsne", "tune-3-seed-1"; none where the study has none, or where it would be too long. */
static void name_child(const struct study_rows *s, const struct trials_next *next, struct spec *spec)
{
	char name[JOB_NAME_SIZE + 80], end[60] = "";
	if (!*s->job.name)
		return;
	if (next->phase == TRIALS_AFTER)
		snprintf(end, sizeof end, "-%s-%d", spec->family->name, next->index + 1);
	else if (next->phase == TRIALS_RETRAIN)
		snprintf(end, sizeof end, "-seed-%lld", (long long)spec->seed);
	snprintf(name, sizeof name, "%s-%lld%s", s->job.name, (long long)next->of, end);
	if (strlen(name) <= JOB_NAME_MAX && !spec_check_name(name, NULL))
		strcpy(spec->name, name);
}

/* ERR_INVALID: the job cannot be, whatever else happens. */
static int insert_child(struct conducting *c, const struct study_rows *s, struct trial *t,
	const struct trials_next *next, struct spec *spec, const double *x, struct err *err)
{
	struct job job = {0};
	spec->priority = s->job.priority;
	name_child(s, next, spec);
	t->seed = (int64_t)spec->seed;
	int code = sched_prepare(c->sched, spec, &job, err);
	if (code)
		return code;
	memcpy(job.study, s->job.id, sizeof job.study);
	code = print_trial(s, t, x, &job.trial, err);
	if (!code)
		code = store_trial_insert(c->store, s->job.id, t, &job, err);
	job_free(&job);
	if (!code)
		sched_wake(c->sched);
	return code;
}

/* Whatever is wrong with a point is the point's own: a shape, a bound, a sum of bytes. */
static bool is_infeasible(int code, const struct err *why)
{
	return code == ERR_INVALID && strncmp(why->pointer, "#/dataset", 9) != 0 && strncmp(why->pointer, "#/from", 6) != 0;
}

static int insert_infeasible(
	struct conducting *c, const struct study_rows *s, struct trial *t, const struct err *why, struct err *err)
{
	char unique[40];
	t->row.state = t->row.phase == TRIALS_TRIAL ? TRIAL_INFEASIBLE : TRIAL_FAILED;
	const char *field = strncmp(why->pointer, "#/params/", 9) ? why->pointer : why->pointer + 9;
	snprintf(t->reason, sizeof t->reason, "%.80s%s%.200s", field, *field ? " " : "", why->message);
	snprintf(unique, sizeof unique, "%s %lld infeasible", trial_phase_name(t->row.phase), (long long)t->row.number);
	conducting_log(c, s->job.id, unique, "%s %lld cannot be built: %s", trial_phase_name(t->row.phase),
		(long long)t->row.number, t->reason);
	return store_trial_insert(c->store, s->job.id, t, NULL, err);
}

static void fill_spec(const struct study_rows *s, void *params, uint64_t seed, struct spec *spec)
{
	const struct spec *base = &s->study->base;
	*spec = (struct spec){.family = base->family,
		.preset = base->preset,
		.dataset_given = true,
		.seed = seed,
		.time_limit_s = base->time_limit_s,
		.max_retries = base->max_retries,
		.params = params};
	memcpy(spec->dataset, base->dataset, sizeof spec->dataset);
	memcpy(spec->from, base->from, sizeof spec->from);
	memcpy(spec->from_checkpoint, base->from_checkpoint, sizeof spec->from_checkpoint);
}

/* A trial, or one that is trained again. */
static int make_trained(struct conducting *c, const struct study_rows *s, const struct trials_next *next,
	struct trial *t, double *x, struct err *err)
{
	struct spec spec = {0};
	struct err why = {0};
	void *params = NULL;
	uint64_t seed = 0;
	int code = params_of(s, next->of, x, &params, &seed, &why);
	if (!code && next->phase == TRIALS_RETRAIN) {
		code = study_retrained(s->study, params, &why);
		seed = (uint64_t)s->study->params->retrain.seeds.v[next->index];
	}
	if (!t->x) { /* an enqueued one's is known by now */
		struct buf text = BUF_INIT;
		study_write_x(&text, s->study, x);
		t->x = buf_take(&text, NULL);
	}
	if (!code)
		fill_spec(s, params, seed, &spec);
	if (!code && t->x)
		code = insert_child(c, s, t, next, &spec, x, &why);
	spec.params = NULL;
	free(params);
	if (!t->x)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	if (is_infeasible(code, &why))
		return insert_infeasible(c, s, t, &why, err);
	return code ? err_field(err, code, why.pointer, "%s", why.message) : OK;
}

static int make_after(struct conducting *c, const struct study_rows *s, const struct trials_next *next, struct trial *t,
	const double *x, struct err *err)
{
	const struct trial *of = study_rows_find(s, TRIALS_TRIAL, next->of);
	struct spec spec = {0};
	struct err why = {0};
	if (!of || !of->there)
		return insert_infeasible(
			c, s, t, &(struct err){.code = ERR_INVALID, .message = "the trial's job was deleted"}, err);
	int code = study_after(s->study, next->index, of->job, &spec, &why);
	if (!code)
		code = insert_child(c, s, t, next, &spec, x, &why);
	spec_free(&spec);
	if (code == ERR_INVALID || code == ERR_UNSUPPORTED)
		return insert_infeasible(c, s, t, &why, err);
	return code ? err_field(err, code, why.pointer, "%s", why.message) : OK;
}

int conducting_make(struct conducting *c, const struct study_rows *s, const struct trials_next *next, struct err *err)
{
	double x[SPACE_DIMS_MAX];
	struct trial t = {.row = {.phase = next->phase, .number = next->number, .of = next->of, .state = TRIAL_RUNNING}};
	const struct trial *of = next->phase == TRIALS_TRIAL ? NULL : study_rows_find(s, TRIALS_TRIAL, next->of);
	int code = OK;
	for (int i = 0; i < SPACE_DIMS_MAX; i++)
		x[i] = (double)NAN;
	if (of) {
		memcpy(x, study_rows_x(s, of), (size_t)s->study->space->space.n * sizeof *x);
		t.x = strdup(of->x);
	} else if (next->number >= s->study->plan.enqueued) {
		code = suggest(s, next->number, x, err);
	}
	if (!code)
		code = next->phase == TRIALS_AFTER ? make_after(c, s, next, &t, x, err) : make_trained(c, s, next, &t, x, err);
	free(t.x);
	return code;
}
