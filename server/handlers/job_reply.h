/* job_reply.h: a job as an answer, and what a refusal of something that was asked of it adds. */
#ifndef LATENTD_SERVER_HANDLERS_JOB_REPLY_H
#define LATENTD_SERVER_HANDLERS_JOB_REPLY_H

#include "server/call.h"

/* The job as it is now; takes it. */
int job_reply(struct call *c, struct job *job, int status, struct err *err);
/* What the problem adds: where the job stands and what may be asked of it there. */
void job_explain_conflict(struct call *c, const char *ref);

#endif
