/* Steps taken again come out as they did; what was planted between them is found and named. */
#include "server/verify.h"

#include "api/fork.h"
#include "server/checkpoint.h"
#include "tests/server/toy.h"

#define NET "'latent_dim':2,'channels':[2],'kernel':[3],'stride':[2],'padding':[1],'hidden':[6]"
/* 7 steps an epoch, the last one short */
#define SHORT "'epochs':5,'batch_size':36"

static const char plain[] = "{'kind':'ae','dataset':'toy','seed':5,'params':{" NET "," SHORT "}}";

static int setup(void **state)
{
	house_setup(state);
	toy_write(*state, 0);
	return 0;
}

static int try_verify(
	struct house *h, const char *ref, const char *which, int64_t steps, struct verification *ret, struct err *err)
{
	const atomic_bool stop = false;
	const struct verify_config config = {.store = h->store,
		.cache = h->cache,
		.data_dir = h->dir,
		.pool = h->pool,
		.kern = kern_at(cpu_best()),
		.stop = &stop};
	return verify(ret, &config, ref, which, steps, err);
}

static struct verification verified(struct house *h, const char *ref, const char *which, int64_t steps)
{
	struct verification v;
	struct err err = {0};
	if (try_verify(h, ref, which, steps, &v, &err))
		fail_msg("%s: %s", err.pointer, err.message);
	return v;
}

static void assert_same(struct house *h, const char *ref, const char *which, int64_t steps)
{
	const struct verification v = verified(h, ref, which, steps);
	if (v.what != VERIFY_SAME)
		fail_msg("%s at step %lld: %s %s[%lld] is %.17g, was %.17g", verify_what_name(v.what), (long long)v.step,
			v.name, v.detail, (long long)v.index, v.got, v.expected);
	assert_true(v.points >= v.to_step - v.from_step);
	assert_int_equal(strlen(v.sha256), 64);
}

static void test_of_every_kind(void **state)
{
	static const char *const bodies[] = {
		plain,
		"{'kind':'ae','dataset':'toy','params':{" NET "," SHORT
		",'norm':'batch','ema':0.9,'dropout':0.1,'schedule':'plateau','lr_patience':0,'augment':['hflip','crop'],'optimizer':'sgd',"
		"'prune':{'start_epoch':2,'every':2,'end_epoch':4},'early_stopping':{'patience':5},'lr':0.01}}",
		"{'kind':'vae','dataset':'toy','name':'v','params':{" NET "," SHORT
		",'beta_warmup':4,'free_bits':0.1,'optimizer':'adamw'}}",
		"{'kind':'gan','dataset':'toy','params':{'latent_dim':4,'channels':[6,4],'discriminator_channels':[4,6]," SHORT
		",'n_critic':2,'r1_every':3,'judge_samples':0}}",
		"{'kind':'finetune','dataset':'toy','from':'v','params':{'head':[5]," SHORT ",'unfreeze_after':2}}",
		"{'kind':'classifier','dataset':'toy','params':{'channels':[4],'convs':1," SHORT
		",'augment':['hflip','erase']}}",
	};
	struct house *h = *state;
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		char id[JOB_ID_SIZE];
		house_submit(h, bodies[i], id);
		assert_int_equal(house_wait_end(h, id), JOB_SUCCEEDED);
		struct verification v = verified(h, id, "", 0);
		assert_int_equal(v.epoch, 4);
		assert_int_equal(v.checkpoints, 1);
		assert_true(v.tensors > 8 && v.to_step > v.from_step);
		assert_same(h, id, "", 0);
		v = verified(h, id, "1", v.to_step - v.from_step / 4);
		assert_int_equal(v.checkpoints, 4);
		assert_int_equal(v.what, VERIFY_SAME);
		assert_same(h, id, "2", 3); /* no checkpoint on the way */
	}
}

static void fork_of(struct house *h, const char *ref, const char *text, char id[JOB_ID_SIZE])
{
	struct json *body;
	const struct json *changes;
	struct spec spec;
	struct job job;
	struct err err = {0};
	struct err_more more = {0};
	assert_int_equal(json_parse(&body, text, strlen(text), &err), OK);
	if (fork_parse(&spec, &changes, body, &err, &more) ||
		sched_fork(h->sched, ref, &spec, changes, NULL, &job, &err, &more))
		fail_msg("%s", err.message);
	memcpy(id, job.id, JOB_ID_SIZE);
	spec_free(&spec);
	json_free(body);
	job_free(&job);
}

/* With parameters that changed on the way, or when it branched off. */
static void test_changed(void **state)
{
	struct house *h = *state;
	char id[JOB_ID_SIZE], fork[JOB_ID_SIZE], sql[400];
	h->workers = 0;
	house_close(h);
	house_open(h);
	house_submit(h, "{'kind':'vae','dataset':'toy','params':{" NET "," SHORT "}}", id);
	house_close(h);
	for (int i = 1; i <= 2; i++) { /* right after a checkpoint, and inside an epoch */
		snprintf(sql, sizeof sql,
			"UPDATE jobs SET params_first=coalesce(params_first,params);"
			"INSERT INTO edits(job,number,step,params,before) SELECT number,%d,%d,'{\"lr\":0.0%d,\"beta\":%d}',params FROM jobs",
			i, 14 + 5 * (i - 1), i, 10 * i);
		temp_sql(h->dir, sql);
	}
	h->workers = 1;
	house_open(h);
	assert_int_equal(house_wait_end(h, id), JOB_SUCCEEDED);
	assert_same(h, id, "1", 28);
	assert_same(h, id, "2", 21);
	assert_same(h, id, "3", 14);
	fork_of(h, id, "{\"checkpoint\":3,\"params\":{\"lr\":0.1,\"beta\":0.1,\"schedule\":\"cosine\"}}", fork);
	assert_int_equal(house_wait_end(h, fork), JOB_SUCCEEDED);
	assert_same(h, fork, "3", 14);
	assert_same(h, fork, "", 0);
	fork_of(h, id, "{\"checkpoint\":3,\"params\":{\"ema\":0.9,\"dropout\":0.2,\"prune\":{\"start_epoch\":4}}}", fork);
	assert_int_equal(house_wait_end(h, fork), JOB_SUCCEEDED);
	assert_same(h, fork, "3", 14);
}

/* --- planted --- */

/* One bit of a number of a tensor, and the checksum mended, so that only taking the steps again can tell. */
static void plant(struct house *h, const char *id, int epoch, const char *tensor, size_t at)
{
	struct checkpoint c;
	char path[BLOB_PATH_MAX], name[64];
	assert_int_equal(checkpoint_load(&c, h->dir, id, epoch, NULL), OK);
	const struct tensor *t = state_find(&c.st.state, tensor);
	assert_non_null(t);
	((uint8_t *)t->data)[at * dtype_size(t->dtype) + 2] ^= 0x20;
	struct sha256 hash;
	sha256_init(&hash);
	sha256_update(&hash, c.file, c.size - SHA256_BYTES);
	sha256_digest(&hash, (uint8_t *)c.file + c.size - SHA256_BYTES);
	blob_checkpoint_name(name, sizeof name, epoch);
	blob_path(path, sizeof path, h->dir, id, name);
	assert_int_equal(blob_write(path, c.file, c.size, NULL), OK);
	checkpoint_free(&c);
	assert_int_equal(checkpoint_load(&c, h->dir, id, epoch, NULL), OK);
	checkpoint_free(&c);
}

static void test_planted_weight(void **state)
{
	struct house *h = *state;
	char id[JOB_ID_SIZE];
	house_submit(h, plain, id);
	assert_int_equal(house_wait_end(h, id), JOB_SUCCEEDED);
	plant(h, id, 5, "decoder.0.weight", 7);
	struct verification v = verified(h, id, "", 0);
	assert_int_equal(v.what, VERIFY_TENSOR);
	assert_string_equal(v.name, "decoder.0.weight");
	assert_int_equal(v.index, 7);
	assert_int_equal(v.step, 35);
	assert_true(v.expected != v.got && isfinite(v.got));
	plant(h, id, 5, "decoder.0.weight", 7); /* back */
	assert_same(h, id, "", 0);
	plant(h, id, 3, "optim.exp_avg.encoder.0.bias", 1);
	v = verified(h, id, "2", 21);
	assert_int_equal(v.what, VERIFY_TENSOR);
	assert_string_equal(v.name, "optim.exp_avg.encoder.0.bias");
	assert_int_equal(v.step, 21);
	v = verified(h, id, "3", 7); /* what follows from it is not what followed then */
	assert_true(v.what == VERIFY_POINT || v.what == VERIFY_TENSOR);
	assert_same(h, id, "4", 7);
}

static void test_planted_point(void **state)
{
	struct house *h = *state;
	char id[JOB_ID_SIZE];
	house_submit(h, plain, id);
	assert_int_equal(house_wait_end(h, id), JOB_SUCCEEDED);
	house_close(h);
	/* the lowest bit of the last value of the row that ends with the last step */
	temp_sql(h->dir,
		"UPDATE points SET data=CAST(substr(data,1,length(data)-8)||(CASE WHEN hex(substr(data,-8,1))='00' THEN x'01' ELSE x'00' END)"
		"||substr(data,-7) AS BLOB) WHERE last_step=35 AND series=(SELECT id FROM series WHERE name='train_loss')");
	house_open(h);
	const struct verification v = verified(h, id, "", 0);
	assert_int_equal(v.what, VERIFY_POINT);
	assert_string_equal(v.name, "train_loss");
	assert_int_equal(v.step, 35);
	assert_true(v.expected != v.got && fabs(v.expected - v.got) < 1e-9);
}

static void test_damaged_files(void **state)
{
	struct house *h = *state;
	char id[JOB_ID_SIZE], path[BLOB_PATH_MAX];
	house_submit(h, plain, id);
	assert_int_equal(house_wait_end(h, id), JOB_SUCCEEDED);
	blob_path(path, sizeof path, h->dir, id, "checkpoints/epoch-000003.safetensors");
	assert_int_equal(truncate(path, 5000), 0);
	assert_int_equal(verified(h, id, "3", 0).what, VERIFY_FILE);
	struct verification v = verified(h, id, "2", 0);
	assert_int_equal(v.what, VERIFY_FILE);
	assert_non_null(strstr(v.detail, "epoch-000003"));
	assert_int_equal(v.step, 21);
}

static void test_refused(void **state)
{
	static const struct {
		const char *which;
		int64_t steps;
		const char *pointer, *words;
	} rows[] = {
		{"5", 0, "#/checkpoint", "nothing is known of what follows epoch 5"},
		{"last", 0, "#/checkpoint", "nothing is known of what follows epoch 5"},
		{"9", 0, "#/checkpoint", "it has epochs 1, 2, 3, 4, 5"},
		{"newest", 0, "#/checkpoint", "say best, last or the number"},
		{"4", 8, "#/steps", "must be 1..7"},
	};
	struct house *h = *state;
	char id[JOB_ID_SIZE];
	struct verification v;
	struct err err = {0};
	house_submit(h, plain, id);
	assert_int_equal(house_wait_end(h, id), JOB_SUCCEEDED);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (try_verify(h, id, rows[i].which, rows[i].steps, &v, &err) != ERR_INVALID ||
			strcmp(err.pointer, rows[i].pointer) || !strstr(err.message, rows[i].words))
			fail_msg("%s %lld: %s %s", rows[i].which, (long long)rows[i].steps, err.pointer, err.message);
	assert_int_equal(try_verify(h, "nobody", "", 0, &v, &err), ERR_NOT_FOUND);
	const atomic_bool stop = false;
	const struct verify_config small = {.store = h->store,
		.cache = h->cache,
		.data_dir = h->dir,
		.pool = h->pool,
		.kern = kern_at(cpu_best()),
		.memory_bytes = 1000,
		.stop = &stop};
	assert_int_equal(verify(&v, &small, id, "", 0, &err), ERR_UNAVAILABLE);
	assert_non_null(strstr(err.message, "are left beside the jobs that run"));
	toy_write(h, 5);
	house_close(h);
	house_open(h);
	assert_int_equal(try_verify(h, id, "", 0, &v, &err), ERR_DATASET_CHANGED);
}

/* While it runs, again and again: it ends with the bits of one that nobody verified. */
static void test_of_a_job_that_runs(void **state)
{
	static const char body[] = "{'kind':'ae','dataset':'toy','seed':5,'params':{" NET ",'epochs':60,'batch_size':36}}";
	struct house *h = *state;
	char id[JOB_ID_SIZE], calm[SHA256_HEX], seen[SHA256_HEX];
	house_submit(h, body, id);
	assert_int_equal(house_wait_end(h, id), JOB_SUCCEEDED);
	house_fingerprint(h, id, calm);
	house_submit(h, body, id);
	house_wait(h, id, 40);
	for (int i = 0; i < 4; i++)
		assert_same(h, id, "", 0);
	assert_int_equal(house_wait_end(h, id), JOB_SUCCEEDED);
	house_fingerprint(h, id, seen);
	assert_string_equal(seen, calm);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, house_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_of_every_kind),
		TEST(test_changed),
		TEST(test_planted_weight),
		TEST(test_planted_point),
		TEST(test_damaged_files),
		TEST(test_refused),
		TEST(test_of_a_job_that_runs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
