#include "server/blob.h"

#include "tests/server/temp.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { SYNCED_MAX = 64 };
static ino_t synced[SYNCED_MAX];
static int nsynced;

/* blob.c's, too: remembers what was made durable. */
int fsync(int fd)
{
	struct stat st;
	if (!fstat(fd, &st) && nsynced < SYNCED_MAX)
		synced[nsynced++] = st.st_ino;
	return fdatasync(fd);
}

static int setup(void **state)
{
	nsynced = 0;
	*state = temp_make();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	temp_remove(*state);
	return 0;
}

static void path_of(char path[BLOB_PATH_MAX], const char *dir, int epoch)
{
	char name[64];
	blob_checkpoint_name(name, sizeof name, epoch);
	blob_path(path, BLOB_PATH_MAX, dir, "job_1", name);
}

static void assert_holds(const char *path, const char *text)
{
	void *bytes;
	size_t size;
	assert_int_equal(blob_read(path, &bytes, &size, NULL), OK);
	assert_int_equal(size, strlen(text));
	assert_memory_equal(bytes, text, size);
	assert_int_equal((size_t)bytes % 64, 0);
	free(bytes);
}

static void test_names(void **state)
{
	char name[64], path[BLOB_PATH_MAX];
	(void)state;
	blob_checkpoint_name(name, sizeof name, 12);
	assert_string_equal(name, "checkpoints/epoch-000012.safetensors");
	blob_checkpoint_name(name, sizeof name, 0);
	assert_string_equal(name, "checkpoints/inside.safetensors");
	blob_preview_name(name, sizeof name, &(struct blob_preview){.epoch = 12, .step = 345, .what = "samples"});
	assert_string_equal(name, "previews/epoch-000012-step-000000345-samples.png");
	blob_preview_name(name, sizeof name, &(struct blob_preview){.what = "samples"});
	assert_string_equal(name, "previews/epoch-000000-samples.png");
	blob_path(path, sizeof path, "/d", "job_1", name);
	assert_string_equal(path, "/d/jobs/job_1/previews/epoch-000000-samples.png");
}

static void test_write_read_replace(void **state)
{
	char path[BLOB_PATH_MAX], folder[BLOB_PATH_MAX];
	struct stat st;
	path_of(path, *state, 1);
	assert_int_equal(blob_write(path, "one", 3, NULL), OK);
	assert_holds(path, "one");
	assert_int_equal(blob_write(path, "another", 7, NULL), OK);
	assert_holds(path, "another");
	assert_int_equal(blob_write(path, "", 0, NULL), OK);
	assert_holds(path, "");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	snprintf(folder, sizeof folder, "%s/jobs/job_1/checkpoints", (char *)*state);
	assert_int_equal(stat(folder, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

/* A file is lost with its folder, and that one with its own, unless each was made known in the one above. */
static void test_new_folders_are_durable(void **state)
{
	static const char *const folders[] = {"", "/jobs", "/jobs/job_1", "/jobs/job_1/checkpoints"};
	char path[BLOB_PATH_MAX];
	path_of(path, *state, 1);
	assert_int_equal(blob_write(path, "one", 3, NULL), OK);
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		struct stat st;
		bool found = false;
		snprintf(path, sizeof path, "%s%s", (char *)*state, folders[i]);
		assert_int_equal(stat(path, &st), 0);
		for (int k = 0; k < nsynced; k++)
			found = found || synced[k] == st.st_ino;
		if (!found)
			fail_msg("%s was not synced", path);
	}
}

static void test_missing_file(void **state)
{
	char path[BLOB_PATH_MAX];
	void *bytes;
	size_t size;
	struct err err = {0};
	path_of(path, *state, 9);
	assert_int_equal(blob_read(path, &bytes, &size, &err), ERR_NOT_FOUND);
	assert_non_null(strstr(err.message, path));
}

static void test_epochs(void **state)
{
	static const int written[] = {12, 3, 0, 100};
	char path[BLOB_PATH_MAX];
	int *epochs, n;
	assert_int_equal(blob_epochs(*state, "job_1", "checkpoints/epoch-", ".safetensors", &epochs, &n, NULL), OK);
	assert_int_equal(n, 0);
	for (size_t i = 0; i < 4; i++) {
		path_of(path, *state, written[i]);
		assert_int_equal(blob_write(path, "x", 1, NULL), OK);
	}
	path_of(path, *state, 7);
	strcat(path, ".tmp"); /* what a kill leaves */
	assert_int_equal(blob_write(path, "x", 1, NULL), OK);
	assert_int_equal(blob_epochs(*state, "job_1", "checkpoints/epoch-", ".safetensors", &epochs, &n, NULL), OK);
	assert_int_equal(n, 3);
	assert_int_equal(epochs[0], 3);
	assert_int_equal(epochs[1], 12);
	assert_int_equal(epochs[2], 100);
	free(epochs);
}

/* A file size limit stands for a full disk: the old file stays and no temporary remains. */
static void test_failed_write_keeps_the_old(void **state)
{
	char path[BLOB_PATH_MAX], temporary[BLOB_PATH_MAX + 8];
	static char large[100000];
	struct rlimit limit, small;
	struct err err = {0};
	path_of(path, *state, 1);
	assert_int_equal(blob_write(path, "old", 3, NULL), OK);
	getrlimit(RLIMIT_FSIZE, &limit);
	small = limit;
	small.rlim_cur = 50000;
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &small);
	int code = blob_write(path, large, sizeof large, &err);
	setrlimit(RLIMIT_FSIZE, &limit);
	assert_int_equal(code, ERR_IO);
	assert_non_null(strstr(err.message, "100000 bytes"));
	assert_holds(path, "old");
	snprintf(temporary, sizeof temporary, "%s.tmp", path);
	assert_int_equal(access(temporary, F_OK), -1);
}

/* Killed at any moment, a file is whole: all of one generation. */
static void test_kill_leaves_old_or_new(void **state)
{
	enum { SIZE = 200000, KILLS = 10 };
	static char bytes[SIZE];
	char path[BLOB_PATH_MAX];
	path_of(path, *state, 1);
	assert_int_equal(blob_write(path, bytes, sizeof bytes, NULL), OK); /* the first child may die before its first */
	for (unsigned i = 0; i < KILLS; i++) {
		pid_t child = fork();
		if (!child) {
			for (char generation = 'a';; generation = generation == 'z' ? 'a' : (char)(generation + 1)) {
				memset(bytes, generation, sizeof bytes);
				blob_write(path, bytes, sizeof bytes, NULL);
			}
		}
		usleep(10000 + i * 1700);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		char *read;
		size_t size;
		assert_int_equal(blob_read(path, (void **)&read, &size, NULL), OK);
		assert_int_equal(size, SIZE);
		for (size_t at = 1; at < size; at++)
			if (read[at] != read[0])
				fail_msg("byte %zu is of another generation", at);
		free(read);
	}
}

/* In the order in which they were taken, whatever the folder's; what is no picture of ours is passed over. */
static void test_previews(void **state)
{
	static const struct blob_preview wanted[] = {{0, 0, "reconstructions"}, {0, 0, "samples"}, {2, 5, "samples"},
		{2, 40, "samples"}, {2, 0, "reconstructions"}, {2, 0, "samples"}, {10, 41, "samples"}};
	static const char *const others[] = {"epoch-000001-samples.png.tmp", "epoch-1-samples.png",
		"epoch-000001-step-7-samples.png", "epoch-000001-step-000000000-samples.png", "epoch-000001-Samples.png",
		"samples.png"};
	enum { WANTED = sizeof wanted / sizeof *wanted, OTHERS = sizeof others / sizeof *others };
	struct blob_preview *found;
	char name[96], path[BLOB_PATH_MAX];
	int n;
	assert_int_equal(blob_previews(*state, "job_1", &found, &n, NULL), OK);
	assert_int_equal(n, 0);
	for (int i = WANTED; i-- > 0;) {
		blob_preview_name(name, sizeof name, &wanted[i]);
		blob_path(path, sizeof path, *state, "job_1", name);
		assert_int_equal(blob_write(path, "x", 1, NULL), OK);
	}
	for (int i = 0; i < OTHERS; i++) {
		snprintf(name, sizeof name, "previews/%s", others[i]);
		blob_path(path, sizeof path, *state, "job_1", name);
		assert_int_equal(blob_write(path, "x", 1, NULL), OK);
	}
	assert_int_equal(blob_previews(*state, "job_1", &found, &n, NULL), OK);
	assert_int_equal(n, WANTED);
	for (int i = 0; i < n; i++) {
		assert_int_equal(found[i].epoch, wanted[i].epoch);
		assert_int_equal(found[i].step, wanted[i].step);
		assert_string_equal(found[i].what, wanted[i].what);
	}
	free(found);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_names),
		TEST(test_write_read_replace),
		TEST(test_new_folders_are_durable),
		TEST(test_missing_file),
		TEST(test_epochs),
		TEST(test_previews),
		TEST(test_failed_write_keeps_the_old),
		TEST(test_kill_leaves_old_or_new),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
