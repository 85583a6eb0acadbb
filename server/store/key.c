#include "server/store/internal.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXPIRE_AT_ONCE = 16 }; /* more than come with one insertion, so that the table shrinks again */

static int out_of_memory(struct err *err)
{
	return err_set(err, ERR_NO_MEMORY, "out of memory");
}

/* *ret_known: there is such a key, and it was for this request. */
static int find(struct conn *c, struct store_key *key, bool *ret_known, struct err *err)
{
	struct sqlite3_stmt *q;
	char digest[72];
	int code = sql_start(c, SQL_KEY_FIND, &q, err, "s", key->key);
	if (!code)
		code = sql_step(c, q, ret_known, err);
	if (code || !*ret_known)
		return code;
	sql_text(q, 0, digest, sizeof digest);
	if (strcmp(digest, key->digest)) {
		code = err_set(err, ERR_KEY_REUSED,
			"this Idempotency-Key was sent with another request before; a new request needs a new key");
	} else {
		sql_text(q, 1, key->job_id, sizeof key->job_id);
		key->status = sqlite3_column_int(q, 2);
		key->reply = sql_text_dup(q, 3);
		code = key->reply ? OK : out_of_memory(err);
	}
	sql_reset(q);
	return code;
}

int store_key_find(struct store *s, struct store_key *key, struct err *err)
{
	struct conn *c;
	bool known = false;
	int code = reader_get(s, &c, err);
	if (code)
		return code;
	code = find(c, key, &known, err);
	reader_put(s, c);
	key->replayed = !code && known;
	return code || known ? code : ERR_NOT_FOUND;
}

int key_check(struct txn *t, struct store_key *key, struct err *err)
{
	const int64_t oldest_ms = t->now_ms - INT64_C(3600000) * STORE_KEY_HOURS;
	bool known = false;
	if (!key)
		return OK;
	int code = sql_run(t->conn, SQL_KEYS_EXPIRE, err, "ii", oldest_ms, (int64_t)EXPIRE_AT_ONCE);
	if (!code)
		code = find(t->conn, key, &known, err);
	key->replayed = !code && known;
	return code;
}

int key_put(struct txn *t, struct store_key *key, const char *job_id, struct err *err)
{
	struct job job;
	if (!key)
		return OK;
	int code = job_load(t->conn, job_id, &job, err);
	if (code)
		return code;
	snprintf(key->job_id, sizeof key->job_id, "%s", job_id);
	key->reply = key->print(key->ctx, &job);
	job_free(&job);
	if (!key->reply)
		return out_of_memory(err);
	return sql_run(t->conn, SQL_KEY_PUT, err, "ssisis", key->key, key->digest, t->now_ms, key->job_id,
		(int64_t)key->status, key->reply);
}
