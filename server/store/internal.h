/* internal.h: what the store's own files share: connections, the writer's queue, one transaction.
 *
 * Files: store.c (open, lock, recovery, readers) · sql.c (statements, binding, errors) · schema.c (tables) ·
 * write.c (queue, writer thread, group commit) · apply.c (what each write does) · queue.c (whose turn it is) ·
 * edit.c (changes of a job) · points.c (curves) · blocks.c (long ones) · branch.c (a fork's) ·
 * read.c (queries) · list.c (jobs in pages) · journal.c (the jobs beside the database) ·
 * key.c (one job per key) · depends.c (what waits for what) · delete.c (a job goes, with all that is known of it) ·
 * crash.c (crashes of a job).
 * Invariants: `writer` and `live` are touched by the writer thread only (and by open and close, when there is none);
 * `lock` guards the queue, the listener and the readers and is never held across SQL.
 * Not here: anything another room may include.
 */
#ifndef LATENTD_SERVER_STORE_INTERNAL_H
#define LATENTD_SERVER_STORE_INTERNAL_H

#include "server/store/store.h"

#include "core/model/model.h"

#include "core/base/buf.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sqlite3;
struct sqlite3_stmt;

/* clang-format off */
/* The order in which job_read (read.c) takes them. */
#define JOB_COLUMNS \
	"number,id,kind,preset,dataset,dataset_sha256,name,status,stop_reason,created_at_ms,started_at_ms,finished_at_ms," \
	"priority,seed,attempt,epoch,epochs,step,steps,eta_ms,samples_per_s,train_s,best_metric,best_value,best_epoch," \
	"test,error_code,error_detail,params,metadata,warnings,generalisation_gap,from_job,from_epoch,ancestors_train_s," \
	"wish,time_limit_s,max_retries,retries,depends_on,fork_step,memory_bytes,study,trial"

/* Every statement the store ever runs, but for the schema and for what `latentd recover` does. */
#define SQL_STATEMENTS(X) \
	X(SQL_BEGIN_READ, "BEGIN") \
	X(SQL_BEGIN_WRITE, "BEGIN IMMEDIATE") \
	X(SQL_COMMIT, "COMMIT") \
	X(SQL_ROLLBACK, "ROLLBACK") \
	X(SQL_JOB_INSERT, "INSERT INTO jobs(id,kind,preset,dataset,name,status,created_at_ms,priority,seed,epochs,steps,eta_ms," \
		"params,metadata,warnings,from_job,from_epoch,ancestors_train_s,depends_on,time_limit_s,max_retries,memory_bytes,conducts," \
		"study,trial) VALUES(?1,?2,?3,?4,?5,'queued',?6,?7,?8,?9,?10,NULL,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,?22,?23)" \
		" RETURNING number") \
	X(SQL_JOB_BRANCH, "UPDATE jobs SET fork_step=?2, step=?2, epoch=?3, dataset_sha256=?4, best_metric=?5, best_value=?6," \
		"best_epoch=?7 WHERE number=?1") \
	X(SQL_JOB_MOVE, "UPDATE jobs SET status=?3, stop_reason=coalesce(?4,stop_reason), error_code=coalesce(?5,error_code)," \
		"error_detail=coalesce(?6,error_detail), test=coalesce(?7,test)," \
		"generalisation_gap=coalesce(?8,generalisation_gap)," \
		"started_at_ms=iif(?9 AND started_at_ms=0,?11,started_at_ms), attempt=attempt+?9, held=iif(?9 AND NOT conducts,1,held)," \
		"finished_at_ms=iif(?10,?11,finished_at_ms), wish=coalesce(?12,wish), not_before_ms=coalesce(?13,0)," \
		"retries=retries+(?13 IS NOT NULL), eta_ms=iif(?3 IN ('queued','paused'),NULL,eta_ms)" \
		" WHERE id=?1 AND status=?2 RETURNING number") \
	X(SQL_JOB_REOPEN, "UPDATE jobs SET stop_reason='', error_code='', error_detail='', finished_at_ms=0, retries=0, crashes=0 WHERE number=?1") \
	X(SQL_JOB_RELEASE, "UPDATE jobs SET held=0 WHERE id=?1") \
	X(SQL_JOBS_RELEASE, "UPDATE jobs SET held=0, not_before_ms=0 WHERE held OR not_before_ms") \
	X(SQL_JOB_CRASHED, "UPDATE jobs SET crashes=crashes+1, crash_mark=?2 WHERE id=?1 AND crash_mark<>?2" \
		" RETURNING iif(status='queued',crashes,0)") \
	X(SQL_JOB_PROGRESS, "UPDATE jobs SET epoch=?2, epochs=?3, step=?4, steps=?5, eta_ms=?6, samples_per_s=?7, train_s=?8," \
		"best_metric=?9, best_value=?10, best_epoch=?11, dataset_sha256=?12, warnings=coalesce(?13,warnings)" \
		" WHERE id=?1 AND NOT " JOB_GIVEN_UP) \
	X(SQL_RESULT_PUT, "INSERT OR REPLACE INTO results(job,name,body) VALUES(?1,?2,?3)") \
	X(SQL_RESULT, "SELECT r.body FROM results r JOIN jobs j ON j.number=r.job WHERE j.id=?1 AND r.name=?2") \
	X(SQL_JOB_STATUS, "SELECT status,wish FROM jobs WHERE id=?1") \
	X(SQL_JOB_NUMBER, "SELECT number FROM jobs WHERE id=?1") \
	X(SQL_JOB_REPORTER, "SELECT iif(" JOB_GIVEN_UP ",0,number) FROM jobs WHERE id=?1") \
	X(SQL_JOB_LAST_SEQ, "SELECT last_seq FROM jobs WHERE id=?1") \
	X(SQL_JOB_NEXT, "SELECT id FROM jobs WHERE status='queued' AND blocked=0 AND conducts=0 AND " JOB_READY " AND NOT EXISTS(" QUEUE_PAUSED ")" \
		" ORDER BY priority DESC, number LIMIT 1") \
	X(SQL_MEMORY_HELD, "SELECT coalesce(sum(memory_bytes),0) FROM jobs WHERE held") \
	X(SQL_JOB_MEASURED, "UPDATE jobs SET memory_bytes=?2 WHERE id=?1") \
	X(SQL_JOB_MEMORY, "SELECT memory_bytes FROM jobs WHERE id=?1") \
	X(SQL_JOBS_LATER, "SELECT coalesce(min(not_before_ms),0) FROM jobs WHERE status='queued' AND not_before_ms>?1") \
	X(SQL_JOBS_NEXT, "SELECT id FROM jobs WHERE status='queued' AND blocked=0 AND conducts=0 ORDER BY priority DESC, number LIMIT ?1") \
	X(SQL_STATUS_COUNT, "SELECT coalesce(sum(n),0) FROM tally WHERE status=?1") \
	X(SQL_QUEUE_PAUSED, QUEUE_PAUSED) \
	X(SQL_QUEUE_PAUSE, "INSERT OR IGNORE INTO settings(name,value) VALUES('queue','paused')") \
	X(SQL_QUEUE_RESUME, "DELETE FROM settings WHERE name='queue'") \
	X(SQL_JOB_BY_ID, "SELECT " JOB_COLUMNS " FROM jobs WHERE id=?1") \
	X(SQL_JOB_BY_NAME, "SELECT " JOB_COLUMNS " FROM jobs WHERE name=?1 AND name<>'' ORDER BY number DESC LIMIT 1") \
	X(SQL_JOB_LATEST, "SELECT " JOB_COLUMNS " FROM jobs ORDER BY number DESC LIMIT 1") \
	X(SQL_JOB_BY_NUMBER, "SELECT " JOB_COLUMNS " FROM jobs WHERE number=?1") \
	X(SQL_NUMBERS_DOWN, "SELECT number FROM jobs WHERE number<?1 ORDER BY number DESC LIMIT ?2") \
	X(SQL_NUMBERS_UP, "SELECT number FROM jobs WHERE number>?1 ORDER BY number LIMIT ?2") \
	X(SQL_OF_KIND_DOWN, "SELECT number FROM jobs" OF_KIND "number<?1 ORDER BY number DESC LIMIT ?2") \
	X(SQL_OF_KIND_UP, "SELECT number FROM jobs" OF_KIND "number>?1 ORDER BY number LIMIT ?2") \
	X(SQL_OF_NAME_DOWN, "SELECT number FROM jobs" OF_KIND "name=?5 AND number<?1 ORDER BY number DESC LIMIT ?2") \
	X(SQL_OF_NAME_UP, "SELECT number FROM jobs" OF_KIND "name=?5 AND number>?1 ORDER BY number LIMIT ?2") \
	X(SQL_OF_DATASET_DOWN, "SELECT number FROM jobs" OF_KIND "dataset=?5 AND number<?1 ORDER BY number DESC LIMIT ?2") \
	X(SQL_OF_DATASET_UP, "SELECT number FROM jobs" OF_KIND "dataset=?5 AND number>?1 ORDER BY number LIMIT ?2") \
	X(SQL_OF_STUDY_DOWN, "SELECT number FROM jobs" OF_STUDY "number<?1 ORDER BY number DESC LIMIT ?2") \
	X(SQL_OF_STUDY_UP, "SELECT number FROM jobs" OF_STUDY "number>?1 ORDER BY number LIMIT ?2") \
	X(SQL_STUDIES, "SELECT id FROM jobs WHERE conducts AND status NOT IN ('succeeded','failed','cancelled')" \
		" AND NOT (status='queued' AND blocked>0)" \
		" UNION SELECT j.id FROM trials t JOIN jobs j ON j.number=t.study WHERE t.state='running'") \
	X(SQL_CHILDREN, "SELECT id FROM jobs WHERE study=?1 ORDER BY number") \
	X(SQL_TRIAL_INSERT, "INSERT INTO trials(study,phase,number,of,seed,job,state,reason,x) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)") \
	X(SQL_TRIAL_END, "UPDATE trials SET state=?4, value=?5, intermediate=?6, last_step=?7, reason=?8, held=0" \
		" WHERE study=?1 AND phase=?2 AND number=?3 AND state='running' RETURNING number") \
	X(SQL_TRIAL_HOLD, "UPDATE trials SET held=?4 WHERE study=?1 AND phase=?2 AND number=?3") \
	X(SQL_TRIALS_REOPEN, "UPDATE trials SET state='running', reason='', held=1 WHERE study=?1 AND state='failed' AND job IS NOT NULL") \
	X(SQL_TRIAL_FORGET_JOB, "UPDATE trials SET job=NULL WHERE job=?1") \
	X(SQL_TRIAL_OPEN, "SELECT j.id,j.status FROM trials t JOIN jobs j ON j.number=t.study WHERE t.job=?1 AND t.job IS NOT NULL" \
		" AND j.status NOT IN ('succeeded','failed','cancelled') LIMIT 1") \
	X(SQL_TRIALS, "SELECT t.phase,t.number,t.of,t.seed,t.job,t.state,t.value,t.intermediate,t.last_step,t.reason,t.x,t.held,j.status,j.epoch," \
		"j.epochs,j.train_s,j.started_at_ms,j.finished_at_ms,j.name FROM trials t LEFT JOIN jobs j ON j.id=t.job" \
		" WHERE t.study=?1 ORDER BY t.phase,t.number") \
	X(SQL_JOBS_ALL, "SELECT " JOB_COLUMNS " FROM jobs ORDER BY number") \
	X(SQL_JOBS_UNFINISHED, "SELECT id,status FROM jobs WHERE status IN " LIVE " ORDER BY number") \
	X(SQL_JOBS_COUNT, "SELECT kind,status,n FROM tally WHERE n>0") \
	X(SQL_QUEUE_LENGTH, "SELECT coalesce(sum(n),0) FROM tally WHERE status='queued'") \
	X(SQL_QUEUE_POSITION, "SELECT 1+coalesce((SELECT sum(n) FROM queue_priorities WHERE priority>?1),0)" \
		"+coalesce((SELECT sum(n) FROM queue_buckets WHERE priority=?1 AND bucket<?2>>8),0)" \
		"+(SELECT count(*) FROM jobs INDEXED BY jobs_queue WHERE status='queued' AND priority=?1 AND number>=?2>>8<<8 AND number<?2)") \
	X(SQL_JOB_EDIT, "UPDATE jobs SET name=coalesce(?2,name), priority=coalesce(?3,priority), metadata=coalesce(?4,metadata)" \
		" WHERE number=?1") \
	X(SQL_JOB_EDIT_PARAMS, "UPDATE jobs SET params_first=coalesce(params_first,params), params=?3, steps=iif(epochs>0," \
		"steps/epochs*?4,steps), epochs=?4 WHERE number=?1 AND params=?2" \
		" AND status IN ('queued','running','pausing','paused') RETURNING number") \
	X(SQL_JOB_SET_PARAMS, "UPDATE jobs SET params=?2, epochs=?3 WHERE number=?1 AND NOT EXISTS" \
		"(SELECT 1 FROM edits WHERE job=?1 AND step IS NULL)") \
	X(SQL_JOB_FIRST_PARAMS, "SELECT coalesce(params_first,params) FROM jobs WHERE number=?1") \
	X(SQL_JOB_TOLD, "SELECT coalesce(max(last_step),0) FROM series WHERE job=?1") \
	X(SQL_EDIT_INSERT, "INSERT INTO edits(job,number,params,before) SELECT ?1,coalesce(max(number),0)+1,?2,?3 FROM edits WHERE job=?1") \
	X(SQL_EDIT_SETTLE, "UPDATE edits SET step=?3 WHERE job=?1 AND number=?2") \
	X(SQL_EDITS_UNDO, "UPDATE jobs SET (params,epochs)=(SELECT before,json_extract(before,'$.epochs') FROM edits" \
		" WHERE job=?1 AND step IS NULL ORDER BY number LIMIT 1)" \
		" WHERE number=?1 AND EXISTS(SELECT 1 FROM edits WHERE job=?1 AND step IS NULL)") \
	X(SQL_EDITS_DROP, "DELETE FROM edits WHERE job=?1 AND step IS NULL RETURNING number") \
	X(SQL_EDITS, "SELECT number,step,params FROM edits WHERE job=?1 ORDER BY number") \
	X(SQL_DEPENDS_BAD, "SELECT e.key,e.value,j.status FROM json_each(?1) e LEFT JOIN jobs j ON j.id=e.value" \
		" WHERE j.status IS NULL OR j.status IN ('failed','cancelled') ORDER BY e.key LIMIT 1") \
	X(SQL_DEPENDS_INSERT, "INSERT OR IGNORE INTO depends(job,on_job,done) SELECT ?1,j.number,j.status='succeeded'" \
		" FROM json_each(?2) e JOIN jobs j ON j.id=e.value") \
	X(SQL_DEPENDS_COUNT, "UPDATE jobs SET blocked=(SELECT count(*) FROM depends WHERE job=?1 AND done=0) WHERE number=?1") \
	X(SQL_DEPENDS_DONE, "UPDATE depends SET done=1 WHERE on_job=?1") \
	X(SQL_DEPENDS_RECOUNT, "UPDATE jobs SET blocked=(SELECT count(*) FROM depends WHERE job=jobs.number AND done=0)" \
		" WHERE number IN (SELECT job FROM depends WHERE on_job=?1)") \
	X(SQL_DEPENDS_WAITING, "SELECT j.id,j.status FROM depends d JOIN jobs j ON j.number=d.job" \
		" WHERE d.on_job=?1 AND j.status NOT IN ('succeeded','failed','cancelled') LIMIT 1") \
	X(SQL_DEPENDS_MISSED, "SELECT coalesce(j.id,'a job that was deleted') FROM depends d LEFT JOIN jobs j ON j.number=d.on_job" \
		" WHERE d.job=?1 AND d.done=0 AND (j.status IS NULL OR j.status IN ('failed','cancelled')) LIMIT 1") \
	X(SQL_FROM_WAITING, "SELECT id,status FROM jobs WHERE from_job=?1 AND from_job<>'' AND fork_step=0 AND status NOT IN ('succeeded','failed','cancelled') LIMIT 1") \
	X(SQL_JOB_DELETE, "DELETE FROM jobs WHERE number=?1") \
	X(SQL_TOMBSTONE_PUT, "INSERT OR REPLACE INTO tombstones(id) VALUES(?1)") \
	X(SQL_TOMBSTONE_DROP, "DELETE FROM tombstones WHERE id=?1") \
	X(SQL_TOMBSTONE, "SELECT id FROM tombstones WHERE id>?1 ORDER BY id LIMIT 1") \
	X(SQL_KEY_FIND, "SELECT digest,job_id,status,reply FROM keys WHERE key=?1") \
	X(SQL_KEY_PUT, "INSERT INTO keys(key,digest,at_ms,job_id,status,reply) VALUES(?1,?2,?3,?4,?5,?6)") \
	X(SQL_KEYS_EXPIRE, "DELETE FROM keys WHERE key IN (SELECT key FROM keys WHERE at_ms<?1 ORDER BY at_ms LIMIT ?2)") \
	X(SQL_EVENT_KNOWN, "SELECT 1 FROM events WHERE job=?1 AND type=?2 AND once=?3") \
	X(SQL_EVENT_NUMBER, "UPDATE jobs SET last_seq=last_seq+1 WHERE number=?1 RETURNING last_seq,status,id") \
	X(SQL_EVENT_INSERT, "INSERT INTO events(job,seq,type,at_ms,once,body) VALUES(?1,?2,?3,?4,?5,?6)") \
	X(SQL_EVENTS, "SELECT seq,type,at_ms,body FROM events WHERE job=?1 AND seq>?2 ORDER BY seq LIMIT ?3") \
	X(SQL_EVENTS_OF, "SELECT seq,type,at_ms,body FROM events WHERE job=?1 AND seq>?2 AND instr(?4, ','||type||',') ORDER BY seq LIMIT ?3") \
	X(SQL_EVENTS_OF_NEWEST, "SELECT seq,type,at_ms,body FROM events WHERE job=?1 AND seq<?2 AND instr(?4, ','||type||',') ORDER BY seq DESC LIMIT ?3") \
	X(SQL_SERIES_FIND, "SELECT id,last_step,tail FROM series WHERE job=?1 AND name=?2") \
	X(SQL_SERIES_INSERT, "INSERT INTO series(job,name) VALUES(?1,?2) RETURNING id") \
	X(SQL_SERIES_DROP, "DELETE FROM series WHERE id=?1") \
	X(SQL_SERIES_UPDATE, "UPDATE series SET last_step=?2, last_value=?3 WHERE id=?1") \
	X(SQL_SERIES_OF_JOB, "SELECT name,last_value FROM series WHERE job=?1 ORDER BY id") \
	X(SQL_SERIES_IDS, "SELECT id,name FROM series WHERE job=?1 ORDER BY id") \
	X(SQL_POINTS_COPY, "INSERT INTO points(series,last_step,data) SELECT ?2,last_step,data FROM points" \
		" WHERE series=?1 AND last_step<=?3 ORDER BY last_step") \
	X(SQL_POINTS_AFTER, "SELECT data FROM points WHERE series=?1 AND last_step>?2 ORDER BY last_step LIMIT 1") \
	X(SQL_POINTS_NEWEST, "SELECT data FROM points WHERE series=?1 AND last_step<=?2 ORDER BY last_step DESC LIMIT 1") \
	X(SQL_POINTS_INSERT, "INSERT INTO points(series,last_step,data) VALUES(?1,?2,?3)") \
	X(SQL_POINTS_OF, "SELECT data FROM points WHERE series=?1 AND last_step>=?2 ORDER BY last_step") \
	X(SQL_TAIL_PUT, "UPDATE series SET tail=?2 WHERE id=?1") \
	X(SQL_BLOCK_PUT, "INSERT INTO blocks(series,level,last_step,data) VALUES(?1,?2,?3,?4)") \
	X(SQL_BLOCKS_DROP, "DELETE FROM blocks WHERE series=?1") \
	X(SQL_BLOCKS_COUNT, "SELECT count(*) FROM blocks WHERE series=?1 AND level=?2 AND last_step>=?3 AND last_step<=?4") \
	X(SQL_BLOCKS, "SELECT data FROM blocks WHERE series=?1 AND level=?2 AND last_step>=?3 AND last_step<=?4 ORDER BY last_step") \
	X(SQL_BLOCK_BEFORE, "SELECT last_step FROM blocks WHERE series=?1 AND level=?2 AND last_step<?3 ORDER BY last_step DESC LIMIT 1") \
	X(SQL_SERIES_UNBLOCKED, "SELECT id FROM series WHERE tail IS NULL AND last_step IS NOT NULL AND id>?1 ORDER BY id LIMIT 1")
#define OF_STUDY " WHERE study=?3 AND (?4 IS NULL OR kind=?4) AND (?5 IS NULL OR instr(','||?5||',',','||status||','))" \
	" AND (?6 IS NULL OR name=?6) AND "
#define OF_KIND " WHERE kind=?3 AND status=?4 AND "
#define LIVE "('running','pausing','cancelling')"
/* A worker has it that was not waited for. */
#define JOB_GIVEN_UP "(held AND status NOT IN " LIVE ")"
/* Nobody has it, and its time has come. */
#define JOB_READY "held=0 AND not_before_ms<=?1"
#define QUEUE_PAUSED "SELECT 1 FROM settings WHERE name='queue'"

enum sql {
#define X(id, text) id,
	SQL_STATEMENTS(X)
#undef X
	SQL_COUNT
};
/* clang-format on */

/* One connection: used by one thread at a time. */
struct conn {
	struct sqlite3 *db;
	struct sqlite3_stmt *stmt[SQL_COUNT]; /* prepared at first use */
	bool failed; /* SQLite itself failed (disk, memory, corruption): this transaction must be rolled back */
};

int conn_open(struct conn *c, const char *path, bool writable, struct err *err);
void conn_close(struct conn *c);
int sql_error(struct conn *c, struct err *err, const char *doing);
/* What failed last on this connection was an fsync. */
bool sql_sync_failed(const struct conn *c);
/* SQL text of the schema; several statements. */
int sql_script(struct conn *c, const char *text, struct err *err);
/* Binds by letter: i int64_t, d double (NaN is NULL), s text or NULL, I int64_t or NULL (bool given, then value),
 * D double likewise, b blob (pointer, size_t). Then step with sql_step. */
int sql_start(struct conn *c, enum sql which, struct sqlite3_stmt **ret, struct err *err, const char *types, ...);
/* *ret_row: there is a row to read. The statement is reset when there is none left. */
int sql_step(struct conn *c, struct sqlite3_stmt *stmt, bool *ret_row, struct err *err);
/* For a statement left before its last row. */
void sql_reset(struct sqlite3_stmt *stmt);
/* A statement of its own, run to its end: for what is done once in the life of a database. */
int sql_adhoc(struct conn *c, const char *text, struct err *err, const char *types, ...);
/* As sql_adhoc; the first column of the first row into *ret, 0 when there is none. */
int sql_adhoc_int(struct conn *c, const char *text, int64_t *ret, struct err *err, const char *types, ...);
/* Start and run to the end. */
int sql_run(struct conn *c, enum sql which, struct err *err, const char *types, ...);
/* As sql_run; the first column of the first row into *ret; `absent` when there is no row. */
int sql_int(struct conn *c, enum sql which, int64_t *ret, int64_t absent, struct err *err, const char *types, ...);
/* Copies a text column ("" for NULL). */
void sql_text(struct sqlite3_stmt *stmt, int column, char *text, size_t size);
char *sql_text_dup(struct sqlite3_stmt *stmt, int column); /* NULL for NULL */

/* ERR_CONFLICT for one that is newer than this build; ERR_CORRUPT if there are no tables and the database may not be new. */
int schema_version(struct conn *c, bool may_be_new, int *ret, struct err *err);
/* Brings the tables of the database at `path` from that version to this build's; beside it, first, a copy of what it was. */
int schema_migrate(struct conn *c, const char *path, int version, struct err *err);

/* SQLite's quick_check, then its integrity_check, for STORE_CHECK_MS at most. ERR_CORRUPT with the first finding.
 * The database has its tables. */
int sql_check(struct conn *c, struct err *err);

struct txn;

/* Something to write: a report (on the heap, nobody waits) or a call (on its caller's stack). */
struct op {
	struct op *next;
	/* Checks, then writes; a refusal (conflict, full queue) leaves nothing behind. */
	int (*apply)(struct txn *t, struct op *op, struct err *err);
	void (*release)(struct op *op); /* reports: frees it */
	bool waits, done;               /* calls */
	struct err err;
	pthread_cond_t answered;
};

/* Newest point of a series since the last metrics event. */
struct newest {
	char series[JOB_WORD];
	int64_t step;
	double epoch, value;
};
enum { NEWEST_MAX = 32 + LATENT_DIM_MAX };
/* What the writer remembers of a job that reports points: when its last metrics event was, what came since. */
struct live {
	struct live *next;
	char job_id[JOB_ID_SIZE];
	int64_t last_event_ms; /* monotonic */
	bool written;          /* by the transaction that is open */
	int n;
	struct newest newest[NEWEST_MAX];
};

/* Some points in a row of a series, as one: how many, the last one's place, their sum, least and greatest (blocks.h). */
struct bundle {
	int64_t n, step, time_ms;
	double epoch, sum, min, max;
};
enum { BLOCK_LEVELS = 5 };
/* Of each level the block that is not whole yet. */
struct tail {
	struct bundle level[BLOCK_LEVELS];
};

/* Points of one series that the open transaction will write as one row. */
struct pending {
	struct pending *next;
	char job_id[JOB_ID_SIZE], series[JOB_WORD];
	int64_t job, series_id, last_step;
	double last_value;
	struct tail tail;
	struct buf data;
};

/* A job to tell the listener about after COMMIT. */
struct touched {
	char job_id[JOB_ID_SIZE];
	int64_t last_seq;
	enum job_status status;
};

struct lost {
	int64_t number;
	char id[JOB_ID_SIZE];
};

struct txn {
	struct store *store;
	struct conn *conn;
	int64_t now_ms; /* wall */
	struct pending *pending;
	struct touched *touched; /* malloc'd */
	int ntouched, touched_cap;
	struct buf journal; /* lines to append once it is committed */
	struct lost *lost; /* malloc'd: jobs that ended without success, whose dependants are still to fail; the last one first */
	int nlost, lost_cap;
};

struct reader {
	struct conn conn;
	bool open, busy;
};
enum { STORE_READERS = 4 };

struct store {
	char path[4200]; /* of the database */
	int lock_fd;     /* data_dir/lock */
	struct conn writer;
	struct live *live;
	store_notify_fn *notify;
	void *notify_ctx;

	pthread_mutex_t lock;
	pthread_cond_t work; /* monotonic: something was queued */
	struct op *first, **last;
	int64_t due_ms; /* when the reports that wait must be committed (monotonic); 0: none wait */
	int calls;      /* callers in the queue */
	bool stop, started, sound;
	int queue_limit;
	int64_t memory_limit; /* for all that run; 0: none */
	pthread_t thread;

	char journal_path[4200]; /* the writer's, as its connection */
	int journal_fd;          /* -1: not open */
	int64_t journal_bytes, journal_limit;

	pthread_cond_t reader_free;
	struct reader reader[STORE_READERS];
};

/* store.c: the lock of a data directory; held until *ret_fd is closed. ERR_IN_USE names who holds it. */
int store_lock(const char *data_dir, int *ret_fd, struct err *err);

/* write.c */
int writer_start(struct store *s, struct err *err);
void writer_stop(struct store *s);
/* Queues op and waits until it is committed or refused. */
int store_call(struct store *s, struct op *op, struct err *err);
void store_report(struct store *s, struct op *op);
/* Zeroed memory for one, and a copy of a text in it: never NULL. */
void *report_new(size_t size);
char *report_text(const char *text);

/* apply.c */
int event_append(struct txn *t, int64_t job, enum event_type type, const char *once, const char *body, struct err *err);
/* A new row that waits, with its first event and line in the journal; nothing is done where there is no room. */
int job_insert(struct txn *t, const struct job *job, int64_t *ret_number, struct err *err);
/* One change of state with its events; the UPDATE repeats `from`. */
int job_move(struct txn *t, const char *job_id, enum job_status from, enum job_status to, const struct store_change *change,
	struct err *err);
/* queue.c: what a killed daemon left: each job moves as the rows of the restart say; no worker has any; files that were being written go. */
struct recovery_op {
	struct op op;
	const char *data_dir;
};
int apply_recovery(struct txn *t, struct op *op, struct err *err);

/* ERR_NOT_FOUND when there is none. */
int job_number(struct conn *c, const char *job_id, int64_t *ret, struct err *err);
/* The same for a report of a worker's; 0: it is no longer this worker's job, and what it says is dropped. */
int job_reporter(struct conn *c, const char *job_id, int64_t *ret, struct err *err);

/* key.c: in the transaction that makes a job. key->replayed: there is one already, make none. NULL keys: nothing. */
int key_check(struct txn *t, struct store_key *key, struct err *err);
int key_put(struct txn *t, struct store_key *key, const char *job_id, struct err *err);

/* depends.c: ids is a JSON array or NULL. check: none is unknown or lost; then insert, which counts those that have not
 * succeeded. */
int depends_check(struct txn *t, const char *ids, struct err *err);
int depends_insert(struct txn *t, int64_t job, const char *ids, struct err *err);
/* A job that has ended is to go on: ERR_CONFLICT if what it needs is lost. */
int depends_recheck(struct txn *t, const char *job_id, struct err *err);
/* A job has ended: those that wait for it wait for one less, or are lost. */
int depends_ended(struct txn *t, int64_t job, const char *job_id, bool succeeded, struct err *err);
/* One of those that are lost and have not been moved yet, and why; *ret_any: there is one. */
int depends_next_lost(struct txn *t, char ret_id[JOB_ID_SIZE], enum job_status *ret_status, char *ret_why, size_t size,
	bool *ret_any, struct err *err);

/* edit.c: a job ends: what was changed of its parameters and has not taken effect never was. */
int edits_end(struct txn *t, int64_t job, struct err *err);

/* points.c: pending points become rows, and metrics events where one is due. */
int points_flush(struct txn *t, struct err *err);
/* Blocks for the next series after op->series that has points and none; op->series 0 then: there is none. */
struct blocks_op {
	struct op op;
	int64_t series;
};
int apply_blocks(struct txn *t, struct op *op, struct err *err);
/* A metrics event of the worker's (an epoch's end): body, before it the newest points that the ration still held back. */
int points_tell(struct txn *t, const char *job_id, int64_t job, const char *once, const char *body, struct err *err);
/* The job ends: what the ration of metrics events still held back must not follow its end (the curve has it). */
void points_end(struct txn *t, const char *job_id);
/* Of a row's data: bytes of the points up to that step; the last of them, if there are any. */
size_t points_cut(const void *data, size_t bytes, int64_t to_step, int64_t *ret_step, double *ret_value);
/* branch.c: a fork's row takes over what of its parent's is known up to fork->fork_step: its points, what was best. */
int points_branch(struct txn *t, int64_t job, int64_t parent, const struct job *fork, struct err *err);
void points_forget(struct txn *t);                 /* after COMMIT or ROLLBACK */
void live_settle(struct store *s, bool committed); /* likewise */
void live_free(struct store *s);

/* journal.c: the file that journal_path names. is_known: what it holds is of this database. */
int journal_open(struct store *s, bool is_known, struct err *err);
void journal_append(struct store *s, const struct buf *lines);
void journal_close(struct store *s);

/* read.c: the columns alone */
void job_read_row(struct sqlite3_stmt *stmt, struct job *ret);
int job_read(struct conn *c, struct sqlite3_stmt *stmt, struct job *ret, struct err *err);
/* By id, complete. */
int job_load(struct conn *c, const char *id, struct job *ret, struct err *err);

/* store.c: a read-only connection inside a transaction of its own: one snapshot. */
int reader_get(struct store *s, struct conn **ret, struct err *err);
void reader_put(struct store *s, struct conn *c);

#endif
