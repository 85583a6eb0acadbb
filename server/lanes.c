#include "server/lanes.h"

#include "core/base/cpu.h"
#include "server/crash.h"

#include <pthread.h>
#include <stdlib.h>

struct lanes {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct lane_task *first, **last;
	int waiting, nthreads;
	bool closing;
	pthread_t thread[];
};

static struct lane_task *take_locked(struct lanes *l)
{
	struct lane_task *task = l->first;
	l->first = task->next;
	if (!l->first)
		l->last = &l->first;
	l->waiting--;
	return task;
}

static void *lane_main(void *arg)
{
	struct lanes *l = arg;
	cpu_flush_denormals();
	crash_serves_requests();
	pthread_mutex_lock(&l->lock);
	for (;;) {
		while (!l->first && !l->closing)
			pthread_cond_wait(&l->changed, &l->lock);
		if (!l->first)
			break;
		struct lane_task *task = take_locked(l);
		pthread_mutex_unlock(&l->lock);
		task->run(task); /* may free the task */
		pthread_mutex_lock(&l->lock);
	}
	pthread_mutex_unlock(&l->lock);
	return NULL;
}

int lanes_open(struct lanes **ret, int threads, struct err *err)
{
	struct lanes *l = calloc(1, sizeof *l + (size_t)threads * sizeof *l->thread);
	if (!l)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->changed, NULL);
	l->last = &l->first;
	for (; l->nthreads < threads; l->nthreads++) {
		int failed = pthread_create(&l->thread[l->nthreads], NULL, lane_main, l);
		if (failed) {
			lanes_close(l);
			return err_errno(err, failed, "cannot start a serving thread");
		}
	}
	*ret = l;
	return OK;
}

void lanes_close(struct lanes *l)
{
	pthread_mutex_lock(&l->lock);
	l->closing = true;
	pthread_cond_broadcast(&l->changed);
	pthread_mutex_unlock(&l->lock);
	for (int i = 0; i < l->nthreads; i++)
		pthread_join(l->thread[i], NULL);
	pthread_cond_destroy(&l->changed);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

bool lanes_submit(struct lanes *l, struct lane_task *task, bool must)
{
	pthread_mutex_lock(&l->lock);
	bool room = must || l->waiting < LANES_QUEUE_MAX;
	if (room) {
		task->next = NULL;
		*l->last = task;
		l->last = &task->next;
		l->waiting++;
		pthread_cond_signal(&l->changed);
	}
	pthread_mutex_unlock(&l->lock);
	return room;
}
