/* sched_verbs.c: what may be asked of a job that is there: commands, edits, a checkpoint, the queue's pause. */
#include "server/sched_internal.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* --- commands --- */

static void tell_worker(struct sched *s, const char *job_id, size_t flag)
{
	for (int i = 0; i < s->seats; i++) {
		struct worker *w = &s->seat[i].worker;
		pthread_mutex_lock(&w->lock);
		if (!strcmp(w->view.job_id, job_id))
			atomic_store((atomic_bool *)((char *)w + flag), true);
		pthread_mutex_unlock(&w->lock);
	}
}

/* "queued, running or pausing": where the command changes something. */
static void list_states(char *text, size_t size, enum job_command command)
{
	const char *apart = "";
	*text = '\0';
	for (const struct job_command_row *r = job_command_rows; r->command != JOB_COMMAND_COUNT; r++) {
		struct job at = {.status = r->from, .step = 1};
		size_t used = strlen(text);
		if (r->command != command || !job_command_changes(&at, command))
			continue;
		snprintf(text + used, size - used, "%s%s", apart, job_status_name(r->from));
		apart = ", ";
	}
}

static int refuse(const struct job *job, enum job_command command, struct err *err)
{
	char states[120];
	struct job begun = *job;
	begun.step = 1;
	if (job_command_find(&begun, command))
		return err_set(err, ERR_CONFLICT, "%s has not begun, so that there is nothing to keep; cancel it", job->id);
	list_states(states, sizeof states, command);
	return err_set(err, ERR_CONFLICT, "%s is %s; %s is for a job that is one of: %s", job->id,
		job_status_name(job->status), job_command_name(command), states);
}

static int change_state(struct sched *s, const char *job_id, const struct job_command_row *row, struct err *err)
{
	static const char user_cancel[] = "user_cancel";
	const struct store_change change = {.wishes = true,
		.wish = row->wish,
		.stop_reason = job_terminal(row->to) ? user_cancel : NULL,
		.finished = job_terminal(row->to)};
	int code = store_move(s->config.store, job_id, row->from, row->to, &change, err);
	if (code)
		return code;
	if (job_live(row->from))
		tell_worker(s, job_id, offsetof(struct worker, told));
	if (row->to == JOB_QUEUED || row->from == JOB_QUEUED) /* also the next one's turn may have come */
		sched_wake(s);
	return OK;
}

/* What the row of the job says at this moment; ERR_CONFLICT when it says something else when it is to be changed. */
static int command_once(
	struct sched *s, const char *job_id, enum job_command command, bool *ret_done, struct job *ret, struct err *err)
{
	int code = store_get(s->config.store, job_id, ret, err);
	if (code)
		return code;
	sched_live(s, ret);
	const struct job_command_row *row = job_command_find(ret, command);
	const struct job then = {.status = row ? row->to : ret->status};
	if (!row)
		code = refuse(ret, command, err);
	else if (job_command_changes(ret, command))
		code = change_state(s, job_id, row, err);
	*ret_done = job_command_done(&then, command);
	return code;
}

int sched_command(
	struct sched *s, const char *ref, enum job_command command, bool *ret_done, struct job *ret, struct err *err)
{
	enum { TRIES = 10 }; /* the worker and other clients may move it between reading and writing */
	struct job job;
	bool done = false;
	int code = store_get(s->config.store, ref, &job, err);
	if (code)
		return code;
	char id[JOB_ID_SIZE];
	memcpy(id, job.id, sizeof id);
	code = ERR_CONFLICT;
	for (int i = 0; i < TRIES && code == ERR_CONFLICT; i++) {
		job_free(&job);
		job = (struct job){0};
		code = command_once(s, id, command, &done, &job, err);
		if (code == ERR_CONFLICT && !job_command_find(&job, command))
			break;
	}
	job_free(&job);
	if (!code)
		code = store_get(s->config.store, id, ret, err);
	if (!code)
		*ret_done = done;
	return code;
}

/* --- checkpoint now --- */

unsigned sched_ask_checkpoint(struct sched *s, const char *job_id)
{
	unsigned ticket = 0;
	for (int i = 0; i < s->seats && !ticket; i++) {
		struct worker *w = &s->seat[i].worker;
		pthread_mutex_lock(&w->lock);
		if (!strcmp(w->view.job_id, job_id)) {
			ticket = atomic_fetch_add(&s->tickets, 1) + 1;
			atomic_store(&w->save_asked, ticket);
		}
		pthread_mutex_unlock(&w->lock);
	}
	return ticket;
}

int sched_checkpoint(struct sched *s, const char *job_id, unsigned ticket, bool *ret_there,
	struct saved_checkpoint *ret, struct err *err)
{
	*ret_there = false;
	for (int i = 0; i < s->seats && !*ret_there; i++) {
		struct worker *w = &s->seat[i].worker;
		pthread_mutex_lock(&w->lock);
		struct worker_saved saved = w->saved;
		pthread_mutex_unlock(&w->lock);
		if (strcmp(saved.job_id, job_id) || (int)(saved.asked - ticket) < 0)
			continue;
		*ret_there = true;
		*ret = (struct saved_checkpoint){
			.epoch = saved.epoch, .step = saved.step, .bytes = saved.bytes, .inside = saved.inside};
		if (saved.code)
			return err_set(err, saved.code, "%s", saved.message);
	}
	return OK;
}

/* --- the queue --- */

int sched_pause_queue(struct sched *s, bool paused, struct err *err)
{
	int code = store_pause_queue(s->config.store, paused, err);
	if (!code && !paused)
		sched_wake(s);
	return code;
}

/* --- edit --- */

int sched_edit(struct sched *s, const char *job_id, const struct store_edit *edit, struct err *err)
{
	int code = store_edit(s->config.store, job_id, edit, err);
	if (!code && edit->params)
		tell_worker(s, job_id, offsetof(struct worker, edit));
	if (!code && edit->has_priority)
		sched_wake(s); /* another one may be next */
	return code;
}

bool sched_holds(struct sched *s, const char *job_id)
{
	bool held = false;
	for (int i = 0; i < s->seats && !held; i++) {
		struct worker *w = &s->seat[i].worker;
		pthread_mutex_lock(&w->lock);
		held = !strcmp(w->view.job_id, job_id);
		pthread_mutex_unlock(&w->lock);
	}
	return held;
}

/* --- live --- */

static void overlay_locked(const struct worker_view *v, struct job *job)
{
	if (strcmp(v->job_id, job->id) || v->step < job->step || !v->steps)
		return;
	job->epoch = v->epoch;
	job->step = v->step;
	job->steps = v->steps;
	job->eta_ms = v->eta_ms;
	job->samples_per_s = v->samples_per_s;
	job->train_s = v->train_s;
}

void sched_live(struct sched *s, struct job *job)
{
	if (!job_live(job->status))
		return;
	for (int i = 0; i < s->seats; i++) {
		struct worker *w = &s->seat[i].worker;
		pthread_mutex_lock(&w->lock);
		overlay_locked(&w->view, job);
		pthread_mutex_unlock(&w->lock);
	}
}
