/* blob.h: a job's files: checkpoints and previews under <data-dir>/jobs/<id>/, written so that a kill leaves old or new.
 *
 * Layout: job.json (the spec, so that a folder explains itself) · checkpoints/epoch-000012.safetensors ·
 * checkpoints/inside.safetensors (newest one taken inside an epoch) · previews/epoch-000012-reconstructions.png.
 * Invariants: write to a temporary in the same folder → fsync → rename → fsync folder; 0700/0600; names are made here, never
 * from a request. An fsync error is final for that file: the old one stays.
 */
#ifndef LATENTD_SERVER_BLOB_H
#define LATENTD_SERVER_BLOB_H

#include "core/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BLOB_PATH_MAX = 4400 };

/* The folder and those above it that are missing, 0700. */
int blob_make_dirs(const char *dir, struct err *err);
/* <data_dir>/jobs/<id>/<name>; folders on the way are made by blob_write. */
void blob_path(char *path, size_t size, const char *data_dir, const char *job_id, const char *name);
/* "checkpoints/epoch-000012.safetensors"; epoch 0: "checkpoints/inside.safetensors". */
void blob_checkpoint_name(char *name, size_t size, int epoch);
/* A preview picture: at an epoch's end (step 0), or after a step on the way there. */
struct blob_preview {
	int epoch;
	int64_t step;
	char what[24];
};
/* "previews/epoch-000012-samples.png", "previews/epoch-000012-step-000000345-samples.png" */
void blob_preview_name(char *name, size_t size, const struct blob_preview *p);
/* Those that there are, in the order in which they were taken, of one moment by `what`; malloc'd. */
int blob_previews(const char *data_dir, const char *job_id, struct blob_preview **ret, int *ret_n, struct err *err);
int blob_write(const char *path, const void *bytes, size_t size_bytes, struct err *err);
/* The same file under another name as well, in folders made on the way: a link, or a copy where that cannot be. Durable once
 * blob_sync_dir of its folder is. */
int blob_link(const char *from, const char *to, struct err *err);
int blob_sync_dir(const char *dir, struct err *err);
/* A file's name, or that it is gone, is durable. */
int blob_sync_parent(const char *path, struct err *err);
/* Removes what a kill left of files of the job that were being written. */
void blob_sweep(const char *data_dir, const char *job_id);
/* Of one folder, whoever's they are. */
void blob_sweep_dir(const char *folder);
/* malloc'd, 64-byte aligned for safetensors_read. */
int blob_read(const char *path, void **ret_bytes, size_t *ret_size, struct err *err);
/* Epoch numbers that have a file "<prefix>%06d<suffix>" in the job's folder (prefix "checkpoints/epoch-"), ascending; malloc'd. */
int blob_epochs(const char *data_dir, const char *job_id, const char *prefix, const char *suffix, int **ret_epochs,
	int *ret_n, struct err *err);

/* All files of a job. A kill on the way leaves a folder of another name, which is no job's; the next call removes it. */
int blob_remove_job(const char *data_dir, const char *job_id, struct err *err);

#endif
