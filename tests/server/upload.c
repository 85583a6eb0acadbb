#include "server/upload.h"

#include "tests/core/data/files.h"
#include "tests/core/data/tar_bytes.h"

#include <dirent.h>

/* The four IDX files of a data set of n images of h x h, under `prefix`. */
static void add_set(struct buf *b, const char *prefix, uint32_t n, uint32_t h)
{
	static const char *const names[] = {
		"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};
	for (int i = 0; i < 4; i++) {
		char name[100];
		struct buf file = idx_bytes(i % 2 ? 1 : 3, (uint32_t[]){n, h, h}, i % 2 ? 2 : 251);
		snprintf(name, sizeof name, "%s%s", prefix, names[i]);
		tar_file(b, name, file.data, file.len);
		buf_free(&file);
	}
}

static int unpack(struct upload *u, struct buf *b, struct err *err)
{
	tar_end(b);
	*err = (struct err){0};
	int code = upload_unpack(u, folder, "own", b->data, b->len, err);
	buf_free(b);
	return code;
}

static int says_yes(void *ctx, struct err *err)
{
	(void)ctx, (void)err;
	return OK;
}

static int says_no(void *ctx, struct err *err)
{
	(void)ctx;
	return err_set(err, ERR_CONFLICT, "no");
}

/* Names in <data-dir>/datasets, hidden ones too. */
static int count_entries(void)
{
	int n = 0;
	DIR *d = opendir(in_folder("datasets"));
	for (struct dirent *e; d && (e = readdir(d));)
		n += strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
	if (d)
		closedir(d);
	return n;
}

static int height_now(void)
{
	struct dataset_head head;
	struct err err;
	if (dataset_peek(&head, in_folder("datasets/own"), &err))
		fail_msg("%s", err.message);
	return head.h;
}

/* One after the other: new, replaced (from a folder within), refused, removed. */
static void test_life(void **state)
{
	(void)state;
	struct buf b = BUF_INIT;
	struct upload u;
	struct err err;
	bool replaced = true;
	add_set(&b, "./", 6, 8);
	assert_int_equal(unpack(&u, &b, &err), OK);
	assert_int_equal(u.data->h, 8);
	assert_int_equal(count_entries(), 1);
	assert_int_equal(upload_settle(&u, folder, "own", says_no, NULL, &replaced, &err), ERR_CONFLICT);
	upload_drop(&u);
	assert_int_equal(count_entries(), 0);

	add_set(&b, "", 6, 8);
	assert_int_equal(unpack(&u, &b, &err), OK);
	assert_int_equal(upload_settle(&u, folder, "own", says_yes, NULL, &replaced, &err), OK);
	upload_drop(&u);
	assert_false(replaced);
	assert_int_equal(height_now(), 8);

	for (int h = 9; h < 11; h++) {
		add_set(&b, h == 9 ? "a folder/" : "", 6, (uint32_t)h);
		assert_int_equal(unpack(&u, &b, &err), OK);
		assert_int_equal(height_now(), h - 1);
		assert_int_equal(upload_settle(&u, folder, "own", says_yes, NULL, &replaced, &err), OK);
		upload_drop(&u);
		assert_true(replaced);
		assert_int_equal(height_now(), h);
		assert_int_equal(count_entries(), 1);
	}
	assert_true(upload_owns(folder, in_folder("datasets/own")));
	assert_false(upload_owns(folder, in_folder("elsewhere/own")));
	assert_int_equal(upload_remove(folder, "own", says_no, NULL, &err), ERR_CONFLICT);
	assert_int_equal(count_entries(), 1);
	assert_int_equal(upload_remove(folder, "own", says_yes, NULL, &err), OK);
	assert_int_equal(count_entries(), 0);
	assert_int_equal(upload_remove(folder, "own", says_yes, NULL, &err), ERR_NOT_FOUND);
	assert_int_equal(count_entries(), 0);
}

static void refuse(struct buf *b, int code, const char *words)
{
	struct upload u;
	struct err err;
	if (unpack(&u, b, &err) != code || !strstr(err.message, words))
		fail_msg("'%s': %d '%s'", words, err.code, err.message);
	assert_null(strstr(err.message, ".incoming"));
	assert_int_equal(count_entries(), 0);
}

static void test_refuses(void **state)
{
	(void)state;
	struct buf b = BUF_INIT;
	const uint8_t huge[] = {0, 0, 8, 3, 0, 0, 255, 255, 0, 0, 4, 0, 0, 0, 4, 0};
	tar_text(&b, "train", "a file");
	tar_text(&b, "train/cat/1.png", "x");
	refuse(&b, ERR_INVALID, "'train' as a file and as a folder");
	tar_text(&b, "train/cat/1.png", "x");
	tar_text(&b, "train", "a file");
	refuse(&b, ERR_INVALID, "holds 'train' twice");
	tar_text(&b, "1.png", "x");
	tar_text(&b, "1.png", "y");
	refuse(&b, ERR_INVALID, "holds '1.png' twice");
	tar_text(&b, "readme.txt", "x");
	refuse(&b, ERR_DATASET, "holds neither train-images-idx3-ubyte[.gz]");
	tar_text(&b, "train/cat/1.png", "x");
	refuse(&b, ERR_DATASET, "holds neither");
	tar_text(&b, "train/cat/1.png", "x");
	tar_text(&b, "test/cat/1.png", "x");
	refuse(&b, ERR_DATASET, "train/cat/1.png: not a PNG file");
	add_set(&b, "", 6, 8);
	b.len -= 2 * TAR_BLOCK; /* the last of the four */
	refuse(&b, ERR_DATASET, "the tar lacks t10k-labels-idx1-ubyte[.gz]");
	tar_file(&b, "train-images-idx3-ubyte", huge, sizeof huge);
	refuse(&b, ERR_DATASET, "train-images-idx3-ubyte");
}

static void deflate_member(struct buf *ret, const void *bytes, size_t size)
{
	const struct buf plain = {.data = (char *)bytes, .len = size};
	tar_pack(ret, &plain);
}

/* 3000 images of 1024 x 1024 in a few MB: what is small in the tar must not be large in memory. */
static void test_packed_twice(void **state)
{
	(void)state;
	enum { IMAGE = 1 << 20, IMAGES = 1500 };
	const uint8_t head[] = {0, 0, 8, 3, 0, 0, IMAGES >> 8, IMAGES & 255, 0, 0, 4, 0, 0, 0, 4, 0};
	struct buf b = BUF_INIT, packed = BUF_INIT, member = BUF_INIT;
	char *zeros = calloc(IMAGE, 1);
	deflate_member(&packed, head, sizeof head);
	deflate_member(&member, zeros, IMAGE);
	for (int i = 0; i < IMAGES; i++)
		buf_append(&packed, member.data, member.len);
	for (int i = 0; i < 2; i++)
		tar_file(&b, i ? "train-images-idx3-ubyte.gz" : "t10k-images-idx3-ubyte.gz", packed.data, packed.len);
	refuse(&b, ERR_TOO_LARGE, "its images are 3145728000 bytes");
	buf_free(&packed);
	buf_free(&member);
	free(zeros);
}

static void test_sweep(void **state)
{
	(void)state;
	struct buf b = BUF_INIT;
	struct upload u;
	struct err err;
	add_set(&b, "", 6, 8);
	assert_int_equal(unpack(&u, &b, &err), OK);
	put_text("datasets/.other", "not ours");
	upload_sweep(folder);
	assert_int_equal(count_entries(), 1);
	upload_drop(&u); /* gone already */
	upload_sweep(in_folder("no such folder"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_packed_twice),
		cmocka_unit_test(test_sweep),
	};
	return cmocka_run_group_tests(tests, files_open, files_close);
}
