/* dataset_dir.h: which folders are data sets, where they are looked for, and what to do when one is missing.
 *
 * Invariants: a name is 1..64 of A-Z a-z 0-9 . _ - and does not begin with a dot, so it can never leave the folders that
 * are searched; dataset_each tells of exactly what dataset_find finds, with the same paths.
 * Not here: the content of the files (dataset.h).
 */
#ifndef LATENTD_CORE_DATA_DATASET_DIR_H
#define LATENTD_CORE_DATA_DATASET_DIR_H

#include "core/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum split { SPLIT_TRAIN, SPLIT_TEST, SPLIT_COUNT };
/* "train", "test" */
extern const char *const split_names[SPLIT_COUNT];
/* False if no split is called that. */
bool split_find(const char *name, enum split *ret);

enum dataset_part { PART_IMAGES, PART_LABELS, PART_COUNT };
enum { DATASET_FILES = SPLIT_COUNT * PART_COUNT, DATASET_NAME_MAX = 64 };

/* The optional file of class names. */
extern const char dataset_labels_name[];

/* What Fashion-MNIST consists of, for messages and checks. */
struct dataset_file {
	const char *name;
	size_t bytes;
	const char *sha256;
};
extern const struct dataset_file dataset_fashion_files[DATASET_FILES];

bool dataset_name_valid(const char *name);
/* Looks for the data set `name` in each of dirs[] (a folder of that name in it, or dirs[i] itself if it has that name),
 * then where Debian puts Fashion-MNIST. Writes its path; ERR_DATASET with the remedy when there is none. */
int dataset_find(
	const char *name, const char *const *dirs, int ndirs, char *ret_path, size_t path_size, struct err *err);
/* Calls fn for each data set that dataset_find would find (name, path), once per name, in the order of dirs[], then by
 * name. */
void dataset_each(
	const char *const *dirs, int ndirs, void (*fn)(void *ctx, const char *name, const char *path), void *ctx);
/* The file of that part: raw if it is there, else .gz. ERR_DATASET if there is neither or the path is too long. */
int dataset_file_path(
	const char *path, enum split split, enum dataset_part part, char *ret_path, size_t path_size, struct err *err);
/* Folders of PNGs (folder.h); IDX files go before them. */
bool dataset_has_folders(const char *path);
/* "size:mtime" of each of its files: cheap to ask, differs when one was replaced. For caches only; the truth is sha256.
 */
int dataset_fingerprint(const char *path, char *text, size_t size, struct err *err);

#endif
