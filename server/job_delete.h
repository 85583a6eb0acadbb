/* job_delete.h: a job goes, rows and files, as one.
 *
 * How: its rows go in one transaction that leaves a tombstone; then its folder, first under another name; then the tombstone. From the
 * first commit on nobody finds the job; what a kill left of its files the next start removes. A fork's folder comes about the other way
 * round: a tombstone, then files, then the row in its place (sched.c).
 */
#ifndef LATENTD_SERVER_JOB_DELETE_H
#define LATENTD_SERVER_JOB_DELETE_H

#include "server/store/store.h"

/* As store_delete. Once the rows are gone it succeeds: files that cannot be removed now are left to the next start, with a warning. */
int job_delete(struct store *store, const char *data_dir, const char *job_id, struct err *err);
/* Files of a job that has a tombstone and no row: they go, then the tombstone. What cannot be done now the next start does. */
void job_bury(struct store *store, const char *data_dir, const char *job_id);
/* At start: what an earlier process began. */
void job_delete_rest(struct store *store, const char *data_dir);

#endif
