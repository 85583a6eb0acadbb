#include "api/curve.h"

#include "tests/api/check.h"

#include <math.h>

/* n points of one series: step i + 1, ten steps an epoch, value `value(i)`. */
static struct curve make(const char *series, size_t n, double (*value)(size_t i))
{
	struct curve c = {.n = n};
	snprintf(c.series, sizeof c.series, "%s", series);
	c.step = calloc(n + 1, sizeof *c.step);
	c.epoch = calloc(n + 1, sizeof *c.epoch);
	c.value = calloc(n + 1, sizeof *c.value);
	c.time_ms = calloc(n + 1, sizeof *c.time_ms);
	for (size_t i = 0; i < n; i++) {
		c.step[i] = (int64_t)i + 1;
		c.epoch[i] = (double)(i + 1) / 10;
		c.time_ms[i] = 1000 + 5 * (int64_t)i;
		c.value[i] = value(i);
	}
	return c;
}

static double ramp(size_t i)
{
	return (double)i;
}

static double spike(size_t i)
{
	return i == 57 ? 1000 : 1;
}

static void thins_to_equal_buckets(void **state)
{
	struct curve c = make("train_loss", 103, ramp);
	struct err err;
	(void)state;
	assert_int_equal(curve_thin(&c, 10, &err), OK);
	assert_int_equal(c.n, 10);
	assert_true(c.downsampled);
	/* 103 = 3 buckets of 11 and 7 of 10 */
	assert_true(c.min[0] == 0 && c.max[0] == 10 && c.value[0] == 5);
	assert_int_equal(c.step[0], 11);
	assert_true(c.epoch[0] == 1.1);
	assert_int_equal(c.time_ms[0], 1050);
	assert_true(c.min[3] == 33 && c.max[3] == 42 && c.value[3] == 37.5);
	assert_int_equal(c.step[9], 103);
	assert_true(c.max[9] == 102);
	/* thinned once more, the bounds are those of the raw points */
	assert_int_equal(curve_thin(&c, 2, &err), OK);
	assert_true(c.min[0] == 0 && c.max[1] == 102);
	assert_int_equal(c.step[1], 103);
	curve_free(&c);
	assert_null(c.step);
}

static void spikes_stay_visible(void **state)
{
	struct curve c = make("train_loss", 1000, spike);
	struct err err;
	double max = 0;
	(void)state;
	assert_int_equal(curve_thin(&c, 7, &err), OK);
	for (size_t i = 0; i < c.n; i++)
		max = fmax(max, c.max[i]);
	assert_true(max == 1000);
	curve_free(&c);
}

static void short_curves_stay_whole(void **state)
{
	struct curve c = make("lr", 10, ramp);
	struct err err;
	(void)state;
	assert_int_equal(curve_thin(&c, 10, &err), OK);
	assert_int_equal(c.n, 10);
	assert_false(c.downsampled);
	assert_null(c.min);
	curve_free(&c);
	c = make("lr", 0, ramp);
	assert_int_equal(curve_thin(&c, 2, &err), OK);
	assert_int_equal(curve_by_epoch(&c, &err), OK);
	assert_int_equal(c.n, 0);
	curve_free(&c);
}

static void averages_epochs(void **state)
{
	struct curve c = make("train_loss", 25, ramp);
	struct err err;
	(void)state;
	c.epoch[9] = 1 + 1e-12; /* 469 / 469 may be a rounding off */
	assert_int_equal(curve_by_epoch(&c, &err), OK);
	assert_int_equal(c.n, 3);
	assert_true(c.epoch[0] == 1 && c.epoch[1] == 2 && c.epoch[2] == 3);
	assert_true(c.value[0] == 4.5 && c.value[1] == 14.5 && c.value[2] == 22);
	assert_true(c.min[1] == 10 && c.max[1] == 19);
	assert_int_equal(c.step[0], 10);
	assert_int_equal(c.step[2], 25);
	assert_false(c.downsampled);
	curve_free(&c);
}

static void columns(void **state)
{
	struct curve curves[2] = {make("train_loss", 3, ramp), make("val_loss", 1, ramp)};
	struct buf b = BUF_INIT;
	struct jsonw w;
	(void)state;
	curves[0].value[1] = NAN;
	curves[1].min = calloc(1, sizeof(double));
	curves[1].max = calloc(1, sizeof(double));
	*curves[1].min = -1;
	*curves[1].max = 9;
	curves[1].downsampled = true;
	jw_init(&w, &b, false);
	view_metrics(&w, curves, 2, 4);
	assert_string_equal(b.data, "{\"series\":{\"train_loss\":{\"step\":[1,2,3],\"epoch\":[0.1,0.2,0.3],\"time_ms\":["
								"1000,1005,1010],\"value\":[0,null,2],"
								"\"min\":[0,null,2],\"max\":[0,null,2]},\"val_loss\":{\"step\":[1],\"epoch\":[0.1],"
								"\"time_ms\":[1000],\"value\":[0],"
								"\"min\":[-1],\"max\":[9]}},\"next_step\":4,\"downsampled\":true}");
	buf_free(&b);
	curve_free(&curves[0]);
	curve_free(&curves[1]);
}

static void csv_by_epoch(void **state)
{
	struct curve curves[2] = {make("train_loss", 30, ramp), make("val_loss", 2, spike)};
	struct buf b = BUF_INIT;
	struct err err;
	(void)state;
	curves[1].epoch[0] = 1;
	curves[1].epoch[1] = 3;
	curves[1].value[1] = 0.1f;
	assert_int_equal(curve_by_epoch(&curves[0], &err), OK);
	view_metrics_csv(&b, curves, 2, true);
	assert_string_equal(b.data, "epoch,train_loss,val_loss\n1,4.5,1\n2,14.5,\n3,24.5,0.100000001\n");
	buf_free(&b);
	curve_free(&curves[0]);
	curve_free(&curves[1]);
}

static void csv_by_step(void **state)
{
	struct curve curves[2] = {make("a", 2, ramp), make("b", 3, ramp)};
	struct buf b = BUF_INIT;
	(void)state;
	curves[1].value[0] = INFINITY;
	view_metrics_csv(&b, curves, 2, false);
	assert_string_equal(b.data, "step,a,b\n1,0,\n2,1,1\n3,,2\n");
	buf_free(&b);
	view_metrics_csv(&b, NULL, 0, true);
	assert_string_equal(b.data, "epoch\n");
	buf_free(&b);
	curve_free(&curves[0]);
	curve_free(&curves[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(thins_to_equal_buckets),
		cmocka_unit_test(spikes_stay_visible),
		cmocka_unit_test(short_curves_stay_whole),
		cmocka_unit_test(averages_epochs),
		cmocka_unit_test(columns),
		cmocka_unit_test(csv_by_epoch),
		cmocka_unit_test(csv_by_step),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
