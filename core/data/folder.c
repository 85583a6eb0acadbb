#include "core/data/folder.h"

#include "core/data/class_names.h"
#include "core/data/png.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The images of a split, by class: names[0 … n) ascending. */
struct shelf {
	char **name;
	int n;
};

struct folder {
	char path[PATH_MAX];
	struct dataset names; /* classes and class_name only */
	struct shelf shelf[SPLIT_COUNT][DATASET_CLASSES_MAX];
	struct dataset_head head;
};

/* --- names --- */

static int join(char path[PATH_MAX], struct err *err, const char *a, const char *b, const char *c, const char *d)
{
	int length = snprintf(path, PATH_MAX, "%s%s%s%s%s%s%s", a, b ? "/" : "", b ? b : "", c ? "/" : "", c ? c : "",
		d ? "/" : "", d ? d : "");
	if (length > 0 && length < PATH_MAX)
		return OK;
	return err_set(err, ERR_DATASET, "the path of the data set is too long: %.100s…", a);
}

static bool is_folder(const char *dir, const char *name)
{
	char path[PATH_MAX];
	struct stat st;
	return *name != '.' && !join(path, NULL, dir, name, NULL, NULL) && !stat(path, &st) && S_ISDIR(st.st_mode);
}

static int visible(const struct dirent *e)
{
	return *e->d_name != '.';
}

static int is_png(const struct dirent *e)
{
	const char *dot = strrchr(e->d_name, '.');
	return visible(e) && dot && (!strcmp(dot, ".png") || !strcmp(dot, ".PNG"));
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Names in a folder, ascending; *ret_n < 0: it cannot be read. */
static char **list(const char *path, int (*wanted)(const struct dirent *), int *ret_n)
{
	struct dirent **entry = NULL;
	int n = scandir(path, &entry, wanted, by_bytes);
	char **names = n >= 0 ? calloc((size_t)n + 1, sizeof *names) : NULL;
	for (int i = 0; i < n; i++) {
		if (names && !(names[i] = strdup(entry[i]->d_name)))
			n = -1;
		free(entry[i]);
	}
	free(entry);
	*ret_n = names ? n : -1;
	return names;
}

static void free_names(char **names)
{
	for (int i = 0; names && names[i]; i++)
		free(names[i]);
	free(names);
}

static bool has_class(const char *path, enum split s)
{
	char dir[PATH_MAX];
	if (join(dir, NULL, path, split_names[s], NULL, NULL))
		return false;
	DIR *d = opendir(dir);
	bool found = false;
	for (struct dirent *e; d && !found && (e = readdir(d));)
		found = is_folder(dir, e->d_name);
	if (d)
		closedir(d);
	return found;
}

bool folder_is(const char *path)
{
	return has_class(path, SPLIT_TRAIN) && has_class(path, SPLIT_TEST);
}

/* --- classes and files --- */

static int add_class(struct dataset *names, const char *dir, const char *name, struct err *err)
{
	size_t length = strlen(name);
	if (!class_name_ok(name, length))
		return err_set(err, ERR_DATASET, "%s: '%.60s' cannot be a class: names are 1 to %d bytes of plain UTF-8 text",
			dir, name, DATASET_CLASS_NAME_MAX);
	if (names->classes == DATASET_CLASSES_MAX)
		return err_set(err, ERR_DATASET, "%s has more than %d folders", dir, DATASET_CLASSES_MAX);
	memcpy(names->class_name[names->classes++], name, length + 1);
	return OK;
}

static int classes_of_train(struct dataset *names, const char *path, struct err *err)
{
	char dir[PATH_MAX];
	int n, code = join(dir, err, path, split_names[SPLIT_TRAIN], NULL, NULL);
	if (code)
		return code;
	char **name = list(dir, visible, &n);
	if (n < 0)
		code = err_set(err, ERR_DATASET, "%s cannot be read", dir);
	for (int i = 0; i < n && !code; i++)
		if (is_folder(dir, name[i]))
			code = add_class(names, dir, name[i], err);
	free_names(name);
	return code;
}

static int find_class(const struct dataset *names, const char *name)
{
	int i = 0;
	while (i < names->classes && strcmp(names->class_name[i], name))
		i++;
	return i;
}

/* A folder that no class has the name of would be left out without a word. */
static int check_folders(const struct folder *f, const char *dir, struct err *err)
{
	int n, code = OK;
	char **name = list(dir, visible, &n);
	for (int i = 0; i < n && !code; i++)
		if (is_folder(dir, name[i]) && find_class(&f->names, name[i]) == f->names.classes)
			code = err_set(err, ERR_DATASET, "%s: '%.60s' is none of the %d classes", dir, name[i], f->names.classes);
	free_names(name);
	return code;
}

static int list_split(struct folder *f, enum split s, struct err *err)
{
	char dir[PATH_MAX];
	size_t images = 0;
	int code = join(dir, err, f->path, split_names[s], NULL, NULL);
	if (!code)
		code = check_folders(f, dir, err);
	for (int c = 0; c < f->names.classes && !code; c++) {
		struct shelf *shelf = &f->shelf[s][c];
		if ((code = join(dir, err, f->path, split_names[s], f->names.class_name[c], NULL)))
			break;
		shelf->name = list(dir, is_png, &shelf->n);
		shelf->n = shelf->n < 0 ? 0 : shelf->n; /* a class without images of this split */
		images += (size_t)shelf->n;
	}
	if (!code && (images == 0 || images > FOLDER_IMAGES_MAX))
		code = err_set(
			err, ERR_DATASET, "%s/%s has %zu PNG files in the folders of its classes", f->path, split_names[s], images);
	f->head.n[s] = images;
	return code;
}

/* --- files --- */

static int read_file(struct buf *ret, const char *path, struct err *err)
{
	FILE *file = fopen(path, "rb");
	char chunk[16384];
	size_t n;
	if (!file)
		return err_set(err, ERR_DATASET, "%s: %s", path, strerror(errno));
	while (ret->len <= FOLDER_FILE_BYTES_MAX && (n = fread(chunk, 1, sizeof chunk, file)) > 0)
		buf_append(ret, chunk, n);
	fclose(file);
	if (ret->failed)
		return err_set(err, ERR_NO_MEMORY, "no memory for %s", path);
	return ret->len <= FOLDER_FILE_BYTES_MAX
			   ? OK
			   : err_set(err, ERR_DATASET, "%s has more than %d bytes", path, FOLDER_FILE_BYTES_MAX);
}

static int peek_first(struct folder *f, struct err *err)
{
	char path[PATH_MAX];
	struct buf file = BUF_INIT;
	struct err why;
	int c = 0;
	while (!f->shelf[SPLIT_TRAIN][c].n)
		c++;
	int code =
		join(path, err, f->path, split_names[SPLIT_TRAIN], f->names.class_name[c], f->shelf[SPLIT_TRAIN][c].name[0]);
	if (!code)
		code = read_file(&file, path, err);
	if (!code && png_peek(&f->head.w, &f->head.h, &f->head.c, file.data, file.len, &why))
		code = err_set(err, ERR_DATASET, "%s: %s", path, why.message);
	if (!code && (f->head.w > DATASET_SIDE_MAX || f->head.h > DATASET_SIDE_MAX))
		code = err_set(err, ERR_DATASET, "%s: images have at most %d x %d pixels, this has %d x %d", path,
			DATASET_SIDE_MAX, DATASET_SIDE_MAX, f->head.h, f->head.w);
	buf_free(&file);
	return code;
}

/* [h][w][c] to [c][h][w]. */
static void take_pixels(uint8_t *to, const struct canvas *canvas)
{
	size_t n = (size_t)canvas->w * (size_t)canvas->h, channels = (size_t)canvas->channels;
	for (size_t c = 0; c < channels; c++)
		for (size_t i = 0; i < n; i++)
			to[c * n + i] = canvas->pixels[i * channels + c];
}

static int read_image(const struct folder *f, const char *path, uint8_t *to, struct buf *file, struct err *err)
{
	int w, h, c;
	struct err why;
	struct canvas canvas;
	file->len = 0;
	int code = read_file(file, path, err);
	if (code)
		return code;
	if (png_peek(&w, &h, &c, file->data, file->len, &why))
		return err_set(err, ERR_DATASET, "%s: %s", path, why.message);
	if (w != f->head.w || h != f->head.h)
		return err_set(
			err, ERR_DATASET, "%s has %d x %d pixels, the first image has %d x %d", path, h, w, f->head.h, f->head.w);
	if (c > f->head.c)
		return err_set(err, ERR_DATASET, "%s is coloured, the first image is gray", path);
	if (png_read(&canvas, file->data, file->len, f->head.c, &why))
		return err_set(err, why.code == ERR_NO_MEMORY ? ERR_NO_MEMORY : ERR_DATASET, "%s: %s", path, why.message);
	take_pixels(to, &canvas);
	canvas_close(&canvas);
	return OK;
}

int folder_read(const struct folder *f, enum split split, struct dataset_split *ret, struct err *err)
{
	const struct dataset_head *head = &f->head;
	size_t bytes = (size_t)head->c * (size_t)head->h * (size_t)head->w;
	struct dataset_split d = {.images = malloc(head->n[split] * bytes), .labels = malloc(head->n[split])};
	struct buf file = BUF_INIT;
	int code = d.images && d.labels ? OK : err_set(err, ERR_NO_MEMORY, "no memory for %zu images", head->n[split]);
	for (int round = 0; !code && d.n < head->n[split]; round++)
		for (int c = 0; !code && c < f->names.classes; c++) {
			char path[PATH_MAX];
			if (round >= f->shelf[split][c].n)
				continue;
			code = join(path, err, f->path, split_names[split], f->names.class_name[c], f->shelf[split][c].name[round]);
			if (!code)
				code = read_image(f, path, d.images + d.n * bytes, &file, err);
			d.labels[d.n++] = (uint8_t)c;
		}
	buf_free(&file);
	if (code) {
		free(d.images);
		free(d.labels);
		return code;
	}
	*ret = d;
	return OK;
}

/* --- the whole --- */

int folder_open(struct folder **ret, const char *path, struct err *err)
{
	struct folder *f = calloc(1, sizeof *f);
	if (!f)
		return err_set(err, ERR_NO_MEMORY, "no memory for a data set");
	int code = join(f->path, err, path, NULL, NULL, NULL);
	if (!code)
		code = class_names_file(&f->names, path, err);
	if (code == ERR_NOT_FOUND)
		code = classes_of_train(&f->names, path, err);
	for (int s = 0; s < SPLIT_COUNT && !code; s++)
		code = list_split(f, (enum split)s, err);
	if (!code)
		code = peek_first(f, err);
	if (code)
		folder_close(f);
	else
		*ret = f;
	return code;
}

void folder_close(struct folder *f)
{
	for (int s = 0; s < SPLIT_COUNT; s++)
		for (int c = 0; c < DATASET_CLASSES_MAX; c++)
			free_names(f->shelf[s][c].name);
	free(f);
}

void folder_head(const struct folder *f, struct dataset_head *ret)
{
	*ret = f->head;
}

void folder_classes(const struct folder *f, struct dataset *d)
{
	d->classes = f->names.classes;
	memcpy(d->class_name, f->names.class_name, sizeof d->class_name);
}

/* When a folder was last changed says whether a file came or went. */
static int print_folder(struct buf *b, const char *path, struct err *err)
{
	struct stat st;
	if (stat(path, &st))
		return err_errno(err, errno, "%s", path);
	buf_printf(b, "%s %lld.%09ld\n", path, (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	return OK;
}

int folder_fingerprint(const char *path, struct buf *ret_text, struct err *err)
{
	int code = OK;
	for (int s = 0; s < SPLIT_COUNT && !code; s++) {
		char dir[PATH_MAX], class[PATH_MAX];
		int n = 0;
		if ((code = join(dir, err, path, split_names[s], NULL, NULL)) || (code = print_folder(ret_text, dir, err)))
			break;
		char **name = list(dir, visible, &n);
		for (int i = 0; i < n && !code; i++)
			if (is_folder(dir, name[i]) && !(code = join(class, err, dir, name[i], NULL, NULL)))
				code = print_folder(ret_text, class, err);
		free_names(name);
	}
	return code;
}
