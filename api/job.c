#include "api/job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static const struct status_row {
	const char *name;
	bool terminal;
} statuses[JOB_STATUS_COUNT] = {
#define X(status, name, terminal) [status] = {name, terminal},
	JOB_STATUSES(X)
#undef X
};

const struct job_move job_moves[] = {
	{JOB_QUEUED, JOB_RUNNING, ACTOR_WORKER},
	{JOB_QUEUED, JOB_CANCELLED, ACTOR_USER},
	{JOB_RUNNING, JOB_CANCELLING, ACTOR_USER},
	{JOB_RUNNING, JOB_SUCCEEDED, ACTOR_WORKER},
	{JOB_RUNNING, JOB_FAILED, ACTOR_WORKER},
	/* the command came too late: the last step was done */
	{JOB_CANCELLING, JOB_SUCCEEDED, ACTOR_WORKER},
	{JOB_CANCELLING, JOB_FAILED, ACTOR_WORKER},
	{JOB_CANCELLING, JOB_CANCELLED, ACTOR_WORKER},
	/* one that it depends on did not succeed */
	{JOB_QUEUED, JOB_FAILED, ACTOR_DEPENDENCY},
	/* the daemon died meanwhile */
	{JOB_RUNNING, JOB_QUEUED, ACTOR_RESTART},
	{JOB_CANCELLING, JOB_CANCELLED, ACTOR_RESTART},
	{JOB_QUEUED, JOB_QUEUED, ACTOR_RESTART},
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

int64_t job_step_at(const struct job *job, int epoch)
{
	return job->epochs > 0 ? job->steps / job->epochs * epoch : 0;
}

void job_free(struct job *job)
{
	free(job->params);
	free(job->metadata);
	free(job->depends_on);
	free(job->metrics);
	free(job->warnings);
	free(job->test);
	free(job->generalisation_gap);
	job->params = job->metadata = job->depends_on = job->metrics = job->warnings = job->test = job->generalisation_gap = NULL;
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
