#include "server/handlers/handlers.h"

#include "server/handlers/job_reply.h"
#include "server/job_delete.h"
#include "server/log.h"
#include "server/store/study.h"

/* By its worker, or a study's child by its own. */
static bool is_held(struct call *c, const struct job *job)
{
	struct trial *children = NULL;
	size_t n = 0;
	bool held = sched_holds(c->daemon->sched, job->id);
	if (store_trials(c->daemon->store, job->id, &children, &n, NULL))
		return held;
	for (size_t i = 0; i < n && !held; i++)
		held = children[i].there && job_terminal(children[i].status) && sched_holds(c->daemon->sched, children[i].job);
	trials_free(children, n);
	return held;
}

/* Whoever sees a job end is sooner than its worker's last words: those are waited for. One that was ended over its worker's head may
 * take longer: it still writes. */
static int await_worker(struct call *c, const struct job *job, bool *ret_waits, struct err *err)
{
	enum { AWAIT_MS = 2000, LOOK_MS = 20 };
	const bool held = job_terminal(job->status) && is_held(c, job);
	*ret_waits = held && job_park(c, job, AWAIT_MS, LOOK_MS);
	return !held || *ret_waits ? OK
							   : err_set(err, ERR_CONFLICT,
									 "%s is %s, but its worker has not left it yet; try again in a moment", job->id,
									 job_status_name(job->status));
}

static int delete_it(struct call *c, const struct job *job, struct err *err)
{
	int code = job_delete(c->daemon->store, c->daemon->config->data_dir, job->id, err);
	if (!code) {
		log_info("job deleted", "job=%s", job->id);
		c->resp.status = 204;
	}
	return code;
}

int h_job_delete(struct call *c, struct err *err)
{
	struct job job;
	bool waits;
	int code = store_get(c->daemon->store, *c->park_job ? c->park_job : c->arg[0], &job, err);
	if (code)
		return code;
	code = await_worker(c, &job, &waits, err);
	if (!code && !waits)
		code = delete_it(c, &job, err);
	if (code == ERR_CONFLICT)
		job_explain_conflict(c, job.id);
	job_free(&job);
	return code;
}
