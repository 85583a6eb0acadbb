/* event.h: what a stream of one job's events has in common with that of several. */
#ifndef LATENTD_SERVER_HANDLERS_EVENT_H
#define LATENTD_SERVER_HANDLERS_EVENT_H

#include "server/handlers/many.h"
#include "server/stream.h"

/* Where a reader goes on who has seen place->after; all_told becomes false if anything may follow. An event's id that the job has not
 * reached is taken for the newest one: its end must find every reader. The place borrows the job's id. */
int event_place(struct call *c, const struct many_job *job, struct stream_job *place, bool *all_told, struct err *err);
/* The reply is a stream, or says that all is told. */
int event_stream(struct call *c, const struct stream_job *places, int n, bool all_told, struct err *err);

#endif
