/* conductor_settle.c: what became of a study's jobs, and of the study. */
#include "server/conductor_internal.h"

#include "server/log.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void conducting_log(struct conducting *c, const char *study_id, const char *unique, const char *format, ...)
{
	char message[600];
	struct buf b = BUF_INIT;
	struct jsonw w;
	va_list args;
	va_start(args, format);
	vsnprintf(message, sizeof message, format, args);
	va_end(args);
	jw_init(&w, &b, false);
	jw_object(&w);
	jw_kstring(&w, "level", "info");
	jw_kstring(&w, "message", message);
	jw_end_object(&w);
	if (!b.failed) { /* the members without their braces */
		b.data[b.len - 1] = '\0';
		store_event(c->store, study_id, EVENT_LOG, unique, b.data + 1);
	}
	buf_free(&b);
}

/* --- one row --- */

static void fail_row(struct trial *t, const char *why, const char *detail)
{
	t->row.state = TRIAL_FAILED;
	snprintf(t->reason, sizeof t->reason, "%.60s%s%.220s", why, *detail ? ": " : "", detail);
}

static int judge_row(
	struct conducting *c, const struct study_rows *s, const struct job *job, struct trial *t, struct err *err)
{
	t->row.value = t->intermediate = (double)NAN;
	t->last_step = job->epoch;
	if (job->status == JOB_FAILED)
		fail_row(t, *job->error_code ? job->error_code : "failed", job->error_detail);
	else if (job->status == JOB_CANCELLED)
		fail_row(t, "cancelled", "");
	else if (t->row.phase == TRIALS_AFTER)
		t->row.state = TRIAL_COMPLETE;
	if (job->status != JOB_SUCCEEDED || t->row.phase == TRIALS_AFTER)
		return OK;
	int code = study_values(c->store, s->study, job, &t->row.value, &t->intermediate, err);
	t->row.state = strcmp(job->stop_reason, "pruned") ? TRIAL_COMPLETE : TRIAL_PRUNED;
	if (!code && isnan(t->row.value) && t->row.state == TRIAL_COMPLETE)
		fail_row(t, "never had a value of", s->study->metric);
	return code;
}

static void tell_row(struct conducting *c, const struct study_rows *s, const struct trial *t)
{
	char unique[64], value[80] = "";
	const char *phase = trial_phase_name(t->row.phase), *state = trial_state_name(t->row.state);
	snprintf(unique, sizeof unique, "%s %lld %s", phase, (long long)t->row.number, state);
	if (!isnan(t->row.value))
		snprintf(
			value, sizeof value, ", %s %.6g after epoch %lld", s->study->metric, t->row.value, (long long)t->last_step);
	if (t->row.phase == TRIALS_TRIAL)
		conducting_log(c, s->job.id, unique, "trial %lld: %s%s%s%s", (long long)t->row.number, state, value,
			*t->reason ? ", " : "", t->reason);
	else
		conducting_log(c, s->job.id, unique, "trial %lld, %s %lld: %s%s%s%s", (long long)t->row.of,
			t->row.phase == TRIALS_AFTER ? "job after it, number" : "again on seed",
			t->row.phase == TRIALS_AFTER ? (long long)(t->row.number % s->study->plan.after) + 1 : (long long)t->seed,
			state, value, *t->reason ? ", " : "", t->reason);
}

static int end_row(struct conducting *c, const struct study_rows *s, const struct trial *was, struct err *err)
{
	struct trial t = *was;
	struct job job = {0};
	int code = OK;
	if (!t.there)
		fail_row(&t, "its job was deleted", "");
	else if (!(code = store_get(c->store, t.job, &job, err)))
		code = judge_row(c, s, &job, &t, err);
	job_free(&job);
	if (!code)
		code = store_trial_end(c->store, s->job.id, &t, err);
	if (!code)
		tell_row(c, s, &t);
	return code;
}

int conducting_verdicts(struct conducting *c, const struct study_rows *s, bool *ret_any, struct err *err)
{
	int code = OK;
	*ret_any = false;
	for (size_t i = 0; i < s->n && !code; i++) {
		const struct trial *t = &s->trial[i];
		if (t->row.state != TRIAL_RUNNING || (t->there && !job_terminal(t->status)))
			continue;
		*ret_any = true;
		code = end_row(c, s, t, err);
	}
	return code;
}

/* --- the study's own row --- */

/* Wall time of those that have ended, over what is left, so many at a time. */
static double eta_of(const struct study_rows *s, int64_t ended, int64_t all)
{
	double ms = 0;
	int n = 0;
	for (size_t i = 0; i < s->n; i++)
		if (s->trial[i].there && s->trial[i].finished_at_ms > s->trial[i].started_at_ms && s->trial[i].started_at_ms) {
			ms += (double)(s->trial[i].finished_at_ms - s->trial[i].started_at_ms);
			n++;
		}
	return n ? ms / n * (double)(all - ended) / s->study->plan.parallel : -1;
}

static void take_best(struct study_rows *s)
{
	const struct trials_score best = trials_winner(&s->study->plan, s->row, s->n);
	if (!best.n)
		return;
	snprintf(s->job.best_metric, sizeof s->job.best_metric, "%s", s->study->metric);
	s->job.best_value = study_sign(s->study) * best.mean;
	s->job.best_epoch = (int)best.trial + 1; /* 0 is none */
}

void conducting_progress(struct conducting *c, struct study_rows *s)
{
	int64_t ended, all;
	struct job *j = &s->job;
	const struct job before = *j;
	trials_count(&s->study->plan, s->row, s->n, &ended, &all);
	j->epoch = (int)ended;
	j->epochs = (int)all;
	j->step = ended;
	j->steps = all;
	j->eta_ms = eta_of(s, ended, all);
	j->samples_per_s = j->train_s = 0;
	for (size_t i = 0; i < s->n; i++)
		j->train_s += s->trial[i].train_s;
	take_best(s);
	if (before.step != j->step || before.steps != j->steps || before.best_value != j->best_value ||
		before.best_epoch != j->best_epoch)
		store_progress(c->store, j);
}

/* --- its end --- */

static void add_numbers(const char *text, struct buf *names, double *sum, int n)
{
	struct json *object;
	int i = 0;
	if (!text || json_parse(&object, text, strlen(text), NULL))
		return;
	for (const struct json *m = json_first(object); m && i < 32; m = json_next(m))
		if (json_type(m) == JSON_NUMBER) {
			if (names)
				buf_printf(names, "%s%s", names->len ? "," : "", json_key(m));
			sum[i++] += json_number(m) / n;
		}
	json_free(object);
}

/* {"loss":…}: means over the jobs that won. They are of one kind, so that each has the same figures in the same order. */
static int mean_test(struct conducting *c, const struct study_rows *s, int64_t winner, char **ret, struct err *err)
{
	enum { CAP = 1024 };
	const struct trial *won[CAP];
	double sum[32] = {0};
	struct buf names = BUF_INIT, b = BUF_INIT;
	struct jsonw w;
	int code = OK, i = 0;
	const size_t n = study_scored_rows(s, winner, won, CAP);
	for (size_t k = 0; k < n && !code; k++) {
		struct job job;
		code = store_get(c->store, won[k]->job, &job, err);
		if (code)
			break;
		add_numbers(job.test, k ? NULL : &names, sum, (int)n);
		job_free(&job);
	}
	jw_init(&w, &b, false);
	jw_object(&w);
	for (char *rest = names.data, *name; rest && (name = strtok_r(rest, ",", &rest)); i++)
		jw_kreal(&w, name, sum[i]);
	jw_end_object(&w);
	buf_free(&names);
	if (code == ERR_NOT_FOUND) /* one was deleted: there is no mean */
		code = OK, i = 0;
	if (!code && i)
		*ret = buf_take(&b, NULL);
	buf_free(&b);
	return code;
}

static const char *first_reason(const struct study_rows *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->row[i].phase == TRIALS_TRIAL && *s->trial[i].reason)
			return s->trial[i].reason;
	return "there were none";
}

int conducting_fail(struct conducting *c, const struct study_rows *s, const struct err *why, struct err *err)
{
	const struct store_change failed = {.stop_reason = err_slug(why->code),
		.error_code = err_slug(why->code),
		.error_detail = why->message,
		.finished = true};
	int code = store_move(c->store, s->job.id, JOB_RUNNING, JOB_FAILED, &failed, err);
	log_warn("study failed", "job=%s error=%s", s->job.id, log_quote(why->message));
	return code == ERR_CONFLICT ? OK : code;
}

int conducting_settle(struct conducting *c, struct study_rows *s, const char *reason, struct err *err)
{
	const struct trials_score best = trials_winner(&s->study->plan, s->row, s->n);
	char *test = NULL;
	if (!best.n) {
		struct err why;
		err_set(&why, ERR_CONFLICT, "no trial was complete; the first one: %s", first_reason(s));
		const struct store_change failed = {
			.stop_reason = "no_trial", .error_code = "no_trial", .error_detail = why.message, .finished = true};
		int code = store_move(c->store, s->job.id, JOB_RUNNING, JOB_FAILED, &failed, err);
		return code == ERR_CONFLICT ? OK : code;
	}
	int code = mean_test(c, s, best.trial, &test, err);
	if (code)
		return code;
	s->job.eta_ms = 0;
	store_progress(c->store, &s->job);
	conducting_log(c, s->job.id, "settled", "best: trial %lld, %s %.6g%s", (long long)best.trial, s->study->metric,
		study_sign(s->study) * best.mean, best.n > 1 ? " in the mean" : "");
	const struct store_change done = {.stop_reason = reason, .test = test, .finished = true};
	code = store_move(c->store, s->job.id, JOB_RUNNING, JOB_SUCCEEDED, &done, err);
	free(test);
	if (!code)
		log_info("study settled", "job=%s trial=%lld value=%.6g", s->job.id, (long long)best.trial,
			study_sign(s->study) * best.mean);
	return code == ERR_CONFLICT ? OK : code;
}
