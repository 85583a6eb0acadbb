#include "server/worker_internal.h"

#include "server/clock.h"
#include "server/metrics.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- event bodies --- */

/* What is said of a run must not be lost (store/write.c: report_new): there is room for it before it is printed. */
static void body_open(struct jsonw *w, struct buf *b)
{
	enum { ROOM = 4096 };
	const struct timespec pause = {.tv_nsec = 20000000};
	while (!buf_reserve(b, ROOM)) {
		nanosleep(&pause, NULL);
		b->failed = false;
	}
	jw_init(w, b, false);
	jw_object(w);
}

/* The members without their braces become the event. */
static void body_send(struct run *r, struct jsonw *w, struct buf *b, enum event_type type, const char *unique)
{
	jw_end_object(w);
	if (!b->failed) {
		b->data[b->len - 1] = '\0';
		store_event(r->config->store, r->job.id, type, unique, b->data + 1);
	}
	buf_free(b);
}

void run_log(struct run *r, const char *level, const char *format, ...)
{
	char message[600];
	struct buf b = BUF_INIT;
	struct jsonw w;
	va_list args;
	va_start(args, format);
	vsnprintf(message, sizeof message, format, args);
	va_end(args);
	body_open(&w, &b);
	jw_kstring(&w, "level", level);
	jw_kstring(&w, "message", message);
	body_send(r, &w, &b, EVENT_LOG, NULL);
}

struct progress run_progress(const struct run *r)
{
	return r->task ? r->at : trainer_progress(r->trainer);
}

/* --- speed --- */

size_t run_samples(const struct progress *p, int64_t step)
{
	size_t epochs = (size_t)(step / p->steps_per_epoch), rest = (size_t)(step % p->steps_per_epoch) * p->batch_size;
	return epochs * p->epoch_images + (rest < p->epoch_images ? rest : p->epoch_images);
}

static void show(struct run *r)
{
	struct worker_view *v = &r->worker->view;
	pthread_mutex_lock(&r->worker->lock);
	v->epoch = r->job.epoch;
	v->step = r->job.step;
	v->steps = r->job.steps;
	v->eta_ms = r->job.eta_ms;
	v->samples_per_s = r->job.samples_per_s;
	v->train_s = r->job.train_s;
	pthread_mutex_unlock(&r->worker->lock);
}

void run_measure(struct run *r)
{
	struct progress p = run_progress(r);
	struct job *j = &r->job;
	double elapsed_s = (double)(clock_ms() - r->begin_ms) / 1000;
	size_t samples = run_samples(&p, p.step) - run_samples(&p, r->begin_step);
	j->epoch = p.epoch;
	j->epochs = p.epochs;
	j->step = p.step;
	j->steps = p.steps;
	j->train_s = r->train_s_before + elapsed_s;
	j->eta_ms = p.step == p.steps ? 0 : -1;
	if (samples > 0 && elapsed_s > 0) {
		j->samples_per_s = (double)samples / elapsed_s;
		j->eta_ms = 1000 * (double)(run_samples(&p, p.steps) - run_samples(&p, p.step)) / j->samples_per_s;
	}
	if (r->trainer)
		metrics_train_samples(j->kind, samples - r->counted);
	r->counted = samples;
	show(r);
}

/* --- points --- */

void run_series_init(struct run *r)
{
	const struct series *s;
	for (r->rows = 0; r->rows < RUN_SERIES_MAX && (s = series_at(r->family, r->rows)); r->rows++)
		r->series[r->rows] = (struct run_series){.row = s, .mean = (double)NAN};
}

/* NULL: a curve of a unit. */
static struct run_series *find_series(struct run *r, const char *name)
{
	for (struct run_series *s = r->series; s < r->series + r->rows; s++)
		if (!strcmp(s->row->name, name))
			return s;
	return NULL;
}

/* NaN where there is no point of that step. */
static double newest(struct run *r, const char *name, int64_t step)
{
	const struct run_series *s = find_series(r, name);
	return s && s->step == step ? s->value : (double)NAN;
}

/* Once, also when the epoch's end is gone through again after a kill. */
static void tell_pruned(struct run *r, const struct point *p)
{
	double before = newest(r, "loss_before_prune", p->step), after = newest(r, "loss_after_prune", p->step);
	char unique[40];
	struct buf b = BUF_INIT;
	struct jsonw w;
	if (strcmp(p->series, "sparsity") || isnan(after))
		return;
	char message[120];
	snprintf(message, sizeof message, "pruned %.1f %% of the weights: loss %.5g before, %.5g after", 100 * p->value,
		before, after);
	snprintf(unique, sizeof unique, "pruned %lld", (long long)p->step);
	body_open(&w, &b);
	jw_kstring(&w, "level", "info");
	jw_kstring(&w, "message", message);
	body_send(r, &w, &b, EVENT_LOG, unique);
}

static void add_point(struct run_series *s, double value)
{
	s->sum += value;
	s->n++;
}

void run_note_point(struct run *r, const struct point *p)
{
	tell_pruned(r, p);

	struct run_series *s = find_series(r, p->series);
	if (!s)
		return;
	add_point(s, p->value);
	s->step = p->step;
	s->value = p->value;
}

static void turn_series(struct run_series *s)
{
	s->mean = s->n ? s->sum / (double)s->n : (double)NAN;
	s->sum = 0;
	s->n = 0;
}

static void turn_epoch(struct run *r)
{
	for (int i = 0; i < r->rows; i++)
		turn_series(&r->series[i]);
}

static int recall_series(struct run *r, struct run_series *s, struct err *err)
{
	struct progress p = run_progress(r);
	int64_t end = p.epoch * p.steps_per_epoch, begin = end - p.steps_per_epoch;
	struct curve c;
	int code = store_curve(r->config->store, r->job.id, s->row->name, begin + 1, &c, err);
	if (code)
		return code;
	bool turned = false; /* perhaps not at `end`: not every step need have a point */
	for (size_t i = 0; i < c.n && c.step[i] <= p.step; i++) { /* later ones were stored after this checkpoint */
		if (c.step[i] > end && !turned) {
			turn_series(s);
			turned = true;
		}
		add_point(s, c.value[i]);
	}
	if (!turned)
		turn_series(s);
	curve_free(&c);
	return OK;
}

int run_recall(struct run *r, struct err *err)
{
	int code = OK;
	r->epoch = run_progress(r).epoch;
	for (int i = 0; i < r->rows && !code; i++)
		if (r->series[i].row->headline && r->series[i].row->per_step)
			code = recall_series(r, &r->series[i], err);
	return code;
}

/* --- the end of an epoch --- */

/* The mean over the epoch, or the one point at its end, if it has one. */
static void tell_headline(struct jsonw *w, const struct run_series *s, int64_t step)
{
	if (s->row->per_step)
		jw_kreal(w, s->row->name, s->mean);
	else if (s->step == step)
		jw_kreal(w, s->row->name, s->value);
}

/* The store adds the points that have not been told yet. */
static void send_epoch(struct run *r, const struct progress *p, double seconds)
{
	struct buf b = BUF_INIT;
	struct jsonw w;
	char unique[40];
	body_open(&w, &b);
	jw_key(&w, "epoch_end");
	jw_object(&w);
	jw_kint(&w, "epoch", p->epoch);
	jw_kint(&w, "epochs", p->epochs);
	for (int i = 0; i < r->rows; i++)
		if (r->series[i].row->headline)
			tell_headline(&w, &r->series[i], p->step);
	jw_kreal(&w, "seconds", seconds);
	if (r->job.eta_ms >= 0)
		jw_kint(&w, "eta_ms", llround(r->job.eta_ms));
	jw_end_object(&w);
	snprintf(unique, sizeof unique, "epoch %d", p->epoch);
	body_send(r, &w, &b, EVENT_METRICS, unique);
}

static void remember_speed(struct run *r, const char *work, double flops_per_s)
{
	struct worker *w = r->worker;
	pthread_mutex_lock(&w->lock);
	snprintf(w->view.work, sizeof w->view.work, "%s", work);
	w->view.flops_per_s = flops_per_s;
	pthread_mutex_unlock(&w->lock);
}

void run_epoch_end(struct run *r)
{
	struct progress p = run_progress(r);
	int64_t now = clock_ms();
	double seconds = (double)(now - r->epoch_ms) / 1000;
	size_t samples = run_samples(&p, p.step) - run_samples(&p, r->epoch_step);
	turn_epoch(r);
	if (r->trainer && seconds > 0 && samples > 0) {
		struct point speed = {
			.step = p.step, .epoch = p.epoch, .series = "samples_per_s", .value = (double)samples / seconds};
		store_point(r->config->store, r->job.id, speed.series, speed.step, speed.epoch, speed.value);
		run_note_point(r, &speed);
		remember_speed(r, r->job.kind, speed.value * model_train_flops(&r->model));
	}
	if (r->work_name && seconds > 0)
		remember_speed(r, r->work_name, r->epoch_flops * (double)samples / (double)p.epoch_images / seconds);
	run_measure(r);
	send_epoch(r, &p, seconds);
	r->epoch = p.epoch;
	r->epoch_ms = now;
	r->epoch_step = p.step;
}

/* Where what is watched says nothing of the weights at an epoch's end, the newest stand for the best: there is nothing to
 * choose by. */
static void take_best(struct run *r)
{
	struct best best = trainer_best(r->trainer);
	const struct run_series *s = find_series(r, trainer_monitor(r->trainer));
	if (s && s->row->per_step)
		best = (struct best){.epoch = run_progress(r).epoch, .value = s->mean};
	if (best.epoch == 0)
		return;
	snprintf(r->job.best_metric, sizeof r->job.best_metric, "%s", trainer_monitor(r->trainer));
	r->job.best_epoch = best.epoch;
	r->job.best_value = best.value;
}

void run_checkpointed(struct run *r, int epoch, size_t bytes)
{
	struct buf b = BUF_INIT;
	struct jsonw w;
	char unique[40];
	take_best(r);
	run_measure(r);
	store_progress(r->config->store, &r->job);
	body_open(&w, &b);
	jw_kint(&w, "epoch", epoch);
	jw_kint(&w, "step", run_progress(r).step);
	jw_kint(&w, "bytes", (int64_t)bytes);
	snprintf(unique, sizeof unique, "epoch %d", epoch);
	body_send(r, &w, &b, EVENT_CHECKPOINT, unique);
}

void run_checkpointed_inside(struct run *r)
{
	const struct progress at = run_progress(r);
	struct buf b = BUF_INIT;
	struct jsonw w;
	body_open(&w, &b);
	jw_kint(&w, "epoch", at.epoch);
	jw_kint(&w, "step", at.step);
	jw_kint(&w, "bytes", (int64_t)r->saved_bytes);
	jw_kbool(&w, "inside", at.step % at.steps_per_epoch != 0);
	body_send(r, &w, &b, EVENT_CHECKPOINT, NULL);
}

/* --- alerts --- */

/* A run that was killed between alert and checkpoint gives it again: once is enough. */
static bool has_text(const struct json *texts, const char *text)
{
	for (const struct json *t = texts ? json_first(texts) : NULL; t; t = json_next(t))
		if (!strcmp(json_string(t), text))
			return true;
	return false;
}

static void add_warning(struct run *r, const char *text)
{
	struct json *before = NULL;
	struct buf b = BUF_INIT;
	struct jsonw w;
	if (r->job.warnings && json_parse(&before, r->job.warnings, strlen(r->job.warnings), NULL))
		before = NULL;
	if (!has_text(before, text)) {
		jw_init(&w, &b, false);
		jw_array(&w);
		for (const struct json *t = before ? json_first(before) : NULL; t; t = json_next(t))
			jw_string(&w, json_string(t));
		jw_string(&w, text);
		jw_end_array(&w);
	}
	if (b.len && !b.failed) {
		free(r->job.warnings);
		r->job.warnings = strdup(b.data);
	}
	buf_free(&b);
	json_free(before);
}

void run_alert(struct run *r, const struct alert *a)
{
	char text[400], unique[80];
	struct buf b = BUF_INIT;
	struct jsonw w;
	struct progress p = run_progress(r);
	snprintf(text, sizeof text, "%s; try %s", a->text, a->remedy);
	add_warning(r, text);
	store_progress(r->config->store, &r->job);
	body_open(&w, &b);
	jw_kstring(&w, "level", "warn");
	jw_kstring(&w, "code", a->code);
	jw_kstring(&w, "message", text);
	jw_kstring(&w, "text", a->text);
	jw_kstring(&w, "remedy", a->remedy);
	jw_kint(&w, "epoch", p.epoch);
	jw_kint(&w, "step", p.step);
	snprintf(unique, sizeof unique, "%s %d", a->code, p.epoch);
	body_send(r, &w, &b, EVENT_ALERT, unique);
}

/* --- previews --- */

static void print_url(struct run *r, struct jsonw *w, int epoch, int64_t step, const char *what)
{
	struct buf url = BUF_INIT;
	const char *path_prefix = r->config->path_prefix ? r->config->path_prefix : "";
	buf_printf(&url, "%s/v1/jobs/%s/previews/%d/%s.png", path_prefix, r->job.id, epoch, what);
	if (step)
		buf_printf(&url, "?step=%lld", (long long)step);
	jw_kstring(w, what, url.failed ? NULL : url.data);
	buf_free(&url);
}

/* Once of each moment: a run that was killed takes its last pictures again. */
void run_previewed(struct run *r, int epoch, int64_t step, const char *const *what, int n)
{
	struct buf b = BUF_INIT;
	struct jsonw w;
	char unique[40];
	body_open(&w, &b);
	jw_kint(&w, "epoch", epoch);
	jw_kint(&w, "step", run_progress(r).step);
	jw_key(&w, "urls");
	jw_object(&w);
	for (int i = 0; i < n; i++)
		print_url(r, &w, epoch, step, what[i]);
	jw_end_object(&w);
	snprintf(unique, sizeof unique, step ? "step %lld" : "epoch %lld", (long long)(step ? step : epoch));
	body_send(r, &w, &b, EVENT_PREVIEW, unique);
}
