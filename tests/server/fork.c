/* A fork ends with the bits of the job that it goes on from, unless something is changed; then with those of one that was changed
 * right there. */
#include "server/fork.h"

#include "api/fork.h"
#include "server/checkpoint.h"
#include "server/job_delete.h"
#include "tests/server/toy.h"

#define NET "'latent_dim':2,'channels':[2],'kernel':[3],'stride':[2],'padding':[1],'hidden':[6]"
/* 7 steps an epoch, the last one short */
#define SHORT "'epochs':8,'batch_size':36"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SLOW = 1 };
#else
enum { SLOW = 0 };
#endif

static const char plain[] = "{'kind':'ae','dataset':'toy','seed':5,'params':{" NET "," SHORT "}}";

static int setup(void **state)
{
	house_setup(state);
	toy_write(*state, 0);
	return 0;
}

/* --- asking --- */

static int try_fork(struct house *h, const char *ref, const char *text, char id[JOB_ID_SIZE], struct err *err)
{
	char *copy = strdup(text);
	struct json *body;
	const struct json *changes;
	struct spec spec;
	struct job job;
	struct err_more more = {0};
	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	assert_int_equal(json_parse(&body, copy, strlen(copy), err), OK);
	int code = fork_parse(&spec, &changes, body, err, &more);
	if (!code) {
		code = sched_fork(h->sched, ref, &spec, changes, NULL, &job, err, &more);
		spec_free(&spec);
	}
	if (!code) {
		memcpy(id, job.id, JOB_ID_SIZE);
		job_free(&job);
	}
	json_free(body);
	free(copy);
	return code;
}

static void fork_of(struct house *h, const char *ref, const char *text, char id[JOB_ID_SIZE])
{
	struct err err = {0};
	if (try_fork(h, ref, text, id, &err))
		fail_msg("%s: %s", err.pointer, err.message);
}

static void assert_refused(struct house *h, const char *ref, const char *text, const char *pointer, const char *words)
{
	char id[JOB_ID_SIZE];
	struct err err = {0};
	if (try_fork(h, ref, text, id, &err) != ERR_INVALID || strcmp(err.pointer, pointer) || !strstr(err.message, words))
		fail_msg("%s: %d %s %s", text, err.code, err.pointer, err.message);
}

/* --- comparing --- */

static void assert_same_file(struct house *h, const char *a, const char *b, const char *name)
{
	char path[BLOB_PATH_MAX];
	void *x, *y;
	size_t nx, ny;
	struct err err = {0};
	blob_path(path, sizeof path, h->dir, a, name);
	if (blob_read(path, &x, &nx, &err))
		fail_msg("%s", err.message);
	blob_path(path, sizeof path, h->dir, b, name);
	if (blob_read(path, &y, &ny, &err))
		fail_msg("%s", err.message);
	assert_int_equal(nx, ny);
	if (memcmp(x, y, nx))
		fail_msg("%s of %s and %s differ", name, a, b);
	free(x);
	free(y);
}

/* Every series but the timings, point by point; of those copied, the time, too. */
static void assert_same_curves(struct house *h, const char *a, const char *b, int64_t copied)
{
	char(*names)[JOB_WORD];
	int n;
	assert_int_equal(store_series(h->store, a, &names, &n, NULL), OK);
	assert_true(n > 2);
	for (int i = 0; i < n; i++) {
		struct curve x, y;
		if (!strcmp(names[i], "samples_per_s"))
			continue;
		assert_int_equal(store_curve(h->store, a, names[i], 0, &x, NULL), OK);
		assert_int_equal(store_curve(h->store, b, names[i], 0, &y, NULL), OK);
		assert_int_equal(x.n, y.n);
		assert_memory_equal(x.step, y.step, x.n * sizeof *x.step);
		assert_memory_equal(x.epoch, y.epoch, x.n * sizeof *x.epoch);
		assert_memory_equal(x.value, y.value, x.n * sizeof *x.value);
		for (size_t k = 0; k < x.n && x.step[k] <= copied; k++)
			assert_int_equal(x.time_ms[k], y.time_ms[k]);
		curve_free(&x);
		curve_free(&y);
	}
	free(names);
}

static void assert_same_results(struct house *h, const char *a, const char *b)
{
	struct job x = house_job(h, a), y = house_job(h, b);
	assert_int_equal(x.status, y.status);
	assert_string_equal(x.stop_reason, y.stop_reason);
	assert_string_equal(x.best_metric, y.best_metric);
	assert_int_equal(x.best_epoch, y.best_epoch);
	assert_memory_equal(&x.best_value, &y.best_value, sizeof x.best_value);
	assert_int_equal(x.step, y.step);
	assert_string_equal(x.params, y.params);
	assert_string_equal(x.test ? x.test : "", y.test ? y.test : "");
	char name[64];
	blob_checkpoint_name(name, sizeof name, x.epoch);
	assert_same_file(h, a, b, name);
	blob_checkpoint_name(name, sizeof name, x.best_epoch);
	assert_same_file(h, a, b, name);
	job_free(&x);
	job_free(&y);
}

static void assert_same_pictures(struct house *h, const char *a, const char *b)
{
	char command[3 * BLOB_PATH_MAX];
	snprintf(command, sizeof command,
		"cd '%s/jobs' && if test -d %s/previews; then diff -r %s/previews %s/previews; fi", h->dir, a, a, b);
	assert_int_equal(system(command), 0);
}

/* Of one that ended, from that checkpoint: every file, curve and result of the other's. */
static void assert_fork_is_the_same(struct house *h, const char *id, const char *which)
{
	char body[60], fork[JOB_ID_SIZE];
	snprintf(body, sizeof body, "{'checkpoint':%s}", which);
	fork_of(h, id, body, fork);
	house_wait_end(h, fork);
	struct job job = house_job(h, fork);
	assert_string_equal(job.from_job, id);
	assert_true(job.from_epoch > 0 && job.fork_step > 0 && job.attempt == 1);
	assert_same_results(h, id, fork);
	assert_same_curves(h, id, fork, job.fork_step);
	assert_same_pictures(h, id, fork);
	assert_int_equal(house_events(h, fork, EVENT_METRICS, "\"epoch_end\":"), job.epoch - job.from_epoch);
	assert_int_equal(house_events(h, fork, EVENT_END, NULL), 1);
	job_free(&job);
}

/* --- unchanged --- */

static void run_and_fork(struct house *h, const char *body, char id[JOB_ID_SIZE])
{
	house_submit(h, body, id);
	assert_int_equal(house_wait_end(h, id), JOB_SUCCEEDED);
	assert_fork_is_the_same(h, id, "3");
	if (!SLOW)
		assert_fork_is_the_same(h, id, "7");
}

static void test_unchanged(void **state)
{
	struct house *h = *state;
	char id[JOB_ID_SIZE], fork[JOB_ID_SIZE];
	run_and_fork(h, plain, id);
	/* a fork of a fork, from what that took over, too */
	fork_of(h, id, "{'checkpoint':'5','name':'again'}", fork);
	assert_int_equal(house_wait_end(h, fork), JOB_SUCCEEDED);
	fork_of(h, "again", "{'checkpoint':5}", id);
	assert_int_equal(house_wait_end(h, id), JOB_SUCCEEDED);
	assert_same_results(h, fork, id);
	fork_of(h, "again", "{'checkpoint':6}", id);
	assert_int_equal(house_wait_end(h, id), JOB_SUCCEEDED);
	assert_same_curves(h, fork, id, 6 * 7);
	job_delete_rest(h->store, h->dir); /* as at the next start: what was promised is there */
	assert_same_results(h, fork, id);
}

static void test_unchanged_with_everything(void **state)
{
	char id[JOB_ID_SIZE];
	run_and_fork(*state,
		"{'kind':'ae','dataset':'toy','seed':2,'params':{" NET "," SHORT
		",'norm':'batch','ema':0.9,'dropout':0.1,'dropout2d':0.1,'schedule':'plateau','lr_patience':0,'augment':['hflip','crop'],"
		"'prune':{'start_epoch':2,'every':2,'end_epoch':6},'early_stopping':{'patience':5},'optimizer':'rmsprop',"
		"'grad_clip':1,'lr':0.01}}",
		id);
}

static void test_unchanged_of_every_kind(void **state)
{
	struct house *h = *state;
	char id[JOB_ID_SIZE];
	run_and_fork(h,
		"{'kind':'vae','dataset':'toy','name':'v','params':{" NET "," SHORT
		",'beta_warmup':4,'free_bits':0.1,'optimizer':'adamw','weight_decay':0.01}}",
		id);
	run_and_fork(h,
		"{'kind':'gan','dataset':'toy','params':{'latent_dim':4,'channels':[6,4],'discriminator_channels':[4,6]," SHORT
		",'n_critic':2,'r1_every':3,'on_collapse':'rollback','lr_g':1e-9}}",
		id);
	run_and_fork(h,
		"{'kind':'finetune','dataset':'toy','from':'v','params':{'head':[5]," SHORT
		",'unfreeze_after':5,'optimizer':'sgd','nesterov':true}}",
		id);
	run_and_fork(h,
		"{'kind':'classifier','dataset':'toy','params':{'channels':[4],'convs':1," SHORT
		",'augment':['hflip','crop','erase'],'schedule':'one_cycle'}}",
		id);
}

/* While the other one goes on, and kills in between. */
static void test_of_a_job_that_runs(void **state)
{
	struct house *h = *state;
	char id[JOB_ID_SIZE], fork[JOB_ID_SIZE];
	h->workers = 2;
	h->checkpoint_ms = 3;
	house_close(h);
	house_open(h);
	house_submit(h, "{'kind':'ae','dataset':'toy','params':{" NET ",'epochs':60,'batch_size':36}}", id);
	house_wait(h, id, 3 * 7);
	struct err err = {0};
	for (int i = 0; try_fork(h, id, "{'checkpoint':2}", fork, &err) && i < 1000; i++) /* its file is there very soon */
		usleep(1000);
	for (int64_t step = 40; step < 220; step += 60) {
		house_wait(h, fork, step);
		house_close(h);
		house_open(h);
	}
	assert_int_equal(house_wait_end(h, fork), JOB_SUCCEEDED);
	assert_int_equal(house_wait_end(h, id), JOB_SUCCEEDED);
	assert_same_results(h, id, fork);
	assert_same_curves(h, id, fork, 14);
}

/* --- changed --- */

/* As a run that was changed after so many steps leaves it: the edit is met there. */
static void submit_edited(struct house *h, const char *body, int64_t step, const char *params, char id[JOB_ID_SIZE])
{
	char sql[600];
	h->workers = 0;
	house_close(h);
	house_open(h);
	house_submit(h, body, id);
	house_close(h);
	snprintf(sql, sizeof sql,
		"UPDATE jobs SET params_first=params WHERE id='%s';"
		"INSERT INTO edits(job,number,step,params,before) SELECT number,1,%lld,'%s',params FROM jobs WHERE id='%s'",
		id, (long long)step, params, id);
	temp_sql(h->dir, sql);
	h->workers = 1;
	house_open(h);
	assert_int_equal(house_wait_end(h, id), JOB_SUCCEEDED);
}

/* A fork with other parameters is a run that was given them right there. */
static void test_changed(void **state)
{
	struct house *h = *state;
	char id[JOB_ID_SIZE], edited[JOB_ID_SIZE], fork[JOB_ID_SIZE];
	static const char body[] =
		"{'kind':'vae','dataset':'toy','seed':5,'params':{" NET "," SHORT ",'schedule':'cosine'}}";
	house_submit(h, body, id);
	assert_int_equal(house_wait_end(h, id), JOB_SUCCEEDED);
	submit_edited(h, body, 4 * 7, "{\"lr\":0.02,\"epochs\":11,\"beta\":50}", edited);
	fork_of(h, id, "{'checkpoint':4,'params':{'lr':0.02,'epochs':11,'beta':50}}", fork);
	assert_int_equal(house_wait_end(h, fork), JOB_SUCCEEDED);
	assert_same_curves(h, edited, fork, 0);
	struct job x = house_job(h, edited), y = house_job(h, fork);
	assert_true(x.best_epoch > 4 && x.best_epoch == y.best_epoch && x.best_value == y.best_value);
	assert_int_equal(y.step, 11 * 7);
	assert_string_equal(x.test, y.test);
	job_free(&x);
	job_free(&y);
	/* an unchanged fork of what was changed right then, and before */
	fork_of(h, edited, "{'checkpoint':4}", fork);
	assert_int_equal(house_wait_end(h, fork), JOB_SUCCEEDED);
	assert_same_curves(h, edited, fork, 0);
	fork_of(h, edited, "{'checkpoint':6}", fork);
	assert_int_equal(house_wait_end(h, fork), JOB_SUCCEEDED);
	assert_same_curves(h, edited, fork, 0);
	/* from before the change: without it */
	fork_of(h, edited, "{'checkpoint':3}", fork);
	assert_int_equal(house_wait_end(h, fork), JOB_SUCCEEDED);
	assert_same_curves(h, id, fork, 0);
}

/* A change of the loss right after a checkpoint is met again by a run that is taken up from it: nothing before is the best. */
static void test_edit_at_a_checkpoint(void **state)
{
	struct house *h = *state;
	char id[JOB_ID_SIZE], again[JOB_ID_SIZE], name[64], path[BLOB_PATH_MAX], sql[200];
	static const char body[] = "{'kind':'vae','dataset':'toy','seed':5,'params':{" NET "," SHORT "}}";
	submit_edited(h, body, 4 * 7, "{\"beta\":50}", id);
	submit_edited(h, body, 4 * 7, "{\"beta\":50}", again);
	house_close(h);
	for (int epoch = 5; epoch <= 8; epoch++) { /* as if killed then */
		blob_checkpoint_name(name, sizeof name, epoch);
		blob_path(path, sizeof path, h->dir, again, name);
		assert_int_equal(unlink(path), 0);
	}
	snprintf(sql, sizeof sql, "UPDATE jobs SET status='running' WHERE id='%s'", again);
	temp_sql(h->dir, sql);
	house_open(h);
	assert_int_equal(house_wait_end(h, again), JOB_SUCCEEDED);
	struct job x = house_job(h, id), y = house_job(h, again);
	assert_true(x.best_epoch > 4);
	assert_int_equal(x.best_epoch, y.best_epoch);
	assert_string_equal(x.test, y.test);
	job_free(&x);
	job_free(&y);
	assert_same_file(h, id, again, "checkpoints/epoch-000008.safetensors");
}

static void test_other_schedule_and_patience(void **state)
{
	struct house *h = *state;
	char id[JOB_ID_SIZE], fork[JOB_ID_SIZE];
	struct curve c;
	house_submit(h,
		"{'kind':'ae','dataset':'toy','params':{" NET "," SHORT
		",'schedule':'step','lr_step_epochs':1,'lr_gamma':0.5,'lr':1e-9,'early_stopping':{'patience':2,'min_delta':1}}}",
		id);
	assert_int_equal(house_wait_end(h, id), JOB_SUCCEEDED);
	assert_refused(h, id, "{'checkpoint':'last'}", "#/params/early_stopping", "pass a patience > 2, or null");
	fork_of(h, id, "{'checkpoint':'last','params':{'early_stopping':null,'schedule':'constant','lr':0.01,'epochs':5}}",
		fork);
	assert_int_equal(house_wait_end(h, fork), JOB_SUCCEEDED);
	assert_int_equal(store_curve(h->store, fork, "lr", 0, &c, NULL), OK);
	assert_int_equal(c.n, 5 * 7);
	assert_true(c.value[2 * 7] < 1e-9 && c.value[3 * 7] == 0.01); /* from its whole */
	curve_free(&c);
	struct job job = house_job(h, fork);
	assert_true(job.best_epoch == 5);
	job_free(&job);
}

/* The same twice, once by a daemon that is stopped on the way: before its own first checkpoint, and after. */
static void fork_twice(struct house *h, const char *ref, const char *text, char id[JOB_ID_SIZE])
{
	char shaken[JOB_ID_SIZE];
	fork_of(h, ref, text, id);
	assert_int_equal(house_wait_end(h, id), JOB_SUCCEEDED);
	fork_of(h, ref, text, shaken);
	struct job job = house_job(h, shaken);
	for (int64_t step = job.fork_step + 1; step < job.steps; step += 11) {
		house_wait(h, shaken, step);
		house_close(h);
		house_open(h);
	}
	job_free(&job);
	assert_int_equal(house_wait_end(h, shaken), JOB_SUCCEEDED);
	assert_same_results(h, id, shaken);
	assert_same_curves(h, id, shaken, 0);
}

static void test_switched(void **state)
{
	struct house *h = *state;
	char plain_id[JOB_ID_SIZE], all[JOB_ID_SIZE], none[JOB_ID_SIZE];
	h->checkpoint_ms = 3;
	house_close(h);
	house_open(h);
	house_submit(h,
		"{'kind':'ae','dataset':'toy','params':{" NET "," SHORT
		",'norm':'batch','optimizer':'sgd','momentum':0,'lr':0.01}}",
		plain_id);
	assert_int_equal(house_wait_end(h, plain_id), JOB_SUCCEEDED);
	fork_twice(h, plain_id,
		"{'checkpoint':3,'params':{'ema':0.9,'dropout':0.1,'dropout2d':0.1,'momentum':0.9,'nesterov':true,"
		"'prune':{'start_epoch':5,'amount':0.3}}}",
		all);
	fork_twice(h, all,
		"{'checkpoint':6,'params':{'ema':0,'dropout':0,'dropout2d':0,'momentum':0,'nesterov':false,'prune':null}}", none);
	struct job job = house_job(h, none);
	assert_true(job.test && job.best_epoch);
	job_free(&job);
}

/* A roll-back goes to an epoch of the other's, which kept a running mean. */
static void test_switched_and_rolled_back(void **state)
{
	struct house *h = *state;
	char id[JOB_ID_SIZE], fork[JOB_ID_SIZE];
	house_submit(h,
		"{'kind':'gan','dataset':'toy','seed':1,'params':{'latent_dim':4,'channels':[6,4],'discriminator_channels':[4,6]," SHORT
		",'ema':0.9,'spectral_norm':false,'judge_samples':0,'on_collapse':'rollback'}}",
		id);
	assert_int_equal(house_wait_end(h, id), JOB_SUCCEEDED);
	fork_of(h, id, "{'checkpoint':3,'params':{'ema':0,'gan_loss':'saturating','r1':0,'instance_noise':0,'lr_d':0.05,'lr_g':1e-9,'epochs':90}}", fork);
	house_wait_end(h, fork);
	assert_true(house_events(h, fork, EVENT_ALERT, "went back to the weights of epoch") > 0);
}

/* --- refused --- */

static void test_refused(void **state)
{
	static const char *const rows[][3] = {
		{"{}", "#/params/epochs", "all 8 epochs are done; pass params.epochs > 8"},
		{"{'params':{'epochs':8}}", "#/params/epochs", "all 8 epochs are done"},
		{"{'checkpoint':4,'params':{'epochs':4}}", "#/params/epochs", "all 4 epochs are done; pass params.epochs > 4"},
		{"{'checkpoint':4,'params':{'latent_dim':3}}", "#/params/latent_dim", "stays what it is"},
		{"{'checkpoint':4,'params':{'hidden':[7]}}", "#/params/hidden", "stays what it is"},
		{"{'checkpoint':4,'params':{'batch_size':35}}", "#/params/batch_size", "stays what it is"},
		{"{'checkpoint':4,'params':{'val_fraction':0.2}}", "#/params/val_fraction", "stays what it is"},
		{"{'checkpoint':4,'params':{'train_limit':100}}", "#/params/train_limit", "stays what it is"},
		{"{'checkpoint':4,'params':{'optimizer':'sgd'}}", "#/params/optimizer", "stays what it is"},
		{"{'checkpoint':4,'params':{'activation':'tanh'}}", "#/params/activation", "stays what it is"},
		{"{'checkpoint':4,'params':{'norm':'batch'}}", "#/params/norm", "stays what it is"},
		{"{'checkpoint':4,'params':{'lrr':0.1}}", "#/params/lrr", "did you mean 'lr'"},
		{"{'checkpoint':4,'params':{'lr':100}}", "#/params/lr", "must be 0..10"},
		{"{'checkpoint':4,'params':3}", "#/params", "must be an object"},
		{"{'checkpoint':9}", "#/checkpoint", "it has epochs 1, 2"},
		{"{'checkpoint':'newest'}", "#/checkpoint", "say best, last or the number"},
		{"{'checkpoint':true}", "#/checkpoint", "must be"},
		{"{'seed':3}", "#/seed", "unknown field"},
		{"{'name':'job_3'}", "#/name", "must not begin with job_"},
		{"{'priority':3000}", "#/priority", "must be"},
	};
	struct house *h = *state;
	char id[JOB_ID_SIZE], other[JOB_ID_SIZE];
	struct err err = {0};
	house_submit(h, "{'kind':'ae','dataset':'toy','params':{" NET "," SHORT ",'lr':0.01}}", id);
	assert_int_equal(house_wait_end(h, id), JOB_SUCCEEDED);
	struct job job = house_job(h, id);
	assert_int_equal(job.best_epoch, 8);
	job_free(&job);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_refused(h, id, rows[i][0], rows[i][1], rows[i][2]);
	assert_int_equal(try_fork(h, "nobody", "{}", other, &err), ERR_NOT_FOUND);
	h->workers = 0;
	house_close(h);
	house_open(h);
	house_submit(h, plain, other);
	assert_refused(h, other, "{}", "#/checkpoint", "it has none yet");
	/* the queue is full: nothing is left behind */
	store_set_queue_limit(h->store, 1);
	assert_int_equal(try_fork(h, id, "{'checkpoint':4}", other, &err), ERR_FULL);
	char command[BLOB_PATH_MAX + 40];
	snprintf(command, sizeof command, "test $(ls '%s/jobs' | wc -l) = 1", h->dir);
	assert_int_equal(system(command), 0);
}

/* --- lost --- */

static void lose(struct house *h, const char *id, int epoch, bool whole)
{
	char path[BLOB_PATH_MAX], name[64];
	blob_checkpoint_name(name, sizeof name, epoch);
	blob_path(path, sizeof path, h->dir, id, name);
	if (whole)
		assert_int_equal(unlink(path), 0);
	else
		assert_int_equal(truncate(path, 3000), 0);
}

/* Neither anew nor from the best epoch before, which its folder has as well. */
static void test_a_lost_checkpoint_is_told(void **state)
{
	struct house *h = *state;
	char id[JOB_ID_SIZE], head[JOB_ID_SIZE], fork[3][JOB_ID_SIZE];
	/* the best epoch is the first */
	house_submit(h,
		"{'kind':'ae','dataset':'toy','name':'a','params':{" NET "," SHORT
		",'lr':0.2,'optimizer':'sgd','checkpoint_every_epochs':3}}",
		id);
	assert_int_equal(house_wait_end(h, id), JOB_SUCCEEDED);
	house_submit(h, "{'kind':'finetune','dataset':'toy','from':'a','params':{'head':[]," SHORT "}}", head);
	assert_int_equal(house_wait_end(h, head), JOB_SUCCEEDED);
	h->workers = 0;
	house_close(h);
	house_open(h);
	fork_of(h, id, "{'checkpoint':3}", fork[0]);
	fork_of(h, id, "{'checkpoint':6}", fork[1]);
	fork_of(h, head, "{'checkpoint':4}", fork[2]);
	house_close(h);
	lose(h, fork[0], 3, true);
	lose(h, fork[1], 6, false);
	lose(h, fork[2], 4, true);
	h->workers = 1;
	house_open(h);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(house_wait_end(h, fork[i]), JOB_FAILED);
		struct job job = house_job(h, fork[i]);
		assert_string_equal(job.error_code, "corrupt_data");
		assert_non_null(strstr(job.error_detail, "is lost or damaged; fork job_"));
		job_free(&job);
	}
}

/* The best epoch of then is no longer kept: the one that it goes on from stands for it, and has a file. */
static void test_a_lost_best_is_replaced(void **state)
{
	struct house *h = *state;
	char id[JOB_ID_SIZE], fork[JOB_ID_SIZE];
	submit_edited(h, plain, 2 * 7, "{\"lr\":5}", id); /* worse from there on */
	struct job job = house_job(h, id);
	const int best = job.best_epoch;
	job_free(&job);
	assert_true(best < 7);
	lose(h, id, best, true);
	fork_of(h, id, "{'checkpoint':7,'params':{'lr':1e-12}}", fork);
	assert_int_equal(house_wait_end(h, fork), JOB_SUCCEEDED);
	job = house_job(h, fork);
	assert_true(job.best_epoch >= 7 && job.test);
	job_free(&job);
	assert_int_equal(house_events(h, fork, EVENT_LOG, "is no longer kept: epoch 7 stands for it"), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, house_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_unchanged),
		TEST(test_unchanged_with_everything),
		TEST(test_unchanged_of_every_kind),
		TEST(test_of_a_job_that_runs),
		TEST(test_changed),
		TEST(test_edit_at_a_checkpoint),
		TEST(test_other_schedule_and_patience),
		TEST(test_switched),
		TEST(test_switched_and_rolled_back),
		TEST(test_refused),
		TEST(test_a_lost_checkpoint_is_told),
		TEST(test_a_lost_best_is_replaced),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
