#include "server/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct buf text;

static bool prints(const char *line)
{
	buf_free(&text);
	metrics_print(&text);
	assert_false(text.failed);
	const char *at = strstr(text.data, line);
	return at && (at == text.data || at[-1] == '\n') && at[strlen(line)] == '\n';
}

static void counts(void **state)
{
	(void)state;
	metrics_http_request("GET", "/v1/jobs", 200);
	metrics_http_request("GET", "/v1/jobs", 200);
	metrics_http_request("GET", "/v1/jobs", 404);
	metrics_http_request("POST", "/v1/jobs", 200);
	assert_true(prints("latentd_http_requests_total{method=\"GET\",route=\"/v1/jobs\",code=\"200\"} 2"));
	assert_true(prints("latentd_http_requests_total{method=\"GET\",route=\"/v1/jobs\",code=\"404\"} 1"));
	assert_true(prints("latentd_http_requests_total{method=\"POST\",route=\"/v1/jobs\",code=\"200\"} 1"));
	metrics_train_samples("ae", 128);
	metrics_train_samples("vae", 1);
	metrics_train_samples("ae", 2);
	assert_true(prints("latentd_train_samples_total{kind=\"ae\"} 130"));
	assert_true(prints("latentd_train_samples_total{kind=\"vae\"} 1"));
	metrics_sse_clients(2);
	metrics_sse_clients(-1);
	assert_true(prints("latentd_sse_clients 1"));
}

static void buckets_are_cumulative(void **state)
{
	(void)state;
	metrics_observe(METRIC_DECODE_SECONDS, 0.001);
	metrics_observe(METRIC_DECODE_SECONDS, 0.002);
	metrics_observe(METRIC_DECODE_SECONDS, 60);
	assert_true(prints("latentd_decode_duration_seconds_bucket{le=\"0.0005\"} 0"));
	assert_true(prints("latentd_decode_duration_seconds_bucket{le=\"0.001\"} 1")); /* a bound belongs to its bucket */
	assert_true(prints("latentd_decode_duration_seconds_bucket{le=\"0.0025\"} 2"));
	assert_true(prints("latentd_decode_duration_seconds_bucket{le=\"10\"} 2"));
	assert_true(prints("latentd_decode_duration_seconds_bucket{le=\"+Inf\"} 3"));
	assert_true(prints("latentd_decode_duration_seconds_count 3"));
	assert_true(prints("latentd_decode_duration_seconds_sum 60.003"));
}

/* HELP and TYPE once per family, before its samples; the text ends with a newline. */
static void is_prometheus_text(void **state)
{
	(void)state;
	char family[100] = "";
	buf_free(&text);
	metrics_print(&text);
	assert_int_equal(text.data[text.len - 1], '\n');
	for (char *save, *line = strtok_r(text.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (!strncmp(line, "# HELP ", 7)) {
			size_t n = strcspn(line + 7, " ");
			assert_true(n < sizeof family);
			memcpy(family, line + 7, n);
			family[n] = '\0';
		} else if (!strncmp(line, "# TYPE ", 7)) {
			assert_memory_equal(line + 7, family, strlen(family));
		} else if (strncmp(line, family, strlen(family)) != 0) {
			fail_msg("'%s' is not of family %s", line, family);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts),
		cmocka_unit_test(buckets_are_cumulative),
		cmocka_unit_test(is_prometheus_text),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	buf_free(&text);
	return failed;
}
