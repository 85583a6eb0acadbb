#include "server/blob.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

void blob_path(char *path, size_t size, const char *data_dir, const char *job_id, const char *name)
{
	snprintf(path, size, "%s/jobs/%s/%s", data_dir, job_id, name);
}

void blob_checkpoint_name(char *name, size_t size, int epoch)
{
	if (epoch > 0)
		snprintf(name, size, "checkpoints/epoch-%06d.safetensors", epoch);
	else
		snprintf(name, size, "checkpoints/inside.safetensors");
}

void blob_preview_name(char *name, size_t size, const struct blob_preview *p)
{
	char step[32] = "";
	if (p->step)
		snprintf(step, sizeof step, "step-%09lld-", (long long)p->step);
	snprintf(name, size, "previews/epoch-%06d-%s%s.png", p->epoch, step, p->what);
}

static int sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	int error = fsync(fd) ? errno : 0;
	close(fd);
	return error;
}

/* A folder of which its parent does not durably know is lost with all that is in it. */
static int sync_parent(const char *path)
{
	char parent[BLOB_PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) : 0;
	snprintf(parent, sizeof parent, "%.*s", (int)length, path);
	return sync_dir(length ? parent : slash ? "/" : ".");
}

int blob_make_dirs(const char *dir, struct err *err)
{
	char part[BLOB_PATH_MAX];
	size_t length = strlen(dir);
	if (length >= sizeof part)
		return err_set(err, ERR_INVALID, "the path %.60s… is too long", dir);
	for (size_t i = 1; i <= length; i++) {
		if (dir[i] != '/' && dir[i] != '\0')
			continue;
		memcpy(part, dir, i);
		part[i] = '\0';
		int error = mkdir(part, 0700) ? errno : sync_parent(part);
		if (error && error != EEXIST)
			return err_errno(err, error, "creating the folder %s", part);
	}
	return OK;
}

/* --- writing --- */

static const char temporary_end[] = ".tmp";

static int write_all(int fd, const void *bytes, size_t size_bytes)
{
	const char *at = bytes;
	while (size_bytes) {
		ssize_t n = write(fd, at, size_bytes);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		at += n;
		size_bytes -= (size_t)n;
	}
	return 0;
}

/* An errno value. Space is reserved first, so that a full disk is found before the first byte is written. */
static int fill(int fd, const void *bytes, size_t size_bytes)
{
	int error = size_bytes ? posix_fallocate(fd, 0, (off_t)size_bytes) : 0;
	if (error == EOPNOTSUPP || error == EINVAL) /* this file system cannot reserve */
		error = 0;
	if (!error)
		error = write_all(fd, bytes, size_bytes);
	if (!error && fsync(fd)) /* final for this descriptor: the kernel may have dropped the pages */
		error = errno;
	return error;
}

static int write_temporary(const char *path, const void *bytes, size_t size_bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return errno;
	int error = fill(fd, bytes, size_bytes);
	if (close(fd) && !error)
		error = errno;
	return error;
}

/* One that was removed is not made again: half of it would stand where all of it is missed. */
static bool data_dir_is_there(const char *path)
{
	char dir[BLOB_PATH_MAX];
	const char *jobs = strstr(path, "/jobs/"), *next;
	while (jobs && (next = strstr(jobs + 1, "/jobs/")))
		jobs = next;
	snprintf(dir, sizeof dir, "%.*s", jobs ? (int)(jobs - path) : 0, path);
	return !jobs || !*dir || !access(dir, F_OK);
}

struct size_text {
	char text[24];
};

static struct size_text size_text(double bytes)
{
	static const char *const units[] = {"bytes", "KiB", "MiB", "GiB"};
	struct size_text s;
	int unit = 0;
	for (; bytes >= 1000 && unit < 3; unit++)
		bytes /= 1024;
	snprintf(s.text, sizeof s.text, "%.*f %s", unit ? 1 : 0, bytes, units[unit]);
	return s;
}

/* What it would take, so that somebody can make that room. */
static int fail_space(const char *dir, size_t needed, struct err *err)
{
	struct statvfs fs;
	if (statvfs(dir, &fs))
		return err_set(err, ERR_NO_SPACE, "no space: %s are needed in %s", size_text((double)needed).text, dir);
	return err_set(err, ERR_NO_SPACE, "no space: %s are needed, %s are free in %s", size_text((double)needed).text,
		size_text((double)fs.f_bavail * (double)fs.f_frsize).text, dir);
}

int blob_write(const char *path, const void *bytes, size_t size_bytes, struct err *err)
{
	char temporary[BLOB_PATH_MAX + 8], dir[BLOB_PATH_MAX];
	const char *slash = strrchr(path, '/');
	if (!slash || strlen(path) >= sizeof dir)
		return err_set(err, ERR_INVALID, "'%.60s' is no path of a blob", path);
	snprintf(temporary, sizeof temporary, "%s%s", path, temporary_end);
	snprintf(dir, sizeof dir, "%.*s", (int)(slash - path), path);
	int error = write_temporary(temporary, bytes, size_bytes);
	if (error == ENOENT && data_dir_is_there(path)) { /* the first file of its folder */
		int code = blob_make_dirs(dir, err);
		if (code)
			return code;
		error = write_temporary(temporary, bytes, size_bytes);
	}
	if (!error && rename(temporary, path))
		error = errno;
	if (error) {
		unlink(temporary);
		if (error == ENOSPC)
			return fail_space(dir, size_bytes, err);
		return err_errno(err, error, "writing %s (%zu bytes)", path, size_bytes);
	}
	error = sync_dir(dir);
	return error ? err_errno(err, error, "making %s durable", path) : OK;
}

/* --- linking --- */

static int link_once(const char *from, const char *to)
{
	return linkat(AT_FDCWD, from, AT_FDCWD, to, 0) ? errno : 0;
}

static int copy(const char *from, const char *to, struct err *err)
{
	void *bytes;
	size_t size;
	int code = blob_read(from, &bytes, &size, err);
	if (code)
		return code;
	code = blob_write(to, bytes, size, err);
	free(bytes);
	return code;
}

int blob_link(const char *from, const char *to, struct err *err)
{
	char dir[BLOB_PATH_MAX];
	snprintf(dir, sizeof dir, "%.*s", (int)(strrchr(to, '/') - to), to);
	int error = link_once(from, to);
	if (error == ENOENT && access(from, F_OK))
		return err_errno(err, ENOENT, "%s", from);
	if (error == ENOENT) { /* the first file of its folder */
		int code = blob_make_dirs(dir, err);
		if (code)
			return code;
		error = link_once(from, to);
	}
	const bool no_links = error == EPERM || error == EXDEV || error == EMLINK || error == ENOSYS || error == EOPNOTSUPP;
	if (no_links)
		return copy(from, to, err);
	return error ? err_errno(err, error, "linking %s", to) : OK;
}

int blob_sync_dir(const char *dir, struct err *err)
{
	int error = sync_dir(dir);
	return error ? err_errno(err, error, "making %s durable", dir) : OK;
}

int blob_sync_parent(const char *path, struct err *err)
{
	int error = sync_parent(path);
	return error ? err_errno(err, error, "making %s durable", path) : OK;
}

/* --- what a kill left --- */

static bool is_temporary(const char *name)
{
	size_t length = strlen(name), ends = sizeof temporary_end - 1;
	return length > ends && !strcmp(name + length - ends, temporary_end);
}

void blob_sweep_dir(const char *folder)
{
	DIR *dir = opendir(folder);
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		char file[BLOB_PATH_MAX + 260];
		snprintf(file, sizeof file, "%s/%s", folder, entry->d_name);
		if (is_temporary(file))
			unlink(file);
	}
	if (dir)
		closedir(dir);
}

void blob_sweep(const char *data_dir, const char *job_id)
{
	static const char *const folders[] = {".", "checkpoints", "previews", "codes"};
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		char path[BLOB_PATH_MAX];
		blob_path(path, sizeof path, data_dir, job_id, folders[i]);
		blob_sweep_dir(path);
	}
}

/* --- reading --- */

static int read_all(int fd, char *bytes, size_t size_bytes)
{
	while (size_bytes) {
		ssize_t n = read(fd, bytes, size_bytes);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? errno : EIO; /* shorter than it said */
		bytes += n;
		size_bytes -= (size_t)n;
	}
	return 0;
}

int blob_read(const char *path, void **ret_bytes, size_t *ret_size, struct err *err)
{
	enum { ALIGN = 64 };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_errno(err, errno, "opening %s", path);
	struct stat st;
	char *bytes = NULL;
	int error = fstat(fd, &st) ? errno : 0;
	size_t size = error ? 0 : (size_t)st.st_size;
	if (!error && !(bytes = aligned_alloc(ALIGN, (size / ALIGN + 1) * ALIGN)))
		error = ENOMEM;
	if (!error)
		error = read_all(fd, bytes, size);
	close(fd);
	if (error) {
		free(bytes);
		return err_errno(err, error, "reading %s", path);
	}
	*ret_bytes = bytes;
	*ret_size = size;
	return OK;
}

/* --- listing --- */

/* The number between prefix and suffix, or -1. */
static int epoch_of(const char *file, const char *prefix, const char *suffix)
{
	size_t length = strlen(prefix);
	if (strncmp(file, prefix, length))
		return -1;
	char *end;
	long epoch = strtol(file + length, &end, 10);
	bool digits = end == file + length + 6;
	return digits && !strcmp(end, suffix) && epoch >= 0 ? (int)epoch : -1;
}

static int ascending(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;
	return (x > y) - (x < y);
}

/* NULL with OK where the folder is not there (yet). */
static int open_folder(DIR **ret, const char *folder, struct err *err)
{
	*ret = opendir(folder);
	return *ret || errno == ENOENT ? OK : err_errno(err, errno, "opening %s", folder);
}

static int list_epochs(DIR *dir, const char *prefix, const char *suffix, int **ret_epochs, int *ret_n, struct err *err)
{
	int *epochs = NULL, n = 0, cap = 0;
	for (struct dirent *entry; (entry = readdir(dir));) {
		int epoch = epoch_of(entry->d_name, prefix, suffix);
		if (epoch < 0)
			continue;
		if (n == cap) {
			cap = 2 * cap + 16;
			int *more = realloc(epochs, (size_t)cap * sizeof *more);
			if (!more) {
				free(epochs);
				return err_set(err, ERR_NO_MEMORY, "out of memory");
			}
			epochs = more;
		}
		epochs[n++] = epoch;
	}
	if (n)
		qsort(epochs, (size_t)n, sizeof *epochs, ascending);
	*ret_epochs = epochs;
	*ret_n = n;
	return OK;
}

int blob_epochs(const char *data_dir, const char *job_id, const char *prefix, const char *suffix, int **ret_epochs,
	int *ret_n, struct err *err)
{
	char folder[BLOB_PATH_MAX];
	blob_path(folder, sizeof folder, data_dir, job_id, prefix);
	char *slash = strrchr(folder, '/'); /* prefix may begin with a folder: "checkpoints/epoch-" */
	*slash = '\0';
	DIR *dir;
	int code = open_folder(&dir, folder, err);
	*ret_epochs = NULL;
	*ret_n = 0;
	if (!dir)
		return code;
	code = list_epochs(dir, slash + 1, suffix, ret_epochs, ret_n, err);
	closedir(dir);
	return code;
}

/* A name that blob_preview_name gives, and no other (a temporary one, say). */
static bool read_preview(const char *file, struct blob_preview *ret)
{
	struct blob_preview p = {0};
	char again[96];
	long long step = 0;
	if (sscanf(file, "epoch-%d-step-%lld-%23[a-z]", &p.epoch, &step, p.what) != 3) {
		step = 0;
		if (sscanf(file, "epoch-%d-%23[a-z]", &p.epoch, p.what) != 2)
			return false;
	}
	p.step = step;
	blob_preview_name(again, sizeof again, &p);
	if (strcmp(strrchr(again, '/') + 1, file))
		return false;
	*ret = p;
	return true;
}

/* An epoch's end, which has step 0, comes after its steps. */
static int as_taken(const void *a, const void *b)
{
	const struct blob_preview *x = a, *y = b;
	if (x->epoch != y->epoch)
		return x->epoch < y->epoch ? -1 : 1;
	if (x->step != y->step)
		return (uint64_t)x->step - 1 < (uint64_t)y->step - 1 ? -1 : 1;
	return strcmp(x->what, y->what);
}

int blob_previews(const char *data_dir, const char *job_id, struct blob_preview **ret, int *ret_n, struct err *err)
{
	char folder[BLOB_PATH_MAX];
	struct blob_preview *all = NULL, p;
	int n = 0, cap = 0;
	DIR *dir;
	blob_path(folder, sizeof folder, data_dir, job_id, "previews");
	int code = open_folder(&dir, folder, err);
	for (struct dirent *entry; dir && !code && (entry = readdir(dir));) {
		if (!read_preview(entry->d_name, &p))
			continue;
		if (n == cap) {
			cap = 2 * cap + 16;
			struct blob_preview *more = realloc(all, (size_t)cap * sizeof *more);
			if (!more) {
				code = err_set(err, ERR_NO_MEMORY, "out of memory");
				break;
			}
			all = more;
		}
		all[n++] = p;
	}
	if (dir)
		closedir(dir);
	if (code) {
		free(all);
		return code;
	}
	if (n)
		qsort(all, (size_t)n, sizeof *all, as_taken);
	*ret = all;
	*ret_n = n;
	return OK;
}

/* --- removing --- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path) && errno != ENOENT ? errno : 0;
}

/* An errno value; nothing there is success. */
static int remove_tree(const char *path)
{
	enum { DESCRIPTORS = 8 };
	errno = 0;
	int error = nftw(path, remove_one, DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
	if (error < 0)
		error = errno;
	return error == ENOENT ? 0 : error;
}

int blob_remove_job(const char *data_dir, const char *job_id, struct err *err)
{
	char path[BLOB_PATH_MAX], away[BLOB_PATH_MAX], folder[BLOB_PATH_MAX];
	snprintf(path, sizeof path, "%s/jobs/%s", data_dir, job_id);
	snprintf(away, sizeof away, "%s/jobs/.deleted-%s", data_dir, job_id);
	snprintf(folder, sizeof folder, "%s/jobs", data_dir);
	int error = remove_tree(away); /* of an earlier try */
	if (!error && rename(path, away))
		error = errno == ENOENT ? 0 : errno;
	else if (!error)
		error = sync_dir(folder);
	if (!error)
		error = remove_tree(away);
	if (!error && (error = sync_dir(folder)) == ENOENT) /* what has gone stays so, whatever is written of it after this */
		error = 0;
	return error ? err_errno(err, error, "removing %s", path) : OK;
}
