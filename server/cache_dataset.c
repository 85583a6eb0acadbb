#include "server/cache_dataset.h"

#include "server/clock.h"

#include <stdlib.h>
#include <string.h>

enum { PATH_MAX_BYTES = 4096, FINGERPRINT_MAX = 512 };

struct shelf_entry {
	struct shelf_entry *next;
	char name[DATASET_NAME_MAX + 1], fingerprint[FINGERPRINT_MAX];
	struct dataset *data; /* NULL while it is being loaded */
	int64_t used_ms;
};

void shelf_init(struct shelf *s, const char *const *dirs, int ndirs)
{
	*s = (struct shelf){.dirs = dirs, .ndirs = ndirs};
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->loaded, NULL);
}

static void drop(struct shelf_entry **at)
{
	struct shelf_entry *e = *at;
	*at = e->next;
	if (e->data)
		dataset_put(e->data);
	free(e);
}

void shelf_fini(struct shelf *s)
{
	while (s->first)
		drop(&s->first);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->loaded);
}

static struct shelf_entry **find_locked(struct shelf *s, const char *name)
{
	struct shelf_entry **at = &s->first;
	while (*at && strcmp((*at)->name, name))
		at = &(*at)->next;
	return at;
}

/* Takes the data set if it is there as its files are now; else leaves an empty entry of the caller's, who loads it. */
static struct dataset *take_locked(
	struct shelf *s, const char *name, const char *fingerprint, struct shelf_entry **ret_new)
{
	struct shelf_entry **at;
	while (*(at = find_locked(s, name)) && !(*at)->data)
		pthread_cond_wait(&s->loaded, &s->lock); /* another thread reads it */
	if (*at && !strcmp((*at)->fingerprint, fingerprint)) {
		(*at)->used_ms = clock_ms();
		return dataset_get((*at)->data);
	}
	if (*at)
		drop(at);
	struct shelf_entry *e = calloc(1, sizeof *e);
	if (e) {
		memcpy(e->name, name, strlen(name) + 1);
		memcpy(e->fingerprint, fingerprint, strlen(fingerprint) + 1);
		e->next = s->first;
		s->first = e;
	}
	*ret_new = e;
	return NULL;
}

static void keep(struct shelf *s, struct shelf_entry *e, struct dataset *data)
{
	pthread_mutex_lock(&s->lock);
	if (data) {
		e->data = dataset_get(data);
		e->used_ms = clock_ms();
	} else {
		drop(find_locked(s, e->name));
	}
	pthread_cond_broadcast(&s->loaded);
	pthread_mutex_unlock(&s->lock);
}

int shelf_get(struct shelf *s, const char *name, struct dataset **ret, struct err *err)
{
	char path[PATH_MAX_BYTES], fingerprint[FINGERPRINT_MAX];
	struct shelf_entry *mine = NULL;
	int code = dataset_find(name, s->dirs, s->ndirs, path, sizeof path, err);
	if (!code)
		code = dataset_fingerprint(path, fingerprint, sizeof fingerprint, err);
	if (code)
		return code;
	pthread_mutex_lock(&s->lock);
	struct dataset *data = take_locked(s, name, fingerprint, &mine);
	pthread_mutex_unlock(&s->lock);
	if (!data) {
		if (!mine)
			return err_set(err, ERR_NO_MEMORY, "out of memory");
		code = dataset_load(&data, name, path, err);
		keep(s, mine, code ? NULL : data);
	}
	if (!code)
		*ret = data;
	return code;
}

int shelf_peek(const struct shelf *s, const char *name, struct dataset_head *ret, struct err *err)
{
	char path[PATH_MAX_BYTES];
	int code = dataset_find(name, s->dirs, s->ndirs, path, sizeof path, err);
	return code ? code : dataset_peek(ret, path, err);
}

bool shelf_sweep(struct shelf *s, int64_t idle_ms)
{
	int64_t now = clock_ms();
	bool dropped = false;
	pthread_mutex_lock(&s->lock);
	for (struct shelf_entry **at = &s->first; *at;) {
		struct shelf_entry *e = *at;
		if (e->data && __atomic_load_n(&e->data->refs, __ATOMIC_ACQUIRE) > 1)
			e->used_ms = now; /* somebody holds it besides the shelf */
		if (e->data && now - e->used_ms >= idle_ms) {
			drop(at);
			dropped = true;
		} else {
			at = &e->next;
		}
	}
	pthread_mutex_unlock(&s->lock);
	return dropped;
}
