#include "server/store/internal.h"

#include "api/manifest.h"
#include "server/blob.h"
#include "server/clock.h"
#include "server/store/journal.h"
#include "server/store/recover.h"

#include <dirent.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What journal and folders say, gathered in a table that goes with the connection. */
static const char make_table[] =
	"CREATE TEMP TABLE found(id TEXT PRIMARY KEY, text TEXT, status TEXT, stop_reason TEXT,"
	" gone INTEGER NOT NULL DEFAULT 0, folder INTEGER NOT NULL DEFAULT 0)";

struct reading {
	struct conn *to;
	int64_t last_number;
};

static int note(struct reading *r, const char *text, size_t size, bool folder, const char *id, struct err *err)
{
	struct job job;
	struct err ignored;
	if (manifest_parse(&job, text, size, &ignored))
		return OK;
	int code = OK;
	if (!id || !strcmp(id, job.id)) {
		if (job.number > r->last_number)
			r->last_number = job.number;
		code = sql_adhoc(r->to,
			"INSERT INTO found(id,text,folder) VALUES(?1,?2,?3) ON CONFLICT(id) DO UPDATE SET text=?2, folder=?3", err,
			"ssi", job.id, text, (int64_t)folder);
	}
	job_free(&job);
	return code;
}

static int take_line(void *ctx, enum journal_word word, char *text, struct err *err)
{
	struct reading *r = ctx;
	char id[JOB_ID_SIZE], status[JOB_WORD], reason[JOB_WORD];
	switch (word) {
	case JOURNAL_SUBMITTED:
		return note(r, text, strlen(text), false, NULL, err);
	case JOURNAL_STATUS:
		if (sscanf(text, "%31s %31s %31s", id, status, reason) != 3)
			return OK;
		return sql_adhoc(r->to,
			"INSERT INTO found(id,status,stop_reason) VALUES(?1,?2,?3)"
			" ON CONFLICT(id) DO UPDATE SET status=?2, stop_reason=?3",
			err, "sss", id, status, reason);
	case JOURNAL_DELETED:
		return sql_adhoc(
			r->to, "INSERT INTO found(id,gone) VALUES(?1,1) ON CONFLICT(id) DO UPDATE SET gone=1", err, "s", text);
	}
	return OK;
}

static int read_folder(struct reading *r, const char *data_dir, const char *id, struct err *err)
{
	char path[BLOB_PATH_MAX];
	void *bytes;
	size_t size;
	struct err ignored;
	int code = sql_adhoc(
		r->to, "INSERT INTO found(id,folder) VALUES(?1,1) ON CONFLICT(id) DO UPDATE SET folder=1", err, "s", id);
	blob_path(path, sizeof path, data_dir, id, "job.json");
	if (code || blob_read(path, &bytes, &size, &ignored))
		return code;
	char *text = strndup(bytes, size);
	free(bytes);
	code = text ? note(r, text, strlen(text), true, id, err) : err_set(err, ERR_NO_MEMORY, "out of memory");
	free(text);
	return code;
}

int refound_read(struct conn *to, const char *data_dir, int64_t *ret_last_number, struct err *err)
{
	char path[BLOB_PATH_MAX];
	struct reading r = {.to = to};
	int code = sql_script(to, make_table, err);
	journal_path(path, sizeof path, data_dir);
	if (!code && (code = journal_read(path, take_line, &r, err)) == ERR_NOT_FOUND)
		code = OK;
	snprintf(path, sizeof path, "%s/jobs", data_dir);
	DIR *dir = opendir(path);
	for (struct dirent *entry; dir && !code && (entry = readdir(dir));)
		if (manifest_id_valid(entry->d_name))
			code = read_folder(&r, data_dir, entry->d_name, err);
	if (dir)
		closedir(dir);
	*ret_last_number = r.last_number;
	return code;
}

/* --- rows --- */

/* What the journal says of it. */
struct end {
	char status[JOB_WORD], reason[JOB_WORD];
	bool folder;
};

static int newest_epoch(const char *data_dir, const char *id)
{
	int *epochs, n, newest = 0;
	if (blob_epochs(data_dir, id, "checkpoints/epoch-", ".safetensors", &epochs, &n, NULL))
		return 0;
	if (n)
		newest = epochs[n - 1];
	free(epochs);
	return newest;
}

static bool conducts(const struct job *job)
{
	const struct family *f = family_find(job->kind);
	return f && f->conducts;
}

/* One that has succeeded by going to its end goes there again from its newest checkpoint, which takes no step, or a study from its
 * children: so it has its results again. Whatever else ended stays so. */
static enum job_status status_then(const struct job *job, const struct end *e, int epoch)
{
	enum job_status status;
	if (!job_status_parse(e->status, &status) || !job_terminal(status))
		return JOB_QUEUED;
	const bool again = status == JOB_SUCCEEDED && !strcmp(e->reason, "completed") && (epoch || conducts(job));
	return again ? JOB_QUEUED : status;
}

static int tell(struct conn *to, int64_t number, const struct job *job, struct err *err)
{
	struct txn t = {.conn = to, .now_ms = clock_wall_ms()};
	char body[160];
	snprintf(body, sizeof body, "\"status\":\"%s\",\"stop_reason\":%s%s%s", job_status_name(job->status),
		*job->stop_reason ? "\"" : "", *job->stop_reason ? job->stop_reason : "null", *job->stop_reason ? "\"" : "");
	int code = event_append(&t, number, EVENT_LOG, NULL,
		"\"level\":\"warn\",\"message\":\"the database was lost: this job is restored from what its folder and the journal say\"",
		err);
	if (!code)
		code = event_append(&t, number, EVENT_STATUS, NULL, body, err);
	snprintf(body, sizeof body, "\"status\":\"%s\"", job_status_name(job->status));
	if (!code && job_terminal(job->status))
		code = event_append(&t, number, EVENT_END, NULL, body, err);
	free(t.touched);
	return code;
}

static int insert(struct conn *to, const char *data_dir, struct job *job, const struct end *e, struct err *err)
{
	int64_t taken = 0, begun_ms = e->folder ? job->created_at_ms : 0;
	int epoch = newest_epoch(data_dir, job->id);
	job->status = status_then(job, e, epoch);
	bool ended = job_terminal(job->status);
	if (ended && strcmp(e->reason, "-") != 0)
		snprintf(job->stop_reason, sizeof job->stop_reason, "%s", e->reason);
	int code = sql_adhoc_int(to, "SELECT count(*) FROM jobs WHERE number=?1", &taken, err, "i", job->number);
	if (code)
		return code;
	code = sql_adhoc_int(to,
		"INSERT INTO jobs(number,id,kind,preset,dataset,dataset_sha256,name,status,stop_reason,created_at_ms,started_at_ms,"
		"finished_at_ms,priority,seed,attempt,epoch,epochs,step,steps,best_epoch,params,metadata,from_job,from_epoch,"
		"ancestors_train_s,depends_on,time_limit_s,max_retries,fork_step,trial,study,conducts) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,"
		"?18,?19,?20,?21,?22,?23,?24,?25,?26,?27,?28,?29,?30,coalesce(json_extract(?30,'$.study'),''),?31) RETURNING number",
		&job->number, err, "Issssssssiiiiiiiiiiisssidsiiisi", job->number > 0 && !taken, job->number, job->id, job->kind,
		job->preset, job->dataset, job->dataset_sha256, job->name, job_status_name(job->status), job->stop_reason,
		job->created_at_ms, begun_ms, ended ? clock_wall_ms() : (int64_t)0, (int64_t)job->priority, (int64_t)job->seed,
		(int64_t)e->folder, (int64_t)epoch, (int64_t)job->epochs, job_step_at(job, epoch), job->steps,
		(int64_t)(ended ? epoch : 0), job->params, job->metadata, job->from_job, (int64_t)job->from_epoch,
		job->ancestors_train_s, job->depends_on, job->time_limit_s, (int64_t)job->max_retries, job->fork_step, job->trial,
		(int64_t)conducts(job));
	return code ? code : tell(to, job->number, job, err);
}

/* A row that could be read keeps what changes as a job runs; what it is the manifest says. */
static int correct(struct conn *to, const struct job *j, struct err *err)
{
	int code = sql_adhoc(to,
		"UPDATE jobs SET kind=?2, preset=?3, dataset=?4, dataset_sha256=iif(?5='',dataset_sha256,?5), created_at_ms=?6, seed=?7,"
		" from_job=?8, from_epoch=?9, fork_step=?10 WHERE id=?1",
		err, "sssssiisii", j->id, j->kind, j->preset, j->dataset, j->dataset_sha256, j->created_at_ms, (int64_t)j->seed,
		j->from_job, (int64_t)j->from_epoch, j->fork_step);
	return code ? code
				: sql_adhoc(to,
					  "UPDATE jobs SET params=?2 WHERE id=?1 AND NOT EXISTS(SELECT 1 FROM edits WHERE job=number)", err,
					  "ss", j->id, j->params);
}

/* A row of its number, under an id that no manifest knows: that was damaged. *ret_there: there is a row of it, now at least. */
static int find_row(struct conn *to, const struct job *j, bool *ret_there, struct err *err)
{
	int64_t number = 0;
	int code = sql_adhoc(to, "UPDATE OR IGNORE jobs SET id=?1 WHERE number=?2 AND id NOT IN (SELECT id FROM found)",
		err, "si", j->id, j->number);
	if (!code)
		code = sql_adhoc_int(to, "SELECT number FROM jobs WHERE id=?1", &number, err, "s", j->id);
	*ret_there = number;
	return code;
}

static int restore(
	struct conn *to, const char *data_dir, const char *text, const struct end *e, struct recovery *r, struct err *err)
{
	struct job job;
	bool there = false;
	int64_t buried = 0;
	int code = manifest_parse(&job, text, strlen(text), err);
	if (code)
		return code;
	code = find_row(to, &job, &there, err);
	if (!code)
		code = sql_adhoc_int(to, "SELECT count(*) FROM tombstones WHERE id=?1", &buried, err, "s", job.id);
	if (!code && there) {
		code = correct(to, &job, err);
	} else if (!code && !buried) {
		code = insert(to, data_dir, &job, e, err);
		r->refound += !code;
	}
	job_free(&job);
	return code;
}

/* The rows of studies that go on, from what their children say they are; verdicts are given anew. What could not be built was no job: it
 * is found out again. */
static const char tie_trials[] =
	"INSERT OR IGNORE INTO trials(study,phase,number,of,seed,job,state,x)"
	" SELECT s.number, CASE json_extract(j.trial,'$.phase') WHEN 'after' THEN 1 WHEN 'retrain' THEN 2 ELSE 0 END,"
	" json_extract(j.trial,'$.number'), json_extract(j.trial,'$.of'), j.seed, j.id, 'running', json_extract(j.trial,'$.x')"
	" FROM jobs j JOIN jobs s ON s.id=j.study WHERE j.trial IS NOT NULL AND s.status NOT IN ('succeeded','failed','cancelled')"
	" AND json_extract(j.trial,'$.x') IS NOT NULL;";

/* Those that must wait for others wait again; for one that is not there any more nobody waits. */
static const char tie_dependants[] =
	"INSERT OR IGNORE INTO depends(job,on_job,done) SELECT j.number,o.number,o.status='succeeded' FROM jobs j, json_each(j.depends_on) e"
	" JOIN jobs o ON o.id=e.value WHERE j.depends_on IS NOT NULL AND j.status NOT IN ('succeeded','failed','cancelled');"
	"UPDATE jobs SET blocked=(SELECT count(*) FROM depends WHERE job=number AND done=0) WHERE depends_on IS NOT NULL;"
	"INSERT OR IGNORE INTO tombstones SELECT id FROM found WHERE gone AND folder;"
	"DELETE FROM jobs WHERE id IN (SELECT id FROM found WHERE gone)";

int refound_write(struct conn *to, const char *data_dir, struct recovery *r, struct err *err)
{
	sqlite3_stmt *q;
	int code = OK, rc;
	if (sqlite3_prepare_v2(to->db, "SELECT id,text,status,stop_reason,folder FROM found WHERE NOT gone ORDER BY rowid",
			-1, &q, NULL) != SQLITE_OK)
		return sql_error(to, err, "reading what was found");
	while (!code && (rc = sqlite3_step(q)) == SQLITE_ROW) {
		const char *text = (const char *)sqlite3_column_text(q, 1);
		struct end e = {.folder = sqlite3_column_int(q, 4)};
		sql_text(q, 2, e.status, sizeof e.status);
		sql_text(q, 3, e.reason, sizeof e.reason);
		if (text)
			code = restore(to, data_dir, text, &e, r, err);
		else
			r->unknown += e.folder;
	}
	sqlite3_finalize(q);
	if (!code)
		code = sql_script(to, tie_dependants, err);
	return code ? code : sql_script(to, tie_trials, err);
}
