#include "server/depends.h"

#include <stdio.h>
#include <string.h>

static int settle_one(char name[JOB_NAME_SIZE], int at, struct store *store, struct err *err)
{
	struct job job;
	struct err why = {0};
	char pointer[40];
	snprintf(pointer, sizeof pointer, "#/depends_on/%d", at);
	int code = store_get(store, name, &job, &why);
	if (code == ERR_NOT_FOUND)
		return err_field(err, ERR_INVALID, pointer, "%s", why.message);
	if (code)
		return err_set(err, code, "%s", why.message);
	if (job_terminal(job.status) && job.status != JOB_SUCCEEDED)
		code = err_field(err, ERR_INVALID, pointer, "%s is %s: what depends on it would never run", job.id,
			job_status_name(job.status));
	memcpy(name, job.id, sizeof job.id);
	job_free(&job);
	return code;
}

/* Of the first n. */
static bool is_among(const struct spec *spec, int n, const char *id)
{
	while (n-- > 0)
		if (!strcmp(spec->depends_on[n], id))
			return true;
	return false;
}

int depends_settle(struct spec *spec, struct store *store, struct err *err)
{
	int kept = 0;
	for (int i = 0; i < spec->ndepends; i++) {
		int code = settle_one(spec->depends_on[i], i, store, err);
		if (code)
			return code;
	}
	for (int i = 0; i < spec->ndepends; i++)
		if (!is_among(spec, kept, spec->depends_on[i]))
			memmove(spec->depends_on[kept++], spec->depends_on[i], JOB_ID_SIZE);
	spec->ndepends = kept;
	return OK;
}

char *depends_print(const struct spec *spec)
{
	struct buf text = BUF_INIT;
	struct jsonw w;
	if (!spec->ndepends)
		return NULL;
	jw_init(&w, &text, false);
	jw_array(&w);
	for (int i = 0; i < spec->ndepends; i++)
		jw_string(&w, spec->depends_on[i]);
	jw_end_array(&w);
	return buf_take(&text, NULL);
}
