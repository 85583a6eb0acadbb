#include "core/data/dataset_dir.h"

#include "core/base/buf.h"
#include "core/data/folder.h"
#include "core/data/sha256.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char *const split_names[SPLIT_COUNT] = {[SPLIT_TRAIN] = "train", [SPLIT_TEST] = "test"};

/* MNIST's names, which all its kin keep. */
static const char *const file_names[SPLIT_COUNT][PART_COUNT] = {
	[SPLIT_TRAIN] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte"},
	[SPLIT_TEST] = {"t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"},
};

const char dataset_labels_name[] = "labels.txt";

/* deploy/fetch-data.sh has the same table (a test compares them). */
const struct dataset_file dataset_fashion_files[DATASET_FILES] = {
	{"train-images-idx3-ubyte.gz", 26421856, "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7"},
	{"train-labels-idx1-ubyte.gz", 29491, "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056"},
	{"t10k-images-idx3-ubyte.gz", 4422079, "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa"},
	{"t10k-labels-idx1-ubyte.gz", 5125, "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05"},
};

static const char debian_dir[] = "/usr/share/datasets";
static const char debian_name[] = "fashion-mnist";

bool split_find(const char *name, enum split *ret)
{
	for (int s = 0; s < SPLIT_COUNT; s++)
		if (!strcmp(split_names[s], name)) {
			*ret = (enum split)s;
			return true;
		}
	return false;
}

bool dataset_name_valid(const char *name)
{
	size_t length = strlen(name);
	return length >= 1 && length <= DATASET_NAME_MAX && name[0] != '.' &&
		   strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == length;
}

static bool is_file(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

int dataset_file_path(
	const char *path, enum split split, enum dataset_part part, char *ret_path, size_t path_size, struct err *err)
{
	static const char *const packing[] = {"", ".gz"};
	const char *name = file_names[split][part];
	char candidate[PATH_MAX];
	for (size_t i = 0; i < sizeof packing / sizeof *packing; i++) {
		int length = snprintf(candidate, sizeof candidate, "%s/%s%s", path, name, packing[i]);
		if (length < 0 || (size_t)length >= sizeof candidate || (size_t)length >= path_size)
			return err_set(err, ERR_DATASET, "the path of the data set is too long: %.100s…", path);
		if (is_file(candidate)) {
			memcpy(ret_path, candidate, (size_t)length + 1);
			return OK;
		}
	}
	return err_set(err, ERR_DATASET, "%s lacks %s[.gz]", path, name);
}

bool dataset_has_folders(const char *path)
{
	char file[PATH_MAX];
	return dataset_file_path(path, SPLIT_TRAIN, PART_IMAGES, file, sizeof file, NULL) && folder_is(path);
}

/* How many of the four files are there; err tells of the first that is not. */
static int count_files(const char *path, struct err *err)
{
	char file[PATH_MAX];
	int there = 0;
	for (int i = DATASET_FILES - 1; i >= 0; i--)
		if (!dataset_file_path(path, i / PART_COUNT, i % PART_COUNT, file, sizeof file, err))
			there++;
	return there;
}

/* Is the folder dir/name, or the folder dir itself when it is called name (name == NULL: dir as it is), a data set?
 * Then its path. A folder with some of the files only is told of in `partial`. */
static bool try_folder(const char *dir, const char *name, char *ret_path, size_t path_size, struct err *partial)
{
	char path[PATH_MAX];
	int length = snprintf(path, sizeof path, "%s%s%s", dir, name ? "/" : "", name ? name : "");
	if (length < 0 || (size_t)length >= sizeof path || (size_t)length >= path_size)
		return false;
	struct err err;
	int there = count_files(path, &err);
	if (there == DATASET_FILES || dataset_has_folders(path)) {
		memcpy(ret_path, path, (size_t)length + 1);
		return true;
	}
	if (there > 0 && !partial->code)
		*partial = err;
	return false;
}

/* Last part of dir's real path ("." has a name too); false when no data set can have that name. */
static bool own_name(const char *dir, char name[DATASET_NAME_MAX + 1])
{
	char real_path[PATH_MAX];
	if (!realpath(dir, real_path))
		return false;
	const char *last = strrchr(real_path, '/') + 1;
	if (!dataset_name_valid(last))
		return false;
	memcpy(name, last, strlen(last) + 1);
	return true;
}

static bool find_in(const char *dir, const char *name, char *ret_path, size_t path_size, struct err *partial)
{
	char own[DATASET_NAME_MAX + 1];
	return try_folder(dir, name, ret_path, path_size, partial) ||
		   (own_name(dir, own) && strcmp(own, name) == 0 && try_folder(dir, NULL, ret_path, path_size, partial));
}

/* What is missing, and the two or three ways to get it. */
static int not_found(const char *name, const char *const *dirs, int ndirs, const struct err *partial, struct err *err)
{
	struct buf b = BUF_INIT;
	buf_printf(&b, "data set \"%s\" is not here", name);
	if (partial->code)
		buf_printf(&b, " (%.160s)", partial->message);
	if (strcmp(name, debian_name) == 0)
		buf_str(&b, "; `apt install dataset-fashion-mnist`, or `deploy/fetch-data.sh DIR` and --dataset-dir DIR");
	else
		buf_printf(&b,
			"; put %s[.gz], %s[.gz], %s[.gz] and %s[.gz], or train/<class>/*.png and test/<class>/*.png "
			"into DIR/%s and start with --dataset-dir DIR",
			file_names[0][0], file_names[0][1], file_names[1][0], file_names[1][1], name);
	for (int i = 0; i < ndirs; i++)
		buf_printf(&b, "%s%.80s", i ? ", " : "; looked in ", dirs[i]);
	int code = err_set(err, ERR_DATASET, "%s", b.failed ? "data set not found" : b.data);
	buf_free(&b);
	return code;
}

int dataset_find(
	const char *name, const char *const *dirs, int ndirs, char *ret_path, size_t path_size, struct err *err)
{
	if (!dataset_name_valid(name))
		return err_set(err, ERR_DATASET,
			"no data set can be called \"%.80s\": 1 to %d letters, digits, '.', '_' and '-', not beginning with '.'",
			name, DATASET_NAME_MAX);
	struct err partial = {0};
	for (int i = 0; i < ndirs; i++)
		if (find_in(dirs[i], name, ret_path, path_size, &partial))
			return OK;
	if (strcmp(name, debian_name) == 0 && try_folder(debian_dir, name, ret_path, path_size, &partial))
		return OK;
	return not_found(name, dirs, ndirs, &partial, err);
}

/* One walk over all places: tells fn of each name once. */
struct walk {
	const char *const *dirs;
	int ndirs;
	void (*fn)(void *ctx, const char *name, const char *path);
	void *ctx;
	struct buf seen; /* "/name/name/": a slash cannot be in a name */
};

static void offer(struct walk *walk, const char *name)
{
	char path[PATH_MAX], key[DATASET_NAME_MAX + 3];
	if (!dataset_name_valid(name))
		return;
	snprintf(key, sizeof key, "/%s/", name);
	if (walk->seen.data && strstr(walk->seen.data, key))
		return;
	if (dataset_find(name, walk->dirs, walk->ndirs, path, sizeof path, NULL))
		return;
	buf_str(&walk->seen, key);
	walk->fn(walk->ctx, name, path);
}

static void offer_folder(struct walk *walk, const char *dir)
{
	struct dirent **entries;
	char own[DATASET_NAME_MAX + 1];
	int n = scandir(dir, &entries, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		offer(walk, entries[i]->d_name);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	if (own_name(dir, own))
		offer(walk, own);
}

void dataset_each(
	const char *const *dirs, int ndirs, void (*fn)(void *ctx, const char *name, const char *path), void *ctx)
{
	struct walk walk = {.dirs = dirs, .ndirs = ndirs, .fn = fn, .ctx = ctx};
	for (int i = 0; i < ndirs; i++)
		offer_folder(&walk, dirs[i]);
	offer(&walk, debian_name);
	buf_free(&walk.seen);
}

static void print_file(struct buf *b, const struct stat *st)
{
	buf_printf(b, "%s%lld:%lld.%09ld", b->len ? " " : "", (long long)st->st_size, (long long)st->st_mtim.tv_sec,
		st->st_mtim.tv_nsec);
}

static int print_files(struct buf *b, const char *path, struct err *err)
{
	char file[PATH_MAX];
	struct stat st;
	int code = OK;
	for (int i = 0; i < DATASET_FILES && !code; i++) {
		code = dataset_file_path(path, i / PART_COUNT, i % PART_COUNT, file, sizeof file, err);
		if (!code && stat(file, &st))
			code = err_errno(err, errno, "%s", file);
		if (!code)
			print_file(b, &st);
	}
	return code;
}

/* As many lines as there are folders: their sum will do. */
static int print_folders(struct buf *b, const char *path, struct err *err)
{
	struct buf lines = BUF_INIT;
	char sum[SHA256_HEX];
	int code = folder_fingerprint(path, &lines, err);
	if (!code && lines.failed)
		code = err_set(err, ERR_NO_MEMORY, "no memory for a fingerprint");
	if (!code) {
		sha256_text(lines.data, lines.len, sum);
		buf_str(b, sum);
	}
	buf_free(&lines);
	return code;
}

int dataset_fingerprint(const char *path, char *text, size_t size, struct err *err)
{
	struct buf b = BUF_INIT;
	char file[PATH_MAX];
	struct stat st;
	int code = dataset_has_folders(path) ? print_folders(&b, path, err) : print_files(&b, path, err);
	if (!code && (size_t)snprintf(file, sizeof file, "%s/%s", path, dataset_labels_name) < sizeof file &&
		!stat(file, &st))
		print_file(&b, &st);
	if (!code && b.failed)
		code = err_set(err, ERR_NO_MEMORY, "out of memory");
	if (!code && b.len >= size)
		code = err_set(err, ERR_INTERNAL, "no room for a fingerprint");
	if (!code)
		memcpy(text, b.data, b.len + 1);
	buf_free(&b);
	return code;
}
