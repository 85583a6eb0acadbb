#include "server/origin.h"

#include "server/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail_from(struct err *err, const char *text)
{
	char copy[sizeof err->message];
	snprintf(copy, sizeof copy, "%s", text);
	return err_field(err, ERR_INVALID, "#/from", "%s", copy);
}

/* --- which job --- */

/* The newest of a kind that has succeeded; false if there is none. */
static bool newest_of(struct store *store, const char *kind, struct job *ret)
{
	const struct store_filter f = {.status = "succeeded", .kind = kind, .limit = 1};
	struct job *jobs;
	int n;
	bool more;
	if (store_list(store, &f, &jobs, &n, &more, NULL))
		return false;
	if (n)
		*ret = jobs[0];
	free(jobs);
	return n > 0;
}

/* "needs 'from': a finished ae or vae; newest here: job_…" */
static int explain_need(struct store *store, const struct family *of, const char *why, struct err *err)
{
	struct buf kinds = BUF_INIT;
	char newest[JOB_ID_SIZE] = "", text[400];
	int64_t number = 0;
	const struct family *f;
	for (int i = 0; (f = family_at(i)); i++) {
		struct job job;
		if (!family_goes_on_from(of, f))
			continue;
		buf_printf(&kinds, "%s%s", kinds.len ? " or " : "", f->name);
		if (!newest_of(store, f->name, &job))
			continue;
		if (job.number > number) {
			number = job.number;
			memcpy(newest, job.id, sizeof newest);
		}
		job_free(&job);
	}
	snprintf(text, sizeof text, "%s'from': a finished %s; %s%s%s%s", why, kinds.data,
		number ? "newest here: " : "there is none here yet", newest, of->needs_none ? "; " : "",
		of->needs_none ? of->needs_none : "");
	buf_free(&kinds);
	return fail_from(err, text);
}

static int check_job(struct store *store, const struct family *of, const struct job *job, struct err *err)
{
	char text[160];
	const struct family *f = family_find(job->kind);
	if (!f || !family_goes_on_from(of, f)) {
		snprintf(text, sizeof text, "%s is of kind %s; needs ", job->id, job->kind);
		return explain_need(store, of, text, err);
	}
	if (job_terminal(job->status))
		return OK;
	snprintf(text, sizeof text, "%s is %s; wait until it has ended", job->id, job_status_name(job->status));
	return fail_from(err, text);
}

/* --- its model --- */

int origin_check_image(const struct origin *o, const struct dataset_head *head, struct err *err)
{
	const struct map *m = &o->model.image;
	if (!o->w || (m->c == head->c && m->h == head->h && m->w == head->w))
		return OK;
	return err_field(err, ERR_INVALID, "#/dataset", "has images of %dx%dx%d; %s was trained on %dx%dx%d", head->c,
		head->h, head->w, o->job.id, m->c, m->h, m->w);
}

static int load_model(struct origin *o, const struct checkpoint *c, struct err *err)
{
	int code = checkpoint_model(c, &o->model, &o->w, err);
	if (!code && !family_can(o->model.family, ABILITY_ENCODE))
		code = err_set(
			err, ERR_CORRUPT, "the checkpoint is of kind %s, which nothing goes on from", o->model.family->name);
	return code ? code : code_stats_load(&o->codes, &c->st.state, o->model.latent_dim, err);
}

static int find_checkpoint(struct origin *o, const char *data_dir, const char *which, struct err *err)
{
	struct checkpoint c;
	int code = checkpoint_pick(&c, data_dir, &o->job, which, err);
	if (code)
		return fail_from(err, err ? err->message : "");
	if (c.number) {
		o->epoch = c.number;
		code = load_model(o, &c, err);
	} else {
		code = fail_from(err, "its last checkpoint lies inside an epoch; name the number of one that ended");
	}
	checkpoint_free(&c);
	return code;
}

int origin_find(struct origin *ret, struct store *store, const char *data_dir, const struct spec *spec, struct err *err)
{
	struct origin o = {0};
	if (!*spec->from)
		return explain_need(store, spec->family, "needs ", err);
	int code = store_get(store, spec->from, &o.job, err);
	if (code)
		return code == ERR_NOT_FOUND ? fail_from(err, err ? err->message : "") : code;
	code = check_job(store, spec->family, &o.job, err);
	if (!code)
		code = find_checkpoint(&o, data_dir, spec->from_checkpoint, err);
	if (code)
		origin_free(&o);
	else
		*ret = o;
	return code;
}

int origin_load(struct origin *ret, const char *data_dir, const char *job_id, int epoch, struct err *err)
{
	struct origin o = {.epoch = epoch};
	struct checkpoint c;
	int code = checkpoint_load(&c, data_dir, job_id, epoch, err);
	if (code)
		return err_wrap(err, "what this job goes on from, %s", job_id);
	code = load_model(&o, &c, err);
	checkpoint_free(&c);
	if (code)
		origin_free(&o);
	else
		*ret = o;
	return code;
}

void origin_free(struct origin *o)
{
	if (o->model.family)
		model_free(&o->model);
	code_stats_free(&o->codes);
	free(o->w);
	job_free(&o->job);
	*o = (struct origin){0};
}
