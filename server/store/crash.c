#include "server/store/internal.h"

#include "server/crash.h"

#include <stdio.h>

struct crash_op {
	struct op op;
	const char *job_id, *mark, *signal_name;
};

static int quarantine(struct txn *t, const char *job_id, const char *signal_name, struct err *err)
{
	char detail[300];
	struct store_change failed = {
		.stop_reason = "quarantined", .error_code = "quarantined", .error_detail = detail, .finished = true};
	snprintf(detail, sizeof detail,
		"the daemon crashed %d times while it worked for this job (%s): it is not taken up by itself any more; retry it if the "
		"cause is gone",
		CRASHES_MAX, signal_name);
	return job_move(t, job_id, JOB_QUEUED, JOB_FAILED, &failed, err);
}

static int apply_crash(struct txn *t, struct op *base, struct err *err)
{
	const struct crash_op *op = (const struct crash_op *)base;
	int64_t crashes = 0;
	int code = sql_int(t->conn, SQL_JOB_CRASHED, &crashes, 0, err, "ss", op->job_id, op->mark);
	return code || crashes < CRASHES_MAX ? code : quarantine(t, op->job_id, op->signal_name, err);
}

int store_crashed(struct store *s, const char *job_id, const char *mark, const char *signal_name, struct err *err)
{
	struct crash_op op = {.op.apply = apply_crash, .job_id = job_id, .mark = mark, .signal_name = signal_name};
	return store_call(s, &op.op, err);
}
