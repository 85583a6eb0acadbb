#include "core/data/tar_out.h"

#include "core/base/buf.h"
#include "core/data/tar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROOM = 200000 };

static int collect(void *ctx, const void *bytes, size_t size, struct err *err)
{
	struct buf *b = ctx;
	if (b->len + size > ROOM)
		return err_set(err, ERR_NO_SPACE, "full");
	buf_append(b, bytes, size);
	return OK;
}

/* What libarchive reads in it: "path:size:first byte " of each file. */
static struct buf seen;
static size_t file_bytes;

static int on_folder(void *ctx, const char *path, struct err *err)
{
	(void)ctx, (void)path;
	return err_set(err, ERR_INTERNAL, "a folder");
}

static int on_begin(void *ctx, const char *path, struct err *err)
{
	(void)ctx, (void)err;
	buf_printf(&seen, "%s:", path);
	file_bytes = 0;
	return OK;
}

static int on_write(void *ctx, const void *bytes, size_t size, struct err *err)
{
	(void)ctx, (void)err;
	for (size_t i = 0; i < size; i++)
		assert_int_equal(((const char *)bytes)[i], 'a' + (int)((file_bytes + i) % 26));
	file_bytes += size;
	return OK;
}

static int on_end(void *ctx, struct err *err)
{
	(void)ctx, (void)err;
	buf_printf(&seen, "%zu ", file_bytes);
	return OK;
}

static char letters[100000];

static struct buf write_some(const char *longer)
{
	static const size_t sizes[] = {0, 1, 511, 512, 513, 100000};
	struct buf b = BUF_INIT;
	const struct tar_out t = {collect, &b};
	for (size_t i = 0; i < sizeof letters; i++)
		letters[i] = (char)('a' + i % 26);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		char name[40];
		snprintf(name, sizeof name, "folder/file-%zu", i);
		assert_int_equal(tar_put(&t, name, letters, sizes[i], NULL), OK);
	}
	assert_int_equal(tar_put(&t, longer, letters, 3, NULL), OK);
	assert_int_equal(tar_end(&t, NULL), OK);
	return b;
}

static void test_read_by_libarchive(void **state)
{
	(void)state;
	const struct tar_limits limits = {.entries = 20, .bytes = 1 << 20};
	const struct tar_sink sink = {on_folder, on_begin, on_write, on_end, NULL};
	char longer[256] = "", wanted[600];
	struct err err = {0};
	memset(longer, 'p', 150);
	strcat(longer, "/");
	memset(longer + 151, 'n', 100);
	struct buf b = write_some(longer), again = write_some(longer);
	assert_int_equal(b.len % 512, 0);
	assert_memory_equal(b.data, again.data, b.len);
	if (tar_read(b.data, b.len, &limits, &sink, &err))
		fail_msg("%s", err.message);
	snprintf(wanted, sizeof wanted,
		"folder/file-0:0 folder/file-1:1 folder/file-2:511 folder/file-3:512 folder/file-4:513 folder/file-5:100000 %s:3 ",
		longer);
	assert_string_equal(seen.data, wanted);
	buf_free(&seen);
	buf_free(&b);
	buf_free(&again);
}

/* Nothing of when and by whom. */
static void test_header(void **state)
{
	(void)state;
	struct buf b = write_some("x");
	assert_string_equal(b.data, "folder/file-0");
	assert_memory_equal(b.data + 100, "0000644\0000000000\0000000000", 24);
	assert_memory_equal(b.data + 136, "00000000000", 12);
	assert_memory_equal(b.data + 257, "ustar\00000\0", 9);
	buf_free(&b);
}

static void test_refused(void **state)
{
	(void)state;
	struct buf b = BUF_INIT;
	const struct tar_out t = {collect, &b};
	struct err err = {0};
	char path[300] = "";
	memset(path, 'n', 101);
	assert_int_equal(tar_put(&t, path, letters, 1, &err), ERR_INVALID);
	path[101] = '/';
	memset(path + 102, 'm', 101);
	assert_int_equal(tar_put(&t, path, letters, 1, &err), ERR_INVALID);
	assert_int_equal(tar_put(&t, "", letters, 1, &err), ERR_INVALID);
	assert_int_equal(tar_put(&t, "x", letters, (size_t)1 << 33, &err), ERR_TOO_LARGE);
	assert_int_equal(b.len, 0);
	assert_int_equal(tar_put(&t, "x", letters, 100000, &err), OK);
	assert_int_equal(tar_put(&t, "y", letters, 100000, &err), ERR_NO_SPACE);
	assert_string_equal(err.message, "full");
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_by_libarchive),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
