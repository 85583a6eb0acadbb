/* once.h: a POST that makes a job, made safe to repeat: `Idempotency-Key`.
 *
 * Why: a client that never saw the reply cannot know whether its job was taken; with a key it may ask again as often as it likes.
 * Use: once_open first of all; what it answered is answered. Then the job is made with once_key, and once_reply answers.
 * Invariants: a repetition has the first reply byte for byte, whatever has become of the job; the same key with another request
 * is refused. The key is stored in the job's own transaction (store/key.c).
 */
#ifndef LATENTD_SERVER_ONCE_H
#define LATENTD_SERVER_ONCE_H

#include "core/data/sha256.h"
#include "server/call.h"

struct once {
	struct call *call;
	struct store_key key;
	char digest[SHA256_HEX];
};

/* ERR_INVALID for what is no key, ERR_KEY_REUSED. *ret_answered: it was a repetition, and the call has its reply. */
int once_open(struct once *o, struct call *c, bool *ret_answered, struct err *err);
/* For store_insert_once; NULL: the request bears no key. */
struct store_key *once_key(struct once *o);
/* 201 with the job and its address. Takes the job. */
int once_reply(struct once *o, struct job *job, struct err *err);
void once_close(struct once *o);

#endif
