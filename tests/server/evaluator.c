#include "server/evaluator.h"

#include "tests/core/lab/vectors.h"

/* What it was trained on follows from its weights file, too. */
static void test_carried(void **state)
{
	(void)state;
	struct evaluator *e;
	struct err err = {0};
	char sha256[65];
	size_t size;
	void *bytes = read_whole("core/lab/evaluator.safetensors", &size);
	struct safetensors st;
	if (evaluator_open(&e, NULL, best_kern(), &err))
		fail_msg("%s", err.message);
	const struct evaluator_facts *facts = evaluator_facts(e);
	assert_int_equal(safetensors_read(&st, bytes, size, NULL), OK);
	assert_true(safetensors_metadata(&st, "dataset_sha256", sha256, sizeof sha256));
	assert_string_equal(facts->dataset_sha256, sha256);
	assert_true(facts->accuracy >= 0.93 && facts->accuracy <= 1);
	assert_true(evaluator_knows(e, sha256) && !evaluator_knows(e, ""));
	safetensors_free(&st);
	free(bytes);
	evaluator_close(e);
}

static void test_other_data(void **state)
{
	(void)state;
	struct evaluator *e;
	struct judge *j;
	struct err err = {0};
	struct dataset *d = calloc(1, sizeof *d);
	*d = (struct dataset){.name = "digits", .sha256 = "0123", .refs = 1};
	assert_int_equal(evaluator_open(&e, NULL, best_kern(), NULL), OK);
	assert_int_equal(evaluator_judge(e, d, &j, &err), ERR_NO_JUDGE);
	assert_non_null(strstr(err.message, "digits has 0123"));
	dataset_put(d);
	evaluator_close(e);
}

static void test_damaged(void **state)
{
	(void)state;
	struct model m;
	real *w;
	size_t size;
	void *bytes = read_whole("core/lab/evaluator.safetensors", &size);
	assert_int_equal(evaluator_model(bytes, size - 4, &m, &w, NULL), ERR_CORRUPT);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_carried),
		cmocka_unit_test(test_other_data),
		cmocka_unit_test(test_damaged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
