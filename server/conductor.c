#include "server/conductor.h"

#include "server/clock.h"
#include "server/conductor_internal.h"
#include "server/crash.h"
#include "server/log.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RETRY_MS = 1000 };

struct conductor {
	struct conducting c;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake; /* monotonic */
	bool asked, stop, started;
};

/* --- sleeping --- */

/* Until somebody asks, at most so long (0: as long as it takes). False: it is over. */
static bool wait_for_work(struct conductor *c, int64_t at_most_ms)
{
	const int64_t until = clock_ms() + at_most_ms;
	const struct timespec t = {.tv_sec = until / 1000, .tv_nsec = until % 1000 * 1000000};
	pthread_mutex_lock(&c->lock);
	while (!c->asked && !c->stop)
		if (!at_most_ms)
			pthread_cond_wait(&c->wake, &c->lock);
		else if (pthread_cond_timedwait(&c->wake, &c->lock, &t) == ETIMEDOUT)
			break;
	c->asked = false;
	const bool stop = c->stop;
	pthread_mutex_unlock(&c->lock);
	return !stop;
}

void conductor_wake(struct conductor *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	c->asked = true;
	pthread_cond_signal(&c->wake);
	pthread_mutex_unlock(&c->lock);
}

/* What happens while a job waits or runs moves no study. */
void conductor_commit(struct conductor *c, enum job_status status)
{
	if (status != JOB_QUEUED && status != JOB_RUNNING)
		conductor_wake(c);
}

/* --- the thread --- */

/* Whether something is left that a later look may bring on (a full queue, a full disk). */
static bool move_all(struct conductor *c)
{
	char(*ids)[JOB_ID_SIZE];
	size_t n;
	struct err err = {0};
	bool again = false;
	if (store_studies(c->c.store, &ids, &n, &err)) {
		log_warn("studies could not be read", "error=%s", log_quote(err.message));
		return true;
	}
	for (size_t i = 0; i < n && !atomic_load(&c->c.over); i++) {
		err = (struct err){0};
		if (!conducting_move(&c->c, ids[i], &err))
			continue;
		again = true;
		if (err.code != ERR_FULL && err.code != ERR_CONFLICT)
			log_warn("a study waits", "job=%s error=%s", ids[i], log_quote(err.message));
	}
	free(ids);
	return again;
}

static void *conductor_main(void *arg)
{
	struct conductor *c = arg;
	bool again = true;
	do
		again = move_all(c);
	while (wait_for_work(c, again ? RETRY_MS : 0));
	return NULL;
}

int conductor_open(struct conductor **ret, struct store *store, struct sched *sched, struct err *err)
{
	struct conductor *c = calloc(1, sizeof *c);
	sigset_t all, before;
	if (!c)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	c->c = (struct conducting){.store = store, .sched = sched};
	pthread_mutex_init(&c->lock, NULL);
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&c->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	crash_mask(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(&c->thread, NULL, conductor_main, c);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	c->started = !error;
	if (error) {
		conductor_close(c);
		return err_errno(err, error, "starting the conductor");
	}
	*ret = c;
	return OK;
}

void conductor_stop(struct conductor *c)
{
	if (!c || !c->started)
		return;
	atomic_store(&c->c.over, true);
	pthread_mutex_lock(&c->lock);
	c->stop = true;
	pthread_cond_signal(&c->wake);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->thread, NULL);
	c->started = false;
}

void conductor_close(struct conductor *c)
{
	if (!c)
		return;
	conductor_stop(c);
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->wake);
	free(c);
}
