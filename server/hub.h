/* hub.h: who waits for what: for a job to change, or for a moment. One thread, no polling.
 *
 * Why: event streams, `wait_s` and the deadlines of slow clients park here without a thread of their own.
 * Owner: main; a watch is embedded in what it wakes and is armed by its owner, fires at most once per arming, on the hub's
 * thread and without its lock. hub_disarm returns only when the watch neither waits nor is firing.
 * Invariants: no change is missed: hub_commits is read before the store is, and arming with an older count fires at once.
 */
#ifndef LATENTD_SERVER_HUB_H
#define LATENTD_SERVER_HUB_H

#include "api/job.h"
#include "core/base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct watch_set;
struct watch {
	char job[JOB_ID_SIZE];          /* "": no job: a moment, or a set */
	struct watch_set *set;          /* several jobs; NULL: none */
	int64_t due_ms;                 /* clock_ms at which it fires at the latest; INT64_MAX: never */
	int hangup_fd;                  /* fires too when this socket's peer has gone; -1: none */
	void (*fire)(struct watch *w);  /* may free the watch */
	bool peer_gone;                 /* why it fired: read it in fire() */
	struct watch *prev, *next;      /* hub.c only */
	bool armed, fires_now;          /* hub.c only */
};

/* Jobs of which one watch waits for any, and which of them have changed: noted from hub_join on, also while the watch is not armed,
 * so that whoever follows a hundred jobs asks the store of those that it has to. */
struct watch_set {
	struct watch_job {
		char id[JOB_ID_SIZE];
		bool changed; /* hub.c only */
	} *job;
	int n;
	struct watch *watch;
	struct watch_set *prev, *next; /* hub.c only */
	bool any_changed;              /* hub.c only */
};

struct hub;
int hub_open(struct hub **ret, struct err *err);
/* Nothing may be armed any more. */
void hub_close(struct hub *h);

/* A count that grows with every commit. */
int64_t hub_commits(struct hub *h);
/* Fires when its job changes after the count was `seen`, when one of its set has changed since hub_take, or at due_ms. */
void hub_arm(struct hub *h, struct watch *w, int64_t seen);
void hub_disarm(struct hub *h, struct watch *w);
void hub_join(struct hub *h, struct watch_set *set);
/* Its watch is not armed. */
void hub_leave(struct hub *h, struct watch_set *set);
/* Sets changed[i] of each job of the set that has changed since this was last called; the others stay as they are. */
void hub_take(struct hub *h, struct watch_set *set, bool *changed);
/* Fires every watch of a job, now: the daemon drains. */
void hub_wake_all(struct hub *h);
/* A store_notify_fn; ctx is the hub. */
void hub_commit(void *hub, const char *job_id, int64_t last_seq, enum job_status status);

#endif
