#include "core/data/npy.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

/* A file of that version with that header text (padding and newline are the text's own) and `size` bytes after it. */
static struct buf make(int version, const char *header, const void *values, size_t size)
{
	struct buf b = BUF_INIT;
	size_t n = strlen(header);
	buf_append(&b, "\x93NUMPY", 6);
	buf_append(&b, (uint8_t[]){(uint8_t)version, 0, (uint8_t)n, (uint8_t)(n >> 8), 0, 0}, version == 1 ? 4 : 6);
	buf_str(&b, header);
	buf_append(&b, values, size);
	return b;
}

static void test_write_bytes(void **state)
{
	(void)state;
	const float values[6] = {0, 1, -2.5f, 3, 4, 5e-10f};
	struct buf b = BUF_INIT;
	npy_write(&b, values, (int64_t[]){2, 3}, 2);
	assert_false(b.failed);
	assert_int_equal(b.len, 128 + sizeof values);
	assert_memory_equal(b.data, "\x93NUMPY\1\0\x76\0", 10);
	const char *dict = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
	assert_memory_equal(b.data + 10, dict, strlen(dict));
	assert_memory_equal(b.data + 10 + strlen(dict), "          ", 10);
	assert_int_equal(b.data[127], '\n');
	assert_memory_equal(b.data + 128, values, sizeof values);
	buf_free(&b);
	npy_write(&b, values, (int64_t[]){6}, 1);
	assert_non_null(strstr(b.data + 10, "'shape': (6,), }"));
	buf_free(&b);
	npy_write(&b, values, (int64_t[]){1, -1}, 2);
	assert_true(b.failed);
	buf_free(&b);
	npy_write(&b, values, (int64_t[]){INT64_MAX, 3}, 2);
	assert_true(b.failed);
	buf_free(&b);
}

static void test_round_trip(void **state)
{
	(void)state;
	float values[24], *back;
	for (int i = 0; i < 24; i++)
		values[i] = (float)i / 7;
	const int64_t shape[4] = {2, 1, 3, 4};
	int64_t got[4];
	int rank;
	struct buf b = BUF_INIT;
	struct err err;
	npy_write(&b, values, shape, 4);
	assert_int_equal(npy_read(&back, got, &rank, b.data, b.len, &err), OK);
	assert_int_equal(rank, 4);
	assert_memory_equal(got, shape, sizeof shape);
	assert_memory_equal(back, values, sizeof values);
	free(back);
	buf_free(&b);
}

static void test_types_and_versions(void **state)
{
	(void)state;
	const struct {
		int version;
		const char *header;
		const void *bytes;
		size_t size;
		int rank;
	} rows[] = {
		{1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }  \n", (const float[]){1, 0.2f}, 8, 1},
		{2, "{\"shape\":(1,2),\"fortran_order\":False,\"descr\":\"<f4\"}", (const float[]){1, 0.2f}, 8, 2},
		{1, "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 1)}\n", (const double[]){1, 0.2}, 16, 2},
		{1, "{'descr': '|u1', 'fortran_order': True, 'shape': (2,), }", (const uint8_t[]){255, 51}, 2, 1},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf b = make(rows[i].version, rows[i].header, rows[i].bytes, rows[i].size);
		float *x;
		int64_t shape[4];
		int rank;
		struct err err;
		assert_int_equal(npy_read(&x, shape, &rank, b.data, b.len, &err), OK);
		assert_int_equal(rank, rows[i].rank);
		assert_int_equal(shape[0] * shape[1] * shape[2] * shape[3], 2);
		assert_true(x[0] == 1.0f && x[1] == 0.2f);
		free(x);
		buf_free(&b);
	}
}

static void test_refused(void **state)
{
	(void)state;
	static const struct {
		const char *header, *message;
	} rows[] = {
		{"{'descr': '>f4', 'fortran_order': False, 'shape': (2,)}",
			"npy: its values must be float32, float64 (little-endian)"},
		{"{'descr': '|O', 'fortran_order': False, 'shape': (2,)}", "npy: its values must be"},
		{"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}", "npy: its header is not a dictionary"},
		{"{'descr': '<f4', 'fortran_order': True, 'shape': (2, 1)}", "npy: the array is in Fortran order"},
		{"{'descr': '<f4', 'fortran_order': Maybe, 'shape': (2,)}", "npy: fortran_order is neither"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': ()}", "npy: a single number"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1, 2)}", "npy: it has more than four"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", "npy: its shape does not fit the 8 bytes"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", "npy: its shape does not fit the 8 bytes"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (0,)}", "npy: its shape does not fit"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}", "npy: its shape has a size that is not"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", "npy: its shape has a size"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 4)}", "npy: its shape does not fit"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387906,)}", "npy: its shape does not fit"},
		{"{'descr': '<f4', 'fortran_order': False}", "npy: its header lacks"},
		{"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", "npy: its header has a key"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}", "npy: its header has a key"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x", "npy: something follows"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (2", "npy: its header is not a dictionary"},
		{"", "npy: its header is not a dictionary"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf b = make(1, rows[i].header, (float[]){1, 2}, 8);
		float *x = NULL;
		int64_t shape[4];
		int rank;
		struct err err;
		assert_int_equal(npy_read(&x, shape, &rank, b.data, b.len, &err), ERR_SYNTAX);
		assert_memory_equal(err.message, rows[i].message, strlen(rows[i].message));
		assert_null(x);
		buf_free(&b);
	}
}

static void test_cut_and_versions(void **state)
{
	(void)state;
	struct buf b = make(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", (float[]){1, 2}, 8);
	float *x;
	int64_t shape[4];
	int rank;
	struct err err;
	for (size_t cut = 0; cut < b.len; cut++) {
		char *part = malloc(cut + !cut); /* just as large, so that the sanitizer sees a byte read past it */
		assert_non_null(part);
		memcpy(part, b.data, cut);
		assert_int_equal(npy_read(&x, shape, &rank, part, cut, &err), ERR_SYNTAX);
		free(part);
	}
	b.data[6] = 3;
	assert_int_equal(npy_read(&x, shape, &rank, b.data, b.len, &err), ERR_SYNTAX);
	assert_string_equal(err.message, "npy version 3; 1 and 2 are read");
	buf_free(&b);
	b = make(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3)}", NULL, 0);
	assert_int_equal(npy_read(&x, shape, &rank, b.data, b.len, &err), ERR_SYNTAX);
	assert_string_equal(err.message, "npy: the array is empty");
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write_bytes),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_types_and_versions),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_cut_and_versions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
