#include "server/upload.h"

#include "core/data/tar.h"
#include "server/blob.h"
#include "server/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char incoming[] = ".incoming-";
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void upload_place(char path[UPLOAD_PATH_MAX], const char *data_dir, const char *name)
{
	snprintf(path, UPLOAD_PATH_MAX, "%s/datasets%s%s", data_dir, name ? "/" : "", name ? name : "");
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

static void remove_tree(const char *path)
{
	enum { DESCRIPTORS = 8 };
	if (nftw(path, remove_one, DESCRIPTORS, FTW_DEPTH | FTW_PHYS) && errno != ENOENT)
		log_warn("folder not removed", "path=%s error=%s", log_quote(path), log_quote(strerror(errno)));
}

void upload_sweep(const char *data_dir)
{
	char dir[UPLOAD_PATH_MAX], path[UPLOAD_PATH_MAX + NAME_MAX + 2];
	upload_place(dir, data_dir, NULL);
	DIR *d = opendir(dir);
	for (struct dirent *e; d && (e = readdir(d));)
		if (!strncmp(e->d_name, incoming, strlen(incoming))) {
			snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
			remove_tree(path);
		}
	if (d)
		closedir(d);
}

bool upload_owns(const char *data_dir, const char *path)
{
	char dir[UPLOAD_PATH_MAX];
	upload_place(dir, data_dir, NULL);
	size_t n = strlen(dir);
	return !strncmp(path, dir, n) && path[n] == '/';
}

/* --- unpacking --- */

struct unpack {
	const char *dir;
	int fd; /* of the file being written */
	char path[UPLOAD_PATH_MAX + TAR_PATH_MAX + 2];
};

static const char *target(struct unpack *u, const char *path)
{
	snprintf(u->path, sizeof u->path, "%s/%s", u->dir, path);
	return u->path;
}

/* u->path and all folders above it that are missing. */
static int make_folders(struct unpack *u, const char *path, struct err *err)
{
	char part[TAR_PATH_MAX + 1];
	for (size_t i = 1; i <= strlen(path); i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		snprintf(part, sizeof part, "%.*s", (int)i, path);
		if (!mkdir(target(u, part), 0700))
			continue;
		struct stat st;
		int error = errno;
		if (error != EEXIST)
			return err_errno(err, error, "unpacking '%.100s'", part);
		if (lstat(u->path, &st) || !S_ISDIR(st.st_mode))
			return err_set(err, ERR_INVALID, "the tar holds '%.100s' as a file and as a folder", part);
	}
	return OK;
}

static int on_folder(void *ctx, const char *path, struct err *err)
{
	return make_folders(ctx, path, err);
}

static int on_begin(void *ctx, const char *path, struct err *err)
{
	struct unpack *u = ctx;
	char parent[TAR_PATH_MAX + 1];
	const char *slash = strrchr(path, '/');
	snprintf(parent, sizeof parent, "%.*s", slash ? (int)(slash - path) : 0, path);
	int code = *parent ? make_folders(u, parent, err) : OK;
	if (code)
		return code;
	u->fd = open(target(u, path), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (u->fd >= 0)
		return OK;
	if (errno == EEXIST)
		return err_set(err, ERR_INVALID, "the tar holds '%.100s' twice", path);
	return err_errno(err, errno, "unpacking '%.100s'", path);
}

static int on_write(void *ctx, const void *bytes, size_t size, struct err *err)
{
	struct unpack *u = ctx;
	const char *at = bytes;
	while (size) {
		ssize_t n = write(u->fd, at, size);
		if (n < 0 && errno != EINTR)
			return err_errno(err, errno, "unpacking into %.200s", u->path);
		at += n > 0 ? n : 0;
		size -= n > 0 ? (size_t)n : 0;
	}
	return OK;
}

static int on_end(void *ctx, struct err *err)
{
	struct unpack *u = ctx;
	int fd = u->fd;
	u->fd = -1;
	return close(fd) ? err_errno(err, errno, "unpacking into %.200s", u->path) : OK;
}

static int unpack(const char *dir, const void *bytes, size_t size, struct err *err)
{
	static const struct tar_limits limits = {.entries = UPLOAD_ENTRIES_MAX, .bytes = UPLOAD_BYTES_MAX};
	struct unpack u = {.dir = dir, .fd = -1};
	const struct tar_sink sink = {.folder = on_folder, .begin = on_begin, .write = on_write, .end = on_end, .ctx = &u};
	int code = tar_read(bytes, size, &limits, &sink, err);
	if (u.fd >= 0)
		close(u.fd);
	return code;
}

/* The data set is what was packed, or the one folder that was. */
static void find_root(struct upload *u)
{
	char only[UPLOAD_PATH_MAX] = "";
	int entries = 0;
	enum split split;
	struct stat st;
	snprintf(u->root, sizeof u->root, "%s", u->dir);
	DIR *d = opendir(u->dir);
	for (struct dirent *e; d && (e = readdir(d));)
		if (*e->d_name != '.' && !entries++ && !split_find(e->d_name, &split) &&
			(size_t)snprintf(only, sizeof only, "%s/%s", u->dir, e->d_name) >= sizeof only)
			entries++;
	if (d)
		closedir(d);
	if (entries == 1 && !lstat(only, &st) && S_ISDIR(st.st_mode))
		snprintf(u->root, sizeof u->root, "%s", only);
}

/* The reader names files by their path; where they lie for a moment helps nobody. */
static void forget_dir(const char *root, struct err *err)
{
	size_t n = strlen(root);
	for (char *at; (at = strstr(err->message, root));)
		if (at[n] == '/')
			memmove(at, at + n + 1, strlen(at + n + 1) + 1);
		else
			memmove(at + 7, at + n, strlen(at + n) + 1), memcpy(at, "the tar", 7);
}

/* Packed once more, an image file or an IDX file within the tar may be far larger than the tar. */
static int check_bytes(const char *root, struct err *err)
{
	char file[UPLOAD_PATH_MAX + 64];
	struct dataset_head h;
	if (dataset_file_path(root, SPLIT_TRAIN, PART_IMAGES, file, sizeof file, NULL) && !dataset_has_folders(root))
		return err_set(err, ERR_DATASET, "the tar holds neither %s nor %s at its top, nor in one folder there",
			"train-images-idx3-ubyte[.gz] and its three kin", "train/<class>/*.png with test/<class>/*.png");
	int code = dataset_peek(&h, root, err);
	if (code)
		return code;
	double bytes = (double)h.c * h.h * h.w * ((double)h.n[SPLIT_TRAIN] + (double)h.n[SPLIT_TEST]);
	return bytes <= UPLOAD_BYTES_MAX
			   ? OK
			   : err_set(err, ERR_TOO_LARGE, "its images are %.0f bytes, %d is the most", bytes, UPLOAD_BYTES_MAX);
}

static int read_back(struct upload *u, const char *name, struct err *err)
{
	struct err why = {0};
	int code = check_bytes(u->root, &why);
	if (!code)
		code = dataset_load(&u->data, name, u->root, &why);
	if (code) {
		forget_dir(u->root, &why);
		err_set(err, code, "%s", why.message);
	}
	return code;
}

/* Tens of thousands of small files: one request for all that was written costs less than one for each. */
static int make_durable(const char *dir, struct err *err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int error = fd < 0 || syncfs(fd) ? errno : 0;
	if (fd >= 0)
		close(fd);
	return error ? err_errno(err, error, "making %s durable", dir) : OK;
}

int upload_unpack(
	struct upload *ret, const char *data_dir, const char *name, const void *bytes, size_t size, struct err *err)
{
	struct upload u = {0};
	char dir[UPLOAD_PATH_MAX];
	upload_place(dir, data_dir, NULL);
	int code = blob_make_dirs(dir, err);
	if (code)
		return code;
	if ((size_t)snprintf(u.dir, sizeof u.dir, "%s/%sXXXXXX", dir, incoming) >= sizeof u.dir || !mkdtemp(u.dir))
		return err_errno(err, errno, "a folder in %s", dir);
	code = unpack(u.dir, bytes, size, err);
	if (!code) {
		find_root(&u);
		code = read_back(&u, name, err);
	}
	if (!code)
		code = make_durable(u.dir, err);
	if (code)
		upload_drop(&u);
	else
		*ret = u;
	return code;
}

void upload_drop(struct upload *u)
{
	dataset_put(u->data);
	if (*u->dir)
		remove_tree(u->dir);
	*u = (struct upload){0};
}

/* --- in and out of place --- */

/* In one step: at no moment is there no data set of that name. */
static int exchange(const char *from, const char *to, bool *ret_replaced, struct err *err)
{
	struct stat st;
	*ret_replaced = !lstat(to, &st);
	if (!renameat2(AT_FDCWD, from, AT_FDCWD, to, *ret_replaced ? RENAME_EXCHANGE : RENAME_NOREPLACE))
		return OK;
	if (errno == EINVAL && *ret_replaced)
		return err_set(
			err, ERR_IO, "the file system under %s cannot exchange two folders; delete the old data set first", to);
	return err_errno(err, errno, "moving a data set to %s", to);
}

int upload_settle(struct upload *u, const char *data_dir, const char *name, upload_ask_fn *ask, void *ctx,
	bool *ret_replaced, struct err *err)
{
	char to[UPLOAD_PATH_MAX], dir[UPLOAD_PATH_MAX];
	upload_place(to, data_dir, name);
	upload_place(dir, data_dir, NULL);
	pthread_mutex_lock(&lock);
	int code = ask(ctx, err);
	if (!code)
		code = exchange(u->root, to, ret_replaced, err);
	pthread_mutex_unlock(&lock);
	if (code)
		return code;
	/* what was the data set's own folder is gone, or holds the old one under the new one's name */
	if (!*ret_replaced && !strcmp(u->root, u->dir))
		*u->dir = '\0';
	return make_durable(dir, err);
}

int upload_remove(const char *data_dir, const char *name, upload_ask_fn *ask, void *ctx, struct err *err)
{
	char from[UPLOAD_PATH_MAX], dir[UPLOAD_PATH_MAX], away[UPLOAD_PATH_MAX + 32];
	upload_place(from, data_dir, name);
	upload_place(dir, data_dir, NULL);
	snprintf(away, sizeof away, "%s/%sXXXXXX", dir, incoming);
	if (!mkdtemp(away)) /* rename takes the place of an empty folder */
		return err_errno(err, errno, "a folder in %s", dir);
	pthread_mutex_lock(&lock);
	int code = ask(ctx, err);
	if (!code && rename(from, away))
		code = err_errno(err, errno, "removing %s", from);
	pthread_mutex_unlock(&lock);
	if (!code)
		code = make_durable(dir, err);
	remove_tree(away);
	return code;
}
