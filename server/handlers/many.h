/* many.h: the jobs that ?jobs=a,b,c names, for what tells of several at once. */
#ifndef LATENTD_SERVER_HANDLERS_MANY_H
#define LATENTD_SERVER_HANDLERS_MANY_H

#include "server/call.h"

struct many {
	int n;
	struct many_job {
		char id[JOB_ID_SIZE], kind[JOB_WORD];
		enum job_status status;
		bool gone; /* it was deleted: only an id that `known` vouches for may be */
	} * job;
};

/* In the order in which they are named; many_free. ERR_INVALID: none, more than `most`, one of them twice. ERR_NOT_FOUND: the
 * problem's `missing` names all that are not there. known[i]: the caller knows that the i-th was there. */
int many_open(struct many *ret, struct call *c, int most, const bool *known, struct err *err);
void many_free(struct many *m);
/* How many are named; 0: none. */
int many_count(const struct call *c);

#endif
