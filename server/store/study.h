/* study.h: rows of studies: their trials, what follows them, what is trained again. A row and its job come in one transaction.
 *
 * Invariants: a row that has ended keeps its verdict, whatever becomes of its job, unless the study is tried again (then those that failed run again, held); a study goes with
 * its rows and children (store_delete).
 * Not here: what comes next (core/lab/trials.h), who moves a study (server/study.h).
 */
#ifndef LATENTD_SERVER_STORE_STUDY_H
#define LATENTD_SERVER_STORE_STUDY_H

#include "core/lab/trials.h"
#include "server/store/store.h"

struct trial {
	struct trials_row row;   /* group is not stored: the number */
	int64_t seed, last_step; /* last_step: epochs that the job has finished */
	double intermediate;     /* pruned: the value then */
	bool held;               /* the study paused or cancelled its job, not a user */
	char job[JOB_ID_SIZE];   /* "": none, or deleted */
	char reason[300];        /* why it failed, or could not be built */
	char *x;                 /* malloc'd: the point, as JSON */
	/* of the job now, where there is one */
	bool there;
	enum job_status status;
	int epoch, epochs;
	double train_s;
	int64_t started_at_ms, finished_at_ms;
	char name[JOB_NAME_SIZE];
};

/* "complete", "pruned", "running", "infeasible", "failed"; "trial", "after", "retrain". */
const char *trial_state_name(enum trial_state s);
const char *trial_phase_name(enum trials_phase p);

/* With its job (or NULL: it cannot be built), whose number and created_at_ms are set. ERR_FULL at the queue's limit. */
int store_trial_insert(
	struct store *s, const char *study_id, const struct trial *trial, struct job *job, struct err *err);
/* running → its verdict: state, value, intermediate, last_step, reason. One that has ended stays as it is. */
int store_trial_end(struct store *s, const char *study_id, const struct trial *trial, struct err *err);
int store_trial_hold(struct store *s, const char *study_id, const struct trial *trial, bool held, struct err *err);
/* In order of phase and number. *ret: malloc'd, trials_free. */
int store_trials(struct store *s, const char *study_id, struct trial **ret, size_t *ret_n, struct err *err);
void trials_free(struct trial *trials, size_t n);
/* Studies that somebody must look after: those that have not ended and depend on nothing, and those that left something running.
 * *ret: malloc'd. */
int store_studies(struct store *s, char (**ret_ids)[JOB_ID_SIZE], size_t *ret_n, struct err *err);

#endif
