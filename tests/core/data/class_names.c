#include "core/data/class_names.h"

#include "tests/core/data/files.h"

static int parse(struct dataset *d, const char *text, struct err *err)
{
	*d = (struct dataset){0};
	return class_names_parse(d, text, strlen(text), err);
}

static void test_lines(void **state)
{
	(void)state;
	static struct dataset d;
	struct err err;
	assert_int_equal(parse(&d, "cat\ndog \r\nT-shirt/top\nNaïve Größe\n\n\n", &err), OK);
	assert_int_equal(d.classes, 4);
	assert_string_equal(d.class_name[0], "cat");
	assert_string_equal(d.class_name[1], "dog");
	assert_string_equal(d.class_name[2], "T-shirt/top");
	assert_string_equal(d.class_name[3], "Naïve Größe");
	assert_int_equal(parse(&d, "a\nb", &err), OK);
	assert_int_equal(d.classes, 2);
}

static void test_refused(void **state)
{
	(void)state;
	static struct dataset d;
	static const struct {
		const char *text, *message;
	} rows[] = {
		{"", "labels.txt is empty"},
		{"\n\n", "labels.txt is empty"},
		{"a\n\nb\n", "labels.txt, line 2: a class name is 1 to 39 bytes of plain UTF-8 text"},
		{"a\tb\n", "labels.txt, line 1:"},
		{"\x1b[31mred\n", "labels.txt, line 1:"},
		{"a\x7f", "labels.txt, line 1:"},
		{"\xc2\x85", "labels.txt, line 1:"},         /* C1 control */
		{"\xc0\xaf", "labels.txt, line 1:"},         /* overlong */
		{"\xed\xa0\x80", "labels.txt, line 1:"},     /* surrogate */
		{"\xf4\x90\x80\x80", "labels.txt, line 1:"}, /* past U+10FFFF */
		{"a\xe2\x82\n", "labels.txt, line 1:"},      /* cut short */
		{"1234567890123456789012345678901234567890", "labels.txt, line 1:"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct err err;
		assert_int_equal(parse(&d, rows[i].text, &err), ERR_DATASET);
		assert_memory_equal(err.message, rows[i].message, strlen(rows[i].message));
		assert_int_equal(d.classes, 0);
	}
	struct err err;
	assert_int_equal(class_names_parse(&d, "a\0b", 3, &err), ERR_DATASET);
}

static void test_too_many(void **state)
{
	(void)state;
	static struct dataset d;
	char text[2 * (DATASET_CLASSES_MAX + 1) + 1] = "";
	struct err err;
	for (int i = 0; i <= DATASET_CLASSES_MAX; i++)
		memcpy(text + 2 * i, "x\n", 3);
	assert_int_equal(parse(&d, text, &err), ERR_DATASET);
	assert_string_equal(err.message, "labels.txt has more than 256 lines");
	text[2 * DATASET_CLASSES_MAX] = '\0';
	assert_int_equal(parse(&d, text, &err), OK);
	assert_int_equal(d.classes, DATASET_CLASSES_MAX);
}

static void test_where_from(void **state)
{
	(void)state;
	static struct dataset d;
	struct err err;
	strcpy(d.name, "other");
	assert_int_equal(class_names_read(&d, folder, 12, &err), OK);
	assert_int_equal(d.classes, 12);
	assert_string_equal(d.class_name[11], "11");
	strcpy(d.name, "fashion-mnist");
	assert_int_equal(class_names_read(&d, folder, 3, &err), OK);
	assert_int_equal(d.classes, 10);
	assert_string_equal(d.class_name[0], "T-shirt/top");
	assert_string_equal(d.class_name[9], "Ankle boot");
	put_text("labels.txt", "yes\nno\n");
	assert_int_equal(class_names_read(&d, folder, 3, &err), OK);
	assert_int_equal(d.classes, 2);
	assert_string_equal(d.class_name[1], "no");
}

static void test_file_refused(void **state)
{
	(void)state;
	static struct dataset d;
	static char big[20 << 10];
	struct err err;
	memset(big, '\n', sizeof big);
	put_file("labels.txt", big, sizeof big);
	assert_int_equal(class_names_read(&d, folder, 3, &err), ERR_DATASET);
	assert_string_equal(err.message, "labels.txt has more than 16384 bytes");
	assert_int_equal(remove(in_folder("labels.txt")), 0);
	make_folder("labels.txt");
	assert_int_equal(class_names_read(&d, folder, 3, &err), ERR_DATASET);
	assert_non_null(strstr(err.message, "labels.txt: not a regular file"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_where_from),
		cmocka_unit_test(test_file_refused),
	};
	return cmocka_run_group_tests(tests, files_open, files_close);
}
