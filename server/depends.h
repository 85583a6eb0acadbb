/* depends.h: the jobs that a new one waits for: from what was asked for to ids.
 *
 * Why: a name stands for the newest job so named; what a job waits for is settled when it is submitted and never moves.
 * Not here: when a job may run, and what becomes of it when one of them fails (store/depends.c).
 */
#ifndef LATENTD_SERVER_DEPENDS_H
#define LATENTD_SERVER_DEPENDS_H

#include "api/spec.h"
#include "server/store/store.h"

/* Names in spec->depends_on become ids, each once. ERR_INVALID at #/depends_on/<i> for one that is unknown or did not succeed. */
int depends_settle(struct spec *spec, struct store *store, struct err *err);
/* A JSON array, malloc'd; NULL for none, and when there is no memory. */
char *depends_print(const struct spec *spec);

#endif
