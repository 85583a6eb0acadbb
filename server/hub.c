#include "server/hub.h"

#include "server/clock.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { HANGUP_CHECK_MS = 1000 };

struct hub {
	pthread_mutex_t lock;
	pthread_cond_t changed; /* for the hub's thread */
	pthread_cond_t fired;   /* for hub_disarm */
	pthread_t thread;
	struct watch *first;
	struct watch_set *sets;
	struct watch *firing; /* compared only, never followed */
	int64_t commits;
	int64_t wake_ms; /* the thread sleeps until then: an earlier watch must wake it */
	bool closing;
};

static void link_locked(struct hub *h, struct watch *w)
{
	w->prev = NULL;
	w->next = h->first;
	if (h->first)
		h->first->prev = w;
	h->first = w;
	w->armed = true;
}

static void unlink_locked(struct hub *h, struct watch *w)
{
	if (w->prev)
		w->prev->next = w->next;
	else
		h->first = w->next;
	if (w->next)
		w->next->prev = w->prev;
	w->armed = false;
}

static bool peer_gone(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLRDHUP};
	return fd >= 0 && poll(&p, 1, 0) > 0;
}

/* The next watch to fire, or NULL and the moment to look again. */
static struct watch *due_locked(struct hub *h, int64_t now, bool check_hangups, int64_t *ret_next_ms)
{
	int64_t next = INT64_MAX;
	for (struct watch *w = h->first; w; w = w->next) {
		w->peer_gone = check_hangups && peer_gone(w->hangup_fd);
		if (w->fires_now || w->due_ms <= now || w->peer_gone)
			return w;
		int64_t look = w->hangup_fd >= 0 && w->due_ms > now + HANGUP_CHECK_MS ? now + HANGUP_CHECK_MS : w->due_ms;
		next = look < next ? look : next;
	}
	*ret_next_ms = next;
	return NULL;
}

static void sleep_locked(struct hub *h, int64_t until_ms)
{
	h->wake_ms = until_ms;
	if (until_ms == INT64_MAX) {
		pthread_cond_wait(&h->changed, &h->lock);
	} else {
		struct timespec t = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};
		pthread_cond_timedwait(&h->changed, &h->lock, &t);
	}
	h->wake_ms = 0;
}

static void *hub_main(void *arg)
{
	struct hub *h = arg;
	int64_t checked_ms = 0;
	pthread_mutex_lock(&h->lock);
	while (!h->closing) {
		int64_t now = clock_ms(), next = INT64_MAX;
		struct watch *w = due_locked(h, now, now - checked_ms >= HANGUP_CHECK_MS, &next);
		if (!w) {
			if (now - checked_ms >= HANGUP_CHECK_MS)
				checked_ms = now;
			sleep_locked(h, next);
			continue;
		}
		unlink_locked(h, w);
		h->firing = w;
		pthread_mutex_unlock(&h->lock);
		w->fire(w);
		pthread_mutex_lock(&h->lock);
		h->firing = NULL;
		pthread_cond_broadcast(&h->fired);
	}
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

int hub_open(struct hub **ret, struct err *err)
{
	struct hub *h = calloc(1, sizeof *h);
	if (!h)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->changed, &monotonic);
	pthread_cond_init(&h->fired, NULL);
	pthread_condattr_destroy(&monotonic);
	int failed = pthread_create(&h->thread, NULL, hub_main, h);
	if (failed) {
		free(h);
		return err_errno(err, failed, "cannot start the event thread");
	}
	*ret = h;
	return OK;
}

void hub_close(struct hub *h)
{
	pthread_mutex_lock(&h->lock);
	h->closing = true;
	pthread_cond_signal(&h->changed);
	pthread_mutex_unlock(&h->lock);
	pthread_join(h->thread, NULL);
	pthread_cond_destroy(&h->changed);
	pthread_cond_destroy(&h->fired);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

int64_t hub_commits(struct hub *h)
{
	pthread_mutex_lock(&h->lock);
	int64_t commits = h->commits;
	pthread_mutex_unlock(&h->lock);
	return commits;
}

void hub_arm(struct hub *h, struct watch *w, int64_t seen)
{
	pthread_mutex_lock(&h->lock);
	w->fires_now = w->set ? w->set->any_changed : *w->job && seen != h->commits;
	link_locked(h, w);
	if (w->fires_now || w->hangup_fd >= 0 || w->due_ms < h->wake_ms)
		pthread_cond_signal(&h->changed);
	pthread_mutex_unlock(&h->lock);
}

void hub_disarm(struct hub *h, struct watch *w)
{
	pthread_mutex_lock(&h->lock);
	if (w->armed)
		unlink_locked(h, w);
	while (h->firing == w)
		pthread_cond_wait(&h->fired, &h->lock);
	pthread_mutex_unlock(&h->lock);
}

void hub_join(struct hub *h, struct watch_set *set)
{
	pthread_mutex_lock(&h->lock);
	set->prev = NULL;
	set->next = h->sets;
	if (h->sets)
		h->sets->prev = set;
	h->sets = set;
	pthread_mutex_unlock(&h->lock);
}

void hub_leave(struct hub *h, struct watch_set *set)
{
	pthread_mutex_lock(&h->lock);
	if (set->prev)
		set->prev->next = set->next;
	else
		h->sets = set->next;
	if (set->next)
		set->next->prev = set->prev;
	pthread_mutex_unlock(&h->lock);
}

void hub_take(struct hub *h, struct watch_set *set, bool *changed)
{
	pthread_mutex_lock(&h->lock);
	for (int i = 0; set->any_changed && i < set->n; i++) {
		changed[i] |= set->job[i].changed;
		set->job[i].changed = false;
	}
	set->any_changed = false;
	pthread_mutex_unlock(&h->lock);
}

/* True: its watch waits, and is to fire. */
static bool mark_set_locked(struct watch_set *set, const char *job_id)
{
	bool any = false;
	for (int i = 0; i < set->n; i++)
		if (!job_id || !strcmp(set->job[i].id, job_id))
			any = set->job[i].changed = true;
	set->any_changed |= any;
	if (any && set->watch->armed)
		set->watch->fires_now = true;
	return any && set->watch->armed;
}

static void mark_locked(struct hub *h, const char *job_id)
{
	bool any = false;
	for (struct watch_set *set = h->sets; set; set = set->next)
		any |= mark_set_locked(set, job_id);
	for (struct watch *w = h->first; w; w = w->next)
		if (*w->job && (!job_id || !strcmp(w->job, job_id)))
			any = w->fires_now = true;
	if (any)
		pthread_cond_signal(&h->changed);
}

void hub_wake_all(struct hub *h)
{
	pthread_mutex_lock(&h->lock);
	h->commits++;
	mark_locked(h, NULL);
	pthread_mutex_unlock(&h->lock);
}

void hub_commit(void *hub, const char *job_id, int64_t last_seq, enum job_status status)
{
	(void)last_seq, (void)status;
	struct hub *h = hub;
	pthread_mutex_lock(&h->lock);
	h->commits++;
	mark_locked(h, job_id);
	pthread_mutex_unlock(&h->lock);
}
