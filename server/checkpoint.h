/* checkpoint.h: a run's saved states on disk: written by its worker, read to resume, to serve and to export.
 *
 * Files: checkpoints/epoch-000012.safetensors after an epoch, checkpoints/inside.safetensors (number 0) within one; the
 * latter is replaced by its successor and removed by the next numbered one.
 * Invariants: each file ends with a checksum that is verified before use; its metadata says what the run depends on and
 * nothing of when, where or by how many threads it was made, so equal runs give equal bytes on one numeric level.
 * Not here: when to save (worker.c), names and atomicity (blob.h).
 */
#ifndef LATENTD_SERVER_CHECKPOINT_H
#define LATENTD_SERVER_CHECKPOINT_H

#include "api/job.h"
#include "api/safetensors.h"
#include "core/model/train.h"

struct checkpoint {
	void *file; /* the bytes that st points into */
	size_t size;
	struct safetensors st;
	int number; /* in the file's name; 0: inside */
	int epoch;  /* finished */
	int64_t step;
};

/* What a file says beside its tensors. */
struct checkpoint_facts {
	const struct job *job; /* kind, dataset, dataset_sha256, seed, params */
	const char *level;     /* of the kernels */
};

/* The trainer's state as a file, appended. */
int checkpoint_print(struct buf *b, struct trainer *t, const struct checkpoint_facts *facts, struct err *err);
/* Writes the file of that number (0: inside). */
int checkpoint_write(const char *data_dir, const char *job_id, int epoch, const struct buf *file, struct err *err);
/* Removes the file taken inside an epoch, once a numbered one is newer. */
void checkpoint_drop_inside(const char *data_dir, const char *job_id);
/* ERR_NOT_FOUND, ERR_CORRUPT. */
int checkpoint_load(struct checkpoint *ret, const char *data_dir, const char *job_id, int epoch, struct err *err);
void checkpoint_free(struct checkpoint *c);
/* The valid file with the most steps. `skipped` (or NULL) is told of each damaged one on the way. ERR_NOT_FOUND when there
 * is none. */
typedef void checkpoint_skipped_fn(void *ctx, const struct err *why);
int checkpoint_newest(struct checkpoint *ret, const char *data_dir, const char *job_id, checkpoint_skipped_fn *skipped,
	void *ctx, struct err *err);
/* "best", "last" or an epoch's number. ERR_NOT_FOUND names what there is, ERR_INVALID what may be asked. */
int checkpoint_pick(
	struct checkpoint *ret, const char *data_dir, const struct job *job, const char *which, struct err *err);
/* The same, but never the one inside an epoch: what is numbered stays. */
int checkpoint_pick_numbered(
	struct checkpoint *ret, const char *data_dir, const struct job *job, const char *which, struct err *err);
/* The parameters it was written with: the family's struct, malloc'd. */
int checkpoint_params(const struct checkpoint *c, const struct family *f, void **ret, struct err *err);
/* trainer_restore of its state, which came about with the parameters that it was written with; the trainer's may be a fork's. */
int checkpoint_restore(const struct checkpoint *c, struct trainer *t, struct err *err);
/* trainer_roll_back to that epoch of the job, likewise: for hooks->recall. */
int checkpoint_roll_back(struct trainer *t, const char *data_dir, const char *job_id, int epoch, struct err *err);
/* The model that the file describes and its weights (malloc'd, 64-byte aligned): model_free, free. */
int checkpoint_model(const struct checkpoint *c, struct model *ret_model, real **ret_w, struct err *err);

#endif
