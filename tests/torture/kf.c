/* kf.c: a shim for LD_PRELOAD that counts calls of the C library and makes the n-th of them end otherwise (see kf.h).
 *
 * Environment: KF_PAGE, the file with the numbers; KF_ROOT, the folder whose files count; KF_SHADOW, a folder for the bytes that were
 * synced (for `revert`); KF_RECORD, where they are written to. Without KF_PAGE it does nothing. strace could do as much, but counts for each thread by itself.
 */
#include "tests/torture/kf.h"
#include "tests/torture/record.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static struct page *page;
static volatile int *volatile nowhere;
static char root[2048], shadow[2048];
static size_t root_length;

__attribute__((constructor)) static void begin(void)
{
	const char *file = getenv("KF_PAGE"), *folder = getenv("KF_ROOT"), *synced = getenv("KF_SHADOW");
	int fd = file ? open(file, O_RDWR | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	void *map = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	root_length = (size_t)snprintf(root, sizeof root, "%s/", folder ? folder : "");
	snprintf(shadow, sizeof shadow, "%s", synced ? synced : "");
	page = map == MAP_FAILED ? NULL : map;
	if (page && getenv("KF_RECORD"))
		record_open(getenv("KF_RECORD"), page);
}

/* --- striking --- */

static void die(int signal_number)
{
	kill(getpid(), signal_number);
	for (;;)
		pause();
}

/* What is to become of this call. */
static enum kf_act strike(enum kf_call call)
{
	if (!page || !atomic_load(&page->armed) || !(atomic_load(&page->calls) >> call & 1))
		return KF_DO_none;
	int64_t n = atomic_fetch_add(&page->count, 1) + 1, at = atomic_load(&page->at);
	if (!at || n < at || n - at >= atomic_load(&page->times))
		return KF_DO_none;
	atomic_fetch_add(&page->struck, 1);
	atomic_store(&page->last, call);
	enum kf_act act = (enum kf_act)atomic_load(&page->act);
	if (act == KF_DO_kill || (act == KF_DO_torn && call != KF_write))
		die(SIGKILL);
	if (act == KF_DO_abort)
		abort();
	if (act == KF_DO_fault)
		*nowhere = 1;
	while (act == KF_DO_hold && atomic_load(&page->armed))
		usleep(1000);
	return act;
}

static bool counts(const char *path)
{
	return page && root_length > 1 && !strncmp(path, root, root_length) && (!*page->path || strstr(path, page->path));
}

static bool within_root(const char *path)
{
	return page && root_length > 1 && !strncmp(path, root, root_length);
}

static bool fd_within_root(int fd)
{
	char link[64], path[4096];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof path - 1);
	path[n > 0 ? n : 0] = '\0';
	return within_root(path);
}

/* Whether what follows is recorded: then nothing else is until record_end. */
static bool recording(const char *path)
{
	return page && atomic_load(&page->record) && within_root(path) && record_begin();
}

static bool recording_fd(int fd)
{
	return page && atomic_load(&page->record) && fd_within_root(fd) && record_begin();
}

static enum kf_act strike_path(enum kf_call call, const char *path)
{
	return counts(path) ? strike(call) : KF_DO_none;
}

static enum kf_act strike_fd(enum kf_call call, int fd)
{
	char link[64], path[4096];
	if (!page || !atomic_load(&page->armed))
		return KF_DO_none;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof path - 1);
	path[n > 0 ? n : 0] = '\0';
	return strike_path(call, path);
}

static int fail(void)
{
	errno = (int)atomic_load(&page->error);
	return -1;
}

/* --- where a checkpoint stands --- */

static bool is_checkpoint(const char *path, const char *end)
{
	size_t length = strlen(path), ends = strlen(end);
	return page && strstr(path, "/checkpoints/") && length > ends && !strcmp(path + length - ends, end);
}

/* --- what was synced --- */

static void copy_bytes(int from, int to)
{
	char bytes[65536];
	off_t at = 0;
	ssize_t n;
	while ((n = syscall(SYS_pread64, from, bytes, sizeof bytes, at)) > 0) {
		if (syscall(SYS_pwrite64, to, bytes, (size_t)n, at) != n)
			return;
		at += n;
	}
	syscall(SYS_ftruncate, to, at);
}

/* A second descriptor of the same file, which can be read whatever the first one was opened for. */
static int again(int fd, int how)
{
	char link[64];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	return (int)syscall(SYS_openat, AT_FDCWD, link, how | O_CLOEXEC, 0);
}

static void shadow_of(int fd, char *path, size_t size)
{
	struct stat st = {0};
	fstat(fd, &st);
	snprintf(path, size, "%s/%llu", shadow, (unsigned long long)st.st_ino);
}

static bool shadowed(int fd)
{
	struct stat st;
	return page && *shadow && atomic_load(&page->revert) && !fstat(fd, &st) && S_ISREG(st.st_mode);
}

static void keep_synced(int fd)
{
	char path[2100];
	if (!shadowed(fd))
		return;
	shadow_of(fd, path, sizeof path);
	int to = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), from = again(fd, O_RDONLY);
	if (to >= 0 && from >= 0)
		copy_bytes(from, to);
	close(to);
	close(from);
}

static void lose_unsynced(int fd)
{
	char path[2100];
	if (!shadowed(fd))
		return;
	shadow_of(fd, path, sizeof path);
	int from = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0), to = again(fd, O_RDWR);
	if (from >= 0)
		copy_bytes(from, to);
	else
		syscall(SYS_ftruncate, to, 0); /* nothing of it ever was */
	close(to);
	close(from);
}

/* Descriptors whose sync failed since they were opened. */
enum { FDS = 4096 };
static atomic_bool failed_sync[FDS];

static void note_failed_sync(int fd, bool failed)
{
	if (fd >= 0 && fd < FDS)
		atomic_store(&failed_sync[fd], failed);
}

/* --- files --- */

static int open_at(int dir, const char *path, int flags, mode_t mode)
{
	bool makes = flags & O_CREAT, checkpoint = makes && is_checkpoint(path, ".tmp");
	if (checkpoint)
		atomic_fetch_add(&page->inside, 1);
	const bool fails = makes && strike_path(KF_create, path) == KF_DO_fail;
	const bool recorded = !fails && (makes || flags & O_TRUNC) && recording(path);
	const bool there = recorded && !syscall(SYS_faccessat, AT_FDCWD, path, F_OK);
	int fd = fails ? fail() : (int)syscall(SYS_openat, dir, path, flags, mode);
	if (recorded)
		record_end(fd < 0 || (there && !(flags & O_TRUNC)) ? NULL : &(struct record){there ? 'z' : 'c', fd, .from = path + root_length});
	if (checkpoint && fd < 0)
		atomic_fetch_sub(&page->inside, 1);
	note_failed_sync(fd, false);
	return fd;
}

#define OPEN(name)                                                \
	int name(const char *path, int flags, ...);                   \
	int name(const char *path, int flags, ...)                    \
	{                                                             \
		va_list args;                                             \
		va_start(args, flags);                                    \
		mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0; \
		va_end(args);                                             \
		return open_at(AT_FDCWD, path, flags, mode);              \
	}
OPEN(open)
OPEN(open64)

ssize_t write(int fd, const void *bytes, size_t n)
{
	enum kf_act act = strike_fd(KF_write, fd);
	if (act == KF_DO_fail)
		return fail();
	if (act == KF_DO_torn) {
		syscall(SYS_write, fd, bytes, n / 2);
		die(SIGKILL);
	}
	const bool recorded = recording_fd(fd);
	ssize_t written = syscall(SYS_write, fd, bytes, n);
	if (recorded) { /* appended or not, it ends where the file now stands */
		const off_t end = (off_t)syscall(SYS_lseek, fd, 0, SEEK_CUR);
		record_end(written < 0 ? NULL : &(struct record){'w', fd, end - written, bytes, (size_t)written, .from = ""});
	}
	return written;
}

static ssize_t write_at(int fd, const void *bytes, size_t n, off_t at)
{
	enum kf_act act = strike_fd(KF_write, fd);
	if (act == KF_DO_fail)
		return fail();
	if (act == KF_DO_torn) {
		syscall(SYS_pwrite64, fd, bytes, n / 2, at);
		die(SIGKILL);
	}
	const bool recorded = recording_fd(fd);
	ssize_t written = syscall(SYS_pwrite64, fd, bytes, n, at);
	if (recorded)
		record_end(written < 0 ? NULL : &(struct record){'w', fd, at, bytes, (size_t)written, .from = ""});
	return written;
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at)
{
	return write_at(fd, bytes, n, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at)
{
	return write_at(fd, bytes, n, at);
}

static int sync_with(long number, int fd)
{
	if (page && fd < FDS && atomic_load(&failed_sync[fd]))
		atomic_fetch_add(&page->retried, 1);
	if (strike_fd(KF_sync, fd) == KF_DO_fail) {
		lose_unsynced(fd);
		note_failed_sync(fd, true);
		return fail();
	}
	const bool recorded = recording_fd(fd);
	int failed = (int)syscall(number, fd);
	if (recorded)
		record_end(failed ? NULL : &(struct record){'s', fd, .from = ""});
	if (!failed)
		keep_synced(fd);
	return failed;
}

int fsync(int fd)
{
	return sync_with(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	return sync_with(SYS_fdatasync, fd);
}

int rename(const char *from, const char *to)
{
	bool checkpoint = is_checkpoint(from, ".tmp");
	if (strike_path(KF_rename, from) == KF_DO_fail)
		return fail();
	const bool recorded = recording(from);
	int failed = (int)syscall(SYS_rename, from, to);
	if (recorded)
		record_end(failed ? NULL : &(struct record){'r', -1, .from = from + root_length, .to = to + root_length});
	if (checkpoint && !failed) {
		atomic_fetch_sub(&page->inside, 1);
		atomic_fetch_add(&page->checkpoints, 1);
	}
	return failed;
}

int unlink(const char *path)
{
	if (strike_path(KF_unlink, path) == KF_DO_fail)
		return fail();
	const bool recorded = recording(path);
	int failed = (int)syscall(SYS_unlink, path);
	if (recorded)
		record_end(failed ? NULL : &(struct record){'u', -1, .from = path + root_length});
	if (!failed && is_checkpoint(path, ".tmp") && atomic_load(&page->inside) > 0)
		atomic_fetch_sub(&page->inside, 1);
	return failed;
}

int rmdir(const char *path)
{
	if (strike_path(KF_rmdir, path) == KF_DO_fail)
		return fail();
	const bool recorded = recording(path);
	int failed = (int)syscall(SYS_rmdir, path);
	if (recorded)
		record_end(failed ? NULL : &(struct record){'d', -1, .from = path + root_length});
	return failed;
}

/* That of the C library calls unlink and rmdir of its own. */
int remove(const char *path)
{
	struct stat st;
	return !lstat(path, &st) && S_ISDIR(st.st_mode) ? rmdir(path) : unlink(path);
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
	if (strike_path(KF_link, to) == KF_DO_fail)
		return fail();
	const bool recorded = recording(to);
	int failed = (int)syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
	if (recorded)
		record_end(failed ? NULL : &(struct record){'l', -1, .from = from + root_length, .to = to + root_length});
	return failed;
}

int link(const char *from, const char *to)
{
	return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int mkdir(const char *path, mode_t mode)
{
	if (strike_path(KF_mkdir, path) == KF_DO_fail)
		return fail();
	const bool recorded = recording(path);
	int failed = (int)syscall(SYS_mkdir, path, mode);
	if (recorded) {
		const int made = failed ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, O_PATH | O_CLOEXEC, 0);
		record_end(failed ? NULL : &(struct record){'m', made, .from = path + root_length});
		if (made >= 0)
			close(made);
	}
	return failed;
}

static int truncate_to(int fd, off_t size)
{
	if (strike_fd(KF_truncate, fd) == KF_DO_fail)
		return fail();
	const bool recorded = recording_fd(fd);
	int failed = (int)syscall(SYS_ftruncate, fd, size);
	if (recorded)
		record_end(failed ? NULL : &(struct record){'t', fd, size, .from = ""});
	return failed;
}

int ftruncate(int fd, off_t size)
{
	return truncate_to(fd, size);
}

int ftruncate64(int fd, off64_t size)
{
	return truncate_to(fd, size);
}

static int allocate(int fd, off_t at, off_t size)
{
	if (strike_fd(KF_allocate, fd) == KF_DO_fail)
		return (int)atomic_load(&page->error);
	const bool recorded = recording_fd(fd);
	int error = syscall(SYS_fallocate, fd, 0, at, size) ? errno : 0;
	if (recorded)
		record_end(error ? NULL : &(struct record){'a', fd, at + size, .from = ""});
	return error;
}

int posix_fallocate(int fd, off_t at, off_t size)
{
	return allocate(fd, at, size);
}

int posix_fallocate64(int fd, off64_t at, off64_t size)
{
	return allocate(fd, at, size);
}

/* --- memory and threads --- */

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t each);
extern void *__libc_realloc(void *p, size_t n);
extern void *__libc_memalign(size_t align, size_t n);

static bool no_memory(void)
{
	if (strike(KF_malloc) != KF_DO_fail)
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t n)
{
	return no_memory() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t each)
{
	return no_memory() ? NULL : __libc_calloc(n, each);
}

void *realloc(void *p, size_t n)
{
	return no_memory() ? NULL : __libc_realloc(p, n);
}

void *aligned_alloc(size_t align, size_t n)
{
	return no_memory() ? NULL : __libc_memalign(align, n);
}

void *mmap(void *at, size_t n, int protection, int flags, int fd, off_t from)
{
	if (flags & MAP_ANONYMOUS && no_memory())
		return MAP_FAILED;
	return (void *)syscall(SYS_mmap, at, n, protection, flags, fd, from);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int pthread_create(pthread_t *ret, const pthread_attr_t *attr, void *(*main)(void *), void *arg)
{
	return strike(KF_thread) == KF_DO_fail ? EAGAIN : NEXT(pthread_create)(ret, attr, main, arg);
}

int accept4(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
	if (page)
		atomic_fetch_add(&page->accepts, 1);
	return (int)syscall(SYS_accept4, fd, address, size, flags);
}

/* --- the wall clock --- */

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	static __typeof__(&clock_gettime) real;
	if (!real)
		real = NEXT(clock_gettime);
	int failed = real(clock, ret);
	if (!failed && page && clock == CLOCK_REALTIME) {
		int64_t ms = atomic_load(&page->clock_ms);
		ret->tv_sec += ms / 1000;
	}
	return failed;
}
