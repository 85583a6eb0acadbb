#include "server/job_delete.h"

#include "server/blob.h"
#include "server/log.h"

void job_bury(struct store *store, const char *data_dir, const char *job_id)
{
	struct err err = {0};
	int code = blob_remove_job(data_dir, job_id, &err);
	if (!code)
		code = store_buried(store, job_id, &err);
	if (code)
		log_warn("files of a deleted job remain", "job=%s error=%s remedy=%s", job_id, log_quote(err.message),
			log_quote("they are removed at the next start"));
}

int job_delete(struct store *store, const char *data_dir, const char *job_id, struct err *err)
{
	int code = store_delete(store, job_id, err);
	if (!code)
		job_bury(store, data_dir, job_id);
	return code;
}

void job_delete_rest(struct store *store, const char *data_dir)
{
	char id[JOB_ID_SIZE] = "";
	while (!store_tombstone(store, id, id, NULL))
		job_bury(store, data_dir, id);
}
