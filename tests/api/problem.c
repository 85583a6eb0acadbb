#include "api/problem.h"

#include "tests/api/check.h"

static void every_code_has_a_status(void **state)
{
	static const int wanted[ERR_COUNT] = {
		[ERR_SYNTAX] = 400,
		[ERR_INVALID] = 422,
		[ERR_NOT_FOUND] = 404,
		[ERR_CONFLICT] = 409,
		[ERR_UNSUPPORTED] = 422,
		[ERR_NO_JUDGE] = 422,
		[ERR_ACCEPT] = 406,
		[ERR_MEDIA] = 415,
		[ERR_TOO_LARGE] = 413,
		[ERR_FULL] = 429,
		[ERR_UNAVAILABLE] = 503,
		[ERR_DENIED] = 403,
		[ERR_IO] = 500,
		[ERR_NO_SPACE] = 507,
		[ERR_NO_MEMORY] = 503,
		[ERR_CORRUPT] = 500,
		[ERR_DATASET] = 422,
		[ERR_DATASET_CHANGED] = 409,
		[ERR_DIVERGED] = 500,
		[ERR_IN_USE] = 409,
		[ERR_KEY_REUSED] = 422,
		[ERR_INTERNAL] = 500,
	};
	(void)state;
	for (int code = 1; code < ERR_COUNT; code++) {
		assert_int_equal(problem_status(code), wanted[code]);
		assert_string_not_equal(problem_title(problem_status(code)), "Error");
		assert_string_equal(problem_slug(problem_status(code), code), err_slug(code));
	}
	assert_int_equal(problem_status(OK), 500);
	assert_int_equal(problem_status(ERR_COUNT), 500);
	assert_int_equal(problem_status(-1), 500);
}

/* Each status that the API may answer with has a title; those that no code means have a slug of their own. */
static void statuses_of_the_door(void **state)
{
	static const int all[] = {
		400, 401, 403, 404, 405, 406, 408, 409, 411, 413, 415, 421, 422, 429, 431, 500, 501, 503, 507};
	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		assert_string_not_equal(problem_title(all[i]), "Error");
	assert_string_equal(problem_title(422), "Unprocessable Content");
	assert_string_equal(problem_title(418), "Error");
	assert_string_equal(problem_slug(405, ERR_INVALID), "method_not_allowed");
	assert_string_equal(problem_slug(421, ERR_DENIED), "misdirected_request");
	assert_string_equal(problem_slug(422, ERR_UNSUPPORTED), "not_supported_by_kind");
	assert_string_equal(problem_slug(418, ERR_INVALID), "invalid_field");
}

static void body_of_a_field_error(void **state)
{
	struct buf b = BUF_INIT;
	struct err err;
	(void)state;
	err_field(&err, ERR_INVALID, "#/params/channels/1", "must be 1..512, got \"0\"");
	problem_write(&b, 422, &err, NULL, "/v1/jobs", "req-1", NULL);
	assert_int_equal(b.data[b.len - 1], '\n');
	struct json *body = parsed_buf(&b);
	assert_string_equal(text_at(body, "type"), "about:blank");
	assert_string_equal(text_at(body, "title"), "Unprocessable Content");
	assert_true(number_at(body, "status") == 422);
	assert_string_equal(text_at(body, "detail"), "params.channels.1: must be 1..512, got \"0\"");
	assert_string_equal(text_at(body, "instance"), "/v1/jobs");
	assert_string_equal(text_at(body, "code"), "invalid_field");
	assert_string_equal(text_at(body, "request_id"), "req-1");
	assert_string_equal(text_at(body, "errors/0/pointer"), "#/params/channels/1");
	assert_string_equal(text_at(body, "errors/0/detail"), "must be 1..512, got \"0\"");
	assert_int_equal(json_count(body), 8);
	json_free(body);
}

static void body_of_a_conflict(void **state)
{
	struct buf b = BUF_INIT;
	struct err err;
	(void)state;
	err_set(&err, ERR_CONFLICT, "job_x is succeeded");
	problem_write(&b, 409, &err, NULL, "/v1/jobs/job_x/cancel", "r", ",\"current\":\"succeeded\",\"allowed\":[]");
	struct json *body = parsed_buf(&b);
	assert_string_equal(text_at(body, "detail"), "job_x is succeeded");
	assert_string_equal(text_at(body, "current"), "succeeded");
	assert_int_equal(json_count(at(body, "allowed")), 0);
	assert_null(json_get(body, "errors"));
	json_free(body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_has_a_status),
		cmocka_unit_test(statuses_of_the_door),
		cmocka_unit_test(body_of_a_field_error),
		cmocka_unit_test(body_of_a_conflict),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
