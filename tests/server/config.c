#include "server/config.h"

#include "tests/server/temp.h"

#include <stdio.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ARGS_MAX = 8 };

/* config_load with these arguments (ends with NULL). */
static int load(struct config *c, int *ret_exit, struct err *err, const char *const *args)
{
	char *argv[ARGS_MAX + 2] = {(char *)"latentd"};
	int argc = 1;
	while (args[argc - 1] && argc <= ARGS_MAX) {
		argv[argc] = (char *)args[argc - 1];
		argc++;
	}
	return config_load(c, argc, argv, ret_exit, err);
}
#define LOAD(c, exit_code, err, ...) load(c, exit_code, err, (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static char *dir;

static int setup(void **state)
{
	(void)state;
	static const char *const names[] = {"LATENTD_LISTEN", "LATENTD_WORKERS", "LATENTD_THREADS", "LATENTD_CONFIG", "LATENTD_DATASET_DIR",
		"LATENTD_CPU", "LATENTD_DATA_DIR", "STATE_DIRECTORY", "XDG_DATA_HOME"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unsetenv(names[i]);
	setenv("HOME", "/home/somebody", 1);
	dir = temp_make();
	return dir ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	temp_remove(dir);
	return 0;
}

static const char *write_file(const char *name, const char *text)
{
	static char path[300];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	return path;
}

static void has_defaults(void **state)
{
	(void)state;
	struct config c;
	int exit_code;
	assert_int_equal(LOAD(&c, &exit_code, NULL), OK);
	assert_int_equal(exit_code, EXIT_OK);
	assert_string_equal(c.listen, "127.0.0.1:7117");
	assert_string_equal(c.data_dir, "/home/somebody/.local/share/latentd");
	assert_int_equal(c.workers, 2);
	assert_in_range(c.threads, 1, 256);
	assert_int_equal(c.log_level, LOG_LEVEL_INFO);
	assert_int_equal(c.ndataset_dirs, 1);
	assert_string_equal(c.dataset_dirs[0], "/home/somebody/.local/share/latentd/datasets");
	config_free(&c);
}

static void the_stronger_source_wins(void **state)
{
	(void)state;
	struct config c;
	int exit_code;
	const char *path = write_file("a.conf", "# a comment\n\n[latentd]\n workers = 3 \nthreads=1\nlog_level = debug\ndataset-dir = /f1:/f2\n");
	setenv("LATENTD_WORKERS", "4", 1);
	setenv("LATENTD_DATASET_DIR", "/e1", 1);
	assert_int_equal(LOAD(&c, &exit_code, NULL, "--config", path), OK);
	assert_int_equal(c.workers, 4);
	assert_int_equal(c.threads, 1);
	assert_int_equal(c.log_level, LOG_LEVEL_DEBUG);
	assert_string_equal(c.dataset_dirs[0], "/e1");
	assert_int_equal(c.ndataset_dirs, 2);
	config_free(&c);
	assert_int_equal(LOAD(&c, &exit_code, NULL, "--workers=5", "--config", path, "--dataset-dir", "/a", "--dataset-dir=/b"), OK);
	assert_int_equal(c.workers, 5);
	assert_string_equal(c.dataset_dirs[0], "/a");
	assert_string_equal(c.dataset_dirs[1], "/b");
	assert_int_equal(c.ndataset_dirs, 3);
	config_free(&c);
	unsetenv("LATENTD_DATASET_DIR");
	setenv("LATENTD_CONFIG", path, 1);
	assert_int_equal(LOAD(&c, &exit_code, NULL), OK);
	assert_string_equal(c.dataset_dirs[1], "/f2");
	config_free(&c);
}

static void finds_the_data_directory(void **state)
{
	(void)state;
	struct config c;
	int exit_code;
	setenv("XDG_DATA_HOME", "/xdg", 1);
	assert_int_equal(LOAD(&c, &exit_code, NULL), OK);
	assert_string_equal(c.data_dir, "/xdg/latentd");
	config_free(&c);
	setenv("STATE_DIRECTORY", "/var/lib/latentd:/other", 1);
	assert_int_equal(LOAD(&c, &exit_code, NULL), OK);
	assert_string_equal(c.data_dir, "/var/lib/latentd");
	config_free(&c);
	assert_int_equal(LOAD(&c, &exit_code, NULL, "--data-dir", "/d"), OK);
	assert_string_equal(c.data_dir, "/d");
	config_free(&c);
	unsetenv("STATE_DIRECTORY");
	unsetenv("XDG_DATA_HOME");
	unsetenv("HOME");
	assert_int_equal(LOAD(&c, &exit_code, NULL), ERR_INVALID);
	assert_int_equal(exit_code, EXIT_CONFIG);
}

static const struct {
	const char *args[ARGS_MAX];
	int exit_code;
	const char *says;
} wrong[] = {
	{{"--wrokers", "2"}, EXIT_USAGE, "--wrokers"},
	{{"serve"}, EXIT_USAGE, "serve"},
	{{"-h"}, EXIT_USAGE, "-h"},
	{{"--"}, EXIT_USAGE, "--"},
	{{"--listen"}, EXIT_USAGE, "ADDR:PORT"},
	{{"--help=1"}, EXIT_USAGE, "no value"},
	{{"--workers", "0"}, EXIT_USAGE, "1..64, got '0'"},
	{{"--workers", "65"}, EXIT_USAGE, "1..64"},
	{{"--workers", "2x"}, EXIT_USAGE, "whole number"},
	{{"--workers", " 2"}, EXIT_USAGE, "whole number"},
	{{"--workers", ""}, EXIT_USAGE, "whole number"},
	{{"--threads", "99999999999999999999"}, EXIT_USAGE, "whole number"},
	{{"--log-level", "loud"}, EXIT_USAGE, "debug, info"},
	{{"--log-format", "xml"}, EXIT_USAGE, "logfmt or json"},
	{{"--cpu", "mmx"}, EXIT_USAGE, "baseline"},
	{{"--config", "/nonexistent/latentd.conf"}, EXIT_CONFIG, "/nonexistent/latentd.conf"},
	{{"--listen", "7117"}, EXIT_CONFIG, "ADDRESS:PORT"},
	{{"--listen", "example.org:80"}, EXIT_CONFIG, "ADDRESS:PORT"},
	{{"--listen", "127.0.0.1"}, EXIT_CONFIG, "ADDRESS:PORT"},
	{{"--listen", "127.0.0.1:99999"}, EXIT_CONFIG, "ADDRESS:PORT"},
	{{"--listen", "unix:"}, EXIT_CONFIG, "unix"},
	{{"--listen", "0.0.0.0:7117"}, EXIT_CONFIG, "--token-file"},
	{{"--listen", "[::]:7117"}, EXIT_CONFIG, "--token-file"},
	{{"--listen", "192.0.2.1:7117"}, EXIT_CONFIG, "--token-file"},
	{{"--token-file", "/nonexistent/token"}, EXIT_CONFIG, "/nonexistent/token"},
	{{"--path-prefix", "lab"}, EXIT_CONFIG, "/latentd"},
	{{"--path-prefix", "/lab/"}, EXIT_CONFIG, "/latentd"},
	{{"--path-prefix", "/a b"}, EXIT_CONFIG, "/latentd"},
	{{"--allowed-hosts", "a,http://b"}, EXIT_CONFIG, "http://b"},
};

static void explains_what_is_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct config c;
		struct err err = {0};
		int exit_code = 0;
		int code = load(&c, &exit_code, &err, wrong[i].args);
		if (!code || exit_code != wrong[i].exit_code || !strstr(err.message, wrong[i].says))
			fail_msg("%s: exit %d, '%s'", wrong[i].args[0], exit_code, err.message);
	}
}

static const struct {
	const char *text, *says;
} wrong_files[] = {
	{"workers = 3\nwrokers = 2\n", ":2: unknown key 'wrokers'"},
	{"workers\n", ":1: expected"},
	{"workers = none\n", ":1: workers must be a whole number"},
	{"[other]\n", ":1: expected"},
	{"help = 1\n", "unknown key 'help'"},
	{"config = x\n", "unknown key 'config'"},
	{"listen = 0.0.0.0:1\n", "--token-file"},
};

static void explains_what_is_wrong_in_a_file(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof wrong_files / sizeof *wrong_files; i++) {
		struct config c;
		struct err err = {0};
		int exit_code;
		assert_int_equal(LOAD(&c, &exit_code, &err, "--config", write_file("b.conf", wrong_files[i].text)), ERR_INVALID);
		assert_int_equal(exit_code, EXIT_CONFIG);
		if (!strstr(err.message, wrong_files[i].says))
			fail_msg("%s: '%s'", wrong_files[i].text, err.message);
	}
}

static void a_token_opens_other_addresses(void **state)
{
	(void)state;
	struct config c;
	int exit_code;
	const char *path = write_file("token", "0123456789abcdef\n");
	assert_int_equal(LOAD(&c, &exit_code, NULL, "--listen", "0.0.0.0:7117", "--token-file", path), OK);
	config_free(&c);
	assert_int_equal(LOAD(&c, &exit_code, NULL, "--listen", "unix:/run/latentd.sock"), OK);
	config_free(&c);
}

static void actions_need_nothing_else(void **state)
{
	(void)state;
	struct config c;
	int exit_code;
	unsetenv("HOME");
	assert_int_equal(LOAD(&c, &exit_code, NULL, "--version", "--help"), OK);
	assert_true(c.version && c.help && !c.check_config);
	config_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(has_defaults, setup, teardown),
		cmocka_unit_test_setup_teardown(the_stronger_source_wins, setup, teardown),
		cmocka_unit_test_setup_teardown(finds_the_data_directory, setup, teardown),
		cmocka_unit_test_setup_teardown(explains_what_is_wrong, setup, teardown),
		cmocka_unit_test_setup_teardown(explains_what_is_wrong_in_a_file, setup, teardown),
		cmocka_unit_test_setup_teardown(a_token_opens_other_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(actions_need_nothing_else, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
