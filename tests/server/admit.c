#include "server/admit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct config config = {.path_prefix = ""};
static const struct door open_door = {.listen_host = "127.0.0.1", .allowed_hosts = "", .token = ""};
static const struct door locked_door = {.listen_host = "127.0.0.1", .allowed_hosts = "", .token = "secret"};

struct request_case {
	const char *method, *target, *host, *origin, *authorization, *type, *length;
	bool chunked, locked;
	int status; /* 0: admitted */
	const char *header, *value;
};

/* Each is wrong in one way only, or in two to show which is judged first. */
static const struct request_case cases[] = {
	{"GET", "/v1/info", "localhost", .status = 0},
	{"POST", "/v1/jobs", "localhost", .type = "application/json", .length = "2", .status = 0},
	{"POST", "/v1/jobs", "localhost", .type = "application/json", .chunked = true, .status = 0},
	{"POST", "/v1/jobs/x/cancel", "localhost", .status = 0},
	{"POST", "/v1/jobs/x/cancel", "localhost", .length = "0", .status = 0},
	{"POST", "/v1/models/m/encode", "localhost", .type = "image/png", .length = "2000000", .status = 0},
	{"GET", "/livez", "localhost", .locked = true, .status = 0},
	{"GET", "/", "localhost", .locked = true, .status = 0},
	{"GET", "/app.js", "localhost", .locked = true, .status = 0},
	{"GET", "/v1/info", "localhost", .locked = true, .authorization = "Bearer secret", .status = 0},
	{"GET", "http://localhost:8/v1/info", "localhost", .status = 0},
	{"GET", "/v1/info", "evil.example", .status = 421},
	{"GET", "http://evil.example/v1/info", "localhost", .status = 421},
	{"POST", "/nothing", "evil.example", .origin = "http://evil.example", .status = 421},
	{"GET", "/v1/%00", "localhost", .status = 400},
	{"OPTIONS", "/v1/jobs", "localhost", .status = 204, .header = "Allow", .value = "POST, GET, HEAD, OPTIONS"},
	{"OPTIONS", "*", "localhost", .status = 204},
	{"OPTIONS", "/v1/jobs/x/dance", "localhost", .status = 404},
	{"PUT", "/v1/jobs", "localhost", .origin = "http://evil.example", .status = 405, .header = "Allow", .value = "POST, GET, HEAD, OPTIONS"},
	{"GET", "/v1/jobs?nope=1", "localhost", .status = 422},
	{"GET", "/v1/jobs?pretty=perhaps", "localhost", .status = 422},
	{"GET", "/v1/jobs.png", "localhost", .status = 406},
	{"POST", "/v1/jobs", "localhost", .origin = "http://evil.example", .type = "text/plain", .length = "2", .status = 403},
	{"POST", "/v1/jobs/x/cancel", "localhost", .origin = "null", .status = 403},
	{"POST", "/v1/jobs", "localhost", .locked = true, .origin = "http://evil.example", .status = 403},
	{"GET", "/v1/info", "localhost", .locked = true, .status = 401, .header = "WWW-Authenticate", .value = "Bearer realm=\"latentd\""},
	{"GET", "/metrics", "localhost", .locked = true, .status = 401},
	{"GET", "/v1/openapi.json", "localhost", .locked = true, .authorization = "Bearer Secret", .status = 401},
	{"POST", "/v1/jobs", "localhost", .locked = true, .type = "text/plain", .length = "9999999", .status = 401},
	{"POST", "/v1/jobs", "localhost", .type = "text/plain", .length = "9999999", .status = 413},
	{"POST", "/v1/jobs", "localhost", .type = "application/json", .length = "1048577", .status = 413},
	{"POST", "/v1/jobs", "localhost", .type = "application/json", .length = "99999999999999999999", .status = 413},
	{"POST", "/v1/jobs", "localhost", .type = "image/png", .length = "2000000", .status = 413},
	{"POST", "/v1/models/m/encode", "localhost", .type = "application/json", .length = "2000000", .status = 413},
	{"POST", "/v1/models/m/encode", "localhost", .type = "image/png", .length = "67108865", .status = 413},
	{"GET", "/v1/info", "localhost", .length = "1048577", .status = 413},
	{"POST", "/v1/jobs", "localhost", .type = "application/json", .status = 411},
	{"POST", "/v1/models/m/decode", "localhost", .status = 411},
	{"POST", "/v1/models/m/sample", "localhost", .status = 0},
	{"POST", "/v1/jobs", "localhost", .length = "2", .status = 415},
	{"POST", "/v1/jobs", "localhost", .chunked = true, .status = 415},
	{"POST", "/v1/jobs", "localhost", .type = "application/x-www-form-urlencoded", .length = "2", .status = 415},
};

static bool admit(struct call *c, const struct request_case *r, size_t *limit, bool *close_after)
{
	const struct door_framing f = {.hosts = r->host != NULL, .content_lengths = r->length != NULL, .content_length = r->length,
		.transfer_encodings = r->chunked, .transfer_encoding = "chunked", .http_1_1 = true};
	const struct admission a = {r->locked ? &locked_door : &open_door, &f, "", limit, close_after};
	*c = (struct call){.req = {.method = method_find(r->method), .target = r->target, .host = r->host, .origin = r->origin,
							   .authorization = r->authorization, .content_type = r->type}};
	return call_admit(c, &a);
}

static void judges_requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct request_case *r = &cases[i];
		struct call c;
		size_t limit = 0;
		bool close_after = true, found = !r->header;
		bool admitted = admit(&c, r, &limit, &close_after);
		if (admitted != !r->status || c.resp.status != r->status || close_after)
			fail_msg("%s %s (%zu): %d, wanted %d", r->method, r->target, i, c.resp.status, r->status);
		for (int h = 0; h < c.resp.nheaders && !found; h++)
			found = !strcmp(c.resp.header[h].name, r->header) && !strcmp(c.resp.header[h].value, r->value);
		if (!found)
			fail_msg("%s %s: no %s: %s", r->method, r->target, r->header, r->value);
		call_fini(&c);
	}
}

static void bad_framing_ends_the_connection(void **state)
{
	(void)state;
	struct call c;
	size_t limit;
	bool close_after = false;
	const struct request_case both = {"POST", "/v1/jobs", "localhost", .length = "2", .chunked = true};
	assert_false(admit(&c, &both, &limit, &close_after));
	assert_int_equal(c.resp.status, 400);
	assert_true(close_after);
	call_fini(&c);
}

static void a_refusal_is_a_problem(void **state)
{
	(void)state;
	struct call c;
	size_t limit;
	bool close_after;
	const struct request_case r = {"GET", "/v1/jobs?nope=<b>", "localhost", .status = 422};
	assert_false(admit(&c, &r, &limit, &close_after));
	assert_string_equal(c.resp.type, "application/problem+json");
	assert_non_null(strstr(c.resp.body.data, "\"instance\":\"/v1/jobs\""));
	assert_non_null(strstr(c.resp.body.data, "\"status\":422"));
	call_fini(&c);
}

static void draining_refuses_work_only(void **state)
{
	(void)state;
	struct daemon d = {.config = &config};
	struct call c;
	size_t limit;
	bool close_after;
	const struct request_case submit = {"POST", "/v1/jobs", "localhost", .type = "application/json", .length = "2", .status = 0},
							  live = {"GET", "/livez", "localhost", .status = 0};
	atomic_store(&d.draining, true);
	assert_true(admit(&c, &submit, &limit, &close_after));
	c.daemon = &d;
	call_run(&c);
	assert_int_equal(c.resp.status, 503);
	assert_string_equal(c.resp.header[0].name, "Retry-After");
	call_fini(&c);
	assert_true(admit(&c, &live, &limit, &close_after));
	c.daemon = &d;
	call_run(&c);
	assert_int_equal(c.resp.status, 200);
	call_fini(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_requests),
		cmocka_unit_test(bad_framing_ends_the_connection),
		cmocka_unit_test(a_refusal_is_a_problem),
		cmocka_unit_test(draining_refuses_work_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
