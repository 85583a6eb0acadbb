/* lanes.h: a few threads that do what the network threads must not: wait for the disk, compute pictures.
 *
 * Owner: http.c. Tasks belong to who submits them and run once, in order of arrival. Lane threads flush denormals.
 * Invariants: at most LANES_QUEUE_MAX tasks wait; lanes_close runs what waits, then joins.
 */
#ifndef LATENTD_SERVER_LANES_H
#define LATENTD_SERVER_LANES_H

#include "core/base/err.h"

#include <stdbool.h>

enum { LANES_COUNT = 4, LANES_QUEUE_MAX = 1024 };

struct lane_task {
	struct lane_task *next; /* lanes.c only */
	void (*run)(struct lane_task *task);
};

struct lanes;
int lanes_open(struct lanes **ret, int threads, struct err *err);
void lanes_close(struct lanes *l);
/* False, and nothing done, when too many wait already; `must`: queue it all the same. */
bool lanes_submit(struct lanes *l, struct lane_task *task, bool must);

#endif
