#include "server/once.h"

#include "api/view.h"

#include <stdlib.h>
#include <string.h>

/* The request: where to, and what. */
static void digest(struct call *c, char hex[SHA256_HEX])
{
	uint8_t bytes[SHA256_BYTES];
	struct sha256 h;
	const char *method = method_name(c->req.method);
	sha256_init(&h);
	sha256_update(&h, method, strlen(method) + 1);
	for (int i = 0; i < c->req.uri.nsegments; i++)
		sha256_update(&h, c->req.uri.segment[i], strlen(c->req.uri.segment[i]) + 1);
	sha256_update(&h, c->req.body.data, c->req.body.len);
	sha256_digest(&h, bytes);
	sha256_hex(bytes, hex);
}

static int check_key(const char *key, struct err *err)
{
	size_t n = strlen(key);
	bool printable = true;
	for (size_t i = 0; i < n; i++)
		printable = printable && key[i] > ' ' && key[i] < 0x7f;
	if (printable && n >= 1 && n <= STORE_KEY_MAX)
		return OK;
	return err_set(err, ERR_INVALID,
		"Idempotency-Key must be 1 to %d printable ASCII characters without blanks; a UUID is a good one",
		STORE_KEY_MAX);
}

static void write_job(struct call *c, struct buf *b, struct job *job)
{
	struct jsonw w;
	jw_init(&w, b, c->req.pretty);
	view_job(&w, job, c->daemon->config->path_prefix);
	jw_end_document(&w);
}

static char *print(void *ctx, struct job *job)
{
	struct buf text = BUF_INIT;
	write_job(ctx, &text, job);
	return buf_take(&text, NULL);
}

static void answer(struct call *c, int status, const char *job_id)
{
	c->resp.status = status;
	c->resp.type = format_type(FORMAT_JSON);
	call_header(c, "Location", "%s/v1/jobs/%s", c->daemon->config->path_prefix, job_id);
}

/* What is stored is sent, the first time and ever after. */
static int answer_stored(struct once *o, struct err *err)
{
	answer(o->call, o->key.status, o->key.job_id);
	if (o->key.replayed)
		call_header(o->call, "Idempotent-Replayed", "true");
	buf_str(&o->call->resp.body, o->key.reply);
	return o->call->resp.body.failed ? err_set(err, ERR_NO_MEMORY, "out of memory") : OK;
}

int once_open(struct once *o, struct call *c, bool *ret_answered, struct err *err)
{
	const char *key = c->req.idempotency_key;
	*o = (struct once){.call = c, .key = {.key = key, .digest = o->digest, .status = 201, .print = print, .ctx = c}};
	*ret_answered = false;
	if (!key)
		return OK;
	int code = check_key(key, err);
	if (code)
		return code;
	digest(c, o->digest);
	code = store_key_find(c->daemon->store, &o->key, err);
	if (code)
		return code == ERR_NOT_FOUND ? OK : code;
	*ret_answered = true;
	code = answer_stored(o, err);
	once_close(o);
	return code;
}

struct store_key *once_key(struct once *o)
{
	return o->key.key ? &o->key : NULL;
}

int once_reply(struct once *o, struct job *job, struct err *err)
{
	struct call *c = o->call;
	int code = OK;
	if (o->key.key) {
		code = answer_stored(o, err);
	} else {
		answer(c, 201, job->id);
		write_job(c, &c->resp.body, job);
		if (c->resp.body.failed)
			code = err_set(err, ERR_NO_MEMORY, "out of memory");
	}
	job_free(job);
	return code;
}

void once_close(struct once *o)
{
	free(o->key.reply);
	o->key.reply = NULL;
}
