#include "server/sched.h"

#include "server/blob.h"
#include "server/checkpoint.h"
#include "tests/server/toy.h"

#include <math.h>
#include <stdio.h>

static const char small[] =
	"{'kind':'ae','dataset':'toy','seed':3,'params':{'latent_dim':2,'epochs':3,'batch_size':32}}";

static int setup(void **state)
{
	house_setup(state);
	toy_write(*state, 0);
	return 0;
}

static void test_job_runs_to_its_end(void **state)
{
	struct house *h = *state;
	char id[JOB_ID_SIZE];
	house_submit(h, small, id);
	assert_int_equal(house_wait_end(h, id), JOB_SUCCEEDED);
	struct job job = house_job(h, id);
	assert_string_equal(job.stop_reason, "completed");
	assert_string_equal(job.error_code, "");
	assert_int_equal(job.epoch, 3);
	assert_int_equal(job.epochs, 3);
	assert_int_equal(job.step, job.steps);
	assert_int_equal(job.steps, 3 * 8); /* 230 of 256 images are trained on */
	double loss, train, val, gap;
	assert_int_equal(sscanf(job.test, "{\"loss\":%lf}", &loss), 1);
	assert_true(loss > 0 && loss < 0.3);
	assert_int_equal(sscanf(job.generalisation_gap, "{\"metric\":\"loss\",\"train\":%lf,\"val\":%lf,\"gap\":%lf,",
						 &train, &val, &gap),
		3);
	assert_true(train > 0 && fabs(val - job.best_value) < 1e-8 && fabs(val - train - gap) < 1e-8);
	assert_string_equal(job.best_metric, "val_loss");
	assert_in_range(job.best_epoch, 1, 3);
	assert_int_equal(strlen(job.dataset_sha256), 64);
	assert_int_equal(job.attempt, 1);
	assert_true(job.finished_at_ms >= job.started_at_ms && job.started_at_ms >= job.created_at_ms);
	assert_true(job.train_s > 0 && job.eta_ms == 0);
	assert_non_null(strstr(job.metrics, "\"val_loss\":"));
	assert_non_null(strstr(job.metrics, "\"samples_per_s\":"));
	job_free(&job);
}

static void test_job_says_what_it_did(void **state)
{
	struct house *h = *state;
	char id[JOB_ID_SIZE];
	house_submit(h, small, id);
	house_wait_end(h, id);
	assert_int_equal(house_events(h, id, EVENT_STATUS, NULL), 3);
	assert_int_equal(house_events(h, id, EVENT_METRICS, "\"epoch_end\":{\"epoch\":"), 3);
	assert_int_equal(
		house_events(h, id, EVENT_METRICS, "\"epoch_end\":{\"epoch\":2,\"epochs\":3,\"train_loss\":0."), 1);
	assert_int_equal(house_events(h, id, EVENT_CHECKPOINT, "\"bytes\":"), 3);
	assert_int_equal(house_events(h, id, EVENT_PREVIEW, "/samples.png"), 4);
	assert_int_equal(house_events(h, id, EVENT_END, "\"status\":\"succeeded\",\"test\":{\"loss\":0."), 1);
	assert_true(house_has_file(h, id, "job.json"));
	assert_true(house_has_file(h, id, "previews/epoch-000000-reconstructions.png"));
	assert_true(house_has_file(h, id, "previews/epoch-000003-samples.png"));
	assert_true(house_has_file(h, id, "checkpoints/epoch-000003.safetensors"));
	assert_false(house_has_file(h, id, "checkpoints/inside.safetensors"));
}

static void inside_path(struct house *h, const char *id, char path[600])
{
	snprintf(path, 600, "%s/jobs/%s/checkpoints/inside.safetensors", h->dir, id);
}

/* The row of a job that was put by says how far its checkpoint is. */
static int64_t step_put_by(struct house *h, const char *id)
{
	struct checkpoint c;
	assert_int_equal(checkpoint_load(&c, h->dir, id, 0, NULL), OK);
	int64_t step = c.step;
	checkpoint_free(&c);
	h->workers = 0;
	house_open(h);
	struct job job = house_job(h, id);
	assert_int_equal(job.status, JOB_QUEUED);
	assert_int_equal(job.step, step);
	job_free(&job);
	house_close(h);
	h->workers = 1;
	return step;
}

/* As many steps, under a sanitizer of a smaller net: it must still run when it is stopped. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define DRAINED "'channels':[2,4],'batch_size':4"
enum { DRAINED_IMAGES = 4000 };
#else
#define DRAINED "'channels':[8,16],'batch_size':8"
enum { DRAINED_IMAGES = 8000 };
#endif

/* Put by inside an epoch it goes on from there, from an older file too; the epoch's mean is that of all its points, once
 * each. */
static void test_epoch_mean_survives_a_drain(void **state)
{
	enum { EPOCHS = 2, STEPS = 1000 };
	struct house *h = *state;
	char id[JOB_ID_SIZE], path[600];
	void *older;
	size_t size;
	toy_write_as(h, "many", DRAINED_IMAGES, 0);
	house_submit(h,
		"{'kind':'ae','dataset':'many','params':{" DRAINED ",'hidden':[],'val_fraction':0,'epochs':2}}",
		id);
	assert_int_equal(house_wait(h, id, 1), JOB_RUNNING);
	house_close(h);
	inside_path(h, id, path);
	assert_int_equal(blob_read(path, &older, &size, NULL), OK);
	int64_t begin = step_put_by(h, id);
	house_open(h);
	assert_int_equal(house_wait(h, id, begin + 1), JOB_RUNNING);
	house_close(h);
	assert_int_equal(blob_write(path, older, size, NULL), OK);
	free(older);
	house_open(h);
	assert_int_equal(house_wait_end(h, id), JOB_SUCCEEDED);
	assert_int_equal(house_events(h, id, EVENT_LOG, "goes on from step"), 2);
	house_check_epochs(h, id, EPOCHS, STEPS);
}

static void test_without_validation_the_last_is_best(void **state)
{
	struct house *h = *state;
	char id[JOB_ID_SIZE];
	house_submit(h,
		/* a rate so high that the loss rises */
		"{'kind':'ae','dataset':'toy','params':{'optimizer':'adam','schedule':'constant','warmup_epochs':0,'lr':1,"
		"'epochs':5,'val_fraction':0,'checkpoint_every_epochs':2,'preview_every_epochs':0}}",
		id);
	assert_int_equal(house_wait_end(h, id), JOB_SUCCEEDED);
	struct job job = house_job(h, id);
	assert_string_equal(job.best_metric, "train_loss");
	assert_int_equal(job.best_epoch, 5);
	job_free(&job);
	assert_int_equal(house_events(h, id, EVENT_PREVIEW, NULL), 0);
	assert_true(house_has_file(h, id, "checkpoints/epoch-000004.safetensors"));
}

static void test_refusals_come_before_the_queue(void **state)
{
	struct house *h = *state;
	static const struct {
		const char *body, *pointer, *text;
		int code;
	} rows[] = {
		{"{'kind':'ae','params':{'kernel':[11],'padding':[0]}}", "#/params/kernel", "kernel", ERR_INVALID},
		{"{'kind':'ae','dataset':'nowhere'}", "#/dataset", "nowhere", ERR_DATASET},
	};
	char id[JOB_ID_SIZE];
	struct job *jobs;
	int n;
	bool more;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct err err = {0};
		assert_int_equal(house_try_submit(h, rows[i].body, id, &err), rows[i].code);
		assert_string_equal(err.pointer, rows[i].pointer);
		assert_non_null(strstr(err.message, rows[i].text));
	}
	house_close(h);
	h->memory_limit_bytes = 1 << 20;
	house_open(h);
	struct err err = {0};
	assert_int_equal(house_try_submit(h, "{'kind':'ae'}", id, &err), ERR_INVALID);
	assert_non_null(strstr(err.message, "limit for one job is 1 MiB"));
	const struct store_filter all = {.limit = 10};
	assert_int_equal(store_list(h->store, &all, &jobs, &n, &more, NULL), OK);
	assert_int_equal(n, 0);
	free(jobs);
}

static int running(struct house *h)
{
	struct store_queue q;
	assert_int_equal(store_queue(h->store, &q, NULL), OK);
	return (int)q.count[JOB_RUNNING];
}

/* Two fit, the third waits for one of them to go, and a smaller one behind it waits, too. */
static void test_memory_is_shared(void **state)
{
	static const char large[] =
		"{'kind':'ae','dataset':'toy','params':{'latent_dim':2,'epochs':100000,'batch_size':64,'preview_every_epochs':0}}";
	struct house *h = *state;
	struct spec spec;
	struct estimate e;
	struct store_queue q;
	struct job job;
	char id[4][JOB_ID_SIZE];
	house_spec(&spec, large);
	assert_int_equal(sched_estimate(h->sched, &spec, &e, NULL), OK);
	spec_free(&spec);
	house_close(h);
	h->workers = 4;
	h->memory_limit_bytes = e.memory_bytes * 5 / 2;
	house_open(h);
	for (int i = 0; i < 3; i++)
		house_submit(h, large, id[i]);
	house_submit(h,
		"{'kind':'ae','dataset':'toy','params':{'latent_dim':1,'channels':[],'hidden':[],'train_limit':64,'epochs':1,'batch_size':16}}",
		id[3]);
	house_wait(h, id[0], 5);
	house_wait(h, id[1], 5);
	usleep(200000);
	assert_int_equal(running(h), 2);
	assert_int_equal(store_queue(h->store, &q, NULL), OK);
	assert_int_equal(q.memory_held, 2 * e.memory_bytes);
	assert_int_equal(q.memory_limit, h->memory_limit_bytes);
	assert_string_equal(q.next[0], id[2]);
	job = house_job(h, id[3]);
	assert_int_equal(job.status, JOB_QUEUED);
	assert_true(job.memory_bytes > 0 && job.memory_bytes < (int64_t)e.memory_bytes / 2);
	job_free(&job);
	assert_int_equal(house_ask(h, id[0], COMMAND_CANCEL, &job, NULL), OK);
	job_free(&job);
	house_wait(h, id[2], 5);
	assert_int_equal(house_wait_end(h, id[3]), JOB_SUCCEEDED); /* beside those two */
	assert_int_equal(running(h), 2);
	for (int i = 1; i < 3; i++) {
		assert_int_equal(house_ask(h, id[i], COMMAND_CANCEL, &job, NULL), OK);
		job_free(&job);
	}
}

/* Jobs that came from a lost database say so once they are claimed; those that do not fit beside the others wait again. */
static void test_memory_that_is_not_known(void **state)
{
	static const char large[] =
		"{'kind':'ae','dataset':'toy','params':{'latent_dim':2,'epochs':100000,'batch_size':64,'preview_every_epochs':0}}";
	struct house *h = *state;
	struct store_queue q;
	struct job job;
	char id[3][JOB_ID_SIZE];
	h->workers = 0;
	house_close(h);
	house_open(h);
	for (int i = 0; i < 3; i++)
		house_submit(h, large, id[i]);
	job = house_job(h, id[0]);
	const int64_t needs = job.memory_bytes;
	job_free(&job);
	house_close(h);
	temp_sql(h->dir, "UPDATE jobs SET memory_bytes=0");
	h->workers = 3;
	h->memory_limit_bytes = (size_t)needs * 5 / 2;
	house_open(h);
	for (int i = 0; i < 500; i++) { /* each has been claimed, and one of them given back */
		assert_int_equal(store_queue(h->store, &q, NULL), OK);
		if (q.memory_held == 2 * needs && q.count[JOB_RUNNING] == 2)
			break;
		usleep(10000);
	}
	assert_int_equal(q.memory_held, 2 * needs);
	assert_int_equal(running(h), 2);
	usleep(100000);
	assert_int_equal(running(h), 2);
	for (int i = 0; i < 3; i++) {
		job = house_job(h, id[i]);
		assert_int_equal(job.memory_bytes, needs);
		assert_true(job.status == JOB_RUNNING || job.status == JOB_QUEUED);
		job_free(&job);
	}
	for (int i = 0; i < 3; i++) {
		assert_int_equal(house_ask(h, id[i], COMMAND_CANCEL, &job, NULL), OK);
		job_free(&job);
	}
}

static void test_estimate(void **state)
{
	struct house *h = *state;
	struct spec spec;
	struct estimate before, after;
	char id[JOB_ID_SIZE];
	house_spec(&spec, small);
	assert_int_equal(sched_estimate(h->sched, &spec, &before, NULL), OK);
	assert_int_equal(before.steps_per_epoch, 8);
	assert_true(before.parameters > 1000 && before.memory_bytes > before.parameters * 4);
	assert_true(before.flops_per_epoch > 1e6);
	assert_true(before.seconds_per_epoch > 0); /* a guess */
	house_submit(h, small, id);
	house_wait_end(h, id);
	assert_int_equal(sched_estimate(h->sched, &spec, &after, NULL), OK);
	assert_true(after.seconds_per_epoch > 0 && after.seconds_per_epoch < 30 && after.seconds_per_epoch != before.seconds_per_epoch);
	spec_free(&spec);
}

static const char long_run[] = "{'kind':'ae','dataset':'toy','params':{'latent_dim':2,'batch_size':32,'epochs':100000}}";

static void test_cancel(void **state)
{
	struct house *h = *state;
	char running[JOB_ID_SIZE], queued[JOB_ID_SIZE];
	struct job job;
	struct err err = {0};
	house_submit(h, long_run, running);
	house_submit(h, long_run, queued); /* one worker */
	house_wait(h, running, 5);
	assert_int_equal(house_ask(h, queued, COMMAND_CANCEL, &job, NULL), OK);
	assert_int_equal(job.status, JOB_CANCELLED);
	assert_string_equal(job.stop_reason, "user_cancel");
	job_free(&job);
	assert_int_equal(house_ask(h, running, COMMAND_CANCEL, &job, NULL), OK);
	assert_true(job.status == JOB_CANCELLING || job.status == JOB_CANCELLED);
	job_free(&job);
	assert_int_equal(house_wait_end(h, running), JOB_CANCELLED);
	assert_int_equal(house_ask(h, running, COMMAND_CANCEL, &job, NULL), OK); /* again: the same */
	assert_int_equal(job.status, JOB_CANCELLED);
	job_free(&job);
	house_submit(h, small, running);
	house_wait_end(h, running);
	assert_int_equal(house_ask(h, running, COMMAND_CANCEL, &job, &err), ERR_CONFLICT);
	assert_non_null(strstr(err.message, "is succeeded; cancel is for"));
	assert_int_equal(house_ask(h, "nobody", COMMAND_CANCEL, &job, &err), ERR_NOT_FOUND);
}

static void test_priorities_and_live_view(void **state)
{
	struct house *h = *state;
	char first[JOB_ID_SIZE], low[JOB_ID_SIZE], high[JOB_ID_SIZE];
	struct job job;
	house_submit(h, long_run, first);
	house_wait(h, first, 50);
	job = house_job(h, first);
	assert_int_equal(job.status, JOB_RUNNING);
	assert_true(job.samples_per_s > 0 && job.eta_ms > 0 && job.steps > job.step);
	job_free(&job);
	house_submit(h, small, low);
	house_submit(h, "{'kind':'ae','dataset':'toy','priority':5,'params':{'latent_dim':2,'epochs':1}}", high);
	assert_int_equal(house_ask(h, first, COMMAND_CANCEL, &job, NULL), OK);
	job_free(&job);
	house_wait_end(h, low);
	struct job a = house_job(h, low), b = house_job(h, high);
	assert_true(b.started_at_ms <= a.started_at_ms && b.finished_at_ms <= a.started_at_ms);
	job_free(&a);
	job_free(&b);
}

static void test_divergence_is_a_verdict(void **state)
{
	struct house *h = *state;
	char id[JOB_ID_SIZE];
	/* each step multiplies the weights by 1 - lr * weight_decay = -9 */
	house_submit(h,
		"{'kind':'ae','preset':'report','dataset':'toy','params':{'optimizer':'sgd','lr':10,'weight_decay':1,'batch_size':32,"
		"'epochs':30}}",
		id);
	assert_int_equal(house_wait_end(h, id), JOB_FAILED);
	struct job job = house_job(h, id);
	assert_string_equal(job.stop_reason, "diverged");
	assert_string_equal(job.error_code, "diverged");
	assert_non_null(strstr(job.error_detail, "step"));
	assert_true(job.eta_ms < 0 && job.finished_at_ms > 0);
	job_free(&job);
}

/* A data set that went away while its job waited. */
static void test_missing_data_fails_with_the_remedy(void **state)
{
	struct house *h = *state;
	struct job job = {.kind = "ae", .preset = "default", .dataset = "gone", .params = (char[]){"{}"}};
	assert_int_equal(job_make_id(job.id, NULL), OK);
	assert_int_equal(store_insert(h->store, &job, NULL), OK);
	house_close(h);
	house_open(h);
	assert_int_equal(house_wait_end(h, job.id), JOB_FAILED);
	struct job failed = house_job(h, job.id);
	assert_string_equal(failed.error_code, "dataset_unavailable");
	assert_non_null(strstr(failed.error_detail, "gone"));
	job_free(&failed);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, house_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_job_runs_to_its_end),
		TEST(test_job_says_what_it_did),
		TEST(test_epoch_mean_survives_a_drain),
		TEST(test_without_validation_the_last_is_best),
		TEST(test_refusals_come_before_the_queue),
		TEST(test_memory_is_shared),
		TEST(test_memory_that_is_not_known),
		TEST(test_estimate),
		TEST(test_cancel),
		TEST(test_priorities_and_live_view),
		TEST(test_divergence_is_a_verdict),
		TEST(test_missing_data_fails_with_the_remedy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
