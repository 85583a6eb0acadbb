#include "server/job_delete.h"

#include "server/blob.h"
#include "server/log.h"
#include "server/store/study.h"

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

/* A study's rows go with those of its children; so do their files. */
int job_delete(struct store *store, const char *data_dir, const char *job_id, struct err *err)
{
	struct trial *children = NULL;
	size_t n = 0;
	int code = store_trials(store, job_id, &children, &n, err);
	if (!code)
		code = store_delete(store, job_id, err);
	for (size_t i = 0; i < n && !code; i++)
		if (children[i].there)
			job_bury(store, data_dir, children[i].job);
	trials_free(children, n);
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
