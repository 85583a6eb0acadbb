#include "api/manifest.h"

#include "tests/api/check.h"

#include <stdlib.h>

static void there_and_back(void **state)
{
	struct job job = {.id = "job_abc123",
				   .number = 7,
				   .kind = "vae",
				   .preset = "report",
				   .dataset = "shoes",
				   .name = "a \"name\"",
				   .from_job = "job_0",
				   .from_epoch = 3,
				   .seed = (UINT64_C(1) << 53) - 1,
				   .priority = -4,
				   .created_at_ms = 1700000000000,
				   .epochs = 5,
				   .steps = 50,
				   .ancestors_train_s = 0.1,
				   .time_limit_s = 60,
				   .max_retries = 2,
				   .params = (char[]){"{\"lr\":0.001,\"channels\":[8,16]}"},
				   .metadata = (char[]){"{\"why\":\"ä\"}"},
				   .depends_on = (char[]){"[\"job_1\",\"job_2\"]"}},
			   back;
	(void)state;
	for (int pretty = 0; pretty < 2; pretty++) {
		struct buf b = BUF_INIT, again = BUF_INIT;
		manifest_print(&b, &job, pretty);
		assert_int_equal(manifest_parse(&back, b.data, b.len, NULL), OK);
		manifest_print(&again, &back, pretty);
		assert_string_equal(b.data, again.data);
		assert_string_equal(back.params, job.params);
		assert_string_equal(back.depends_on, job.depends_on);
		assert_true(back.seed == job.seed && back.number == 7 && back.ancestors_train_s == 0.1);
		assert_true(pretty || !strchr(b.data, '\n'));
		job_free(&back);
		buf_free(&b);
		buf_free(&again);
	}
}

static void what_is_none(void **state)
{
	static const char *const texts[] = {"", "[]", "{}",
		"{\"id\":\"../x\",\"kind\":\"ae\",\"dataset\":\"d\",\"params\":{\"lr\":1}}",
		"{\"id\":\"job_1\",\"kind\":\"ae\",\"dataset\":\"d\"}",
		"{\"id\":\"job_1\",\"kind\":\"ae\",\"params\":{\"lr\":1}}",
		"{\"id\":\"job_1\",\"kind\":\"ae\",\"dataset\":\"d\",\"params\":{\"lr\":1},\"seed\":\"x\"}"};
	struct job job;
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_int_not_equal(manifest_parse(&job, texts[i], strlen(texts[i]), NULL), OK);
	/* as an early version wrote it */
	static const char early[] =
		"{\"id\":\"job_1\",\"kind\":\"ae\",\"name\":null,\"dataset\":\"d\",\"params\":{\"lr\":1}}";
	assert_int_equal(manifest_parse(&job, early, strlen(early), NULL), OK);
	assert_int_equal(job.number, 0);
	job_free(&job);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(what_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
