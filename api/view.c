#include "api/view.h"

#include "api/spec.h"

#include <stdio.h>
#include <string.h>

/* What hangs below a job: the name in links{}, and the path around its id. */
static const struct link {
	const char *name, *before, *after;
	enum link_of { OF_ANY, OF_MODELS, OF_CLASSES } of; /* kinds: every one, those that train, those that tell classes apart */
} job_links[] = {
	{"self", "/v1/jobs/", "", OF_ANY},
	{"fork", "/v1/jobs/", "/fork", OF_MODELS},
	{"verify", "/v1/jobs/", "/verify", OF_MODELS},
	{"events", "/v1/jobs/", "/events", OF_ANY},
	{"metrics", "/v1/jobs/", "/metrics", OF_ANY},
	{"curves", "/v1/jobs/", "/curves.svg", OF_ANY},
	{"previews", "/v1/jobs/", "/previews", OF_ANY},
	{"reconstructions", "/v1/jobs/", "/reconstructions.png", OF_MODELS},
	{"samples", "/v1/jobs/", "/samples.png", OF_MODELS},
	{"confusion", "/v1/jobs/", "/confusion", OF_CLASSES},
	{"checkpoints", "/v1/jobs/", "/checkpoints", OF_MODELS},
	{"model", "/v1/models/", "", OF_MODELS},
};

/* f: NULL for a kind that this daemon does not know. */
static bool has_link(const struct family *f, enum link_of of)
{
	if (of == OF_CLASSES)
		return f && family_can(f, ABILITY_CLASSIFY);
	return of == OF_ANY || !f || family_trains(f);
}

static void write_link(struct jsonw *w, const char *prefix, const struct link *link, const char *id)
{
	struct buf url = BUF_INIT;
	buf_printf(&url, "%s%s%s%s", prefix, link->before, id, link->after);
	jw_kbuf(w, link->name, &url);
	buf_free(&url);
}

/* A command with force is another row of the same name. */
static bool is_second_row(enum job_command c)
{
	return c > 0 && !strcmp(job_command_name(c), job_command_name(c - 1));
}

static void write_command_links(struct jsonw *w, const struct job *job, const char *prefix)
{
	for (int c = 0; c < JOB_COMMAND_COUNT; c++) {
		char after[JOB_WORD];
		const struct link link = {job_command_name((enum job_command)c), "/v1/jobs/", after, OF_ANY};
		snprintf(after, sizeof after, "/%s", link.name);
		if (!is_second_row((enum job_command)c) && job_command_exists(job, (enum job_command)c))
			write_link(w, prefix, &link, job->id);
	}
}

static void write_result_links(struct jsonw *w, const struct job *job, const struct family *f, const char *prefix)
{
	for (const char *const *r = f->results; r && *r; r++) {
		char after[JOB_WORD];
		const struct link link = {*r, "/v1/jobs/", after, OF_ANY};
		snprintf(after, sizeof after, "/%s", *r);
		write_link(w, prefix, &link, job->id);
	}
}

void view_allowed(struct jsonw *w, const struct job *job)
{
	const char *last = "";
	jw_array(w);
	for (int c = 0; c < JOB_COMMAND_COUNT; c++) {
		const char *name = job_command_name((enum job_command)c);
		if (job_command_changes(job, (enum job_command)c) && strcmp(name, last)) {
			jw_string(w, name);
			last = name;
		}
	}
	jw_end_array(w);
}

static void write_links(struct jsonw *w, const struct job *job, const char *prefix)
{
	static const struct link from = {"from", "/v1/jobs/", "", OF_ANY};
	const struct family *f = family_find(job->kind);
	jw_key(w, "links");
	jw_object(w);
	for (size_t i = 0; i < sizeof job_links / sizeof *job_links; i++)
		if (has_link(f, job_links[i].of))
			write_link(w, prefix, &job_links[i], job->id);
	if (f)
		write_result_links(w, job, f, prefix);
	write_command_links(w, job, prefix);
	if (*job->from_job)
		write_link(w, prefix, &from, job->from_job);
	jw_end_object(w);
}

static void write_from(struct jsonw *w, const char *job_id, int epoch, int64_t step)
{
	jw_key(w, "from");
	if (!*job_id) {
		jw_null(w);
		return;
	}
	jw_object(w);
	jw_kstring(w, "job", job_id);
	jw_kint(w, "checkpoint", epoch);
	if (step)
		jw_kint(w, "step", step);
	jw_end_object(w);
}

static const char *or_null(const char *text)
{
	return *text ? text : NULL;
}

/* null while it has not happened */
static void write_time(struct jsonw *w, const char *key, int64_t at_ms)
{
	jw_key(w, key);
	if (at_ms > 0)
		jw_int(w, at_ms);
	else
		jw_null(w);
}

static void write_progress(struct jsonw *w, const struct job *job)
{
	jw_key(w, "progress");
	jw_object(w);
	jw_kint(w, "epoch", job->epoch);
	jw_kint(w, "epochs", job->epochs);
	jw_kint(w, "step", job->step);
	jw_kint(w, "steps", job->steps);
	jw_key(w, "eta_ms");
	if (job->eta_ms >= 0)
		jw_int(w, (int64_t)job->eta_ms);
	else
		jw_null(w);
	jw_kreal(w, "samples_per_s", job->samples_per_s);
	jw_end_object(w);
}

static void write_best(struct jsonw *w, const struct job *job)
{
	jw_key(w, "best");
	if (!job->best_epoch) {
		jw_null(w);
		return;
	}
	jw_object(w);
	jw_kstring(w, "metric", job->best_metric);
	jw_kreal(w, "value", job->best_value);
	const struct family *f = family_find(job->kind);
	if (f && f->conducts)
		jw_kint(w, "trial", job->best_epoch - 1);
	else
		jw_kint(w, "epoch", job->best_epoch);
	jw_end_object(w);
}

static void write_error(struct jsonw *w, const struct job *job)
{
	jw_key(w, "error");
	if (!*job->error_code) {
		jw_null(w);
		return;
	}
	jw_object(w);
	jw_kstring(w, "code", job->error_code);
	jw_kstring(w, "detail", job->error_detail);
	jw_end_object(w);
}

static void write_text(struct jsonw *w, const char *key, const char *json, const char *absent)
{
	jw_key(w, key);
	jw_raw(w, json ? json : absent);
}

static void write_results(struct jsonw *w, const struct job *job)
{
	jw_kreal(w, "train_s", job->train_s);
	jw_kreal(w, "lineage_train_s", job->ancestors_train_s + job->train_s);
	write_best(w, job);
	write_text(w, "metrics", job->metrics, "{}");
	write_text(w, "test", job->test, "null");
	write_text(w, "generalisation_gap", job->generalisation_gap, "null");
	write_error(w, job);
	write_text(w, "warnings", job->warnings, "[]");
	jw_kstring(w, "dataset", job->dataset);
	jw_kstring(w, "dataset_sha256", or_null(job->dataset_sha256));
	write_text(w, "metadata", job->metadata, "{}");
}

/* null: no limit */
static void write_time_limit(struct jsonw *w, int64_t time_limit_s)
{
	jw_key(w, "time_limit_s");
	if (time_limit_s)
		jw_int(w, time_limit_s);
	else
		jw_null(w);
}

static void write_control(struct jsonw *w, const struct job *job)
{
	jw_kstring(w, "wish", or_null(job_wish_name(job->wish)));
	jw_key(w, "allowed");
	view_allowed(w, job);
	write_time_limit(w, job->time_limit_s);
	jw_kint(w, "max_retries", job->max_retries);
	jw_kint(w, "retries", job->retries);
}

void view_job(struct jsonw *w, const struct job *job, const char *prefix)
{
	jw_object(w);
	jw_kstring(w, "id", job->id);
	jw_kstring(w, "object", "job");
	jw_kstring(w, "kind", job->kind);
	jw_kstring(w, "preset", job->preset);
	jw_kstring(w, "name", or_null(job->name));
	jw_kstring(w, "status", job_status_name(job->status));
	jw_kstring(w, "stop_reason", or_null(job->stop_reason));
	write_time(w, "created_at_ms", job->created_at_ms);
	write_time(w, "started_at_ms", job->started_at_ms);
	write_time(w, "finished_at_ms", job->finished_at_ms);
	jw_key(w, "queue_position");
	if (job->queue_position > 0)
		jw_int(w, job->queue_position);
	else
		jw_null(w);
	write_progress(w, job);
	write_text(w, "params", job->params, "{}");
	jw_kint(w, "seed", (int64_t)job->seed);
	write_from(w, job->from_job, job->from_epoch, job->fork_step);
	write_text(w, "depends_on", job->depends_on, "[]");
	write_text(w, "trial", job->trial, "null");
	jw_kint(w, "priority", job->priority);
	write_control(w, job);
	jw_kint(w, "attempt", job->attempt);
	jw_kint(w, "memory_bytes", job->memory_bytes);
	write_results(w, job);
	write_links(w, job, prefix);
	jw_end_object(w);
}

void view_list_begin(struct jsonw *w)
{
	jw_object(w);
	jw_kstring(w, "object", "list");
	jw_key(w, "data");
	jw_array(w);
}

void view_list_end(struct jsonw *w, const char *first_id, const char *last_id, bool has_more)
{
	jw_end_array(w);
	jw_kstring(w, "first_id", first_id);
	jw_kstring(w, "last_id", last_id);
	jw_kbool(w, "has_more", has_more);
	jw_end_object(w);
}

void view_job_list(struct jsonw *w, const struct job *jobs, int n, bool has_more, const char *prefix)
{
	view_list_begin(w);
	for (int i = 0; i < n; i++)
		view_job(w, &jobs[i], prefix);
	view_list_end(w, n ? jobs[0].id : NULL, n ? jobs[n - 1].id : NULL, has_more);
}

void view_event(struct jsonw *w, const struct event *e)
{
	struct buf text = BUF_INIT;
	/* data is an object with members, always: seq, job and at_ms at least */
	buf_printf(&text, "{\"event\":\"%s\",%s", event_type_name(e->type), e->data + 1);
	jw_raw(w, text.failed ? NULL : text.data);
	w->b->failed |= text.failed;
	buf_free(&text);
}

void view_estimate(struct jsonw *w, const struct spec *s, const struct estimate *e)
{
	jw_object(w);
	jw_kstring(w, "object", "estimate");
	jw_kstring(w, "kind", s->family->name);
	jw_kstring(w, "preset", s->preset->name);
	jw_kstring(w, "name", or_null(s->name));
	jw_kstring(w, "dataset", s->dataset);
	write_from(w, s->from_job, s->from_epoch, 0);
	jw_kint(w, "seed", (int64_t)s->seed);
	jw_kint(w, "priority", s->priority);
	write_time_limit(w, s->time_limit_s);
	jw_kint(w, "max_retries", s->max_retries);
	jw_key(w, "params");
	spec_params_write(w, s->family, s->params);
	jw_key(w, "estimate");
	jw_object(w);
	jw_kint(w, "parameters", (int64_t)e->parameters);
	jw_kint(w, "memory_bytes", (int64_t)e->memory_bytes);
	jw_kint(w, "steps_per_epoch", e->steps_per_epoch);
	jw_kreal(w, "flops_per_epoch", e->flops_per_epoch);
	jw_key(w, "seconds_per_epoch");
	if (e->seconds_per_epoch >= 0)
		jw_real(w, e->seconds_per_epoch);
	else
		jw_null(w);
	jw_kbool(w, "measured", e->measured);
	jw_kint(w, "epochs", e->epochs);
	jw_kint(w, "steps", e->steps);
	jw_key(w, "seconds");
	if (e->seconds_per_epoch >= 0)
		jw_real(w, e->seconds_per_epoch * e->epochs);
	else
		jw_null(w);
	jw_end_object(w);
	jw_end_object(w);
}
