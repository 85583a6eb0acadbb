#include "api/job.h"

#include "core/model/model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static const struct status_row {
	const char *name;
	bool terminal, live;
} statuses[JOB_STATUS_COUNT] = {
#define X(status, name, terminal, live) [status] = {name, terminal, live},
	JOB_STATUSES(X)
#undef X
};

const struct job_move job_moves[] = {
	{JOB_QUEUED, JOB_RUNNING, ACTOR_WORKER},
	{JOB_RUNNING, JOB_SUCCEEDED, ACTOR_WORKER},
	{JOB_RUNNING, JOB_FAILED, ACTOR_WORKER},
	{JOB_RUNNING, JOB_QUEUED, ACTOR_WORKER}, /* after a failure that may pass */
	{JOB_PAUSING, JOB_PAUSED, ACTOR_WORKER},
	{JOB_CANCELLING, JOB_CANCELLED, ACTOR_WORKER},
	/* the command came too late: the last step was done */
	{JOB_PAUSING, JOB_SUCCEEDED, ACTOR_WORKER},
	{JOB_PAUSING, JOB_FAILED, ACTOR_WORKER},
	{JOB_CANCELLING, JOB_SUCCEEDED, ACTOR_WORKER},
	{JOB_CANCELLING, JOB_FAILED, ACTOR_WORKER},
	/* one that it depends on did not succeed; also: the daemon crashed of it time and again (server/crash.h) */
	{JOB_QUEUED, JOB_FAILED, ACTOR_DEPENDENCY},
	{JOB_PAUSED, JOB_FAILED, ACTOR_DEPENDENCY},

	{JOB_QUEUED, JOB_PAUSED, ACTOR_USER},
	{JOB_RUNNING, JOB_PAUSING, ACTOR_USER},
	{JOB_PAUSING, JOB_RUNNING, ACTOR_USER},
	{JOB_PAUSED, JOB_QUEUED, ACTOR_USER},
	{JOB_QUEUED, JOB_CANCELLED, ACTOR_USER},
	{JOB_PAUSED, JOB_CANCELLED, ACTOR_USER},
	{JOB_RUNNING, JOB_CANCELLING, ACTOR_USER},
	{JOB_PAUSING, JOB_CANCELLING, ACTOR_USER},
	{JOB_FAILED, JOB_QUEUED, ACTOR_USER},
	{JOB_CANCELLED, JOB_QUEUED, ACTOR_USER},
	/* by force, whatever the worker does */
	{JOB_RUNNING, JOB_CANCELLED, ACTOR_USER},
	{JOB_PAUSING, JOB_CANCELLED, ACTOR_USER},
	{JOB_CANCELLING, JOB_CANCELLED, ACTOR_USER},

	/* the daemon died meanwhile */
	{JOB_RUNNING, JOB_QUEUED, ACTOR_RESTART},
	{JOB_PAUSING, JOB_PAUSED, ACTOR_RESTART},
	{JOB_CANCELLING, JOB_CANCELLED, ACTOR_RESTART},
	{JOB_QUEUED, JOB_QUEUED, ACTOR_RESTART},
};

static const char *const wishes[WISH_COUNT] = {[WISH_NONE] = "", [WISH_STOP] = "stop"};

static const char *const commands[JOB_COMMAND_COUNT] = {
#define X(command, name) [command] = name,
	JOB_COMMANDS(X)
#undef X
};

/* Of each command first where it changes something, then where it is on its way or done. */
const struct job_command_row job_command_rows[] = {
	{COMMAND_PAUSE, JOB_QUEUED, JOB_PAUSED, WISH_NONE, false},
	{COMMAND_PAUSE, JOB_RUNNING, JOB_PAUSING, WISH_NONE, false},
	{COMMAND_PAUSE, JOB_PAUSING, JOB_PAUSING, WISH_NONE, false},
	{COMMAND_PAUSE, JOB_PAUSED, JOB_PAUSED, WISH_NONE, false},

	{COMMAND_RESUME, JOB_PAUSING, JOB_RUNNING, WISH_NONE, false},
	{COMMAND_RESUME, JOB_PAUSED, JOB_QUEUED, WISH_NONE, false},
	{COMMAND_RESUME, JOB_QUEUED, JOB_QUEUED, WISH_NONE, false},
	{COMMAND_RESUME, JOB_RUNNING, JOB_RUNNING, WISH_NONE, false},

	{COMMAND_STOP, JOB_QUEUED, JOB_QUEUED, WISH_STOP, true},
	{COMMAND_STOP, JOB_PAUSED, JOB_QUEUED, WISH_STOP, true},
	{COMMAND_STOP, JOB_RUNNING, JOB_RUNNING, WISH_STOP, false},
	{COMMAND_STOP, JOB_PAUSING, JOB_RUNNING, WISH_STOP, false},
	{COMMAND_STOP, JOB_SUCCEEDED, JOB_SUCCEEDED, WISH_NONE, false},

	{COMMAND_CANCEL, JOB_QUEUED, JOB_CANCELLED, WISH_NONE, false},
	{COMMAND_CANCEL, JOB_PAUSED, JOB_CANCELLED, WISH_NONE, false},
	{COMMAND_CANCEL, JOB_RUNNING, JOB_CANCELLING, WISH_NONE, false},
	{COMMAND_CANCEL, JOB_PAUSING, JOB_CANCELLING, WISH_NONE, false},
	{COMMAND_CANCEL, JOB_CANCELLING, JOB_CANCELLING, WISH_NONE, false},
	{COMMAND_CANCEL, JOB_CANCELLED, JOB_CANCELLED, WISH_NONE, false},

	{COMMAND_FORCE_CANCEL, JOB_QUEUED, JOB_CANCELLED, WISH_NONE, false},
	{COMMAND_FORCE_CANCEL, JOB_PAUSED, JOB_CANCELLED, WISH_NONE, false},
	{COMMAND_FORCE_CANCEL, JOB_RUNNING, JOB_CANCELLED, WISH_NONE, false},
	{COMMAND_FORCE_CANCEL, JOB_PAUSING, JOB_CANCELLED, WISH_NONE, false},
	{COMMAND_FORCE_CANCEL, JOB_CANCELLING, JOB_CANCELLED, WISH_NONE, false},
	{COMMAND_FORCE_CANCEL, JOB_CANCELLED, JOB_CANCELLED, WISH_NONE, false},

	{COMMAND_RETRY, JOB_FAILED, JOB_QUEUED, WISH_NONE, false},
	{COMMAND_RETRY, JOB_CANCELLED, JOB_QUEUED, WISH_NONE, false},
	{COMMAND_RETRY, JOB_QUEUED, JOB_QUEUED, WISH_NONE, false},
	{COMMAND_RETRY, JOB_RUNNING, JOB_RUNNING, WISH_NONE, false},

	{COMMAND_CHECKPOINT, JOB_RUNNING, JOB_RUNNING, WISH_NONE, false},
	{JOB_COMMAND_COUNT, JOB_QUEUED, JOB_QUEUED, WISH_NONE, false},
};

const char *job_status_name(enum job_status s)
{
	return statuses[s].name;
}

bool job_status_parse(const char *name, enum job_status *ret)
{
	for (int s = 0; s < JOB_STATUS_COUNT; s++)
		if (!strcmp(statuses[s].name, name)) {
			*ret = (enum job_status)s;
			return true;
		}
	return false;
}

bool job_terminal(enum job_status s)
{
	return statuses[s].terminal;
}

bool job_may_move(enum job_status from, enum job_status to)
{
	for (const struct job_move *m = job_moves; m->from != m->to; m++)
		if (m->from == from && m->to == to)
			return true;
	return false;
}

bool job_live(enum job_status s)
{
	return statuses[s].live;
}

const struct job_move *job_restart_move(enum job_status from)
{
	for (const struct job_move *m = job_moves; m->from != m->to; m++)
		if (m->from == from && m->who == ACTOR_RESTART)
			return m;
	return NULL;
}

const char *job_wish_name(enum job_wish w)
{
	return wishes[w];
}

bool job_wish_parse(const char *name, enum job_wish *ret)
{
	for (int w = 0; w < WISH_COUNT; w++)
		if (!strcmp(wishes[w], name)) {
			*ret = (enum job_wish)w;
			return true;
		}
	return false;
}

/* --- commands --- */

const char *job_command_name(enum job_command c)
{
	return commands[c];
}

bool job_command_exists(const struct job *job, enum job_command command)
{
	const struct family *f = family_find(job->kind);
	return command != COMMAND_CHECKPOINT || !f || family_trains(f);
}

const struct job_command_row *job_command_find(const struct job *job, enum job_command command)
{
	for (const struct job_command_row *r = job_command_rows; r->command != JOB_COMMAND_COUNT; r++)
		if (r->command == command && r->from == job->status && job_command_exists(job, command))
			return r->begun && job->step == 0 ? NULL : r;
	return NULL;
}

bool job_command_changes(const struct job *job, enum job_command command)
{
	const struct job_command_row *r = job_command_find(job, command);
	return r && (r->from != r->to || r->wish > job->wish || command == COMMAND_CHECKPOINT);
}

/* Where a command leads in the end; those that lead into the queue have had their effect there, whatever comes of it. */
bool job_command_done(const struct job *job, enum job_command command)
{
	static const unsigned done[JOB_COMMAND_COUNT] = {
		[COMMAND_PAUSE] = 1u << JOB_PAUSED,
		[COMMAND_RESUME] = 1u << JOB_QUEUED | 1u << JOB_RUNNING,
		[COMMAND_STOP] = 1u << JOB_SUCCEEDED,
		[COMMAND_CANCEL] = 1u << JOB_CANCELLED,
		[COMMAND_FORCE_CANCEL] = 1u << JOB_CANCELLED,
		[COMMAND_RETRY] = 1u << JOB_QUEUED | 1u << JOB_RUNNING,
	};
	return done[command] & 1u << job->status;
}

bool job_command_waits(const struct job *job, enum job_command command)
{
	const struct job_command_row *r = job_command_find(job, command);
	return r && !job_command_changes(job, command) && !job_command_done(job, command);
}

int job_check_trains(const struct job *job, struct err *err)
{
	const struct family *f = family_find(job->kind);
	return f ? family_check_trains(f, err) : OK;
}

int64_t job_step_at(const struct job *job, int epoch)
{
	return job->epochs > 0 ? job->steps / job->epochs * epoch : 0;
}

void job_free(struct job *job)
{
	free(job->params);
	free(job->metadata);
	free(job->depends_on);
	free(job->trial);
	free(job->metrics);
	free(job->warnings);
	free(job->test);
	free(job->generalisation_gap);
	job->params = job->metadata = job->depends_on = job->trial = job->metrics = job->warnings = job->test = job->generalisation_gap =
		NULL;
}

int job_make_id(char id[JOB_ID_SIZE], struct err *err)
{
	enum { LETTERS = 16, FAIR = 252 }; /* 252 = 7 x 36: bytes beyond would favour the first letters */
	static const char alphabet[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	char made[JOB_ID_SIZE] = "job_";
	size_t at = strlen(made), end = at + LETTERS;
	while (at < end) {
		unsigned char bytes[2 * LETTERS];
		ssize_t got = getrandom(bytes, sizeof bytes, 0);
		if (got < 0 && errno != EINTR)
			return err_errno(err, errno, "random numbers for a job id");
		for (ssize_t i = 0; i < got && at < end; i++)
			if (bytes[i] < FAIR)
				made[at++] = alphabet[bytes[i] % 36];
	}
	memcpy(id, made, sizeof made);
	return OK;
}
