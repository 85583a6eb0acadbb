#include "server/sched.h"

#include "api/fork.h"
#include "server/blob.h"
#include "server/clock.h"
#include "server/crash.h"
#include "server/depends.h"
#include "server/fork.h"
#include "server/job_delete.h"
#include "server/log.h"
#include "server/origin.h"
#include "server/sched_internal.h"
#include "server/speed.h"
#include "server/task.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { RETRY_S = 1 };

/* --- workers --- */

static void view_reset(struct worker *w, const char *job_id)
{
	pthread_mutex_lock(&w->lock);
	snprintf(w->view.job_id, sizeof w->view.job_id, "%s", job_id);
	w->view.epoch = 0;
	w->view.step = w->view.steps = 0;
	w->view.eta_ms = -1;
	w->view.samples_per_s = w->view.train_s = 0;
	pthread_mutex_unlock(&w->lock);
}

/* Nobody else claims it before; on a full disk that waits. */
static void let_go(struct seat *seat, const char *job_id)
{
	struct sched *s = seat->sched;
	struct err err = {0};
	while (store_release(s->config.store, job_id, &err) && !atomic_load(&s->drain)) {
		log_warn("a job could not be let go", "job=%s error=%s", job_id, log_quote(err.message));
		sleep(RETRY_S);
	}
	sched_wake(s); /* it may wait again, and those that waited for it may run now */
}

static void run_one(struct seat *seat, struct job *job)
{
	char id[JOB_ID_SIZE];
	memcpy(id, job->id, sizeof id);
	atomic_store(&seat->worker.edit, false);
	view_reset(&seat->worker, id);
	/* what was asked between the claim and the moment the job could be found at this worker is asked still */
	atomic_store(&seat->worker.told, true);
	crash_job_begin(id);
	worker_run(&seat->worker, job);
	crash_job_end();
	view_reset(&seat->worker, "");
	let_go(seat, id);
}

/* Until something may be claimed that could not be before. */
static void wait_for_turn(struct sched *s, unsigned seen)
{
	int64_t later_ms = 0;
	if (store_later(s->config.store, &later_ms, NULL))
		later_ms = clock_ms() + 1000 * RETRY_S;
	const struct timespec later = {.tv_sec = later_ms / 1000, .tv_nsec = later_ms % 1000 * 1000000};
	pthread_mutex_lock(&s->lock);
	while (!atomic_load(&s->drain) && s->turns == seen)
		if (!later_ms)
			pthread_cond_wait(&s->wake, &s->lock);
		else if (pthread_cond_timedwait(&s->wake, &s->lock, &later) == ETIMEDOUT)
			break;
	pthread_mutex_unlock(&s->lock);
}

static unsigned turns(struct sched *s)
{
	pthread_mutex_lock(&s->lock);
	unsigned n = s->turns;
	pthread_mutex_unlock(&s->lock);
	return n;
}

static void *seat_main(void *arg)
{
	struct seat *seat = arg;
	struct sched *s = seat->sched;
	pool_settle_thread(); /* it computes on the pool's seats, and previews by itself */
	while (!atomic_load(&s->drain)) {
		struct job job;
		struct err err = {0};
		unsigned seen = turns(s);
		int code = store_claim(s->config.store, &job, &err);
		if (!code) {
			run_one(seat, &job);
		} else if (code == ERR_NOT_FOUND) {
			wait_for_turn(s, seen);
		} else {
			log_warn("no job could be claimed", "error=%s", log_quote(err.message));
			sleep(RETRY_S);
		}
	}
	return NULL;
}

/* Signals are the main thread's: a worker must never be interrupted inside a write. */
static int start_seats(struct sched *s, struct err *err)
{
	sigset_t all, before;
	int error = 0;
	crash_mask(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (int i = 0; i < s->config.workers && !error; i++) {
		struct seat *seat = &s->seat[i];
		seat->sched = s;
		seat->worker.config = &s->config;
		seat->worker.drain = &s->drain;
		pthread_mutex_init(&seat->worker.lock, NULL);
		error = pthread_create(&seat->thread, NULL, seat_main, seat);
		if (error)
			pthread_mutex_destroy(&seat->worker.lock);
		else
			s->seats++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error ? err_errno(err, error, "starting a worker") : OK;
}

static size_t default_memory_limit(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
	return pages > 0 && page > 0 ? (size_t)pages / 4 * 3 * (size_t)page : SIZE_MAX;
}

int sched_open(struct sched **ret, const struct sched_config *config, struct err *err)
{
	struct sched *s = calloc(1, sizeof *s);
	struct seat *seat = calloc((size_t)config->workers + 1, sizeof *seat);
	if (!s || !seat) {
		free(s);
		free(seat);
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	}
	s->config = *config;
	s->seat = seat;
	if (!s->config.memory_limit_bytes)
		s->config.memory_limit_bytes = default_memory_limit();
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&s->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	store_set_queue_limit(s->config.store, s->config.queue_limit);
	store_set_memory_limit(s->config.store, s->config.memory_limit_bytes);
	int code = start_seats(s, err);
	if (code)
		sched_close(s);
	else
		*ret = s;
	return code;
}

void sched_close(struct sched *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	atomic_store(&s->drain, true);
	pthread_cond_broadcast(&s->wake);
	pthread_mutex_unlock(&s->lock);
	for (int i = 0; i < s->seats; i++) {
		pthread_join(s->seat[i].thread, NULL);
		pthread_mutex_destroy(&s->seat[i].worker.lock);
	}
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->wake);
	free(s->seat);
	free(s);
}

/* --- estimates and submission --- */

/* FLOPs per second that such work reached here last; 0: not known. */
static double known_speed(struct sched *s, const char *work)
{
	double speed = 0;
	for (int i = 0; i < s->seats && speed <= 0; i++) {
		struct worker *w = &s->seat[i].worker;
		pthread_mutex_lock(&w->lock);
		if (!strcmp(w->view.work, work))
			speed = w->view.flops_per_s;
		pthread_mutex_unlock(&w->lock);
	}
	return speed;
}

static void work_out(struct sched *s, const struct model *m, const struct dataset *shape, struct estimate *ret)
{
	const struct progress p = trainer_plan(m, shape);
	const int64_t epochs = model_train(m)->epochs;
	const double trained = (double)p.epoch_images, held = (double)p.val_images, known = known_speed(s, m->family->name);
	const double speed = known > 0 ? known : speed_guess(s->config.kern, pool_threads(s->config.pool));
	*ret = (struct estimate){
		.parameters = model_parameters(m),
		.memory_bytes = trainer_bytes(m, shape, pool_threads(s->config.pool)),
		.flops_per_epoch = model_train_flops(m) * trained + model_flops(m) * held,
		.seconds_per_epoch = speed > 0 ? model_train_flops(m) * trained / speed : -1,
		.measured = known > 0,
		.epochs = (int)epochs,
		.steps = epochs * p.steps_per_epoch,
		.steps_per_epoch = p.steps_per_epoch,
	};
}

static int check_memory(const struct sched *s, const struct estimate *e, struct err *err)
{
	enum { MIB = 1 << 20 };
	if (e->memory_bytes <= s->config.memory_limit_bytes)
		return OK;
	return err_field(err, ERR_INVALID, "#/params", "this job needs %zu MiB, the limit for one job is %zu MiB",
		e->memory_bytes / MIB, s->config.memory_limit_bytes / MIB);
}

/* How many classes there are the labels say, so that the data set is read. */
static int count_classes(struct sched *s, const struct spec *spec, int *ret, struct err *err)
{
	struct dataset *d;
	*ret = 0;
	if (!family_can(spec->family, ABILITY_CLASSIFY))
		return OK;
	int code = cache_dataset(s->config.cache, spec->dataset, &d, err);
	if (code)
		return code;
	*ret = d->classes;
	dataset_put(d);
	return OK;
}

/* o: NULL for a fork, whose images are the other job's. */
static int plan_model(struct sched *s, const struct spec *spec, const struct origin *o, const struct model_base *base,
	struct model *ret, struct dataset *shape, struct err *err)
{
	struct dataset_head head;
	int classes, code = cache_peek(s->config.cache, spec->dataset, &head, err);
	if (!code)
		code = count_classes(s, spec, &classes, err);
	if (code) {
		if (err)
			snprintf(err->pointer, sizeof err->pointer, "#/dataset");
		return code;
	}
	const struct map image = {.c = head.c, .h = head.h, .w = head.w};
	code = o ? origin_check_image(o, &head, err) : OK;
	if (!code)
		code = model_plan_on(ret, spec->family, spec->params, base, image, classes, err);
	if (code)
		return code;
	shape->c = head.c;
	shape->h = head.h;
	shape->w = head.w;
	for (int i = 0; i < SPLIT_COUNT; i++)
		shape->split[i].n = head.n[i];
	return OK;
}

/* What the spec leaves to the job that it goes on from. */
static void settle_spec(struct spec *spec, const struct origin *o)
{
	memcpy(spec->from_job, o->job.id, sizeof spec->from_job);
	spec->from_epoch = o->epoch;
	if (!spec->dataset_given)
		snprintf(spec->dataset, sizeof spec->dataset, "%.*s", DATASET_NAME_MAX, o->job.dataset);
}

static int estimate(struct sched *s, const struct spec *spec, const struct origin *o, const struct model_base *base,
	struct estimate *ret, struct err *err)
{
	struct model m;
	struct dataset *shape = calloc(1, sizeof *shape); /* sizes only; too large for a stack */
	if (!shape)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	int code = plan_model(s, spec, o, base, &m, shape, err);
	if (!code) {
		work_out(s, &m, shape, ret);
		code = check_memory(s, ret, err);
		model_free(&m);
	}
	free(shape);
	return code;
}

static int estimate_task(
	struct sched *s, const struct spec *spec, const struct origin *o, struct estimate *ret, struct err *err)
{
	int code = task_find(spec->family)->estimate(&s->config, spec, o, ret, err);
	const double speed = !code && ret->work ? known_speed(s, ret->work) : 0;
	if (speed > 0) {
		ret->seconds_per_epoch = ret->flops_per_epoch / speed;
		ret->measured = true;
	}
	return code ? code : check_memory(s, ret, err);
}

int sched_estimate(struct sched *s, struct spec *spec, struct estimate *ret, struct err *err)
{
	struct origin o = {0};
	struct estimate e;
	int code = depends_settle(spec, s->config.store, err);
	if (!code && spec->family->conducts)
		return sched_estimate_study(s, spec, ret, err);
	if (!code && (*spec->from || family_needs_from(spec->family, spec->params)))
		code = origin_find(&o, s->config.store, s->config.data_dir, spec, err);
	if (code)
		return code;
	if (o.w)
		settle_spec(spec, &o);
	code = task_find(spec->family)
			   ? estimate_task(s, spec, &o, &e, err)
			   : estimate(s, spec, &o, &(struct model_base){o.model.family, o.model.family_params}, &e, err);
	e.ancestors_train_s = o.job.ancestors_train_s + o.job.train_s;
	origin_free(&o);
	if (!code)
		*ret = e;
	return code;
}

static int fill_job(struct job *job, const struct spec *spec, const struct estimate *e, struct err *err)
{
	struct buf params = BUF_INIT;
	struct jsonw w;
	*job = (struct job){.priority = spec->priority, .seed = spec->seed, .eta_ms = -1};
	snprintf(job->kind, sizeof job->kind, "%s", spec->family->name);
	snprintf(job->preset, sizeof job->preset, "%s", spec->preset->name);
	snprintf(job->dataset, sizeof job->dataset, "%s", spec->dataset);
	snprintf(job->name, sizeof job->name, "%s", spec->name);
	snprintf(job->from_job, sizeof job->from_job, "%s", spec->from_job);
	job->from_epoch = spec->from_epoch;
	job->time_limit_s = spec->time_limit_s;
	job->max_retries = spec->max_retries;
	job->ancestors_train_s = e->ancestors_train_s;
	job->memory_bytes = (int64_t)e->memory_bytes;
	job->epochs = e->epochs;
	job->steps = e->steps;
	jw_init(&w, &params, false);
	spec_params_write(&w, spec->family, spec->params);
	job->params = buf_take(&params, NULL);
	job->depends_on = depends_print(spec);
	job->metadata = spec->metadata ? strdup(spec->metadata) : NULL;
	if (!job->params || (spec->metadata && !job->metadata) || (spec->ndepends && !job->depends_on))
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	return job_make_id(job->id, err);
}

void sched_wake(struct sched *s)
{
	pthread_mutex_lock(&s->lock);
	s->turns++;
	pthread_cond_broadcast(&s->wake);
	pthread_mutex_unlock(&s->lock);
}

static int check_open(struct sched *s, struct err *err)
{
	return atomic_load(&s->drain) ? err_set(err, ERR_UNAVAILABLE, "the daemon is stopping; try again in a moment") : OK;
}

/* First a fork's files, then its row: one that is there has what it goes on from. A kill in between leaves a tombstone, and the next
 * start removes the files. */
static int make_files(struct sched *s, const struct job *job, const struct fork *f, struct err *err)
{
	int code = store_promise(s->config.store, job->id, err);
	if (!code && (code = fork_files(f, s->config.data_dir, job->id, err)))
		job_bury(s->config.store, s->config.data_dir, job->id);
	return code;
}

static int insert(struct sched *s, struct job *job, const struct fork *f, struct store_key *key, struct job *ret,
	struct err *err)
{
	int code = f ? make_files(s, job, f, err) : OK;
	if (code)
		return code;
	code = store_insert_once(s->config.store, job, key, err);
	if (f && (code || (key && key->replayed)))
		job_bury(s->config.store, s->config.data_dir, job->id);
	if (code)
		return code;
	sched_wake(s);
	return store_get(s->config.store, key ? key->job_id : job->id, ret, err);
}

int sched_prepare(struct sched *s, struct spec *spec, struct job *ret, struct err *err)
{
	struct estimate e;
	struct job job;
	int code = check_open(s, err);
	if (!code)
		code = sched_estimate(s, spec, &e, err);
	if (code)
		return code;
	code = fill_job(&job, spec, &e, err);
	if (code)
		job_free(&job);
	else
		*ret = job;
	return code;
}

int sched_submit(struct sched *s, struct spec *spec, struct store_key *key, struct job *ret, struct err *err)
{
	struct job job;
	int code = sched_prepare(s, spec, &job, err);
	if (code)
		return code;
	code = insert(s, &job, NULL, key, ret, err);
	job_free(&job);
	return code;
}

/* The spec as the fork would have it, and what it would take. */
static int settle_fork(struct sched *s, const struct fork *f, struct spec *spec, const struct json *changes,
	struct estimate *ret, struct err *err, struct err_more *more)
{
	spec->family = f->model.family;
	int code = fork_params(spec, f->params, changes, f->epoch, err, more);
	if (!code)
		code = fork_settle(f, spec, err);
	if (!code)
		code = estimate(s, spec, NULL, &f->model.base, ret, err);
	if (!code)
		ret->ancestors_train_s = fork_train_s(f);
	return code;
}

static int fork_job(struct sched *s, const struct fork *f, struct spec *spec, const struct json *changes,
	struct store_key *key, struct job *ret, struct err *err, struct err_more *more)
{
	struct estimate e;
	struct job job;
	int code = settle_fork(s, f, spec, changes, &e, err, more);
	if (code)
		return code;
	code = fill_job(&job, spec, &e, err);
	if (!code) {
		fork_fill(f, spec, &job);
		code = insert(s, &job, f, key, ret, err);
	}
	job_free(&job);
	return code;
}

int sched_estimate_fork(struct sched *s, const char *ref, struct spec *spec, const struct json *changes,
	struct estimate *ret, struct err *err, struct err_more *more)
{
	struct fork f;
	int code = fork_open(&f, s->config.store, s->config.data_dir, ref, spec->from_checkpoint, err);
	if (code)
		return code;
	code = settle_fork(s, &f, spec, changes, ret, err, more);
	fork_free(&f);
	return code;
}

int sched_fork(struct sched *s, const char *ref, struct spec *spec, const struct json *changes, struct store_key *key,
	struct job *ret, struct err *err, struct err_more *more)
{
	struct fork f;
	int code = check_open(s, err);
	if (!code)
		code = fork_open(&f, s->config.store, s->config.data_dir, ref, spec->from_checkpoint, err);
	if (code)
		return code;
	code = fork_job(s, &f, spec, changes, key, ret, err, more);
	fork_free(&f);
	return code;
}
