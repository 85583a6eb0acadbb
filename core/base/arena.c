#include "core/base/arena.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#define POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISON 1
#endif
#endif
#ifdef POISON
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(start, size) ((void)(start), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(start, size) ((void)(start), (void)(size))
#endif

enum { ALIGN = 64 };

int arena_open(struct arena *a, size_t size_bytes, struct err *err)
{
	size_t size = size_bytes + !size_bytes; /* mmap refuses an empty mapping */
	void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (base == MAP_FAILED)
		return err_errno(err, errno, "reserving %zu bytes", size);
	*a = (struct arena){.base = base, .size = size};
	ASAN_POISON_MEMORY_REGION(a->base, a->size);
	return OK;
}

void arena_close(struct arena *a)
{
	if (a->base) {
		ASAN_UNPOISON_MEMORY_REGION(a->base, a->size);
		munmap(a->base, a->size);
	}
	*a = (struct arena){0};
}

void *arena_alloc(struct arena *a, size_t size_bytes)
{
	size_t start = a->used;
	if (size_bytes > SIZE_MAX - ALIGN - start || (!a->measuring && size_bytes > a->size - start)) {
		fprintf(stderr, "arena: %zu bytes asked, %zu of %zu used\n", size_bytes, a->used, a->size);
		abort();
	}
	size_t end = start + size_bytes;
	a->used = (end + ALIGN - 1) / ALIGN * ALIGN;
	if (a->measuring)
		return NULL;
	if (a->used > a->size)
		a->used = a->size;
	ASAN_UNPOISON_MEMORY_REGION(a->base + start, size_bytes);
	return a->base + start;
}

size_t arena_mark(const struct arena *a)
{
	return a->used;
}

void arena_reset(struct arena *a, size_t mark)
{
	if (!a->measuring && a->used > mark) {
		ASAN_UNPOISON_MEMORY_REGION(a->base + mark, a->used - mark);
		memset(a->base + mark, 0, a->used - mark);
		ASAN_POISON_MEMORY_REGION(a->base + mark, a->used - mark);
	}
	a->used = mark;
}
