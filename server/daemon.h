/* daemon.h: what the rooms of the server share: one of each, made by main in this order, closed in reverse. */
#ifndef LATENTD_SERVER_DAEMON_H
#define LATENTD_SERVER_DAEMON_H

#include "server/cache.h"
#include "server/conductor.h"
#include "server/config.h"
#include "server/evaluator.h"
#include "server/hub.h"
#include "server/sched.h"
#include "server/store/store.h"

#include <stdatomic.h>

struct daemon {
	const struct config *config;
	const struct kern *kern;
	struct pool *pool;
	struct evaluator *evaluator;
	struct hub *hub;
	struct store *store;
	struct cache *cache;
	struct sched *sched;
	struct conductor *conductor;
	int64_t started_ms;   /* monotonic */
	atomic_bool draining; /* new work is refused with 503 */
	atomic_int judging;   /* requests that a judge works for */
	atomic_int verifying; /* requests that take a job's steps again */
};

#endif
