/* cache.h: weights that may be decoded from: a published copy of a running job's, or a finished job's checkpoint.
 *
 * Why: serving never touches tensors that are being trained, and never waits for them.
 * Threads: any. A published model is immutable; cache_acquire takes a reference, published_put gives it back.
 * Also here: loaded data sets, shared by jobs and requests, dropped when unused for a minute.
 */
#ifndef LATENTD_SERVER_CACHE_H
#define LATENTD_SERVER_CACHE_H

#include "api/job.h"
#include "core/data/dataset.h"
#include "core/model/gmm.h"
#include "core/model/train.h"

struct cache;
struct store;

struct published {
	char job_id[JOB_ID_SIZE];
	int epoch;
	int64_t step;
	struct model model;
	real *w;
	struct code_stats codes; /* latent_dim 0: none */
	char etag[40];           /* differs whenever the weights do */
	char dataset[DATASET_NAME_MAX + 1], dataset_sha256[65];
	struct gmm *kept;        /* the mixture that is kept beside the checkpoint; NULL: none */
	struct gmm *fitted;      /* one that was asked for; atomic, set once; cache.c only */
	float *encoded[SPLIT_COUNT]; /* codes of all images of a split; likewise; model_use.c only */
	int refs;                /* atomic; cache.c only */
};

/* data_dir and dataset_dirs are borrowed for the cache's life. */
int cache_open(struct cache **ret, struct store *store, const char *data_dir, const char *const *dataset_dirs,
	int ndirs, struct err *err);
void cache_close(struct cache *c);

/* The worker's side: a new copy of the trainer's weights becomes `last` of this running job. */
int cache_publish(struct cache *c, const char *job_id, const struct trainer *t, struct err *err);
/* The job is no longer running here: later requests read its checkpoints. */
void cache_retire(struct cache *c, const char *job_id);

/* ref: what a route's {m} holds: id, name or "latest", then optionally @best, @last or @<epoch>. Without @: last while it
 * runs, best when it finished. A queued job, or one that has not published: ERR_CONFLICT "job_… is queued; it can decode
 * once it runs". */
int cache_acquire(struct cache *c, const char *ref, struct published **ret, struct err *err);
void published_put(struct published *p);
/* What "auto" means when sampling; NULL: the kind cannot. */
const char *published_auto(const struct published *p);
/* The mixture of its codes: the one that is kept, else fitted now (some seconds, on the pool), once. Lives as long as p. */
int cache_mixture(struct cache *c, struct published *p, const struct kern *kern, struct pool *pool, const struct gmm **ret,
	struct err *err);

/* A loaded data set by name (loads it if need be); dataset_put when done. */
int cache_dataset(struct cache *c, const char *name, struct dataset **ret, struct err *err);
/* The one that a model was trained on; ERR_DATASET_CHANGED where its files have changed since. */
int cache_dataset_of(struct cache *c, const struct published *p, struct dataset **ret, struct err *err);
/* Its sizes only, without loading it. */
int cache_peek(struct cache *c, const char *name, struct dataset_head *ret, struct err *err);
/* Drops models and data sets nobody used for a minute; the main thread calls it now and then. */
void cache_sweep(struct cache *c);

#endif
