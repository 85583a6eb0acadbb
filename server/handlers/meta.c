#include "server/handlers/handlers.h"

#include "server/clock.h"
#include "server/limits.h"
#include "server/metrics.h"
#include "server/version.h"

#include <stdlib.h>

static int reply_text(struct call *c, int status, const char *text, struct err *err)
{
	c->resp.status = status;
	c->resp.type = format_type(FORMAT_TEXT);
	buf_str(&c->resp.body, text);
	return c->resp.body.failed ? err_set(err, ERR_NO_MEMORY, "out of memory") : OK;
}

int h_livez(struct call *c, struct err *err)
{
	return reply_text(c, 200, "ok\n", err);
}

static bool store_answers(struct daemon *d)
{
	struct job *jobs = NULL;
	int n = 0;
	bool more;
	if (store_list(d->store, &(struct store_filter){.limit = 1}, &jobs, &n, &more, NULL))
		return false;
	for (int i = 0; i < n; i++)
		job_free(&jobs[i]);
	free(jobs);
	return true;
}

static bool takes_work(struct daemon *d)
{
	return !atomic_load(&d->draining);
}

static const struct {
	const char *name;
	bool (*passes)(struct daemon *d);
} checks[] = {{"store", store_answers}, {"takes-work", takes_work}};

int h_readyz(struct call *c, struct err *err)
{
	bool verbose = false, ready = true;
	int code = uri_bool(&c->req.uri, "verbose", &verbose, err);
	if (code)
		return code;
	struct buf text = BUF_INIT;
	for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
		bool passes = checks[i].passes(c->daemon);
		ready = ready && passes;
		buf_printf(&text, "[%c]%s %s\n", passes ? '+' : '-', checks[i].name, passes ? "ok" : "failed");
	}
	if (!ready)
		call_header(c, "Retry-After", "5");
	if (verbose)
		code = reply_text(c, ready ? 200 : 503, text.failed ? "" : text.data, err);
	if (!code)
		code = reply_text(c, ready ? 200 : 503, ready ? verbose ? "readyz passed\n" : "ok\n" : "not ready\n", err);
	buf_free(&text);
	return code;
}

/* --- /metrics --- */

static void add_count(void *ctx, const char *kind, enum job_status status, int64_t n)
{
	buf_printf(ctx, "latentd_jobs{kind=\"%s\",status=\"%s\"} %lld\n", kind, job_status_name(status), (long long)n);
}

int h_metrics(struct call *c, struct err *err)
{
	struct buf *b = &c->resp.body;
	c->resp.status = 200;
	c->resp.type = "text/plain; version=0.0.4; charset=utf-8";
	buf_printf(b, "# HELP latentd_build_info Version of this daemon.\n# TYPE latentd_build_info gauge\n");
	buf_printf(b, "latentd_build_info{version=\"%s\",commit=\"%s\",level=\"%s\"} 1\n", latentd_version, latentd_commit,
		cpu_name(c->daemon->config->cpu));
	buf_str(b, "# HELP latentd_jobs Jobs, by kind and status.\n# TYPE latentd_jobs gauge\n");
	int code = store_counts(c->daemon->store, add_count, b, err);
	if (code)
		return code;
	metrics_print(b);
	return b->failed ? err_set(err, ERR_NO_MEMORY, "out of memory") : OK;
}

/* --- /v1/info --- */

static const struct {
	const char *name;
	int64_t value;
} limits[] = {
#define X(key, value) {key, value},
	LIMITS(X)
#undef X
};

int h_info(struct call *c, struct err *err)
{
	const struct config *config = c->daemon->config;
	struct jsonw w;
	call_json(c, &w, 200);
	jw_object(&w);
	jw_kstring(&w, "object", "info");
	jw_kstring(&w, "name", "latentd");
	jw_kstring(&w, "version", latentd_version);
	jw_kstring(&w, "commit", latentd_commit);
	jw_kint(&w, "uptime_s", (clock_ms() - c->daemon->started_ms) / 1000);
	jw_key(&w, "cpu");
	jw_object(&w);
	jw_kstring(&w, "model", cpu_model());
	jw_kstring(&w, "level", cpu_name(config->cpu));
	jw_kstring(&w, "best_level", cpu_name(cpu_best()));
	jw_end_object(&w);
	jw_kint(&w, "threads", config->threads);
	jw_kint(&w, "workers", config->workers);
	jw_kbool(&w, "token_required", *config->token_file);
	jw_kbool(&w, "draining", atomic_load(&c->daemon->draining));
	evaluator_write(&w, c->daemon->evaluator);
	jw_key(&w, "limits");
	jw_object(&w);
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
		jw_kint(&w, limits[i].name, limits[i].value);
	jw_end_object(&w);
	jw_end_object(&w);
	return call_json_end(c, &w, err);
}
