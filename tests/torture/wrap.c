/* wrap.c: linked into a daemon of a sanitizer's build (build/asan/latentd-kf), whose allocator must be the sanitizer's: our own calls of
 * malloc and its kin are counted, and the n-th fails, as kf.c has it (the linker's --wrap). Those of libraries go as they are.
 */
#include "tests/torture/kf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static struct page *page;

__attribute__((constructor)) static void begin(void)
{
	const char *file = getenv("KF_PAGE");
	int fd = file ? open(file, O_RDWR | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	void *map = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	page = map == MAP_FAILED ? NULL : map;
}

static bool no_memory(void)
{
	if (!page || !atomic_load(&page->armed) || !(atomic_load(&page->calls) >> KF_malloc & 1))
		return false;
	int64_t n = atomic_fetch_add(&page->count, 1) + 1, at = atomic_load(&page->at);
	if (!at || n < at || n - at >= atomic_load(&page->times))
		return false;
	atomic_fetch_add(&page->struck, 1);
	errno = ENOMEM;
	return true;
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t each);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t align, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t each);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t align, size_t n);

void *__wrap_malloc(size_t n)
{
	return no_memory() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t each)
{
	return no_memory() ? NULL : __real_calloc(n, each);
}

void *__wrap_realloc(void *p, size_t n)
{
	return no_memory() ? NULL : __real_realloc(p, n);
}

void *__wrap_aligned_alloc(size_t align, size_t n)
{
	return no_memory() ? NULL : __real_aligned_alloc(align, n);
}
