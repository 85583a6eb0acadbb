#include "tests/torture/record.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
static int file = -1;
static struct page *shared;

void record_open(const char *path, struct page *page)
{
	file = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	shared = page;
}

bool record_begin(void)
{
	if (file < 0)
		return false;
	pthread_mutex_lock(&one_at_a_time);
	return true;
}

static void put(const void *bytes, size_t n)
{
	if (n)
		syscall(SYS_write, file, bytes, n);
}

void record_end(const struct record *r)
{
	const int error = errno;
	struct stat st = {0};
	if (r) {
		if (r->fd >= 0)
			fstat(r->fd, &st);
		const struct record_head head = {.what = (uint64_t)r->what,
			.inode = st.st_ino,
			.at = r->at,
			.n = (uint32_t)r->n,
			.from = r->from ? (uint32_t)strlen(r->from) : 0,
			.to = r->to ? (uint32_t)strlen(r->to) : 0};
		put(&head, sizeof head);
		put(r->bytes, head.n);
		put(r->from, head.from);
		put(r->to, head.to);
		atomic_fetch_add(&shared->recorded, 1);
	}
	pthread_mutex_unlock(&one_at_a_time);
	errno = error;
}
