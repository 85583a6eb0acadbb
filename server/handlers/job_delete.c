#include "server/handlers/handlers.h"

#include "server/job_delete.h"
#include "server/log.h"

static int delete_it(struct call *c, const struct job *job, struct err *err)
{
	/* one that was ended over its worker's head: that one still writes */
	if (job_terminal(job->status) && sched_holds(c->daemon->sched, job->id))
		return err_set(err, ERR_CONFLICT, "%s is %s, but its worker has not left it yet; try again in a moment",
			job->id, job_status_name(job->status));
	return job_delete(c->daemon->store, c->daemon->config->data_dir, job->id, err);
}

int h_job_delete(struct call *c, struct err *err)
{
	struct job job;
	int code = store_get(c->daemon->store, c->arg[0], &job, err);
	if (code)
		return code;
	code = delete_it(c, &job, err);
	if (code == ERR_CONFLICT)
		buf_printf(&c->problem_extra, ",\"current\":\"%s\"", job_status_name(job.status));
	if (!code) {
		log_info("job deleted", "job=%s", job.id);
		c->resp.status = 204;
	}
	job_free(&job);
	return code;
}
