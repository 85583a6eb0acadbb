#include "core/model/state.h"

#include "tests/core/model/fixture.h"

static void test_dtypes(void **state)
{
	(void)state;
	assert_string_equal(dtype_name(DTYPE_U8), "U8");
	assert_string_equal(dtype_name(DTYPE_I64), "I64");
	assert_string_equal(dtype_name(DTYPE_F32), "F32");
	assert_string_equal(dtype_name(DTYPE_F64), "F64");
	assert_int_equal(dtype_size(DTYPE_U8) + dtype_size(DTYPE_F32), 5);
	assert_int_equal(dtype_size(dtype_real()), sizeof(real));
}

static void test_fields_of_a_struct(void **state)
{
	(void)state;
	struct some {
		int64_t count;
		double unused, parts[3];
	} some = {.count = 7, .parts = {1, 2, 3}};
	static const struct state_field fields[] = {STATE_F64(struct some, parts), STATE_I64(struct some, count), {0}};
	struct state s = {0};
	state_add_fields(&s, "some", fields, &some);
	assert_int_equal(s.n, 2);
	const struct tensor *parts = state_find(&s, "some.parts"), *count = state_find(&s, "some.count");
	assert_non_null(parts);
	assert_non_null(count);
	assert_ptr_equal(parts->data, some.parts);
	assert_ptr_equal(count->data, &some.count);
	assert_int_equal(parts->dtype, DTYPE_F64);
	assert_int_equal(count->dtype, DTYPE_I64);
	assert_int_equal(parts->bytes, sizeof some.parts);
	assert_int_equal(parts->shape[0], 3);
	assert_int_equal(count->shape[0], 1);
	state_free(&s);
}

static void test_a_model_as_tensors(void **state)
{
	(void)state;
	struct dataset *d = balls(4, 1, 1, 12, 12);
	struct model m = ae_for(d, SMALL_AE);
	real *w = calloc(m.params, sizeof *w), *moment = calloc(m.params, sizeof *w);
	struct state s = {0};
	state_add_model(&s, &m, w);
	state_add_prefixed(&s, "optim.exp_avg", &m, moment, false);
	assert_false(s.failed);
	size_t reals = 0;
	for (int i = 0; i < s.n; i++)
		reals += s.tensor[i].bytes / sizeof(real);
	assert_int_equal(reals, 2 * model_parameters(&m));
	const struct tensor *t = state_find(&s, "decoder.0.weight");
	assert_non_null(t);
	assert_int_equal(t->rank, 2);
	assert_int_equal(t->shape[0], 10);
	assert_int_equal(t->shape[1], 3);
	assert_ptr_equal(t->data, w + m.net_offset[1]);
	t = state_find(&s, "optim.exp_avg.encoder.2.weight");
	assert_int_equal(t->rank, 4);
	assert_true((real *)t->data > moment && (real *)t->data < moment + m.params);
	assert_null(state_find(&s, "optim.exp_avg"));
	state_free(&s);
	assert_int_equal(s.n, 0);
	free(w);
	free(moment);
	model_free(&m);
	dataset_put(d);
}

static void test_copy_is_all_or_nothing(void **state)
{
	(void)state;
	float a[6] = {1, 2, 3, 4, 5, 6}, b[6] = {0};
	int64_t n = 7, to = 0;
	struct state saved = {0}, live = {0};
	struct err err = {0};
	state_add(&saved, "a", DTYPE_F32, 2, (int64_t[]){2, 3}, a);
	state_add(&live, "a", DTYPE_F32, 2, (int64_t[]){2, 3}, b);
	state_add(&live, "n", DTYPE_I64, 1, (int64_t[]){1}, &to);
	assert_int_equal(state_copy(&live, &saved, &err), ERR_CORRUPT);
	assert_non_null(strstr(err.message, "'n' is missing"));
	assert_true(b[0] == 0);
	state_add(&saved, "n", DTYPE_F64, 1, (int64_t[]){1}, &n);
	assert_int_equal(state_copy(&live, &saved, &err), ERR_CORRUPT);
	assert_non_null(strstr(err.message, "'n' has another shape or type"));
	assert_true(b[0] == 0);
	saved.tensor[1].dtype = DTYPE_I64;
	assert_int_equal(state_copy(&live, &saved, &err), OK);
	assert_memory_equal(a, b, sizeof a);
	assert_int_equal(to, 7);
	saved.tensor[0].shape[0] = 3;
	saved.tensor[0].shape[1] = 2;
	assert_int_equal(state_copy(&live, &saved, &err), ERR_CORRUPT);
	saved.tensor[0].rank = 1;
	assert_int_equal(state_copy(&live, &saved, &err), ERR_CORRUPT);
	state_free(&saved);
	state_free(&live);
}

static void test_names_and_sizes_that_do_not_fit(void **state)
{
	(void)state;
	struct state s = {0};
	char name[120];
	memset(name, 'x', sizeof name);
	name[96] = 0;
	state_add(&s, name, DTYPE_U8, 1, (int64_t[]){1}, name);
	assert_true(s.failed && s.n == 0);
	name[95] = 0;
	s.failed = 0;
	state_add(&s, name, DTYPE_U8, 1, (int64_t[]){1}, name);
	assert_true(!s.failed && s.n == 1);
	state_add(&s, "y", DTYPE_F64, 2, (int64_t[]){INT64_MAX, 2}, name);
	assert_true(s.failed && s.n == 1);
	state_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dtypes),
		cmocka_unit_test(test_fields_of_a_struct),
		cmocka_unit_test(test_a_model_as_tensors),
		cmocka_unit_test(test_copy_is_all_or_nothing),
		cmocka_unit_test(test_names_and_sizes_that_do_not_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
