#include "api/view.h"

#include "api/spec.h"
#include "tests/api/check.h"

static struct job sample_job(void)
{
	struct job job = {
		.id = "job_0123456789abcdef",
		.kind = "ae",
		.preset = "default",
		.dataset = "fashion-mnist",
		.status = JOB_QUEUED,
		.created_at_ms = 1700000000000,
		.queue_position = 3,
		.seed = 9007199254740991u,
		.eta_ms = -1,
	};
	return job;
}

static struct json *shown(const struct job *job, const char *prefix)
{
	struct buf b = BUF_INIT;
	struct jsonw w;
	jw_init(&w, &b, false);
	view_job(&w, job, prefix);
	return parsed_buf(&b);
}

static bool is_null(const struct json *root, const char *path)
{
	return json_type(at(root, path)) == JSON_NULL;
}

/* What has not happened yet is null, never 0 or absent. */
static void queued_job(void **state)
{
	static const char *const nulls[] = {"name", "stop_reason", "started_at_ms", "finished_at_ms", "progress/eta_ms",
		"from", "best", "test", "generalisation_gap", "error", "dataset_sha256"};
	struct job job = sample_job();
	struct json *root = shown(&job, "");
	(void)state;
	for (size_t i = 0; i < sizeof nulls / sizeof *nulls; i++)
		if (!is_null(root, nulls[i]))
			fail_msg("%s is not null", nulls[i]);
	assert_string_equal(text_at(root, "object"), "job");
	assert_string_equal(text_at(root, "status"), "queued");
	assert_true(number_at(root, "created_at_ms") == 1700000000000.0);
	assert_true(number_at(root, "queue_position") == 3);
	assert_true(number_at(root, "seed") == 9007199254740991.0);
	assert_int_equal(json_count(at(root, "params")), 0);
	assert_int_equal(json_type(at(root, "metrics")), JSON_OBJECT);
	assert_int_equal(json_type(at(root, "warnings")), JSON_ARRAY);
	assert_int_equal(json_type(at(root, "metadata")), JSON_OBJECT);
	assert_string_equal(text_at(root, "links/self"), "/v1/jobs/job_0123456789abcdef");
	json_free(root);
}

/* Of a kind that trains no net: links to what it gives, none to what only a model has. */
static void job_without_a_model(void **state)
{
	static const char *const absent[] = {"model", "checkpoints", "checkpoint", "fork", "verify", "reconstructions", "samples", "confusion"};
	struct job job = sample_job();
	snprintf(job.kind, sizeof job.kind, "projection");
	job.status = JOB_RUNNING;
	struct json *root = shown(&job, "/p");
	(void)state;
	assert_string_equal(text_at(root, "links/projection"), "/p/v1/jobs/job_0123456789abcdef/projection");
	for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
		assert_null(json_get(at(root, "links"), absent[i]));
	for (const struct json *a = json_first(at(root, "allowed")); a; a = json_next(a))
		assert_string_not_equal(json_string(a), "checkpoint");
	assert_true(json_count(at(root, "allowed")) >= 3);
	json_free(root);
}

static void finished_job(void **state)
{
	char params[] = "{\"latent_dim\":8}", metrics[] = "{\"train_loss\":0.01}", warnings[] = "[\"slow\"]",
		 metadata[] = "{\"k\":\"v\"}";
	struct job job = sample_job();
	job.status = JOB_FAILED;
	job.queue_position = 0;
	job.started_at_ms = 1700000000001;
	job.finished_at_ms = 1700000000002;
	job.epoch = 9;
	job.epochs = 10;
	job.step = 4219;
	job.steps = 4220;
	job.eta_ms = 0;
	job.samples_per_s = 123456.789;
	job.train_s = 4.5;
	job.best_epoch = 7;
	job.best_value = 0.017;
	char test[] = "{\"loss\":0.25,\"accuracy\":0.9}", gap[] = "{\"metric\":\"loss\",\"gap\":0.5}";
	job.test = test;
	job.generalisation_gap = gap;
	job.params = params;
	job.metrics = metrics;
	job.warnings = warnings;
	job.metadata = metadata;
	strcpy(job.name, "ae<8>");
	strcpy(job.stop_reason, "diverged");
	strcpy(job.best_metric, "val_loss");
	strcpy(job.error_code, "diverged");
	strcpy(job.error_detail, "non-finite loss at step 4219");
	strcpy(job.dataset_sha256, "ab");
	strcpy(job.from_job, "job_parent");
	job.from_epoch = 12;
	job.ancestors_train_s = 1.5;
	struct json *root = shown(&job, "/latentd");
	(void)state;
	assert_string_equal(text_at(root, "name"), "ae<8>");
	assert_string_equal(text_at(root, "stop_reason"), "diverged");
	assert_true(is_null(root, "queue_position"));
	assert_true(number_at(root, "finished_at_ms") == 1700000000002.0);
	assert_true(number_at(root, "progress/epoch") == 9 && number_at(root, "progress/epochs") == 10);
	assert_true(number_at(root, "progress/step") == 4219 && number_at(root, "progress/steps") == 4220);
	assert_true(number_at(root, "progress/eta_ms") == 0);
	assert_true(number_at(root, "progress/samples_per_s") == 123456.789);
	assert_string_equal(text_at(root, "best/metric"), "val_loss");
	assert_true(number_at(root, "best/value") == .017 && number_at(root, "best/epoch") == 7);
	assert_true(number_at(root, "test/loss") == .25);
	assert_true(number_at(root, "test/accuracy") == .9);
	assert_true(number_at(root, "generalisation_gap/gap") == .5);
	assert_string_equal(text_at(root, "error/code"), "diverged");
	assert_string_equal(text_at(root, "error/detail"), "non-finite loss at step 4219");
	assert_true(number_at(root, "params/latent_dim") == 8);
	assert_true(number_at(root, "metrics/train_loss") == .01);
	assert_string_equal(text_at(root, "warnings/0"), "slow");
	assert_string_equal(text_at(root, "metadata/k"), "v");
	assert_true(number_at(root, "train_s") == 4.5 && number_at(root, "lineage_train_s") == 6);
	assert_string_equal(text_at(root, "from/job"), "job_parent");
	assert_true(number_at(root, "from/checkpoint") == 12);
	assert_string_equal(text_at(root, "links/from"), "/latentd/v1/jobs/job_parent");
	assert_string_equal(text_at(root, "links/model"), "/latentd/v1/models/job_0123456789abcdef");
	assert_string_equal(text_at(root, "links/curves"), "/latentd/v1/jobs/job_0123456789abcdef/curves.svg");
	json_free(root);
}

static void lists(void **state)
{
	struct job jobs[2] = {sample_job(), sample_job()};
	struct buf b = BUF_INIT;
	struct jsonw w;
	(void)state;
	strcpy(jobs[1].id, "job_b");
	jw_init(&w, &b, true);
	view_job_list(&w, jobs, 2, true, "");
	struct json *root = parsed_buf(&b);
	assert_string_equal(text_at(root, "object"), "list");
	assert_int_equal(json_count(at(root, "data")), 2);
	assert_string_equal(text_at(root, "data/1/id"), "job_b");
	assert_string_equal(text_at(root, "first_id"), "job_0123456789abcdef");
	assert_string_equal(text_at(root, "last_id"), "job_b");
	assert_true(json_bool(at(root, "has_more")));
	json_free(root);
	jw_init(&w, &b, false);
	view_job_list(&w, NULL, 0, false, "");
	assert_string_equal(
		b.data, "{\"object\":\"list\",\"data\":[],\"first_id\":null,\"last_id\":null,\"has_more\":false}");
	buf_free(&b);
}

static void events(void **state)
{
	char data[] = "{\"seq\":7,\"job\":\"job_a\",\"at_ms\":5,\"status\":\"running\",\"stop_reason\":null}";
	struct event e = {.seq = 7, .type = EVENT_STATUS, .data = data};
	struct buf b = BUF_INIT;
	struct jsonw w;
	(void)state;
	jw_init(&w, &b, false);
	jw_array(&w);
	view_event(&w, &e);
	view_event(&w, &e);
	jw_end_array(&w);
	struct json *root = parsed_buf(&b);
	assert_int_equal(json_count(root), 2);
	assert_string_equal(text_at(root, "1/event"), "status");
	assert_true(number_at(root, "1/seq") == 7);
	assert_string_equal(text_at(root, "1/status"), "running");
	json_free(root);
}

static void estimates(void **state)
{
	struct json *body = parsed("{\"kind\":\"ae\",\"name\":\"x\",\"params\":{\"latent_dim\":2}}");
	struct estimate e = {.parameters = 60938,
		.memory_bytes = 1 << 20,
		.flops_per_epoch = 1e12,
		.seconds_per_epoch = -1,
		.steps_per_epoch = 422};
	struct spec s;
	struct buf b = BUF_INIT;
	struct jsonw w;
	(void)state;
	assert_int_equal(spec_parse(&s, body, NULL, NULL), OK);
	json_free(body);
	jw_init(&w, &b, false);
	view_estimate(&w, &s, &e);
	struct json *root = parsed_buf(&b);
	assert_string_equal(text_at(root, "kind"), "ae");
	assert_true(number_at(root, "params/latent_dim") == 2);
	assert_true(number_at(root, "estimate/parameters") == 60938);
	assert_true(number_at(root, "estimate/steps_per_epoch") == 422);
	assert_true(number_at(root, "estimate/flops_per_epoch") == 1e12);
	assert_true(is_null(root, "estimate/seconds_per_epoch"));
	json_free(root);
	e.seconds_per_epoch = .5;
	jw_init(&w, &b, false);
	view_estimate(&w, &s, &e);
	root = parsed_buf(&b);
	assert_true(number_at(root, "estimate/seconds_per_epoch") == .5);
	json_free(root);
	spec_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queued_job),
		cmocka_unit_test(finished_job),
		cmocka_unit_test(job_without_a_model),
		cmocka_unit_test(lists),
		cmocka_unit_test(events),
		cmocka_unit_test(estimates),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
