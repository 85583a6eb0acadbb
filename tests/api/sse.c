#include "api/sse.h"

#include "tests/api/check.h"

static void frames(void **state)
{
	char data[] = "{\"seq\":7,\"job\":\"job_a\",\"at_ms\":1,\"status\":\"running\",\"stop_reason\":null}";
	struct event e = {.seq = 7, .type = EVENT_STATUS, .data = data};
	struct buf b = BUF_INIT;
	(void)state;
	sse_event(&b, &e, (const int64_t[]){7}, 1);
	sse_ping(&b);
	assert_string_equal(b.data,
		"id: 7\nevent: status\ndata: {\"seq\":7,\"job\":\"job_a\",\"at_ms\":1,\"status\":\"running\","
		"\"stop_reason\":null}\n\n: ping\n\n");
	buf_free(&b);
	sse_event(&b, &e, (const int64_t[]){12, 7, 0}, 3);
	assert_memory_equal(b.data, "id: 12,7,0\nevent: status\n", 25);
	buf_free(&b);
}

static void type_names(void **state)
{
	static const char *const names[] = {"status", "metrics", "checkpoint", "preview", "log", "alert", "end"};
	(void)state;
	assert_int_equal(EVENT_TYPE_COUNT, 7);
	for (int t = 0; t < EVENT_TYPE_COUNT; t++)
		assert_string_equal(event_type_name((enum event_type)t), names[t]);
}

static void lines_for_people(void **state)
{
	static const struct row {
		enum event_type type;
		const char *data, *line;
	} rows[] = {
		{EVENT_METRICS,
			"{\"points\":[],\"epoch_end\":{\"epoch\":3,\"epochs\":50,\"train_loss\":0.0193204,\"val_loss\":0.01917,"
			"\"seconds\":0.449,\"eta_ms\":21149}}",
			"epoch 3/50  train_loss 0.01932  val_loss 0.01917  0.45 s  eta 21 s\n"},
		{EVENT_METRICS,
			"{\"epoch_end\":{\"epoch\":50,\"epochs\":50,\"train_loss\":1,\"val_loss\":null,\"seconds\":2,\"eta_ms\":0}"
			"}",
			"epoch 50/50  train_loss 1.000  2.00 s\n"},
		{EVENT_METRICS, "{\"epoch_end\":{\"epoch\":1,\"epochs\":2,\"train_loss\":1,\"seconds\":2,\"eta_ms\":185000}}",
			"epoch 1/2  train_loss 1.000  2.00 s  eta 3 min 05 s\n"},
		{EVENT_METRICS, "{\"epoch_end\":{\"epoch\":1,\"epochs\":2,\"train_loss\":1,\"seconds\":2,\"eta_ms\":3720000}}",
			"epoch 1/2  train_loss 1.000  2.00 s  eta 1 h 02 min\n"},
		{EVENT_METRICS, "{\"epoch_end\":{\"epoch\":1,\"epochs\":2,\"train_loss\":1,\"seconds\":2,\"eta_ms\":59600}}",
			"epoch 1/2  train_loss 1.000  2.00 s  eta 1 min 00 s\n"},
		{EVENT_METRICS, "{\"points\":[{\"step\":1,\"epoch\":0.1,\"name\":\"lr\",\"value\":1}]}", NULL},
		{EVENT_STATUS, "{\"job\":\"job_a\",\"status\":\"running\",\"stop_reason\":null}", "job_a running\n"},
		{EVENT_STATUS, "{\"job\":\"job_a\",\"status\":\"failed\",\"stop_reason\":\"diverged\"}",
			"job_a failed (diverged)\n"},
		{EVENT_LOG, "{\"level\":\"warn\",\"message\":\"level differs\"}", "warn: level differs\n"},
		{EVENT_ALERT, "{\"message\":\"loss rises\"}", "info: loss rises\n"},
		{EVENT_CHECKPOINT, "{\"epoch\":1,\"step\":2,\"bytes\":3}", NULL},
		{EVENT_PREVIEW, "{\"epoch\":1}", NULL},
		{EVENT_END, "{\"status\":\"succeeded\"}", NULL},
		{EVENT_END, "{\"status\":\"succeeded\",\"test\":{\"loss\":0.5,\"accuracy\":0.8125}}",
			"test  loss 0.5000  accuracy 0.8125\n"},
		{EVENT_METRICS, "{\"epoch_end\":1}", NULL},
		{EVENT_STATUS, "[]", NULL},
		{EVENT_STATUS, "broken", NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf b = BUF_INIT;
		event_text(&b, &(struct event){.type = rows[i].type, .data = (char *)(uintptr_t)rows[i].data});
		if (rows[i].line)
			assert_string_equal(b.data, rows[i].line);
		else
			assert_int_equal(b.len, 0);
		buf_free(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames),
		cmocka_unit_test(type_names),
		cmocka_unit_test(lines_for_people),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
