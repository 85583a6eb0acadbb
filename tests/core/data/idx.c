#include "core/data/idx.h"

#include "tests/core/data/files.h"

static void test_labels_and_images(void **state)
{
	(void)state;
	static const struct {
		int rank;
		uint32_t dim[4];
	} rows[] = {{1, {5}}, {3, {2, 3, 4}}, {4, {2, 3, 4, 5}}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf file = idx_bytes(rows[i].rank, rows[i].dim, 251);
		struct idx idx, peek;
		struct err err;
		size_t n = 1;
		assert_int_equal(idx_parse(&idx, file.data, file.len, &err), OK);
		assert_int_equal(idx.rank, rows[i].rank);
		for (int k = 0; k < idx.rank; k++) {
			assert_int_equal(idx.dim[k], rows[i].dim[k]);
			n *= idx.dim[k];
		}
		assert_memory_equal(idx.bytes, file.data + file.len - n, n);
		idx_free(&idx);
		put_file("file", file.data, file.len);
		assert_int_equal(idx_read(&idx, in_folder("file"), &err), OK);
		assert_int_equal(idx_peek(&peek, in_folder("file"), &err), OK);
		assert_null(peek.bytes);
		assert_memory_equal(peek.dim, idx.dim, sizeof idx.dim);
		idx_free(&idx);
		buf_free(&file);
	}
}

/* A good file of 2 images of 3 x 4, spoilt: one byte changed, or another length. */
static void test_broken(void **state)
{
	(void)state;
	static const struct {
		int at, value, length;
		const char *message;
	} rows[] = {
		{-1, 0, 0, "it ends within its header: 0 bytes of 4 are there"},
		{-1, 0, 3, "it ends within its header: 3 bytes of 4 are there"},
		{-1, 0, 14, "it ends within its header: 2 bytes of 4 are there"},
		{0, 1, 40, "not an IDX file of bytes: it begins with 01000803"},
		{2, 0x0d, 40, "not an IDX file of bytes: it begins with 00000d03"},
		{3, 2, 40, "not an IDX file of bytes: it begins with 00000802"},
		{11, 0, 40, "its header says that size 2 is 0"},
		{4, 0x80, 40, "its header claims more than 4294967296 bytes"},
		{5, 1, 40, "its header claims 786472 bytes; the file has room for at most 40"},
		{-1, 0, 39, "its header claims 40 bytes; the file has room for at most 39"},
		{7, 1, 40, "bytes follow the 28 that its header claims"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf file = idx_bytes(3, (uint32_t[]){2, 3, 4}, 251);
		struct idx idx = {.rank = -1};
		struct err err;
		assert_int_equal(file.len, 40);
		if (rows[i].at >= 0)
			file.data[rows[i].at] = (char)rows[i].value;
		assert_int_equal(idx_parse(&idx, file.data, (size_t)rows[i].length, &err), ERR_CORRUPT);
		assert_memory_equal(err.message, rows[i].message, strlen(rows[i].message));
		assert_int_equal(idx.rank, -1); /* untouched */
		buf_free(&file);
	}
}

/* 2^32 - 1 in each size: the product does not fit 64 bits. */
static void test_overflow(void **state)
{
	(void)state;
	uint8_t file[64];
	struct idx idx;
	struct err err;
	memset(file, 0xff, sizeof file);
	memcpy(file, (uint8_t[]){0, 0, 8, 4}, 4);
	assert_int_equal(idx_parse(&idx, file, sizeof file, &err), ERR_CORRUPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_labels_and_images),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_overflow),
	};
	return cmocka_run_group_tests(tests, files_open, files_close);
}
