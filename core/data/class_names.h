/* class_names.h: what a data set calls its classes: labels.txt in its folder, else Fashion-MNIST's ten, else "0", "1",
 * ….
 *
 * Invariants: a name is valid UTF-8 without control characters, 1..39 bytes: it goes into pages and replies as it is.
 */
#ifndef LATENTD_CORE_DATA_CLASS_NAMES_H
#define LATENTD_CORE_DATA_CLASS_NAMES_H

#include "core/data/dataset.h"

/* A class can be called that. */
bool class_name_ok(const char *name, size_t length);
/* Sets d->classes and d->class_name from the folder's labels.txt; ERR_NOT_FOUND without one. */
int class_names_file(struct dataset *d, const char *path, struct err *err);
/* Sets d->classes and d->class_name from the folder; `found` (the largest label + 1) is used where nothing else is
 * known. ERR_DATASET if labels.txt is there and not as it should be. */
int class_names_read(struct dataset *d, const char *path, int found, struct err *err);
/* The same from labels.txt's text: a name a line; empty lines at the end do not count. */
int class_names_parse(struct dataset *d, const char *text, size_t size, struct err *err);

#endif
