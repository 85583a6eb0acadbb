/* conductor_move.c: what the status of a study asks of its children, and what comes next. */
#include "server/conductor_internal.h"

#include <stdio.h>
#include <string.h>

/* --- children --- */

static int command(struct conducting *c, const struct trial *t, enum job_command command, struct err *err)
{
	struct job job = {0};
	bool done;
	int code = sched_command(c->sched, t->job, command, &done, &job, err);
	if (!code)
		job_free(&job);
	return code == ERR_CONFLICT || code == ERR_NOT_FOUND ? OK : code; /* it has ended meanwhile: its verdict comes */
}

/* By the study's hand: what the study did it may take back, what a user did it may not. */
static int command_held(
	struct conducting *c, const struct study_rows *s, const struct trial *t, enum job_command which, struct err *err)
{
	int code = t->held ? OK : store_trial_hold(c->store, s->job.id, t, true, err);
	return code ? code : command(c, t, which, err);
}

static bool is_open(const struct trial *t)
{
	return t->row.state == TRIAL_RUNNING;
}

static bool is_going(const struct trial *t)
{
	return is_open(t) && t->there && !job_terminal(t->status);
}

/* What the study itself had stopped goes on. */
static int take_up(struct conducting *c, const struct study_rows *s, const struct trial *t, struct err *err)
{
	int code = OK;
	if (!is_open(t) || !t->held || !t->there)
		return OK;
	if (t->status == JOB_PAUSED || t->status == JOB_PAUSING)
		code = command(c, t, COMMAND_RESUME, err);
	else if (t->status == JOB_CANCELLED || t->status == JOB_FAILED)
		code = command(c, t, COMMAND_RETRY, err);
	else if (t->status == JOB_CANCELLING)
		return err_set(err, ERR_CONFLICT, "%s is being cancelled", t->job); /* then it is tried again */
	return code ? code : store_trial_hold(c->store, s->job.id, t, false, err);
}

static int take_up_all(struct conducting *c, struct study_rows *s, struct err *err)
{
	bool any = false;
	int code = OK;
	for (size_t i = 0; i < s->n && !code; i++) {
		any = any || (is_open(&s->trial[i]) && s->trial[i].held);
		code = take_up(c, s, &s->trial[i], err);
	}
	return code || !any ? code : study_rows_read(s, c->store, err);
}

/* --- by status --- */

static int begin(struct conducting *c, struct study_rows *s, struct err *err)
{
	const struct store_change first = {.first_start = true};
	int code = store_move(c->store, s->job.id, JOB_QUEUED, JOB_RUNNING, &first, err);
	s->job.status = JOB_RUNNING;
	return code;
}

static int hold_all(
	struct conducting *c, const struct study_rows *s, enum job_command which, bool *ret_going, struct err *err)
{
	int code = OK;
	*ret_going = false;
	for (size_t i = 0; i < s->n && !code; i++) {
		const struct trial *t = &s->trial[i];
		if (!is_going(t) || (which == COMMAND_PAUSE && t->status == JOB_PAUSED))
			continue;
		*ret_going = true;
		code = command_held(c, s, t, which, err);
	}
	return code;
}

/* Those that could be told at once have ended or wait by now. */
static bool any_going(const struct study_rows *s, bool paused_too)
{
	for (size_t i = 0; i < s->n; i++)
		if (is_going(&s->trial[i]) && (paused_too || s->trial[i].status != JOB_PAUSED))
			return true;
	return false;
}

static int pause(struct conducting *c, struct study_rows *s, struct err *err)
{
	bool going;
	int code = hold_all(c, s, COMMAND_PAUSE, &going, err);
	if (!code && going)
		code = study_rows_read(s, c->store, err);
	if (code || any_going(s, false) || s->job.status != JOB_PAUSING)
		return code;
	code = store_move(c->store, s->job.id, JOB_PAUSING, JOB_PAUSED, NULL, err);
	return code == ERR_CONFLICT ? OK : code; /* something else is asked of it by now, and wakes us */
}

static int cancel(struct conducting *c, struct study_rows *s, struct err *err)
{
	static const struct store_change cancelled = {.stop_reason = "user_cancel", .finished = true};
	bool any, going;
	int code = hold_all(c, s, COMMAND_CANCEL, &going, err);
	if (!code && going)
		code = study_rows_read(s, c->store, err);
	if (code || any_going(s, true))
		return code;
	code = conducting_verdicts(c, s, &any, err);
	if (!code && s->job.status == JOB_CANCELLING)
		code = store_move(c->store, s->job.id, JOB_CANCELLING, JOB_CANCELLED, &cancelled, err);
	return code == ERR_CONFLICT ? OK : code;
}

/* What has begun is kept; what has not is given up. */
static int stop_children(struct conducting *c, struct study_rows *s, struct err *err)
{
	int code = OK;
	for (size_t i = 0; i < s->n && !code; i++) {
		const struct trial *t = &s->trial[i];
		if (!is_going(t))
			continue;
		const bool begun = t->epoch > 0 || job_live(t->status);
		code = command(c, t, begun ? COMMAND_STOP : COMMAND_CANCEL, err);
	}
	return code;
}

static bool over_time(const struct study_rows *s)
{
	double train_s = 0;
	for (size_t i = 0; i < s->n; i++)
		train_s += s->trial[i].train_s;
	return s->job.time_limit_s && train_s >= (double)s->job.time_limit_s;
}

/* Until it has to wait for something. */
static int conduct(struct conducting *c, struct study_rows *s, struct err *err)
{
	struct trials_next next;
	const bool stopping = s->job.wish == WISH_STOP, late = over_time(s);
	int code = take_up_all(c, s, err);
	if (!code && (stopping || late))
		code = stop_children(c, s, err);
	if (code)
		return code;
	do {
		bool any;
		code = conducting_verdicts(c, s, &any, err);
		if (!code && any)
			code = study_rows_read(s, c->store, err);
		if (code)
			return code;
		next = trials_next(&s->study->plan, s->row, s->n, stopping || late);
		if (next.move == TRIALS_MAKE)
			code = conducting_make(c, s, &next, err);
		if (!code && next.move == TRIALS_MAKE)
			code = study_rows_read(s, c->store, err);
	} while (!code && next.move == TRIALS_MAKE && !atomic_load(&c->over));
	conducting_progress(c, s);
	if (code && code != ERR_FULL && code != ERR_IO && code != ERR_NO_SPACE && code != ERR_NO_MEMORY &&
		code != ERR_CONFLICT && code != ERR_UNAVAILABLE) { /* it would not pass */
		const struct err why = err ? *err : (struct err){.code = code};
		return conducting_fail(c, s, &why, err);
	}
	if (!code && next.move == TRIALS_SETTLE)
		code = conducting_settle(c, s, late ? "time_limit" : stopping ? "user_stop" : "completed", err);
	return code;
}

static int move_by_status(struct conducting *c, struct study_rows *s, struct err *err)
{
	int code;
	switch (s->job.status) {
	case JOB_QUEUED:
		code = begin(c, s, err);
		return code ? code : conduct(c, s, err);
	case JOB_RUNNING:
		return conduct(c, s, err);
	case JOB_PAUSING:
	case JOB_PAUSED: /* at a restart its children wait in the queue again */
		return pause(c, s, err);
	default: /* also one that was cancelled by force, or as the daemon died */
		return cancel(c, s, err);
	}
}

/* It cannot be read: its parameters are none that this build knows. */
static int give_up(struct conducting *c, const char *study_id, const struct err *why, struct err *err)
{
	struct study_rows s = {0};
	int code = store_get(c->store, study_id, &s.job, err);
	if (!code && s.job.status == JOB_QUEUED)
		code = begin(c, &s, err);
	if (!code && s.job.status == JOB_RUNNING)
		code = conducting_fail(c, &s, why, err);
	job_free(&s.job);
	return code;
}

int conducting_move(struct conducting *c, const char *study_id, struct err *err)
{
	struct study_rows s;
	struct err why = {0};
	int code = study_rows_open(&s, c->store, study_id, &why);
	if (code == ERR_INVALID || code == ERR_UNSUPPORTED || code == ERR_SYNTAX)
		return give_up(c, study_id, &why, err);
	if (code)
		return err_set(err, code, "%s", why.message);
	code = move_by_status(c, &s, err);
	study_rows_close(&s);
	return code;
}
