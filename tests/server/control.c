/* What is asked of a run changes nothing of what it computes; what it cannot help it tries again. */
#include "server/sched.h"

#include "core/model/train.h"
#include "server/blob.h"
#include "server/checkpoint.h"
#include "tests/server/toy.h"

/* 7 steps an epoch, the last one short */
static const char body[] = "{'kind':'vae','dataset':'toy','seed':5,%s'params':{'latent_dim':2,'channels':[2],'kernel':[3],"
						   "'stride':[2],'padding':[1],'hidden':[],'epochs':%d,'batch_size':36,'val_fraction':%s}}";

static const char *text_of(const char *fields, int epochs, const char *val_fraction)
{
	static char text[600];
	snprintf(text, sizeof text, body, fields, epochs, val_fraction);
	return text;
}

static int setup(void **state)
{
	house_setup(state);
	toy_write(*state, 0);
	return 0;
}

/* --- the weights of a run that nobody asks anything, after so many steps --- */

struct cut {
	struct trainer *trainer;
	int64_t step;
};

static unsigned stop_there(void *ctx)
{
	const struct cut *cut = ctx;
	return trainer_progress(cut->trainer).step == cut->step ? LOOP_STOP : 0;
}

static void check_weights(struct house *h, const char *text, int64_t step, const struct model *m, const real *w)
{
	struct spec spec;
	struct dataset *d;
	struct model mine;
	struct cut cut = {.step = step};
	enum loop_end end;
	house_spec(&spec, text);
	assert_int_equal(cache_dataset(h->cache, "toy", &d, NULL), OK);
	const struct map image = {.c = d->c, .h = d->h, .w = d->w};
	assert_int_equal(
		model_plan_on(&mine, spec.family, spec.params, &(struct model_base){0}, image, d->classes, NULL), OK);
	assert_int_equal(trainer_open(&cut.trainer, &mine, d, h->pool, kern_at(cpu_best()), spec.seed, NULL), OK);
	const struct hooks hooks = {.ctx = &cut, .poll = stop_there};
	assert_int_equal(train_loop(cut.trainer, &hooks, &end, NULL), OK);
	assert_int_equal(end, LOOP_STOPPED);
	assert_int_equal(model_reals(&mine), model_reals(m));
	assert_memory_equal(trainer_weights(cut.trainer), w, model_reals(m) * sizeof *w);
	trainer_close(cut.trainer);
	model_free(&mine);
	dataset_put(d);
	spec_free(&spec);
}

/* Of the checkpoint that serves. Returns its step. */
static int64_t check_served(struct house *h, const char *id, const char *text, const char *which)
{
	struct job job = house_job(h, id);
	struct checkpoint c;
	struct model m;
	real *w;
	assert_int_equal(checkpoint_pick(&c, h->dir, &job, which, NULL), OK);
	assert_int_equal(checkpoint_model(&c, &m, &w, NULL), OK);
	const int64_t step = c.step;
	check_weights(h, text, step, &m, w);
	free(w);
	model_free(&m);
	checkpoint_free(&c);
	job_free(&job);
	return step;
}

static void ask(struct house *h, const char *id, enum job_command command)
{
	struct job job;
	struct err err = {0};
	if (house_ask(h, id, command, &job, &err))
		fail_msg("%s", err.message);
	job_free(&job);
}

static void wait_for(struct house *h, const char *id, enum job_status status)
{
	enum job_status now;
	const int64_t deadline = clock_ms() + 200000;
	do {
		struct job job = house_job(h, id);
		now = job.status;
		job_free(&job);
		usleep(500);
	} while (now != status && clock_ms() < deadline);
	assert_int_equal(now, status);
}

/* --- */

/* Stopped after some step, paused and resumed before or not, its model is that of this step. */
static void test_stopped_at_a_step(void **state)
{
	struct house *h = *state;
	for (int round = 0; round < 5; round++) {
		const char *text = text_of("", 100000, round % 2 ? "0" : "0.1");
		char id[JOB_ID_SIZE], copy[600];
		snprintf(copy, sizeof copy, "%s", text);
		house_submit(h, copy, id);
		house_wait(h, id, 3 + 4 * round);
		if (round > 1) {
			ask(h, id, COMMAND_PAUSE);
			wait_for(h, id, JOB_PAUSED);
		}
		if (round > 3) {
			ask(h, id, COMMAND_RESUME);
			house_wait(h, id, 60);
		}
		ask(h, id, COMMAND_STOP);
		assert_int_equal(house_wait_end(h, id), JOB_SUCCEEDED);
		struct job job = house_job(h, id);
		assert_string_equal(job.stop_reason, "user_stop");
		assert_int_equal(job.wish, WISH_NONE);
		assert_non_null(job.test);
		assert_int_equal(check_served(h, id, copy, "last"), job.step);
		/* without a validation pass nothing is better than the newest */
		assert_true(round % 2 == 0 || job.best_epoch == 0 || job.best_epoch * 8 == job.step);
		assert_int_equal(house_events(h, id, EVENT_END, "\"test\":"), 1);
		job_free(&job);
	}
}

/* Before its first step there is nothing to keep, and after that no more than that. */
static void test_stopped_at_once(void **state)
{
	struct house *h = *state;
	struct job job;
	struct err err = {0};
	char id[JOB_ID_SIZE];
	assert_int_equal(sched_pause_queue(h->sched, true, NULL), OK);
	house_submit(h, text_of("", 100000, "0.1"), id);
	assert_int_equal(house_ask(h, id, COMMAND_STOP, &job, &err), ERR_CONFLICT);
	assert_non_null(strstr(err.message, "has not begun"));
	assert_int_equal(sched_pause_queue(h->sched, false, NULL), OK);
	wait_for(h, id, JOB_RUNNING);
	ask(h, id, COMMAND_STOP);
	assert_int_equal(house_wait_end(h, id), JOB_SUCCEEDED);
	job = house_job(h, id);
	assert_true(job.step >= 1);
	job_free(&job);
}

/* A pause that is taken back before the worker has left, and after. */
static void test_pause_taken_back(void **state)
{
	struct house *h = *state;
	char id[JOB_ID_SIZE], calm[JOB_ID_SIZE], wanted[SHA256_HEX], text[SHA256_HEX];
	house_submit(h, text_of("", 40, "0.1"), calm);
	house_wait_end(h, calm);
	house_fingerprint(h, calm, wanted);
	house_submit(h, text_of("", 40, "0.1"), id);
	for (int i = 0; i < 12; i++) {
		struct job job;
		if (house_ask(h, id, COMMAND_PAUSE, &job, NULL))
			break; /* over */
		job_free(&job);
		usleep(i % 5 * 300);
		ask(h, id, COMMAND_RESUME);
		usleep(i % 3 * 700);
	}
	assert_int_equal(house_wait_end(h, id), JOB_SUCCEEDED);
	house_fingerprint(h, id, text);
	assert_string_equal(text, wanted);
	house_check_epochs(h, id, 40, 7);
}

/* Cancelled by force wherever it is, and tried again at once. */
static void test_forced_and_retried(void **state)
{
	struct house *h = *state;
	char id[JOB_ID_SIZE], calm[JOB_ID_SIZE], wanted[SHA256_HEX], text[SHA256_HEX];
	h->checkpoint_ms = 1;
	h->workers = 2;
	house_close(h);
	house_open(h);
	house_submit(h, text_of("", 40, "0.1"), calm);
	house_wait_end(h, calm);
	house_fingerprint(h, calm, wanted);
	house_submit(h, text_of("", 40, "0.1"), id);
	for (int i = 0; i < 12; i++) {
		struct job job = house_job(h, id);
		const int64_t step = job.step;
		job_free(&job);
		house_wait(h, id, step + 2); /* what was done is perhaps done again first */
		usleep(i % 7 * 150);
		if (house_ask(h, id, COMMAND_FORCE_CANCEL, &job, NULL))
			break;
		assert_int_equal(job.status, JOB_CANCELLED);
		job_free(&job);
		ask(h, id, COMMAND_RETRY);
	}
	assert_int_equal(house_wait_end(h, id), JOB_SUCCEEDED);
	house_fingerprint(h, id, text);
	assert_string_equal(text, wanted);
	house_check_epochs(h, id, 40, 7);
}

/* No checkpoint can be written: a file is where their folder should be. */
static void spoil(struct house *h, const char *id, char path[BLOB_PATH_MAX])
{
	char jobs[BLOB_PATH_MAX];
	snprintf(jobs, sizeof jobs, "%s/jobs", h->dir);
	mkdir(jobs, 0700);
	blob_path(path, BLOB_PATH_MAX, h->dir, id, "");
	mkdir(path, 0700);
	blob_path(path, BLOB_PATH_MAX, h->dir, id, "checkpoints");
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fclose(f);
}

/* A folder that cannot be written to for a while. */
static void test_tried_again(void **state)
{
	struct house *h = *state;
	char id[JOB_ID_SIZE], path[BLOB_PATH_MAX], calm[JOB_ID_SIZE], wanted[SHA256_HEX], text[SHA256_HEX];
	house_submit(h, text_of("", 8, "0.1"), calm);
	house_wait_end(h, calm);
	house_fingerprint(h, calm, wanted);
	assert_int_equal(sched_pause_queue(h->sched, true, NULL), OK);
	house_submit(h, text_of("'max_retries':2,", 8, "0.1"), id);
	spoil(h, id, path);
	assert_int_equal(sched_pause_queue(h->sched, false, NULL), OK);
	struct job job = house_job(h, id);
	for (int64_t deadline = clock_ms() + 60000; job.retries == 0 && clock_ms() < deadline;) {
		assert_false(job_terminal(job.status));
		job_free(&job);
		usleep(2000);
		job = house_job(h, id);
	}
	assert_int_equal(job.status, JOB_QUEUED);
	assert_int_equal(job.retries, 1);
	assert_string_equal(job.error_code, "");
	job_free(&job);
	const int64_t begin = clock_ms();
	assert_int_equal(unlink(path), 0);
	assert_int_equal(house_wait_end(h, id), JOB_SUCCEEDED);
	assert_true(clock_ms() - begin > 500); /* a second after it failed */
	job = house_job(h, id);
	assert_int_equal(job.attempt, 2);
	job_free(&job);
	assert_int_equal(house_events(h, id, EVENT_LOG, "tried again in 1 s (1 of 2)"), 1);
	house_fingerprint(h, id, text);
	assert_string_equal(text, wanted);
}

/* Without any left it fails, with the reason; and may be tried again by hand. */
static void test_tried_in_vain(void **state)
{
	struct house *h = *state;
	char id[JOB_ID_SIZE], path[BLOB_PATH_MAX];
	assert_int_equal(sched_pause_queue(h->sched, true, NULL), OK);
	house_submit(h, text_of("", 8, "0.1"), id);
	spoil(h, id, path);
	assert_int_equal(sched_pause_queue(h->sched, false, NULL), OK);
	assert_int_equal(house_wait_end(h, id), JOB_FAILED);
	struct job job = house_job(h, id);
	assert_string_equal(job.error_code, "io_error");
	assert_string_not_equal(job.error_detail, "");
	job_free(&job);
	assert_int_equal(unlink(path), 0);
	ask(h, id, COMMAND_RETRY);
	assert_int_equal(house_wait_end(h, id), JOB_SUCCEEDED);
	job = house_job(h, id);
	assert_string_equal(job.error_code, "");
	assert_string_equal(job.stop_reason, "completed");
	job_free(&job);
	assert_int_equal(house_events(h, id, EVENT_END, NULL), 2);
}

static void test_a_checkpoint_now(void **state)
{
	struct house *h = *state;
	struct saved_checkpoint saved;
	char id[JOB_ID_SIZE];
	unsigned ticket;
	bool there = false;
	const char *text = text_of("", 100000, "0.1");
	char copy[600];
	snprintf(copy, sizeof copy, "%s", text);
	house_submit(h, copy, id);
	house_wait(h, id, 10);
	for (int i = 0; i < 5; i++) {
		const int64_t deadline = clock_ms() + 60000;
		ticket = sched_ask_checkpoint(h->sched, id);
		assert_true(ticket > 0);
		do {
			usleep(200);
			assert_int_equal(sched_checkpoint(h->sched, id, ticket, &there, &saved, NULL), OK);
		} while (!there && clock_ms() < deadline);
		assert_true(there && saved.step > 0 && saved.bytes > 0);
	}
	ask(h, id, COMMAND_PAUSE);
	wait_for(h, id, JOB_PAUSED);
	assert_true(check_served(h, id, copy, "last") >= saved.step);
	while (sched_holds(h->sched, id))
		usleep(200);
	assert_int_equal(sched_ask_checkpoint(h->sched, id), 0);
	ask(h, id, COMMAND_CANCEL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, house_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_stopped_at_a_step),
		TEST(test_stopped_at_once),
		TEST(test_pause_taken_back),
		TEST(test_forced_and_retried),
		TEST(test_tried_again),
		TEST(test_tried_in_vain),
		TEST(test_a_checkpoint_now),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
