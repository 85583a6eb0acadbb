#include "core/data/tar.h"

#include "tests/core/data/tar_bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* What came, as text: "+folder" "name:bytes" lines. */
static struct buf seen;

static int on_folder(void *ctx, const char *path, struct err *err)
{
	(void)ctx, (void)err;
	buf_printf(&seen, "+%s ", path);
	return OK;
}

static int on_begin(void *ctx, const char *path, struct err *err)
{
	(void)ctx;
	buf_printf(&seen, "%s:", path);
	return strcmp(path, "refuse") ? OK : err_set(err, ERR_NO_SPACE, "refused");
}

static int on_write(void *ctx, const void *bytes, size_t size, struct err *err)
{
	(void)ctx, (void)err;
	if (size > 40)
		buf_printf(&seen, "%zu", size);
	else
		buf_append(&seen, bytes, size);
	return OK;
}

static int on_end(void *ctx, struct err *err)
{
	(void)ctx, (void)err;
	buf_str(&seen, " ");
	return OK;
}

static const struct tar_limits small = {.entries = 8, .bytes = 5000};

static int read_bytes(const void *bytes, size_t size, struct err *err)
{
	const struct tar_sink sink = {on_folder, on_begin, on_write, on_end, NULL};
	buf_free(&seen);
	*err = (struct err){0};
	return tar_read(bytes, size, &small, &sink, err);
}

/* Frees b. */
static int read_tar(struct buf *b, struct err *err)
{
	tar_end(b);
	int code = read_bytes(b->data, b->len, err);
	buf_free(b);
	return code;
}

static void assert_seen(const char *wanted)
{
	assert_string_equal(seen.data ? seen.data : "", wanted);
	buf_free(&seen);
}

static void test_files_and_folders(void **state)
{
	(void)state;
	struct buf b = BUF_INIT, packed = BUF_INIT;
	struct err err;
	tar_header(&b, "./", '5', 0, "");
	tar_header(&b, "./train/", '5', 0, "");
	tar_text(&b, "./train//cat/./a.png", "meow");
	tar_text(&b, "labels.txt", "");
	tar_text(&b, ".DS_Store", "junk");
	tar_text(&b, "train/._a.png", "junk");
	tar_pax_path(&b, "test/Schuhe-Gr\xc3\xbcn/1.png");
	tar_text(&b, "short", "1");
	tar_pack(&packed, &b);
	assert_int_equal(read_tar(&b, &err), OK);
	assert_seen("+train train/cat/a.png:meow labels.txt: test/Schuhe-Gr\xc3\xbcn/1.png:1 ");
	/* without the end mark, as `tar` of some appliances leaves it; gzip */
	assert_int_equal(read_bytes(packed.data, packed.len, &err), OK);
	assert_seen("+train train/cat/a.png:meow labels.txt: test/Schuhe-Gr\xc3\xbcn/1.png:1 ");
	buf_free(&packed);
	/* plain headers hold bytes, whatever they mean */
	tar_text(&b, "\xc3\xbc.png", "x");
	assert_int_equal(read_tar(&b, &err), OK);
	assert_seen("\xc3\xbc.png:x ");
}

static void test_refuses(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		char type;
		const char *link;
		const char *words; /* all of them about what is wrong, and the entry */
	} cases[] = {
		{"/etc/passwd", '0', "", "'/etc/passwd', an absolute path"},
		{"../outside", '0', "", "'../outside', which leads out"},
		{"train/../../outside", '0', "", "leads out"},
		{"train/..", '5', "", "leads out"},
		{"link", '2', "/etc/passwd", "'link', which is a link"},
		{"link", '1', "labels.txt", "'link', which is a link"},
		{".hidden", '2', "/etc/passwd", "which is a link"},
		{"null", '3', "", "'null', which is a device"},
		{"disk", '4', "", "which is a device"},
		{"pipe", '6', "", "which is neither file nor folder"},
		{"bell\a.png", '0', "", "'bell?.png', a name with control characters"},
		{"1/2/3/4/5/6/7/8/9/a/b/c/d/e/f/g/h", '0', "", "more than 16 folders deep"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf b = BUF_INIT;
		struct err err;
		tar_header(&b, cases[i].name, cases[i].type, 0, cases[i].link);
		if (read_tar(&b, &err) != ERR_INVALID || !strstr(err.message, cases[i].words))
			fail_msg("%s: %d '%s'", cases[i].name, err.code, err.message);
		assert_seen("");
	}
}

static void test_long_names(void **state)
{
	(void)state;
	char name[TAR_PATH_MAX + 2];
	struct buf b = BUF_INIT;
	struct err err;
	memset(name, 'n', sizeof name);
	name[TAR_PATH_MAX + 1] = '\0';
	tar_pax_path(&b, name);
	tar_text(&b, "x", "1");
	assert_int_equal(read_tar(&b, &err), ERR_INVALID);
	assert_non_null(strstr(err.message, "more than 1000 bytes"));
}

/* Bombs: many entries, large ones, hidden large ones, and gzip that hides what its entries say. */
static void test_limits(void **state)
{
	(void)state;
	static char zeros[1 << 20];
	struct buf b = BUF_INIT, packed = BUF_INIT;
	struct err err;
	for (int i = 0; i < 9; i++)
		tar_header(&b, i % 2 ? "a/" : "b/", '5', 0, "");
	assert_int_equal(read_tar(&b, &err), ERR_TOO_LARGE);
	tar_header(&b, "big", '0', (size_t)1 << 32, ""); /* says so, has nothing */
	assert_int_equal(read_tar(&b, &err), ERR_TOO_LARGE);
	assert_non_null(strstr(err.message, "'big'"));
	assert_seen("");
	tar_file(&b, "one", zeros, 3000);
	tar_file(&b, ".two", zeros, 2000);
	tar_file(&b, "three", zeros, 1);
	assert_int_equal(read_tar(&b, &err), ERR_TOO_LARGE);
	assert_non_null(strstr(err.message, "'three'"));
	assert_seen("one:3000 ");
	tar_file(&b, "zeros", zeros, sizeof zeros);
	tar_pack(&packed, &b);
	buf_free(&b);
	assert_true(packed.len < 5000);
	assert_int_equal(read_bytes(packed.data, packed.len, &err), ERR_TOO_LARGE);
	buf_free(&packed);
	tar_file(&b, "exact", zeros, 5000);
	assert_int_equal(read_tar(&b, &err), OK);
	assert_seen("exact:5000 ");
}

static void test_damaged(void **state)
{
	(void)state;
	struct buf b = BUF_INIT, packed = BUF_INIT;
	struct err err;
	static const char text[] = "no tar at all, but long enough to be one if that were all that counts";
	assert_int_equal(read_bytes(text, sizeof text, &err), ERR_SYNTAX);
	assert_int_equal(read_bytes("", 0, &err), ERR_SYNTAX);
	assert_int_equal(read_bytes("PK\3\4", 4, &err), ERR_SYNTAX);
	tar_end(&b);
	assert_int_equal(read_bytes(b.data, b.len, &err), ERR_SYNTAX);
	assert_string_equal(err.message, "the tar is empty");
	buf_free(&b);
	tar_text(&b, "first", "1");
	tar_file(&b, "second", text, sizeof text);
	assert_int_equal(read_bytes(b.data, b.len - 500, &err), ERR_SYNTAX);
	b.data[TAR_BLOCK * 2 + 5]++; /* the second header's sum is wrong */
	assert_int_equal(read_bytes(b.data, b.len, &err), ERR_SYNTAX);
	b.data[TAR_BLOCK * 2 + 5]--;
	tar_pack(&packed, &b);
	assert_int_equal(read_bytes(packed.data, packed.len / 2, &err), ERR_SYNTAX);
	buf_free(&b);
	buf_free(&packed);
}

static void test_a_sink_may_refuse(void **state)
{
	(void)state;
	struct buf b = BUF_INIT;
	struct err err;
	tar_text(&b, "first", "1");
	tar_text(&b, "refuse", "2");
	tar_text(&b, "third", "3");
	assert_int_equal(read_tar(&b, &err), ERR_NO_SPACE);
	assert_seen("first:1 refuse:");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files_and_folders),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_a_sink_may_refuse),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
