/* recover.h: `latentd recover`: a new database from what is left of a damaged or lost one.
 *
 * From, in this order: what can still be read of the old one, row by row (salvage.c); the journal of jobs and the folders that
 * explain themselves (refound.c), which say what each job is. The old file is kept under another name; the new one takes its place
 * in one step.
 * Invariant: a job that has a manifest, in its folder or in the journal, and was not deleted, is in the new database.
 */
#ifndef LATENTD_SERVER_STORE_RECOVER_H
#define LATENTD_SERVER_STORE_RECOVER_H

#include "core/base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct recovery {
	bool sound;         /* the database is: nothing was done */
	int64_t from_rows;  /* jobs whose rows could be read */
	int64_t incomplete; /* of these: without some of their events or points */
	int64_t refound;    /* jobs from a manifest alone */
	int64_t unknown;    /* folders that do not say what they are, left as they are */
	char kept[4300];    /* where the damaged file is now; "": there was none */
};

/* ERR_IN_USE while a daemon holds the directory. ERR_CONFLICT: the database is a newer version's. */
int store_recover(const char *data_dir, struct recovery *ret, struct err *err);

/* --- its parts; to: the new database --- */
struct conn;
/* Jobs, with all that belongs to them, up to that number. */
void salvage(struct conn *from, struct conn *to, int64_t last_number, struct recovery *r);
/* The highest number that the old one tells of; 0: none. */
int64_t salvage_last_number(struct conn *from);
/* Reads journal and folders; then, after what could be salvaged, the jobs that are missing. */
int refound_read(struct conn *to, const char *data_dir, int64_t *ret_last_number, struct err *err);
int refound_write(struct conn *to, const char *data_dir, struct recovery *r, struct err *err);

#endif
