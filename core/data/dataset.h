/* dataset.h: labelled images in memory: immutable, refcounted.
 *
 * Why: every job on one data set shares one copy; a run remembers the sha256 of what it saw.
 * Owner: whoever holds a reference; dataset_put frees at the last one.
 * Invariants: images are n * c * h * w bytes, CHW, 0..255; c is 1 or 3; both splits have the same c, h, w and n >= 1;
 * labels are below `classes`; sha256 covers the text "latentd-dataset-1 c h w classes\n", then per split (train, test)
 * n as text and "\n", images, labels: neither names nor how the files were packed.
 * Not here: finding it (dataset_dir.h), batches (core/model/batch.h), who caches what (server/cache.h).
 */
#ifndef LATENTD_CORE_DATA_DATASET_H
#define LATENTD_CORE_DATA_DATASET_H

#include "core/base/err.h"
#include "core/data/dataset_dir.h"

#include <stddef.h>
#include <stdint.h>

enum { DATASET_CLASSES_MAX = 256, DATASET_CLASS_NAME_MAX = 39, DATASET_SIDE_MAX = 1024 };

struct dataset_split {
	size_t n;
	uint8_t *images; /* [n][c][h][w] */
	uint8_t *labels; /* [n] */
};

struct dataset {
	char name[DATASET_NAME_MAX + 1];
	int c, h, w;
	int classes;
	char class_name[DATASET_CLASSES_MAX][DATASET_CLASS_NAME_MAX + 1]; /* UTF-8, no control characters */
	struct dataset_split split[SPLIT_COUNT];
	char sha256[65];
	int refs; /* atomic; through dataset_get and dataset_put only */
};

/* What the files' headers say, before anything is unpacked. */
struct dataset_head {
	int c, h, w;
	size_t n[SPLIT_COUNT];
};

/* Reads the folder: four IDX files, each raw or .gz, or folders of PNGs (folder.h), and labels.txt (a class name a line) if
 * there. One reference, the caller's. ERR_DATASET, naming the file, for whatever is wrong with them. */
int dataset_load(struct dataset **ret, const char *name, const char *path, struct err *err);
/* Sizes only, in well under a millisecond (folders: as long as it takes to list them); the same checks of the headers as
 * dataset_load. */
int dataset_peek(struct dataset_head *ret, const char *path, struct err *err);
struct dataset *dataset_get(struct dataset *d);
void dataset_put(struct dataset *d);
size_t dataset_bytes(const struct dataset *d);

#endif
