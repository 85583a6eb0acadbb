#include "server/store/internal.h"

#include "server/log.h"
#include "server/store/copy.h"

#include <sqlite3.h>
#include <stdio.h>

/* Each row brings the tables from version i to i + 1. Rows are never changed once released: append. */
/* clang-format off */
static const char *const migrations[] = {
	"CREATE TABLE jobs("
	" number INTEGER PRIMARY KEY AUTOINCREMENT,"
	" id TEXT NOT NULL UNIQUE,"
	" kind TEXT NOT NULL, preset TEXT NOT NULL, dataset TEXT NOT NULL, dataset_sha256 TEXT NOT NULL DEFAULT '',"
	" name TEXT NOT NULL DEFAULT '',"
	" status TEXT NOT NULL, stop_reason TEXT NOT NULL DEFAULT '',"
	" created_at_ms INTEGER NOT NULL, started_at_ms INTEGER NOT NULL DEFAULT 0, finished_at_ms INTEGER NOT NULL DEFAULT 0,"
	" priority INTEGER NOT NULL, seed INTEGER NOT NULL, attempt INTEGER NOT NULL DEFAULT 0,"
	" epoch INTEGER NOT NULL DEFAULT 0, epochs INTEGER NOT NULL DEFAULT 0,"
	" step INTEGER NOT NULL DEFAULT 0, steps INTEGER NOT NULL DEFAULT 0,"
	" eta_ms REAL, samples_per_s REAL, train_s REAL,"
	" best_metric TEXT NOT NULL DEFAULT '', best_value REAL, best_epoch INTEGER NOT NULL DEFAULT 0,"
	" test_loss REAL,"
	" error_code TEXT NOT NULL DEFAULT '', error_detail TEXT NOT NULL DEFAULT '',"
	" params TEXT, metadata TEXT, warnings TEXT,"
	" last_seq INTEGER NOT NULL DEFAULT 0) STRICT;"
	"CREATE INDEX jobs_queue ON jobs(priority DESC, number) WHERE status='queued';"
	"CREATE INDEX jobs_name ON jobs(name, number) WHERE name<>'';"
	"CREATE INDEX jobs_status ON jobs(status);"
	/* what happened to a job, in order; `once`: at most one of that type and text */
	"CREATE TABLE events("
	" job INTEGER NOT NULL REFERENCES jobs(number) ON DELETE CASCADE, seq INTEGER NOT NULL,"
	" type TEXT NOT NULL, at_ms INTEGER NOT NULL, once TEXT, body TEXT NOT NULL,"
	" PRIMARY KEY(job, seq)) STRICT, WITHOUT ROWID;"
	"CREATE UNIQUE INDEX events_once ON events(job, type, once) WHERE once IS NOT NULL;"
	"CREATE TABLE series("
	" id INTEGER PRIMARY KEY, job INTEGER NOT NULL REFERENCES jobs(number) ON DELETE CASCADE,"
	" name TEXT NOT NULL, last_step INTEGER, last_value REAL, UNIQUE(job, name)) STRICT;"
	/* one row per commit and series; `data`: the records of points.c */
	"CREATE TABLE points("
	" id INTEGER PRIMARY KEY, series INTEGER NOT NULL REFERENCES series(id) ON DELETE CASCADE,"
	" last_step INTEGER NOT NULL, data BLOB NOT NULL) STRICT;"
	"CREATE INDEX points_series ON points(series, last_step);",
	/* what the served weights are worth, whatever the kind tells; what a run goes on from */
	"ALTER TABLE jobs ADD COLUMN test TEXT;"
	"UPDATE jobs SET test=printf('{\"loss\":%.9g}',test_loss) WHERE test_loss IS NOT NULL;"
	"ALTER TABLE jobs DROP COLUMN test_loss;"
	"ALTER TABLE jobs ADD COLUMN generalisation_gap TEXT;"
	"ALTER TABLE jobs ADD COLUMN from_job TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE jobs ADD COLUMN from_epoch INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE jobs ADD COLUMN ancestors_train_s REAL NOT NULL DEFAULT 0;"
	/* larger results of a job, by name (confusion), as JSON */
	"CREATE TABLE results("
	" job INTEGER NOT NULL REFERENCES jobs(number) ON DELETE CASCADE, name TEXT NOT NULL, body TEXT NOT NULL,"
	" PRIMARY KEY(job, name)) STRICT, WITHOUT ROWID;",
	/* parameters changed while the job waited or ran, in order: after how many steps, NULL until that is known; what all were
	 * `before`. `params` of the job is what they come to, `params_first` what it was submitted with, where there are any. */
	"CREATE TABLE edits("
	" job INTEGER NOT NULL REFERENCES jobs(number) ON DELETE CASCADE, number INTEGER NOT NULL,"
	" step INTEGER, params TEXT NOT NULL, before TEXT NOT NULL, PRIMARY KEY(job, number)) STRICT, WITHOUT ROWID;"
	"ALTER TABLE jobs ADD COLUMN params_first TEXT;",
	/* requests that made a job, by the client's key: what they were (sha256), and the first reply. They outlive the job. */
	"CREATE TABLE keys("
	" key TEXT PRIMARY KEY, digest TEXT NOT NULL, at_ms INTEGER NOT NULL, job_id TEXT NOT NULL, status INTEGER NOT NULL,"
	" reply TEXT NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE INDEX keys_age ON keys(at_ms);",
	/* what must have succeeded before a job may run; `done`: it has, and may be deleted since. `blocked`: how many have not. */
	"CREATE TABLE depends("
	" job INTEGER NOT NULL REFERENCES jobs(number) ON DELETE CASCADE, on_job INTEGER NOT NULL, done INTEGER NOT NULL,"
	" PRIMARY KEY(job, on_job)) STRICT, WITHOUT ROWID;"
	"CREATE INDEX depends_on_job ON depends(on_job);"
	"ALTER TABLE jobs ADD COLUMN depends_on TEXT;"
	"ALTER TABLE jobs ADD COLUMN blocked INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX jobs_ready ON jobs(priority DESC, number) WHERE status='queued' AND blocked=0;"
	"CREATE INDEX jobs_from ON jobs(from_job) WHERE from_job<>'';"
	/* jobs whose rows are gone and whose files may not be yet */
	"CREATE TABLE tombstones(id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;",
	/* what a worker is asked; whether one has the job, whatever its status says; its limits; when it may be tried again, on the
	 * monotonic clock of this start */
	"ALTER TABLE jobs ADD COLUMN wish TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE jobs ADD COLUMN held INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE jobs ADD COLUMN time_limit_s INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE jobs ADD COLUMN max_retries INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE jobs ADD COLUMN retries INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE jobs ADD COLUMN not_before_ms INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX jobs_later ON jobs(not_before_ms) WHERE status='queued' AND not_before_ms>0;"
	/* of the daemon, kept over restarts: queue = paused */
	"CREATE TABLE settings(name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;",
	/* a fork: the steps it took over with the state of from_job */
	"ALTER TABLE jobs ADD COLUMN fork_step INTEGER NOT NULL DEFAULT 0;",
	/* What would else be counted again and again is kept counted, by triggers, so that it is right whoever writes: jobs by kind and
	 * status; those that wait, by priority, and of one priority by 256 numbers: a place in the queue is the sum of three short
	 * ranges however long it is. Lists merge one range of an index for each kind and status (list.c). */
	"CREATE TABLE tally(kind TEXT NOT NULL, status TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY(kind, status)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE queue_priorities(priority INTEGER PRIMARY KEY, n INTEGER NOT NULL) STRICT;"
	"CREATE TABLE queue_buckets("
	" priority INTEGER NOT NULL, bucket INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY(priority, bucket)) STRICT, WITHOUT ROWID;"
	"INSERT INTO tally SELECT kind,status,count(*) FROM jobs GROUP BY kind,status;"
	"INSERT INTO queue_priorities SELECT priority,count(*) FROM jobs WHERE status='queued' GROUP BY 1;"
	"INSERT INTO queue_buckets SELECT priority,number>>8,count(*) FROM jobs WHERE status='queued' GROUP BY 1,2;"
	"CREATE TRIGGER tally_in AFTER INSERT ON jobs BEGIN"
	" INSERT INTO tally VALUES(new.kind,new.status,1) ON CONFLICT(kind,status) DO UPDATE SET n=n+1; END;"
	"CREATE TRIGGER tally_out AFTER DELETE ON jobs BEGIN"
	" UPDATE tally SET n=n-1 WHERE kind=old.kind AND status=old.status; END;"
	"CREATE TRIGGER tally_move AFTER UPDATE OF status ON jobs WHEN new.status<>old.status BEGIN"
	" UPDATE tally SET n=n-1 WHERE kind=old.kind AND status=old.status;"
	" INSERT INTO tally VALUES(new.kind,new.status,1) ON CONFLICT(kind,status) DO UPDATE SET n=n+1; END;"
#define QUEUE_IN \
	" INSERT INTO queue_priorities VALUES(new.priority,1) ON CONFLICT(priority) DO UPDATE SET n=n+1;" \
	" INSERT INTO queue_buckets VALUES(new.priority,new.number>>8,1) ON CONFLICT(priority,bucket) DO UPDATE SET n=n+1; END;"
#define QUEUE_OUT \
	" UPDATE queue_priorities SET n=n-1 WHERE priority=old.priority;" \
	" DELETE FROM queue_priorities WHERE priority=old.priority AND n=0;" \
	" UPDATE queue_buckets SET n=n-1 WHERE priority=old.priority AND bucket=old.number>>8;" \
	" DELETE FROM queue_buckets WHERE priority=old.priority AND bucket=old.number>>8 AND n=0; END;"
	"CREATE TRIGGER queue_in AFTER INSERT ON jobs WHEN new.status='queued' BEGIN" QUEUE_IN
	"CREATE TRIGGER queue_out AFTER DELETE ON jobs WHEN old.status='queued' BEGIN" QUEUE_OUT
	"CREATE TRIGGER queue_leave AFTER UPDATE OF status,priority ON jobs"
	" WHEN old.status='queued' AND (new.status<>'queued' OR new.priority<>old.priority) BEGIN" QUEUE_OUT
	"CREATE TRIGGER queue_enter AFTER UPDATE OF status,priority ON jobs"
	" WHEN new.status='queued' AND (old.status<>'queued' OR new.priority<>old.priority) BEGIN" QUEUE_IN
	"CREATE INDEX jobs_held ON jobs(number) WHERE held OR not_before_ms;"
	"CREATE INDEX jobs_kind ON jobs(kind, status);"
	"CREATE INDEX jobs_named ON jobs(name, kind, status);"
	"CREATE INDEX jobs_dataset ON jobs(dataset, kind, status);",
	/* a long curve, thinned: of each 16, 64, … points in a row one record (blocks.c); `tail`: of those that make no whole one
	 * yet, NULL while that is to be worked out from the points */
	"CREATE TABLE blocks("
	" series INTEGER NOT NULL REFERENCES series(id) ON DELETE CASCADE, level INTEGER NOT NULL, last_step INTEGER NOT NULL,"
	" data BLOB NOT NULL, PRIMARY KEY(series, level, last_step)) STRICT, WITHOUT ROWID;"
	"ALTER TABLE series ADD COLUMN tail BLOB;",
	/* how often the daemon crashed while it worked for a job; the last crash that was counted */
	("ALTER TABLE jobs ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0;"
	 "ALTER TABLE jobs ADD COLUMN crash_mark TEXT NOT NULL DEFAULT '';"),
	/* what a job's trainer takes, measured when it was submitted: what may run beside what */
	"ALTER TABLE jobs ADD COLUMN memory_bytes INTEGER NOT NULL DEFAULT 0;",
	/* studies: `conducts`: no worker takes the job, it submits others; whose child a job is, and as what (JSON). A study's trials, what
	 * follows them and what is trained again: `phase` is that of core/lab/trials.h; `job`: the id, NULL where there is none (any more);
	 * `held`: the study itself has paused or cancelled it. */
	("ALTER TABLE jobs ADD COLUMN conducts INTEGER NOT NULL DEFAULT 0;"
	 "ALTER TABLE jobs ADD COLUMN study TEXT NOT NULL DEFAULT '';"
	 "ALTER TABLE jobs ADD COLUMN trial TEXT;"
	 "DROP INDEX jobs_ready;"
	 "CREATE INDEX jobs_ready ON jobs(priority DESC, number) WHERE status='queued' AND blocked=0 AND conducts=0;"
	 "CREATE INDEX jobs_conducting ON jobs(number) WHERE conducts AND status NOT IN ('succeeded','failed','cancelled');"
	 "CREATE INDEX jobs_study ON jobs(study, number);"
	 "CREATE TABLE trials("
	 " study INTEGER NOT NULL REFERENCES jobs(number) ON DELETE CASCADE, phase INTEGER NOT NULL, number INTEGER NOT NULL,"
	 " of INTEGER NOT NULL, seed INTEGER NOT NULL, job TEXT, state TEXT NOT NULL, value REAL, intermediate REAL,"
	 " last_step INTEGER NOT NULL DEFAULT 0, reason TEXT NOT NULL DEFAULT '', x TEXT NOT NULL, held INTEGER NOT NULL DEFAULT 0,"
	 " PRIMARY KEY(study, phase, number)) STRICT, WITHOUT ROWID;"
	 "CREATE INDEX trials_job ON trials(job) WHERE job IS NOT NULL;"
	 "CREATE INDEX trials_open ON trials(study) WHERE state='running';"),
};
/* clang-format on */
enum { VERSION = sizeof migrations / sizeof *migrations };

static int version_of(struct conn *c, int *ret, struct err *err)
{
	sqlite3_stmt *stmt;
	if (sqlite3_prepare_v2(c->db, "PRAGMA user_version", -1, &stmt, NULL) != SQLITE_OK)
		return sql_error(c, err, "reading the version");
	int code = sqlite3_step(stmt) == SQLITE_ROW ? OK : sql_error(c, err, "reading the version");
	if (!code)
		*ret = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	return code;
}

static int apply_rows(struct conn *c, int from, struct err *err)
{
	char version[64];
	snprintf(version, sizeof version, "PRAGMA user_version=%d", VERSION);
	int code = OK;
	for (int v = from; v < VERSION && !code; v++)
		code = sql_script(c, migrations[v], err);
	return code ? code : sql_script(c, version, err);
}

/* All of them in one transaction: a kill leaves the old version or this one. */
static int migrate(struct conn *c, int from, struct err *err)
{
	int code = sql_script(c, "BEGIN IMMEDIATE", err);
	if (!code)
		code = apply_rows(c, from, err);
	if (!code)
		code = sql_script(c, "COMMIT", err);
	if (code)
		sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
	return code;
}

static int keep_copy(struct conn *c, const char *path, int version, struct err *err)
{
	char copy[4300];
	snprintf(copy, sizeof copy, "%s.v%d", path, version);
	int code = db_copy(c->db, copy, err);
	if (!code)
		log_info("the database is brought up", "from=%d to=%d copy=%s", version, VERSION, log_quote(copy));
	return code ? err_wrap(err, "keeping a copy before the database is brought up"), code : OK;
}

int schema_version(struct conn *c, bool may_be_new, int *ret, struct err *err)
{
	int version = 0;
	int code = version_of(c, &version, err);
	if (code)
		return code;
	if (version < 0 || version > VERSION)
		return err_set(err, ERR_CONFLICT, "the database has version %d, this latentd knows %d: use a newer latentd",
			version, VERSION);
	if (version == 0 && !may_be_new)
		return err_set(
			err, ERR_CORRUPT, "latentd.db is missing or empty, but the folder jobs beside it holds runs: put the database back");
	*ret = version;
	return OK;
}

int schema_migrate(struct conn *c, const char *path, int version, struct err *err)
{
	if (version == VERSION)
		return OK;
	int code = version ? keep_copy(c, path, version, err) : OK;
	return code ? code : migrate(c, version, err);
}
