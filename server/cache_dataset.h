/* cache_dataset.h: loaded data sets, by name: the half of the cache that knows images. For cache.c only.
 *
 * Invariants: a data set is read once however many ask at the same time; one whose files changed is read anew.
 */
#ifndef LATENTD_SERVER_CACHE_DATASET_H
#define LATENTD_SERVER_CACHE_DATASET_H

#include "core/data/dataset.h"

#include <pthread.h>
#include <stdbool.h>

struct shelf {
	pthread_mutex_t lock;
	pthread_cond_t loaded;
	const char *const *dirs;
	int ndirs;
	struct shelf_entry *first;
};

void shelf_init(struct shelf *s, const char *const *dirs, int ndirs);
void shelf_fini(struct shelf *s);
int shelf_get(struct shelf *s, const char *name, struct dataset **ret, struct err *err);
int shelf_peek(const struct shelf *s, const char *name, struct dataset_head *ret, struct err *err);
/* Gives up what nobody has held for idle_ms; true if something went. */
bool shelf_sweep(struct shelf *s, int64_t idle_ms);

#endif
