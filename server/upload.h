/* upload.h: data sets that came over the API: folders under <data-dir>/datasets, whole or absent.
 *
 * How: a tar is unpacked into ".incoming-…" there (a name no data set can have), read as any data set is, made durable, and
 * renamed into place; one that is replaced changes places with the new one in one step. What a kill left is swept at start.
 * Threads: any; changes of the folder are made one after the other, under a lock of this file that is held across renames
 * and the question whether a job needs the old one, never while anything is unpacked or read.
 * Not here: who may (handlers/upload.c), reading tars (core/data/tar.h).
 */
#ifndef LATENTD_SERVER_UPLOAD_H
#define LATENTD_SERVER_UPLOAD_H

#include "core/data/dataset.h"

#include <stdbool.h>

enum { UPLOAD_PATH_MAX = 4400 };
/* Of what is unpacked. */
enum { UPLOAD_BYTES_MAX = 1 << 30, UPLOAD_ENTRIES_MAX = 200000 };

/* <data-dir>/datasets[/name]; name may be NULL. */
void upload_place(char path[UPLOAD_PATH_MAX], const char *data_dir, const char *name);
/* Removes what a kill left half done. */
void upload_sweep(const char *data_dir);
/* The folder of that data set is one of ours. */
bool upload_owns(const char *data_dir, const char *path);

/* A data set that has been unpacked and read, not yet in place. upload_drop gives it up or cleans behind it. */
struct upload {
	char dir[UPLOAD_PATH_MAX];  /* the temporary folder */
	char root[UPLOAD_PATH_MAX]; /* the data set in it: dir, or the only folder in it */
	struct dataset *data;
};
/* Errors as tar_read's and dataset_load's, these with paths as seen from the root of the tar; ERR_NO_SPACE. */
int upload_unpack(
	struct upload *ret, const char *data_dir, const char *name, const void *bytes, size_t size, struct err *err);
void upload_drop(struct upload *u);

/* May it be done? Asked under the lock; an error refuses. */
typedef int upload_ask_fn(void *ctx, struct err *err);
/* Puts it in the place of `name`; *ret_replaced: there was one. */
int upload_settle(struct upload *u, const char *data_dir, const char *name, upload_ask_fn *ask, void *ctx,
	bool *ret_replaced, struct err *err);
int upload_remove(const char *data_dir, const char *name, upload_ask_fn *ask, void *ctx, struct err *err);

#endif
