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

struct watch {
	char job[JOB_ID_SIZE];          /* "": no job, a moment only */
	int64_t due_ms;                 /* clock_ms at which it fires at the latest; INT64_MAX: never */
	int hangup_fd;                  /* fires too when this socket's peer has gone; -1: none */
	void (*fire)(struct watch *w);  /* may free the watch */
	bool peer_gone;                 /* why it fired: read it in fire() */
	struct watch *prev, *next;      /* hub.c only */
	bool armed, fires_now;          /* hub.c only */
};

struct hub;
int hub_open(struct hub **ret, struct err *err);
/* Nothing may be armed any more. */
void hub_close(struct hub *h);

/* A count that grows with every commit. */
int64_t hub_commits(struct hub *h);
/* Fires when its job changes after the count was `seen`, or at due_ms. */
void hub_arm(struct hub *h, struct watch *w, int64_t seen);
void hub_disarm(struct hub *h, struct watch *w);
/* Fires every watch of a job, now: the daemon drains. */
void hub_wake_all(struct hub *h);
/* A store_notify_fn; ctx is the hub. */
void hub_commit(void *hub, const char *job_id, int64_t last_seq, enum job_status status);

#endif
