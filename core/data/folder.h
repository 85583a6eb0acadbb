/* folder.h: a data set as people keep one: train/<class>/….png and test/<class>/….png.
 *
 * Invariants: classes are the lines of labels.txt, each the name of a folder, or without that file the folders of train/ in the
 * order of their bytes. Within a class images are in the order of their names; the first ones of all classes come before the
 * second ones, so that the first N of a split (`train_limit`) hold every class as evenly as they can. All images have the size
 * of the first of train; where that is gray all must be, where it is coloured gray ones become RGB.
 * Not here: IDX files (idx.h), who looks where (dataset_dir.h).
 */
#ifndef LATENTD_CORE_DATA_FOLDER_H
#define LATENTD_CORE_DATA_FOLDER_H

#include "core/base/buf.h"
#include "core/data/dataset.h"

enum { FOLDER_FILE_BYTES_MAX = 16 << 20, FOLDER_IMAGES_MAX = 10000000 };

/* There is a folder in train/ and one in test/. */
bool folder_is(const char *path);
/* Names of all images and the shape of the first. ERR_DATASET, naming the file or folder, for whatever is wrong. */
struct folder;
int folder_open(struct folder **ret, const char *path, struct err *err);
void folder_close(struct folder *f);
void folder_head(const struct folder *f, struct dataset_head *ret);
/* Reads one split (malloc'd arrays); two may be read at once. */
int folder_read(const struct folder *f, enum split split, struct dataset_split *ret, struct err *err);
/* Sets d->classes and d->class_name. */
void folder_classes(const struct folder *f, struct dataset *d);
/* Changes when a file comes or goes; malloc'd lines. For caches, as dataset_fingerprint. */
int folder_fingerprint(const char *path, struct buf *ret_text, struct err *err);

#endif
