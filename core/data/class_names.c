#include "core/data/class_names.h"

#include "core/data/gz.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { LABELS_BYTES_MAX = 16 << 10 };

static const char *const fashion[] = {
	"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"};
enum { FASHION_CLASSES = sizeof fashion / sizeof *fashion };

/* Bytes of the UTF-8 character at s (`left` bytes are there), 0 if it is none: RFC 3629, table 3-7 of Unicode. */
static size_t utf8_length(const uint8_t *s, size_t left)
{
	static const struct {
		uint8_t lead_min, lead_max, second_min, second_max, length;
	} rows[] = {
		{0x00, 0x7f, 0, 0, 1},
		{0xc2, 0xdf, 0x80, 0xbf, 2},
		{0xe0, 0xe0, 0xa0, 0xbf, 3},
		{0xe1, 0xec, 0x80, 0xbf, 3},
		{0xed, 0xed, 0x80, 0x9f, 3}, /* no surrogates */
		{0xee, 0xef, 0x80, 0xbf, 3},
		{0xf0, 0xf0, 0x90, 0xbf, 4},
		{0xf1, 0xf3, 0x80, 0xbf, 4},
		{0xf4, 0xf4, 0x80, 0x8f, 4},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (s[0] < rows[i].lead_min || s[0] > rows[i].lead_max)
			continue;
		if (rows[i].length > left)
			return 0;
		for (size_t k = 1; k < rows[i].length; k++)
			if (s[k] < (k == 1 ? rows[i].second_min : 0x80) || s[k] > (k == 1 ? rows[i].second_max : 0xbf))
				return 0;
		return rows[i].length;
	}
	return 0;
}

bool class_name_ok(const char *name, size_t length)
{
	const uint8_t *s = (const uint8_t *)name;
	if (length == 0 || length > DATASET_CLASS_NAME_MAX)
		return false;
	for (size_t i = 0; i < length;) {
		size_t n = utf8_length(s + i, length - i);
		if (n == 0 || s[i] < 0x20 || s[i] == 0x7f || (s[i] == 0xc2 && s[i + 1] < 0xa0)) /* C0, DEL, C1 */
			return false;
		i += n;
	}
	return true;
}

static size_t without_end(const char *text, size_t size)
{
	while (size && strchr(" \t\r\n", text[size - 1]) && text[size - 1])
		size--;
	return size;
}

int class_names_parse(struct dataset *d, const char *text, size_t size, struct err *err)
{
	int n = 0;
	size_t end = without_end(text, size);
	for (size_t at = 0; at < end; n++) {
		const char *newline = memchr(text + at, '\n', end - at);
		size_t line = newline ? (size_t)(newline - text) - at : end - at;
		size_t length = without_end(text + at, line);
		if (n == DATASET_CLASSES_MAX)
			return err_set(err, ERR_DATASET, "labels.txt has more than %d lines", DATASET_CLASSES_MAX);
		if (!class_name_ok(text + at, length))
			return err_set(err, ERR_DATASET, "labels.txt, line %d: a class name is 1 to %d bytes of plain UTF-8 text",
				n + 1, DATASET_CLASS_NAME_MAX);
		memcpy(d->class_name[n], text + at, length);
		d->class_name[n][length] = '\0';
		at += line + 1;
	}
	if (n == 0)
		return err_set(err, ERR_DATASET, "labels.txt is empty");
	d->classes = n;
	return OK;
}

static int read_labels(struct dataset *d, struct gz *gz, struct err *err)
{
	char text[LABELS_BYTES_MAX + 1];
	size_t size;
	int code = gz_read(gz, text, sizeof text, &size, err);
	if (code)
		return code;
	if (size > LABELS_BYTES_MAX)
		return err_set(err, ERR_DATASET, "labels.txt has more than %d bytes", LABELS_BYTES_MAX);
	return class_names_parse(d, text, size, err);
}

static void built_in(struct dataset *d, int found)
{
	bool is_fashion = strcmp(d->name, "fashion-mnist") == 0;
	d->classes = is_fashion ? FASHION_CLASSES : found;
	for (int i = 0; i < d->classes; i++)
		if (is_fashion)
			snprintf(d->class_name[i], sizeof d->class_name[i], "%s", fashion[i]);
		else
			snprintf(d->class_name[i], sizeof d->class_name[i], "%d", i);
}

int class_names_file(struct dataset *d, const char *path, struct err *err)
{
	char file[PATH_MAX];
	struct err why;
	struct gz *gz;
	if ((size_t)snprintf(file, sizeof file, "%s/%s", path, dataset_labels_name) >= sizeof file)
		return err_set(err, ERR_DATASET, "the path of the data set is too long: %.100s…", path);
	int code = gz_open(&gz, file, &why);
	if (code)
		return err_set(err, code == ERR_NOT_FOUND ? code : ERR_DATASET, "%s: %s", file, why.message);
	code = read_labels(d, gz, err);
	gz_close(gz);
	return code;
}

int class_names_read(struct dataset *d, const char *path, int found, struct err *err)
{
	int code = class_names_file(d, path, err);
	if (code != ERR_NOT_FOUND)
		return code;
	built_in(d, found);
	return OK;
}
