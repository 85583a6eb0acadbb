#include "core/base/arena.h"

#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static size_t carve(struct arena *a, char *parts[4])
{
	static const size_t sizes[4] = {1, 64, 1000, 0};
	for (int i = 0; i < 4; i++)
		parts[i] = arena_alloc(a, sizes[i]);
	return a->used;
}

/* The same code, measuring and for real. */
static void test_measured_size_is_what_it_takes(void **state)
{
	(void)state;
	struct arena measure = ARENA_MEASURE, a;
	struct err err;
	char *parts[4];
	size_t size = carve(&measure, parts);
	assert_null(parts[0]);
	assert_int_equal(arena_open(&a, size, &err), OK);
	assert_true(carve(&a, parts) == size);
	for (int i = 0; i < 4; i++)
		assert_true((uintptr_t)parts[i] % 64 == 0);
	assert_true(parts[1] >= parts[0] + 1 && parts[2] >= parts[1] + 64 && parts[3] >= parts[2] + 1000);
	arena_close(&a);
	assert_null(a.base);
	arena_close(&a); /* twice is harmless */
}

static void test_memory_is_zero_each_time(void **state)
{
	(void)state;
	struct arena a;
	struct err err;
	assert_int_equal(arena_open(&a, 4096, &err), OK);
	char *first = arena_alloc(&a, 100);
	memset(first, 1, 100);
	size_t mark = arena_mark(&a);
	for (int round = 0; round < 3; round++) {
		unsigned char *step = arena_alloc(&a, 2000);
		for (int i = 0; i < 2000; i++)
			assert_int_equal(step[i], 0);
		memset(step, 0xee, 2000);
		arena_reset(&a, mark);
		assert_true(arena_mark(&a) == mark);
	}
	for (int i = 0; i < 100; i++)
		assert_int_equal(first[i], 1);
	arena_close(&a);
}

static void test_reset_while_measuring(void **state)
{
	(void)state;
	struct arena a = ARENA_MEASURE;
	arena_alloc(&a, 10);
	size_t mark = arena_mark(&a);
	arena_alloc(&a, 1000);
	arena_reset(&a, mark);
	assert_true(a.used == 64);
}

/* Taking more than was measured is a bug: the process stops, it does not overrun. */
static void test_overdraft_aborts(void **state)
{
	(void)state;
	static const size_t too_much[] = {65, SIZE_MAX, SIZE_MAX - 63};
	for (size_t i = 0; i < sizeof too_much / sizeof *too_much; i++) {
		fflush(NULL);
		pid_t child = fork();
		if (child == 0) {
			struct arena a;
			fclose(stderr);
			if (arena_open(&a, 64, NULL) == OK)
				arena_alloc(&a, too_much[i]);
			_exit(0);
		}
		int status;
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	}
}

static void test_no_memory_is_an_error(void **state)
{
	(void)state;
	struct arena a = {.size = 77};
	struct err err;
	assert_int_equal(arena_open(&a, SIZE_MAX / 2, &err), ERR_NO_MEMORY);
	assert_int_equal(a.size, 77);
	assert_int_equal(arena_open(&a, 0, &err), OK);
	arena_close(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_measured_size_is_what_it_takes),
		cmocka_unit_test(test_memory_is_zero_each_time),
		cmocka_unit_test(test_reset_while_measuring),
		cmocka_unit_test(test_overdraft_aborts),
		cmocka_unit_test(test_no_memory_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
