/* edit.h: what a client wants changed of a job that is there already: the body of PATCH /v1/jobs/{id}, a merge patch (RFC 7396).
 *
 * Why: which parameters may change while a job runs is said by their rows (param.h, `live`), and nowhere else.
 * Owner: edit_free. Not here: when a change takes effect (server/worker_edit.c).
 */
#ifndef LATENTD_API_EDIT_H
#define LATENTD_API_EDIT_H

#include "api/spec.h"

struct edit {
	bool has_name, has_priority, has_metadata;
	char name[JOB_NAME_SIZE]; /* "" = none any more */
	int priority;
	char *metadata; /* all of it, as it is to be */
	char *params;   /* those that change, {"lr":0.0005}; NULL: none does */
	char *merged;   /* all of the job's, as they are to be; NULL as params is */
	int64_t epochs; /* among them */
};

/* The body against the job as it is. ERR_INVALID with the pointer for unknown fields, wrong values, parameters that are fixed,
 * and fewer epochs than have begun; ERR_CONFLICT for parameters of a job that has ended. */
int edit_parse(
	struct edit *ret, const struct job *now, const struct json *body, struct err *err, struct err_more *more);
void edit_free(struct edit *e);
/* "lr 0.001 → 0.0005, epochs 50 → 60": what differs among the rows that may change, between two structs of the family. */
void edit_describe(struct buf *b, const struct family *f, const void *before, const void *after);

#endif
