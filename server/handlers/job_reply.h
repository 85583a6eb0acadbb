/* job_reply.h: a job as an answer, now or when there is news of it, and what a refusal of something that was asked of it adds. */
#ifndef LATENTD_SERVER_HANDLERS_JOB_REPLY_H
#define LATENTD_SERVER_HANDLERS_JOB_REPLY_H

#include "server/call.h"

/* The job as it is now; takes it. */
int job_reply(struct call *c, struct job *job, int status, struct err *err);
/* What the problem adds: where the job stands and what may be asked of it there. */
void job_explain_conflict(struct call *c, const char *ref);
/* The handler runs again at the job's next event, and after look_ms (0: at events only). False, and the call is not parked: for_ms have
 * gone by since it was first asked, nobody waits any more, or the daemon is stopping. */
bool job_park(struct call *c, const struct job *job, int64_t for_ms, int64_t look_ms);

#endif
