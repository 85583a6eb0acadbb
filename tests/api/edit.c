#include "api/edit.h"

#include "tests/api/check.h"

static struct job a_job(const char *kind, enum job_status status, int epoch)
{
	struct job job = {.status = status, .epoch = epoch, .priority = 3};
	const struct family *f = family_find(kind);
	void *params = family_params(f, f->presets);
	struct buf b = BUF_INIT;
	struct jsonw w;
	jw_init(&w, &b, false);
	spec_params_write(&w, f, params);
	free(params);
	job.params = buf_take(&b, NULL);
	job.metadata = strdup("{\"a\":\"b\",\"c\":{\"d\":\"e\",\"f\":\"g\"}}");
	snprintf(job.id, sizeof job.id, "job_a");
	snprintf(job.kind, sizeof job.kind, "%s", kind);
	return job;
}

static int patch(struct edit *e, const struct job *job, const char *text, struct err *err)
{
	struct json *body = parsed(text);
	*err = (struct err){0};
	int code = edit_parse(e, job, body, err, NULL);
	json_free(body);
	return code;
}

/* The example of RFC 7396 and its rules, on metadata. */
static void metadata_is_merged(void **state)
{
	static const struct {
		const char *patch, *result;
	} cases[] = {
		{"{\"a\":\"z\",\"c\":{\"f\":null}}", "{\"a\":\"z\",\"c\":{\"d\":\"e\"}}"},
		{"{}", "{\"a\":\"b\",\"c\":{\"d\":\"e\",\"f\":\"g\"}}"},
		{"{\"n\":{\"x\":null,\"y\":[null,1]}}", "{\"a\":\"b\",\"c\":{\"d\":\"e\",\"f\":\"g\"},\"n\":{\"y\":[null,1]}}"},
		{"{\"c\":[1],\"gone\":null}", "{\"a\":\"b\",\"c\":[1]}"},
		{"{\"a\":{\"b\":0.1}}", "{\"a\":{\"b\":0.1},\"c\":{\"d\":\"e\",\"f\":\"g\"}}"},
		{"null", "{}"},
	};
	struct job job = a_job("ae", JOB_SUCCEEDED, 50);
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct edit e;
		struct err err;
		char text[200];
		snprintf(text, sizeof text, "{\"metadata\":%s}", cases[i].patch);
		assert_int_equal(patch(&e, &job, text, &err), OK);
		assert_true(e.has_metadata && !e.has_name && !e.has_priority && !e.params);
		assert_string_equal(e.metadata, cases[i].result);
		edit_free(&e);
	}
	job_free(&job);
}

static void live_params_change(void **state)
{
	struct job job = a_job("vae", JOB_RUNNING, 4);
	struct edit e;
	struct err err;
	struct buf b = BUF_INIT;
	void *before, *after;
	(void)state;
	assert_int_equal(
		patch(&e, &job, "{\"name\":\"n\",\"priority\":null,\"params\":{\"lr\":0.1,\"beta\":1,\"epochs\":5}}", &err),
		OK);
	assert_string_equal(e.name, "n");
	assert_true(e.has_priority && e.priority == 0 && e.epochs == 5);
	assert_string_equal(e.params, "{\"epochs\":5,\"lr\":0.1}"); /* beta is 1 already */
	assert_int_equal(spec_params_parse(family_find("vae"), job.params, &before, NULL), OK);
	assert_int_equal(spec_params_parse(family_find("vae"), e.merged, &after, NULL), OK);
	edit_describe(&b, family_find("vae"), before, after);
	assert_string_equal(b.data, "epochs 50 → 5, lr 0.012 → 0.1");
	buf_free(&b);
	free(before);
	free(after);
	edit_free(&e);
	assert_int_equal(patch(&e, &job, "{\"params\":{\"lr\":0.012}}", &err), OK);
	assert_null(e.params);
	edit_free(&e);
	job_free(&job);
}

static void refusals_name_the_field(void **state)
{
	static const struct {
		const char *kind;
		enum job_status status;
		const char *body;
		int code;
		const char *pointer, *words;
	} cases[] = {
		{"ae", JOB_RUNNING, "{\"params\":{\"beta\":2}}", ERR_INVALID, "#/params/beta", "unknown parameter"},
		{"ae", JOB_RUNNING, "{\"params\":{\"batch_size\":2}}", ERR_INVALID, "#/params/batch_size",
			"fixed once a job is submitted; what may change: epochs, lr"},
		{"ae", JOB_RUNNING, "{\"params\":{\"epochs\":4}}", ERR_INVALID, "#/params/epochs",
			"must be at least 5, as epoch 5 has begun; got 4"},
		{"ae", JOB_RUNNING, "{\"params\":{\"lr\":null}}", ERR_INVALID, "#/params/lr", "got null"},
		{"ae", JOB_RUNNING, "{\"params\":null}", ERR_INVALID, "#/params", "an object"},
		{"ae", JOB_RUNNING, "{\"seed\":1}", ERR_INVALID, "#/seed", "unknown field"},
		{"ae", JOB_RUNNING, "{\"name\":\"a@b\"}", ERR_INVALID, "#/name", "must not contain"},
		{"ae", JOB_RUNNING, "{\"priority\":1001}", ERR_INVALID, "#/priority", "-1000..1000"},
		{"ae", JOB_RUNNING, "[]", ERR_INVALID, "#", "an object"},
		{"projection", JOB_RUNNING, "{\"params\":{\"n\":5}}", ERR_INVALID, "#/params/n", "what may change: nothing"},
		{"ae", JOB_FAILED, "{\"params\":{\"lr\":1}}", ERR_CONFLICT, "", "job_a has failed"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct job job = a_job(cases[i].kind, cases[i].status, 4);
		struct edit e;
		struct err err;
		assert_int_equal(patch(&e, &job, cases[i].body, &err), cases[i].code);
		assert_string_equal(err.pointer, cases[i].pointer);
		if (!strstr(err.message, cases[i].words))
			fail_msg("%s: '%s'", cases[i].body, err.message);
		job_free(&job);
	}
}

/* A kind that trains no net has no epochs among its parameters. */
static void nothing_changes_without_a_net(void **state)
{
	struct job job = a_job("projection", JOB_RUNNING, 4);
	struct edit e;
	struct err err;
	(void)state;
	assert_int_equal(patch(&e, &job, "{\"params\":{},\"name\":\"m\"}", &err), OK);
	assert_true(e.has_name && !e.params && !e.merged);
	edit_free(&e);
	job_free(&job);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(metadata_is_merged),
		cmocka_unit_test(live_params_change),
		cmocka_unit_test(refusals_name_the_field),
		cmocka_unit_test(nothing_changes_without_a_net),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
