/* sched_internal.h: what the scheduler's own files share: sched.c (workers, claims, submission) and sched_verbs.c (what may be asked
 * of a job that is there).
 *
 * Not here: anything another room may include.
 */
#ifndef LATENTD_SERVER_SCHED_INTERNAL_H
#define LATENTD_SERVER_SCHED_INTERNAL_H

#include "server/sched.h"
#include "server/worker.h"

struct seat {
	pthread_t thread;
	struct sched *sched;
	struct worker worker;
};

struct sched {
	struct sched_config config;
	atomic_bool drain;
	pthread_mutex_t lock;
	pthread_cond_t wake; /* monotonic */
	unsigned turns;      /* grows whenever a job may be claimed that could not be before: who found none sleeps until it does */
	atomic_uint tickets; /* counts requests for checkpoints, of all workers */
	int seats;           /* threads running */
	struct seat *seat;
};

/* sched_study.c: what a study's base would take; settles the base in the study's parameters. */
int sched_estimate_study(struct sched *s, struct spec *spec, struct estimate *ret, struct err *err);

#endif
