#include "server/route.h"

#include <stdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Finds a route; the status that route_find answers. */
static int find(struct call *c, const char *method, const char *target, const char *accept, char allow[ROUTE_ALLOW_SIZE])
{
	*c = (struct call){.req.method = method_find(method), .req.accept = accept};
	assert_int_equal(uri_parse(&c->req.uri, target, "", NULL), OK);
	return route_find(c, allow, NULL);
}

static const struct {
	const char *method, *target, *accept, *pattern;
	enum format format;
	const char *arg;
} found[] = {
	{"GET", "/", NULL, "/", FORMAT_FILE, NULL},
	{"HEAD", "/", NULL, "/", FORMAT_FILE, NULL},
	{"GET", "/livez", NULL, "/livez", FORMAT_TEXT, NULL},
	{"GET", "/style/base.css", "text/css", "/*", FORMAT_FILE, NULL},
	{"GET", "/vendor/x/LICENSE", NULL, "/*", FORMAT_FILE, NULL},
	{"GET", "/v1/nothing", NULL, "/*", FORMAT_FILE, NULL},
	{"GET", "/v1/jobs", NULL, "/v1/jobs", FORMAT_JSON, NULL},
	{"GET", "/v1/jobs.json", "image/png", "/v1/jobs", FORMAT_JSON, NULL},
	{"POST", "/v1/jobs", "*/*", "/v1/jobs", FORMAT_JSON, NULL},
	{"GET", "/v1/jobs/latest", NULL, "/v1/jobs/{job}", FORMAT_JSON, "latest"},
	{"GET", "/v1/jobs/run.3", NULL, "/v1/jobs/{job}", FORMAT_JSON, "run.3"},
	{"GET", "/v1/jobs/run.png", NULL, "/v1/jobs/{job}", FORMAT_JSON, "run.png"},
	{"GET", "/v1/jobs/run.json", NULL, "/v1/jobs/{job}", FORMAT_JSON, "run"},
	{"GET", "/v1/jobs/a%2Fb/metrics", NULL, "/v1/jobs/{job}/metrics", FORMAT_JSON, "a/b"},
	{"GET", "/v1/jobs/x/metrics.csv", "application/json", "/v1/jobs/{job}/metrics", FORMAT_CSV, "x"},
	{"GET", "/v1/jobs/x/metrics", "text/csv", "/v1/jobs/{job}/metrics", FORMAT_CSV, "x"},
	{"GET", "/v1/jobs/x/metrics", "text/*, application/json;q=0.9", "/v1/jobs/{job}/metrics", FORMAT_CSV, "x"},
	{"GET", "/v1/jobs/x/metrics", "text/csv;q=0.1, */*;q=0.5", "/v1/jobs/{job}/metrics", FORMAT_JSON, "x"},
	{"GET", "/v1/jobs/x/metrics", "text/html,application/xml;q=0.9,*/*;q=0.8", "/v1/jobs/{job}/metrics", FORMAT_JSON, "x"},
	{"GET", "/v1/jobs/x/events", "text/event-stream", "/v1/jobs/{job}/events", FORMAT_SSE, "x"},
	{"GET", "/v1/jobs/x/events.txt", "*/*", "/v1/jobs/{job}/events", FORMAT_TEXT, "x"},
	{"GET", "/v1/jobs/x/events", "*/*", "/v1/jobs/{job}/events", FORMAT_JSON, "x"},
	{"GET", "/v1/jobs/x/curves.png", NULL, "/v1/jobs/{job}/curves", FORMAT_PNG, "x"},
	{"GET", "/v1/jobs/x/curves", NULL, "/v1/jobs/{job}/curves", FORMAT_SVG, "x"},
	{"GET", "/v1/jobs/x/previews/3/samples.png", NULL, "/v1/jobs/{job}/previews/{epoch}/samples", FORMAT_PNG, "x"},
	{"GET", "/v1/models/m@best/decode.png", NULL, "/v1/models/{model}/decode", FORMAT_PNG, "m@best"},
	{"GET", "/v1/models/m/decode", "image/avif,image/*,*/*;q=0.8", "/v1/models/{model}/decode", FORMAT_PNG, "m"},
	{"POST", "/v1/models/m/decode.npy", "image/png", "/v1/models/{model}/decode", FORMAT_NPY, "m"},
	{"GET", "/v1/models/m/pytorch.py", "text/html", "/v1/models/{model}/pytorch.py", FORMAT_FILE, "m"},
	{"GET", "/v1/openapi.json", NULL, "/v1/openapi.json", FORMAT_FILE, NULL},
	{"GET", "/v1/events", "text/event-stream", "/v1/events", FORMAT_SSE, NULL},
	{"GET", "/v1/metrics", NULL, "/v1/metrics", FORMAT_JSON, NULL},
	{"GET", "/metrics", "text/plain;version=0.0.4;q=0.5,*/*;q=0.1", "/metrics", FORMAT_TEXT, NULL},
};

static void finds_routes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof found / sizeof *found; i++) {
		struct call c;
		char allow[ROUTE_ALLOW_SIZE];
		int status = find(&c, found[i].method, found[i].target, found[i].accept, allow);
		if (status || strcmp(c.route->pattern, found[i].pattern) != 0 || c.format != found[i].format)
			fail_msg("%s %s: %d %s %s", found[i].method, found[i].target, status, status ? "" : c.route->pattern, format_name(c.format));
		if (found[i].arg)
			assert_string_equal(c.arg[0], found[i].arg);
		uri_free(&c.req.uri);
	}
}

static const struct {
	const char *method, *target, *accept;
	int status;
	const char *allow;
} refused[] = {
	{"PUT", "/v1/jobs", NULL, 405, "POST, GET, HEAD, OPTIONS"},
	{"FOO", "/v1/jobs", NULL, 405, "POST, GET, HEAD, OPTIONS"},
	{"OPTIONS", "/v1/jobs/x/cancel", NULL, 405, "POST, OPTIONS"},
	{"POST", "/v1/info", NULL, 405, "GET, HEAD, OPTIONS"},
	{"POST", "/", NULL, 405, "GET, HEAD, OPTIONS"},
	{"GET", "/v1/jobs/x/cancel", NULL, 405, "POST, OPTIONS"},
	{"POST", "/style/base.css", NULL, 404, ""},
	{"POST", "/v1/jobs/x/dance", NULL, 404, ""},
	{"POST", "/v1/jobs/", NULL, 404, ""},
	{"POST", "/v1/jobs//cancel", NULL, 404, ""},
	{"GET", "/v1/jobs", "image/png", 406, ""},
	{"GET", "/v1/jobs", "application/json;q=0", 406, ""},
	{"GET", "/v1/jobs.png", NULL, 406, ""},
	{"GET", "/v1/jobs/x/samples.npy", NULL, 406, ""},
	{"GET", "/v1/jobs/x/samples", "application/json", 406, ""},
	{"POST", "/v1/models/x/encode.png", NULL, 406, ""},
};

static void refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		struct call c;
		char allow[ROUTE_ALLOW_SIZE];
		int status = find(&c, refused[i].method, refused[i].target, refused[i].accept, allow);
		if (status != refused[i].status || (status == 405 && strcmp(allow, refused[i].allow) != 0))
			fail_msg("%s %s: %d, Allow '%s'", refused[i].method, refused[i].target, status, allow);
		uri_free(&c.req.uri);
	}
}

static void rows_are_sound(void **state)
{
	(void)state;
	for (const struct route *r = routes; r->pattern; r++) {
		assert_true(r->handler && r->query && r->help && r->nformats > 0 && r->nformats <= ROUTE_FORMATS_MAX);
		for (const struct route *other = r + 1; other->pattern; other++)
			if (other->method == r->method && !strcmp(other->pattern, r->pattern))
				fail_msg("%s twice", r->pattern);
		if (method_changes(r->method) && r->flags & ROUTE_OPEN)
			fail_msg("%s changes state without a token", r->pattern);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_routes),
		cmocka_unit_test(refuses),
		cmocka_unit_test(rows_are_sound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
