/* conductor_internal.h: one study, moved as far as it goes now: conductor_move.c (states), conductor_make.c (new trials),
 * conductor_settle.c (verdicts).
 *
 * Owner: the conductor's thread, alone.
 */
#ifndef LATENTD_SERVER_CONDUCTOR_INTERNAL_H
#define LATENTD_SERVER_CONDUCTOR_INTERNAL_H

#include "server/conductor.h"
#include "server/study_rows.h"

#include <stdatomic.h>

struct conducting {
	struct store *store;
	struct sched *sched;
	atomic_bool over; /* the daemon drains */
};

/* As far as it goes now. An error: something is left to be tried later. */
int conducting_move(struct conducting *c, const char *study_id, struct err *err);

/* conductor_make.c: a row with its job, or as one that cannot be built. */
int conducting_make(struct conducting *c, const struct study_rows *s, const struct trials_next *next, struct err *err);

/* conductor_settle.c */
/* Rows whose jobs have ended get their verdicts; *ret_any: some did. */
int conducting_verdicts(struct conducting *c, const struct study_rows *s, bool *ret_any, struct err *err);
/* The row of the study: how far it is, what is best so far. */
void conducting_progress(struct conducting *c, struct study_rows *s);
/* It ends: the best of what there is. */
int conducting_settle(struct conducting *c, struct study_rows *s, const char *reason, struct err *err);
int conducting_fail(struct conducting *c, const struct study_rows *s, const struct err *why, struct err *err);

/* A line of the study's log, once. */
void conducting_log(struct conducting *c, const char *study_id, const char *unique, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif
