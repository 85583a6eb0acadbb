/* handlers/projection.c: the map of a job that lays points out, as it is now. */
#include "server/handlers/handlers.h"

#include "core/model/model.h"
#include "server/model_io.h"
#include "server/projection_file.h"
#include "server/projection_picture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char result[] = "projection";

/* x, y, z, c4, c5, … */
static void print_column(char name[16], size_t c)
{
	static const char *const first[] = {"x", "y", "z"};
	if (c < sizeof first / sizeof *first)
		snprintf(name, 16, "%s", first[c]);
	else
		snprintf(name, 16, "c%zu", c + 1);
}

static int reply_csv(struct call *c, const struct projection_map *m, struct err *err)
{
	struct buf *b = &c->resp.body;
	char name[16];
	c->resp.status = 200;
	c->resp.type = format_type(FORMAT_CSV);
	buf_str(b, "index");
	for (size_t k = 0; k < m->components; k++) {
		print_column(name, k);
		buf_printf(b, ",%s", name);
	}
	buf_str(b, ",label\n");
	for (size_t i = 0; i < m->n; i++) {
		buf_printf(b, "%lld", (long long)m->index[i]);
		for (size_t k = 0; k < m->components; k++)
			buf_printf(b, ",%.9g", m->y[i * m->components + k]);
		buf_printf(b, ",%d\n", m->label[i]);
	}
	return b->failed ? err_set(err, ERR_NO_MEMORY, "out of memory") : OK;
}

static int reply_npy(struct call *c, const struct projection_map *m, struct err *err)
{
	const size_t values = m->n * m->components;
	float *v = malloc(values * sizeof *v);
	if (!v)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < values; i++)
		v[i] = (float)m->y[i];
	int code = output_npy(c, v, (int64_t[]){(int64_t)m->n, (int64_t)m->components}, 2, err);
	free(v);
	return code;
}

static void write_columns(struct jsonw *w, const struct projection_map *m)
{
	char name[16];
	jw_key(w, "index");
	jw_array(w);
	for (size_t i = 0; i < m->n; i++)
		jw_int(w, m->index[i]);
	jw_end_array(w);
	for (size_t k = 0; k < m->components; k++) {
		print_column(name, k);
		jw_key(w, name);
		jw_array(w);
		for (size_t i = 0; i < m->n; i++)
			jw_real(w, m->y[i * m->components + k]);
		jw_end_array(w);
	}
	jw_key(w, "label");
	jw_array(w);
	for (size_t i = 0; i < m->n; i++)
		jw_int(w, m->label[i]);
	jw_end_array(w);
}

static int parse_facts(struct json **ret, const struct projection_map *m, struct err *err)
{
	struct buf text = BUF_INIT;
	buf_printf(&text, "{%s}", m->facts);
	int code = text.failed ? err_set(err, ERR_NO_MEMORY, "out of memory") : json_parse(ret, text.data, text.len, err);
	buf_free(&text);
	return code;
}

static int write_facts(struct jsonw *w, const struct projection_map *m, struct err *err)
{
	struct json *facts;
	int code = parse_facts(&facts, m, err);
	if (code)
		return code;
	for (const struct json *f = json_first(facts); f; f = json_next(f)) {
		jw_key(w, json_key(f));
		jw_node(w, f);
	}
	json_free(facts);
	return OK;
}

static int reply_json(struct call *c, const struct job *job, const struct projection_map *m, struct err *err)
{
	struct jsonw w;
	call_json(c, &w, 200);
	jw_object(&w);
	jw_kstring(&w, "object", result);
	jw_kstring(&w, "job", job->id);
	jw_kstring(&w, "status", job_status_name(job->status));
	int code = write_facts(&w, m, err);
	if (code)
		return code;
	write_columns(&w, m);
	jw_end_object(&w);
	return call_json_end(c, &w, err);
}

/* --- the picture ---------------------------------------------------------------------------------------------------------- */

static double number_of(const struct json *facts, const char *key)
{
	const struct json *node = json_get(facts, key);
	return node && json_type(node) == JSON_NUMBER ? json_number(node) : (double)NAN;
}

static double share_of(const struct json *facts)
{
	const struct json *ratio = json_get(facts, "explained_variance_ratio");
	const struct json *first = ratio ? json_first(ratio) : NULL, *second = first ? json_next(first) : NULL;
	return first ? json_number(first) + (second ? json_number(second) : 0) : (double)NAN;
}

static int paint(struct canvas *ret, const struct projection_map *m, const struct json *facts, struct err *err)
{
	char(*label)[DATASET_CLASS_NAME_MAX + 1] = calloc(DATASET_CLASSES_MAX, sizeof *label);
	struct projection_picture p = {.map = m,
		.label = label,
		.step = (int64_t)number_of(facts, "step"),
		.kl = number_of(facts, "kl_divergence"),
		.share = share_of(facts)};
	if (!label)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	const struct json *name = json_first(json_get(facts, "classes"));
	for (; name && p.classes < DATASET_CLASSES_MAX; name = json_next(name))
		snprintf(label[p.classes++], sizeof *label, "%s", json_string(name));
	int code = projection_paint(ret, &p, err);
	free(label);
	return code;
}

static int reply_png(struct call *c, const struct projection_map *m, struct err *err)
{
	struct json *facts;
	struct canvas canvas;
	int code = parse_facts(&facts, m, err);
	if (code)
		return code;
	code = paint(&canvas, m, facts, err);
	json_free(facts);
	return code ? code : call_png(c, &canvas, err);
}

static int reply(struct call *c, const struct job *job, const struct projection_map *m, struct err *err)
{
	char source[sizeof m->sha256 + JOB_WORD];
	snprintf(source, sizeof source, "%s-%s", m->sha256, job_status_name(job->status)); /* which the reply tells, too */
	if (call_unchanged(c, source))
		return OK;
	if (c->format == FORMAT_CSV)
		return reply_csv(c, m, err);
	if (c->format == FORMAT_PNG)
		return reply_png(c, m, err);
	return c->format == FORMAT_NPY ? reply_npy(c, m, err) : reply_json(c, job, m, err);
}

static int fail_kind(const struct job *job, struct err *err)
{
	char kinds[160] = "";
	const struct family *f;
	for (int i = 0; (f = family_at(i)); i++)
		if (family_gives(f, result))
			snprintf(kinds + strlen(kinds), sizeof kinds - strlen(kinds), "%s%s", kinds[0] ? " and " : "", f->name);
	return err_set(err, ERR_UNSUPPORTED, "%s is of kind %s and has no %s; jobs of kind %s have one", job->id, job->kind,
		result, kinds);
}

static int fail_absent(const struct job *job, struct err *err)
{
	if (job_terminal(job->status))
		return err_set(err, ERR_NOT_FOUND, "%s has no %s: it is %s", job->id, result, job_status_name(job->status));
	return err_set(
		err, ERR_CONFLICT, "%s is %s; its %s comes once it has begun", job->id, job_status_name(job->status), result);
}

int h_projection(struct call *c, struct err *err)
{
	struct job job;
	struct projection_map m;
	int code = store_get(c->daemon->store, c->arg[0], &job, err);
	if (code)
		return code;
	const struct family *f = family_find(job.kind);
	code = f && family_gives(f, result) ? projection_load(&m, c->daemon->config->data_dir, job.id, err)
										: fail_kind(&job, err);
	if (code == ERR_NOT_FOUND)
		code = fail_absent(&job, err);
	if (!code) {
		code = reply(c, &job, &m, err);
		projection_free(&m);
	}
	job_free(&job);
	return code;
}
