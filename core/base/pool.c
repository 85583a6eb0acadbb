/* One queue of batches. A batch is a caller's `tasks` calls; threads take task numbers from the oldest batch that has any
 * left. The caller sleeps on its own batch. Under the lock there is only counting: no kernel runs with it held. */
#include "core/base/pool.h"

#include "core/base/cpu.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NICE = 5, SPIN_ROUNDS = 2000 };

struct batch {
	pool_fn *fn;
	void *ctx;
	int tasks, next, done;
	pthread_cond_t finished;
	struct batch *link;
};

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct batch *first, *last;
	atomic_int queued; /* batches with tasks left: what a thread may look at without the lock while it spins */
	bool closing;
	int threads, started;
	pthread_t *thread;
};

struct seat {
	struct pool *pool;
	int slot;
};

static void relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/* Looks for work a few microseconds long before sleeping: the steps of a training job follow each other that closely. */
static void spin_locked(struct pool *p)
{
	pthread_mutex_unlock(&p->lock);
	for (int i = 0; i < SPIN_ROUNDS && !atomic_load_explicit(&p->queued, memory_order_relaxed); i++)
		relax();
	pthread_mutex_lock(&p->lock);
}

static struct batch *wait_for_batch_locked(struct pool *p)
{
	if (!p->first && !p->closing)
		spin_locked(p);
	while (!p->first && !p->closing)
		pthread_cond_wait(&p->work, &p->lock);
	return p->first;
}

static void take_all_locked(struct pool *p, struct batch *b, int slot)
{
	while (b->next < b->tasks) {
		int task = b->next++;
		if (b->next == b->tasks) { /* nothing left to hand out: leave the queue */
			p->first = b->link;
			if (!p->first)
				p->last = NULL;
			atomic_fetch_sub_explicit(&p->queued, 1, memory_order_relaxed);
		}
		pthread_mutex_unlock(&p->lock);
		b->fn(b->ctx, task, slot);
		pthread_mutex_lock(&p->lock);
		if (++b->done == b->tasks) {
			pthread_cond_signal(&b->finished);
			return; /* b belongs to its caller again */
		}
		if (p->first != b)
			return; /* handed out, or an older caller's turn came round */
	}
}

static void *thread_main(void *arg)
{
	struct seat seat = *(struct seat *)arg;
	free(arg);
	struct pool *p = seat.pool;
	cpu_flush_denormals();
	setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
	pthread_mutex_lock(&p->lock);
	for (struct batch *b; (b = wait_for_batch_locked(p));)
		take_all_locked(p, b, seat.slot);
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

int pool_open(struct pool **ret_pool, int threads, struct err *err)
{
	struct pool *p = calloc(1, sizeof *p);
	if (!p || !(p->thread = calloc((size_t)threads, sizeof *p->thread))) {
		free(p);
		return err_set(err, ERR_NO_MEMORY, "no memory for %d compute threads", threads);
	}
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->work, NULL);
	p->threads = threads;
	/* signals are the main thread's business */
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int failure = 0;
	for (int i = 0; i < threads && !failure; i++) {
		struct seat *seat = malloc(sizeof *seat);
		if (!seat) {
			failure = ENOMEM;
			break;
		}
		*seat = (struct seat){p, i};
		failure = pthread_create(&p->thread[i], NULL, thread_main, seat);
		if (failure)
			free(seat);
		else
			p->started++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failure) {
		pool_close(p);
		return err_errno(err, failure, "starting compute thread");
	}
	*ret_pool = p;
	return OK;
}

void pool_close(struct pool *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->closing = true;
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->lock);
	for (int i = 0; i < p->started; i++)
		pthread_join(p->thread[i], NULL);
	pthread_cond_destroy(&p->work);
	pthread_mutex_destroy(&p->lock);
	free(p->thread);
	free(p);
}

int pool_threads(const struct pool *p)
{
	return p ? p->threads : 1;
}

void pool_run(struct pool *p, int tasks, pool_fn *fn, void *ctx)
{
	if (tasks <= 0)
		return;
	if (!p) {
		cpu_flush_denormals();
		for (int task = 0; task < tasks; task++)
			fn(ctx, task, 0);
		return;
	}
	struct batch b = {.fn = fn, .ctx = ctx, .tasks = tasks};
	pthread_cond_init(&b.finished, NULL);
	pthread_mutex_lock(&p->lock);
	if (p->last)
		p->last->link = &b;
	else
		p->first = &b;
	p->last = &b;
	atomic_fetch_add_explicit(&p->queued, 1, memory_order_relaxed);
	if (tasks == 1)
		pthread_cond_signal(&p->work);
	else
		pthread_cond_broadcast(&p->work);
	while (b.done < b.tasks)
		pthread_cond_wait(&b.finished, &p->lock);
	pthread_mutex_unlock(&p->lock);
	pthread_cond_destroy(&b.finished);
}
