#include "api/manifest.h"

#include "api/json.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- fields, both ways --- */

static const struct text_row {
	const char *key;
	size_t offset, size;
} texts[] = {
#define ROW(key, field)                                                    \
	{                                                                      \
		key, offsetof(struct job, field), sizeof(((struct job *)0)->field) \
	}
	ROW("id", id),
	ROW("kind", kind),
	ROW("preset", preset),
	ROW("name", name),
	ROW("dataset", dataset),
	ROW("dataset_sha256", dataset_sha256),
	ROW("from_job", from_job),
#undef ROW
};

static const struct json_row {
	const char *key;
	size_t offset;
	enum json_type type;
} objects[] = {
	{"params", offsetof(struct job, params), JSON_OBJECT},
	{"metadata", offsetof(struct job, metadata), JSON_OBJECT},
	{"depends_on", offsetof(struct job, depends_on), JSON_ARRAY},
	{"trial", offsetof(struct job, trial), JSON_OBJECT},
};
enum { TEXTS = sizeof texts / sizeof *texts, OBJECTS = sizeof objects / sizeof *objects };

static void print_numbers(struct jsonw *w, const struct job *j)
{
	jw_kint(w, "number", j->number);
	jw_kint(w, "from_epoch", j->from_epoch);
	jw_kint(w, "fork_step", j->fork_step);
	jw_kint(w, "seed", (int64_t)j->seed);
	jw_kint(w, "priority", j->priority);
	jw_kint(w, "created_at_ms", j->created_at_ms);
	jw_kint(w, "epochs", j->epochs);
	jw_kint(w, "steps", j->steps);
	jw_kint(w, "time_limit_s", j->time_limit_s);
	jw_kint(w, "max_retries", j->max_retries);
	jw_key(w, "ancestors_train_s");
	jw_number(w, j->ancestors_train_s);
}

void manifest_print(struct buf *b, const struct job *job, bool pretty)
{
	struct jsonw w;
	jw_init(&w, b, pretty);
	jw_object(&w);
	for (int i = 0; i < TEXTS; i++) {
		const char *text = (const char *)job + texts[i].offset;
		jw_kstring(&w, texts[i].key, *text ? text : NULL);
	}
	print_numbers(&w, job);
	for (int i = 0; i < OBJECTS; i++) {
		const char *text = *(char *const *)((const char *)job + objects[i].offset);
		jw_key(&w, objects[i].key);
		jw_raw(&w, text ? text : objects[i].type == JSON_OBJECT ? "{}" : "[]");
	}
	jw_end_object(&w);
	if (pretty)
		jw_end_document(&w);
}

bool manifest_id_valid(const char *id)
{
	static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	size_t n = strlen(id);
	return !strncmp(id, "job_", 4) && n > 4 && n < JOB_ID_SIZE && strspn(id + 4, letters) == n - 4;
}

static int take_texts(struct job *j, const struct json *object, struct err *err)
{
	for (int i = 0; i < TEXTS; i++) {
		const struct json *node = json_get(object, texts[i].key);
		if (!node || json_type(node) != JSON_STRING)
			continue;
		if (strlen(json_string(node)) >= texts[i].size)
			return err_set(err, ERR_INVALID, "the manifest's %s is too long", texts[i].key);
		strcpy((char *)j + texts[i].offset, json_string(node));
	}
	if (!manifest_id_valid(j->id) || !*j->kind || !*j->dataset)
		return err_set(err, ERR_INVALID, "the manifest does not say which job it is of");
	return OK;
}

static int take_numbers(struct job *j, const struct json *object, struct err *err)
{
	const int64_t most = INT64_C(1) << 53;
	int64_t seed = 0, from_epoch = 0, priority = 0, epochs = 0, max_retries = 0;
	const struct {
		const char *key;
		int64_t *to;
	} rows[] = {{"number", &j->number}, {"from_epoch", &from_epoch}, {"fork_step", &j->fork_step}, {"seed", &seed}, {"priority", &priority},
		{"created_at_ms", &j->created_at_ms}, {"epochs", &epochs}, {"steps", &j->steps},
		{"time_limit_s", &j->time_limit_s}, {"max_retries", &max_retries}};
	int code = OK;
	for (size_t i = 0; i < sizeof rows / sizeof *rows && !code; i++)
		code = json_take_int(object, rows[i].key, rows[i].key, -most, most, rows[i].to, err);
	if (!code)
		code = json_take_real(object, "ancestors_train_s", "ancestors_train_s", 0, 1e15, &j->ancestors_train_s, err);
	j->seed = (uint64_t)seed;
	j->from_epoch = (int)from_epoch;
	j->priority = (int)priority;
	j->epochs = (int)epochs;
	j->max_retries = (int)max_retries;
	return code;
}

static int take_objects(struct job *j, const struct json *object, struct err *err)
{
	for (int i = 0; i < OBJECTS; i++) {
		const struct json *node = json_get(object, objects[i].key);
		struct buf text = BUF_INIT;
		if (!node || json_type(node) != objects[i].type || !json_count(node))
			continue;
		json_print(&text, node);
		char *copy = buf_take(&text, NULL);
		if (!copy)
			return err_set(err, ERR_NO_MEMORY, "out of memory");
		*(char **)((char *)j + objects[i].offset) = copy;
	}
	return j->params ? OK : err_set(err, ERR_INVALID, "the manifest has no params");
}

int manifest_parse(struct job *ret, const char *text, size_t size, struct err *err)
{
	struct json *object;
	struct job j = {.eta_ms = -1};
	int code = json_parse(&object, text, size, err);
	if (code)
		return code;
	code = json_type(object) == JSON_OBJECT ? take_texts(&j, object, err)
											: err_set(err, ERR_INVALID, "a manifest is an object");
	if (!code)
		code = take_numbers(&j, object, err);
	if (!code)
		code = take_objects(&j, object, err);
	json_free(object);
	if (code)
		job_free(&j);
	else
		*ret = j;
	return code;
}
