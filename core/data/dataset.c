#include "core/data/dataset.h"

#include "core/data/class_names.h"
#include "core/data/folder.h"
#include "core/data/idx.h"
#include "core/data/sha256.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is wrong with a data set's files is ERR_DATASET to the world, with the file's name; no memory stays what it is.
 */
static int blame(struct err *err, const struct err *why, const char *file)
{
	return err_set(err, why->code == ERR_NO_MEMORY ? ERR_NO_MEMORY : ERR_DATASET, "%s: %s", file, why->message);
}

/* Channels, height and width of images, from the sizes an IDX header gives. */
static int image_shape(struct dataset_head *head, const struct idx *idx, struct err *why)
{
	if (idx->rank != 3 && idx->rank != 4)
		return err_set(why, ERR_DATASET, "these are labels, not images");
	size_t c = idx->rank == 4 ? idx->dim[1] : 1, h = idx->dim[idx->rank - 2], w = idx->dim[idx->rank - 1];
	if (c != 1 && c != 3)
		return err_set(why, ERR_DATASET, "images have 1 channel (gray) or 3 (RGB), these have %zu", c);
	if (h > DATASET_SIDE_MAX || w > DATASET_SIDE_MAX)
		return err_set(why, ERR_DATASET, "images have at most %d x %d pixels, these have %zu x %zu", DATASET_SIDE_MAX,
			DATASET_SIDE_MAX, h, w);
	head->c = (int)c;
	head->h = (int)h;
	head->w = (int)w;
	return OK;
}

static int same_shape(
	const struct dataset_head *train, const struct dataset_head *test, const char *path, struct err *err)
{
	if (train->c == test->c && train->h == test->h && train->w == test->w)
		return OK;
	return err_set(err, ERR_DATASET, "%s: training images are %d x %d x %d, test images %d x %d x %d", path, train->c,
		train->h, train->w, test->c, test->h, test->w);
}

/* --- one split, read on its own thread -------------------------------------------------------------------------------
 */

struct part {
	const char *path;
	enum split split;
	const struct folder *folder; /* NULL: the files are IDX */
	struct dataset_head head;    /* of this split only */
	struct dataset_split data;
	int label_max;
	int code;
	struct err err;
};

static int read_images(struct part *p)
{
	char file[PATH_MAX];
	struct err why;
	struct idx idx;
	int code = dataset_file_path(p->path, p->split, PART_IMAGES, file, sizeof file, &p->err);
	if (code)
		return code;
	if (idx_read(&idx, file, &why))
		return blame(&p->err, &why, file);
	p->data.images = idx.bytes;
	p->data.n = p->head.n[p->split] = idx.dim[0];
	return image_shape(&p->head, &idx, &why) ? blame(&p->err, &why, file) : OK;
}

static int read_labels(struct part *p)
{
	char file[PATH_MAX];
	struct err why;
	struct idx idx;
	int code = dataset_file_path(p->path, p->split, PART_LABELS, file, sizeof file, &p->err);
	if (code)
		return code;
	if (idx_read(&idx, file, &why))
		return blame(&p->err, &why, file);
	p->data.labels = idx.bytes;
	if (idx.rank != 1)
		return err_set(&p->err, ERR_DATASET, "%s: these are images, not labels", file);
	if (idx.dim[0] != p->data.n)
		return err_set(&p->err, ERR_DATASET, "%s: %zu labels for %zu images", file, idx.dim[0], p->data.n);
	for (size_t i = 0; i < idx.dim[0]; i++)
		if (idx.bytes[i] > p->label_max)
			p->label_max = idx.bytes[i];
	return OK;
}

static int read_folder(struct part *p)
{
	folder_head(p->folder, &p->head);
	return folder_read(p->folder, p->split, &p->data, &p->err);
}

static void *read_part(void *ctx)
{
	struct part *p = ctx;
	p->code = p->folder ? read_folder(p) : read_images(p);
	if (!p->code && !p->folder)
		p->code = read_labels(p);
	return NULL;
}

/* Both splits at once: nearly all of the time goes into unpacking. */
static void read_parts(struct part parts[SPLIT_COUNT])
{
	pthread_t thread;
	bool threaded = pthread_create(&thread, NULL, read_part, &parts[SPLIT_TEST]) == 0;
	read_part(&parts[SPLIT_TRAIN]);
	if (threaded)
		pthread_join(thread, NULL);
	else
		read_part(&parts[SPLIT_TEST]);
}

/* --- the whole -------------------------------------------------------------------------------------------------------
 */

static size_t image_bytes(const struct dataset *d)
{
	return (size_t)d->c * (size_t)d->h * (size_t)d->w;
}

static void hash(struct dataset *d)
{
	struct sha256 h;
	uint8_t digest[SHA256_BYTES];
	char text[80];
	sha256_init(&h);
	int length = snprintf(text, sizeof text, "latentd-dataset-1 %d %d %d %d\n", d->c, d->h, d->w, d->classes);
	sha256_update(&h, text, (size_t)length);
	for (int s = 0; s < SPLIT_COUNT; s++) {
		length = snprintf(text, sizeof text, "%zu\n", d->split[s].n);
		sha256_update(&h, text, (size_t)length);
		sha256_update(&h, d->split[s].images, d->split[s].n * image_bytes(d));
		sha256_update(&h, d->split[s].labels, d->split[s].n);
	}
	sha256_digest(&h, digest);
	sha256_hex(digest, d->sha256);
}

/* d already owns the bytes of both parts. */
static int assemble(struct dataset *d, const char *path, const struct part parts[SPLIT_COUNT], struct err *err)
{
	const struct dataset_head *head = &parts[SPLIT_TRAIN].head;
	int label_max = 0;
	for (int s = 0; s < SPLIT_COUNT; s++) {
		if (parts[s].code)
			return err_set(err, parts[s].code, "%s", parts[s].err.message);
		if (parts[s].label_max > label_max)
			label_max = parts[s].label_max;
	}
	int code = same_shape(head, &parts[SPLIT_TEST].head, path, err);
	if (!code && parts[SPLIT_TRAIN].folder)
		folder_classes(parts[SPLIT_TRAIN].folder, d);
	else if (!code)
		code = class_names_read(d, path, label_max + 1, err);
	if (code)
		return code;
	if (label_max >= d->classes)
		return err_set(
			err, ERR_DATASET, "%s: there is a label %d, but the classes are 0 to %d", path, label_max, d->classes - 1);
	d->c = head->c;
	d->h = head->h;
	d->w = head->w;
	hash(d);
	return OK;
}

int dataset_load(struct dataset **ret, const char *name, const char *path, struct err *err)
{
	if (!dataset_name_valid(name))
		return err_set(err, ERR_DATASET, "no data set can be called \"%.80s\"", name);
	struct folder *folder = NULL;
	int code = dataset_has_folders(path) ? folder_open(&folder, path, err) : OK;
	if (code)
		return code;
	struct dataset *d = calloc(1, sizeof *d);
	if (!d) {
		if (folder)
			folder_close(folder);
		return err_set(err, ERR_NO_MEMORY, "no memory for a data set");
	}
	struct part parts[SPLIT_COUNT] = {
		[SPLIT_TRAIN] = {.path = path, .split = SPLIT_TRAIN, .folder = folder},
		[SPLIT_TEST] = {.path = path, .split = SPLIT_TEST, .folder = folder},
	};
	read_parts(parts);
	d->refs = 1;
	snprintf(d->name, sizeof d->name, "%s", name);
	for (int s = 0; s < SPLIT_COUNT; s++)
		d->split[s] = parts[s].data;
	code = assemble(d, path, parts, err);
	if (folder)
		folder_close(folder);
	if (code) {
		dataset_put(d);
		return code;
	}
	*ret = d;
	return OK;
}

static int peek_folder(struct dataset_head *ret, const char *path, struct err *err)
{
	struct folder *f;
	int code = folder_open(&f, path, err);
	if (code)
		return code;
	folder_head(f, ret);
	folder_close(f);
	return OK;
}

int dataset_peek(struct dataset_head *ret, const char *path, struct err *err)
{
	struct dataset_head heads[SPLIT_COUNT] = {0};
	if (dataset_has_folders(path))
		return peek_folder(ret, path, err);
	for (int s = 0; s < SPLIT_COUNT; s++) {
		char file[PATH_MAX];
		struct err why;
		struct idx idx;
		int code = dataset_file_path(path, s, PART_IMAGES, file, sizeof file, err);
		if (code)
			return code;
		if (idx_peek(&idx, file, &why) || image_shape(&heads[s], &idx, &why))
			return blame(err, &why, file);
		heads[SPLIT_TRAIN].n[s] = idx.dim[0];
	}
	int code = same_shape(&heads[SPLIT_TRAIN], &heads[SPLIT_TEST], path, err);
	if (!code)
		*ret = heads[SPLIT_TRAIN];
	return code;
}

struct dataset *dataset_get(struct dataset *d)
{
	__atomic_add_fetch(&d->refs, 1, __ATOMIC_RELAXED);
	return d;
}

void dataset_put(struct dataset *d)
{
	/* release what this holder did, acquire what all others did: the last one frees */
	if (!d || __atomic_sub_fetch(&d->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	for (int s = 0; s < SPLIT_COUNT; s++) {
		free(d->split[s].images);
		free(d->split[s].labels);
	}
	free(d);
}

size_t dataset_bytes(const struct dataset *d)
{
	size_t bytes = sizeof *d;
	for (int s = 0; s < SPLIT_COUNT; s++)
		bytes += d->split[s].n * (image_bytes(d) + 1);
	return bytes;
}
