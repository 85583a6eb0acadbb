#include "server/listen.h"

#include "tests/server/temp.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *text;
	bool valid, loopback;
	const char *host;
} addresses[] = {
	{"127.0.0.1:0", true, true, "127.0.0.1"},
	{"127.9.9.9:1", true, true, "127.9.9.9"},
	{"localhost:7117", true, true, "127.0.0.1"},
	{"[::1]:7117", true, true, "[::1]"},
	{"0.0.0.0:7117", true, false, "0.0.0.0"},
	{"[::]:7117", true, false, "[::]"},
	{"192.0.2.7:65535", true, false, "192.0.2.7"},
	{"unix:/tmp/x", true, true, ""},
	{"", false, false, ""},
	{":7117", false, false, ""},
	{"7117", false, false, ""},
	{"127.0.0.1", false, false, ""},
	{"127.0.0.1:", false, false, ""},
	{"127.0.0.1:65536", false, false, ""},
	{"127.0.0.1:-1", false, false, ""},
	{"127.1:80", false, false, ""},
	{"example.org:80", false, false, ""},
	{"::1:80", false, false, ""},
	{"unix:", false, false, ""},
};

static void reads_addresses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
		struct listen_address a = {0};
		int code = listen_parse(&a, addresses[i].text, NULL);
		if (!code != addresses[i].valid || a.loopback != addresses[i].loopback || strcmp(a.host, addresses[i].host) != 0)
			fail_msg("'%s': code %d, host '%s'", addresses[i].text, code, a.host);
	}
	char text[300] = "unix:/";
	memset(text + 6, 'x', 200);
	assert_int_equal(listen_parse(&(struct listen_address){0}, text, NULL), ERR_INVALID);
}

static void says_what_is_taken(void **state)
{
	(void)state;
	struct listen_address a;
	struct err err = {0};
	char text[40];
	int first, second, port, again;
	assert_int_equal(listen_parse(&a, "127.0.0.1:0", NULL), OK);
	assert_int_equal(listen_open(&a, &first, &port, NULL), OK);
	assert_in_range(port, 1, 65535);
	snprintf(text, sizeof text, "127.0.0.1:%d", port);
	assert_int_equal(listen_parse(&a, text, NULL), OK);
	assert_int_equal(listen_open(&a, &second, &again, &err), ERR_IN_USE);
	assert_non_null(strstr(err.message, text));
	close(first);
}

static void replaces_only_a_stale_socket(void **state)
{
	(void)state;
	struct listen_address a;
	struct stat st;
	char text[300], *dir = temp_make();
	int first, second, port;
	assert_non_null(dir);
	snprintf(text, sizeof text, "unix:%s/s", dir);
	assert_int_equal(listen_parse(&a, text, NULL), OK);
	assert_int_equal(listen_open(&a, &first, &port, NULL), OK);
	assert_int_equal(port, 0);
	assert_int_equal(stat(a.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(listen_open(&a, &second, &port, NULL), ERR_IN_USE);
	close(first); /* the file stays, nobody answers */
	assert_int_equal(listen_open(&a, &second, &port, NULL), OK);
	close(second);
	assert_int_equal(unlink(a.path), 0);
	fclose(fopen(a.path, "w"));
	assert_int_equal(listen_open(&a, &second, &port, NULL), ERR_IN_USE);
	assert_int_equal(access(a.path, F_OK), 0); /* somebody's file stays */
	temp_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_addresses),
		cmocka_unit_test(says_what_is_taken),
		cmocka_unit_test(replaces_only_a_stale_socket),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
