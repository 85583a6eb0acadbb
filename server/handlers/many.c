#include "server/handlers/many.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *refs_of(const struct call *c)
{
	const char *refs = uri_get(&c->req.uri, "jobs");
	return refs ? refs : "";
}

int many_count(const struct call *c)
{
	const char *refs = refs_of(c);
	int n = *refs != '\0';
	for (const char *at = refs; (at = strchr(at, ',')); at++)
		n++;
	return n;
}

void many_free(struct many *m)
{
	free(m->job);
	*m = (struct many){0};
}

static int check_once(const struct many *m, const char *ref, struct err *err)
{
	for (int i = 0; i < m->n; i++)
		if (!strcmp(m->job[i].id, m->job[m->n].id))
			return err_set(err, ERR_INVALID, "jobs names %s twice, the second time as '%.60s'", m->job[i].id, ref);
	return OK;
}

/* The next one; ERR_NOT_FOUND if there is none. */
static int add(struct many *m, struct call *c, const char *ref, bool known, struct err *err)
{
	struct many_job *to = &m->job[m->n];
	struct job job;
	int code = store_get(c->daemon->store, ref, &job, err);
	if (code == ERR_NOT_FOUND && known && strlen(ref) < sizeof to->id) {
		*to = (struct many_job){.gone = true, .status = JOB_CANCELLED};
		snprintf(to->id, sizeof to->id, "%s", ref);
		code = OK;
	} else if (!code) {
		to->status = job.status;
		snprintf(to->id, sizeof to->id, "%s", job.id);
		snprintf(to->kind, sizeof to->kind, "%s", job.kind);
		job_free(&job);
	}
	if (!code && !(code = check_once(m, ref, err)))
		m->n++;
	return code;
}

/* All that are missing, so that who asks can do without them. */
static void note_missing(struct jsonw *w, const char *ref, struct err *first, const struct err *err)
{
	if (!*first->message)
		*first = *err;
	jw_string(w, ref);
}

static int add_all(struct many *m, struct call *c, char *refs, const bool *known, struct err *err)
{
	struct buf names = BUF_INIT;
	struct jsonw w;
	struct err first = {0};
	int code = OK, i = 0;
	jw_init(&w, &names, false);
	jw_array(&w);
	for (char *ref = refs, *next; ref && !code; ref = next, i++) {
		if ((next = strchr(ref, ',')))
			*next++ = '\0';
		code = add(m, c, ref, known && known[i] && !strncmp(ref, "job_", 4), err);
		if (code != ERR_NOT_FOUND)
			continue;
		note_missing(&w, ref, &first, err);
		code = OK;
	}
	jw_end_array(&w);
	if (!code && *first.message) {
		buf_printf(&c->problem_extra, ",\"missing\":%s", names.failed ? "[]" : names.data);
		*err = first;
		code = ERR_NOT_FOUND;
	}
	buf_free(&names);
	return code;
}

int many_open(struct many *ret, struct call *c, int most, const bool *known, struct err *err)
{
	int n = many_count(c);
	*ret = (struct many){0};
	if (!n)
		return err_set(err, ERR_INVALID, "jobs must name jobs by commas, such as ?jobs=latest or ?jobs=job_…,job_…");
	if (n > most)
		return err_set(err, ERR_INVALID, "jobs may name at most %d jobs, got %d", most, n);
	char *refs = strdup(refs_of(c));
	ret->job = calloc((size_t)n, sizeof *ret->job);
	int code = refs && ret->job ? add_all(ret, c, refs, known, err) : err_set(err, ERR_NO_MEMORY, "out of memory");
	free(refs);
	if (code)
		many_free(ret);
	return code;
}
