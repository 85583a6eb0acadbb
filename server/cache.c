#include "server/cache.h"

#include "server/cache_dataset.h"
#include "server/checkpoint.h"
#include "server/clock.h"
#include "server/mixture_file.h"
#include "server/store/store.h"

#include "core/model/mixture.h"

#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOADED_MAX = 8, IDLE_MS = 60000 };

struct entry {
	struct entry *next;
	struct published *p;
	bool running; /* a worker's newest; else read from a checkpoint */
	int64_t used_ms;
};

struct cache {
	struct store *store;
	const char *data_dir;
	struct shelf shelf;
	pthread_mutex_t lock; /* guards the list, not what it points at */
	struct entry *first;
};

int cache_open(struct cache **ret, struct store *store, const char *data_dir, const char *const *dataset_dirs,
	int ndirs, struct err *err)
{
	struct cache *c = calloc(1, sizeof *c);
	if (!c)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	c->store = store;
	c->data_dir = data_dir;
	shelf_init(&c->shelf, dataset_dirs, ndirs);
	pthread_mutex_init(&c->lock, NULL);
	*ret = c;
	return OK;
}

/* --- a published model --- */

static void mixture_drop(struct gmm *g)
{
	if (g)
		gmm_free(g);
	free(g);
}

static void published_free(struct published *p)
{
	if (p->model.family)
		model_free(&p->model);
	code_stats_free(&p->codes);
	mixture_drop(p->kept);
	mixture_drop(p->fitted);
	for (int split = 0; split < SPLIT_COUNT; split++)
		free(p->encoded[split]);
	free(p->w);
	free(p);
}

void published_put(struct published *p)
{
	if (p && __atomic_sub_fetch(&p->refs, 1, __ATOMIC_ACQ_REL) == 0)
		published_free(p);
}

static struct published *published_get(struct published *p)
{
	__atomic_add_fetch(&p->refs, 1, __ATOMIC_RELAXED);
	return p;
}

static struct published *published_new(const char *job_id, int epoch, int64_t step)
{
	struct published *p = calloc(1, sizeof *p);
	if (!p)
		return NULL;
	p->refs = 1;
	p->epoch = epoch;
	p->step = step;
	snprintf(p->job_id, sizeof p->job_id, "%s", job_id);
	/* a run's weights follow from its step; its codes are taken anew when an epoch ends */
	snprintf(p->etag, sizeof p->etag, "%.24s-%x-%llx", job_id, (unsigned)epoch, (unsigned long long)step);
	return p;
}

static int copy_model(struct published *p, const struct model *m, const real *w, struct err *err)
{
	enum { ALIGN = 64 };
	p->w = aligned_alloc(ALIGN, (model_reals(m) * sizeof(real) / ALIGN + 1) * ALIGN);
	if (!p->w)
		return err_set(err, ERR_NO_MEMORY, "no memory for a copy of the weights");
	memcpy(p->w, w, model_reals(m) * sizeof(real));
	return model_copy(&p->model, m, err);
}

/* --- the list --- */

static struct entry **find_running_locked(struct cache *c, const char *job_id)
{
	struct entry **at = &c->first;
	while (*at && !((*at)->running && !strcmp((*at)->p->job_id, job_id)))
		at = &(*at)->next;
	return at;
}

static struct published *remove_locked(struct entry **at)
{
	struct entry *e = *at;
	struct published *p = e->p;
	*at = e->next;
	free(e);
	return p;
}

/* Takes over the reference. */
static int insert_locked(struct cache *c, struct published *p, bool running, struct err *err)
{
	struct entry *e = calloc(1, sizeof *e);
	if (!e)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	*e = (struct entry){.next = c->first, .p = p, .running = running, .used_ms = clock_ms()};
	c->first = e;
	return OK;
}

/* Keeps the list of loaded models short: the one that was used longest ago goes. Returns it, or NULL. */
static struct published *evict_locked(struct cache *c)
{
	struct entry **oldest = NULL;
	int loaded = 0;
	for (struct entry **at = &c->first; *at; at = &(*at)->next) {
		if ((*at)->running)
			continue;
		loaded++;
		if (!oldest || (*at)->used_ms < (*oldest)->used_ms)
			oldest = at;
	}
	return loaded > LOADED_MAX ? remove_locked(oldest) : NULL;
}

int cache_publish(struct cache *c, const char *job_id, const struct trainer *t, struct err *err)
{
	struct progress now = trainer_progress(t);
	struct published *p = published_new(job_id, now.epoch, now.step), *old = NULL;
	if (!p)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	snprintf(p->dataset, sizeof p->dataset, "%s", trainer_dataset(t)->name);
	snprintf(p->dataset_sha256, sizeof p->dataset_sha256, "%s", trainer_dataset(t)->sha256);
	int code = copy_model(p, trainer_model(t), trainer_weights(t), err);
	if (!code && model_has_codes(&p->model))
		code = code_stats_copy(&p->codes, trainer_codes(t), err);
	if (!code) {
		pthread_mutex_lock(&c->lock);
		struct entry **at = find_running_locked(c, job_id);
		if (*at) {
			old = (*at)->p;
			(*at)->p = p;
		} else {
			code = insert_locked(c, p, true, err);
		}
		pthread_mutex_unlock(&c->lock);
	}
	published_put(code ? p : old);
	return code;
}

static struct published *take_of_job_locked(struct cache *c, const char *job_id)
{
	for (struct entry **at = &c->first; *at; at = &(*at)->next)
		if (!strcmp((*at)->p->job_id, job_id))
			return remove_locked(at);
	return NULL;
}

/* Checkpoints that were loaded while it ran go, too: a mixture may be kept beside them now. */
void cache_retire(struct cache *c, const char *job_id)
{
	struct published *p;
	do {
		pthread_mutex_lock(&c->lock);
		p = take_of_job_locked(c, job_id);
		pthread_mutex_unlock(&c->lock);
		published_put(p);
	} while (p);
}

/* --- from a checkpoint --- */

static struct published *find_running(struct cache *c, const char *job_id)
{
	pthread_mutex_lock(&c->lock);
	struct entry *e = *find_running_locked(c, job_id);
	struct published *p = e ? published_get(e->p) : NULL;
	pthread_mutex_unlock(&c->lock);
	return p;
}

static struct published *find_loaded_locked(struct cache *c, const char *job_id, int64_t step)
{
	for (struct entry *e = c->first; e; e = e->next)
		if (!e->running && e->p->step == step && !strcmp(e->p->job_id, job_id)) {
			e->used_ms = clock_ms();
			return published_get(e->p);
		}
	return NULL;
}

static struct published *find_loaded(struct cache *c, const char *job_id, int64_t step)
{
	pthread_mutex_lock(&c->lock);
	struct published *p = find_loaded_locked(c, job_id, step);
	pthread_mutex_unlock(&c->lock);
	return p;
}

/* A mixture that is damaged is as good as none: it can be fitted again. */
static void load_mixture(struct published *p, const char *data_dir, const struct checkpoint *file)
{
	struct gmm g, *kept;
	if (!model_has_codes(&p->model) || !file->number ||
		mixture_read(&g, data_dir, p->job_id, file->number, p->model.latent_dim, NULL))
		return;
	kept = malloc(sizeof *kept);
	if (!kept) {
		gmm_free(&g);
		return;
	}
	*(p->kept = kept) = g;
	strcat(p->etag, "-m"); /* what is drawn from it is not what was drawn before */
}

static int published_load(
	struct published **ret, const char *data_dir, const char *job_id, const struct checkpoint *file, struct err *err)
{
	struct published *p = published_new(job_id, file->epoch, file->step);
	if (!p)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	int code = checkpoint_model(file, &p->model, &p->w, err);
	if (!code && model_has_codes(&p->model))
		code = code_stats_load(&p->codes, &file->st.state, p->model.latent_dim, err);
	safetensors_metadata(&file->st, "dataset", p->dataset, sizeof p->dataset);
	safetensors_metadata(&file->st, "dataset_sha256", p->dataset_sha256, sizeof p->dataset_sha256);
	if (!code)
		load_mixture(p, data_dir, file);
	if (code)
		published_free(p);
	else
		*ret = p;
	return code;
}

/* Makes `mine` one of the loaded models, unless it is there already; *ret: the one that is. */
static int share(struct cache *c, struct published *mine, struct published **ret, struct err *err)
{
	struct published *evicted = NULL;
	int code = OK;
	pthread_mutex_lock(&c->lock);
	struct published *there = find_loaded_locked(c, mine->job_id, mine->step);
	if (!there)
		code = insert_locked(c, mine, false, err);
	if (!there && !code) {
		there = published_get(mine);
		evicted = evict_locked(c);
		mine = NULL;
	}
	pthread_mutex_unlock(&c->lock);
	published_put(mine);
	published_put(evicted);
	if (!code)
		*ret = there;
	return code;
}

static int load(struct cache *c, const struct job *job, const char *which, struct published **ret, struct err *err)
{
	struct checkpoint file;
	struct published *p = NULL;
	int code = checkpoint_pick(&file, c->data_dir, job, which, err);
	if (code)
		return code;
	code = published_load(&p, c->data_dir, job->id, &file, err);
	checkpoint_free(&file);
	return code ? code : share(c, p, ret, err);
}

/* The step that `which` means, where it can be known without opening a file; else -1. */
static int64_t step_of(const struct job *job, const char *which)
{
	int64_t epoch = atoi(which);
	if (!strcmp(which, "best"))
		epoch = job->best_epoch;
	else if (!strcmp(which, "last")) /* where it stands; a job cut short may have saved before */
		return job->step > 0 ? job->step : -1;
	return epoch > 0 && job->epochs > 0 ? job->steps / job->epochs * epoch : -1;
}

/* A run whose copy is not there yet, or no more, is looked at once more; then its newest file serves. */
static int acquire(
	struct cache *c, const struct job *job, const char *which, bool first_look, struct published **ret, struct err *err)
{
	const char *state = job_live(job->status) ? "starting" : job_status_name(job->status);
	bool ended = job_terminal(job->status);
	if (!*which)
		which = !ended ? "last" : job->best_epoch ? "best" : "last";
	if (!ended && !strcmp(which, "last")) {
		struct published *newest = find_running(c, job->id);
		if (newest) {
			*ret = newest;
			return OK;
		}
		if (job_live(job->status) && first_look)
			return err_set(err, ERR_CONFLICT, "%s is %s; it can decode once it runs", job->id, state);
	}
	struct published *there = find_loaded(c, job->id, step_of(job, which));
	if (there) {
		*ret = there;
		return OK;
	}
	int code = load(c, job, which, ret, err);
	if (code == ERR_NOT_FOUND && !strcmp(which, "last"))
		return ended ? err_set(err, ERR_CONFLICT,
						   "%s ended before its first checkpoint; there is nothing to decode with", job->id)
					 : err_set(err, ERR_CONFLICT, "%s is %s; it can decode once it runs", job->id, state);
	return code;
}

int cache_acquire(struct cache *c, const char *ref, struct published **ret, struct err *err)
{
	char name[JOB_NAME_SIZE];
	const char *at = strrchr(ref, '@');
	size_t length = at ? (size_t)(at - ref) : strlen(ref);
	struct job job;
	if (length >= sizeof name)
		return err_set(err, ERR_NOT_FOUND, "no job has a name that long");
	if (at && !at[1])
		return err_set(err, ERR_INVALID, "what follows '@' is missing: say best, last or the number of an epoch");
	memcpy(name, ref, length);
	name[length] = '\0';
	/* A run may end, and its copy go, between the reading of its row and the look for that copy: then the row has changed. */
	bool ran = true;
	int code = ERR_CONFLICT;
	for (int look = 0; look < 2 && code == ERR_CONFLICT && ran; look++) {
		code = store_get(c->store, name, &job, err);
		if (code)
			return code;
		ran = job_live(job.status);
		code = job_check_trains(&job, err);
		if (!code)
			code = acquire(c, &job, at ? at + 1 : "", look == 0, ret, err);
		job_free(&job);
	}
	return code;
}

/* --- mixtures --- */

const char *published_auto(const struct published *p)
{
	const struct family *f = p->model.family;
	return p->kept && f->fitted_distribution ? f->fitted_distribution : f->auto_distribution;
}

static int fit_mixture(struct cache *c, const struct published *p, const struct kern *kern, struct pool *pool, struct gmm **ret,
	struct err *err)
{
	struct dataset *d;
	struct gmm *g = malloc(sizeof *g);
	if (!g)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	int code = cache_dataset_of(c, p, &d, err);
	if (!code) {
		code = mixture_fit(g, &p->model, p->w, d, kern, pool, err);
		dataset_put(d);
	}
	if (code)
		free(g);
	else
		*ret = g;
	return code;
}

int cache_mixture(struct cache *c, struct published *p, const struct kern *kern, struct pool *pool, const struct gmm **ret,
	struct err *err)
{
	struct gmm *there = p->kept ? p->kept : __atomic_load_n(&p->fitted, __ATOMIC_ACQUIRE), *mine = NULL;
	if (!there) {
		int code = fit_mixture(c, p, kern, pool, &mine, err);
		if (code)
			return code;
		/* who comes meanwhile fits the same one, bit for bit; the first to end is kept */
		if (__atomic_compare_exchange_n(&p->fitted, &there, mine, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			there = mine;
		else
			mixture_drop(mine);
	}
	*ret = there;
	return OK;
}

/* --- data sets, sweeping --- */

int cache_dataset(struct cache *c, const char *name, struct dataset **ret, struct err *err)
{
	return shelf_get(&c->shelf, name, ret, err);
}

int cache_dataset_of(struct cache *c, const struct published *p, struct dataset **ret, struct err *err)
{
	struct dataset *d;
	int code = cache_dataset(c, p->dataset, &d, err);
	if (code)
		return code;
	if (!strcmp(d->sha256, p->dataset_sha256)) {
		*ret = d;
		return OK;
	}
	dataset_put(d);
	return err_set(err, ERR_DATASET_CHANGED, "data set %s is not what %s was trained on; put the old files back", p->dataset,
		p->job_id);
}

int cache_peek(struct cache *c, const char *name, struct dataset_head *ret, struct err *err)
{
	return shelf_peek(&c->shelf, name, ret, err);
}

static struct published *take_idle_locked(struct cache *c, int64_t idle_ms)
{
	int64_t now = clock_ms();
	for (struct entry **at = &c->first; *at; at = &(*at)->next)
		if (!(*at)->running && now - (*at)->used_ms >= idle_ms)
			return remove_locked(at);
	return NULL;
}

static bool drop_idle(struct cache *c, int64_t idle_ms)
{
	bool dropped = false;
	struct published *p;
	do {
		pthread_mutex_lock(&c->lock);
		p = take_idle_locked(c, idle_ms);
		pthread_mutex_unlock(&c->lock);
		dropped |= p != NULL;
		published_put(p);
	} while (p);
	return dropped;
}

void cache_sweep(struct cache *c)
{
	bool models = drop_idle(c, IDLE_MS);
	if (shelf_sweep(&c->shelf, IDLE_MS) || models)
		malloc_trim(0); /* what is free goes back to the system, so that an idle daemon is small */
}

void cache_close(struct cache *c)
{
	if (!c)
		return;
	while (c->first)
		published_put(remove_locked(&c->first));
	shelf_fini(&c->shelf);
	pthread_mutex_destroy(&c->lock);
	free(c);
}
