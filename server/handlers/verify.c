/* verify.c: some of a job's steps taken again, and whether they come out as they did. */
#include "server/handlers/handlers.h"

#include "api/spec.h"
#include "server/verify.h"

#include <string.h>

/* Of the four lanes so many may be at it: the others go on serving. */
enum { VERIFYING_MAX = 1 };

struct wanted {
	char which[SPEC_CHECKPOINT_SIZE];
	int64_t steps;
};

static int parse(struct call *c, struct wanted *ret, struct err *err)
{
	static const char *const fields[] = {"checkpoint", "steps", NULL};
	struct json *body;
	struct spec s = {0};
	int code = call_body_json(c, &body, err);
	if (code)
		return code;
	*ret = (struct wanted){0};
	code = json_only(body, fields, "#", err, &c->more);
	if (!code && json_get(body, "checkpoint")) {
		code = spec_take_checkpoint(&s, body, "#/checkpoint", err);
		memcpy(ret->which, s.from_checkpoint, sizeof ret->which);
	}
	if (!code)
		code = json_take_int(body, "steps", "#/steps", 1, VERIFY_STEPS_MAX, &ret->steps, err);
	json_free(body);
	return code;
}

static void write_value(struct jsonw *w, const char *key, double value)
{
	jw_key(w, key);
	jw_number(w, value);
}

static void write_difference(struct jsonw *w, const struct verification *v)
{
	jw_key(w, "difference");
	if (v->what == VERIFY_SAME) {
		jw_null(w);
		return;
	}
	jw_object(w);
	jw_kstring(w, "what", verify_what_name(v->what));
	jw_kint(w, "step", v->step);
	if (*v->name)
		jw_kstring(w, v->what == VERIFY_TENSOR ? "tensor" : "series", v->name);
	if (v->index >= 0)
		jw_kint(w, "index", v->index);
	if (v->index >= 0 || v->what == VERIFY_POINT) {
		write_value(w, "expected", v->expected);
		write_value(w, "got", v->got);
	}
	if (*v->detail)
		jw_kstring(w, "detail", v->detail);
	jw_end_object(w);
}

static int reply(struct call *c, const struct verification *v, struct err *err)
{
	struct jsonw w;
	call_json(c, &w, 200);
	jw_object(&w);
	jw_kstring(&w, "object", "verification");
	jw_kstring(&w, "job", v->job_id);
	jw_key(&w, "verified");
	jw_bool(&w, v->what == VERIFY_SAME);
	jw_kint(&w, "checkpoint", v->epoch);
	jw_kint(&w, "from_step", v->from_step);
	jw_kint(&w, "to_step", v->to_step);
	jw_kint(&w, "steps", v->to_step - v->from_step);
	jw_kint(&w, "checkpoints", v->checkpoints);
	jw_kint(&w, "tensors", v->tensors);
	jw_kint(&w, "points", v->points);
	jw_kstring(&w, "sha256", *v->sha256 ? v->sha256 : NULL);
	write_difference(&w, v);
	jw_end_object(&w);
	return call_json_end(c, &w, err);
}

/* What the jobs that run leave of the limit for all; 1 where that is nothing. */
static int find_memory(struct call *c, size_t *ret, struct err *err)
{
	struct store_queue q;
	int code = store_queue(c->daemon->store, &q, err);
	if (!code)
		*ret = !q.memory_limit ? 0 : q.memory_held < q.memory_limit ? (size_t)(q.memory_limit - q.memory_held) : 1;
	return code;
}

static int verify_it(struct call *c, struct err *err)
{
	struct daemon *d = c->daemon;
	struct verify_config config = {.store = d->store,
		.cache = d->cache,
		.data_dir = d->config->data_dir,
		.pool = d->pool,
		.kern = d->kern,
		.evaluator = d->evaluator,
		.stop = &d->draining};
	struct wanted wanted;
	struct verification v;
	int code = parse(c, &wanted, err);
	if (!code)
		code = find_memory(c, &config.memory_bytes, err);
	if (!code)
		code = verify(&v, &config, c->arg[0], wanted.which, wanted.steps, err);
	return code ? code : reply(c, &v, err);
}

int h_job_verify(struct call *c, struct err *err)
{
	atomic_int *verifying = &c->daemon->verifying;
	int code = atomic_fetch_add(verifying, 1) < VERIFYING_MAX
				   ? verify_it(c, err)
				   : err_set(err, ERR_UNAVAILABLE, "another job is being verified; ask again in a few seconds");
	atomic_fetch_sub(verifying, 1);
	return code;
}
