/* One queue of batches. A batch is a caller's `tasks` calls. Whoever computes sits on one of `threads` seats: callers, while their
 * own batch has tasks left, which saves handing over and back what may take less than that, and the pool's threads, one fewer.
 * Tasks are taken from the batches in turn, whoever's they are: so each gets its share, and a short one waits for some tasks of a long
 * one, not for all of them. Under the lock there is only counting: no kernel runs with it held. */
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
	const void *owner;
	int tasks, next;
	atomic_int done;        /* written under the lock; read without it while its caller spins */
	pthread_cond_t changed; /* all is done, or a seat is free for the caller */
	struct batch *link;
};

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct batch *first, *last;
	atomic_int queued; /* batches with tasks left: what a thread may look at without the lock while it spins */
	bool closing;
	int threads, started;
	pthread_t *thread; /* [threads - 1] */
	int *seat, seats;  /* free slots: seat[0 … seats - 1] */
};

_Thread_local const void *pool_owner;
static _Thread_local bool settled; /* it computes all the time: others' tasks in turn with its own */

static void relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/* Looks a few microseconds long before sleeping: the steps of a training job, and the ends of their tasks, lie that close. */
static void spin_locked(struct pool *p, const atomic_int *count, int until)
{
	pthread_mutex_unlock(&p->lock);
	for (int i = 0; i < SPIN_ROUNDS && atomic_load_explicit(count, memory_order_relaxed) < until; i++)
		relax();
	pthread_mutex_lock(&p->lock);
}

static void leave_queue_locked(struct pool *p, struct batch *b)
{
	struct batch *before = NULL, **at = &p->first;
	for (; *at != b; at = &before->link)
		before = *at;
	*at = b->link;
	if (p->last == b)
		p->last = before;
	atomic_fetch_sub_explicit(&p->queued, 1, memory_order_relaxed);
}

/* To the end: the others' turn. */
static void turn_locked(struct pool *p, struct batch *b)
{
	if (p->first != b || p->last == b)
		return;
	p->first = b->link;
	p->last->link = b;
	p->last = b;
	b->link = NULL;
}

static void do_one_locked(struct pool *p, struct batch *b, int slot)
{
	int task = b->next++;
	if (b->next == b->tasks)
		leave_queue_locked(p, b);
	else
		turn_locked(p, b);
	pool_owner = b->owner;
	pthread_mutex_unlock(&p->lock);
	b->fn(b->ctx, task, slot);
	pthread_mutex_lock(&p->lock);
	if (atomic_fetch_add(&b->done, 1) + 1 == b->tasks)
		pthread_cond_signal(&b->changed); /* b belongs to its caller again */
}

/* A task of each batch in turn, so that nobody's long one holds the others up: a caller until its own has none left. One that
 * serves somebody who waits does its own only. */
static void sit_locked(struct pool *p, struct batch *own)
{
	int slot = p->seat[--p->seats];
	while (own ? own->next < own->tasks : p->first != NULL)
		do_one_locked(p, own && !settled ? own : p->first, slot);
	p->seat[p->seats++] = slot;
	if (own)
		pool_owner = own->owner;
	if (p->first && own) {
		pthread_cond_signal(&p->work);
		pthread_cond_signal(&p->first->changed);
	}
}

static bool work_waits_locked(struct pool *p)
{
	if (!p->first && !p->closing)
		spin_locked(p, &p->queued, 1);
	while (!(p->first && p->seats) && !p->closing)
		pthread_cond_wait(&p->work, &p->lock);
	return !p->closing;
}

void pool_settle_thread(void)
{
	settled = true;
	cpu_flush_denormals();
	setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
}

static void *thread_main(void *arg)
{
	struct pool *p = arg;
	pool_settle_thread();
	pthread_mutex_lock(&p->lock);
	while (work_waits_locked(p))
		sit_locked(p, NULL);
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

int pool_open(struct pool **ret_pool, int threads, struct err *err)
{
	struct pool *p = calloc(1, sizeof *p);
	if (!p || !(p->thread = calloc((size_t)threads, sizeof *p->thread)) ||
		!(p->seat = calloc((size_t)threads, sizeof *p->seat))) {
		free(p ? p->thread : NULL);
		free(p);
		return err_set(err, ERR_NO_MEMORY, "no memory for %d compute threads", threads);
	}
	while (p->seats < threads) {
		p->seat[p->seats] = p->seats;
		p->seats++;
	}
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->work, NULL);
	p->threads = threads;
	/* signals are the main thread's business, but for those of a fault: blocked, they would end the process unseen */
	static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
	sigset_t all, before;
	sigfillset(&all);
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
		sigdelset(&all, faults[i]);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int failure = 0;
	while (p->started < threads - 1 && !failure)
		if (!(failure = pthread_create(&p->thread[p->started], NULL, thread_main, p)))
			p->started++;
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
	free(p->seat);
	free(p);
}

int pool_threads(const struct pool *p)
{
	return p ? p->threads : 1;
}

static void enqueue_locked(struct pool *p, struct batch *b)
{
	if (p->last)
		p->last->link = b;
	else
		p->first = b;
	p->last = b;
	atomic_fetch_add_explicit(&p->queued, 1, memory_order_relaxed);
	if (b->tasks > 1) /* the caller takes the first */
		pthread_cond_broadcast(&p->work);
}

void pool_run(struct pool *p, int tasks, pool_fn *fn, void *ctx)
{
	if (tasks <= 0)
		return;
	cpu_flush_denormals();
	for (int task = 0; !p && task < tasks; task++)
		fn(ctx, task, 0);
	if (!p)
		return;
	struct batch b = {.fn = fn, .ctx = ctx, .owner = pool_owner, .tasks = tasks};
	bool spun = false;
	pthread_cond_init(&b.changed, NULL);
	pthread_mutex_lock(&p->lock);
	enqueue_locked(p, &b);
	while (atomic_load(&b.done) < tasks) {
		if (b.next < tasks && p->seats) {
			sit_locked(p, &b);
		} else if (!spun && p->seats) { /* its last tasks are about to end, and a processor is free meanwhile */
			spin_locked(p, &b.done, tasks);
			spun = true;
		} else {
			pthread_cond_wait(&b.changed, &p->lock);
		}
	}
	pthread_mutex_unlock(&p->lock);
	pthread_cond_destroy(&b.changed);
}
