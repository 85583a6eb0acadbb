/* Holds the views to the document: what they write is described there. Run from the root of the project. */
#include "api/problem.h"
#include "api/spec.h"
#include "api/view.h"
#include "core/model/sample.h"
#include "tests/api/check.h"

static char *document;

static int read_document(void **state)
{
	(void)state;
	FILE *file = fopen("api/openapi.yaml", "rb");
	assert_non_null(file);
	document = calloc(1, 1 << 20);
	size_t size = fread(document, 1, (1 << 20) - 1, file);
	fclose(file);
	return size > 1000 ? 0 : -1;
}

static int free_document(void **state)
{
	(void)state;
	free(document);
	return 0;
}

/* The text of one schema: from "    Name:" to the next line at that depth. */
static char *schema(const char *name)
{
	char heading[64];
	snprintf(heading, sizeof heading, "\n    %s:\n", name);
	const char *start = strstr(strstr(document, "\n  schemas:"), heading);
	if (!start)
		fail_msg("no schema %s", name);
	const char *end = start + 1;
	while ((end = strchr(end + 1, '\n')) && !strncmp(end + 1, "      ", 6))
		;
	return strndup(start, (size_t)(end - start));
}

static bool names(const char *text, const char *key)
{
	char quoted[80];
	snprintf(quoted, sizeof quoted, " %s:", key);
	const char *found = strstr(text, quoted);
	snprintf(quoted, sizeof quoted, "{%s:", key);
	return found || strstr(text, quoted);
}

/* Whose members are named by users or by tables, not by the document. */
static bool is_open(const char *key)
{
	static const char *const open[] = {"params", "metadata", "metrics", "properties", NULL};
	for (const char *const *k = open; *k; k++)
		if (!strcmp(*k, key))
			return true;
	return false;
}

static void check_members(const struct json *node, const char *text)
{
	for (const struct json *m = json_first(node); m; m = json_next(m)) {
		if (json_key(m) && !names(text, json_key(m)))
			fail_msg("%s is not described in%s", json_key(m), text);
		if ((json_type(m) == JSON_OBJECT || json_type(m) == JSON_ARRAY) && !(json_key(m) && is_open(json_key(m))))
			check_members(m, text);
	}
}

/* Frees b. */
static void check(struct buf *b, const char *first, const char *second)
{
	struct json *root = parsed_buf(b);
	char *one = schema(first), *two = schema(second);
	struct buf text = BUF_INIT;
	buf_printf(&text, "%s%s", one, two);
	check_members(root, text.data);
	json_free(root);
	buf_free(&text);
	free(one);
	free(two);
}

static void jobs(void **state)
{
	struct job job = {.id = "job_a", .best_epoch = 1, .error_code = "diverged"};
	struct buf b = BUF_INIT;
	struct jsonw w;
	(void)state;
	jw_init(&w, &b, false);
	view_job(&w, &job, "");
	check(&b, "Job", "Status");
	jw_init(&w, &b, false);
	view_job_list(&w, NULL, 0, false, "");
	check(&b, "List", "Status");
}

static void kinds(void **state)
{
	const struct family *f;
	struct buf b = BUF_INIT;
	struct jsonw w;
	(void)state;
	for (int i = 0; (f = family_at(i)); i++) {
		jw_init(&w, &b, false);
		view_kind(&w, f);
		struct json *root = parsed_buf(&b);
		struct buf copy = BUF_INIT;
		json_print(&copy, json_first(json_get(json_get(root, "params"), "properties")));
		check(&copy, "Param", "Param");
		if (json_count(json_get(root, "series"))) {
			json_print(&copy, json_first(json_get(root, "series")));
			check(&copy, "Series", "Series");
		}
		char *all = schema("Kind"), *summary = schema("KindSummary");
		for (const struct json *m = json_first(root); m; m = json_next(m))
			assert_true(names(all, json_key(m)) || names(summary, json_key(m)));
		free(all);
		free(summary);
		json_free(root);
	}
}

static void models(void **state)
{
	const struct family *f = family_find("ae");
	double one[1] = {1};
	struct code_stats codes = {.latent_dim = 1, .mean = one, .std = one, .q01 = one, .q99 = one};
	struct dataset d = {.name = "mini"};
	void *params = family_params(f, f->presets);
	struct model m;
	struct buf b = BUF_INIT;
	struct jsonw w;
	(void)state;
	assert_int_equal(model_plan(&m, f, params, (struct map){1, 28, 28, 0}, 10, NULL), OK);
	jw_init(&w, &b, false);
	view_model(&w, "job_a", &m, 1, 2, "normal", &codes);
	check(&b, "Model", "Model");
	jw_init(&w, &b, false);
	view_dataset(&w, &d, "/data", true);
	check(&b, "Dataset", "Dataset");
	model_free(&m);
	free(params);
}

static void errors_and_estimates(void **state)
{
	struct json *body = parsed("{\"kind\":\"ae\"}");
	struct spec s;
	struct err err;
	struct buf b = BUF_INIT;
	struct jsonw w;
	(void)state;
	err_field(&err, ERR_INVALID, "#/x", "wrong");
	problem_write(&b, 409, &err, NULL, "/", "r", ",\"current\":\"running\",\"allowed\":[]");
	check(&b, "Problem", "Problem");
	assert_int_equal(spec_parse(&s, body, &err, NULL), OK);
	jw_init(&w, &b, false);
	view_estimate(&w, &s, &(struct estimate){.seconds_per_epoch = 1});
	check(&b, "Estimate", "From");
	spec_free(&s);
	json_free(body);
}

static void metrics(void **state)
{
	struct buf b = BUF_INIT;
	struct jsonw w;
	struct curve c = {.series = "value"}; /* a name that the schema has */
	(void)state;
	jw_init(&w, &b, false);
	view_metrics(&w, &c, 1, 1);
	check(&b, "Metrics", "Curve");
}

/* Every field of a NewJob in the document is one that the reader takes, and it takes no other. */
static void new_job(void **state)
{
	static const char *const fields[] = {"kind", "preset", "name", "dataset", "seed", "priority", "params", "metadata",
		"from", "depends_on", "time_limit_s", "max_retries", "seeds"};
	char *text = schema("NewJob");
	(void)state;
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		assert_true(names(text, fields[i]));
	int described = 0;
	for (const char *line = text; (line = strstr(line, "\n        ")); line++)
		described += line[9] != ' ';
	assert_int_equal(described, sizeof fields / sizeof *fields);
	free(text);
}

/* Words of the tables stand in the document's enums. */
static void words(void **state)
{
	char *status = schema("Status"), *event = schema("Event"), *distribution = schema("Distribution"),
		 *summary = schema("KindSummary");
	(void)state;
	for (int i = 0; i < JOB_STATUS_COUNT; i++)
		assert_non_null(strstr(status, job_status_name((enum job_status)i)));
	for (int i = 0; i < EVENT_TYPE_COUNT; i++)
		assert_non_null(strstr(event, event_type_name((enum event_type)i)));
	for (int i = 0; i < DIST_COUNT; i++)
		assert_non_null(strstr(distribution, distribution_name((enum distribution)i)));
	for (int i = 0; i < ABILITY_COUNT; i++)
		assert_non_null(strstr(summary, ability_name((enum ability)i)));
	free(status);
	free(event);
	free(distribution);
	free(summary);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jobs),
		cmocka_unit_test(kinds),
		cmocka_unit_test(models),
		cmocka_unit_test(errors_and_estimates),
		cmocka_unit_test(metrics),
		cmocka_unit_test(new_job),
		cmocka_unit_test(words),
	};
	return cmocka_run_group_tests(tests, read_document, free_document);
}
