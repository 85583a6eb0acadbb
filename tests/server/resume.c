/* A run that is cut short, however and however often, ends with the bits of one that was not. */
#include "server/sched.h"

#include "server/blob.h"
#include "server/checkpoint.h"
#include "tests/server/toy.h"

#include <signal.h>
#include <sys/wait.h>

/* 7 steps an epoch, the last one short */
static const char body[] = "{'kind':'ae','dataset':'toy','seed':5,'params':{'latent_dim':2,'channels':[2],'kernel':[3],"
						   "'stride':[2],'padding':[1],'hidden':[],'epochs':8,'batch_size':36,"
						   "'checkpoint_every_epochs':3}}";

static int setup(void **state)
{
	house_setup(state);
	toy_write(*state, 0);
	return 0;
}

/* The fingerprint of an undisturbed run, made once. */
static const char *reference(void)
{
	static char text[SHA256_HEX];
	if (!*text) {
		void *state;
		char id[JOB_ID_SIZE];
		setup(&state);
		house_submit(state, body, id);
		assert_int_equal(house_wait_end(state, id), JOB_SUCCEEDED);
		house_fingerprint(state, id, text);
		house_teardown(&state);
	}
	return text;
}

static int numbered_files(struct house *h, const char *id)
{
	int *epochs, n;
	assert_int_equal(blob_epochs(h->dir, id, "checkpoints/epoch-", ".safetensors", &epochs, &n, NULL), OK);
	free(epochs);
	return n;
}

static void assert_as_undisturbed(struct house *h, const char *id)
{
	char text[SHA256_HEX];
	house_fingerprint(h, id, text);
	assert_string_equal(text, reference());
	/* and nothing was said twice or left out */
	house_check_epochs(h, id, 8, 7);
	assert_int_equal(house_events(h, id, EVENT_METRICS, "\"epoch_end\":"), 8);
	assert_int_equal(house_events(h, id, EVENT_PREVIEW, NULL), 9);
	assert_int_equal(house_events(h, id, EVENT_CHECKPOINT, NULL), numbered_files(h, id));
	assert_int_equal(house_events(h, id, EVENT_END, NULL), 1);
	assert_false(house_has_file(h, id, "checkpoints/inside.safetensors"));
	assert_true(house_has_file(h, id, "job.json"));
}

static void test_equal_seeds_equal_bits(void **state)
{
	struct house *h = *state;
	char id[JOB_ID_SIZE];
	h->checkpoint_ms = 1; /* one at every step changes nothing */
	house_close(h);
	house_open(h);
	house_submit(h, body, id);
	assert_int_equal(house_wait_end(h, id), JOB_SUCCEEDED);
	assert_as_undisturbed(h, id);
}

static void test_drained_and_reopened(void **state)
{
	static const int64_t cuts[] = {2, 7, 12, 23, 40};
	struct house *h = *state;
	char id[JOB_ID_SIZE];
	house_submit(h, body, id);
	for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
		house_wait(h, id, cuts[i]);
		house_close(h);
		house_open(h);
	}
	assert_int_equal(house_wait_end(h, id), JOB_SUCCEEDED);
	assert_as_undisturbed(h, id);
	struct job job = house_job(h, id);
	assert_true(job.attempt >= 2); /* the later cuts may have come after the end */
	job_free(&job);
}

static size_t stored_points(struct house *h, const char *id)
{
	struct curve c;
	assert_int_equal(store_curve(h->store, id, "train_loss", 0, &c, NULL), OK);
	size_t n = c.n;
	curve_free(&c);
	return n;
}

/* The daemon's rooms, until so many points are new on disk, then for so long more; then gone without a word. */
static void run_and_die(const char *dir, const char *id, size_t points, useconds_t us)
{
	struct house h = {.dir = strdup(dir), .workers = 1, .checkpoint_ms = 5};
	house_open(&h);
	size_t begin = stored_points(&h, id);
	for (;;) {
		struct job job = house_job(&h, id);
		if (job_terminal(job.status))
			_exit(0);
		job_free(&job);
		if (stored_points(&h, id) >= begin + points)
			break;
		usleep(200);
	}
	usleep(us);
	kill(getpid(), SIGKILL);
}

/* True if it was killed, false if the job had ended. */
static bool survive_one(const char *dir, const char *id, size_t points, useconds_t us)
{
	int status = 0;
	pid_t child = fork();
	if (!child)
		run_and_die(dir, id, points, us);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static void test_killed_again_and_again(void **state)
{
	struct house *h = *state;
	char id[JOB_ID_SIZE];
	unsigned kills = 0;
	h->workers = 0;
	house_close(h);
	house_open(h);
	house_submit(h, body, id);
	house_close(h);
	/* every fourth time before anything new is stored; else after 1..3 points and up to a few milliseconds */
	while (survive_one(h->dir, id, kills % 4, kills * 1657 % 5000))
		kills++;
	house_open(h);
	struct job job = house_job(h, id);
	assert_int_equal(job.status, JOB_SUCCEEDED);
	print_message("%u kills, %d starts\n", kills, job.attempt);
	job_free(&job);
	assert_true(kills > 4);
	assert_as_undisturbed(h, id);
}

/* A kill between the rename of the last numbered file and what follows it; an earlier one, before the folder explained itself. */
static void test_killed_right_after_the_last_file(void **state)
{
	struct house *h = *state;
	char id[JOB_ID_SIZE], inside[BLOB_PATH_MAX], numbered[BLOB_PATH_MAX];
	void *bytes;
	size_t size;
	house_submit(h, body, id);
	assert_int_equal(house_wait_end(h, id), JOB_SUCCEEDED);
	house_close(h);
	blob_path(numbered, sizeof numbered, h->dir, id, "checkpoints/epoch-000008.safetensors");
	blob_path(inside, sizeof inside, h->dir, id, "checkpoints/inside.safetensors");
	assert_int_equal(blob_read(numbered, &bytes, &size, NULL), OK);
	assert_int_equal(blob_write(inside, bytes, size, NULL), OK);
	free(bytes);
	blob_path(inside, sizeof inside, h->dir, id, "job.json");
	assert_int_equal(unlink(inside), 0);
	temp_sql(h->dir,
		"DELETE FROM events WHERE seq>=(SELECT seq FROM events WHERE type='checkpoint' AND once='epoch 8');"
		"UPDATE jobs SET status='running', best_epoch=0, last_seq=(SELECT max(seq) FROM events)");
	house_open(h);
	assert_int_equal(house_wait_end(h, id), JOB_SUCCEEDED);
	assert_as_undisturbed(h, id);
	struct job job = house_job(h, id);
	assert_true(job.best_epoch > 0 && job.test);
	job_free(&job);
}

static void flip_byte(struct house *h, const char *id, const char *name)
{
	char path[BLOB_PATH_MAX];
	blob_path(path, sizeof path, h->dir, id, name);
	FILE *f = fopen(path, "r+");
	assert_non_null(f);
	fseek(f, -3000, SEEK_END);
	int c = fgetc(f);
	fseek(f, -3000, SEEK_END);
	fputc(c ^ 1, f);
	fclose(f);
}

static void test_damaged_checkpoints_are_passed_over(void **state)
{
	struct house *h = *state;
	char id[JOB_ID_SIZE], name[64];
	int *epochs, n;
	house_submit(h, body, id);
	house_wait(h, id, 25);
	house_close(h); /* leaves checkpoints/inside */
	assert_int_equal(blob_epochs(h->dir, id, "checkpoints/epoch-", ".safetensors", &epochs, &n, NULL), OK);
	assert_true(n >= 2);
	blob_checkpoint_name(name, sizeof name, epochs[n - 1]);
	free(epochs);
	flip_byte(h, id, name);
	bool inside = house_has_file(h, id, "checkpoints/inside.safetensors");
	if (inside)
		flip_byte(h, id, "checkpoints/inside.safetensors");
	house_open(h);
	assert_int_equal(house_wait_end(h, id), JOB_SUCCEEDED);
	assert_int_equal(house_events(h, id, EVENT_LOG, "a damaged checkpoint was skipped"), 1 + inside);
	assert_as_undisturbed(h, id);
}

static void test_changed_data_is_refused(void **state)
{
	struct house *h = *state;
	char id[JOB_ID_SIZE];
	house_submit(h, "{'kind':'ae','dataset':'toy','params':{'latent_dim':2,'epochs':100000}}", id);
	house_wait(h, id, 10);
	house_close(h);
	toy_write(h, 5);
	house_open(h);
	assert_int_equal(house_wait_end(h, id), JOB_FAILED);
	struct job job = house_job(h, id);
	assert_string_equal(job.error_code, "dataset_changed");
	assert_non_null(strstr(job.error_detail, "put the old files back"));
	assert_string_equal(job.stop_reason, "dataset_changed");
	job_free(&job);
}

/* --- parameters that change under way --- */

static const char long_body[] =
	"{'kind':'ae','dataset':'toy','seed':5,'params':{'latent_dim':2,'channels':[2],'kernel':[3],"
	"'stride':[2],'padding':[1],'hidden':[],'epochs':60,'batch_size':36,'schedule':'cosine',"
	"'checkpoint_every_epochs':4}}";

/* A run that is edited twice and never disturbed: what it comes to, and when its edits took effect. */
static void edited_reference(char text[SHA256_HEX], struct edit_list *ret)
{
	void *state;
	char id[JOB_ID_SIZE];
	setup(&state);
	house_submit(state, long_body, id);
	house_wait(state, id, 30);
	toy_edit(state, id, "{\"params\":{\"lr\":0.01,\"epochs\":80}}");
	house_wait(state, id, 200);
	toy_edit(state, id, "{\"params\":{\"lr\":0.0001}}");
	assert_int_equal(house_wait_end(state, id), JOB_SUCCEEDED);
	house_fingerprint(state, id, text);
	assert_int_equal(stored_points(state, id), 80 * 7);
	assert_int_equal(store_edits(((struct house *)state)->store, id, ret, NULL), OK);
	assert_int_equal(ret->n, 2);
	assert_int_equal(house_events(state, id, EVENT_LOG, " at step "), 2);
	house_teardown(&state);
	for (int i = 0; i < 2; i++)
		assert_true(ret->row[i].step >= (i ? 200 : 30) && ret->row[i].step < 560);
}

/* The same edits at the same steps, as a killed daemon leaves them on disk; then it goes on, and is cut short again and again. */
static void test_edits_are_met_again(void **state)
{
	struct house *h = *state;
	char id[JOB_ID_SIZE], wanted[SHA256_HEX], text[SHA256_HEX], sql[600];
	struct edit_list edits;
	edited_reference(wanted, &edits);
	h->workers = 0;
	house_close(h);
	house_open(h);
	house_submit(h, long_body, id);
	house_close(h);
	for (int i = 0; i < edits.n; i++) {
		snprintf(sql, sizeof sql,
			"UPDATE jobs SET params_first=coalesce(params_first,params), params='{}';"
			"INSERT INTO edits(job,number,step,params,before) SELECT number,%d,%lld,'%s',params FROM jobs",
			i + 1, (long long)edits.row[i].step, edits.row[i].params);
		temp_sql(h->dir, sql);
	}
	h->workers = 1;
	h->checkpoint_ms = 3;
	const int64_t first = edits.row[0].step, second = edits.row[1].step;
	const int64_t cuts[] = {first - 3, first, first + 1, second - 1, second, second + 20};
	house_open(h);
	for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
		house_wait(h, id, cuts[i]);
		house_close(h);
		house_open(h);
	}
	assert_int_equal(house_wait_end(h, id), JOB_SUCCEEDED);
	house_fingerprint(h, id, text);
	assert_string_equal(text, wanted);
	edit_list_free(&edits);
}

/* What is asked for while steps are repeated takes effect after them. */
static void test_edit_waits_for_repeated_steps(void **state)
{
	struct house *h = *state;
	char id[JOB_ID_SIZE];
	struct edit_list edits;
	house_submit(h, long_body, id);
	house_wait(h, id, 100);
	house_close(h);
	assert_int_equal(store_open(&h->store, h->dir, NULL), OK);
	assert_int_equal(store_edits(h->store, id, &edits, NULL), OK);
	const int64_t told = edits.told_step;
	edit_list_free(&edits);
	store_close(h->store);
	char path[BLOB_PATH_MAX];
	blob_path(path, sizeof path, h->dir, id, "checkpoints");
	char command[BLOB_PATH_MAX + 16];
	snprintf(command, sizeof command, "rm -r '%s'", path); /* all steps again */
	assert_int_equal(system(command), 0);
	house_open(h);
	toy_edit(h, id, "{\"params\":{\"lr\":0.01}}");
	assert_int_equal(house_wait_end(h, id), JOB_SUCCEEDED);
	assert_int_equal(store_edits(h->store, id, &edits, NULL), OK);
	assert_int_equal(edits.n, 1);
	assert_true(edits.row[0].step >= told);
	edit_list_free(&edits);
}

/* One that comes too late leaves the parameters as they were in force. */
static void test_too_late(void **state)
{
	struct house *h = *state;
	char id[JOB_ID_SIZE];
	h->workers = 0;
	house_close(h);
	house_open(h);
	house_submit(h, body, id);
	toy_edit(h, id, "{\"params\":{\"lr\":0.01,\"epochs\":9}}");
	toy_edit(h, id, "{\"params\":{\"epochs\":10}}");
	struct job job = house_job(h, id);
	assert_int_equal(job.epochs, 10);
	job_free(&job);
	assert_int_equal(house_ask(h, id, COMMAND_CANCEL, &job, NULL), OK);
	assert_int_equal(job.epochs, 8);
	assert_non_null(strstr(job.params, "\"epochs\":8"));
	assert_null(strstr(job.params, "\"lr\":0.01,"));
	job_free(&job);
	assert_int_equal(house_events(h, id, EVENT_LOG, "came too late"), 1);
	assert_int_equal(house_events(h, id, EVENT_END, NULL), 1);
}

/* The means that the ends of epochs tell of a series that has no point at some steps, the first of an epoch among them: taken
 * up anywhere, they are those of the curve, each told once. */
static void test_means_of_a_sparse_series(void **state)
{
	enum { EPOCHS = 6, STEPS = 8, CUTS = 6, CUT_US = 200000 };
	struct house *h = *state;
	char id[JOB_ID_SIZE], text[80];
	struct curve c;
	h->checkpoint_ms = 1;
	house_close(h);
	house_open(h);
	house_submit(h,
		"{'kind':'gan','dataset':'toy','params':{'n_critic':7,'epochs':6,'batch_size':32,'channels':[16,8],"
		"'discriminator_channels':[32,64],'latent_dim':4,'judge_samples':0,'preview_every_epochs':0}}",
		id);
	for (int i = 0; i < CUTS; i++) {
		usleep(CUT_US);
		house_close(h);
		house_open(h);
	}
	assert_int_equal(house_wait_end(h, id), JOB_SUCCEEDED);
	assert_int_equal(store_curve(h->store, id, "g_loss", 0, &c, NULL), OK);
	assert_int_equal(c.n, EPOCHS * STEPS / 7);
	for (int epoch = 1; epoch <= EPOCHS; epoch++) {
		double sum = 0;
		int n = 0;
		for (size_t i = 0; i < c.n; i++)
			if (c.step[i] > (epoch - 1) * STEPS && c.step[i] <= epoch * STEPS) {
				sum += c.value[i];
				n++;
			}
		snprintf(text, sizeof text, "\"g_loss\":%.9g,", sum / n);
		assert_int_equal(house_events(h, id, EVENT_METRICS, text), 1);
	}
	curve_free(&c);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, house_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_equal_seeds_equal_bits),
		TEST(test_drained_and_reopened),
		TEST(test_killed_again_and_again),
		TEST(test_killed_right_after_the_last_file),
		TEST(test_damaged_checkpoints_are_passed_over),
		TEST(test_changed_data_is_refused),
		TEST(test_edits_are_met_again),
		TEST(test_edit_waits_for_repeated_steps),
		TEST(test_too_late),
		TEST(test_means_of_a_sparse_series),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
