/* manifest.h: a job in a few lines of JSON, as it was submitted: what its folder says of it, should the database be lost.
 *
 * Invariant: what a manifest says of a job never changes; what may change (status, name, priority, metadata by PATCH) is as it was then.
 */
#ifndef LATENTD_API_MANIFEST_H
#define LATENTD_API_MANIFEST_H

#include "api/job.h"
#include "core/base/buf.h"

void manifest_print(struct buf *b, const struct job *job, bool pretty);
/* ERR_SYNTAX, ERR_INVALID. job_free. What an older manifest does not say is left 0. */
int manifest_parse(struct job *ret, const char *text, size_t size, struct err *err);
/* "job_" and what may follow it: such an id may be the name of a folder. */
bool manifest_id_valid(const char *id);

#endif
