/* study.c: what came of a study: its trials, the best, what mattered, how it went. */
#include "server/handlers/handlers.h"
#include "core/lab/importance.h"
#include "server/study_picture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int open_rows(struct call *c, struct study_rows *ret, struct err *err)
{
	return study_rows_open(ret, c->daemon->store, c->arg[0], err);
}

/* --- trials --- */

/* "waiting" until its job has begun. */
static const char *state_of(const struct trial *t)
{
	return t->row.state == TRIAL_RUNNING && t->there && t->status == JOB_QUEUED && !t->started_at_ms
			   ? "waiting"
			   : trial_state_name(t->row.state);
}

static void write_params(struct jsonw *w, const struct study_rows *s, const struct trial *t)
{
	const double *x = study_rows_x(s, t);
	const struct space *space = &s->study->space->space;
	jw_object(w);
	for (int i = 0; i < space->n && x; i++)
		if (!isnan(x[i])) {
			jw_key(w, space->dim[i].name);
			study_space_write(w, s->study->space, i, x[i]);
		}
	jw_end_object(w);
}

static void write_job(struct jsonw *w, const struct call *c, const struct trial *t)
{
	struct buf url = BUF_INIT;
	jw_kstring(w, "job", *t->job ? t->job : NULL);
	jw_kstring(w, "name", *t->name ? t->name : NULL);
	if (!*t->job) {
		jw_kstring(w, "url", NULL);
		return;
	}
	buf_printf(&url, "%s/v1/jobs/%s", c->daemon->config->path_prefix, t->job);
	jw_kbuf(w, "url", &url);
	buf_free(&url);
}

static void write_trial(struct jsonw *w, const struct call *c, const struct study_rows *s, const struct trial *t)
{
	jw_object(w);
	jw_kint(w, "number", t->row.number);
	jw_kstring(w, "phase", trial_phase_name(t->row.phase));
	jw_kint(w, "of", t->row.of);
	jw_kstring(w, "state", state_of(t));
	jw_kreal(w, "value", t->row.value);
	jw_key(w, "params");
	write_params(w, s, t);
	jw_kint(w, "seed", t->seed);
	jw_kint(w, "epochs", t->row.state == TRIAL_RUNNING ? t->epoch : t->last_step);
	jw_kreal(w, "train_s", t->train_s);
	jw_kstring(w, "reason", *t->reason ? t->reason : NULL);
	write_job(w, c, t);
	jw_end_object(w);
}

static void csv_text(struct buf *b, const char *text)
{
	if (!strpbrk(text, ",\"\n\r")) {
		buf_str(b, text);
		return;
	}
	buf_str(b, "\"");
	for (; *text; text++)
		buf_printf(b, *text == '"' ? "\"\"" : "%c", *text);
	buf_str(b, "\"");
}

/* As JSON would write it, without the quotes of a string. */
static void csv_value(struct buf *b, const struct study_rows *s, int i, double x)
{
	struct buf one = BUF_INIT;
	struct jsonw w;
	if (isnan(x))
		return;
	jw_init(&w, &one, false);
	study_space_write(&w, s->study->space, i, x);
	if (!one.failed && one.data[0] == '"')
		buf_printf(b, "%.*s", (int)one.len - 2, one.data + 1);
	else if (!one.failed)
		csv_text(b, one.data);
	b->failed |= one.failed;
	buf_free(&one);
}

static void csv_trials(struct buf *b, const struct study_rows *s)
{
	const struct space *space = &s->study->space->space;
	buf_str(b, "phase,number,of,state,value,epochs,seed");
	for (int i = 0; i < space->n; i++)
		if (s->study->space->name[i].what != SPACE_SEED)
			buf_printf(b, ",%s", space->dim[i].name);
	buf_str(b, ",reason,train_s,job\n");
	for (size_t k = 0; k < s->n; k++) {
		const struct trial *t = &s->trial[k];
		const double *x = study_rows_x(s, t);
		buf_printf(b, "%s,%lld,%lld,%s,", trial_phase_name(t->row.phase), (long long)t->row.number,
			(long long)t->row.of, state_of(t));
		if (!isnan(t->row.value))
			buf_printf(b, "%.9g", t->row.value);
		buf_printf(
			b, ",%lld,%lld", (long long)(t->row.state == TRIAL_RUNNING ? t->epoch : t->last_step), (long long)t->seed);
		for (int i = 0; i < space->n; i++)
			if (s->study->space->name[i].what != SPACE_SEED) {
				buf_str(b, ",");
				csv_value(b, s, i, x ? x[i] : (double)NAN);
			}
		buf_str(b, ",");
		csv_text(b, t->reason);
		buf_printf(b, ",%.3f,%s\n", t->train_s, t->job);
	}
}

static int end_csv(struct call *c, struct err *err)
{
	c->resp.status = 200;
	c->resp.type = format_type(FORMAT_CSV);
	return c->resp.body.failed ? err_set(err, ERR_NO_MEMORY, "out of memory") : OK;
}

static void write_space(struct jsonw *w, const struct study_rows *s)
{
	jw_key(w, "names");
	jw_array(w);
	for (int i = 0; i < s->study->space->space.n; i++)
		jw_string(w, s->study->space->space.dim[i].name);
	jw_end_array(w);
}

static void write_objective(struct jsonw *w, const struct study_rows *s)
{
	jw_kstring(w, "metric", s->study->metric);
	jw_kstring(w, "direction", study_sign(s->study) < 0 ? "maximize" : "minimize");
}

int h_study_trials(struct call *c, struct err *err)
{
	struct study_rows s;
	struct jsonw w;
	int code = open_rows(c, &s, err);
	if (code)
		return code;
	if (c->format == FORMAT_CSV) {
		csv_trials(&c->resp.body, &s);
		code = end_csv(c, err);
	} else {
		call_json(c, &w, 200);
		jw_object(&w);
		jw_kstring(&w, "object", "list");
		jw_kstring(&w, "study", s.job.id);
		write_objective(&w, &s);
		write_space(&w, &s);
		jw_key(&w, "data");
		jw_array(&w);
		for (size_t i = 0; i < s.n; i++)
			write_trial(&w, c, &s, &s.trial[i]);
		jw_end_array(&w);
		jw_end_object(&w);
		code = call_json_end(c, &w, err);
	}
	study_rows_close(&s);
	return code;
}

/* --- the best --- */

enum { SCORED_MAX = 1024 };

static void write_score(struct jsonw *w, const struct study_rows *s, const struct trials_score *score)
{
	const struct trial *scored[SCORED_MAX];
	if (!score->n) {
		jw_null(w);
		return;
	}
	const struct trial *trial = study_rows_find(s, TRIALS_TRIAL, score->trial);
	const size_t n = study_scored_rows(s, score->trial, scored, SCORED_MAX);
	jw_object(w);
	jw_kint(w, "trial", score->trial);
	jw_kreal(w, "value", study_sign(s->study) * score->mean);
	jw_kreal(w, "std", score->n > 1 ? score->std : (double)NAN);
	jw_kint(w, "n", score->n);
	jw_key(w, "params");
	write_params(w, s, trial);
	jw_key(w, "values");
	jw_array(w);
	for (size_t i = 0; i < n; i++)
		jw_real(w, scored[i]->row.value);
	jw_end_array(w);
	jw_key(w, "jobs");
	jw_array(w);
	for (size_t i = 0; i < n; i++)
		jw_string(w, *scored[i]->job ? scored[i]->job : NULL);
	jw_end_array(w);
	jw_end_object(w);
}

/* Of the jobs that the winner's mean is of, the best one: what one would serve. */
static const struct trial *best_of(const struct study_rows *s, const struct trials_score *score)
{
	const struct trial *scored[SCORED_MAX], *best = NULL;
	const size_t n = study_scored_rows(s, score->trial, scored, SCORED_MAX);
	for (size_t i = 0; i < n; i++)
		if (scored[i]->there &&
			(!best || study_sign(s->study) * scored[i]->row.value < study_sign(s->study) * best->row.value))
			best = scored[i];
	return best;
}

/* Every finalist by the same measure, the best first. */
static void write_finalists(struct jsonw *w, const struct study_rows *s)
{
	int64_t numbers[128];
	const size_t n = trials_finalists(&s->study->plan, s->row, s->n, numbers, 128);
	struct trials_score score[128];
	size_t found = 0;
	for (size_t i = 0; i < n; i++) {
		const struct trials_score one = trials_score(&s->study->plan, s->row, s->n, numbers[i]);
		size_t at = found;
		if (!one.n)
			continue;
		for (; at > 0 && score[at - 1].mean > one.mean; at--)
			score[at] = score[at - 1];
		score[at] = one;
		found++;
	}
	jw_array(w);
	for (size_t i = 0; i < found; i++)
		write_score(w, s, &score[i]);
	jw_end_array(w);
}

int h_study_best(struct call *c, struct err *err)
{
	struct study_rows s;
	struct jsonw w;
	int code = open_rows(c, &s, err);
	if (code)
		return code;
	const struct trials_score best = trials_winner(&s.study->plan, s.row, s.n),
							  baseline = trials_baseline(&s.study->plan, s.row, s.n);
	if (!best.n) {
		code = err_set(err, ERR_CONFLICT, "no trial of %s is complete yet", s.job.id);
		study_rows_close(&s);
		return code;
	}
	const struct trial *job = best_of(&s, &best);
	const double gained =
		baseline.n ? baseline.mean - best.mean : (double)NAN; /* values turned so that the least is best */
	call_json(c, &w, 200);
	jw_object(&w);
	jw_kstring(&w, "object", "best");
	jw_kstring(&w, "study", s.job.id);
	jw_kbool(&w, "final", job_terminal(s.job.status));
	write_objective(&w, &s);
	jw_key(&w, "best");
	write_score(&w, &s, &best);
	jw_key(&w, "baseline");
	write_score(&w, &s, &baseline);
	jw_kreal(&w, "improvement", gained);
	jw_kreal(&w, "relative_improvement", gained / fabs(baseline.n ? baseline.mean : (double)NAN));
	jw_kstring(&w, "job", job ? job->job : NULL);
	jw_kstring(&w, "name", job && *job->name ? job->name : NULL);
	jw_key(&w, "finalists");
	write_finalists(&w, &s);
	jw_end_object(&w);
	study_rows_close(&s);
	return call_json_end(c, &w, err);
}

/* --- what mattered --- */

struct share {
	int dim;
	double importance;
};

static int by_importance(const void *a, const void *b)
{
	const struct share *x = a, *y = b;
	return x->importance != y->importance ? (x->importance < y->importance) - (x->importance > y->importance)
										  : x->dim - y->dim;
}

static int work_out_importance(const struct study_rows *s, double *ret, struct err *err)
{
	struct trial_record *history;
	int n, code = study_history(s, INT64_MAX, &history, &n, err);
	if (code)
		return code;
	code = importance_ped_anova(ret, &s->study->space->space, history, n, err);
	free(history);
	return code;
}

int h_study_importance(struct call *c, struct err *err)
{
	struct study_rows s;
	struct jsonw w;
	double importance[SPACE_DIMS_MAX] = {0};
	struct share share[SPACE_DIMS_MAX];
	int code = open_rows(c, &s, err);
	if (code)
		return code;
	const struct space *space = &s.study->space->space;
	if (!(code = work_out_importance(&s, importance, err))) {
		for (int i = 0; i < space->n; i++)
			share[i] = (struct share){i, importance[i]};
		qsort(share, (size_t)space->n, sizeof *share, by_importance);
		call_json(c, &w, 200);
		jw_object(&w);
		jw_kstring(&w, "object", "importance");
		jw_kstring(&w, "study", s.job.id);
		write_objective(&w, &s);
		jw_kstring(&w, "method", "ped-anova");
		jw_key(&w, "data");
		jw_array(&w);
		for (int i = 0; i < space->n; i++) {
			jw_object(&w);
			jw_kstring(&w, "name", space->dim[share[i].dim].name);
			jw_kreal(&w, "importance", share[i].importance);
			jw_end_object(&w);
		}
		jw_end_array(&w);
		jw_end_object(&w);
		code = call_json_end(c, &w, err);
	}
	study_rows_close(&s);
	return code;
}

/* --- how it went --- */

static int reply_history(struct call *c, const struct study_rows *s, struct err *err)
{
	struct jsonw w;
	struct buf *csv = &c->resp.body;
	const double sign = study_sign(s->study);
	double best = (double)NAN;
	const bool as_csv = c->format == FORMAT_CSV;
	if (as_csv) {
		buf_str(csv, "number,state,value,best\n");
	} else {
		call_json(c, &w, 200);
		jw_object(&w);
		jw_kstring(&w, "object", "history");
		jw_kstring(&w, "study", s->job.id);
		write_objective(&w, s);
		jw_key(&w, "data");
		jw_array(&w);
	}
	for (size_t i = 0; i < s->n; i++) {
		const struct trials_row *r = &s->row[i];
		if (r->phase != TRIALS_TRIAL)
			continue;
		if (r->state == TRIAL_COMPLETE && !(best <= r->value))
			best = r->value;
		if (as_csv) {
			buf_printf(csv, "%lld,%s,", (long long)r->number, state_of(&s->trial[i]));
			buf_printf(csv, isnan(r->value) ? "," : "%.9g,", s->trial[i].row.value);
			buf_printf(csv, isnan(best) ? "\n" : "%.9g\n", sign * best);
			continue;
		}
		jw_object(&w);
		jw_kint(&w, "number", r->number);
		jw_kstring(&w, "state", state_of(&s->trial[i]));
		jw_kreal(&w, "value", s->trial[i].row.value);
		jw_kreal(&w, "best", sign * best);
		jw_end_object(&w);
	}
	if (as_csv)
		return end_csv(c, err);
	jw_end_array(&w);
	jw_end_object(&w);
	return call_json_end(c, &w, err);
}

enum { HISTORY_WIDTH = 960, HISTORY_HEIGHT = 540, LINES_MAX = 1 };

static int reply_history_chart(struct call *c, const struct study_rows *s, bool log_y, struct err *err)
{
	struct curve curves[2];
	struct canvas canvas;
	const struct trials_row *first = s->n && s->row[0].phase == TRIALS_TRIAL && !s->row[0].number ? &s->row[0] : NULL;
	const struct reference_line baseline = {study_sign(s->study) * (first ? first->value : 0), "baseline"};
	struct chart chart = study_history_chart(s, HISTORY_WIDTH, HISTORY_HEIGHT, log_y);
	int code = study_history_curves(s, curves, err);
	if (code)
		return code;
	chart.lines = &baseline;
	chart.nlines = s->study->plan.enqueued && first && !isnan(first->value);
	if (c->format == FORMAT_PNG) {
		code = chart_canvas(&canvas, &chart, curves, 2, err);
		if (!code)
			code = call_png(c, &canvas, err);
	} else {
		c->resp.status = 200;
		c->resp.type = format_type(FORMAT_SVG);
		chart_svg(&c->resp.body, &chart, curves, 2);
		code = c->resp.body.failed ? err_set(err, ERR_NO_MEMORY, "out of memory") : OK;
	}
	curve_free(&curves[0]);
	curve_free(&curves[1]);
	return code;
}

int h_study_history(struct call *c, struct err *err)
{
	struct study_rows s;
	bool log_y = false;
	int code = uri_bool(&c->req.uri, "log", &log_y, err);
	if (!code)
		code = open_rows(c, &s, err);
	if (code)
		return code;
	code = c->format == FORMAT_PNG || c->format == FORMAT_SVG ? reply_history_chart(c, &s, log_y, err)
															  : reply_history(c, &s, err);
	study_rows_close(&s);
	return code;
}

int h_study_sheet(struct call *c, struct err *err)
{
	struct study_rows s;
	struct canvas canvas;
	struct dataset *d = NULL;
	int code = open_rows(c, &s, err);
	if (code)
		return code;
	/* a sheet without names is one all the same */
	const bool named = !cache_dataset(c->daemon->cache, s.study->base.dataset, &d, NULL);
	const struct study_classes names = {named ? d->classes : 0, named ? d->class_name : NULL};
	code = study_sheet(&canvas, &s, c->daemon->store, c->daemon->config->data_dir, &names, err);
	if (named)
		dataset_put(d);
	study_rows_close(&s);
	return code ? code : call_png(c, &canvas, err);
}
